//! House rules that no lint knows, held over every file of the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// Longest source file, lines: a longer one does more than one thing.
const MAX_LINES: usize = 600;

/// Not part of the source (`.git` is a file in a worktree).
const SKIPPED: [&str; 3] = [".git", "target", "artifacts"];

/// Every file below a folder of the repository, by its path from the root; sorted.
pub fn files(below: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(below)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            if SKIPPED.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if entry.file_type().unwrap().is_file() {
                found.push(entry.path().strip_prefix(root()).unwrap().to_path_buf());
            }
        }
    }
    found.sort();
    found
}

/// The Rust files below a folder, each with its text.
pub fn sources(below: &str) -> Vec<(PathBuf, String)> {
    let rust = files(below)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "rs"));
    rust.map(|path| (path.clone(), read(&path))).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file's text; its path is from the root.
pub fn read(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Asserts that nothing was found, telling all that was.
pub fn check_none(rule: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{rule}:\n  {}", offences.join("\n  "));
}

#[test]
fn every_source_file_opens_by_saying_what_it_is_for() {
    let silent = sources("src")
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//! "));
    check_none(
        "these do not open with `//!`",
        &silent
            .map(|(path, _)| path.display().to_string())
            .collect::<Vec<_>>(),
    );
}

#[test]
fn no_source_file_is_too_long() {
    let long = ["src", "tests"]
        .into_iter()
        .flat_map(sources)
        .filter(|(_, text)| text.lines().count() > MAX_LINES);
    check_none(
        "these are over 600 lines",
        &long
            .map(|(path, _)| path.display().to_string())
            .collect::<Vec<_>>(),
    );
}

/// Each word in two parts, since this file is looked at too.
const UNFINISHED: [(&str, &str); 5] = [
    ("#[ign", "ore"),
    ("to", "do!("),
    ("unimple", "mented!("),
    ("FIX", "ME"),
    ("XX", "X:"),
];

#[test]
fn nothing_is_left_unfinished_and_no_test_is_switched_off() {
    let mut offences = Vec::new();
    for (path, text) in ["src", "tests"].into_iter().flat_map(sources) {
        for word in UNFINISHED.map(|(a, b)| format!("{a}{b}")) {
            offences.extend(lines_with(&path, &text, &word));
        }
    }
    check_none("left unfinished", &offences);
}

/// Places that exist only where somebody happened to work.
const PRIVATE_PLACES: [(&str, &str); 4] = [
    ("/wo", "rk/"),
    ("../sha", "red"),
    ("/tmp/", "wt/"),
    ("/ro", "ot/"),
];

#[test]
fn no_text_names_a_place_on_somebodys_machine() {
    let mut offences = Vec::new();
    for path in files(".") {
        // What is not text (packed logs) holds no such words in the open.
        let Ok(text) = fs::read_to_string(root().join(&path)) else {
            continue;
        };
        for word in PRIVATE_PLACES.map(|(a, b)| format!("{a}{b}")) {
            offences.extend(lines_with(&path, &text, &word));
        }
    }
    check_none("places that other machines lack", &offences);
}

/// `path:line: text` of each line that holds a word.
fn lines_with(path: &Path, text: &str, word: &str) -> Vec<String> {
    let hits = text.lines().enumerate().filter(|(_, line)| line.contains(word));
    hits.map(|(i, line)| format!("{}:{}: {}", path.display(), i + 1, line.trim()))
        .collect()
}
