//! Every dependency has its reason in `docs/dependencies.md`.

use std::collections::BTreeSet;
use std::path::Path;

use crate::repository::{check_none, read};

#[test]
fn every_dependency_has_a_reason() {
    let manifest: toml::Table = read(Path::new("Cargo.toml")).parse().unwrap();
    let names = |section: &str| manifest[section].as_table().unwrap().keys().cloned();
    let used: BTreeSet<String> = names("dependencies").chain(names("dev-dependencies")).collect();
    let page = read(Path::new("docs/dependencies.md"));
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let told: BTreeSet<String> = rows
        .filter_map(|row| Some(row.split_once("` | ")?.0.to_owned()))
        .collect();
    let without: Vec<String> = used.difference(&told).cloned().collect();
    check_none("dependencies without a reason", &without);
}
