//! Literals: what the scanner searches for, to find the lines that any rule may have something to say about.
//!
//! They decide the speed of the program. The search (see [`crate::scan`]) looks for the first three bytes of all of them
//! at once, sorted into eight buckets (of two in one, their mixtures stop it too): it is fast while they are few and begin with rare bytes. So the statements of a
//! class that prints little (the Dispatcher) are found by its name, one literal for all of them, and those of a class
//! that prints much (the ExecutionGraph) by their words. The built-in ones stop the search at none of a million bytes of
//! a JobManager's log but those of the lines that are looked for.

/// Shortest literal, bytes. The search looks for the first three bytes of each; the others tell it from other words.
const SHORTEST: usize = 5;

/// Is this text fit to be searched for?
pub fn check(literal: &str) -> Result<(), String> {
    if literal.len() < SHORTEST {
        return Err(format!(
            "a literal has at least {SHORTEST} bytes: shorter ones are found everywhere"
        ));
    }
    // JSON layouts write these in another way (`\"`, `\u0027`, `\u00e9`), and the search is for bytes as they stand in the file.
    let plain =
        |c: char| c == ' ' || c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '\\' | '<' | '>' | '&' | '/');
    if literal.chars().all(plain) {
        Ok(())
    } else {
        Err("a literal holds only ASCII that every JSON layout writes as it is: no quotes, `\\`, `/`, `<`, `>`, `&`".into())
    }
}

/// The smallest set that finds every line that `all` finds: no duplicates, none that contains another.
#[must_use]
pub fn smallest<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut all: Vec<&str> = all.collect();
    all.sort_unstable_by_key(|literal| (literal.len(), *literal));
    let mut kept: Vec<&str> = Vec::new();
    for literal in all {
        if !kept.iter().any(|shorter| literal.contains(shorter)) {
            kept.push(literal);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::{check, smallest};

    #[test]
    fn what_json_escapes_cannot_be_searched_for() {
        for good in [" from state ", "(Version: ", "stop-with-savepoint"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "job",
            "it's so",
            "a \"b\" c",
            "back\\slash",
            "tab\tbed",
            "caf\u{e9} au lait",
            "a</b>c",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_literal_that_contains_another_is_not_searched_for() {
        let all = [
            "Restarting the job",
            "the job",
            "state",
            "state",
            "terminal state ",
        ];
        assert_eq!(smallest(all.into_iter()), ["state", "the job"]);
    }
}
