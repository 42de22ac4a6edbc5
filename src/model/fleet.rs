//! All entities, and what is known of each log's process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::application::Application;
use super::arn::ApplicationArn;
use super::deployment::Deployment;
use super::event::{Carrier, Event, Seen};
use super::flink_deployment::{DeploymentId, DeploymentState};
use super::flink_job::JobState;
use super::job::Job;
use super::jobs::Jobs;
use super::kda_application::ApplicationState;
use super::platform::VvpJob;
use super::process::Process;
use super::state::State as _;
use super::told::Told;
use super::vvp_job::{PlatformJobId, PlatformJobState};
use crate::line::{JobId, LogId};

/// Entities kept unless the configuration says otherwise. Ended ones make room for new ones; live ones never do.
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
    /// The same of applications.
    pub applications_entered: [u64; ApplicationState::ALL.len()],
    /// The same of jobs of the Ververica Platform.
    pub platform_jobs_entered: [u64; PlatformJobState::ALL.len()],
    /// The same of resources of the Flink Kubernetes operator.
    pub deployments_entered: [u64; DeploymentState::ALL.len()],
    /// Edges outside Flink's table (applied), and edges out of a terminal state (not applied).
    pub unexpected_transitions: u64,
    /// Records that moved nothing: older than what was applied, or of a JobManager that no longer leads the job.
    pub late_events: u64,
    /// Ended entities forgotten to make room.
    pub evicted: u64,
    /// Entities never taken up because every place was held by a live one.
    pub dropped: u64,
}

/// Who speaks in a log: several applications may share one, each with a process of its own. The cluster is that of the
/// carrier where it names one, else the log's.
pub type Speaker = (LogId, Arc<str>);

/// What is known of each log's processes; shared with who keeps them, and copied only when one changes.
pub type Processes = BTreeMap<Speaker, Arc<Process>>;

/// A job's place in the fleet: its cluster, and its id there.
pub(super) type Key = (Arc<str>, JobId);

/// The place of an entity that may end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Job(Key),
    Application(ApplicationArn),
    Platform(PlatformJobId),
    Deployment(DeploymentId),
}

/// Every entity: Flink jobs by cluster and id, the others by the id of their kind.
#[derive(Debug, Clone)]
pub struct Fleet {
    pub(super) jobs: Jobs,
    pub(super) applications: BTreeMap<ApplicationArn, Application>,
    pub(super) platform_jobs: BTreeMap<PlatformJobId, VvpJob>,
    pub(super) deployments: BTreeMap<DeploymentId, Deployment>,
    pub(super) processes: Processes,
    /// The cluster of each log's jobs, unless their carrier knows better.
    clusters: BTreeMap<LogId, Arc<str>>,
    /// Where the jobs are that the Ververica Platform reports.
    pub(super) reported: BTreeMap<JobId, Key>,
    /// Which job an execution graph belongs to: its id begins the attempt ids of its tasks.
    pub(super) graphs: BTreeMap<JobId, Key>,
    pub(super) counters: Counters,
    /// Ended entities by when they ended: the order in which they make room.
    ended: BTreeSet<(Timestamp, Place)>,
    /// Jobs forgotten, and not yet taken by whoever keeps them.
    evicted: Vec<Job>,
    limit: usize,
    version: u64,
}

impl Default for Fleet {
    fn default() -> Self {
        Self::with_limit(DEFAULT_LIMIT)
    }
}

/// What a fleet was left with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    /// Flink jobs.
    pub jobs: Vec<Job>,
    /// Applications of Managed Service for Apache Flink.
    pub applications: Vec<Application>,
    /// Jobs of the Ververica Platform.
    pub platform_jobs: Vec<VvpJob>,
    /// Resources of the Flink Kubernetes operator.
    pub deployments: Vec<Deployment>,
    /// What was known of each log's processes.
    pub processes: Processes,
    /// The model's counters.
    pub counters: Counters,
}

impl Left {
    /// True where there is no entity.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.jobs.is_empty()
            && self.applications.is_empty()
            && self.platform_jobs.is_empty()
            && self.deployments.is_empty()
    }
}

impl Fleet {
    /// A fleet that keeps at most `limit` entities.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self {
            jobs: Jobs::default(),
            applications: BTreeMap::new(),
            platform_jobs: BTreeMap::new(),
            deployments: BTreeMap::new(),
            processes: Processes::new(),
            clusters: BTreeMap::new(),
            reported: BTreeMap::new(),
            graphs: BTreeMap::new(),
            counters: Counters::default(),
            ended: BTreeSet::new(),
            evicted: Vec::new(),
            limit: limit.max(1),
            version: 0,
        }
    }

    /// The fleet that left all this.
    ///
    /// Where there are more than `limit` entities, all are taken: new ones make room first.
    #[must_use]
    pub fn restore(limit: usize, left: Left) -> Self {
        // Until the log is opened: it may have gone since.
        let clusters = left.processes.keys().cloned().collect();
        let mut fleet = Self {
            processes: left.processes,
            clusters,
            counters: left.counters,
            ..Self::with_limit(limit)
        };
        for job in left.jobs {
            let key = (Arc::clone(&job.cluster), job.id);
            if let Some(graph) = job.track.graph_id {
                fleet.graphs.insert(graph, key.clone());
            }
            if job.observed.is_some() {
                fleet.reported.insert(job.id, key.clone());
            }
            fleet.note_end(|| Place::Job(key.clone()), None, job.ended_at());
            fleet.jobs.insert(&key, job);
        }
        for application in left.applications {
            let place = Place::Application(application.arn.clone());
            fleet.note_end(|| place, None, application.ended_at());
            fleet.applications.insert(application.arn.clone(), application);
        }
        for job in left.platform_jobs {
            fleet.note_end(|| Place::Platform(job.resource.id), None, job.story.ended_at());
            fleet.platform_jobs.insert(job.resource.id, job);
        }
        for deployment in left.deployments {
            let place = Place::Deployment(deployment.id.clone());
            fleet.note_end(|| place, None, deployment.story.ended_at());
            fleet.deployments.insert(deployment.id.clone(), deployment);
        }
        fleet
    }

    /// What is known of the processes of each log.
    #[must_use]
    pub const fn processes(&self) -> &Processes {
        &self.processes
    }

    /// Makes the process that speaks; false where carriers name more clusters than there may be entities.
    pub(super) fn add_process(&mut self, speaker: &Speaker) -> bool {
        if self.processes.len() >= self.limit.max(self.clusters.len()) {
            self.counters.dropped += 1;
            return false;
        }
        let new = Arc::new(Process::new(Arc::clone(&speaker.1)));
        self.processes.insert(speaker.clone(), new);
        true
    }

    /// The process that speaks of a cluster in a log.
    pub(super) fn process_of(&self, log: LogId, cluster: &Arc<str>) -> Option<&Process> {
        self.processes.get(&(log, Arc::clone(cluster))).map(Arc::as_ref)
    }

    /// The same process, to be changed, if it is known.
    pub(super) fn process_mut(&mut self, speaker: &Speaker) -> Option<&mut Process> {
        self.processes.get_mut(speaker).map(Arc::make_mut)
    }

    /// The cluster that a record speaks of: its carrier knows best. None for a log that was never opened.
    pub(super) fn cluster_of(&self, log: LogId, carrier: Option<&Carrier>) -> Option<Arc<str>> {
        let of_log = self.clusters.get(&log)?;
        let of_carrier = carrier.and_then(|carrier| carrier.cluster.as_ref());
        Some(Arc::clone(of_carrier.unwrap_or(of_log)))
    }

    /// Goes on from the counters that a job had when it was evicted: to be told when its id is seen again.
    pub fn take_up_counters(&mut self, job: &Job) {
        let key = (Arc::clone(&job.cluster), job.id);
        let Some(returned) = self.jobs.get_mut(&key) else {
            return;
        };
        self.version += 1;
        returned.take_up(job);
    }

    /// Rises with everything that the fleet is told: while it stays, no entity, process or counter has changed.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The jobs forgotten since last asked, to make room; oldest first. To be asked for often: they are held until then.
    pub fn take_evicted(&mut self) -> Vec<Job> {
        std::mem::take(&mut self.evicted)
    }

    /// How many evicted jobs nobody has taken yet.
    #[must_use]
    pub const fn evicted_waiting(&self) -> usize {
        self.evicted.len()
    }

    /// Tells the cluster of a log before its first event; an event of a log never opened changes nothing.
    pub fn open_log(&mut self, log: LogId, context: LogContext) {
        self.clusters.insert(log, context.cluster);
    }

    /// Applies what one record said; `read` is when it was read.
    ///
    /// No edge that a log printed is refused, with two exceptions: into the present state (dropped), and out of a
    /// terminal state (dropped and counted) unless a new life begins.
    pub fn apply(&mut self, seen: &Seen, read: Timestamp) {
        self.version += 1;
        self.derive(seen, read);
    }

    /// All jobs, by cluster and id.
    pub fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.shared_jobs().map(Arc::as_ref)
    }

    /// All jobs, by cluster and id: to be held as they are now without a copy.
    pub fn shared_jobs(&self) -> impl Iterator<Item = &Arc<Job>> {
        // One of which nothing but refused lines was seen has no state to show.
        self.jobs.values().filter(|job| job.is_born())
    }

    /// All applications, by ARN.
    pub fn applications(&self) -> impl Iterator<Item = &Application> {
        self.applications
            .values()
            .filter(|application| application.is_known())
    }

    /// All jobs of the Ververica Platform, by id.
    pub fn platform_jobs(&self) -> impl Iterator<Item = &VvpJob> {
        self.platform_jobs.values().filter(|job| job.story.is_born())
    }

    /// All resources of the Flink Kubernetes operator, by namespace and name.
    pub fn deployments(&self) -> impl Iterator<Item = &Deployment> {
        self.deployments.values()
    }

    /// How many entities of all kinds there are.
    fn entities(&self) -> usize {
        self.jobs.len() + self.applications.len() + self.platform_jobs.len() + self.deployments.len()
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

    /// The most entities it keeps.
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

    /// One job of the Ververica Platform.
    #[must_use]
    pub fn platform_job(&self, id: PlatformJobId) -> Option<&VvpJob> {
        self.platform_jobs.get(&id)
    }

    /// One application.
    #[must_use]
    pub fn application_of(&self, arn: &ApplicationArn) -> Option<&Application> {
        self.applications.get(arn)
    }

    /// One resource of the Flink Kubernetes operator.
    #[must_use]
    pub fn deployment_of(&self, id: &DeploymentId) -> Option<&Deployment> {
        self.deployments.get(id)
    }

    /// The model's own counters.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Finds or makes a job of which a log speaks; none where every place is held by a live one.
    pub(super) fn take_up(&mut self, key: &Key, told: Told<'_>) -> Option<&mut Job> {
        let application = told.carrier.and_then(|carrier| carrier.application.as_ref());
        let is_as_told = |job: &Job| {
            job.track.logged && (application.is_none() || job.application.as_ref() == application)
        };
        match self.jobs.find(key).map(is_as_told) {
            // Nearly always: nothing of it is new.
            Some(true) => return self.jobs.get_mut(key),
            Some(false) => {}
            None => self.move_reported(key),
        }
        let job = self.job_or_new(key, told)?;
        let was_ended = job.ended_at();
        job.track.logged = true;
        let is_ended = job.ended_at();
        let is_news = application.is_some() && job.application.as_ref() != application;
        if is_news {
            job.application = application.cloned();
            job.revision += 1;
        }
        self.note_end(|| Place::Job(key.clone()), was_ended, is_ended);
        if let Some(application) = application.filter(|_| is_news) {
            self.link_job(application, key, told);
        }
        self.jobs.get_mut(key)
    }

    /// Finds or makes a job; none where every place is held by a live one.
    pub(super) fn job_or_new(&mut self, key: &Key, told: Told<'_>) -> Option<&mut Job> {
        if !self.has_room(self.jobs.contains_key(key)) {
            return None;
        }
        let process = self.processes.get(told.speaker)?;
        self.jobs.get_or_insert_with(key, || {
            let mut job = Job::new(Arc::clone(&key.0), key.1, told.log(), process.number, told.read);
            job.flink_version.clone_from(&process.version);
            job
        })
    }

    /// Whether there is, or can be made, a place for an entity that may be known already.
    pub(super) fn has_room(&mut self, is_known: bool) -> bool {
        let has_room = is_known || self.entities() < self.limit || self.make_room();
        if !has_room {
            self.counters.dropped += 1;
        }
        has_room
    }

    /// Notes whether an entity has ended, so that the longest ended one is found at once when room is needed.
    pub(super) fn note_end(
        &mut self,
        place: impl FnOnce() -> Place,
        was: Option<Timestamp>,
        now: Option<Timestamp>,
    ) {
        if was == now {
            return;
        }
        let mut place = place();
        if let Some(at) = was {
            let before = (at, place);
            self.ended.remove(&before);
            place = before.1;
        }
        if let Some(at) = now {
            self.ended.insert((at, place));
        }
    }

    fn make_room(&mut self) -> bool {
        let Some((_, place)) = self.ended.pop_first() else {
            return false;
        };
        match place {
            Place::Job(key) => {
                if let Some(job) = self.jobs.remove(&key) {
                    if let Some(graph) = &job.track.graph_id {
                        self.graphs.remove(graph);
                    }
                    self.reported.remove(&job.id);
                    self.evicted.push(job);
                }
            }
            Place::Application(arn) => drop(self.applications.remove(&arn)),
            Place::Platform(id) => drop(self.platform_jobs.remove(&id)),
            Place::Deployment(id) => drop(self.deployments.remove(&id)),
        }
        self.counters.evicted += 1;
        true
    }

    /// What is said of entities that are no Flink jobs.
    pub(super) fn derive_other(&mut self, event: &Event, told: Told<'_>) {
        match event {
            Event::ApplicationCall {
                application,
                call,
                answered,
            } => self.application_call(application, *call, *answered, told),
            Event::ApplicationReported {
                application,
                state,
                version,
            } => self.application_reported(application, *state, *version, told),
            Event::VersionReported {
                application,
                version,
                state,
            } => self.version_reported(application, *version, *state, told),
            Event::ApplicationError { application, error } => {
                self.application_error(application, error, told);
            }
            Event::PlatformJobReported(resource) => self.platform_job_reported(resource, told),
            Event::PlatformEvent {
                job,
                namespace,
                state,
            } => self.platform_event(*job, namespace.as_ref(), *state, told),
            Event::DeploymentStatus { state } => self.deployment_status(*state, told),
            Event::DeploymentJobStatus { to, .. } => self.deployment_job_status(*to, told),
            _ => {}
        }
    }
}
