//! Jobs of the Ververica Platform: what resources and events make of their state, and what they witness of Flink jobs.

use std::sync::Arc;

use jiff::Timestamp;

use super::event::RestartReason;
use super::fleet::{Fleet, Key, Place};
use super::flink_job::JobState;
use super::job::Job;
use super::state::{Class, State as _};
use super::story::{Basis, Storied, Story};
use super::told::Told;
use super::vvp_job::{PlatformJob, PlatformJobId, PlatformJobState, Started, is_expected};
use crate::line::JobId;

/// What is known of one job of the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VvpJob {
    /// Its resource as last seen; `status.started` is kept after the platform has left it out.
    pub resource: PlatformJob,
    /// Its state and how it came about.
    pub story: Story<PlatformJobState>,
    /// Its Flink job, once one is known: cluster and id.
    pub flink_job: Option<Key>,
}

impl Storied for VvpJob {
    type State = PlatformJobState;
    type Id = PlatformJobId;

    fn id(&self) -> PlatformJobId {
        self.resource.id
    }

    fn story(&self) -> &Story<PlatformJobState> {
        &self.story
    }

    fn name(&self) -> Option<&str> {
        self.resource.deployment.as_deref()
    }

    fn labels(&self) -> [(&'static str, &str); 2] {
        [
            (
                "namespace",
                self.resource.namespace.as_deref().unwrap_or_default(),
            ),
            (
                "deployment",
                self.resource.deployment.as_deref().unwrap_or_default(),
            ),
        ]
    }
}

impl VvpJob {
    /// A job of which this was seen first.
    fn new(resource: PlatformJob, read: Timestamp) -> Self {
        Self {
            resource,
            story: Story::new(read),
            flink_job: None,
        }
    }

    /// Takes a newer resource; what it has left out since is kept.
    fn take(&mut self, resource: &PlatformJob) {
        let before = std::mem::replace(&mut self.resource, resource.clone());
        let now = &mut self.resource;
        now.namespace = now.namespace.take().or(before.namespace);
        now.deployment = now.deployment.take().or(before.deployment);
        now.deployment_id = now.deployment_id.take().or(before.deployment_id);
        now.resource_version = now.resource_version.max(before.resource_version);
        now.created_at = now.created_at.or(before.created_at);
        now.modified_at = now.modified_at.or(before.modified_at);
        now.terminated_at = now.terminated_at.or(before.terminated_at);
        now.state = now.state.or(before.state);
        now.failure = now.failure.take().or(before.failure);
        now.started = match (now.started.take(), before.started) {
            (Some(now), Some(before)) => Some(Started {
                started_at: now.started_at.or(before.started_at),
                updated_at: now.updated_at.or(before.updated_at),
                flink_job: now.flink_job.or(before.flink_job),
                restarts: now.restarts.max(before.restarts),
                status: now.status.or(before.status),
            }),
            (now, before) => now.or(before),
        };
        self.story.revision += 1;
    }
}

/// The namespace of a resource that names none.
const NAMESPACE: &str = "default";

impl Fleet {
    /// A Job resource was seen.
    pub(super) fn platform_job_reported(&mut self, resource: &PlatformJob, told: Told<'_>) {
        let id = resource.id;
        if !self.has_room(self.platform_jobs.contains_key(&id)) {
            return;
        }
        let new = || VvpJob::new(resource.clone(), told.read);
        let job = self.platform_jobs.entry(id).or_insert_with(new);
        let (seen, version) = (job.resource.resource_version, resource.resource_version);
        if matches!((version, seen), (Some(version), Some(seen)) if version < seen) {
            self.counters.late_events += 1;
            return;
        }
        let told = Told {
            at: resource.state_at().or(told.at),
            ..told
        };
        if let Some(state) = resource.state {
            // The platform counts versions; only where it does not, time has to tell what is older.
            let is_newer = matches!((version, seen), (Some(version), Some(seen)) if version > seen);
            if !is_newer && job.story.state != state && job.story.is_older(told.at) {
                job.story.note_late(state, Basis::Reported, told);
                self.counters.late_events += 1;
                return;
            }
        }
        job.take(resource);
        if let Some(state) = resource.state {
            self.enter_platform_job(id, state, Basis::Reported, told);
        }
        if let Some(started) = &resource.started {
            let told = Told {
                at: started.updated_at.or(resource.modified_at).or(told.at),
                ..told
            };
            self.flink_job_observed(resource, started, told);
        }
    }

    /// An event whose name tells a state: weaker than a resource, so that it only moves a job on.
    pub(super) fn platform_event(
        &mut self,
        id: PlatformJobId,
        namespace: Option<&Arc<str>>,
        state: PlatformJobState,
        told: Told<'_>,
    ) {
        if !self.has_room(self.platform_jobs.contains_key(&id)) {
            return;
        }
        let new = || {
            let namespace = namespace.cloned();
            let unseen = PlatformJob::unseen(id);
            VvpJob::new(PlatformJob { namespace, ..unseen }, told.read)
        };
        let job = self.platform_jobs.entry(id).or_insert_with(new);
        let present = job.story.state;
        if job.story.is_older(told.at) {
            if present != state {
                job.story.note_late(state, Basis::Inferred, told);
            }
            self.counters.late_events += 1;
        } else if !job.story.is_born() || is_expected(present, state) {
            self.enter_platform_job(id, state, Basis::Inferred, told);
        } else if present != state {
            self.counters.unexpected_transitions += 1;
        }
    }

    /// Enters a state; out of one that is final nothing leads, since a restart is a new job with a new id.
    fn enter_platform_job(&mut self, id: PlatformJobId, to: PlatformJobState, basis: Basis, told: Told<'_>) {
        let Some(job) = self.platform_jobs.get_mut(&id) else {
            return;
        };
        let from = job.story.state;
        if job.story.is_born() && from != to && !is_expected(from, to) {
            self.counters.unexpected_transitions += 1;
            if from.class() == Class::Terminal {
                return;
            }
        }
        let was_ended = job.story.ended_at();
        if job.story.enter(to, basis, told) {
            self.counters.platform_jobs_entered[to.index()] += 1;
        }
        let is_ended = job.story.ended_at();
        self.note_end(|| Place::Platform(id), was_ended, is_ended);
        self.note_over(id);
    }

    /// The end of a platform job is the last that its Flink job is heard of, unless a log tells more.
    fn note_over(&mut self, id: PlatformJobId) {
        let Some(platform_job) = self.platform_jobs.get(&id) else {
            return;
        };
        let (over, key) = (platform_job.story.ended_at(), platform_job.flink_job.clone());
        let Some((key, job)) = key.and_then(|key| Some((key.clone(), self.jobs.get_mut(&key)?))) else {
            return;
        };
        if job.track.over != over {
            let was_ended = job.ended_at();
            job.track.over = over;
            job.revision += 1;
            let is_ended = job.ended_at();
            self.note_end(|| Place::Job(key), was_ended, is_ended);
        }
    }

    /// What the platform observed of its Flink job. A log's own word goes before it: where one has spoken, the report
    /// counts only once the log cannot tell any more.
    fn flink_job_observed(&mut self, resource: &PlatformJob, started: &Started, told: Told<'_>) {
        let id = started.flink_job.unwrap_or(resource.id.0);
        let namespace = resource.namespace.as_deref().unwrap_or(NAMESPACE);
        let key = self.reported_key(id, namespace);
        let Some(job) = self.job_or_new(&key, told) else {
            return;
        };
        if job.name.is_none()
            && let Some(deployment) = &resource.deployment
        {
            job.name = Some(Arc::clone(deployment));
            job.revision += 1;
        }
        job.observe(resource.id, started.restarts.unwrap_or(0), told.at);
        self.link_platform_job(resource.id, &key);
        if let Some(status) = started.status {
            self.flink_status_observed(&key, status, told);
        }
    }

    fn flink_status_observed(&mut self, key: &Key, status: JobState, told: Told<'_>) {
        let Some(job) = self.jobs.get_mut(key) else {
            return;
        };
        let is_settled_by_log = job.track.logged && job.state != JobState::Unknown;
        if is_settled_by_log || job.state == status {
            return;
        }
        if job.is_older(told.at) {
            job.note_late(status, Basis::Reported, None, told);
            self.counters.late_events += 1;
        } else if job.is_born() && job.state.is_terminal() {
            self.counters.unexpected_transitions += 1;
        } else {
            job.touch(told);
            self.enter(key, status, Basis::Reported, None, told);
        }
    }

    /// Where the Flink job is that the platform speaks of: in whichever cluster a log has told of it, since its id is
    /// nobody else's; else in the platform's namespace.
    fn reported_key(&self, id: JobId, namespace: &str) -> Key {
        if let Some(key) = self.reported.get(&id) {
            return key.clone();
        }
        let known = self.jobs.with_id(id);
        let newest = known.max_by_key(|(_, job)| job.last_event_read);
        (
            newest.map_or_else(|| Arc::from(namespace), |(cluster, _)| Arc::clone(cluster)),
            id,
        )
    }

    fn link_platform_job(&mut self, id: PlatformJobId, flink_job: &Key) {
        self.reported.insert(flink_job.1, flink_job.clone());
        let job = self.platform_jobs.get_mut(&id);
        if let Some(job) = job.filter(|job| job.flink_job.as_ref() != Some(flink_job)) {
            job.flink_job = Some(flink_job.clone());
            job.story.revision += 1;
        }
        self.note_over(id);
    }

    /// A log speaks of a job that only the platform has told of so far: it is that job, and the cluster is the log's.
    pub(super) fn move_reported(&mut self, key: &Key) {
        let Some(reported) = self.reported.get(&key.1).cloned() else {
            return;
        };
        if self.jobs.get(&reported).is_none_or(|job| job.track.logged) {
            return;
        }
        let Some(mut job) = self.jobs.remove(&reported) else {
            return;
        };
        self.note_end(|| Place::Job(reported), job.ended_at(), None);
        job.cluster = Arc::clone(&key.0);
        job.revision += 1;
        self.note_end(|| Place::Job(key.clone()), None, job.ended_at());
        let platform_job = job.observed.as_ref().map(|observed| observed.by);
        self.jobs.insert(key, job);
        if let Some(platform_job) = platform_job {
            self.link_platform_job(platform_job, key);
        }
    }
}

impl Job {
    /// Restarts by every reason: a lower bound, which includes those of its process.
    #[must_use]
    pub fn all_restarts(&self) -> u64 {
        RestartReason::ALL
            .map(|reason| self.restarts_for(reason))
            .iter()
            .sum()
    }
}

#[cfg(test)]
mod tests;
