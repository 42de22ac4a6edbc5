//! `print`: what is built in, written out so that it can be read, copied and changed.

use std::io::{self, Write};
use std::path::Path;

use crate::config::{self, ConfigError, LayoutCheck, Settings};

/// The commented configuration that holds with a file; the defaults without one.
pub fn config(file: Option<&Path>, layout: LayoutCheck<'_>) -> Result<String, ConfigError> {
    let settings = file.map_or_else(|| Ok(Settings::default()), |file| config::load(file, layout))?;
    Ok(config::document(&settings))
}

/// Writes built-in rule and layout files, each under its name: into a directory, which is made where it is missing, or
/// one after the other to `out`. A file that is already there is left alone and is an error: it may have been changed.
pub fn files(files: &[(&str, &str)], dir: Option<&Path>, out: &mut impl Write) -> io::Result<()> {
    let Some(dir) = dir else {
        return files
            .iter()
            .try_for_each(|(name, text)| writeln!(out, "# {name}\n\n{}\n", text.trim_end()));
    };
    for (name, text) in files {
        let path = dir.join(name);
        let in_words =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(in_words)?;
        }
        let mut file = std::fs::File::create_new(&path).map_err(in_words)?;
        file.write_all(text.as_bytes()).map_err(in_words)?;
        writeln!(out, "{}", path.display())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [(&str, &str); 2] = [("parse/a.toml", "schema = 1\n"), ("layouts/b.toml", "id = 'b'\n")];

    #[test]
    fn on_a_terminal_files_follow_one_another_under_their_names() {
        let mut out = Vec::new();
        files(&FILES, None, &mut out).unwrap();
        let expected = "# parse/a.toml\n\nschema = 1\n\n# layouts/b.toml\n\nid = 'b'\n\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn into_a_directory_they_are_written_once_and_never_over_a_changed_one() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("new");
        files(&FILES, Some(&target), &mut Vec::new()).unwrap();
        assert_eq!(
            std::fs::read_to_string(target.join("layouts/b.toml")).unwrap(),
            "id = 'b'\n"
        );
        let error = files(&FILES, Some(&target), &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert!(
            error
                .to_string()
                .starts_with(&target.join("parse/a.toml").display().to_string()),
            "{error}"
        );
    }
}
