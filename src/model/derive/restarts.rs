//! When a job runs again, and why: after a failure, to be rescaled, or under another process.

use std::sync::Arc;

use crate::line::JobId;
use crate::model::event::RestartReason;
use crate::model::fleet::{Fleet, Key};
use crate::model::flink_job::JobState;
use crate::model::job::{Graph, Scheduler};
use crate::model::process::Process;
use crate::model::story::Basis;
use crate::model::told::Told;

impl Fleet {
    /// Counts a restart of reason `process` where a job that was alive begins anew under another process or leader.
    pub(super) fn come_back(&mut self, key: &Key, told: Told<'_>) {
        let Some((owner, process)) = self.jobs.get(key).map(|job| (job.track.owner, job.track.process))
        else {
            return;
        };
        let twins = self.are_twins(owner, told.speaker);
        let same = twins
            && self
                .process_of(owner, &key.0)
                .is_some_and(|speaker| speaker.number == process);
        let Some(process) = self.processes.get_mut(told.speaker).map(Arc::make_mut) else {
            return;
        };
        // Whoever starts a job is alive, though its banner was never seen.
        process.ending = false;
        let Some(job) = self.jobs.get_mut(key) else { return };
        let was_alive = match job.state {
            // Both stand for a life that was cut off, and are left by a new one only.
            JobState::Unknown | JobState::Suspended => job.is_born(),
            state => !state.is_terminal() && !same,
        };
        if was_alive {
            job.count_restart(RestartReason::Process, told.at);
        }
        job.track.owner = told.log();
        job.track.former.retain(|log| *log != told.log());
        if !twins && !job.track.former.contains(&owner) {
            job.track.former.push(owner);
        }
        job.track.process = process.number;
        job.flink_version.clone_from(&process.version);
        job.revision += 1;
    }

    /// A graph that was CANCELED without a word why runs again: it was a restart.
    pub(super) fn resolve_restart(&mut self, key: &Key, told: Told<'_>) {
        let Some(Graph::Undecided(at)) = self.jobs.get(key).map(|job| job.track.graph) else {
            return;
        };
        self.set_graph(key, Graph::Plain);
        self.restart(
            key,
            RestartReason::Failure,
            Basis::Inferred,
            None,
            Told { at, ..told },
        );
    }

    pub(super) fn adaptive_restart(
        &mut self,
        reason: RestartReason,
        named: Option<JobId>,
        mdc: Option<JobId>,
        told: Told<'_>,
    ) {
        let job = named.or(mdc);
        self.scheduler_seen(Scheduler::Adaptive, job, told);
        // 2.0 and later print the phases of the first start in the same words: only a RUNNING job is rescaled.
        let waits = named.map(|id| told.key(id)).is_some_and(|key| {
            self.jobs
                .get(&key)
                .is_none_or(|job| job.state != JobState::Running)
        });
        if !waits && let Some(process) = self.process_mut(told.speaker) {
            process.announce_restart(told.at, job, reason);
        }
    }

    pub(super) fn scheduler_seen(&mut self, scheduler: Scheduler, job: Option<JobId>, told: Told<'_>) {
        if scheduler == Scheduler::Adaptive
            && let Some(process) = self.process_mut(told.speaker)
        {
            process.adaptive = true;
        }
        let job = job.map(|id| told.key(id)).and_then(|key| self.jobs.get_mut(&key));
        if let Some(job) = job
            && job.scheduler != Some(scheduler)
        {
            job.scheduler = Some(scheduler);
            job.revision += 1;
        }
    }

    /// Whether the job's graph may be cancelled for a restart.
    pub(super) fn is_adaptive(&self, key: &Key, told: Told<'_>) -> bool {
        let scheduler = self.jobs.get(key).and_then(|job| job.scheduler);
        is_adaptive(scheduler, self.processes.get(told.speaker))
    }

    /// Enters RESTARTING and counts why; a job that is there already does not restart again.
    pub(super) fn restart(
        &mut self,
        key: &Key,
        reason: RestartReason,
        basis: Basis,
        from: Option<JobState>,
        told: Told<'_>,
    ) {
        let Some(job) = self.jobs.get_mut(key) else { return };
        if job.is_born() && job.state.is_terminal() {
            self.counters.unexpected_transitions += 1;
            return;
        }
        if job.state != JobState::Restarting {
            job.count_restart(reason, told.at);
        }
        self.enter(key, JobState::Restarting, basis, from, told);
    }
}

/// What runs a job, by what was seen of it, else of the process that speaks.
pub(super) fn is_adaptive(scheduler: Option<Scheduler>, process: Option<&Arc<Process>>) -> bool {
    match scheduler {
        Some(scheduler) => scheduler == Scheduler::Adaptive,
        None => process.is_some_and(|process| process.adaptive),
    }
}
