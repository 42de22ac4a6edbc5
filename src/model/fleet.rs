//! All jobs of all clusters, and what is known of each log's process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::event::Seen;
use super::flink_job::JobState;
use super::job::Job;
use super::process::Process;
use crate::line::{JobId, LogId};

/// Jobs kept unless the configuration says otherwise. Ended ones make room for new ones; live ones never do.
pub const DEFAULT_LIMIT: usize = 100_000;

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
    /// Edges outside Flink's table (applied), and edges out of a terminal state (not applied).
    pub unexpected_transitions: u64,
    /// Records that moved nothing: older than what was applied, or of a JobManager that no longer leads the job.
    pub late_events: u64,
    /// Ended jobs forgotten to make room.
    pub evicted: u64,
    /// Jobs never taken up because every place was held by a live one.
    pub dropped: u64,
}

/// A job's place in the fleet: its cluster, and its id there.
pub(super) type Key = (Arc<str>, JobId);

/// Every job, by cluster and id.
#[derive(Debug, Clone)]
pub struct Fleet {
    pub(super) jobs: BTreeMap<Key, Job>,
    pub(super) processes: BTreeMap<LogId, Process>,
    /// Which job an execution graph belongs to: its id begins the attempt ids of its tasks.
    pub(super) graphs: BTreeMap<JobId, Key>,
    pub(super) counters: Counters,
    /// Ended jobs by when they ended: the order in which they make room.
    ended: BTreeSet<(Timestamp, Key)>,
    /// Forgotten, and not yet taken by whoever keeps them.
    evicted: Vec<Job>,
    limit: usize,
}

impl Default for Fleet {
    fn default() -> Self {
        Self::with_limit(DEFAULT_LIMIT)
    }
}

impl Fleet {
    /// A fleet that keeps at most `limit` jobs.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self {
            jobs: BTreeMap::new(),
            processes: BTreeMap::new(),
            graphs: BTreeMap::new(),
            counters: Counters::default(),
            ended: BTreeSet::new(),
            evicted: Vec::new(),
            limit: limit.max(1),
        }
    }

    /// The fleet that was left with these jobs, processes and counters.
    ///
    /// Where there are more than `limit` jobs, all are taken: new ones make room first.
    #[must_use]
    pub fn restore(
        limit: usize,
        jobs: Vec<Job>,
        processes: BTreeMap<LogId, Process>,
        counters: Counters,
    ) -> Self {
        let mut fleet = Self {
            processes,
            counters,
            ..Self::with_limit(limit)
        };
        for job in jobs {
            let key = (Arc::clone(&job.cluster), job.id);
            if let Some(graph) = job.track.graph_id {
                fleet.graphs.insert(graph, key.clone());
            }
            fleet.note_end(&key, None, job.ended_at());
            fleet.jobs.insert(key, job);
        }
        fleet
    }

    /// What is known of each log's process.
    #[must_use]
    pub const fn processes(&self) -> &BTreeMap<LogId, Process> {
        &self.processes
    }

    /// Goes on from the counters that a job had when it was evicted: to be told when its id is seen again.
    pub fn take_up_counters(&mut self, job: &Job) {
        let key = (Arc::clone(&job.cluster), job.id);
        let Some(returned) = self.jobs.get_mut(&key) else {
            return;
        };
        returned.take_up(job);
    }

    /// The jobs forgotten since last asked, to make room; oldest first. To be asked for often: they are held until then.
    pub fn take_evicted(&mut self) -> Vec<Job> {
        std::mem::take(&mut self.evicted)
    }

    /// Tells the cluster of a log before its first event; an event of a log never opened changes nothing.
    pub fn open_log(&mut self, log: LogId, context: LogContext) {
        let process = self.processes.entry(log);
        process
            .and_modify(|process| process.cluster = Arc::clone(&context.cluster))
            .or_insert_with(|| Process::new(context.cluster));
    }

    /// Applies what one record said; `read` is when it was read.
    ///
    /// No edge that a log printed is refused, with two exceptions: into the present state (dropped), and out of a
    /// terminal state (dropped and counted) unless a new life begins.
    pub fn apply(&mut self, seen: &Seen, read: Timestamp) {
        self.derive(seen, read);
    }

    /// All jobs, by cluster and id.
    pub fn jobs(&self) -> impl Iterator<Item = &Job> {
        // One of which nothing but refused lines was seen has no state to show.
        self.jobs.values().filter(|job| job.is_born())
    }

    /// How many jobs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    /// True before the first job.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// The most jobs it keeps.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Keeps at most `limit` jobs from now on; where there are more, new ones make room first.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit.max(1);
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

    /// Finds or makes a job; none where every place is held by a live one.
    pub(super) fn take_up(&mut self, key: &Key, log: LogId, read: Timestamp) -> Option<&mut Job> {
        if !self.jobs.contains_key(key) && self.jobs.len() >= self.limit && !self.make_room() {
            self.counters.dropped += 1;
            return None;
        }
        let process = self.processes.get(&log)?;
        Some(self.jobs.entry(key.clone()).or_insert_with(|| {
            let mut job = Job::new(Arc::clone(&key.0), key.1, log, process.number, read);
            job.flink_version.clone_from(&process.version);
            job
        }))
    }

    /// Notes whether a job has ended, so that the longest ended one is found at once when room is needed.
    pub(super) fn note_end(&mut self, key: &Key, was: Option<Timestamp>, now: Option<Timestamp>) {
        if let Some(at) = was {
            self.ended.remove(&(at, key.clone()));
        }
        if let Some(at) = now {
            self.ended.insert((at, key.clone()));
        }
    }

    fn make_room(&mut self) -> bool {
        let Some((_, key)) = self.ended.pop_first() else {
            return false;
        };
        if let Some(job) = self.jobs.remove(&key) {
            if let Some(graph) = &job.track.graph_id {
                self.graphs.remove(graph);
            }
            self.evicted.push(job);
        }
        self.counters.evicted += 1;
        true
    }
}
