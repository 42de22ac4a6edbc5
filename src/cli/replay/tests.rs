//! Stories of jobs, as golden text.

use std::collections::VecDeque;

use super::*;
use crate::line::{JobId, LogId};
use crate::model::event::Cause;
use crate::model::{Basis, Failure, Scheduler, test_jobs};

fn at(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

/// A job with nothing but an id, a name and a history; each entry begins a second after the one before.
fn job(number: u8, name: &str, states: &[JobState]) -> Job {
    let start = at("2026-03-02T09:00:00.004Z");
    let history: VecDeque<Entry> = (0_i64..)
        .zip(states)
        .map(|(second, state)| Entry {
            at: Some(start + jiff::SignedDuration::from_secs(second)),
            from: None,
            to: *state,
            basis: if *state == JobState::Initializing {
                Basis::Inferred
            } else {
                Basis::Log
            },
            late: false,
            line: (LogId(0), 0),
        })
        .collect();
    let last = history.back().unwrap().clone();
    let mut job = test_jobs::job(name);
    job.id = JobId([number; 16]);
    job.state = last.to;
    job.since = last.at;
    job.restarts = [0; 4];
    job.history = history;
    job.flink_version = None;
    job
}

#[track_caller]
fn check(jobs: &[Job], colour: bool, expected: &str) {
    let mut out = Vec::new();
    story(jobs.iter(), &mut out, colour).unwrap();
    let told = String::from_utf8(out).unwrap();
    assert_eq!(told.trim_end(), expected.trim(), "\n{told}");
}

#[test]
fn a_job_is_told_with_its_restarts_its_cause_and_how_long_each_state_lasted() {
    use JobState::{Created, Initializing, Restarting, Running};
    let mut orders = job(
        1,
        "orders",
        &[Initializing, Created, Running, Restarting, Running],
    );
    orders.history[4].at = Some(at("2026-03-02T10:30:00Z"));
    orders.since = orders.history[4].at;
    orders.restarts = [1, 0, 2, 0];
    orders.flink_version = Some("1.20.5".into());
    orders.scheduler = Some(Scheduler::Default);
    let cause = Cause {
        class: "java.lang.RuntimeException".to_owned(),
        message: "sink\u{1b}[2J gone".to_owned(),
    };
    orders.failure = Some(Box::new(Failure {
        cause,
        at: orders.history[3].at,
    }));
    check(
        &[orders],
        false,
        "
1 job: 1 RUNNING

orders  01010101010101010101010101010101  cluster prod-1
  RUNNING since 2026-03-02 10:30:00.000, Flink 1.20.5, default scheduler
  restarts: 3 (1 failure, 2 process)
  last failure at 2026-03-02 09:00:03.004: java.lang.RuntimeException: sink\\u{1b}[2J gone
    2026-03-02 09:00:00.004  INITIALIZING    1.000s  inferred
    2026-03-02 09:00:01.004  CREATED         1.000s
    2026-03-02 09:00:02.004  RUNNING         1.000s
    2026-03-02 09:00:03.004  RESTARTING      1h 29m
    2026-03-02 10:30:00.000  RUNNING
",
    );
}

#[test]
fn what_is_not_known_is_said_and_late_entries_last_nothing() {
    use JobState::{Created, Running, Unknown};
    let mut lost = job(2, "a\nb", &[Created, Running, Unknown]);
    lost.name = None;
    lost.unknown_because = Some("its process ended");
    lost.history[1].late = true;
    lost.history[1].at = None;
    lost.history_dropped = 7;
    check(
        &[lost],
        false,
        "
1 job: 1 UNKNOWN

(name unknown)  02020202020202020202020202020202  cluster prod-1
  UNKNOWN since 2026-03-02 09:00:02.004 because its process ended
    … 7 older entries are not kept
    2026-03-02 09:00:00.004  CREATED         2.000s
    (no time)                RUNNING                 late
    2026-03-02 09:00:02.004  UNKNOWN
",
    );
}

#[test]
fn a_crash_loop_shows_its_beginning_and_its_end() {
    let states: Vec<JobState> = [JobState::Running, JobState::Restarting]
        .into_iter()
        .cycle()
        .take(500)
        .collect();
    let mut out = Vec::new();
    story([job(3, "loop", &states)].iter(), &mut out, false).unwrap();
    let told = String::from_utf8(out).unwrap();
    assert!(told.contains("    … 480 more …\n"), "{told}");
    assert_eq!(
        told.lines().count(),
        2 + 2 + FIRST_ENTRIES + 1 + LAST_ENTRIES + 1,
        "{told}"
    );
}

#[test]
fn one_entry_too_many_is_shown_rather_than_counted() {
    let states = vec![JobState::Running; FIRST_ENTRIES + LAST_ENTRIES + 1];
    let mut out = Vec::new();
    story([job(3, "loop", &states)].iter(), &mut out, false).unwrap();
    assert!(!String::from_utf8(out).unwrap().contains("more"));
}

#[test]
fn many_jobs_get_a_line_each() {
    let mut jobs: Vec<Job> = (0..60)
        .map(|number| job(number, "same", &[JobState::Finished]))
        .collect();
    jobs[1].state = JobState::Restarting;
    jobs[1].restarts = [4, 1, 0, 0];
    let mut out = Vec::new();
    story(jobs.iter(), &mut out, false).unwrap();
    let told = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = told.lines().take(6).collect();
    assert_eq!(
        lines,
        [
            "60 jobs: 59 FINISHED, 1 RESTARTING",
            "",
            "(Timelines are shown for up to 50 jobs; --json has all of them.)",
            "",
            "FINISHED     2026-03-02 09:00:00.004  00000000000000000000000000000000  prod-1  same",
            "RESTARTING   2026-03-02 09:00:00.004  01010101010101010101010101010101  prod-1  same (5 restarts)",
        ]
    );
    assert_eq!(told.lines().count(), 64);
}

#[test]
fn colours_say_what_a_state_means_and_nothing_is_said_of_nothing() {
    check(&[], true, "No job was found.");
    check(
        &[job(4, "ok", &[JobState::Running])],
        true,
        "
1 job: 1 \x1b[32mRUNNING\x1b[0m

\x1b[1mok\x1b[0m  04040404040404040404040404040404  cluster prod-1
  \x1b[32mRUNNING\x1b[0m since 2026-03-02 09:00:00.004
    2026-03-02 09:00:00.004  \x1b[32mRUNNING     \x1b[0m
",
    );
}

#[test]
fn what_runs_jobs_is_told_after_them() {
    let mut out = Vec::new();
    story_of_fleet(&test_jobs::fleet(), &mut out, false).unwrap();
    let told = String::from_utf8(out).unwrap();
    let (jobs, others) = told.split_once("1 application\n").unwrap();
    assert!(jobs.starts_with("2 jobs: 2 RUNNING"), "{told}");
    let expected = "\
orders  arn:aws:kinesisanalytics:eu-west-1:111122223333:application/orders
  RUNNING since 2026-03-02 09:00:00.000
    2026-03-02 09:00:00.000  RUNNING                 reported

1 platform job
";
    assert!(others.contains(expected), "{told}");
    assert!(
        others.contains("1 deployment\n\norders  team/orders\n  STABLE since"),
        "{told}"
    );
    let mut nothing = Vec::new();
    story_of_fleet(&Fleet::default(), &mut nothing, false).unwrap();
    assert_eq!(nothing, b"No job was found.\n");
}
