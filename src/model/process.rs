//! What is known of one log: its JobManager process, and what that process said without naming a job.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::event::{Cause, RestartReason};
use crate::line::{JobId, LogId};

/// How far apart an announcement (`Restarting job.`, a task's failure) and the job's own line may be.
///
/// Seen: 1 to 10 ms on a loaded machine; a second is what the contract allows.
const BELONGS: SignedDuration = SignedDuration::from_secs(1);

/// Announcements kept; a cluster whose jobs all fail at once announces them one by one, each followed by its job's line.
const ANNOUNCED: usize = 256;

/// One log's process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The cluster label of its jobs.
    pub cluster: Arc<str>,
    /// Banners seen: which process of this log is speaking.
    pub number: u32,
    /// Flink's version as the last banner named it.
    pub version: Option<Arc<str>>,
    /// When its banner was written.
    pub began: Option<Timestamp>,
    /// Logs that hold the same lines: console and file of one process.
    pub twins: BTreeSet<LogId>,
    /// Its end was announced: REST is closed, and what its jobs still print is the process falling apart.
    pub ending: bool,
    /// The log has shown the adaptive scheduler.
    pub adaptive: bool,
    /// Restarts announced, waiting for their jobs' lines.
    pub restarts: Vec<Announced>,
    /// The failure announced last, waiting for its job's line.
    pub failure: Option<Box<Announced>>,
    /// Whom the next exception belongs to.
    pub cause_of: CauseOf,
}

/// Whom an exception that continues a record belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CauseOf {
    /// To no record of interest.
    Nobody,
    /// To this job's own line.
    Job(JobId),
    /// To the restart announced last.
    LastRestart,
    /// To the failure announced last.
    LastFailure,
}

/// Something said without naming a job, waiting for the job's own line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// Event time.
    pub at: Option<Timestamp>,
    /// The job where the line or its logging context named one.
    pub job: Option<JobId>,
    /// Why, for a restart.
    pub reason: RestartReason,
    /// The exception that followed.
    pub cause: Option<Cause>,
}

impl Announced {
    fn belongs(&self, job: JobId, at: Option<Timestamp>) -> bool {
        self.job.is_none_or(|named| named == job) && !self.is_stale(at)
    }

    fn is_stale(&self, at: Option<Timestamp>) -> bool {
        match (self.at, at) {
            (Some(said), Some(at)) => at.duration_since(said).abs() > BELONGS,
            _ => false,
        }
    }
}

impl Process {
    pub(super) fn new(cluster: Arc<str>) -> Self {
        Self {
            cluster,
            number: 0,
            version: None,
            began: None,
            twins: BTreeSet::new(),
            ending: false,
            adaptive: false,
            restarts: Vec::new(),
            failure: None,
            cause_of: CauseOf::Nobody,
        }
    }

    /// A new process speaks from here on: what the one before announced is void.
    pub(super) fn begin(&mut self, version: &str) {
        self.number += 1;
        self.ending = false;
        self.version = Some(Arc::from(version));
        self.restarts.clear();
        self.failure = None;
    }

    pub(super) fn announce_restart(
        &mut self,
        at: Option<Timestamp>,
        job: Option<JobId>,
        reason: RestartReason,
    ) {
        self.restarts.retain(|r| !r.is_stale(at));
        if self.restarts.len() == ANNOUNCED {
            self.restarts.remove(0);
        }
        self.restarts.push(Announced {
            at,
            job,
            reason,
            cause: None,
        });
        self.cause_of = CauseOf::LastRestart;
    }

    /// The announcement that a job's CANCELLING belongs to: the one that names it, else the oldest that names none.
    pub(super) fn take_restart(&mut self, job: JobId, at: Option<Timestamp>) -> Option<Announced> {
        let named = self
            .restarts
            .iter()
            .position(|r| r.job == Some(job) && r.belongs(job, at));
        let index = named.or_else(|| self.restarts.iter().position(|r| r.belongs(job, at)))?;
        Some(self.restarts.remove(index))
    }

    pub(super) fn announce_failure(&mut self, at: Option<Timestamp>, job: Option<JobId>) {
        // Of tasks that fail together the first one is the cause; the others follow from it.
        let is_first = self
            .failure
            .as_ref()
            .is_none_or(|f| f.is_stale(at) || f.job != job);
        if is_first {
            self.failure = Some(Box::new(Announced {
                at,
                job,
                reason: RestartReason::Failure,
                cause: None,
            }));
            self.cause_of = CauseOf::LastFailure;
        } else {
            self.cause_of = CauseOf::Nobody;
        }
    }

    /// The failure announced just before a job's own line; it is that job's alone.
    pub(super) fn take_failure(&mut self, job: JobId, at: Option<Timestamp>) -> Option<Announced> {
        self.failure.take_if(|f| f.belongs(job, at)).map(|f| *f)
    }

    pub(super) fn add_cause_to_restart(&mut self, cause: &Cause) {
        if let Some(last) = self.restarts.last_mut() {
            last.cause = Some(cause.clone());
        }
    }

    pub(super) fn add_cause_to_failure(&mut self, cause: &Cause) {
        if let Some(failure) = self.failure.as_mut() {
            failure.cause = Some(cause.clone());
        }
    }
}
