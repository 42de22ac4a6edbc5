//! One job: what is known of it, and how it came to be known.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use super::arn::ApplicationArn;
use super::event::{Cause, RestartReason};
use super::fleet::Counters;
use super::flink_job::JobState;
use super::name::Name;
use super::process::Process;
use super::story::{Basis, Entry, remember};
use super::told::Told;
use super::vvp_job::PlatformJobId;
use crate::line::{JobId, LogId};

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
    /// The last failure; most jobs have none.
    pub failure: Option<Box<Failure>>,
    /// The newest [`HISTORY`](super::HISTORY) entries, oldest first.
    pub history: VecDeque<Entry>,
    /// Entries dropped from the front of `history`.
    pub history_dropped: u64,
    /// Version that the last banner in its log named.
    pub flink_version: Option<Arc<str>>,
    /// Which scheduler runs it.
    pub scheduler: Option<Scheduler>,
    /// The application of Managed Service for Apache Flink that runs it.
    pub application: Option<ApplicationArn>,
    /// What the job of the Ververica Platform that runs it reports.
    pub observed: Option<Box<Observed>>,
    /// Why it is UNKNOWN, for people; none in every other state.
    pub unknown_because: Option<&'static str>,
    /// Rises with every change of any other field, so that neither a view nor the store need compare them.
    pub revision: u64,
    /// What the derivation remembers beyond what it shows.
    pub track: Track,
}

/// What the Ververica Platform observed of a Flink job: a second witness, never over a log's own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed {
    /// The platform's job.
    pub by: PlatformJobId,
    /// The most restarts that it reported: a lower bound.
    pub restarts: u64,
    /// When it observed them.
    pub at: Option<Timestamp>,
    /// Restarts that were counted on its word, and that no log has told yet.
    pub untold: u64,
}

/// What the derivation of a job remembers beyond what it shows: of use to who keeps jobs over a restart, and to nobody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// The log that speaks for the job: that of its last life's start, or of its last applied line.
    pub owner: LogId,
    /// Which process of that log (banners counted).
    pub process: u32,
    /// Some log has spoken of the job; otherwise all that is known of it was reported.
    pub logged: bool,
    /// When the platform's job that reports it ended, if it has: from then on nobody reports it any more.
    pub over: Option<Timestamp>,
    /// Logs whose JobManager lost the job to another one's; what they still say of it is not the job's.
    pub former: Vec<LogId>,
    /// What a graph's CANCELED will mean.
    pub graph: Graph,
    /// The present execution graph, where the log names it (1.16 and later).
    pub graph_id: Option<JobId>,
    /// Lines already taken, so that the console's copy of one counts once.
    pub taken: VecDeque<Taken>,
}

/// Under the adaptive scheduler a graph is cancelled for a restart as well as for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Graph {
    /// The graph's states are the job's.
    Plain,
    /// Cancelled for a restart: its CANCELED is not the job's.
    Restarting,
    /// CANCELED, and nothing has told yet whether for good; since when.
    Undecided(Option<Timestamp>),
}

/// The signature of a line about a job: equal ones from two logs are one line written twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Kind of line, and the states that it names.
    pub what: (u8, Option<JobState>, Option<JobState>),
    /// Its time.
    pub at: Timestamp,
    /// The log that gave it first.
    pub log: LogId,
    /// A second log has already given its copy.
    pub paired: bool,
}

/// Signatures kept per job: how far one of two copies of a log may be read ahead of the other, in lines of one job.
const TAKEN: usize = 32;

impl Job {
    pub(super) fn new(cluster: Arc<str>, id: JobId, owner: LogId, process: u32, read: Timestamp) -> Self {
        Self {
            cluster,
            id,
            name: None,
            state: JobState::Unknown,
            since: None,
            since_read: read,
            last_event: None,
            last_event_read: read,
            restarts: [0; RestartReason::ALL.len()],
            entered: [0; JobState::ALL.len()],
            failure: None,
            history: VecDeque::new(),
            history_dropped: 0,
            flink_version: None,
            scheduler: None,
            application: None,
            observed: None,
            unknown_because: None,
            revision: 0,
            track: Track {
                owner,
                process,
                logged: false,
                over: None,
                former: Vec::new(),
                graph: Graph::Plain,
                graph_id: None,
                taken: VecDeque::new(),
            },
        }
    }

    /// Restarts for one reason.
    #[must_use]
    pub const fn restarts_for(&self, reason: RestartReason) -> u64 {
        self.restarts[reason as usize]
    }

    /// Goes on from the counters that it had in an earlier life; that life's history counts as dropped.
    pub fn take_up(&mut self, before: &Self) {
        for (count, before) in self.restarts.iter_mut().zip(before.restarts) {
            *count += before;
        }
        for (count, before) in self.entered.iter_mut().zip(before.entered) {
            *count += before;
        }
        self.history_dropped += before.entries();
        self.revision += before.revision + 1;
    }

    /// Entries of history that it ever had, dropped ones included.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.history_dropped + self.history.len() as u64
    }

    /// True from the first state that it is known to have entered.
    pub(super) fn is_born(&self) -> bool {
        !self.history.is_empty()
    }

    /// Writes down a state entered; `named` is the state that the record names as left.
    pub(super) fn enter(&mut self, to: JobState, basis: Basis, named: Option<JobState>, told: Told<'_>) {
        let from = if self.is_born() { Some(self.state) } else { named };
        remember(
            &mut self.history,
            &mut self.history_dropped,
            told.entry(from, to, basis),
        );
        self.entered[to as usize] += 1;
        self.state = to;
        self.since = told.at;
        self.since_read = told.read;
        self.unknown_because = None;
        self.revision += 1;
    }

    /// Writes down a state that is older than what was applied: it moves nothing back.
    pub(super) fn note_late(&mut self, to: JobState, basis: Basis, named: Option<JobState>, told: Told<'_>) {
        let entry = told.entry(named, to, basis);
        let late = Entry { late: true, ..entry };
        remember(&mut self.history, &mut self.history_dropped, late);
        self.revision += 1;
    }

    /// When the job ended, if it has, or was left by all who told of it.
    pub(super) fn ended_at(&self) -> Option<Timestamp> {
        if self.state.is_terminal() && self.is_born() {
            return Some(self.since.unwrap_or(self.since_read));
        }
        self.forsaken_at()
    }

    /// From when on nobody tells of the job: only the platform ever has, and its own job is over. What became of the Flink
    /// job was not told.
    pub(super) fn forsaken_at(&self) -> Option<Timestamp> {
        self.track.over.filter(|_| !self.track.logged)
    }

    /// Whether what happened then is older than what was applied.
    pub(super) fn is_older(&self, at: Option<Timestamp>) -> bool {
        matches!((at, self.since), (Some(at), Some(since)) if at < since)
    }

    /// Whether a line of this log may move the job: not when its JobManager lost the job to another, nor when it is older
    /// than what another log has already told.
    pub(super) fn may_speak(
        &mut self,
        begins: bool,
        process: Option<&Arc<Process>>,
        told: Told<'_>,
        counters: &mut Counters,
    ) -> bool {
        let older = self.is_older(told.at);
        if self.track.owner == told.log() && !(older && told.is_by_time()) {
            return true;
        }
        if older || (!begins && self.track.former.contains(&told.log())) {
            counters.late_events += 1;
            return false;
        }
        if !begins {
            // Another file of the same process: it speaks from now on.
            self.track.owner = told.log();
            self.revision += 1;
            if let Some(process) = process {
                self.track.process = process.number;
            }
        }
        true
    }

    pub(super) fn rename(&mut self, name: &Name) {
        if self.name.as_deref().map(str::as_bytes) != Some(name.as_bytes()) {
            self.name = Some(Arc::from(&**name));
            self.revision += 1;
        }
    }

    /// Counts a restart that a log told, unless the platform's report has counted it already.
    pub(super) fn count_restart(&mut self, reason: RestartReason, at: Option<Timestamp>) {
        self.revision += 1;
        if let Some(observed) = &mut self.observed
            && observed.untold > 0
            && at.is_some_and(|at| observed.at.is_some_and(|observed| at <= observed))
        {
            observed.untold -= 1;
        } else {
            self.restarts[reason as usize] += 1;
        }
    }

    /// Takes the platform's count of restarts, a lower bound: only what it has beyond those counted is added.
    pub(super) fn observe(&mut self, by: PlatformJobId, restarts: u64, at: Option<Timestamp>) {
        let counted: u64 = self.restarts.iter().sum();
        let beyond = restarts.saturating_sub(counted);
        let before = self.observed.as_deref().copied().unwrap_or(Observed {
            by,
            restarts: 0,
            at: None,
            untold: 0,
        });
        self.observed = Some(Box::new(Observed {
            by,
            restarts: before.restarts.max(restarts),
            at: before.at.max(at),
            untold: before.untold + beyond,
        }));
        self.restarts[RestartReason::Observed as usize] += beyond;
        self.revision += 1;
    }

    /// The other log that already gave this very line. Two equal lines of one log are two.
    pub(super) fn copied_from(
        &mut self,
        what: (u8, Option<JobState>, Option<JobState>),
        at: Option<Timestamp>,
        log: LogId,
    ) -> Option<LogId> {
        let at = at?;
        if let Some(first) = self
            .track
            .taken
            .iter_mut()
            .find(|t| t.log != log && t.at == at && t.what == what && !t.paired)
        {
            first.paired = true;
            self.revision += 1;
            return Some(first.log);
        }
        if self.track.taken.len() == TAKEN {
            self.track.taken.pop_front();
        }
        if self.track.taken.is_empty() {
            // As for the history: no room for the four that a queue begins with.
            self.track.taken.reserve_exact(1);
        }
        self.track.taken.push_back(Taken {
            what,
            at,
            log,
            paired: false,
        });
        self.revision += 1;
        None
    }
}
