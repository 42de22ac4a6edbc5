//! Resources of the Flink Kubernetes operator: their life-cycle, and the job status that the operator polls.

use jiff::Timestamp;

use super::fleet::{Fleet, Place};
use super::flink_deployment::{DeploymentId, DeploymentState};
use super::flink_job::JobState;
use super::state::State as _;
use super::story::{Basis, Storied, Story};
use super::told::Told;

/// What is known of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Which one.
    pub id: DeploymentId,
    /// Its state and how it came about.
    pub story: Story<DeploymentState>,
    /// The status of its job as the operator polled it, and since when. A second witness beside the job's own log: it
    /// moves no job, since it misses short states and its RECONCILING says that it does not know.
    pub job: Option<(JobState, Option<Timestamp>)>,
}

impl Storied for Deployment {
    type State = DeploymentState;
    type Id = DeploymentId;

    fn id(&self) -> DeploymentId {
        self.id.clone()
    }

    fn story(&self) -> &Story<DeploymentState> {
        &self.story
    }

    fn name(&self) -> Option<&str> {
        Some(&self.id.name)
    }

    fn labels(&self) -> [(&'static str, &str); 2] {
        [("namespace", &self.id.namespace), ("deployment", &self.id.name)]
    }
}

impl DeploymentId {
    /// Whether the jobs of this cluster are its own, by the names that the operator gives: the JobManager's pod is
    /// `NAME-<hash>-<id>`, and a pod's cluster is `NAMESPACE/POD`.
    #[must_use]
    pub fn runs_in(&self, cluster: &str) -> bool {
        let Some((namespace, pod)) = cluster.split_once('/') else {
            return false;
        };
        let rest = pod.strip_prefix(&*self.name);
        // Two parts, so that `orders` does not take the pods of `orders-eu`.
        let is_pod =
            |rest: &str| rest.is_empty() || (rest.starts_with('-') && rest.matches('-').count() <= 2);
        namespace == &*self.namespace && rest.is_some_and(is_pod)
    }
}

impl Fleet {
    /// The resource that the record is about; none where its layout does not print it.
    fn deployment(&mut self, told: Told<'_>) -> Option<&mut Deployment> {
        let id = told.carrier?.deployment.as_ref()?;
        if !self.has_room(self.deployments.contains_key(id)) {
            return None;
        }
        let new = || Deployment {
            id: id.clone(),
            story: Story::new(told.read),
            job: None,
        };
        Some(self.deployments.entry(id.clone()).or_insert_with(new))
    }

    /// The resource entered a state of its life-cycle.
    pub(super) fn deployment_status(&mut self, to: DeploymentState, told: Told<'_>) {
        let Some(deployment) = self.deployment(told) else {
            return;
        };
        if told.is_by_time() && deployment.story.is_older(told.at) {
            deployment.story.note_late(to, Basis::Log, told);
            self.counters.late_events += 1;
            return;
        }
        let place = Place::Deployment(deployment.id.clone());
        let was_ended = deployment.story.ended_at();
        let is_news = deployment.story.enter(to, Basis::Log, told);
        let is_ended = deployment.story.ended_at();
        if is_news {
            self.counters.deployments_entered[to.index()] += 1;
        }
        self.note_end(|| place, was_ended, is_ended);
    }

    /// The operator polled another status of the resource's job.
    pub(super) fn deployment_job_status(&mut self, to: JobState, told: Told<'_>) {
        let Some(deployment) = self.deployment(told) else {
            return;
        };
        let is_older =
            matches!(deployment.job, Some((_, Some(since))) if told.at.is_some_and(|at| at < since));
        if told.is_by_time() && is_older {
            self.counters.late_events += 1;
        } else if deployment.job.is_none_or(|(state, _)| state != to) {
            deployment.job = Some((to, told.at));
            deployment.story.revision += 1;
        }
    }
}
