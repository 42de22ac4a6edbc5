//! `aws logs tail --format json`: time and stream on a line, then the message's JSON over several lines, indented by
//! four blanks (`awscli/customizations/logs/tail.py`). A message that is no JSON stays on the line of the time.

use std::borrow::Cow;

use super::{Piece, Stream, prefix};

pub(super) fn unwrap(line: &[u8]) -> Option<Piece<'_>> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let part = |at, ends| {
        Some(Piece {
            text: Cow::Borrowed(line),
            at,
            stream: Stream::Out,
            ends,
        })
    };
    match line {
        b"}" => part(None, true),
        b"{" => part(None, false),
        _ if line.starts_with(b"    ") => part(None, false),
        _ => head(line),
    }
}

/// The line of the time. Published samples show none of the blank that the source prints after the stream.
fn head(line: &[u8]) -> Option<Piece<'_>> {
    let without_message = || {
        prefix::timed(line).map(|piece| Piece {
            text: Cow::Borrowed(b""),
            ..piece
        })
    };
    let piece = prefix::stream(line).or_else(without_message)?;
    let ends = !piece.text.is_empty();
    Some(Piece { ends, ..piece })
}
