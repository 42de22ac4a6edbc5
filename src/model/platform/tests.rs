//! Jobs of the Ververica Platform by scripts: resources, events and the Flink log, and what follows.
//!
//! A line is `SECONDS resource V STATE [STATUS RESTARTS]`, `SECONDS event STATE` or `SECONDS log A>B`. The resource was
//! modified at that second, and its Flink job observed then.

use std::sync::Arc;

use jiff::Timestamp;

use crate::line::{JobId, LogId};
use crate::model::event::{Event, RestartReason, Said, Seen};
use crate::model::flink_job::JobState;
use crate::model::retention::Retention;
use crate::model::state::State as _;
use crate::model::vvp_job::{PlatformJob, PlatformJobId, PlatformJobState, Started};
use crate::model::{Fleet, LogContext};

const ID: PlatformJobId = PlatformJobId(JobId([7; 16]));

fn event(words: &[&str], at: Timestamp) -> Event {
    match words {
        ["resource", version, state, observed @ ..] => {
            let started = |observed: &[&str]| Started {
                started_at: None,
                updated_at: Some(at),
                flink_job: Some(ID.0),
                restarts: observed[1].parse().ok(),
                status: JobState::read(observed[0]),
            };
            Event::PlatformJobReported(Box::new(PlatformJob {
                namespace: Some(Arc::from("team")),
                deployment: Some(Arc::from("dep")),
                resource_version: version.parse().ok(),
                modified_at: Some(at),
                state: PlatformJobState::read(state),
                started: (!observed.is_empty()).then(|| started(observed)),
                ..PlatformJob::unseen(ID)
            }))
        }
        ["event", state] => Event::PlatformEvent {
            job: ID,
            namespace: None,
            state: PlatformJobState::read(state).unwrap(),
        },
        ["log", edge] => {
            let (from, to) = edge.split_once('>').unwrap();
            Event::JobTransition {
                job: ID.0,
                name: "top-speed".into(),
                from: JobState::named(from).unwrap(),
                to: JobState::named(to).unwrap(),
            }
        }
        other => panic!("{other:?}"),
    }
}

fn run(script: &str) -> Fleet {
    let mut fleet = Fleet::default();
    for (log, cluster) in [(1, "default"), (2, "team/pod")] {
        let cluster = Arc::from(cluster);
        fleet.open_log(LogId(log), LogContext { cluster });
    }
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = Timestamp::from_second(words[0].parse().unwrap()).unwrap();
        let seen = Seen {
            log: LogId(if words[1] == "log" { 2 } else { 1 }),
            offset: 0,
            at: Some(at),
            mdc_job: None,
            carrier: None,
            said: Said::Event(event(&words[1..], at)),
        };
        fleet.apply(&seen, at);
    }
    fleet
}

/// `STARTING@1 reported`; late entries in brackets.
fn text<S: crate::model::state::State>(entries: impl Iterator<Item = crate::model::Entry<S>>) -> String {
    let entry = |entry: crate::model::Entry<S>| {
        let at = entry.at.map_or(-1, Timestamp::as_second);
        let text = format!("{}@{at} {}", entry.to.name(), entry.basis.name());
        if entry.late { format!("[{text}]") } else { text }
    };
    entries.map(entry).collect::<Vec<_>>().join(", ")
}

/// What becomes of the platform's job, and of its Flink job.
#[track_caller]
fn check(script: &str, platform: &str, flink: &str) {
    let fleet = run(script);
    let job = fleet.platform_jobs().next().unwrap();
    assert_eq!(text(job.story.history.iter().cloned()), platform);
    let jobs: Vec<_> = fleet.jobs().collect();
    assert!(jobs.len() < 2, "one job is told of: {jobs:?}");
    let job = jobs.first().map(|job| text(job.history.iter().cloned()));
    assert_eq!(job.unwrap_or_default(), flink);
}

/// Restarts of the Flink job: those of its log, those that only the platform observed.
#[track_caller]
fn check_restarts(script: &str, logged: u64, observed: u64) {
    let fleet = run(script);
    let job = fleet.jobs().next().unwrap();
    let restarts = [RestartReason::Failure, RestartReason::Observed].map(|reason| job.restarts_for(reason));
    assert_eq!(restarts, [logged, observed], "{script}");
}

#[test]
fn a_resource_tells_the_platforms_state_and_the_flink_jobs() {
    check(
        "1 resource 1 STARTING
         2 resource 2 started CREATED 0
         3 resource 3 STARTED RUNNING 0
         3 resource 3 STARTED RUNNING 0
         4 resource 4 STARTED UNKNOWN 3
         5 resource 5 TERMINATING RUNNING 3
         6 resource 6 TERMINATED",
        "STARTING@1 reported, STARTED@2 reported, TERMINATING@5 reported, TERMINATED@6 reported",
        "CREATED@2 reported, RUNNING@3 reported",
    );
}

#[test]
fn a_lower_version_is_stale_and_a_higher_one_counts_whatever_its_time() {
    check(
        "5 resource 5 STARTED RUNNING 0\n 6 resource 4 STARTING CREATED 9",
        "STARTED@5 reported",
        "RUNNING@5 reported",
    );
    check(
        "5 resource 5 STARTING\n 4 resource 6 STARTED",
        "STARTING@5 reported, STARTED@4 reported",
        "",
    );
    check(
        "5 resource - STARTED\n 4 resource - STARTING",
        "STARTED@5 reported, [STARTING@4 reported]",
        "",
    );
}

#[test]
fn what_has_ended_has_ended() {
    check(
        "1 resource 1 FINISHED\n 2 resource 2 STARTED",
        "FINISHED@1 reported",
        "",
    );
    check(
        "1 resource 1 FAILED\n 2 resource 2 TERMINATING",
        "FAILED@1 reported, TERMINATING@2 reported",
        "",
    );
}

#[test]
fn events_move_a_job_on_and_never_back() {
    check(
        "1 event STARTING\n 2 event STARTED\n 3 event STARTING\n 1 event TERMINATING\n 4 event FINISHED",
        "STARTING@1 inferred, STARTED@2 inferred, [TERMINATING@1 inferred], FINISHED@4 inferred",
        "",
    );
}

#[test]
fn a_logs_own_word_goes_before_the_platforms() {
    check(
        "1 resource 1 STARTED CREATED 0
         2 log CREATED>RUNNING
         3 resource 2 STARTED RESTARTING 1
         4 resource 3 STARTED FAILED 1",
        "STARTED@1 reported",
        "CREATED@1 reported, RUNNING@2 log",
    );
    let fleet = run("1 resource 1 STARTED CREATED 0\n 2 log CREATED>RUNNING");
    let job = fleet.jobs().next().unwrap();
    assert_eq!(
        (&*job.cluster, job.name.as_deref()),
        ("team/pod", Some("top-speed"))
    );
    let fleet = run("2 log CREATED>RUNNING\n 3 resource 1 STARTED RUNNING 0");
    assert_eq!(fleet.jobs().count(), 1);
}

#[test]
fn an_observed_flink_job_that_has_ended_does_not_come_back() {
    check(
        "1 resource 1 STARTED FINISHED 0\n 2 resource 2 STARTED RUNNING 0\n 0 resource 3 STARTED CREATED 0",
        "STARTED@1 reported",
        "FINISHED@1 reported, [CREATED@0 reported]",
    );
}

#[test]
fn restarts_observed_are_a_lower_bound_that_counts_each_once() {
    check_restarts(
        "1 resource 1 STARTED RUNNING 1\n 2 resource 2 STARTED RUNNING 3",
        0,
        3,
    );
    check_restarts(
        "1 resource 1 STARTED RUNNING 3\n 2 resource 2 STARTED RUNNING 0",
        0,
        3,
    );
    check_restarts(
        "1 log CREATED>RUNNING\n 2 log RUNNING>RESTARTING\n 3 log RESTARTING>RUNNING\n 4 resource 1 STARTED RUNNING 3",
        1,
        2,
    );
    // The log is read after the resource that has counted its restarts.
    let log = "1 log CREATED>RUNNING\n 2 log RUNNING>RESTARTING\n 3 log RESTARTING>RUNNING";
    check_restarts(&format!("4 resource 1 STARTED UNKNOWN 1\n {log}"), 0, 1);
    check_restarts(
        &format!("4 resource 1 STARTED UNKNOWN 1\n {log}\n 5 log RUNNING>RESTARTING"),
        1,
        1,
    );
}

#[test]
fn a_flink_job_that_only_the_platform_told_of_leaves_with_the_platforms_own() {
    let hidden = |script: &str| {
        let fleet = run(script);
        let job = fleet.jobs().next().unwrap();
        Retention::default().hides_from(job).map(Timestamp::as_second)
    };
    let ended = "1 resource 1 STARTED RUNNING 0\n 5 resource 2 TERMINATED";
    assert_eq!(hidden("1 resource 1 STARTED RUNNING 0"), None);
    assert_eq!(hidden(ended), Some(5 + 3600));
    assert_eq!(hidden("5 resource 2 TERMINATED RUNNING 0"), Some(5 + 3600));
    assert_eq!(hidden(&format!("{ended}\n 2 log RUNNING>RESTARTING")), None);
    let mut fleet = Fleet::with_limit(2);
    let cluster = Arc::from("default");
    fleet.open_log(LogId(1), LogContext { cluster });
    for number in 0..10_u8 {
        let id = PlatformJobId(JobId([number; 16]));
        let at = Timestamp::from_second(i64::from(number)).unwrap();
        for state in [PlatformJobState::Started, PlatformJobState::Terminated] {
            let resource = PlatformJob {
                modified_at: Some(at),
                state: Some(state),
                started: Some(Started {
                    status: Some(JobState::Running),
                    ..Started::default()
                }),
                ..PlatformJob::unseen(id)
            };
            let seen = Seen {
                log: LogId(1),
                offset: 0,
                at: Some(at),
                mdc_job: None,
                carrier: None,
                said: Said::Event(Event::PlatformJobReported(Box::new(resource))),
            };
            fleet.apply(&seen, at);
        }
    }
    assert_eq!(fleet.counters().dropped, 0, "what has ended makes room");
}
