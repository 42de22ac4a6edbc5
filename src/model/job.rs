//! One job: what is known of it, and how it came to be known.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use super::event::{Cause, RestartReason};
use super::flink_job::JobState;
use crate::line::{JobId, LogId, Offset};

/// Entries of history kept per job; older ones are dropped and counted.
pub const HISTORY: usize = 1000;

/// How a state is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// A log line says so.
    Log,
    /// Follows from other lines.
    Inferred,
    /// The service's own answer says so.
    Reported,
    /// An accepted call starts this state.
    Api,
    /// A later accepted call proves it.
    Implied,
}

impl Basis {
    /// As written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Inferred => "inferred",
            Self::Reported => "reported",
            Self::Api => "api",
            Self::Implied => "implied",
        }
    }
}

/// Which scheduler runs a job, as far as its log has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheduler {
    /// `DefaultScheduler`, adaptive batch included: prints RESTARTING.
    Default,
    /// `AdaptiveScheduler`: prints restarts as cancellations.
    Adaptive,
}

impl Scheduler {
    /// The label's value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Adaptive => "adaptive",
        }
    }
}

/// One state entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Event time; none where the record carries none.
    pub at: Option<Timestamp>,
    /// The job's previous state; at first sight the state that the record names as left, or none.
    pub from: Option<JobState>,
    /// The state entered.
    pub to: JobState,
    /// How it is known.
    pub basis: Basis,
    /// Older than what was already applied: recorded, and moves nothing back.
    pub late: bool,
    /// The log whose line told it, and where that line began in its file.
    pub line: Option<(LogId, Offset)>,
}

/// The last failure of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What was thrown.
    pub cause: Cause,
    /// When the record was written.
    pub at: Option<Timestamp>,
}

/// What is known of one Flink job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The cluster it runs in; a label of every series.
    pub cluster: Arc<str>,
    /// Flink's id; unique only within the cluster.
    pub id: JobId,
    /// As Flink prints it, lossily made UTF-8, never cut here; none until a line told it.
    pub name: Option<Arc<str>>,
    /// `to` of the last entry that is not late.
    pub state: JobState,
    /// `at` of the same entry: event time.
    pub since: Option<Timestamp>,
    /// When that entry was read; stands in for `since` where the record has no time.
    pub since_read: Timestamp,
    /// Event time of the newest record about the job.
    pub last_event: Option<Timestamp>,
    /// When that was read.
    pub last_event_read: Timestamp,
    /// Restarts counted, by reason in the order of [`RestartReason::ALL`]; never falls.
    pub restarts: [u64; RestartReason::ALL.len()],
    /// States entered, in the order of [`JobState::ALL`]; never falls.
    pub entered: [u64; JobState::ALL.len()],
    /// The last failure.
    pub failure: Option<Failure>,
    /// The newest [`HISTORY`] entries, oldest first.
    pub history: VecDeque<Entry>,
    /// Entries dropped from the front of `history`.
    pub history_dropped: u64,
    /// Version that the last banner in its log named.
    pub flink_version: Option<Arc<str>>,
    /// Which scheduler runs it.
    pub scheduler: Option<Scheduler>,
    /// Why it is UNKNOWN, for people; none in every other state.
    pub unknown_because: Option<&'static str>,
}

impl Job {
    /// Restarts for one reason.
    #[must_use]
    pub fn restarts_for(&self, reason: RestartReason) -> u64 {
        RestartReason::ALL
            .iter()
            .position(|r| *r == reason)
            .map_or(0, |i| self.restarts[i])
    }
}
