//! Lines of a log of documents that need not be opened: they are like the one before, and hold no words of any rule.
//!
//! A managed log is one JSON object a line, and one in hundreds matters. Opening each costs a hundred times what a search
//! for the words does. So once a line was opened and was a record that waits for nothing, those that follow are let go
//! by while they begin as it did, end as an object does, and hold no literal ([`crate::scan`]: none that JSON would write in
//! another way). Whatever looks different is opened, and so is the line after a record that waits for its end.

use super::Wording;
use super::input::Hits;

/// How much of a line tells that it is of the kind of another: the first key and the beginning of its value.
const BEGINNING: usize = 24;

/// Most bytes before the object on its line: the time of an exported event.
const BEFORE: usize = 40;

/// In what a record of a service itself has in place of a logger, `errorCode`: it tells something though no rule knows it.
/// Searched for with the words of the rules, among which it finds a bucket of the search where it makes no mixtures that logs
/// are full of ([`crate::scan`]; `rCode` would stop the search eight times as often).
pub(super) const ERROR: &str = "rrorCode";

/// What lines that need not be opened look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Like {
    /// Bytes before the object.
    before: usize,
    beginning: [u8; BEGINNING],
}

impl Like {
    /// The look of a line, without its newline; none for one that is no object of some length.
    pub(super) fn of(line: &[u8]) -> Option<Self> {
        let before = memchr::memchr(b'{', &line[..line.len().min(BEFORE)])?;
        let beginning = *line[before..].first_chunk()?;
        Some(Self { before, beginning })
    }

    /// Whether a line, without its newline, looks like that.
    pub(super) fn fits(&self, line: &[u8]) -> bool {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        line.ends_with(b"}")
            && line
                .get(self.before..)
                .is_some_and(|object| object.starts_with(&self.beginning))
    }

    /// Where the first line begins that must be opened, at or after the line that begins at `at`.
    pub(super) fn pass(&self, bytes: &[u8], mut at: usize, words: &mut Words<'_>) -> usize {
        let word = words.next(at).unwrap_or(bytes.len());
        while let Some(newline) = memchr::memchr(b'\n', &bytes[at..])
            && at + newline < word
            && self.fits(&bytes[at..at + newline])
        {
            at += newline + 1;
        }
        at
    }
}

/// The places of interest in the bytes at hand.
pub(super) struct Words<'a> {
    bytes: &'a [u8],
    wording: &'a Wording,
    /// Where the bytes were searched before.
    hits: Option<Hits<'a>>,
    /// The place found last: each byte is searched once.
    found: Option<usize>,
}

impl<'a> Words<'a> {
    pub(super) fn new(bytes: &'a [u8], hits: Option<&'a [u32]>, wording: &'a Wording) -> Self {
        Self {
            bytes,
            wording,
            hits: hits.map(|at| Hits { at, shift: 0 }),
            found: Some(0),
        }
    }

    /// The next place at or after `from`, which never falls from call to call.
    pub(super) fn next(&mut self, from: usize) -> Option<usize> {
        if self.found.is_some_and(|at| at <= from) {
            self.found = match &mut self.hits {
                Some(hits) => hits.next(self.bytes.len(), from),
                None => self.wording.scanner(false).next(self.bytes, from),
            };
        }
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::Like;

    #[test]
    fn a_line_fits_that_begins_and_ends_as_the_one_before() {
        let like = Like::of(br#"{"applicationARN":"arn:aws:kinesisanalytics:a","x":1}"#).unwrap();
        for (line, fits) in [
            (r#"{"applicationARN":"arn:aws:kinesisanalytics:b","y":2}"#, true),
            ("{\"applicationARN\":\"arn:aws:k\"}\r", true),
            (r#"{"applicationARN":"arn:aws:k"#, false),
            (r#" {"applicationARN":"arn:aws:k"}"#, false),
            (r#"{"application":"arn:aws:kinesisanalytics:a"}"#, false),
            ("}", false),
            ("", false),
        ] {
            assert_eq!(like.fits(line.as_bytes()), fits, "{line}");
        }
        let exported = Like::of(br#"2026-11-01T00:00:00.123Z {"applicationARN":"arn:aws:k"}"#).unwrap();
        assert!(exported.fits(br#"2026-11-02T00:00:00.123Z {"applicationARN":"arn:aws:k"}"#));
        assert_eq!(Like::of(b"2026-11-01 no object"), None);
    }
}
