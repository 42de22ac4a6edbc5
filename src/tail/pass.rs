//! What goes with a pass from the tailer down to each file: what it may use, what it counts, when to try again.

use std::sync::Arc;
use std::time::Duration;

use super::Settings;
use super::ahead::Ahead;
use super::fs::Fs;
use super::notice::Notices;
use crate::stats::{Counts, Lost, Op, Rotation, SourceStats};

/// What one pass lends to everything that it touches.
pub(super) struct Pass {
    pub(super) fs: Arc<dyn Fs>,
    pub(super) settings: Settings,
    pub(super) notices: Notices,
    /// A copy is held for each open file, so that its count is theirs.
    pub(super) token: Arc<()>,
    /// Monotonic time.
    pub(super) now: Duration,
    /// Grows by one with each pass: what must be seen twice must be seen in two of them.
    pub(super) number: u64,
    /// Files are complete: nothing is waited for.
    pub(super) once: bool,
    /// Set when something is to be looked at again soon, without a hint.
    pub(super) soon: bool,
    /// Reads files ahead, where there are cores for it.
    pub(super) ahead: Option<Ahead>,
    /// How many bytes of the log at hand are to be read before it is another's turn, so that no more is read ahead.
    pub(super) left: u64,
    /// Set when the process has no descriptor left.
    pub(super) starved: bool,
}

impl Pass {
    pub(super) fn new(fs: Arc<dyn Fs>, settings: Settings) -> Self {
        Self {
            fs,
            settings,
            notices: Notices::default(),
            token: Arc::new(()),
            now: Duration::ZERO,
            number: 0,
            once: false,
            soon: false,
            ahead: None,
            left: 0,
            starved: false,
        }
    }

    /// Begins the next one.
    pub(super) fn begin(&mut self, now: Duration) {
        self.now = now;
        self.number += 1;
        self.soon = false;
    }

    /// Files held open.
    pub(super) fn open_files(&self) -> usize {
        Arc::strong_count(&self.token) - 1
    }
}

/// What a log counts; see [`crate::stats::SourceStats`] for the meanings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Numbers {
    pub(super) read_bytes: u64,
    pub(super) lost_bytes: Counts<Lost>,
    pub(super) rotations: Counts<Rotation>,
    pub(super) errors: Counts<Op>,
}

impl Numbers {
    /// Those of an earlier run.
    pub(super) fn of(stats: SourceStats) -> Self {
        Self {
            read_bytes: stats.read_bytes,
            lost_bytes: stats.lost_bytes,
            rotations: stats.rotations,
            errors: stats.errors,
        }
    }

    pub(super) fn failed(&mut self, op: Op) {
        self.errors.add(op, 1);
    }

    pub(super) fn rotated(&mut self, kind: Rotation) {
        self.rotations.add(kind, 1);
    }

    pub(super) fn lost(&mut self, why: Lost, bytes: u64) {
        self.lost_bytes.add(why, bytes);
    }
}

/// When to try again after failures: 1 s, doubled each time, at most a minute.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Retry {
    failures: u32,
    at: Duration,
}

impl Retry {
    pub(super) fn waits(&self, now: Duration) -> bool {
        now < self.at
    }

    pub(super) fn failed(&mut self, now: Duration) {
        const LONGEST: Duration = Duration::from_secs(60);
        self.at = now + LONGEST.min(Duration::from_secs(1) * 2_u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
    }
}
