//! What people should be told once, as data.

use std::collections::BTreeSet;
use std::fmt;
use std::mem;
use std::path::{Path, PathBuf};

use super::identity::Position;
use crate::stats::Op;

/// Something about the files given that a person may want to act on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notice {
    /// Nothing is there by this name or pattern.
    Missing(PathBuf),
    /// The directory can be read and holds no log that tells of jobs.
    NoJobManagerLog(PathBuf),
    /// The file tells nothing of jobs and is left out.
    TaskManagerLog(PathBuf),
    /// Nothing in the file is recognised, so it was not taken for a log.
    NotRecognised(PathBuf),
    /// An operation failed; it is tried again.
    Failed {
        /// On which file or directory.
        path: PathBuf,
        /// What was tried.
        op: Op,
        /// The system's words.
        error: String,
    },
    /// A FIFO, socket or device bears a log's name.
    NotAFile(PathBuf),
    /// The same file under a second name, read once.
    Duplicate(PathBuf),
    /// The packed file is damaged: what can be unpacked is read, the rest is skipped.
    Damaged(PathBuf),
    /// The file that the saved position belongs to is gone: what it still held is lost.
    Gap(String),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(
                f,
                "{}: nothing there yet; it is read as soon as it appears",
                name(path)
            ),
            Self::NoJobManagerLog(path) => write!(
                f,
                "{}: holds no JobManager log yet; its files are watched until one shows (is it the log directory of a JobManager?)",
                name(path)
            ),
            Self::TaskManagerLog(path) => {
                write!(
                    f,
                    "{}: a TaskManager's log, left out: it tells nothing of jobs",
                    name(path)
                )
            }
            Self::NotRecognised(path) => write!(
                f,
                "{}: not recognised as a JobManager's log, left out; name the file itself to have it read all the same",
                name(path)
            ),
            Self::Failed { path, op, error } => {
                let verb = match op {
                    Op::List => "list",
                    Op::Stat => "look at",
                    Op::Open => "open",
                    Op::Read => "read",
                    Op::Unpack => "unpack",
                };
                let advice = if error.starts_with("Permission denied") {
                    " (is the user that flinktail runs as allowed to?)"
                } else {
                    ""
                };
                write!(
                    f,
                    "{}: cannot {verb} it: {error}{advice}; trying again until it works",
                    name(path)
                )
            }
            Self::NotAFile(path) => write!(f, "{}: not a regular file, not read", name(path)),
            Self::Duplicate(path) => write!(f, "{}: the same file is read under another name", name(path)),
            Self::Damaged(path) => write!(
                f,
                "{}: damaged gzip data; what follows the damage is not read",
                name(path)
            ),
            Self::Gap(log) => write!(
                f,
                "{log}: the file last read is gone, what was written to it since is lost"
            ),
        }
    }
}

fn name(path: &Path) -> String {
    Position::printable(path)
}

/// Notices not yet taken, each said once.
#[derive(Debug, Default)]
pub(super) struct Notices {
    said: BTreeSet<Notice>,
    fresh: Vec<Notice>,
}

/// Most different notices ever said: names come from directories that anybody may fill.
const MOST: usize = 10_000;

impl Notices {
    pub(super) fn say(&mut self, notice: Notice) {
        if self.said.len() < MOST && !self.said.contains(&notice) {
            self.said.insert(notice.clone());
            self.fresh.push(notice);
        }
    }

    pub(super) fn take(&mut self) -> Vec<Notice> {
        mem::take(&mut self.fresh)
    }
}
