//! How long a state may last before somebody should look, and how long an ended job stays in the metrics. Plain data
//! and pure functions: the configuration fills them, the exposition asks them.

use std::collections::BTreeMap;
use std::time::Duration;

use globset::{Glob, GlobMatcher};
use jiff::Timestamp;

use super::flink_deployment::DeploymentState;
use super::flink_job::{Class, JobState};
use super::job::Job;
use super::kda_application::ApplicationState;
use super::state::State;
use super::story::Story;
use super::vvp_job::PlatformJobState;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// After how long in one state a job counts as stuck. Only transient states have a threshold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thresholds {
    /// For every job; a state that is absent is never called stuck.
    pub by_state: BTreeMap<JobState, Duration>,
    /// For every application.
    pub applications: BTreeMap<ApplicationState, Duration>,
    /// For every job of the Ververica Platform.
    pub platform_jobs: BTreeMap<PlatformJobState, Duration>,
    /// For every resource of the Flink Kubernetes operator.
    pub deployments: BTreeMap<DeploymentState, Duration>,
    /// For jobs of certain names; the first that matches decides.
    pub overrides: Vec<Override>,
}

/// What differs for the jobs of certain names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Override {
    /// Which jobs.
    pub job_name: NameGlob,
    /// Only the states that differ.
    pub by_state: BTreeMap<JobState, Duration>,
}

/// A job's name, or a glob over names (`globset`'s syntax).
///
/// The default matches no job.
#[derive(Debug, Clone, Default)]
pub struct NameGlob(Option<GlobMatcher>);

impl NameGlob {
    /// Compiles a glob; the error says what is wrong with it.
    pub fn new(glob: &str) -> Result<Self, globset::Error> {
        Ok(Self(Some(Glob::new(glob)?.compile_matcher())))
    }

    fn matches(&self, name: &str) -> bool {
        self.0.as_ref().is_some_and(|matcher| matcher.is_match(name))
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_ref().map_or("", |matcher| matcher.glob().glob())
    }
}

impl PartialEq for NameGlob {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for NameGlob {}

impl Default for Thresholds {
    fn default() -> Self {
        use JobState::{Cancelling, Created, Failing, Initializing, Reconciling, Restarting, Suspended};
        let minutes = |state, count| (state, Duration::from_secs(count * MINUTE));
        Self {
            by_state: BTreeMap::from([
                minutes(Initializing, 5),
                minutes(Created, 5),
                minutes(Failing, 5),
                minutes(Cancelling, 5),
                minutes(Reconciling, 5),
                minutes(Restarting, 10),
                minutes(Suspended, 10),
            ]),
            applications: transient(|state| match state {
                ApplicationState::ForceStopping | ApplicationState::Deleting => 10,
                _ => 30,
            }),
            platform_jobs: transient(|_| 15),
            deployments: transient(|_| 15),
            overrides: Vec::new(),
        }
    }
}

/// Minutes for every transient state of a kind.
fn transient<S: State>(minutes: impl Fn(S) -> u64) -> BTreeMap<S, Duration> {
    let states = S::ALL.iter().filter(|state| state.class() == Class::Transient);
    states
        .map(|state| (*state, Duration::from_secs(minutes(*state) * MINUTE)))
        .collect()
}

/// States whose times can be set: one table of each sort for each kind of entity.
pub trait Configured: State {
    /// How long entities in such a state stay in the metrics.
    fn kept(retention: &Retention) -> &BTreeMap<Self, Duration>;

    /// The same, to be changed.
    fn kept_mut(retention: &mut Retention) -> &mut BTreeMap<Self, Duration>;

    /// From when on such a state is stuck.
    fn stuck(thresholds: &Thresholds) -> &BTreeMap<Self, Duration>;

    /// The same, to be changed.
    fn stuck_mut(thresholds: &mut Thresholds) -> &mut BTreeMap<Self, Duration>;
}

/// Says where the times of a kind's states stand.
macro_rules! configured {
    ($state:ty, $kind:ident) => {
        impl Configured for $state {
            fn kept(retention: &Retention) -> &BTreeMap<Self, Duration> {
                &retention.$kind
            }

            fn kept_mut(retention: &mut Retention) -> &mut BTreeMap<Self, Duration> {
                &mut retention.$kind
            }

            fn stuck(thresholds: &Thresholds) -> &BTreeMap<Self, Duration> {
                &thresholds.$kind
            }

            fn stuck_mut(thresholds: &mut Thresholds) -> &mut BTreeMap<Self, Duration> {
                &mut thresholds.$kind
            }
        }
    };
}

configured!(JobState, by_state);
configured!(ApplicationState, applications);
configured!(PlatformJobState, platform_jobs);
configured!(DeploymentState, deployments);

impl Thresholds {
    /// The overrides for a job of this name; none where it follows `by_state` alone.
    #[must_use]
    pub fn overridden(&self, name: Option<&str>) -> Option<&BTreeMap<JobState, Duration>> {
        let name = name?;
        self.overrides
            .iter()
            .find(|o| o.job_name.matches(name))
            .map(|o| &o.by_state)
    }

    /// The threshold of the state that the job is in.
    #[must_use]
    pub fn of(&self, job: &Job) -> Option<Duration> {
        self.overridden(job.name.as_deref())
            .and_then(|states| states.get(&job.state))
            .or_else(|| self.by_state.get(&job.state))
            .copied()
    }

    /// Has the job been in its state for longer than it should?
    #[must_use]
    pub fn is_stuck(&self, job: &Job, now: Timestamp) -> bool {
        let lasted = Duration::try_from(now.duration_since(job.since.unwrap_or(job.since_read)));
        // A state entered in the future (clocks differ) is not stuck.
        self.of(job)
            .zip(lasted.ok())
            .is_some_and(|(limit, lasted)| lasted > limit)
    }
}

/// For how long a job that has ended, or that nobody can tell of, stays in the metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// By state; a state that is absent is kept for ever. Only terminal states and UNKNOWN are ever hidden.
    pub by_state: BTreeMap<JobState, Duration>,
    /// The same for applications. One that is DELETING is hidden too: nothing tells when it is gone.
    pub applications: BTreeMap<ApplicationState, Duration>,
    /// The same for jobs of the Ververica Platform.
    pub platform_jobs: BTreeMap<PlatformJobState, Duration>,
    /// The same for resources of the Flink Kubernetes operator.
    pub deployments: BTreeMap<DeploymentState, Duration>,
}

impl Default for Retention {
    fn default() -> Self {
        fn hours<S>(state: S, count: u64) -> (S, Duration) {
            (state, Duration::from_secs(count * HOUR))
        }
        Self {
            by_state: BTreeMap::from([
                hours(JobState::Finished, 1),
                hours(JobState::Canceled, 1),
                hours(JobState::Failed, 24),
                hours(JobState::Unknown, 24),
            ]),
            applications: BTreeMap::from([
                hours(ApplicationState::Deleting, 1),
                hours(ApplicationState::Unknown, 24),
            ]),
            platform_jobs: BTreeMap::from([
                hours(PlatformJobState::Terminated, 1),
                hours(PlatformJobState::Finished, 1),
                hours(PlatformJobState::Failed, 24),
                hours(PlatformJobState::Unknown, 24),
            ]),
            deployments: BTreeMap::from([
                hours(DeploymentState::Deleted, 1),
                hours(DeploymentState::Failed, 24),
                hours(DeploymentState::Unknown, 24),
            ]),
        }
    }
}

impl Retention {
    /// Nothing is ever hidden: what a replay wants.
    #[must_use]
    pub const fn forever() -> Self {
        Self {
            by_state: BTreeMap::new(),
            applications: BTreeMap::new(),
            platform_jobs: BTreeMap::new(),
            deployments: BTreeMap::new(),
        }
    }

    /// From when on the series of an entity that is no Flink job are absent; none where they stay.
    ///
    /// As for jobs, but the states are those that the table of its kind has by default: DELETING is no end, and yet the
    /// last that is heard of an application.
    #[must_use]
    pub fn hides<S: Configured>(&self, story: &Story<S>) -> Option<Timestamp> {
        let keep = *S::kept(self).get(&story.state)?;
        ended(story.since, story.since_read).checked_add(keep).ok()
    }

    /// From when on the job's series are absent; none where they stay.
    ///
    /// Counted from event time, so that a backlog read for the first time pages nobody about last month. What lives is
    /// never hidden, however quiet it is: a stuck job is quiet. A job of which only the platform has told leaves with the
    /// platform's own.
    #[must_use]
    pub fn hides_from(&self, job: &Job) -> Option<Timestamp> {
        if let Some(forsaken) = job.forsaken_at() {
            let keep = *self.platform_jobs.get(&PlatformJobState::Terminated)?;
            return forsaken.checked_add(keep).ok();
        }
        if matches!(job.state.class(), Class::Transient | Class::Steady) {
            return None;
        }
        let keep = *self.by_state.get(&job.state)?;
        // Beyond the end of time is never.
        ended(job.since, job.since_read).checked_add(keep).ok()
    }
}

/// When a state was entered, as far as retention goes: a log whose clock runs ahead must not keep what has ended beyond its
/// time, since what was read has happened.
fn ended(since: Option<Timestamp>, read: Timestamp) -> Timestamp {
    since.map_or(read, |since| since.min(read))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::test_jobs::job;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A job in `state` since 09:00, read at `read`; is it hidden from `expected` on?
    fn check(state: JobState, read: &str, expected: Option<&str>) {
        let mut job = job("orders");
        (job.state, job.since, job.since_read) = (state, Some(at("2026-03-02T09:00:00Z")), at(read));
        assert_eq!(
            Retention::default().hides_from(&job),
            expected.map(at),
            "{state} read at {read}"
        );
    }

    #[test]
    fn ended_jobs_are_hidden_after_their_time_and_living_ones_never() {
        for state in JobState::ALL {
            let expected = match state {
                JobState::Finished | JobState::Canceled => Some("2026-03-02T10:00:00Z"),
                JobState::Failed | JobState::Unknown => Some("2026-03-03T09:00:00Z"),
                _ => None,
            };
            check(state, "2026-03-02T09:00:01Z", expected);
        }
    }

    #[test]
    fn retention_counts_from_event_time_unless_the_log_is_ahead_of_its_reader() {
        check(
            JobState::Finished,
            "2026-11-01T00:00:00Z",
            Some("2026-03-02T10:00:00Z"),
        );
        check(
            JobState::Finished,
            "2026-03-02T08:00:00Z",
            Some("2026-03-02T09:00:00Z"),
        );
    }

    #[test]
    fn a_living_job_is_not_hidden_even_when_its_state_is_given_a_time() {
        let retention = Retention {
            by_state: BTreeMap::from([(JobState::Running, Duration::ZERO)]),
            ..Retention::forever()
        };
        assert_eq!(retention.hides_from(&job("orders")), None);
        let mut ended = job("orders");
        ended.state = JobState::Failed;
        assert_eq!(Retention::forever().hides_from(&ended), None);
    }

    #[test]
    fn a_job_is_stuck_past_its_threshold_and_the_override_of_its_name_wins() {
        let mut thresholds = Thresholds::default();
        let slow = BTreeMap::from([(JobState::Restarting, Duration::from_secs(3600))]);
        thresholds.overrides.push(Override {
            job_name: NameGlob::new("slow*").unwrap(),
            by_state: slow,
        });
        for (name, state, now, expected) in [
            ("orders", JobState::Restarting, "2026-03-02T09:10:00Z", false),
            ("orders", JobState::Restarting, "2026-03-02T09:10:01Z", true),
            ("orders", JobState::Restarting, "2026-03-02T08:00:00Z", false),
            ("orders", JobState::Running, "2026-03-03T09:00:00Z", false),
            ("slow-batch", JobState::Restarting, "2026-03-02T09:59:00Z", false),
            ("slow-batch", JobState::Restarting, "2026-03-02T10:00:01Z", true),
            ("slow-batch", JobState::Created, "2026-03-02T09:05:01Z", true),
        ] {
            let mut job = job(name);
            (job.state, job.since) = (state, Some(at("2026-03-02T09:00:00Z")));
            assert_eq!(
                thresholds.is_stuck(&job, at(now)),
                expected,
                "{name} {state} at {now}"
            );
        }
    }
}
