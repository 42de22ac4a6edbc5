//! All jobs of all clusters, and what is known of each log's process.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::event::Seen;
use super::flink_job::JobState;
use super::job::Job;
use crate::line::{JobId, LogId};

/// What the model needs to know of a log before its first event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogContext {
    /// The cluster label of its jobs.
    pub cluster: Arc<str>,
}

/// Counters of the model; none ever falls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// States entered by all jobs, removed ones included, in the order of [`JobState::ALL`].
    pub entered: [u64; JobState::ALL.len()],
    /// Edges outside Flink's table, and edges out of a terminal state (not applied).
    pub unexpected_transitions: u64,
    /// Records older than what was applied.
    pub late_events: u64,
    /// Jobs removed from the metrics because their time was up.
    pub expired: u64,
    /// Jobs removed because of the limit.
    pub evicted: u64,
    /// Jobs never taken up because of the limit.
    pub dropped: u64,
}

/// Every job, by cluster and id.
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    jobs: BTreeMap<(Arc<str>, JobId), Job>,
    counters: Counters,
}

impl Fleet {
    /// Tells the cluster of a log before its first event.
    pub fn open_log(&mut self, _log: LogId, _context: LogContext) {}

    /// Applies what one record said; `read` is when it was read.
    pub fn apply(&mut self, _seen: &Seen, _read: Timestamp) {}

    /// All jobs, by cluster and id.
    pub fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values()
    }

    /// One job.
    #[must_use]
    pub fn job(&self, cluster: &str, id: JobId) -> Option<&Job> {
        self.jobs.get(&(Arc::from(cluster), id))
    }

    /// The model's own counters.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }
}
