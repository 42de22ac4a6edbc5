//! How a job's state follows from what its logs print.
//!
//! A transition line describes the `ExecutionGraph`; the job is derived from it together with the lines of the
//! Dispatcher, the JobMaster and the schedulers. In short:
//!
//! * a submission or recovery is INITIALIZING, a JobMaster's start CREATED; then the transitions as printed;
//! * under the adaptive scheduler a graph is cancelled for a restart too: see [`Graph`];
//! * only the Dispatcher's word ends a job that has no transition of its own;
//! * the end of a process makes what lived in it UNKNOWN; what comes back counts a restart.

mod restarts;

use std::sync::Arc;

use jiff::Timestamp;

use super::event::{Cause, EndReason, Event, RestartReason, Said, Seen, Witness};
use super::fleet::{Fleet, Key, Place};
use super::flink_job::{self, JobState};
use super::job::{Failure, Graph, Job, Scheduler};
use super::name::Name;
use super::process::CauseOf;
use super::story::Basis;
use super::told::Told;
use crate::line::{JobId, LogId};
use restarts::is_adaptive;

/// The beginning of a job's life under some JobMaster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Birth {
    Submitted = 1,
    Recovered = 2,
    MasterCreated = 3,
    MasterStarted = 4,
}

/// Signatures of a transition line, a graph's creation and the Dispatcher's last word, beside those of [`Birth`].
const TRANSITION: u8 = 0;
const GRAPH: u8 = u8::MAX - 1;
const TERMINAL: u8 = u8::MAX;

impl Fleet {
    pub(super) fn derive(&mut self, seen: &Seen, read: Timestamp) {
        let carrier = seen.carrier.as_deref();
        let Some(cluster) = self.cluster_of(seen.log, carrier) else {
            return;
        };
        let speaker = (seen.log, cluster);
        let told = Told {
            speaker: &speaker,
            carrier,
            offset: seen.offset,
            at: seen.at,
            read,
        };
        let cause_of = self.processes.get(&speaker).map(|process| &process.cause_of);
        let waits = cause_of.map(|cause_of| *cause_of != CauseOf::Nobody);
        if waits.is_none() && !self.add_process(&speaker) {
            return;
        }
        let event = match &seen.said {
            Said::Event(event) => event,
            Said::Cause(cause) => return self.cause(cause, told),
        };
        if waits == Some(true)
            && let Some(process) = self.process_mut(&speaker)
        {
            process.cause_of = CauseOf::Nobody;
        }
        match event {
            Event::JobTransition { job, name, from, to } => self.transition(*job, name, *from, *to, told),
            Event::JobSubmitted { job, name } => self.birth(*job, Some(name), Birth::Submitted, told),
            Event::JobRecovered { job } => self.birth(*job, None, Birth::Recovered, told),
            Event::JobMasterCreated { job, name } => self.birth(*job, Some(name), Birth::MasterCreated, told),
            Event::JobMasterStarted { job, name } => self.birth(*job, Some(name), Birth::MasterStarted, told),
            Event::CancelRequested { job } => self.cancel_requested(*job, told),
            Event::GraphCreated { job, graph } => self.graph_created(*job, *graph, told),
            Event::JobTerminal { job, state, by } => self.terminal(*job, *state, *by, told),
            Event::SubmissionFailed { job } => self.ended_unprinted(*job, JobState::Failed, told),
            Event::JobNotFinished { job } => self.ended_unprinted(*job, JobState::Suspended, told),
            Event::AdaptiveRestart { reason, job } => {
                self.adaptive_restart(*reason, *job, seen.mdc_job, told);
            }
            Event::AdaptiveSeen { job } => {
                self.scheduler_seen(Scheduler::Adaptive, job.or(seen.mdc_job), told);
            }
            Event::DefaultSchedulerSeen { job } => {
                self.scheduler_seen(Scheduler::Default, job.or(seen.mdc_job), told);
            }
            Event::TaskFailed { graph } => {
                let job = seen
                    .mdc_job
                    .or_else(|| graph.and_then(|g| self.graphs.get(&g)).map(|key| key.1));
                self.failure_announced(job, told);
            }
            Event::GlobalFailure => self.failure_announced(seen.mdc_job, told),
            Event::ProcessStarted { version, .. } => {
                if self.is_new_process(told.speaker, told.at) {
                    self.process_ended(EndReason::Replaced, told);
                }
                if let Some(process) = self.process_mut(told.speaker) {
                    process.begin(version);
                }
            }
            Event::ProcessEnding { why } => self.process_ended(*why, told),
            // Said for people: stopping leaves the job RUNNING until FINISHED, and leaders speak through their jobs' lines.
            Event::StopWithSavepoint { .. } | Event::LeadershipGranted | Event::LeadershipRevoked => {}
            other => self.derive_other(other, told),
        }
    }

    /// Whether a line was a copy; the log that holds its original is from then on known for a twin.
    fn is_copy(&mut self, original: Option<LogId>, told: Told<'_>) -> bool {
        if let Some(original) = original {
            self.found_twins(original, told.speaker);
        }
        original.is_some()
    }

    /// `Job … switched from state A to B.`
    fn transition(&mut self, id: JobId, name: &Name, from: JobState, to: JobState, told: Told<'_>) {
        let key = told.key(id);
        let Some(job) = self.take_up(&key, told) else {
            return;
        };
        let copy = job.copied_from((TRANSITION, Some(from), Some(to)), told.at, told.log());
        let copy = self.is_copy(copy, told);
        let starts_graph = from == JobState::Created && to == JobState::Running;
        // Job and process are asked for once for all that follows: each time costs 50 instructions.
        let process = self.processes.get(told.speaker);
        let Some(job) = self.jobs.get_mut(&key) else {
            return;
        };
        if copy || !job.may_speak(starts_graph, process, told, &mut self.counters) {
            if !copy && told.is_by_time() {
                self.note_late(&key, from, to, told);
            }
            // Its copy's announcement must not stay behind for a cancellation to take.
            if to == JobState::Cancelling
                && let Some(process) = self.process_mut(told.speaker)
            {
                process.take_restart(id, told.at);
            }
            return;
        }
        // A JobManager that is going down takes its TaskManagers with it, and restarts what then fails.
        let ending = process.is_some_and(|process| process.ending);
        if ending && !starts_graph && !to.is_terminal() && to != JobState::Suspended {
            self.counters.late_events += 1;
            return;
        }
        if !flink_job::is_expected(from, to) {
            self.counters.unexpected_transitions += 1;
        }
        let adaptive = is_adaptive(job.scheduler, process);
        job.rename(name);
        job.touch(told);
        if job.scheduler.is_none() && to == JobState::Restarting {
            job.scheduler = Some(Scheduler::Default);
        }
        let (state, graph) = (job.state, job.track.graph);
        match (to, graph) {
            (JobState::Cancelling, _) if adaptive => {
                let process = self.processes.get_mut(told.speaker).map(Arc::make_mut);
                let announced = process.and_then(|process| process.take_restart(id, told.at));
                match announced {
                    Some(announced) => {
                        self.restart(&key, announced.reason, Basis::Inferred, Some(from), told);
                        self.set_graph(&key, Graph::Restarting);
                        self.set_failure(&key, announced.cause, announced.at);
                    }
                    None => self.enter_printed(&key, from, to, told),
                }
            }
            (JobState::Canceled, Graph::Restarting) if state == JobState::Restarting => {
                self.set_graph(&key, Graph::Plain);
            }
            (JobState::Canceled, _) if adaptive && !state.is_terminal() => {
                // Known only as being cancelled, where the log begins with this line.
                self.enter(&key, JobState::Cancelling, Basis::Inferred, Some(from), told);
                self.set_graph(&key, Graph::Undecided(told.at));
            }
            (JobState::Restarting, _) => {
                self.restart(&key, RestartReason::Failure, Basis::Log, Some(from), told);
            }
            _ => {
                if starts_graph {
                    self.resolve_restart(&key, told);
                    self.come_back(&key, told);
                }
                self.enter_printed(&key, from, to, told);
            }
        }
        self.attach_failure(&key, state, to, told);
    }

    /// A transition that came too late is part of the story all the same.
    fn note_late(&mut self, key: &Key, from: JobState, to: JobState, told: Told<'_>) {
        let job = self.jobs.get_mut(key);
        if let Some(job) = job.filter(|job| job.is_older(told.at)) {
            job.note_late(to, Basis::Log, Some(from), told);
        }
    }

    /// A transition as printed, into the job's state; out of a terminal state only where a new life begins.
    fn enter_printed(&mut self, key: &Key, from: JobState, to: JobState, told: Told<'_>) {
        let Some(job) = self.jobs.get_mut(key) else { return };
        let begins = matches!(from, JobState::Initializing | JobState::Created);
        if job.is_born() && job.state.is_terminal() && job.state != to && !begins {
            self.counters.unexpected_transitions += 1;
            return;
        }
        job.track.graph = Graph::Plain;
        job.revision += 1;
        self.enter(key, to, Basis::Log, Some(from), told);
    }

    /// Submission, recovery, or a JobMaster's start.
    fn birth(&mut self, id: JobId, name: Option<&Name>, birth: Birth, told: Told<'_>) {
        let key = told.key(id);
        let Some(job) = self.take_up(&key, told) else {
            return;
        };
        let copy = job.copied_from((birth as u8, None, None), told.at, told.log());
        if self.is_copy(copy, told) || !self.may_speak(&key, true, told) {
            return;
        }
        self.come_back(&key, told);
        let Some(job) = self.jobs.get_mut(&key) else {
            return;
        };
        if let Some(name) = name {
            job.rename(name);
        }
        job.touch(told);
        job.track.graph = Graph::Plain;
        let state = if birth == Birth::MasterStarted {
            JobState::Created
        } else {
            JobState::Initializing
        };
        self.enter(&key, state, Basis::Inferred, None, told);
    }

    /// See [`Job::may_speak`].
    fn may_speak(&mut self, key: &Key, begins: bool, told: Told<'_>) -> bool {
        let process = self.processes.get(told.speaker);
        let job = self.jobs.get_mut(key);
        job.is_some_and(|job| job.may_speak(begins, process, told, &mut self.counters))
    }

    fn graph_created(&mut self, id: JobId, graph: JobId, told: Told<'_>) {
        let key = told.key(id);
        let Some(job) = self.jobs.get_mut(&key) else {
            return;
        };
        let copy = job.copied_from((GRAPH, None, None), told.at, told.log());
        if self.is_copy(copy, told) {
            return;
        }
        let Some(job) = self.jobs.get_mut(&key) else {
            return;
        };
        let previous = job.track.graph_id.replace(graph);
        job.revision += 1;
        if let Some(previous) = previous {
            self.graphs.remove(&previous);
        }
        self.graphs.insert(graph, key.clone());
        if !self.may_speak(&key, false, told) {
            return;
        }
        self.resolve_restart(&key, told);
        // Adaptive: a new graph after a restart means that its resources are there (CreatingExecutionGraph is CREATED).
        let restarting = self
            .jobs
            .get(&key)
            .is_some_and(|job| job.state == JobState::Restarting);
        if restarting && self.is_adaptive(&key, told) {
            self.set_graph(&key, Graph::Plain);
            self.enter(&key, JobState::Created, Basis::Inferred, None, told);
        }
    }

    /// `Job … reached (globally) terminal state X.`
    fn terminal(&mut self, id: JobId, state: JobState, by: Witness, told: Told<'_>) {
        match by {
            Witness::AdaptiveScheduler => self.scheduler_seen(Scheduler::Adaptive, Some(id), told),
            Witness::Dispatcher => self.ended_unprinted(id, state, told),
        }
    }

    /// The Dispatcher's word. Most often it repeats a transition; of some ends it is the only one.
    fn ended_unprinted(&mut self, id: JobId, state: JobState, told: Told<'_>) {
        let key = told.key(id);
        let Some(job) = self.take_up(&key, told) else {
            return;
        };
        let copy = job.copied_from((TERMINAL, None, Some(state)), told.at, told.log());
        if self.is_copy(copy, told) || !self.may_speak(&key, false, told) {
            return;
        }
        let Some(job) = self.jobs.get_mut(&key) else {
            return;
        };
        job.touch(told);
        if job.is_born() && job.state.is_terminal() {
            if job.state != state {
                self.counters.unexpected_transitions += 1;
            }
            return;
        }
        job.track.graph = Graph::Plain;
        let news = job.state != state;
        self.enter(&key, state, Basis::Log, None, told);
        if news
            && state == JobState::Failed
            && let Some(process) = self.process_mut(told.speaker)
        {
            process.cause_of = CauseOf::Job(id);
        }
    }

    /// 1.12 only: cancelled while its JobMaster was being built; no transition says so.
    fn cancel_requested(&mut self, id: JobId, told: Told<'_>) {
        let key = told.key(id);
        if self.jobs.contains_key(&key) && self.may_speak(&key, false, told) {
            self.enter_printed(&key, JobState::Initializing, JobState::Cancelling, told);
        }
    }

    /// Everything that lived in this log's process is out of sight.
    fn process_ended(&mut self, why: EndReason, told: Told<'_>) {
        // One that nobody sees has not ended: what it says when somebody does again is as good as ever.
        let is_over = !matches!(why, EndReason::Unwatched | EndReason::LogGone);
        if is_over && let Some(process) = self.process_mut(told.speaker) {
            process.ending = true;
        }
        let keys: Vec<Key> = self
            .jobs
            .values()
            .filter(|job| {
                let (owner, cluster) = (job.track.owner, &job.cluster);
                told.carrier
                    .is_none_or(|carrier| carrier.cluster.is_none() || *cluster == told.speaker.1)
                    && self.are_twins(owner, &(told.log(), Arc::clone(cluster)))
                    && !job.state.is_terminal()
                    && job.is_born()
            })
            .filter(|job| job.state != JobState::Suspended || why != EndReason::Shutdown)
            // Of several ends the first took the job along, and is the reason told.
            .filter(|job| job.state != JobState::Unknown)
            .map(|job| (Arc::clone(&job.cluster), job.id))
            .collect();
        for key in keys {
            self.enter(&key, JobState::Unknown, Basis::Inferred, None, told);
            if let Some(job) = self.jobs.get_mut(&key) {
                job.unknown_because = Some(why.for_people());
            }
        }
    }

    fn failure_announced(&mut self, job: Option<JobId>, told: Told<'_>) {
        if let Some(process) = self.process_mut(told.speaker) {
            process.announce_failure(told.at, job);
        }
    }

    /// The exception of a failed task stands before the job's own line; it is nearer to the cause than the one that follows
    /// FAILING (`Recovery is suppressed by …`) and FAILED (the same once more).
    fn attach_failure(&mut self, key: &Key, was: JobState, to: JobState, told: Told<'_>) {
        if !matches!(to, JobState::Failing | JobState::Failed | JobState::Restarting) {
            return;
        }
        let Some(process) = self.process_mut(told.speaker) else {
            return;
        };
        let announced = match to {
            JobState::Failing | JobState::Restarting => process
                .take_failure(key.1, told.at)
                .and_then(|failure| Some((failure.cause?, failure.at))),
            _ => None,
        };
        match announced {
            Some((cause, at)) => self.set_failure(key, Some(cause), at),
            None if to == JobState::Failing || (to == JobState::Failed && was != JobState::Failing) => {
                process.cause_of = CauseOf::Job(key.1);
            }
            None => {}
        }
    }

    /// The exception that follows a record.
    fn cause(&mut self, cause: &Cause, told: Told<'_>) {
        let Some(process) = self.process_mut(told.speaker) else {
            return;
        };
        match process.cause_of {
            CauseOf::Nobody => {}
            CauseOf::LastRestart => process.add_cause_to_restart(cause),
            CauseOf::LastFailure => process.add_cause_to_failure(cause),
            CauseOf::Job(id) => {
                let key = (Arc::clone(&process.cluster), id);
                self.set_failure(&key, Some(cause.clone()), told.at);
            }
        }
    }

    fn set_failure(&mut self, key: &Key, cause: Option<Cause>, at: Option<Timestamp>) {
        if let (Some(cause), Some(job)) = (cause, self.jobs.get_mut(key)) {
            job.failure = Some(Box::new(Failure { cause, at }));
            job.revision += 1;
        }
    }

    fn set_graph(&mut self, key: &Key, graph: Graph) {
        if let Some(job) = self.jobs.get_mut(key) {
            job.track.graph = graph;
            job.revision += 1;
        }
    }

    /// Writes a state entered into the job, its history and every counter; nothing where the job is in it already.
    pub(super) fn enter(
        &mut self,
        key: &Key,
        to: JobState,
        basis: Basis,
        from: Option<JobState>,
        told: Told<'_>,
    ) {
        let Some(job) = self.jobs.get_mut(key) else { return };
        if job.is_born() && job.state == to {
            return;
        }
        let was_ended = job.ended_at();
        // A new job runs, not the old one again.
        let begins = job.state != JobState::Restarting
            && matches!(
                from.unwrap_or(job.state),
                JobState::Created | JobState::Initializing | JobState::Reconciling
            );
        job.enter(to, basis, from, told);
        let is_ended = job.ended_at();
        let application = job.application.clone();
        self.counters.entered[to as usize] += 1;
        self.note_end(|| Place::Job(key.clone()), was_ended, is_ended);
        if let Some(application) = application {
            self.job_of_application_moved(&application, to, begins, told);
        }
    }
}

impl Job {
    pub(super) fn touch(&mut self, told: Told<'_>) {
        if told.at.is_none() || self.last_event.is_none() || told.at > self.last_event {
            self.last_event = told.at.or(self.last_event);
        }
        self.last_event_read = told.read;
        self.revision += 1;
    }
}
