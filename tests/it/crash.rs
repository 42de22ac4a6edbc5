//! Exactly once, through anything: T46, T51, T53 and T55 with the real program on a real file system.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::daemon::{Daemon, PATIENCE, Page, summary};

pub mod writer;

use crate::random::Random;
use writer::{Truth, Writer};

/// How often it is killed in the test suite; `tests/soak` asks for more.
const KILLS: u64 = 50;

/// Families that start with the process.
const MAY_FALL: [&str; 4] = [
    "process_",
    "flinktail_http_",
    "flinktail_store_",
    "flinktail_files_closed_total",
];

/// Holds every page to the one before it.
#[derive(Default)]
pub struct NeverFalls {
    last: Page,
}

impl NeverFalls {
    /// Takes the next page.
    pub fn check(&mut self, page: &Page) {
        for (series, value) in page {
            let name = series.split('{').next().unwrap();
            if !name.ends_with("_total") || MAY_FALL.iter().any(|start| name.starts_with(start)) {
                continue;
            }
            let last = self.last.insert(series.clone(), *value).unwrap_or(0);
            assert!(last <= *value, "{series} fell from {last} to {value}");
        }
    }
}

/// The counter of this state's entries.
pub fn entered(state: &str) -> String {
    format!("flinktail_transitions_total{{entity=\"flink_job\",to=\"{state}\"}}")
}

fn sum(page: &Page, name: &str) -> u64 {
    page.iter()
        .filter(|(series, _)| series.starts_with(name))
        .map(|(_, value)| value)
        .sum()
}

/// Bytes read of all logs.
pub fn read_bytes(page: &Page) -> u64 {
    sum(page, "flinktail_source_read_bytes_total")
}

fn tells(page: &Page, truth: &Truth) -> bool {
    page["flinktail_ready"] == 1
        && page[&entered("RUNNING")] == truth.running
        && page[&entered("RESTARTING")] == truth.restarting
}

/// Counts as the writer does, and has lost nothing.
pub fn expect(page: &Page, truth: &Truth) {
    assert!(tells(page, truth), "{truth:?}:\n{}", summary(page));
    let lost = sum(page, "flinktail_source_lost_bytes_total");
    assert_eq!(lost, 0, "bytes lost");
    assert_eq!(sum(page, "flink_job_restarts_total"), truth.restarting);
    assert_eq!(read_bytes(page), truth.bytes);
}

/// Writes on until told to stop.
fn write_on(mut writer: Writer) -> (Sender<()>, JoinHandle<Writer>) {
    let (stop, stopped) = channel();
    let thread = std::thread::spawn(move || {
        // The wait sets the pace; it ends early when the writing is over.
        while stopped.recv_timeout(Duration::from_millis(2)) == Err(RecvTimeoutError::Timeout) {
            writer.step();
        }
        writer.finish();
        writer
    });
    (stop, thread)
}

#[test]
fn t46_t53_killed_and_stopped_at_random_instants_under_rotation_every_line_counts_once() {
    let kills = std::env::var("FLINKTAIL_CRASH_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let seed = std::env::var("FLINKTAIL_CRASH_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("FLINKTAIL_CRASH_SEED={seed}");
    let (dir, mut random) = (tempfile::tempdir().unwrap(), Random(seed));
    let (logs, state) = (dir.path().join("logs"), dir.path().join("state"));
    let writer = Writer::new(&logs, seed);
    let read = Arc::clone(&writer.read);
    let (stop, writing) = write_on(writer);
    let mut falls = NeverFalls::default();
    for kill in 0..kills {
        let daemon = Daemon::start(&logs, &state);
        let until = Instant::now() + Duration::from_millis(random.below(200));
        while Instant::now() < until {
            let page = daemon.scrape();
            falls.check(&page);
            read.store(read_bytes(&page), Ordering::Relaxed);
        }
        if kill % 10 == 9 {
            // How long that may take is not held to here: the writer takes the machine for itself.
            daemon.stop();
        } else {
            daemon.kill();
        }
    }
    stop.send(()).unwrap();
    let truth = writing.join().unwrap().truth;
    let daemon = Daemon::start(&logs, &state);
    let page = daemon.scrape_until(
        |page| falls.check(page),
        |page| page["flinktail_ready"] == 1 && read_bytes(page) >= truth.bytes,
    );
    expect(&page, &truth);
}

#[test]
fn t55_with_a_backlog_the_last_view_stays_until_it_changes_in_one_step() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, state) = (dir.path().join("logs"), dir.path().join("state"));
    let mut writer = Writer::new(&logs, 7);
    let mut falls = NeverFalls::default();
    let mut before: Option<Truth> = None;
    for steps in [50, 5_000, 0] {
        (0..steps).for_each(|_| writer.append());
        writer.finish();
        let daemon = Daemon::start(&logs, &state);
        let mut behind = 0;
        let page = daemon.scrape_until(
            |page| {
                falls.check(page);
                if page["flinktail_ready"] == 0 {
                    behind += 1;
                    let truth = before.clone().unwrap_or_default();
                    assert_eq!(page[&entered("RUNNING")], truth.running);
                    assert_eq!(sum(page, "flink_job_restarts_total"), truth.restarting);
                    assert_eq!(sum(page, "flink_job_state{") > 0, before.is_some());
                }
            },
            |page| page["flinktail_ready"] == 1,
        );
        println!("{behind} scrapes before it was ready");
        expect(&page, &writer.truth);
        assert_eq!(daemon.get("/-/ready").unwrap().0, 200);
        before = Some(writer.truth.clone());
        daemon.stop();
    }
}

#[test]
fn t50_t51_without_its_directory_it_shows_what_it_reads_and_recovers_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, state) = (dir.path().join("logs"), dir.path().join("state"));
    let mut writer = Writer::new(&logs, 3);
    let mut falls = NeverFalls::default();
    writer.append();
    writer.finish();
    let daemon = Daemon::start(&logs, &state);
    let mut shows = |daemon: &Daemon, truth: &Truth, up: u64| {
        let shown = |page: &Page| tells(page, truth) && page["flinktail_store_up"] == up;
        daemon.scrape_until(|page| falls.check(page), shown)
    };
    shows(&daemon, &writer.truth, 1);
    fs::remove_dir_all(&state).unwrap();
    // A file in its place: the directory cannot be made again either.
    fs::write(&state, "").unwrap();
    writer.append();
    writer.finish();
    let page = shows(&daemon, &writer.truth, 0);
    assert!(page["flinktail_store_errors_total"] >= 1);
    fs::remove_file(&state).unwrap();
    shows(&daemon, &writer.truth, 1);
    daemon.kill();
    writer.append();
    writer.finish();
    let daemon = Daemon::start(&logs, &state);
    shows(&daemon, &writer.truth, 1);
}

#[test]
fn t52_a_second_instance_on_the_same_directory_ends_with_a_message() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, state) = (dir.path().join("logs"), dir.path().join("state"));
    Writer::new(&logs, 1).append();
    let _first = Daemon::start(&logs, &state);
    let mut second = assert_cmd::Command::new(env!("CARGO_BIN_EXE_flinktail"));
    second.arg("watch").arg(&logs).arg("--state-dir").arg(&state);
    second
        .args(["--web.listen-address", "127.0.0.1:0"])
        .timeout(PATIENCE);
    let output = second.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("in use by another flinktail")
    );
}

#[test]
fn history_tells_the_story_from_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, state) = (dir.path().join("logs"), dir.path().join("state"));
    let mut writer = Writer::new(&logs, 1);
    (0..20).for_each(|_| writer.append());
    writer.finish();
    let daemon = Daemon::start(&logs, &state);
    let history = |job: &[&str]| {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_flinktail"));
        let output = command
            .arg("history")
            .args(job)
            .arg("--state-dir")
            .arg(&state)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    daemon.scrape_until(|_| {}, |page| tells(page, &writer.truth));
    for running in [true, false] {
        assert_eq!(
            history(&[]).1.matches("cluster default").count(),
            writer::JOBS,
            "running: {running}"
        );
        for (job, code, count) in [
            ("job-1", 0, 1),
            ("0000000000000000000000000000000", 0, writer::JOBS),
            ("job-", 1, 0),
        ] {
            let (status, told) = history(&[job]);
            assert_eq!(
                (status, told.matches("RESTARTING").count() > 0),
                (Some(code), count > 0),
                "{job}"
            );
            assert_eq!(told.matches("cluster default").count(), count, "{job}");
        }
        if running {
            // Whatever way it ended, the story is there.
            rustix::process::kill_process(daemon.id(), rustix::process::Signal::KILL).unwrap();
        }
    }
    assert_eq!(history(&["--state-dir", "nowhere"]).0, Some(2), "given twice");
}

/// Where a rotated file goes.
pub fn rotated(log: &Path, number: u64) -> PathBuf {
    PathBuf::from(format!("{}.{number}", log.display()))
}
