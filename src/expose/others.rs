//! Entities that are no Flink jobs, as they are published: shared with the views before where they have not changed.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::entity::{Entered, Entity};
use super::view::View;
use crate::model::retention::{Configured, Thresholds};
use crate::model::state::{Class, State};
use crate::model::{Application, Deployment, Failure, Fleet, Storied, VvpJob};

/// Every such entity, by kind; those of one kind by id.
#[derive(Debug, Clone, Default)]
pub struct Others {
    /// Applications of Managed Service for Apache Flink.
    pub applications: Vec<Arc<Application>>,
    /// Jobs of the Ververica Platform.
    pub platform_jobs: Vec<Arc<VvpJob>>,
    /// Resources of the Flink Kubernetes operator.
    pub deployments: Vec<Arc<Deployment>>,
}

impl Others {
    /// Takes up what is new or has changed, and forgets what the model has removed.
    pub(super) fn follow(&mut self, fleet: &Fleet) {
        follow(&mut self.applications, fleet.applications());
        follow(&mut self.platform_jobs, fleet.platform_jobs());
        follow(&mut self.deployments, fleet.deployments());
    }

    /// All of them, as the pages show them.
    pub(super) fn entities(&self) -> impl Iterator<Item = &dyn Entity> {
        let applications = self.applications.iter().map(|one| &**one as &dyn Entity);
        let platform_jobs = self.platform_jobs.iter().map(|one| &**one as &dyn Entity);
        let deployments = self.deployments.iter().map(|one| &**one as &dyn Entity);
        applications.chain(platform_jobs).chain(deployments)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.applications.len() + self.platform_jobs.len() + self.deployments.len()
    }
}

/// What only some kinds have to show.
trait Shown: Storied {
    /// What the service last complained of.
    fn failure(&self) -> Option<&Failure> {
        None
    }

    /// What else is known, for people.
    fn facts(&self) -> Vec<(&'static str, String)>;
}

impl Shown for Application {
    fn failure(&self) -> Option<&Failure> {
        self.error.as_ref()
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let version = self.version.map(|version| ("version", version.to_string()));
        let rolled_back = self.versions.iter().map(|(version, state)| {
            let state = state.name();
            ("version", format!("{version} {state}"))
        });
        let jobs = self.jobs.iter().map(|(_, id)| ("Flink job", id.to_string()));
        version.into_iter().chain(rolled_back).chain(jobs).collect()
    }
}

impl Shown for VvpJob {
    fn facts(&self) -> Vec<(&'static str, String)> {
        let flink_job = self
            .flink_job
            .as_ref()
            .map(|(_, id)| ("Flink job", id.to_string()));
        let failure = self.resource.failure.as_ref();
        let failure = failure.map(|failure| ("failure", format!("{}: {}", failure.reason, failure.message)));
        flink_job.into_iter().chain(failure).collect()
    }
}

impl Shown for Deployment {
    fn facts(&self) -> Vec<(&'static str, String)> {
        let polled = self
            .job
            .map(|(state, _)| ("job, as the operator polled it", state.name().to_owned()));
        polled.into_iter().collect()
    }
}

impl<E: Shown> Entity for E
where
    E::State: Configured,
{
    fn kind(&self) -> &'static str {
        E::State::KIND
    }

    fn id(&self) -> String {
        Storied::id(self).to_string()
    }

    fn name(&self) -> Option<&str> {
        Storied::name(self)
    }

    fn labels(&self) -> Vec<(&'static str, &str)> {
        Storied::labels(self).to_vec()
    }

    fn state(&self) -> &'static str {
        self.story().state.name()
    }

    fn class(&self) -> Class {
        self.story().state.class()
    }

    fn unknown_because(&self) -> Option<&'static str> {
        (!self.story().is_born()).then_some("nothing has told its state")
    }

    fn since(&self) -> Timestamp {
        self.story().since()
    }

    fn may_last(&self, thresholds: &Thresholds) -> Option<Duration> {
        E::State::stuck(thresholds).get(&self.story().state).copied()
    }

    fn restarts(&self) -> Option<Vec<(&'static str, u64)>> {
        None
    }

    fn failure(&self) -> Option<&Failure> {
        Shown::failure(self)
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        Shown::facts(self)
    }

    fn history(&self) -> Vec<Entered> {
        self.story().history.iter().map(Entered::of).collect()
    }

    fn history_dropped(&self) -> u64 {
        self.story().history_dropped
    }
}

/// Both are sorted by id.
fn follow<'e, E: Storied + 'e>(known: &mut Vec<Arc<E>>, now: impl Iterator<Item = &'e E>) {
    let before = std::mem::take(known);
    let mut before = before.into_iter().peekable();
    for entity in now {
        let id = entity.id();
        while before.next_if(|old| old.id() < id).is_some() {}
        let same = before.next_if(|old| old.id() == id);
        let same = same.filter(|old| old.story().revision == entity.story().revision);
        known.push(same.unwrap_or_else(|| Arc::new(entity.clone())));
    }
}

/// Those whose series are there: what has ended too long ago is left out.
pub(super) fn shown<'v, E>(entities: &'v [Arc<E>], view: &'v View) -> impl Iterator<Item = &'v E>
where
    E: Storied,
    E::State: Configured,
{
    let is_shown = |entity: &&E| {
        let hidden_from = view.settings().retention.hides(entity.story());
        hidden_from.is_none_or(|from| view.at() < from)
    };
    entities.iter().map(|entity| &**entity).filter(is_shown)
}
