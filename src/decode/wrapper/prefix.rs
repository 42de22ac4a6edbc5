//! A time, and with `aws logs tail` the stream, before each event's message. Messages keep their newlines, so that
//! lines without a time continue the message before them.

use std::borrow::Cow;

use super::{Piece, instant, word};

/// `TIME MESSAGE`.
pub(super) fn timed(line: &[u8]) -> Option<Piece<'_>> {
    let (time, text) = word(line)?;
    Some(Piece::line(Cow::Borrowed(text), Some(instant(time)?)))
}

/// `TIME STREAM MESSAGE` (`awscli/customizations/logs/tail.py`, `detailed`): green and cyan where it prints colours.
pub(super) fn stream(line: &[u8]) -> Option<Piece<'_>> {
    let (time, rest) = word(line)?;
    let (_, text) = word(rest)?;
    Some(Piece::line(Cow::Borrowed(text), Some(instant(time)?)))
}
