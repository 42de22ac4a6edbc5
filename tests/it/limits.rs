//! Every cap holds and has its counter: T56, T60.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use flinktail::line::{JobId, LogId};
use flinktail::model::event::{Event, Said, Seen};
use flinktail::model::flink_job::JobState;
use flinktail::model::{Fleet, LogContext};
use jiff::Timestamp;

use crate::daemon::Daemon;

/// Most memory that the program may hold, KiB.
const MEMORY: u64 = 64 << 10;

#[test]
fn t60_of_very_many_jobs_no_more_are_kept_than_allowed_and_those_that_ended_go_first() {
    const LIMIT: usize = 1_000;
    let (log, now) = (LogId(1), Timestamp::UNIX_EPOCH);
    let mut fleet = Fleet::with_limit(LIMIT);
    fleet.open_log(log, LogContext { cluster: "c".into() });
    let mut tell = |number: u128, to| {
        let event = Event::JobTransition {
            job: JobId(number.to_be_bytes()),
            name: "a".into(),
            from: JobState::Created,
            to,
        };
        let seen = Seen {
            log,
            offset: 0,
            at: Some(now),
            mdc_job: None,
            carrier: None,
            said: Said::Event(event),
        };
        fleet.apply(&seen, now);
    };
    // Half of the room is taken by jobs that live.
    let living = LIMIT as u128 / 2;
    (0..living).for_each(|number| tell(number, JobState::Running));
    (living..200_000).for_each(|number| tell(number, JobState::Failed));
    assert_eq!(fleet.len(), LIMIT);
    let alive = fleet.jobs().filter(|job| job.state == JobState::Running).count();
    assert_eq!(alive as u128, living, "what lives makes no room for what ended");
    assert_eq!(fleet.counters().evicted, 200_000 - LIMIT as u64);
    // Nothing that ended is left to make room: what comes is refused, and counted.
    let mut full = Fleet::with_limit(1);
    full.open_log(log, LogContext { cluster: "c".into() });
    for number in 0..3_u128 {
        let event = Event::JobTransition {
            job: JobId(number.to_be_bytes()),
            name: "a".into(),
            from: JobState::Created,
            to: JobState::Running,
        };
        let seen = Seen {
            log,
            offset: 0,
            at: Some(now),
            mdc_job: None,
            carrier: None,
            said: Said::Event(event),
        };
        full.apply(&seen, now);
    }
    assert_eq!((full.len(), full.counters().dropped), (1, 2));
}

/// Writes a log with everything that could fill the memory: a hole of 500 MB (T09), a line of 64 MiB (T23), a stack trace
/// of 50,000 lines (T29), and more jobs than are kept (T60). The last line is an ordinary one.
fn write_monster(path: &Path) {
    let mut file = File::create(path).unwrap();
    let header =
        "2026-03-02 00:00:00,000 INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph       [] - ";
    let job = |number: u32, to: &str| {
        format!("{header}Job j ({number:032x}) switched from state RUNNING to {to}.\n")
    };
    file.write_all(job(0, "FAILING").as_bytes()).unwrap();
    file.write_all(b"a.B: boom\n").unwrap();
    file.write_all(
        "\tat org.apache.flink.Frame.call(Frame.java:42)\n"
            .repeat(50_000)
            .as_bytes(),
    )
    .unwrap();
    file.set_len(file.metadata().unwrap().len() + (500 << 20))
        .unwrap();
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    (0..64).for_each(|_| file.write_all(&vec![b'x'; 1 << 20]).unwrap());
    let jobs: String = (1..30_000).map(|number| job(number, "FAILED")).collect();
    file.write_all(format!("\n{jobs}{}", job(0, "RUNNING")).as_bytes())
        .unwrap();
}

#[test]
fn t56_nothing_in_a_log_makes_it_hold_more_than_64_mebibytes() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, state) = (dir.path().join("logs"), dir.path().join("state"));
    fs::create_dir(&logs).unwrap();
    write_monster(&logs.join("jobmanager.log"));
    let config = dir.path().join("flinktail.toml");
    fs::write(&config, "[limits]\nentities = 2000\n").unwrap();
    let mut command = Daemon::command(&logs, &state);
    command.arg("--config").arg(&config);
    let daemon = Daemon::spawn(command);
    let page = daemon.scrape_until(|_| {}, |page| page["flinktail_ready"] == 1);
    assert!(page["flinktail_entities_evicted_total"] > 0);
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.id().as_raw_nonzero())).unwrap();
    let kibibytes = |field: &str| -> u64 {
        let value = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        value.split_whitespace().next().unwrap().parse().unwrap()
    };
    // The pages of the program itself are not what a log makes it hold, and are many in a debug build.
    let peak = kibibytes("VmHWM:") - kibibytes("RssFile:");
    assert!(peak < MEMORY, "{peak} KiB held");
}
