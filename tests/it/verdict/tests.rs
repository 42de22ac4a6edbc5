//! The comparison itself is compared: it must accept what REST said, and notice every kind of error.

use jiff::Timestamp;

use super::{Answer, CLUSTER, Change, Entity, Restarts, judge};
use crate::runs::{self, Mode, Process, Told, Truth};

/// A made-up job of a made-up cluster, as REST told it.
fn truth() -> Truth {
    let states = [
        ("CREATED", 1_000),
        ("RUNNING", 2_000),
        ("RESTARTING", 9_000),
        ("RUNNING", 12_000),
    ];
    let told = Told {
        name: "orders".to_owned(),
        scenario: "made up".to_owned(),
        states: states
            .iter()
            .map(|(state, at)| ((*state).to_owned(), *at))
            .collect(),
        last: Some("RUNNING".to_owned()),
        num_restarts: Some(1),
        approximate: vec![2],
        scheduler: Some("default".to_owned()),
        unlogged: false,
    };
    Truth {
        flink_version: "1.20.5".to_owned(),
        mode: Mode::Session,
        time_zone: "UTC".to_owned(),
        jobmanagers: [(
            "jm".to_owned(),
            vec![Process {
                how: "SIGKILL".to_owned(),
            }],
        )]
        .into(),
        jobs: [("a".repeat(32), told)].into(),
        phantoms: [
            ("b".repeat(32), "user logger".to_owned()),
            (
                "c".repeat(32),
                "under Flink's own logger: cannot be told apart".to_owned(),
            ),
        ]
        .into(),
    }
}

/// What a perfect reader would answer: REST's own words.
fn echo(truth: &Truth) -> Answer {
    Answer {
        entities: truth.jobs.iter().map(|(id, told)| entity(id, told)).collect(),
    }
}

fn entity(id: &str, told: &Told) -> Entity {
    let history: Vec<Change> = told.states.iter().map(|(state, at)| change(state, *at)).collect();
    Entity {
        kind: "flink_job".to_owned(),
        id: id.to_owned(),
        name: Some(told.name.clone()),
        labels: [("cluster".to_owned(), CLUSTER.to_owned())].into(),
        state: history.last().map_or("UNKNOWN", |newest| &newest.to).to_owned(),
        since: history.last().and_then(|newest| newest.at),
        restarts: Restarts {
            failure: told.num_restarts.unwrap_or(0),
            rescale: 0,
            process: 1,
        },
        history,
    }
}

fn change(to: &str, at: i64) -> Change {
    Change {
        at: Some(Timestamp::from_millisecond(at).unwrap()),
        to: to.to_owned(),
        late: false,
    }
}

/// Makes `newest` the last entry of the history, and so the state.
fn append(entity: &mut Entity, newest: Change) {
    (entity.state, entity.since) = (newest.to.clone(), newest.at);
    entity.history.push(newest);
}

/// Asserts what the comparison says once truth and its echo were changed; `expected` is empty where they still agree.
fn check(what: &str, edit: impl FnOnce(&mut Truth, &mut Vec<Entity>), expected: &[&str]) {
    let mut truth = truth();
    let mut answer = echo(&truth);
    edit(&mut truth, &mut answer.entities);
    let verdict = judge(&truth, &answer);
    let wrong: Vec<&str> = verdict.wrong.values().flatten().map(String::as_str).collect();
    assert_eq!(wrong, expected, "{what}");
}

/// The only job's truth.
fn told(truth: &mut Truth) -> &mut Told {
    truth.jobs.values_mut().next().unwrap()
}

#[test]
fn every_recorded_run_agrees_with_its_own_words() {
    for run in runs::all() {
        let verdict = judge(&run.truth, &echo(&run.truth));
        assert!(verdict.wrong.is_empty(), "{}: {:#?}", run.name, verdict.wrong);
        assert!(verdict.jobs > 0, "{}: no job to compare", run.name);
    }
}

#[test]
fn what_a_process_leaves_open_may_end_as_unknown() {
    check("nothing changed", |_, _| {}, &[]);
    check(
        "UNKNOWN after the end",
        |_, jobs| append(&mut jobs[0], change("UNKNOWN", 20_000)),
        &[],
    );
    check(
        "SUSPENDED and UNKNOWN",
        |_, jobs| {
            append(&mut jobs[0], change("SUSPENDED", 20_000));
            append(&mut jobs[0], change("UNKNOWN", 20_000));
        },
        &[],
    );
    check(
        "a job that ended is known",
        |truth, jobs| {
            told(truth).states.push(("FINISHED".to_owned(), 15_000));
            told(truth).last = Some("FINISHED".to_owned());
            append(&mut jobs[0], change("FINISHED", 15_000));
            append(&mut jobs[0], change("UNKNOWN", 20_000));
        },
        &[
            "states RUNNING RESTARTING RUNNING FINISHED UNKNOWN, REST RUNNING RESTARTING RUNNING FINISHED",
            "ends UNKNOWN, REST FINISHED",
        ],
    );
}

#[test]
fn states_are_compared_in_order_save_those_on_the_way_to_running() {
    check(
        "a missing CREATED",
        |_, jobs| drop(jobs[0].history.remove(0)),
        &[],
    );
    check(
        "a missing RESTARTING",
        |_, jobs| drop(jobs[0].history.remove(2)),
        &["states RUNNING RUNNING, REST RUNNING RESTARTING RUNNING"],
    );
    check(
        "one too many",
        |_, jobs| jobs[0].history.insert(2, change("FAILING", 9_000)),
        &["states RUNNING FAILING RESTARTING RUNNING, REST RUNNING RESTARTING RUNNING"],
    );
    check(
        "a late entry moves nothing",
        |_, jobs| {
            jobs[0].history.push(Change {
                late: true,
                ..change("FAILED", 3_000)
            });
        },
        &[],
    );
}

#[test]
fn what_a_slow_poll_missed_may_be_added_but_no_end() {
    let slow = |truth: &mut Truth| told(truth).scheduler = Some("adaptive".to_owned());
    check(
        "one more restart than REST saw",
        |truth, jobs| {
            slow(truth);
            jobs[0]
                .history
                .splice(3..3, [change("RUNNING", 10_000), change("RESTARTING", 11_000)]);
        },
        &["RUNNING -2000 ms"],
    );
    check(
        "a restart printed as a cancellation",
        |truth, jobs| {
            slow(truth);
            jobs[0]
                .history
                .splice(3..3, [change("CANCELLING", 10_000), change("CANCELED", 10_000)]);
        },
        &["states RUNNING RESTARTING CANCELLING CANCELED RUNNING, REST RUNNING RESTARTING RUNNING"],
    );
    check(
        "one fewer",
        |truth, jobs| {
            slow(truth);
            jobs[0].history.truncate(3);
            (jobs[0].state, jobs[0].since) = ("RESTARTING".to_owned(), jobs[0].history[2].at);
        },
        &[
            "states RUNNING RESTARTING, REST RUNNING RESTARTING RUNNING",
            "ends RESTARTING, REST RUNNING",
        ],
    );
}

#[test]
fn times_may_differ_by_as_much_as_rest_is_sampled() {
    let shift = |jobs: &mut Vec<Entity>, i: usize, at: i64| jobs[0].history[i] = change("RUNNING", at);
    check("within 1.5 s", |_, jobs| shift(jobs, 1, 3_500), &[]);
    check(
        "beyond 1.5 s",
        |_, jobs| shift(jobs, 1, 3_501),
        &["RUNNING +1501 ms"],
    );
    check(
        "within 3 s of a poll",
        |_, jobs| jobs[0].history[2] = change("RESTARTING", 6_000),
        &[],
    );
    check(
        "beyond 3 s of a poll",
        |_, jobs| jobs[0].history[2] = change("RESTARTING", 5_999),
        &["RESTARTING -3001 ms"],
    );
    check(
        "a record without a time",
        |_, jobs| jobs[0].history[1].at = None,
        &[],
    );
}

#[test]
fn name_restarts_state_and_cluster_are_compared() {
    check(
        "name",
        |_, jobs| jobs[0].name = None,
        &["name None, REST \"orders\""],
    );
    check("cluster", |_, jobs| jobs[0].labels.clear(), &["cluster None"]);
    check(
        "restarts",
        |_, jobs| jobs[0].restarts.failure = 2,
        &["2 restarts, REST 1"],
    );
    check(
        "rescales are restarts",
        |_, jobs| {
            jobs[0].restarts = Restarts {
                failure: 0,
                rescale: 1,
                process: 3,
            }
        },
        &[],
    );
    check(
        "1.9 counts otherwise",
        |truth, jobs| {
            truth.flink_version = "1.9.3".to_owned();
            jobs[0].restarts.failure = 2;
        },
        &[],
    );
    check(
        "state",
        |_, jobs| jobs[0].state = "FAILED".to_owned(),
        &[
            "state and since are not the newest entry's",
            "ends FAILED, REST RUNNING",
        ],
    );
    check(
        "since",
        |_, jobs| jobs[0].since = None,
        &["state and since are not the newest entry's"],
    );
}

#[test]
fn every_job_is_reported_once_and_nothing_else_is() {
    check("missing", |_, jobs| jobs.clear(), &["missing"]);
    check(
        "twice",
        |_, jobs| jobs.push(jobs[0].clone()),
        &["reported 2 times"],
    );
    check(
        "a phantom",
        |_, jobs| {
            jobs.push(Entity {
                id: "b".repeat(32),
                ..jobs[0].clone()
            });
        },
        &["phantom: user logger"],
    );
    check(
        "an excused phantom",
        |_, jobs| {
            jobs.push(Entity {
                id: "c".repeat(32),
                ..jobs[0].clone()
            });
        },
        &[],
    );
    check(
        "nobody's id",
        |_, jobs| {
            jobs.push(Entity {
                id: "d".repeat(32),
                ..jobs[0].clone()
            });
        },
        &["phantom: never existed"],
    );
    check(
        "another kind of entity",
        |_, jobs| {
            jobs.push(Entity {
                kind: "vvp_job".to_owned(),
                ..jobs[0].clone()
            });
        },
        &[],
    );
    check(
        "a job that REST never listed",
        |truth, jobs| {
            told(truth).last = None;
            jobs.clear();
        },
        &[],
    );
    check(
        "a job whose log Flink cut",
        |truth, jobs| {
            told(truth).unlogged = true;
            jobs.clear();
        },
        &[],
    );
}

#[test]
fn a_job_of_many_processes_is_held_against_order_end_and_process_restarts() {
    let many = |truth: &mut Truth| truth.mode = Mode::Application;
    check(
        "other times and counts",
        |truth, jobs| {
            many(truth);
            jobs[0].restarts.failure = 9;
            jobs[0].history[1] = change("RUNNING", 0);
        },
        &[],
    );
    check(
        "UNKNOWN in between",
        |truth, jobs| {
            many(truth);
            jobs[0]
                .history
                .splice(3..3, [change("UNKNOWN", 10_000), change("INITIALIZING", 11_000)]);
        },
        &[],
    );
    check(
        "a state that REST saw is missing",
        |truth, jobs| {
            many(truth);
            jobs[0].history.remove(2);
        },
        &["states RUNNING RUNNING, REST RUNNING RESTARTING RUNNING"],
    );
    check(
        "a killed process counts",
        |truth, jobs| {
            many(truth);
            jobs[0].restarts.process = 0;
        },
        &["its process was killed and came back: no restart of reason process"],
    );
}
