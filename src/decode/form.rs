//! How one log's lines are read: what carries them, from the outside in, and the layout inside.
//!
//! A log that nothing carries is the common case and costs nothing here. In a carried one a *line* may be several
//! physical ones (a container runtime cuts at 16 KiB), between which lines of the other stream may stand; a record's
//! range may hold foreign lines too. Both are left out when the text is put together, which happens around candidates only.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use memchr::{memchr, memrchr};

use super::clock::Clock;
use super::layout::Layout;
use super::pattern::LastHeader;
use super::record::Record;
use super::wrapper::{Piece, Wrapper};

/// Lines of the other stream that may stand between two pieces of one line: they come from one process at one moment.
const FOREIGN_LINES: usize = 16;

/// Wrappers and layout of a log.
#[derive(Debug, Clone)]
pub struct Form {
    wrappers: Vec<Wrapper>,
    layout: Arc<Layout>,
}

impl Form {
    /// A layout inside of wrappers, the outermost first.
    #[must_use]
    pub const fn new(wrappers: Vec<Wrapper>, layout: Arc<Layout>) -> Self {
        Self { wrappers, layout }
    }

    /// What carries the lines, the outermost first.
    #[must_use]
    pub fn wrappers(&self) -> &[Wrapper] {
        &self.wrappers
    }

    /// How the carried lines look.
    #[must_use]
    pub const fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// Whether both read alike.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.wrappers == other.wrappers && self.layout.id() == other.layout.id()
    }

    /// Whether a line may be cut into several.
    #[must_use]
    pub fn cuts(&self) -> bool {
        self.wrappers.first().is_some_and(|wrapper| wrapper.cuts())
    }

    /// Start of the line that holds the byte at `at`, not looking before `floor`.
    #[must_use]
    pub fn line_start(&self, buf: &[u8], at: usize, floor: usize) -> usize {
        let mut start = physical_start(buf, at, floor);
        let Some(stream) = self.cut_piece(&buf[start..]).map(|piece| piece.stream) else {
            return start;
        };
        let (mut before, mut foreign) = (start, 0);
        while before > floor && foreign < FOREIGN_LINES {
            before = physical_start(buf, before - 1, floor);
            match self.cut_piece(&buf[before..]) {
                Some(piece) if piece.stream != stream => foreign += 1,
                Some(piece) if !piece.ends => (start, foreign) = (before, 0),
                _ => break,
            }
        }
        start
    }

    /// End of the line that begins at `start`: just past its newline, or the buffer's end. `None` where the buffer does
    /// not hold all of its pieces.
    #[must_use]
    pub fn line_end(&self, buf: &[u8], start: usize) -> Option<usize> {
        let mut end = physical_end(buf, start);
        let Some(Piece { stream, ends, .. }) = self.cut_piece(&buf[start..end]) else {
            return Some(end);
        };
        let (mut ended, mut foreign) = (ends, 0);
        while !ended {
            if end >= buf.len() {
                return None;
            }
            let next = end;
            end = physical_end(buf, next);
            match self.cut_piece(&buf[next..end]) {
                Some(piece) if piece.stream == stream => (ended, foreign) = (piece.ends, 0),
                Some(_) if foreign < FOREIGN_LINES => foreign += 1,
                // Damage: what was cut is not continued.
                _ => return Some(next),
            }
        }
        Some(end)
    }

    /// Up to where `buf`, which consists of whole physical lines, holds whole lines: to its end, or to the first line
    /// that waits for its rest.
    #[must_use]
    pub fn whole(&self, buf: &[u8], from: usize) -> usize {
        let mut whole = buf.len();
        let (mut at, mut looked) = (buf.len(), 0);
        while self.cuts() && at > from && looked <= FOREIGN_LINES {
            at = physical_start(buf, at - 1, from);
            looked += 1;
            if self.cut_piece(&buf[at..]).is_some_and(|piece| !piece.ends) {
                let start = self.line_start(buf, at, from);
                if self.line_end(buf, start).is_none() {
                    whole = start;
                }
                at = start;
            }
        }
        whole
    }

    /// The last line between `from` and `to` (both starts of lines) that is a header.
    #[must_use]
    pub fn last_header(&self, buf: &[u8], from: usize, mut to: usize) -> Option<usize> {
        while to > from {
            let start = self.line_start(buf, to - 1, from);
            let end = self.line_end(buf, start).unwrap_or(to);
            if self.is_header(&buf[start..end]) {
                return Some(start);
            }
            to = start;
        }
        None
    }

    /// Whether the line at the start of `lines` begins a record.
    #[must_use]
    pub fn is_header(&self, lines: &[u8]) -> bool {
        if self.wrappers.is_empty() {
            return self.layout.is_header(lines);
        }
        let line = self.line_end(lines, 0).map_or(lines, |end| &lines[..end]);
        self.carried(line)
            .is_some_and(|(text, _)| self.layout.is_header(&text))
    }

    /// Whether two lines were written to different streams.
    #[must_use]
    pub fn is_foreign(&self, line: &[u8], other: &[u8]) -> bool {
        match (self.cut_piece(line), self.cut_piece(other)) {
            (Some(line), Some(other)) => line.stream != other.stream,
            _ => false,
        }
    }

    /// Tells a clock the time of a header that nobody decodes; see [`Layout::pass`].
    pub fn pass(&self, line: &[u8], clock: &mut Clock) {
        match self.carried(line) {
            Some((text, _)) => self.layout.pass(&text, clock),
            None => self.layout.pass(line, clock),
        }
    }

    /// The text of the lines of a record, or of those that continue it, without the last newline.
    #[must_use]
    pub fn text<'a>(&self, lines: &'a [u8]) -> Cow<'a, [u8]> {
        match self.carried(lines) {
            Some((text, _)) => text,
            None => Cow::Borrowed(trimmed(lines)),
        }
    }

    /// Decodes a record as [`Layout::decode`] does. Where the record has no time of its own, the carrier's counts.
    pub fn decode<'a>(&self, lines: &'a [u8], clock: &mut Clock) -> Option<Record<'a>> {
        self.decode_after(None, lines, clock)
    }

    /// Does the same, as [`Layout::decode_after`].
    pub fn decode_after<'a>(
        &self,
        last: Option<&mut LastHeader>,
        lines: &'a [u8],
        clock: &mut Clock,
    ) -> Option<Record<'a>> {
        if self.wrappers.is_empty() {
            return self.layout.decode_after(last, trimmed(lines), clock);
        }
        let (text, at) = self.carried(lines)?;
        let mut record = match text {
            Cow::Borrowed(text) => self.layout.decode_after(last, text, clock)?,
            Cow::Owned(text) => self.layout.decode_after(last, &text, clock)?.into_owned(),
        };
        if record.at.is_none() {
            record.at = at;
        }
        Some(record)
    }

    /// What the lines carry, put together, and the carriers' time of the first, the innermost carrier's first. Lines of
    /// another stream than the first line's are left out; what is not carried stands as it is. `None` where nothing
    /// carries the first line.
    fn carried<'a>(&self, lines: &'a [u8]) -> Option<(Cow<'a, [u8]>, Option<Timestamp>)> {
        let (outer, inner) = self.wrappers.split_first()?;
        let first_end = self.line_end(lines, 0).unwrap_or(lines.len());
        let (mut text, at) = carried_line(*outer, inner, &lines[..first_end])?;
        let mut next = first_end;
        while next < lines.len() {
            let end = self.line_end(lines, next).unwrap_or(lines.len());
            let line = &lines[next..end];
            if !self.is_foreign(lines, line) {
                let text = text.to_mut();
                text.push(b'\n');
                match carried_line(*outer, inner, line) {
                    Some((more, _)) => text.extend_from_slice(&more),
                    None => text.extend_from_slice(trimmed(line)),
                }
            }
            next = end;
        }
        Some((text, at))
    }

    /// The outermost wrapper's piece on a physical line, where lines may be cut.
    fn cut_piece<'a>(&self, line: &'a [u8]) -> Option<Piece<'a>> {
        self.wrappers
            .first()
            .filter(|wrapper| wrapper.cuts())
            .and_then(|wrapper| wrapper.unwrap(line))
    }
}

/// What one line carries, through all wrappers.
fn carried_line<'a>(
    outer: Wrapper,
    inner: &[Wrapper],
    line: &'a [u8],
) -> Option<(Cow<'a, [u8]>, Option<Timestamp>)> {
    let first = outer.unwrap(line)?;
    let (mut text, mut at, mut ended) = (first.text, first.at, first.ends);
    let mut next = physical_end(line, 0);
    while !ended && next < line.len() {
        let end = physical_end(line, next);
        match outer.unwrap(&line[next..end]) {
            Some(piece) if piece.stream == first.stream => {
                text.to_mut().extend_from_slice(&piece.text);
                ended = piece.ends;
            }
            _ => {}
        }
        next = end;
    }
    for wrapper in inner {
        let (carried, time) = match text {
            Cow::Borrowed(text) => wrapper.unwrap(text).map(|piece| (piece.text, piece.at))?,
            Cow::Owned(text) => {
                let piece = wrapper.unwrap(&text)?;
                (Cow::Owned(piece.text.into_owned()), piece.at)
            }
        };
        text = carried;
        at = time.or(at);
    }
    Some((text, at))
}

/// Start of the physical line that holds the byte at `at`, not looking before `floor`.
fn physical_start(buf: &[u8], at: usize, floor: usize) -> usize {
    memrchr(b'\n', &buf[floor..at]).map_or(floor, |newline| floor + newline + 1)
}

/// End of the physical line that holds the byte at `at`: just past its newline, or the buffer's end.
pub(crate) fn physical_end(buf: &[u8], at: usize) -> usize {
    memchr(b'\n', &buf[at..]).map_or(buf.len(), |newline| at + newline + 1)
}

/// Lines without the last newline.
fn trimmed(lines: &[u8]) -> &[u8] {
    lines.strip_suffix(b"\n").unwrap_or(lines)
}
