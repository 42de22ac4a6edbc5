//! What happens in the made-up fleet: a table of jobs and what becomes of each, as a function of time.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::wording::Said::{
    self, Began, Checkpoint, Over, Recovered, Rescaled, Started, Submitted, Switched, TaskFailed,
};
use crate::model::flink_job::JobState::{
    Canceled, Cancelling, Created, Failed, Failing, Finished, Reconciling, Restarting, Running, Suspended,
};

/// Steps with when they happen, seconds.
type Steps = &'static [(i64, Said)];

/// A job, or a JobManager process where only [`Began`] is said.
struct Story {
    cluster: &'static str,
    job: &'static str,
    /// Minutes before the demonstration.
    began: i64,
    /// From its beginning on, once.
    first: Steps,
    /// From its beginning on, again and again.
    then: Option<Cycle>,
}

struct Cycle {
    /// Seconds between its beginning and the first round, and between two rounds.
    every: i64,
    steps: Steps,
    /// Each round is a job of its own.
    new_job: bool,
}

const START: Steps = &[(0, Submitted), (1, Started), (1, Switched(Created, Running))];

const HEALTHY: Option<Cycle> = Some(again(30, &[(0, Checkpoint)]));

const fn again(every: i64, steps: Steps) -> Cycle {
    Cycle {
        every,
        steps,
        new_job: false,
    }
}

const fn story(
    cluster: &'static str,
    job: &'static str,
    began: i64,
    first: Steps,
    then: Option<Cycle>,
) -> Story {
    Story {
        cluster,
        job,
        began,
        first,
        then,
    }
}

/// One cluster with the default scheduler, one with the adaptive scheduler, one whose JobManager crashes.
static FLEET: &[Story] = &[
    story("session", "", 90, &[(0, Began)], None),
    story("session", "orders", 88, START, HEALTHY),
    story("session", "fraud-detection", 87, START, HEALTHY),
    story(
        "session",
        "clickstream",
        60,
        START,
        Some(again(
            20,
            &[
                (
                    0,
                    TaskFailed("java.lang.IllegalStateException: Kafka topic 'clicks' has no partition 7"),
                ),
                (0, Switched(Running, Restarting)),
                (5, Switched(Restarting, Running)),
            ],
        )),
    ),
    story(
        "session",
        "payments",
        80,
        &[
            (0, Submitted),
            (1, Started),
            (1, Switched(Created, Running)),
            (
                1800,
                TaskFailed("java.net.ConnectException: Connection refused: db-2.internal/10.3.0.12:5432"),
            ),
            (1800, Switched(Running, Failing)),
            (1801, Switched(Failing, Failed)),
            (1801, Over(Failed)),
        ],
        None,
    ),
    story("session", "stuck-initializing", 40, &[(0, Submitted)], None),
    story(
        "session",
        "stuck-restarting",
        50,
        &[
            (0, Submitted),
            (1, Started),
            (1, Switched(Created, Running)),
            (
                900,
                TaskFailed(
                    "org.apache.flink.util.FlinkException: TaskExecutor 10.3.0.31:6122-5bd1a2 is no longer reachable",
                ),
            ),
            (900, Switched(Running, Restarting)),
        ],
        None,
    ),
    story(
        "session",
        "stuck-failing",
        45,
        &[
            (0, Submitted),
            (1, Started),
            (1, Switched(Created, Running)),
            (600, TaskFailed("java.lang.OutOfMemoryError: Java heap space")),
            (600, Switched(Running, Failing)),
        ],
        None,
    ),
    story(
        "session",
        "stuck-cancelling",
        45,
        &[
            (0, Submitted),
            (1, Started),
            (1, Switched(Created, Running)),
            (1200, Switched(Running, Cancelling)),
        ],
        None,
    ),
    story(
        "session",
        "stuck-suspended",
        45,
        &[
            (0, Submitted),
            (1, Started),
            (1, Switched(Created, Running)),
            (1500, Switched(Running, Suspended)),
        ],
        None,
    ),
    story(
        "session",
        "stuck-reconciling",
        30,
        &[(0, Submitted), (1, Started), (1, Switched(Created, Reconciling))],
        None,
    ),
    Story {
        cluster: "session",
        job: "nightly-report",
        began: 20,
        first: &[],
        then: Some(Cycle {
            every: 150,
            steps: &[
                (0, Submitted),
                (1, Started),
                (1, Switched(Created, Running)),
                (70, Switched(Running, Finished)),
                (70, Over(Finished)),
            ],
            new_job: true,
        }),
    },
    story("adaptive", "", 90, &[(0, Began)], None),
    story(
        "adaptive",
        "sessions",
        85,
        START,
        Some(again(
            90,
            &[
                (0, Rescaled),
                (0, Switched(Running, Cancelling)),
                (1, Switched(Cancelling, Canceled)),
                (4, Switched(Created, Running)),
            ],
        )),
    ),
    story(
        "adaptive",
        "stuck-created",
        25,
        &[(0, Submitted), (1, Started)],
        None,
    ),
    // The JobManager dies without a word, and comes back after a while.
    story("failover", "", 61, &[(0, Began)], Some(again(120, &[(0, Began)]))),
    story(
        "failover",
        "inventory",
        61,
        &[(1, Submitted), (2, Started), (2, Switched(Created, Running))],
        Some(again(
            120,
            &[
                (6, Recovered),
                (8, Started),
                (8, Switched(Created, Running)),
                (60, Checkpoint),
            ],
        )),
    ),
];

/// Something said, in the order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) cluster: &'static str,
    pub(super) job: &'static str,
    /// 32 hexadecimal digits.
    pub(super) id: String,
    /// Seconds since the demonstration began; before that they are negative.
    pub(super) at: i64,
    pub(super) said: Said,
}

/// The clusters.
pub(super) fn clusters() -> impl Iterator<Item = &'static str> {
    let processes = FLEET.iter().filter(|story| story.job.is_empty());
    processes.map(|story| story.cluster)
}

/// What is said after one moment and up to another, all clusters together.
pub(super) fn between(after: i64, upto: i64) -> Vec<Moment> {
    let mut moments: Vec<Moment> = FLEET
        .iter()
        .flat_map(|story| story.between(after, upto))
        .collect();
    moments.sort_by_key(|moment| moment.at);
    moments
}

impl Story {
    fn between(&self, after: i64, upto: i64) -> Vec<Moment> {
        let began = -60 * self.began;
        let first = self
            .first
            .iter()
            .map(|(at, said)| self.moment(began + at, *said, 0));
        let rounds = self.then.iter().flat_map(|cycle| {
            let round = move |number: i64| {
                let run = if cycle.new_job { number } else { 0 };
                let begins = began + number * cycle.every;
                cycle
                    .steps
                    .iter()
                    .map(move |(at, said)| self.moment(begins + at, *said, run))
            };
            (1..=(upto - began) / cycle.every).flat_map(round)
        });
        first
            .chain(rounds)
            .filter(|moment| (after + 1..=upto).contains(&moment.at))
            .collect()
    }

    fn moment(&self, at: i64, said: Said, run: i64) -> Moment {
        Moment {
            cluster: self.cluster,
            job: self.job,
            id: id(self.job, run),
            at,
            said,
        }
    }
}

/// A made-up id, the same in every demonstration.
fn id(job: &str, run: i64) -> String {
    let half = |part: u8| {
        let mut hasher = DefaultHasher::new();
        (job, run, part).hash(&mut hasher);
        hasher.finish()
    };
    format!("{:016x}{:016x}", half(0), half(1))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::flink_job::JobState::{self, Initializing};

    #[test]
    fn every_transient_state_has_a_job_that_is_stuck_in_it() {
        let mut last = BTreeMap::new();
        for moment in between(i64::MIN / 2, 0) {
            let state = match moment.said {
                Submitted => Initializing,
                Started => Created,
                Switched(_, to) => to,
                _ => continue,
            };
            last.insert(moment.job, state);
        }
        for state in [
            Initializing,
            Created,
            Restarting,
            Failing,
            Cancelling,
            Reconciling,
            Suspended,
        ] {
            let job = format!("stuck-{}", state.name().to_lowercase());
            assert_eq!(last.get(job.as_str()), Some(&state), "{job}: {last:?}");
        }
        assert_eq!(
            JobState::ALL.len() - 5,
            7,
            "and there are no other transient states"
        );
    }

    #[test]
    fn time_may_be_cut_anywhere() {
        let whole = between(-500, 500);
        let cut: Vec<Moment> = (-500..500)
            .flat_map(|second| between(second, second + 1))
            .collect();
        assert_eq!(whole, cut);
        assert!(
            whole
                .iter()
                .any(|moment| moment.job == "nightly-report" && moment.at > 0)
        );
    }
}
