//! Applications of Managed Service for Apache Flink: what calls, answers and their jobs' logs make of their state.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use super::arn::ApplicationArn;
use super::event::Cause;
use super::fleet::{Fleet, Key, Place};
use super::flink_job::JobState;
use super::job::Failure;
use super::kda_application::{ApplicationState, Call, inferred};
use super::state::State as _;
use super::story::{Basis, Storied, Story};
use super::told::Told;

/// Jobs and moves of jobs kept per application, the newest.
const KEPT: usize = 32;

/// Versions whose state is kept, the newest.
const VERSIONS: usize = 32;

/// What is known of one application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Which one.
    pub arn: ApplicationArn,
    /// Its state and how it came about.
    pub story: Story<ApplicationState>,
    /// The version that the service named last.
    pub version: Option<u64>,
    /// States of versions, as the service reported them; `ROLLED_BACK` is one of these, not the application's.
    pub versions: BTreeMap<u64, ApplicationState>,
    /// The last error that the service wrote into its log: code as class.
    pub error: Option<Failure>,
    /// The Flink jobs that it runs or ran, the newest last: cluster and id.
    pub jobs: VecDeque<Key>,
    /// What its jobs did, by time: a call that arrives late (`CloudTrail`: minutes) is followed by what they did since.
    pub moves: VecDeque<Move>,
}

/// A job of an application began to run, or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Move {
    /// Event time.
    pub at: Timestamp,
    /// RUNNING or a terminal state.
    pub to: JobState,
    /// A new job runs, not the old one again.
    pub begins: bool,
}

impl Application {
    fn new(arn: ApplicationArn, read: Timestamp) -> Self {
        Self {
            arn,
            story: Story::new(read),
            version: None,
            versions: BTreeMap::new(),
            error: None,
            jobs: VecDeque::new(),
            moves: VecDeque::new(),
        }
    }

    /// Since when it can make room for others: one that is being deleted, since nothing tells that it is gone, and one
    /// whose state nobody has told.
    pub(super) fn ended_at(&self) -> Option<Timestamp> {
        use ApplicationState::{Deleting, Unknown};
        matches!(self.story.state, Deleting | Unknown).then(|| self.story.since())
    }

    /// Something beyond its jobs is known of it.
    pub(super) fn is_known(&self) -> bool {
        self.story.is_born() || self.error.is_some() || !self.versions.is_empty()
    }

    /// Whether a call was accepted before the present state was entered. `CloudTrail` cuts times to the second, so that
    /// one of the same second counts as later.
    fn is_before(&self, call: Option<Timestamp>) -> bool {
        matches!((call, self.story.since), (Some(call), Some(since)) if call.as_second() < since.as_second())
    }

    /// The moves of jobs that came after a call, which nobody knew of when they were made.
    fn moves_since(&self, call: Option<Timestamp>) -> Vec<Move> {
        let since = |moved: &&Move| call.is_some_and(|call| moved.at.as_second() >= call.as_second());
        self.moves.iter().filter(since).copied().collect()
    }

    fn remember(&mut self, moved: Move) {
        let place = self.moves.partition_point(|earlier| *earlier <= moved);
        self.moves.insert(place, moved);
        if self.moves.len() > KEPT {
            self.moves.pop_front();
        }
        self.story.revision += 1;
    }
}

impl Storied for Application {
    type State = ApplicationState;
    type Id = ApplicationArn;

    fn id(&self) -> ApplicationArn {
        self.arn.clone()
    }

    fn story(&self) -> &Story<ApplicationState> {
        &self.story
    }

    fn name(&self) -> Option<&str> {
        Some(self.arn.name())
    }

    fn labels(&self) -> [(&'static str, &str); 2] {
        [("account", self.arn.account()), ("region", self.arn.region())]
    }
}

impl Fleet {
    fn application(&mut self, arn: &ApplicationArn, told: Told<'_>) -> Option<&mut Application> {
        if !self.has_room(self.applications.contains_key(arn)) {
            return None;
        }
        if !self.applications.contains_key(arn) {
            let application = Application::new(arn.clone(), told.read);
            self.note_end(|| Place::Application(arn.clone()), None, application.ended_at());
            self.applications.insert(arn.clone(), application);
        }
        self.applications.get_mut(arn)
    }

    /// A call was accepted (`CloudTrail`).
    pub(super) fn application_call(
        &mut self,
        arn: &ApplicationArn,
        call: Call,
        answered: Option<ApplicationState>,
        told: Told<'_>,
    ) {
        let Some(application) = self.application(arn, told) else {
            return;
        };
        let (to, basis) = match answered {
            Some(state) => (state, Basis::Reported),
            None => (call.begins(), Basis::Api),
        };
        if application.is_before(told.at) {
            application.story.note_late(to, basis, told);
            self.counters.late_events += 1;
            return;
        }
        let proved = call.proves(application.story.state);
        let moves = application.moves_since(told.at);
        if let Some(proved) = proved {
            self.enter_application(arn, proved, Basis::Implied, told);
        }
        self.enter_application(arn, to, basis, told);
        for moved in moves {
            self.follow_job(
                arn,
                moved.to,
                moved.begins,
                Told {
                    at: Some(moved.at),
                    ..told
                },
            );
        }
    }

    /// The service said which state it is in.
    pub(super) fn application_reported(
        &mut self,
        arn: &ApplicationArn,
        state: ApplicationState,
        version: Option<u64>,
        told: Told<'_>,
    ) {
        let Some(application) = self.application(arn, told) else {
            return;
        };
        if application.story.is_older(told.at) {
            if application.story.state != state {
                application.story.note_late(state, Basis::Reported, told);
            }
            self.counters.late_events += 1;
            return;
        }
        if version.is_some() && application.version != version {
            application.version = version;
            application.story.revision += 1;
        }
        self.enter_application(arn, state, Basis::Reported, told);
    }

    /// The service said which state one version is in: `ROLLED_BACK` for instance. The application is in another one.
    pub(super) fn version_reported(
        &mut self,
        arn: &ApplicationArn,
        version: u64,
        state: ApplicationState,
        told: Told<'_>,
    ) {
        let Some(application) = self.application(arn, told) else {
            return;
        };
        application.versions.insert(version, state);
        if application.versions.len() > VERSIONS {
            application.versions.pop_first();
        }
        application.story.revision += 1;
    }

    /// The service wrote an error into the application's log.
    pub(super) fn application_error(&mut self, arn: &ApplicationArn, error: &Cause, told: Told<'_>) {
        let Some(application) = self.application(arn, told) else {
            return;
        };
        let is_older = application.error.as_ref().is_some_and(|last| told.at < last.at);
        if !is_older {
            application.error = Some(Failure {
                cause: error.clone(),
                at: told.at,
            });
            application.story.revision += 1;
        }
    }

    /// A job was seen to be an application's.
    pub(super) fn link_job(&mut self, arn: &ApplicationArn, job: &Key, told: Told<'_>) {
        let Some(application) = self.application(arn, told) else {
            return;
        };
        if application.jobs.contains(job) {
            return;
        }
        if application.jobs.len() == KEPT {
            application.jobs.pop_front();
        }
        application.jobs.push_back(job.clone());
        application.story.revision += 1;
    }

    /// A job of an application entered a state; `begins`: as a new job, not as the old one again.
    pub(super) fn job_of_application_moved(
        &mut self,
        arn: &ApplicationArn,
        to: JobState,
        begins: bool,
        told: Told<'_>,
    ) {
        if to != JobState::Running && !to.is_terminal() {
            return;
        }
        if let Some(at) = told.at
            && let Some(application) = self.application(arn, told)
        {
            application.remember(Move { at, to, begins });
        }
        self.follow_job(arn, to, begins, told);
    }

    /// What a job's move says of its application.
    fn follow_job(&mut self, arn: &ApplicationArn, job: JobState, begins: bool, told: Told<'_>) {
        let Some(application) = self.application(arn, told) else {
            return;
        };
        let Some(to) = inferred(application.story.state, job, begins) else {
            return;
        };
        if application.story.is_older(told.at) {
            application.story.note_late(to, Basis::Inferred, told);
            self.counters.late_events += 1;
        } else {
            self.enter_application(arn, to, Basis::Inferred, told);
        }
    }

    fn enter_application(
        &mut self,
        arn: &ApplicationArn,
        to: ApplicationState,
        basis: Basis,
        told: Told<'_>,
    ) {
        let Some(application) = self.applications.get_mut(arn) else {
            return;
        };
        let was_ended = application.ended_at();
        if application.story.enter(to, basis, told) {
            self.counters.applications_entered[to.index()] += 1;
        }
        let is_ended = application.ended_at();
        self.note_end(|| Place::Application(arn.clone()), was_ended, is_ended);
    }
}

#[cfg(test)]
mod tests;
