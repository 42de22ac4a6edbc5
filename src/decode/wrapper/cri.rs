//! CRI: `TIME STREAM TAG TEXT` (Kubernetes `pkg/kubelet/kuberuntime/logs`, "CRI log format").
//!
//! Runtimes cut lines at 16 KiB and tag every piece but the last with `P`. Further tags, after colons, are reserved.

use std::borrow::Cow;

use super::{Piece, Stream, instant, word};

pub(super) fn unwrap(line: &[u8]) -> Option<Piece<'_>> {
    let (time, rest) = word(line)?;
    let (stream, rest) = word(rest)?;
    // The text of an empty line is nothing, and so may be the blank before it.
    let (tag, text) = word(rest).unwrap_or((rest, b""));
    let stream = match stream {
        b"stdout" => Stream::Out,
        b"stderr" => Stream::Err,
        _ => return None,
    };
    let ends = match tag.split(|byte| *byte == b':').next() {
        Some(b"F") => true,
        Some(b"P") => false,
        _ => return None,
    };
    Some(Piece {
        text: Cow::Borrowed(text),
        at: Some(instant(time)?),
        stream,
        ends,
    })
}
