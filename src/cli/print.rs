//! `print`: what is built in, written out so that it can be read, copied and changed.

use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory as _;

use super::args::Cli;
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

/// What this shell needs to complete commands and flags.
pub fn completions(shell: clap_complete::Shell, out: &mut impl Write) -> io::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "flinktail", &mut script);
    out.write_all(&script)
}

/// The manual: its first page, or all of them as files of a directory, which is made where it is missing.
pub fn man(dir: Option<&Path>, out: &mut impl Write) -> io::Result<()> {
    match dir {
        Some(dir) => {
            std::fs::create_dir_all(dir)?;
            clap_mangen::generate_to(Cli::command(), dir)
        }
        None => clap_mangen::Man::new(Cli::command()).render(out),
    }
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
    fn completions_and_manual_know_every_command() {
        let commands = Cli::command();
        let names = commands.get_subcommands().map(clap::Command::get_name);
        let dir = tempfile::tempdir().unwrap();
        man(Some(dir.path()), &mut Vec::new()).unwrap();
        let mut page = Vec::new();
        man(None, &mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        let mut script = Vec::new();
        completions(clap_complete::Shell::Bash, &mut script).unwrap();
        let script = String::from_utf8(script).unwrap();
        for name in names {
            assert!(page.contains(name), "{name}");
            assert!(script.contains(&format!("flinktail,{name})")), "{name}");
            assert!(dir.path().join(format!("flinktail-{name}.1")).is_file(), "{name}");
        }
        assert!(script.contains("--web.listen-address"));
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
