//! `check`: which files are checked as what, and how the outcome is told.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::config;
use crate::observe;
use crate::problem::Problem;

/// What a TOML file is, by what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The program's configuration.
    Config,
    /// Rules: what lines mean.
    Rules,
    /// A layout: how lines look.
    Layout,
}

impl Kind {
    /// Rules have `[[rule]]`, layouts an `id` or `[[sample]]`; everything else, also what is no TOML, is a configuration.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let Ok(document) = toml::de::DeTable::parse(text) else {
            return Self::Config;
        };
        let document = document.get_ref();
        if document.contains_key("rule") {
            Self::Rules
        } else if document.contains_key("id") || document.contains_key("sample") {
            Self::Layout
        } else {
            Self::Config
        }
    }
}

/// A file to be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// As the user named it, or found in the directory that the user named.
    pub file: String,
    /// Its content.
    pub text: String,
    /// What it is.
    pub kind: Kind,
}

/// Reads the files, and the `*.toml` files of directories in the order of their names. Paths that cannot be read are
/// problems like any other.
#[must_use]
pub fn gather(paths: &[PathBuf]) -> (Vec<Input>, Vec<Problem>) {
    let (mut inputs, mut problems) = (Vec::new(), Vec::new());
    for path in paths {
        let found = expand(path).and_then(|files| {
            files
                .iter()
                .map(|file| input(file))
                .collect::<Result<Vec<_>, _>>()
        });
        match found {
            Ok(found) => inputs.extend(found),
            Err((file, error)) => problems.push(Problem {
                file: file.display().to_string(),
                line: 1,
                column: 1,
                message: format!("cannot be read: {error}"),
            }),
        }
    }
    (inputs, problems)
}

/// A path that could not be read, and why.
type Unreadable = (PathBuf, io::Error);

fn expand(path: &Path) -> Result<Vec<PathBuf>, Unreadable> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable = |error| (path.to_owned(), error);
    let entries: Vec<_> = path.read_dir().and_then(Iterator::collect).map_err(unreadable)?;
    let mut files: Vec<PathBuf> = entries.iter().map(std::fs::DirEntry::path).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    Ok(files)
}

fn input(file: &Path) -> Result<Input, Unreadable> {
    let text = config::read_text(file).map_err(|error| (file.to_owned(), error))?;
    Ok(Input {
        file: file.display().to_string(),
        kind: Kind::of(&text),
        text,
    })
}

/// How much was checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// Configurations.
    pub configs: usize,
    /// Rules.
    pub rules: usize,
    /// Layouts.
    pub layouts: usize,
    /// Tests and samples that rules and layouts carry.
    pub tests: usize,
}

/// Writes all problems, one a line, and the outcome. True when there were none.
pub fn report(checked: Checked, problems: &[Problem], out: &mut impl Write) -> io::Result<bool> {
    for problem in problems {
        writeln!(out, "{}", observe::printable(&problem.to_string()))?;
    }
    let parts = [
        (checked.configs, "configuration"),
        (checked.rules, "rule"),
        (checked.layouts, "layout"),
        (checked.tests, "test"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| counted(count, what))
        .collect();
    match problems.len() {
        0 if parts.is_empty() => writeln!(out, "nothing to check")?,
        0 => writeln!(out, "{}: no problem", parts.join(", "))?,
        count => writeln!(out, "{}", counted(count, "problem"))?,
    }
    Ok(problems.is_empty())
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_it_says() {
        for (text, kind) in [
            ("schema = 1\n[[rule]]\nid = 'a'\n", Kind::Rules),
            ("schema = 1\nid = 'log4j'\n[[sample]]\n", Kind::Layout),
            ("[[source]]\npath = '-'\n", Kind::Config),
            ("", Kind::Config),
            ("[[rule", Kind::Config),
        ] {
            assert_eq!(Kind::of(text), kind, "{text}");
        }
    }

    #[test]
    fn a_directory_is_its_toml_files_by_name_and_what_cannot_be_read_is_told() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.toml", "a.toml", "readme.md"] {
            std::fs::write(dir.path().join(name), "[[rule]]\n").unwrap();
        }
        let nowhere = dir.path().join("nowhere.toml");
        let (inputs, problems) = gather(&[dir.path().to_owned(), nowhere.clone()]);
        let names: Vec<&str> = inputs
            .iter()
            .filter_map(|input| input.file.rsplit('/').next())
            .collect();
        assert_eq!(names, ["a.toml", "b.toml"]);
        assert_eq!(problems.len(), 1);
        let told = problems[0].to_string();
        assert!(
            told.starts_with(&format!("{}:1:1: cannot be read: ", nowhere.display())),
            "{told}"
        );
    }

    #[track_caller]
    fn check(checked: Checked, problems: &[Problem], expected: &str) {
        let mut out = Vec::new();
        let good = report(checked, problems, &mut out).unwrap();
        assert_eq!(
            (good, String::from_utf8(out).unwrap().as_str()),
            (problems.is_empty(), expected)
        );
    }

    #[test]
    fn the_outcome_says_what_was_checked_or_how_many_problems_there_are() {
        let problem = |line| Problem {
            file: "a.toml".to_owned(),
            line,
            column: 2,
            message: "bad".to_owned(),
        };
        let checked = Checked {
            configs: 0,
            rules: 41,
            layouts: 1,
            tests: 120,
        };
        check(checked, &[], "41 rules, 1 layout, 120 tests: no problem\n");
        check(Checked::default(), &[], "nothing to check\n");
        check(checked, &[problem(1)], "a.toml:1:2: bad\n1 problem\n");
        check(
            checked,
            &[problem(1), problem(9)],
            "a.toml:1:2: bad\na.toml:9:2: bad\n2 problems\n",
        );
    }
}
