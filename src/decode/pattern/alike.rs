//! Headers that are alike: most of those that are decoded differ from the one before in their time alone.
//!
//! A pattern's header is matched part by part, with choices taken back; comparing its bytes with those of the last one costs
//! a tenth of that. What was found then holds again where nothing behind these bytes had a say in it
//! ([`Run::reach`](super::matcher::Run::reach)), and where they begin at the same place.
//!
//! Most times differ from the last one in their second alone: then the text before it is compared too, and decoding
//! costs 920 instructions in place of 1,270 (callgrind).

use super::matcher::Found;
use crate::decode::time::{Printed, SECOND, TimeForm};

/// The header read last, for [`Pattern::read_after`](super::Pattern::read_after). Of logs that say nothing none is kept.
#[derive(Debug, Clone, Default)]
pub struct LastHeader(Option<Box<Kept>>);

#[derive(Debug, Clone, Default)]
struct Kept {
    /// From the beginning of the line to the message; the last [`SECOND`] bytes before `at` may be any.
    text: Vec<u8>,
    /// Where the time ended.
    at: usize,
    /// What was found; of the time its minute counts, and it is none where it cannot be told from that of another line.
    found: Found<'static>,
}

impl Kept {
    /// From behind the time to the message.
    fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }
}

impl LastHeader {
    /// Where the message begins, if the header is alike; then what was found of the last one is this one's.
    pub(super) fn find(&self, text: &[u8], at: usize, found: &mut Found<'_>) -> Option<usize> {
        let last = self.0.as_ref()?;
        let is_alike = at == last.at && text[at..].starts_with(last.rest());
        is_alike.then(|| {
            *found = Found {
                time: found.time,
                ..last.found
            };
            last.text.len()
        })
    }

    /// Where the message begins, and what was found of the header, if it is alike down to the minute.
    pub(super) fn find_in_minute(&self, text: &[u8]) -> Option<(usize, Found<'static>)> {
        let last = self.0.as_ref()?;
        let time = last.found.time?;
        let second = last.at.checked_sub(SECOND)?;
        let is_alike =
            text.get(last.at..)?.starts_with(last.rest()) && text.starts_with(&last.text[..second]);
        let time = time.with_second(*text[second..].first_chunk()?);
        let found = Found { time, ..last.found };
        (is_alike && time.is_some()).then_some((last.text.len(), found))
    }

    /// Keeps a header whose time ended at `at`.
    pub(super) fn keep(&mut self, text: &[u8], at: usize, found: Found<'_>) {
        let last = self.0.get_or_insert_default();
        last.text.clear();
        last.text.extend_from_slice(text);
        last.at = at;
        last.found = Found { time: None, ..found };
    }

    /// Keeps the time of the header kept last or of one that was found alike; it ended at `at` and is of [`TimeForm::Any`].
    pub(super) fn keep_minute(&mut self, text: &[u8], at: usize, time: Option<Printed<'_>>) {
        let Some(last) = &mut self.0 else { return };
        // Three digits behind a point behind two behind a colon are thousandths behind seconds in any form.
        last.found.time = match text[..at].split_last_chunk() {
            Some((before, second)) if before.ends_with(b":") && TimeForm::ends_before(last.rest()) => {
                time.and_then(|time| time.with_second(*second))
            }
            _ => None,
        };
        last.text[..at].copy_from_slice(&text[..at]);
    }
}

#[cfg(test)]
mod tests {
    use super::LastHeader;
    use crate::decode::pattern::Pattern;

    /// What decides where a field ends in some pattern.
    const BYTES: &[u8] = b" []-:.x16Z+\r\n";

    /// Reads lines behind a first one, which they resemble, as if each were alone.
    fn check(pattern: &str, first: &str, is_kept: bool) {
        let pattern = Pattern::compile(pattern).unwrap();
        let mut last = LastHeader::default();
        assert!(
            pattern.read_after(&mut last, first.as_bytes()).is_some(),
            "{first}"
        );
        assert_eq!(last.0.is_some(), is_kept, "{first}");
        let same = |line: &[u8]| {
            let read = pattern.read_after(&mut last.clone(), line);
            assert_eq!(read, pattern.read(line), "{}", String::from_utf8_lossy(line));
        };
        for at in 0..first.len() {
            let (before, behind) = first.as_bytes().split_at(at);
            same(before);
            same(&[before, &behind[1..]].concat());
            for byte in BYTES.chunks(1) {
                same(&[before, byte, behind].concat());
                same(&[before, byte, &behind[1..]].concat());
            }
        }
    }

    #[test]
    fn a_header_is_read_the_same_whatever_stood_before_it() {
        for (pattern, line, is_kept) in [
            (
                "%d %-5p %-60c%notEmpty{ %x} - %m%n",
                "2026-11-01 00:00:00,007 INFO  a.b.C   [] - m - n",
                true,
            ),
            (
                "%d %-5p %-60c%notEmpty{ %x} - %m%n",
                "2026-11-01 00:00:00,007 INFO  a.b.C   - m - n",
                true,
            ),
            (
                "%d %-5p %-60c %x - %m%n",
                "2026-11-01 00:00:00,007 WARN  a.b.C    - - m",
                true,
            ),
            (
                "%d %-5p %-60c %x - %m%n",
                "2026-11-01 00:00:00,007 WARN  a.b.C    [x]] - m - n",
                true,
            ),
            (
                "%d [%t] %-5p %c{1.} %X - %m%n",
                "2026-11-01 00:00:00,007 [a] b] INFO a.C {k=v} - m - n",
                true,
            ),
            (
                "%d %-5p %-60c%notEmpty{ %x} - %m%n",
                "2026-11-01T23:59:59.997 INFO  a.b.C   [] - m",
                true,
            ),
            ("%d{ISO8601}%c %m%n", "2026-11-01T23:59:59,997Zone m", true),
            ("%d +05%p %c %m%n", "2026-11-01 23:59:59,997 +05INFO a m", true),
            ("%d %p %c - %m%n", "21 Nov 2026 23:59:59,997 INFO a - m", true),
            ("%d %p %c - %m%n", "2026-11-01 23:59:59:997 INFO a - m", true),
            (
                "[%d] [%-5p] [%t] %c: %m%n",
                "[2026-11-01T00:00:00,007Z] [INFO ] [t]] c: m: n",
                true,
            ),
            (
                "%d{HH:mm:ss.SSS} %level %logger %m%n",
                "00:00:00.007 INFO a.C  m",
                true,
            ),
            ("%-5p %c %x - %m%n", "INFO  a.C  - m - n", true),
            ("%p %d %c - %m%n", "INFO 2026-11-01 00:00:00 a.C - m", false),
            (
                "%d %p %c %maxLen{%m}{9} (%F:%L)%n",
                "2026-11-01 00:00:00 INFO a.C m (F.java:1)",
                true,
            ),
            (
                "%d{yyyy-MM-dd HH:mm:ss} %-12c%p %m%ex%n",
                "2026-11-01 00:00:00 a.C    INFO m a.B: c",
                true,
            ),
        ] {
            check(pattern, line, is_kept);
        }
    }
}
