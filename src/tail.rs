//! From files to bytes, each byte once.
//!
//! A [`Tailer`] finds logs, orders the files of each, and hands their bytes to a [`Sink`]; one [`Tailer::poll`] is one
//! bounded pass that neither sleeps nor starts a thread, and time is its argument. Helpers on other cores read files ahead of it. What it holds to:
//!
//! * Every complete line that was on disk after the last read of that place, and was not destroyed before it could be
//!   read, is handed on exactly once. What was destroyed unread is counted in bytes where that can be known.
//! * No line is joined from two files, or from two sides of a truncation.
//! * A file is known by device, inode and [birth] while it lives, by its bytes whenever that is in doubt: each read also reads
//!   the bytes just before its place, and goes on only if they are those that were read.
//! * What was read is never read again from another file: one that comes is judged by how far any file of the family was
//!   read. What it holds before the furthest of those places was read; while that place's own file is in doubt, it waits.
//! * A copy that ends before what was read of its original is known by the last [mark](marks) in it, and by being no
//!   younger, unless the original was seen to be cut. Unsure, it is read: a line told twice changes no state, one left out
//!   does.
//! * A file is left only when its successor has bytes *and* it was read to its end after that was seen.
//! * Files are put in order by what they hold, and taken up only if their directory shows after they were looked into what
//!   it showed before: one that is cut or renamed meanwhile would be read before what it held. What was empty when it was
//!   found, or was cut before it was begun, is put in order anew. A family that does not come to rest for five seconds is
//!   read as it stands.
//! * One bad file never stops the others; what is skipped is counted and told.

mod account;
mod ahead;
mod arrivals;
pub mod birth;
mod change;
pub mod discover;
mod family;
mod file;
pub mod fs;
mod gz;
pub mod identity;
mod kin;
mod known;
mod log;
mod look;
pub mod marks;
mod notice;
mod order;
mod pass;
mod reader;
mod sight;
pub mod stdin;
mod step;
mod tailer;
mod view;
pub mod wake;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use crate::line::{HeadFacts, Writer};
use crate::line::{LogId, Offset};

pub use ahead::Search;
pub use change::Change;
pub use discover::{BadSource, Source};
pub use gz::unpacked;
pub use identity::Position;
pub use notice::Notice;
pub use reader::{Aids, LogReader, Turn};
pub use tailer::{Known, Outcome, Tailer};

/// Name of standard input as a log.
pub const STDIN: &str = "-";

/// What the tailer tells of a log when it appears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogInfo {
    /// Name of the rotation family: the path that its current file has, `-` for standard input, `DIR/*.log` for the
    /// numbered logs of a container. Bytes that are no UTF-8 are written `\xNN`. Never changes.
    pub name: Arc<str>,
    /// The file by which it was found.
    pub path: Arc<Path>,
    /// The cluster as far as the path tells it: the source's capture, else the directories that wildcards matched.
    pub cluster: Option<String>,
    /// Which of the sources given to [`Tailer::new`] it belongs to; the first of them where several match.
    pub source: usize,
}

/// Bytes of one file. Those of one file follow each other without gap, but for runs of NULs at the start of a line,
/// which a truncation under a writer that keeps its place leaves behind and which are skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read<'a> {
    /// The bytes; lines may begin and end outside them. Never empty.
    pub bytes: &'a [u8],
    /// Where the first lies in its (uncompressed) file.
    pub offset: Offset,
    /// When the file was last written.
    pub mtime: Timestamp,
    /// Written after following began; false for what was there before, or came while its log was behind.
    pub fresh: bool,
    /// What was found in the bytes, where they were searched already; see [`Tailer::read_ahead`].
    pub hits: Option<&'a [u32]>,
}

/// Takes what the tailer reads.
pub trait Sink {
    /// A log appears. Told once for each id, before anything else of it.
    fn open(&mut self, log: LogId, info: &LogInfo);
    /// Whether more of the log is of use now. Asked in each pass; of some log with something to read it must be so.
    fn wants(&self, _log: LogId) -> bool {
        true
    }
    /// More bytes of the log's file at hand.
    fn bytes(&mut self, log: LogId, read: &Read<'_>);
    /// The file at hand is left: a last line without newline is a line, an open record closes. What follows is another
    /// file, or the rest of one that was left before.
    fn file_end(&mut self, log: LogId);
    /// Bytes that followed are gone: the partial line is to be forgotten, nothing joins across.
    fn file_cut(&mut self, log: LogId);
    /// Deleted, and no successor for [`Settings::grace`]; or known from an earlier run, not opened in this one, and not found
    /// for so long. It may come back, under the same id.
    fn gone(&mut self, log: LogId);
}

/// Tells [`HeadFacts`] from the first bytes of a file (at most 32 KiB, uncompressed; the last line may be torn).
pub type Classify = Box<dyn Fn(&[u8]) -> HeadFacts + Send>;

/// Where to begin with files that are there at the start and have no saved position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum From {
    /// With the oldest content.
    #[default]
    Start,
    /// With what is written from now on.
    End,
}

/// What can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where to begin.
    pub from: From,
    /// How often everything is looked at without a hint.
    pub period: Duration,
    /// How long a deleted file is kept open after its last growth, and how long a log may be without a file.
    pub grace: Duration,
    /// Most files held open. Files deleted while being read are held beyond it.
    pub open_files: usize,
    /// Most bytes read of one log in one pass.
    pub log_budget: usize,
    /// Most bytes read in one pass.
    pub pass_budget: usize,
    /// Most bytes given to the sink at once.
    pub chunk: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            from: From::Start,
            period: Duration::from_secs(1),
            grace: Duration::from_secs(60),
            open_files: 48,
            log_budget: 16 << 20,
            pass_budget: 32 << 20,
            chunk: 256 << 10,
        }
    }
}

impl Settings {
    /// How long a buffer is that holds a chunk and the bytes before it.
    const fn buffer_len(&self) -> usize {
        self.chunk + identity::Place::ANCHOR
    }
}

#[cfg(test)]
mod tests;
