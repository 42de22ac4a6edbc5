//! What stands before an event's message on its line: the time, and with `aws logs tail` the stream.
//!
//! `TIME STREAM MESSAGE` (`detailed`), `TIME MESSAGE` (`short`, and the export to S3), `TIME STREAM` with the message on the
//! lines that follow (`json`); in colours where it prints to a terminal (`awscli/customizations/logs/tail.py`).

use jiff::Timestamp;

use crate::decode::record::Level;
use crate::decode::wrapper::instant;

/// The event's time and its message, which may be empty; none where no event begins.
pub(super) fn event(line: &[u8]) -> Option<(Timestamp, &[u8])> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (time, rest) = word(line);
    let at = instant(time)?;
    if matches!(rest.first(), Some(b'{' | b'[')) {
        return Some((at, rest));
    }
    let (stream, message) = word(rest);
    // A record's own beginning is no stream.
    let is_record = Level::parse(stream).is_some() || stream.first().is_some_and(u8::is_ascii_digit);
    Some((at, if is_record { rest } else { message }))
}

fn word(text: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b' ', text) {
        Some(blank) => (&text[..blank], &text[blank + 1..]),
        None => (text, &[]),
    }
}
