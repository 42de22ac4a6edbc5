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

/// Teddy's buckets, into which it sorts literals in turn. At each place of a beginning a bucket takes every byte made of
/// the halves (of 4 bits) that its literals have there: two literals in one bucket stop the search at mixtures of them too.
const BUCKETS: usize = 8;

impl Scanner {
    /// Prepares the search. Fails only on sets far beyond any rule file (2³¹ bytes of literals).
    ///
    /// While there are few literals, which begin with rare bytes, the search is about as fast as one for a single word.
    pub fn new<L: AsRef<[u8]>>(literals: &[L]) -> Result<Self, BuildError> {
        let mut literals: Vec<&[u8]> = literals.iter().map(AsRef::as_ref).collect();
        share_buckets(&mut literals);
        // `LeftmostFirst` everywhere: with `Standard` aho-corasick has no SIMD search and is 3 to 20 times slower.
        let packed = match literals[..] {
            [] => {
                return Ok(Self {
                    searcher: Searcher::Never,
                });
            }
            [_] => None,
            _ => packed::Config::new()
                .match_kind(packed::MatchKind::LeftmostFirst)
                .builder()
                .extend(literals.iter().map(|literal| beginning(literal)))
                .build(),
        };
        let searcher = match packed {
            Some(packed) => Searcher::Packed(packed, literals.into_iter().map(Box::from).collect()),
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
                    let hit = packed.find_in(buf, Span { start, end })?;
                    let at = hit.start();
                    // Of several that begin alike the first is told.
                    let begin_so = literals.iter().skip(hit.pattern().as_usize());
                    if begin_so.into_iter().any(|literal| buf[at..].starts_with(literal)) {
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

/// Orders literals so that what comes into one bucket makes few mixtures that logs are full of: as many pairs are put
/// together as there are literals too many, the best first.
fn share_buckets(literals: &mut Vec<&[u8]>) {
    let (mut firsts, mut seconds) = (Vec::new(), Vec::new());
    for _ in BUCKETS..literals.len().min(2 * BUCKETS) {
        let pairs = (0..literals.len()).flat_map(|second| (0..second).map(move |first| (first, second)));
        let best = pairs.min_by_key(|(first, second)| mixtures(literals[*first], literals[*second]));
        let Some((first, second)) = best else { break };
        seconds.push(literals.remove(second));
        firsts.push(literals.remove(first));
    }
    let alone = literals.len().min(BUCKETS - firsts.len());
    firsts.extend(literals.drain(..alone));
    literals.splice(..0, firsts.into_iter().chain(seconds));
}

/// How often a log stops the search where these two are in one bucket, on no particular scale.
fn mixtures(one: &[u8], two: &[u8]) -> u32 {
    let taken = |(one, two): (&u8, &u8)| {
        let mixed = |high: &u8, low: &u8| high & 0xF0 | low & 0xF;
        let bytes = [*one, *two, mixed(one, two), mixed(two, one)];
        let is_first = |at: &usize| !bytes[..*at].contains(&bytes[*at]);
        (0..bytes.len())
            .filter(is_first)
            .map(|at| commonness(bytes[at]))
            .sum::<u32>()
    };
    beginning(one).iter().zip(beginning(two)).map(taken).product()
}

/// How much of a log is this byte, roughly.
const fn commonness(byte: u8) -> u32 {
    match byte {
        b'a'..=b'z' | b'0'..=b'9' | b' ' => 8,
        _ => 1,
    }
}

/// What of a literal is searched for.
fn beginning(literal: &[u8]) -> &[u8] {
    &literal[..literal.len().min(BEGINNING)]
}

#[cfg(test)]
mod tests {
    use super::{BUCKETS, Scanner, share_buckets};
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
    fn literals_in_one_bucket_make_no_words_that_logs_are_full_of() {
        let all = ["from", "that", "Add", "state", "Aud", "rEn", "ryi", "lit", "word"];
        let mut literals = all.map(str::as_bytes).to_vec();
        share_buckets(&mut literals);
        assert_eq!([literals[0], literals[BUCKETS]], [b"Add", b"Aud"]);
    }

    #[test]
    fn no_literal_is_lost_in_the_buckets() {
        for count in [0, 1, 8, 9, 16, 17, 40] {
            let text: Vec<String> = (0..count).map(|n| format!("word{n}")).collect();
            let mut literals: Vec<&[u8]> = text.iter().map(String::as_bytes).collect();
            share_buckets(&mut literals);
            literals.sort_unstable();
            literals.dedup();
            assert_eq!(literals.len(), count);
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
