//! The model by scripts: what logs said on the left, what follows on the right.
//!
//! A line of a script is `LOG SECONDS WHAT`; jobs are single letters, `a>b` is a transition printed.

mod hostile;

use std::fmt::Write;
use std::sync::Arc;

use jiff::Timestamp;

use super::event::{Cause, EndReason, Event, RestartReason, Said, Seen, Witness};
use super::flink_job::JobState;
use super::{Fleet, LogContext};
use crate::line::{JobId, LogId};

fn state(word: &str) -> JobState {
    let short = [
        "INI", "CRE", "RUN", "FAILI", "FAILE", "CANCELL", "CANCELE", "FIN", "RES", "SUS", "REC",
    ];
    let index = short.iter().position(|prefix| word.starts_with(prefix)).unwrap();
    JobState::ALL[index]
}

fn job(letter: &str) -> JobId {
    JobId([letter.as_bytes()[0]; 16])
}

fn event(words: &[&str]) -> Said {
    let name = || words[1].into();
    let id = || job(words[1]);
    Said::Event(match words[0] {
        "cause" => {
            return Said::Cause(Cause {
                class: words[1].to_owned(),
                message: String::new(),
            });
        }
        "submit" => Event::JobSubmitted {
            job: id(),
            name: name(),
        },
        "recover" => Event::JobRecovered { job: id() },
        "build" => Event::JobMasterCreated {
            job: id(),
            name: name(),
        },
        "start" => Event::JobMasterStarted {
            job: id(),
            name: name(),
        },
        "graph" => Event::GraphCreated {
            job: id(),
            graph: job(words[2]),
        },
        "dispatcher" => Event::JobTerminal {
            job: id(),
            state: state(words[2]),
            by: Witness::Dispatcher,
        },
        "adaptive" => Event::JobTerminal {
            job: id(),
            state: state(words[2]),
            by: Witness::AdaptiveScheduler,
        },
        "restarting-job" => Event::AdaptiveRestart {
            reason: RestartReason::Failure,
            job: None,
        },
        "rescale" => Event::AdaptiveRestart {
            reason: RestartReason::Rescale,
            job: words.get(1).map(|w| job(w)),
        },
        "adaptive-seen" => Event::AdaptiveSeen {
            job: words.get(1).map(|w| job(w)),
        },
        "default-seen" => Event::DefaultSchedulerSeen {
            job: words.get(1).map(|w| job(w)),
        },
        "task-failed" => Event::TaskFailed {
            graph: words.get(1).map(|w| job(w)),
        },
        "banner" => Event::ProcessStarted {
            entrypoint: "E".to_owned(),
            version: "1.20.5".to_owned(),
        },
        "signal" => Event::ProcessEnding {
            why: EndReason::Signal,
        },
        "shutdown" => Event::ProcessEnding {
            why: EndReason::Shutdown,
        },
        "terminated" => Event::ProcessEnding {
            why: EndReason::Terminated,
        },
        "gone" => Event::ProcessEnding {
            why: EndReason::LogGone,
        },
        "not-finished" => Event::JobNotFinished { job: id() },
        "submission-failed" => Event::SubmissionFailed { job: id() },
        letter => {
            let (from, to) = words[1].split_once('>').unwrap();
            Event::JobTransition {
                job: job(letter),
                name: letter.into(),
                from: state(from),
                to: state(to),
            }
        }
    })
}

fn run(script: &str) -> Fleet {
    let mut fleet = Fleet::default();
    for log in 0..3 {
        fleet.open_log(
            LogId(log),
            LogContext {
                cluster: Arc::from("c"),
            },
        );
    }
    for (n, line) in script
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .enumerate()
    {
        let words: Vec<&str> = line.split_whitespace().collect();
        let log = LogId(u32::from(words[0].as_bytes()[0] - b'A'));
        let millis = (words[1].parse::<f64>().unwrap() * 1000.0).round();
        #[allow(clippy::cast_possible_truncation)] // small numbers written in this file
        let at = Timestamp::from_millisecond(millis as i64).unwrap();
        let mdc_job = words.last().and_then(|w| w.strip_prefix("mdc=")).map(job);
        let seen = Seen {
            log,
            offset: n as u64,
            at: Some(at),
            mdc_job,
            carrier: None,
            said: event(&words[2..]),
        };
        fleet.apply(&seen, at);
    }
    fleet
}

fn told(fleet: &Fleet) -> String {
    let mut out = String::new();
    for job in fleet.jobs() {
        write!(out, "{}:", char::from(job.id.0[0])).unwrap();
        for entry in &job.history {
            write!(out, " {}", entry.to).unwrap();
        }
        for reason in RestartReason::ALL
            .into_iter()
            .filter(|r| job.restarts_for(*r) > 0)
        {
            write!(out, " {}={}", reason.name(), job.restarts_for(reason)).unwrap();
        }
        if let Some(failure) = &job.failure {
            write!(out, " by {}", failure.cause.class).unwrap();
        }
        out.push('\n');
    }
    let counters = fleet.counters();
    if counters.unexpected_transitions > 0 {
        writeln!(out, "unexpected={}", counters.unexpected_transitions).unwrap();
    }
    if counters.late_events > 0 {
        writeln!(out, "late={}", counters.late_events).unwrap();
    }
    out
}

#[track_caller]
fn check(script: &str, expected: &str) {
    let lines: Vec<&str> = expected
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect();
    assert_eq!(told(&run(script)).trim(), lines.join("\n"), "{script}");
}

#[test]
fn a_life_under_the_default_scheduler_is_as_printed() {
    check(
        "A 0 submit j\nA 0 build j\nA 1 start j\nA 2 j CRE>RUN\nA 3 task-failed\nA 3 cause Boom\nA 3 j RUN>RES
         A 4 j RES>RUN\nA 5 j RUN>CANCELL\nA 5 j CANCELL>CANCELE\nA 5 dispatcher j CANCELE",
        "j: INITIALIZING CREATED RUNNING RESTARTING RUNNING CANCELLING CANCELED failure=1 by Boom",
    );
}

#[test]
fn a_full_restart_of_flink_1_9_passes_through_failing_and_created() {
    check(
        "A 0 j CRE>RUN\nA 1 j RUN>FAILI\nA 1 j FAILI>RES\nA 2 j RES>CRE\nA 2 j CRE>RUN",
        "j: RUNNING FAILING RESTARTING CREATED RUNNING failure=1",
    );
}

#[test]
fn an_announced_cancellation_is_a_restart_and_its_canceled_is_swallowed() {
    check(
        "A 0 adaptive-seen j\nA 0 start j\nA 1 j CRE>RUN\nA 2 restarting-job\nA 2 cause Boom\nA 2.001 j RUN>CANCELL
         A 2.010 j CANCELL>CANCELE\nA 9 graph j g\nA 9 j CRE>RUN\nA 12 j RUN>FIN\nA 12 dispatcher j FIN",
        "j: CREATED RUNNING RESTARTING CREATED RUNNING FINISHED failure=1 by Boom",
    );
}

#[test]
fn a_rescale_counts_as_one() {
    check(
        "A 0 start j\nA 1 j CRE>RUN\nA 2 rescale\nA 2 j RUN>CANCELL\nA 2 j CANCELL>CANCELE\nA 3 j CRE>RUN",
        "j: CREATED RUNNING RESTARTING RUNNING rescale=1",
    );
}

#[test]
fn the_phases_of_a_first_start_are_no_rescale_but_those_of_a_running_job_are() {
    check(
        "A 0 start j\nA 1 rescale j\nA 1 j CRE>RUN\nA 1.5 j RUN>CANCELL\nA 1.5 j CANCELL>CANCELE\nA 1.6 dispatcher j CANCELE
         A 2 start k\nA 2 k CRE>RUN\nA 3 rescale k\nA 3 k RUN>CANCELL\nA 3 k CANCELL>CANCELE",
        "j: CREATED RUNNING CANCELLING CANCELED
         k: CREATED RUNNING RESTARTING rescale=1",
    );
}

#[test]
fn a_cancellation_under_the_adaptive_scheduler_waits_for_the_dispatcher() {
    check(
        "A 0 adaptive-seen j\nA 0 start j\nA 1 j CRE>RUN\nA 2 j RUN>CANCELL\nA 2 j CANCELL>CANCELE",
        "j: CREATED RUNNING CANCELLING",
    );
    check(
        "A 0 adaptive-seen j\nA 0 start j\nA 1 j CRE>RUN\nA 2 j RUN>CANCELL\nA 2 j CANCELL>CANCELE\nA 3 adaptive j CANCELE
         A 3 dispatcher j CANCELE",
        "j: CREATED RUNNING CANCELLING CANCELED",
    );
}

#[test]
fn an_unannounced_cancellation_that_runs_again_was_a_restart() {
    check(
        "A 0 adaptive-seen\nA 0 start j\nA 1 j CRE>RUN\nA 2 j RUN>CANCELL\nA 2 j CANCELL>CANCELE\nA 3 j CRE>RUN",
        "j: CREATED RUNNING CANCELLING RESTARTING RUNNING failure=1",
    );
}

#[test]
fn cancelled_while_restarting_ends_by_the_dispatchers_word_alone() {
    check(
        "A 0 start j\nA 1 j CRE>RUN\nA 2 restarting-job\nA 2 j RUN>CANCELL\nA 2 j CANCELL>CANCELE\nA 8 dispatcher j CANCELE",
        "j: CREATED RUNNING RESTARTING CANCELED failure=1",
    );
}

#[test]
fn an_announcement_older_than_a_second_or_of_another_job_is_nobodys() {
    check(
        "A 0 adaptive-seen\nA 0 start j\nA 1 j CRE>RUN\nA 2 restarting-job\nA 3.5 j RUN>CANCELL",
        "j: CREATED RUNNING CANCELLING",
    );
    check(
        "A 0 start j\nA 0 start k\nA 1 j CRE>RUN\nA 1 k CRE>RUN\nA 2 restarting-job mdc=k\nA 2 j RUN>CANCELL\nA 2 k RUN>CANCELL",
        "j: CREATED RUNNING CANCELLING
         k: CREATED RUNNING RESTARTING failure=1",
    );
}

#[test]
fn a_batch_job_beside_adaptive_ones_is_cancelled_at_once() {
    check(
        "A 0 adaptive-seen j\nA 0 default-seen k\nA 0 start k\nA 0 default-seen k\nA 1 k CRE>RUN\nA 2 k RUN>CANCELL\nA 2 k CANCELL>CANCELE",
        "k: CREATED RUNNING CANCELLING CANCELED",
    );
}

#[test]
fn a_failed_initialisation_has_no_transition() {
    check(
        "A 0 submit j\nA 0 build j\nA 1 dispatcher j FAILE\nA 1 cause Init",
        "j: INITIALIZING FAILED by Init",
    );
    check("A 0 submit j\nA 1 submission-failed j", "j: INITIALIZING FAILED");
}

#[test]
fn a_new_process_leaves_what_lived_unknown_and_counts_what_comes_back() {
    check(
        "A 0 banner\nA 1 start j\nA 2 j CRE>RUN\nA 2 start k\nA 2 k CRE>RUN\nA 2 k RUN>FIN\nA 9 banner\nA 10 recover j\nA 11 start j\nA 12 j CRE>RUN",
        "j: CREATED RUNNING UNKNOWN INITIALIZING CREATED RUNNING process=1
         k: CREATED RUNNING FINISHED",
    );
}

#[test]
fn a_log_that_was_gone_is_believed_when_it_is_back() {
    check(
        "A 0 start j\nA 1 j CRE>RUN\nA 1 gone\nA 2 j RUN>RES\nA 3 j RES>RUN",
        "j: CREATED RUNNING UNKNOWN RESTARTING RUNNING failure=1",
    );
}

#[test]
fn a_signal_makes_the_living_unknown_and_suspended_ends_with_its_process() {
    check(
        "A 0 start j\nA 1 j CRE>RUN\nA 2 signal\nA 2 shutdown",
        "j: CREATED RUNNING UNKNOWN",
    );
    check(
        "A 0 start j\nA 1 j CRE>RUN\nA 2 shutdown\nA 2 dispatcher j SUS\nA 2 j RUN>SUS\nA 3 terminated",
        "j: CREATED RUNNING UNKNOWN SUSPENDED UNKNOWN",
    );
    check(
        "A 0 start j\nA 1 j CRE>RUN\nA 2 not-finished j",
        "j: CREATED RUNNING SUSPENDED",
    );
}

#[test]
fn a_leader_that_lost_the_job_no_longer_speaks_for_it() {
    check(
        "A 0 start j\nA 1 j CRE>RUN\nB 5 recover j\nB 6 start j\nB 7 j CRE>RUN\nA 9 j RUN>SUS\nA 9 dispatcher j SUS
         B 12 j RUN>CANCELL\nB 12 j CANCELL>CANCELE",
        "j: CREATED RUNNING INITIALIZING CREATED RUNNING CANCELLING CANCELED process=1
         late=2",
    );
}

#[test]
fn console_and_file_count_once_in_whichever_order_they_are_read() {
    let lines = [
        "0 submit j",
        "1 start j",
        "2 j CRE>RUN",
        "3 j RUN>RES",
        "4 j RES>RUN",
        "5 j RUN>RES",
        "6 j RES>RUN",
    ];
    let expected = "j: INITIALIZING CREATED RUNNING RESTARTING RUNNING RESTARTING RUNNING failure=2";
    let script = |logs: &[(&str, &[&str])]| {
        logs.iter()
            .flat_map(|(log, lines)| lines.iter().map(move |l| format!("{log} {l}\n")))
            .collect::<String>()
    };
    check(&script(&[("A", &lines), ("B", &lines)]), expected);
    check(
        &script(&[
            ("A", &lines[..3]),
            ("B", &lines[..5]),
            ("A", &lines[3..]),
            ("B", &lines[5..]),
        ]),
        expected,
    );
}

#[test]
fn equal_lines_of_one_log_are_two() {
    check(
        "A 0 j CRE>RUN\nA 1 j RUN>RES\nA 1 j RES>RUN\nA 1 j RUN>RES\nA 1 j RES>RUN",
        "j: RUNNING RESTARTING RUNNING RESTARTING RUNNING failure=2",
    );
}

#[test]
fn a_terminal_state_is_left_by_a_new_life_only() {
    check(
        "A 0 j CRE>RUN\nA 1 j RUN>FIN\nA 2 j RUN>RES\nA 3 j RUN>CANCELL\nA 4 submit j\nA 5 start j\nA 6 j CRE>RUN",
        "j: RUNNING FINISHED INITIALIZING CREATED RUNNING
         unexpected=2",
    );
}

#[test]
fn an_edge_that_flink_has_not_is_applied_and_counted() {
    check(
        "A 0 j CRE>RUN\nA 1 j FIN>FAILI",
        "j: RUNNING FAILING\nunexpected=1",
    );
}

#[test]
fn the_limit_evicts_what_ended_first_and_never_what_lives() {
    let mut fleet = Fleet::with_limit(2);
    fleet.open_log(
        LogId(0),
        LogContext {
            cluster: Arc::from("c"),
        },
    );
    let at = |s| Timestamp::from_second(s).unwrap();
    let mut say = |second, letter: &str, edge: &str| {
        let said = event(&[letter, edge]);
        fleet.apply(
            &Seen {
                log: LogId(0),
                offset: 0,
                at: Some(at(second)),
                mdc_job: None,
                carrier: None,
                said,
            },
            at(second),
        );
        fleet.jobs().map(|j| char::from(j.id.0[0])).collect::<String>()
    };
    say(1, "a", "CRE>RUN");
    say(2, "b", "CRE>RUN");
    assert_eq!(say(3, "c", "CRE>RUN"), "ab", "both live");
    say(4, "b", "RUN>FIN");
    assert_eq!(say(5, "d", "CRE>RUN"), "ad");
    assert_eq!((fleet.counters().dropped, fleet.counters().evicted), (1, 1));
}

#[test]
fn what_fails_because_its_jobmanager_goes_down_is_no_restart() {
    check(
        "A 0 start j\nA 1 j CRE>RUN\nA 2 shutdown\nA 2.5 j RUN>RES\nA 9 banner\nA 10 j CRE>RUN\nA 11 j RUN>RES",
        "j: CREATED RUNNING UNKNOWN RUNNING RESTARTING failure=1 process=1
         late=1",
    );
}
