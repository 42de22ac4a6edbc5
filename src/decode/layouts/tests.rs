use std::fs;
use std::path::Path;

use super::{BUILTIN, Layouts};

#[test]
fn the_embedded_list_is_the_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/layouts");
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| format!("rules/layouts/{}", entry.unwrap().file_name().into_string().unwrap()))
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
