//! The hot path: finds the few places in a buffer where a line may matter, by SIMD over the whole buffer.
//!
//! Nothing else of the program looks at an uninteresting line. The literals come from the rules; what is found here is
//! a hint only: the record around it decides.

use aho_corasick::{AhoCorasick, BuildError, Input, MatchKind, Span, packed};

/// Searches for a fixed set of literals.
#[derive(Debug)]
pub struct Scanner {
    searcher: Searcher,
}

#[derive(Debug)]
enum Searcher {
    /// No literals: nothing is ever found.
    Never,
    /// Teddy: 32 bytes a step, compares the first four bytes of every literal at once. Its speed depends on how rare
    /// those four bytes are (16–64 literals, x86-64 with SSSE3 and aarch64).
    Packed(packed::Searcher),
    /// One literal (memmem inside), or more than Teddy takes, or a machine without its instructions.
    Automaton(AhoCorasick),
}

impl Scanner {
    /// Prepares the search. Fails only on sets far beyond any rule file (2³¹ bytes of literals).
    pub fn new<L: AsRef<[u8]>>(literals: &[L]) -> Result<Self, BuildError> {
        // `LeftmostFirst` everywhere: with `Standard` aho-corasick has no SIMD search and is 3 to 20 times slower.
        let packed = match literals {
            [] => {
                return Ok(Self {
                    searcher: Searcher::Never,
                });
            }
            [_] => None,
            _ => packed::Config::new()
                .match_kind(packed::MatchKind::LeftmostFirst)
                .builder()
                .extend(literals)
                .build(),
        };
        let searcher = match packed {
            Some(packed) => Searcher::Packed(packed),
            None => Searcher::Automaton(
                AhoCorasick::builder()
                    .match_kind(MatchKind::LeftmostFirst)
                    .build(literals)?,
            ),
        };
        Ok(Self { searcher })
    }

    /// Where the next literal begins, at or after `from`.
    ///
    /// One hit is enough for a line: callers go on at the next line, not at the next byte.
    #[must_use]
    pub fn next(&self, buf: &[u8], from: usize) -> Option<usize> {
        if from >= buf.len() {
            return None;
        }
        match &self.searcher {
            Searcher::Never => None,
            Searcher::Packed(packed) => packed
                .find_in(
                    buf,
                    Span {
                        start: from,
                        end: buf.len(),
                    },
                )
                .map(|hit| hit.start()),
            Searcher::Automaton(automaton) => automaton
                .find(Input::new(buf).range(from..))
                .map(|hit| hit.start()),
        }
    }

    /// The first hit of every line that has one, in order.
    pub fn candidates<'a>(&'a self, buf: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
        let mut from = 0;
        std::iter::from_fn(move || {
            let hit = self.next(buf, from)?;
            from = memchr::memchr(b'\n', &buf[hit..]).map_or(buf.len(), |end| hit + end + 1);
            Some(hit)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Scanner;
    use proptest::prelude::*;

    fn check(literals: &[&str], buf: &str, expected: &[usize]) {
        let scanner = Scanner::new(literals).unwrap();
        assert_eq!(
            scanner.candidates(buf.as_bytes()).collect::<Vec<_>>(),
            expected,
            "{literals:?} in {buf:?}"
        );
    }

    #[test]
    fn the_first_hit_of_each_line_is_found_and_nothing_else() {
        check(&[], "anything", &[]);
        check(&["state"], "", &[]);
        check(&["state"], "a state\nno\nstate state\nstate", &[2, 11, 23]);
        check(&["state", "job"], "a job state\nstate job\r\n\njob", &[2, 12, 24]);
    }

    #[test]
    fn the_search_goes_on_where_the_caller_says() {
        let scanner = Scanner::new(&["state", "job"]).unwrap();
        let buf = b"job state job";
        for (from, expected) in [
            (0, Some(0)),
            (1, Some(4)),
            (5, Some(10)),
            (11, None),
            (13, None),
            (99, None),
        ] {
            assert_eq!(scanner.next(buf, from), expected, "from {from}");
        }
    }

    #[test]
    fn more_literals_than_the_simd_search_takes_are_found_all_the_same() {
        let literals: Vec<String> = (0..300).map(|n| format!("literal-{n:03}")).collect();
        let scanner = Scanner::new(&literals).unwrap();
        assert_eq!(scanner.next(b"... literal-299", 0), Some(4));
    }

    proptest! {
        #[test]
        fn a_line_has_a_candidate_exactly_when_it_contains_a_literal(
            literals in prop::collection::vec("[ab]{1,4}", 1..5),
            buf in "[abc\n]{0,200}",
        ) {
            let scanner = Scanner::new(&literals).unwrap();
            let line_of = |at: usize| buf[..at].matches('\n').count();
            let found: Vec<usize> = scanner.candidates(buf.as_bytes()).map(line_of).collect();
            let expected: Vec<usize> = buf
                .split('\n')
                .enumerate()
                .filter(|(_, line)| literals.iter().any(|literal| line.contains(literal)))
                .map(|(number, _)| number)
                .collect();
            prop_assert_eq!(found, expected);
        }
    }
}
