//! Docker's json-file driver: `{"log":"TEXT\n","stream":"stdout","time":"…"}`, with `attrs` before `time` where
//! `log-opts` name labels. A line longer than 16 KiB is cut; only its last piece has the newline.

use std::borrow::Cow;

use serde::Deserialize;

use super::{Piece, Stream, instant};

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    log: Cow<'a, str>,
    #[serde(borrow)]
    stream: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
}

pub(super) fn unwrap(line: &[u8]) -> Option<Piece<'_>> {
    if line.first() != Some(&b'{') {
        return None;
    }
    let Line { log, stream, time } = serde_json::from_slice(line).ok()?;
    let stream = match &*stream {
        "stdout" => Stream::Out,
        "stderr" => Stream::Err,
        _ => return None,
    };
    let ends = log.ends_with('\n');
    let text = match log {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_end_matches('\n').as_bytes()),
        Cow::Owned(mut text) => {
            text.truncate(text.trim_end_matches('\n').len());
            Cow::Owned(text.into_bytes())
        }
    };
    Some(Piece {
        text,
        at: Some(instant(time.as_bytes())?),
        stream,
        ends,
    })
}
