//! Every scenario of the tailing faults that can be tested has a test that bears its number: T01 to T60.

use std::collections::BTreeSet;

use crate::repository::sources;

/// The numbers that stand in the names of the test functions of a text: `fn t46_t53_killed…` has 46 and 53.
fn numbers(text: &str) -> BTreeSet<u32> {
    let names = text
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("fn "));
    let words = names.flat_map(|name| name.split('(').next().unwrap().split('_'));
    words
        .map(|word| word.strip_prefix('t').unwrap_or(""))
        .filter(|word| word.len() == 2)
        .filter_map(|word| word.parse().ok())
        .collect()
}

#[test]
fn every_scenario_has_a_test_of_its_number() {
    let texts = sources("src").into_iter().chain(sources("tests/it"));
    let tested: BTreeSet<u32> = texts.flat_map(|(_, text)| numbers(&text)).collect();
    let missing: Vec<String> = (1..=60)
        .filter(|number| !tested.contains(number))
        .map(|number| format!("T{number:02}"))
        .collect();
    assert!(missing.is_empty(), "no test for {}", missing.join(", "));
}

#[test]
fn numbers_are_read_from_names() {
    assert_eq!(
        numbers("#[test]\nfn t46_t53_killed_16_times() {\nfn table() {"),
        [46, 53].into()
    );
}
