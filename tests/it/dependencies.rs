//! `docs/dependencies.md` has a reason for each dependency, and for nothing else.

use std::collections::BTreeSet;
use std::path::Path;

use crate::repository::{check_none, read};

#[test]
fn every_dependency_has_a_reason_and_every_reason_a_dependency() {
    let manifest: toml::Table = read(Path::new("Cargo.toml")).parse().unwrap();
    let page = read(Path::new("docs/dependencies.md"));
    for (section, heading) in [
        ("dependencies", "## In the program\n"),
        ("dev-dependencies", "## In the tests only\n"),
    ] {
        let used: BTreeSet<&str> = manifest[section]
            .as_table()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let (_, chapter) = page.split_once(heading).unwrap();
        let chapter = chapter.split("\n## ").next().unwrap();
        let rows = chapter.lines().filter_map(|line| line.strip_prefix("| `"));
        let told: BTreeSet<&str> = rows.filter_map(|row| Some(row.split_once("` | ")?.0)).collect();
        let differ: Vec<String> = used
            .symmetric_difference(&told)
            .map(|name| format!("{section}: {name}"))
            .collect();
        check_none("a dependency or a reason without the other", &differ);
    }
}
