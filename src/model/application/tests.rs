//! Applications by scripts: calls, answers and jobs on the left, the application's history on the right.
//!
//! A line of a script is `SECONDS WHAT`, without a time where `SECONDS` is `-`; jobs are single letters.

use std::fmt::Write;
use std::sync::Arc;

use jiff::Timestamp;

use crate::line::{JobId, LogId};
use crate::model::arn::ApplicationArn;
use crate::model::event::{Carrier, Cause, EndReason, Event, Said, Seen};
use crate::model::flink_job::JobState;
use crate::model::kda_application::{ApplicationState, Call};
use crate::model::state::State as _;
use crate::model::{Application, Fleet, LogContext};

fn arn(name: &str) -> ApplicationArn {
    ApplicationArn::of_parts("us-east-1", "111122223333", name).unwrap()
}

fn event(application: &ApplicationArn, words: &[&str]) -> Event {
    let application = application.clone();
    let state = |word: &str| ApplicationState::read(word).unwrap();
    match words {
        ["call", call, answered @ ..] => Event::ApplicationCall {
            application,
            call: Call::parse(call.trim_end_matches('!'), call.ends_with('!')).unwrap(),
            answered: answered.first().map(|word| state(word)),
        },
        ["says", word] => Event::ApplicationReported {
            application,
            state: state(word),
            version: Some(7),
        },
        ["version", version, word] => Event::VersionReported {
            application,
            version: version.parse().unwrap(),
            state: state(word),
        },
        ["error", code] => Event::ApplicationError {
            application,
            error: Cause {
                class: (*code).to_owned(),
                message: String::new(),
            },
        },
        ["ends"] => Event::ProcessEnding {
            why: EndReason::Signal,
        },
        [job, edge] => {
            let (from, to) = edge.split_once('>').unwrap();
            Event::JobTransition {
                job: JobId([job.as_bytes()[0]; 16]),
                name: (*job).into(),
                from: JobState::named(from).unwrap(),
                to: JobState::named(to).unwrap(),
            }
        }
        other => panic!("{other:?}"),
    }
}

fn tell(fleet: &mut Fleet, application: &str, line: &str) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words[0].parse::<f64>().ok().map(|seconds| {
        #[allow(clippy::cast_possible_truncation)] // small numbers written in this file
        Timestamp::from_millisecond((seconds * 1000.0).round() as i64).unwrap()
    });
    let application = arn(application);
    let seen = Seen {
        log: LogId(1),
        offset: 0,
        at,
        mdc_job: None,
        carrier: Some(Arc::new(Carrier {
            by_time: true,
            cluster: Some(Arc::from(application.name())),
            application: Some(application.clone()),
            deployment: None,
        })),
        said: Said::Event(event(&application, &words[1..])),
    };
    fleet.apply(&seen, Timestamp::UNIX_EPOCH);
}

fn fleet() -> Fleet {
    let mut fleet = Fleet::default();
    let cluster = Arc::from("default");
    fleet.open_log(LogId(1), LogContext { cluster });
    fleet
}

fn run(script: &str) -> Fleet {
    let mut fleet = fleet();
    let lines = script.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.for_each(|line| tell(&mut fleet, "a", line));
    fleet
}

/// `READY@0 reported, STARTING@5 api`; late entries are in brackets.
fn history(application: &Application) -> String {
    let mut text = String::new();
    for entry in &application.story.history {
        let at = entry.at.map_or("-".to_owned(), |at| {
            (at.as_millisecond() as f64 / 1000.0).to_string()
        });
        let (to, basis) = (entry.to.name(), entry.basis.name());
        let (open, close) = if entry.late { ("[", "]") } else { ("", "") };
        let separator = if text.is_empty() { "" } else { ", " };
        write!(text, "{separator}{open}{to}@{at} {basis}{close}").unwrap();
    }
    text
}

#[track_caller]
fn check(script: &str, expected: &str) {
    let fleet = run(script);
    assert_eq!(history(fleet.applications.get(&arn("a")).unwrap()), expected);
}

#[test]
fn an_accepted_call_begins_a_state_and_its_answer_has_precedence() {
    check("0 call CreateApplication", "READY@0 api");
    check("0 call CreateApplication READY", "READY@0 reported");
    check("0 call StartApplication", "STARTING@0 api");
    check("0 call StopApplication", "STOPPING@0 api");
    check("0 call StopApplication!", "FORCE_STOPPING@0 api");
    check("0 call UpdateApplication AUTOSCALING", "AUTOSCALING@0 reported");
    check("0 call RollbackApplication", "ROLLING_BACK@0 api");
    check("0 call DeleteApplication", "DELETING@0 api");
}

#[test]
fn an_accepted_call_proves_how_the_state_before_it_ended() {
    check(
        "0 call StopApplication!
         5 call StartApplication
         9 call UpdateApplication
         12 call StopApplication
         15 call UpdateApplication",
        "FORCE_STOPPING@0 api, READY@5 implied, STARTING@5 api, RUNNING@9 implied, UPDATING@9 api, \
         RUNNING@12 implied, STOPPING@12 api, READY@15 implied, UPDATING@15 api",
    );
    for state in [
        "STARTING",
        "UPDATING",
        "AUTOSCALING",
        "ROLLING_BACK",
        "MAINTENANCE",
    ] {
        check(
            &format!("0 says {state}\n 5 call StopApplication"),
            &format!("{state}@0 reported, RUNNING@5 implied, STOPPING@5 api"),
        );
        check(
            &format!("0 says {state}\n 5 call StopApplication!"),
            &format!("{state}@0 reported, FORCE_STOPPING@5 api"),
        );
    }
    check(
        "0 says STARTING\n 5 call RollbackApplication",
        "STARTING@0 reported, RUNNING@5 implied, ROLLING_BACK@5 api",
    );
    check(
        "0 says RUNNING\n 5 call DeleteApplication",
        "RUNNING@0 reported, DELETING@5 api",
    );
    check(
        "0 call StartApplication\n 5 call StartApplication",
        "STARTING@0 api, READY@5 implied, STARTING@5 api",
    );
}

#[test]
fn a_job_that_runs_tells_that_its_application_does() {
    check("0 a CREATED>RUNNING", "RUNNING@0 inferred");
    check("0 a RESTARTING>RUNNING", "RUNNING@0 inferred");
    for (state, begins, again) in [
        ("STARTING", true, true),
        ("READY", true, false),
        ("UPDATING", true, false),
        ("AUTOSCALING", true, false),
        ("ROLLING_BACK", true, false),
        ("MAINTENANCE", true, false),
        ("STOPPING", false, false),
        ("FORCE_STOPPING", false, false),
        ("DELETING", false, false),
    ] {
        for (from, runs) in [
            ("CREATED", begins),
            ("INITIALIZING", begins),
            ("RECONCILING", begins),
            ("RESTARTING", again),
        ] {
            let expected = if runs { ", RUNNING@5 inferred" } else { "" };
            check(
                &format!("0 says {state}\n 5 a {from}>RUNNING"),
                &format!("{state}@0 reported{expected}"),
            );
        }
    }
}

#[test]
fn a_jobs_end_tells_of_a_batch_or_of_a_stop_and_else_nothing() {
    for (state, end, ready) in [
        ("RUNNING", "FINISHED", true),
        ("RUNNING", "FAILED", false),
        ("RUNNING", "CANCELED", false),
        ("STOPPING", "FINISHED", true),
        ("STOPPING", "FAILED", true),
        ("FORCE_STOPPING", "CANCELED", true),
        ("UPDATING", "FINISHED", false),
        ("STARTING", "FINISHED", false),
        ("DELETING", "CANCELED", false),
    ] {
        let expected = if ready { ", READY@5 inferred" } else { "" };
        check(
            &format!("0 says {state}\n 5 a RUNNING>{end}"),
            &format!("{state}@0 reported{expected}"),
        );
    }
    check("0 a RUNNING>FINISHED", "READY@0 inferred");
    check(
        "0 a CREATED>RUNNING\n 5 a RUNNING>FINISHED\n 9 b CREATED>RUNNING",
        "RUNNING@0 inferred, READY@5 inferred, RUNNING@9 inferred",
    );
}

#[test]
fn a_call_that_arrives_late_moves_nothing_back() {
    check(
        "30 a CREATED>RUNNING\n 0 call StartApplication",
        "RUNNING@30 inferred, [STARTING@0 api]",
    );
    check(
        "0 says RUNNING\n 30 a RUNNING>FINISHED\n 20 call UpdateApplication UPDATING\n 10 says UPDATING",
        "RUNNING@0 reported, READY@30 inferred, [UPDATING@20 reported], [UPDATING@10 reported]",
    );
    check(
        "60 call StopApplication\n 30 a CREATED>RUNNING\n 40 a RUNNING>FINISHED",
        "STOPPING@60 api, [READY@40 inferred]",
    );
}

#[test]
fn a_call_is_followed_by_what_the_jobs_had_done_before_it_arrived() {
    check(
        "0 a CREATED>RUNNING\n 60 a RUNNING>CANCELLING\n 61 a CANCELLING>CANCELED\n 50 call StopApplication",
        "RUNNING@0 inferred, STOPPING@50 api, READY@61 inferred",
    );
    check(
        "0 a CREATED>RUNNING\n 60 a RUNNING>CANCELED\n 70 b CREATED>RUNNING\n 50 call UpdateApplication UPDATING",
        "RUNNING@0 inferred, UPDATING@50 reported, RUNNING@70 inferred",
    );
    // CloudTrail cuts times to the second.
    check(
        "0 a CREATED>RUNNING\n 60.2 a RUNNING>CANCELED\n 60 call StopApplication!",
        "RUNNING@0 inferred, FORCE_STOPPING@60 api, READY@60.2 inferred",
    );
    check(
        "0 call StartApplication\n 60.2 a CREATED>RUNNING\n 60 call UpdateApplication",
        "STARTING@0 api, RUNNING@60.2 inferred, UPDATING@60 api, RUNNING@60.2 inferred",
    );
}

#[test]
fn without_times_the_order_is_that_of_arrival() {
    check(
        "- says READY\n - says STARTING\n - says STARTING\n - a CREATED>RUNNING\n - says AUTOSCALING",
        "READY@- reported, STARTING@- reported, RUNNING@- inferred, AUTOSCALING@- reported",
    );
}

#[test]
fn versions_and_errors_change_no_state_and_are_kept() {
    let fleet = run("0 version 6 ROLLED_BACK\n 1 error CodeError.InvalidApplicationCode\n 0 error Older");
    let application = fleet.applications.get(&arn("a")).unwrap();
    assert_eq!(application.story.state, ApplicationState::Unknown);
    assert_eq!(application.versions[&6], ApplicationState::RolledBack);
    let error = &application.error.as_ref().unwrap().cause;
    assert_eq!(error.class, "CodeError.InvalidApplicationCode");
    assert_eq!(fleet.applications().count(), 1);
    assert_eq!(fleet.jobs().count(), 0);
}

#[test]
fn jobs_and_applications_know_of_each_other() {
    let fleet = run("0 a CREATED>RUNNING\n 1 b CREATED>RUNNING\n 2 a RUNNING>FAILED");
    let application = fleet.applications.get(&arn("a")).unwrap();
    let jobs: Vec<_> = application
        .jobs
        .iter()
        .map(|(cluster, id)| (&**cluster, id.0[0]))
        .collect();
    assert_eq!(jobs, [("a", b'a'), ("a", b'b')]);
    assert!(
        fleet
            .jobs()
            .all(|job| job.application.as_ref() == Some(&arn("a")))
    );
}

#[test]
fn applications_that_share_a_log_share_no_process() {
    let mut fleet = fleet();
    tell(&mut fleet, "a", "0 x CREATED>RUNNING");
    tell(&mut fleet, "b", "0 x CREATED>RUNNING");
    tell(&mut fleet, "a", "5 ends");
    let states: Vec<_> = fleet.jobs().map(|job| (&*job.cluster, job.state)).collect();
    assert_eq!(states, [("a", JobState::Unknown), ("b", JobState::Running)]);
    tell(&mut fleet, "b", "6 x RUNNING>RESTARTING");
    assert_eq!(
        fleet.job("b", JobId([b'x'; 16])).unwrap().state,
        JobState::Restarting
    );
}

#[test]
fn a_transition_older_than_what_was_applied_is_late() {
    let fleet = run("10 a RUNNING>RESTARTING\n 5 a CREATED>RUNNING\n 11 a RESTARTING>RUNNING");
    let job = fleet.jobs().next().unwrap();
    let entries: Vec<_> = job
        .history
        .iter()
        .map(|entry| (entry.to.name(), entry.late))
        .collect();
    assert_eq!(
        entries,
        [("RESTARTING", false), ("RUNNING", true), ("RUNNING", false)]
    );
    assert_eq!(fleet.counters().late_events, 1);
}

#[test]
fn one_that_is_being_deleted_makes_room_and_one_that_lives_does_not() {
    let mut fleet = fleet();
    fleet.set_limit(2);
    let calls = [
        "DeleteApplication",
        "CreateApplication",
        "CreateApplication",
        "CreateApplication",
    ];
    for (name, call) in ["a", "b", "c", "d"].into_iter().zip(calls) {
        let seen = Seen {
            log: LogId(1),
            offset: 0,
            at: Some(Timestamp::UNIX_EPOCH),
            mdc_job: None,
            carrier: None,
            said: Said::Event(event(&arn(name), &["call", call])),
        };
        fleet.apply(&seen, Timestamp::UNIX_EPOCH);
    }
    let names: Vec<_> = fleet
        .applications()
        .map(|application| application.arn.name())
        .collect();
    assert_eq!(names, ["b", "c"]);
    assert_eq!((fleet.counters().evicted, fleet.counters().dropped), (1, 1));
}
