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
    /// Teddy (up to 64 literals, x86-64 with SSSE3 and aarch64) finds where one may begin, the literals decide.
    Packed(packed::Searcher, Vec<Box<[u8]>>),
    /// One literal (memmem inside), or more than Teddy takes, or a machine without its instructions.
    Automaton(AhoCorasick),
}

/// How much of each literal is searched for, bytes. Teddy looks at 32 bytes a step and needs two shuffles a step for
/// each of these; with four it is a third slower, with two it stops at every other word.
const BEGINNING: usize = 3;

impl Scanner {
    /// Prepares the search. Fails only on sets far beyond any rule file (2³¹ bytes of literals).
    ///
    /// Literals are sorted into eight buckets in turn. While there are no more than eight or so, which begin with rare
    /// bytes, the search is about as fast as one for a single word.
    pub fn new<L: AsRef<[u8]>>(literals: &[L]) -> Result<Self, BuildError> {
        let beginning = |literal: &L| {
            let literal = literal.as_ref();
            literal[..literal.len().min(BEGINNING)].to_vec()
        };
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
                .extend(literals.iter().map(beginning))
                .build(),
        };
        let searcher = match packed {
            Some(packed) => Searcher::Packed(
                packed,
                literals.iter().map(|literal| literal.as_ref().into()).collect(),
            ),
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
            Searcher::Packed(packed, literals) => {
                let (mut start, end) = (from, buf.len());
                loop {
                    let at = packed.find_in(buf, Span { start, end })?.start();
                    if literals.iter().any(|literal| buf[at..].starts_with(literal)) {
                        return Some(at);
                    }
                    start = at + 1;
                }
            }
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
