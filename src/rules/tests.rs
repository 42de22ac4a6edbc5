//! The built-in rules as a set, and how it answers.

use super::RuleSet;

#[test]
fn the_built_in_rules_are_proved() {
    if let Err(problems) = RuleSet::builtin() {
        let shown: Vec<_> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", shown.join("\n"));
    }
}
