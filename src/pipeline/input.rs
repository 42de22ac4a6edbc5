//! What a decoder is given: what a user set of the log, where and when bytes were read, and what was found in them.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::ChosenLayout;
use crate::line::Offset;

/// What a user can set of a log.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// Zone of times that name none.
    pub zone: TimeZone,
    /// The layout where the user names it.
    pub layout: Option<ChosenLayout>,
    /// Longest line looked at, bytes; longer ones are skipped and counted.
    pub line_bytes: usize,
    /// Longest record kept while it may go on, bytes.
    pub record_bytes: usize,
    /// How long events of carriers that keep no order wait for earlier ones while they are followed.
    pub reorder_window: SignedDuration,
}

/// When and in what circumstances bytes were read.
#[derive(Debug, Clone, Copy)]
pub struct ReadAt {
    /// Where the first byte lies in its file.
    pub offset: Offset,
    /// When the bytes were read.
    pub now: Timestamp,
    /// When they were written at the latest: the file's modification time, or now.
    pub written: Timestamp,
    /// Written after following began.
    pub fresh: bool,
}

/// Where literals were found in bytes that lines are part of.
#[derive(Clone)]
pub(super) struct Hits<'a> {
    /// In order, at least the first of each line.
    pub(super) at: &'a [u32],
    /// Where the lines begin in the bytes.
    pub(super) shift: usize,
}

impl Hits<'_> {
    /// The first at or after the line that begins at `from`, and before `end`. `from` never falls from call to call.
    pub(super) fn next(&mut self, end: usize, from: usize) -> Option<usize> {
        while let [hit, rest @ ..] = self.at {
            let place = usize::try_from(*hit).ok()?.checked_sub(self.shift);
            match place {
                Some(place) if place >= from => return (place < end).then_some(place),
                _ => self.at = rest,
            }
        }
        None
    }
}
