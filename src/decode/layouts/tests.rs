//! The built-in layouts against their folder, and layout files with problems.

use std::fs;
use std::path::Path;

use super::{BUILTIN, Layouts};

#[test]
fn the_embedded_list_is_the_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/layouts");
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            format!(
                "rules/layouts/{}",
                entry.unwrap().file_name().into_string().unwrap()
            )
        })
        .collect();
    let mut embedded: Vec<&str> = BUILTIN.iter().map(|(name, _)| *name).collect();
    names.sort();
    embedded.sort_unstable();
    assert_eq!(names, embedded);
}

#[test]
fn every_built_in_layout_reads_its_samples_and_is_detected_by_them() {
    let problems = Layouts::builtin().unwrap().verify();
    let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "\n{}", text.join("\n"));
}

/// Compiles one file; the problems as `line:column: message`.
fn problems(text: &str) -> Vec<String> {
    let problems = Layouts::compile(&[("x.toml".to_owned(), text.to_owned())]).unwrap_err();
    problems
        .iter()
        .map(|problem| problem.to_string().trim_start_matches("x.toml:").to_owned())
        .collect()
}

#[test]
fn every_mistake_in_a_file_is_told_at_once_with_its_place() {
    let text = "schema = 2\nid = 'x'\nabuot = 1\npattern = '%d %q %m'\n[[sample]]\nline = 3\nat = 'noon'\n";
    let expected = [
        "3:1: unknown key `abuot`",
        "1:10: only `schema = 1` is known",
        "1:1: `about` is missing",
        "4:15: unknown converter `%q`",
        "6:8: `line` must be a text",
    ];
    let told = problems(text);
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told} / {expected}");
    }
}

#[test]
fn what_makes_no_layout_is_refused() {
    let head = "schema = 1\nid = 'x'\nabout = 'x'\n";
    for (rest, words) in [
        ("", "either `pattern` or"),
        ("kind = 'xml'", "only `kind"),
        ("kind = 'json'\npattern = '%d %m'", "not both"),
        ("kind = 'json'", "`[fields]` is needed"),
        ("kind = 'json'\nfields = 1", "must be a table"),
        ("kind = 'json'\n[fields]\ntime = 'ts'", "no path for the message"),
        ("kind = 'json'\n[fields]\nmessage = 1", "a path or a list"),
        (
            "kind = 'json'\n[fields]\nmessage = 'm'\nfoo = 'x'",
            "unknown key `foo`",
        ),
        ("pattern = '%d %p %m'", "needs a `[[sample]]`"),
        ("pattern = ", "4:"),
    ] {
        let told = problems(&format!("{head}{rest}"));
        assert!(told.iter().any(|told| told.contains(words)), "{rest}: {told:?}");
    }
}

#[test]
fn a_sample_that_comes_out_otherwise_is_a_problem() {
    let text = "schema = 1\nid = 'x'\nabout = 'x'\npattern = '%p|%m'\n[[sample]]\nline = 'INFO|m'\nmessage = 'n'\n\
                [[sample]]\nline = 'INFO|m'\nreject = true\n[[sample]]\nline = 'm'\nmessage = 'm'\n";
    let layouts = Layouts::compile(&[("x.toml".to_owned(), text.to_owned())]).unwrap();
    let lines: Vec<usize> = layouts.verify().iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [5, 8, 11]);
}

#[test]
fn a_users_file_replaces_the_built_in_of_its_id_and_comes_first() {
    let user = |id: &str| {
        let text = format!(
            "schema = 1\nid = '{id}'\nabout = 'mine'\npattern = '%d %p %c{{1}} %m'\n\
             [[sample]]\nline = '2026-11-21 00:00:00 INFO B m'\nat = '2026-11-21T00:00:00Z'\nlevel = 'INFO'\n\
             logger = 'B'\nmessage = 'm'\n[[sample]]\nline = 'x'\nreject = true\n"
        );
        (format!("{id}.toml"), text)
    };
    let mut layouts = Layouts::builtin().unwrap();
    let count = layouts.iter().count();
    layouts.add_user(&[user("bare"), user("mine")]).unwrap();
    assert_eq!(layouts.iter().count(), count + 1);
    assert_eq!(layouts.get(layouts.named("bare").unwrap()).about(), "mine");
    let twice = layouts.add_user(&[user("mine"), user("mine")]).unwrap_err();
    assert!(
        twice[0].to_string().contains("has this id already"),
        "{}",
        twice[0]
    );
}

#[test]
fn a_pattern_is_a_layout_of_its_own() {
    let layout = Layouts::from_pattern("%d %p %c{1} - %m%n").unwrap();
    assert_eq!(layout.shortens_loggers(), Some(true));
    assert!(!layout.is_json() && layout.has_logger() && layout.has_time());
    let json = Layouts::from_pattern("{\"t\":\"%d\",\"l\":\"%p\",\"m\":\"%m\"}%n").unwrap();
    assert!(json.is_json() && !json.has_logger());
}
