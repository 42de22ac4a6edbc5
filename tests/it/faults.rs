//! The store's disk fails: T45 by kills at the system calls of a commit, T50 and T51 by disks that are full, read-only or
//! broken, T46 and T54 by writes that take long or hang. What needs root says so and is skipped for others.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use flinktail::store::Store;
use rustix::process::{Pid, Signal, kill_process};

use crate::crash::writer::{Truth, Writer};
use crate::daemon::{Daemon, PATIENCE, Page};

/// At how many of the system calls of a commit it is killed; `FLINKTAIL_KILL_POINTS` asks for more.
const POINTS: usize = 24;

/// System calls with which `SQLite` changes a file, or decides to.
const CALLS: [&str; 8] = [
    "openat",
    "pwrite64",
    "fsync",
    "fdatasync",
    "ftruncate",
    "unlink",
    "fcntl",
    "mmap",
];

/// A directory with a log and a state that has read half of it.
struct Halfway {
    dir: tempfile::TempDir,
    writer: Writer,
    old: Kept,
}

/// What a state directory holds, as far as it tells one moment from another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    offset: u64,
    running: u64,
    restarting: u64,
    matches: u64,
}

fn kept(state: &Path) -> Kept {
    use flinktail::model::flink_job::JobState::{Restarting, Running};
    let (_, saved, _) = Store::open(state).unwrap();
    Kept {
        offset: saved
            .progress
            .positions
            .iter()
            .map(|position| position.place.offset)
            .sum(),
        running: saved.left.counters.entered[Running as usize],
        restarting: saved.left.counters.entered[Restarting as usize],
        matches: saved
            .progress
            .rule_matches
            .get("job.transition")
            .copied()
            .unwrap_or(0),
    }
}

impl Halfway {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = Writer::new(&dir.path().join("logs"), 5);
        (0..20).for_each(|_| writer.append());
        writer.finish();
        let base = dir.path().join("base");
        read_once(&mut once(&dir.path().join("logs"), &base));
        let old = kept(&base);
        (0..20).for_each(|_| writer.append());
        writer.finish();
        Self { dir, writer, old }
    }

    fn logs(&self) -> PathBuf {
        self.dir.path().join("logs")
    }

    /// A fresh copy of the state.
    fn state(&self) -> PathBuf {
        copied(&self.dir.path().join("base"), self.dir.path().join("state"))
    }
}

/// Copies a state directory as it is now in place of whatever was there.
fn copied(state: &Path, to: PathBuf) -> PathBuf {
    let _missing = fs::remove_dir_all(&to);
    fs::create_dir(&to).unwrap();
    for file in fs::read_dir(state).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
    to
}

/// Reads what is there and ends.
fn once(logs: &Path, state: &Path) -> Command {
    let mut command = Daemon::command(logs, state);
    command.arg("--once").stderr(Stdio::null());
    command
}

fn read_once(command: &mut Command) {
    assert!(command.status().unwrap().success());
}

/// The command, traced: of the calls that concern the database's files.
fn traced(command: &Command, state: &Path, arguments: &[&str]) -> Command {
    let mut traced = Command::new("strace");
    // As a grandchild, so that what is started and killed is the program.
    traced.args(["-D", "-f", "-qq"]).args(arguments);
    for end in ["", "-wal", "-shm"] {
        traced.arg("-P").arg(state.join(format!("flinktail.db{end}")));
    }
    traced.arg(command.get_program()).args(command.get_args());
    traced.stderr(Stdio::null());
    traced
}

/// The command, of whose calls on the database's files some go as `inject` says.
fn injected(command: &Command, state: &Path, inject: &str) -> Command {
    traced(command, state, &["-o", "/dev/null", "-e", inject])
}

/// Whether processes can be traced, which some systems let root alone do: who may not is told so. That `strace` is missing
/// is no excuse: `tests/run` installs it.
fn can_trace() -> bool {
    let tried = Command::new("strace")
        .args(["-qq", "-e", "trace=none", "true"])
        .output();
    let tried = tried.expect("strace is needed: apt-get install strace");
    if !tried.status.success() {
        assert!(!rustix::process::geteuid().is_root(), "{tried:?}");
        let reason = String::from_utf8_lossy(&tried.stderr);
        println!("skipped: only root can trace processes here: {reason}");
    }
    tried.status.success()
}

#[test]
fn t45_killed_at_any_system_call_of_a_commit_it_has_the_old_state_or_the_new() {
    if !can_trace() {
        return;
    }
    let halfway = Halfway::new();
    let state = halfway.state();
    let listing = halfway.dir.path().join("calls");
    let trace = format!("trace={}", CALLS.join(","));
    let arguments = ["-o", listing.to_str().unwrap(), "-e", &trace];
    read_once(&mut traced(&once(&halfway.logs(), &state), &state, &arguments));
    let calls = points(&fs::read_to_string(&listing).unwrap());
    let new = kept(&state);
    let truth = &halfway.writer.truth;
    assert_eq!((new.running, new.restarting), (truth.running, truth.restarting));
    let most = std::env::var("FLINKTAIL_KILL_POINTS").map_or(POINTS, |points| points.parse().unwrap());
    let most = most.min(calls.len());
    let (mut killed, mut news) = (0, 0);
    for point in 0..most {
        let (call, number) = &calls[point * calls.len() / most];
        let state = halfway.state();
        let inject = format!("inject={call}:signal=KILL:when={number}");
        let mut command = injected(&once(&halfway.logs(), &state), &state, &inject);
        killed += usize::from(!command.status().unwrap().success());
        let found = kept(&state);
        assert!(
            found == halfway.old || found == new,
            "neither the old nor the new state at {call} {number}: {found:?}"
        );
        news += usize::from(found == new);
        read_once(&mut once(&halfway.logs(), &state));
        assert_eq!(kept(&state), new, "after {call} {number}");
    }
    println!(
        "killed {killed} times, at {most} of {} calls; {news} times the new state was there",
        calls.len()
    );
    // Which thread does the last calls of a kind may differ from run to run.
    assert!(killed * 10 >= most * 8, "killed {killed} times of {most}");
    assert!(news < most, "never killed before the commit");
}

#[test]
fn t46_what_is_shown_is_written_down_so_that_no_kill_lets_a_counter_fall() {
    if !can_trace() {
        return;
    }
    let halfway = Halfway::new();
    let (state, mut truth) = (halfway.state(), halfway.writer.truth.clone());
    // So slow that a scrape would come between the one and the other.
    let slow = "inject=pwrite64:delay_enter=20000";
    let command = injected(&Daemon::command(&halfway.logs(), &state), &state, slow);
    let daemon = Daemon::spawn(command);
    let mut writer = halfway.writer;
    for _ in 0..5 {
        shows(&daemon, &truth, 1);
        let kept = kept(&copied(&state, halfway.dir.path().join("killed")));
        assert_eq!((kept.running, kept.restarting), (truth.running, truth.restarting));
        while writer.truth.restarting == truth.restarting {
            writer.append();
        }
        writer.finish();
        truth = writer.truth.clone();
    }
}

/// Every call and its number in its thread, as `strace` counts them: what is killed there by a number is the thread that
/// comes to it first.
fn points(listing: &str) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (thread, call) in listing.lines().filter_map(|line| line.split_once(' ')) {
        let call = call.trim_start().split('(').next().unwrap();
        if CALLS.contains(&call) {
            *counts.entry((thread, call)).or_default() += 1;
        }
    }
    let most = |call: &str| {
        counts
            .iter()
            .filter(|((_, of), _)| *of == call)
            .map(|(_, count)| *count)
            .max()
    };
    let of = |call: &&'static str| (1..=most(call).unwrap_or(0)).map(|number| ((*call).to_owned(), number));
    CALLS.iter().flat_map(of).collect()
}

fn shows(daemon: &Daemon, truth: &Truth, up: u64) -> Page {
    let entered = |state| format!("flinktail_transitions_total{{entity=\"flink_job\",to=\"{state}\"}}");
    daemon.scrape_until(
        |_| {},
        |page| {
            page["flinktail_ready"] == 1
                && page["flinktail_store_up"] == up
                && page[&entered("RUNNING")] == truth.running
                && page[&entered("RESTARTING")] == truth.restarting
        },
    )
}

/// A small file system in memory, gone with the test.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None for who is not allowed to, which is said.
    fn mount(at: PathBuf, options: &str) -> Option<Self> {
        fs::create_dir(&at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&at);
        let output = mount.output().unwrap();
        if output.status.success() {
            return Some(Self(at));
        }
        assert!(!rustix::process::geteuid().is_root(), "{output:?}");
        println!("skipped: only root can mount a file system");
        None
    }

    fn remount(&self, options: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{options}")]).arg(&self.0);
        assert!(mount.status().unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").args(["--lazy"]).arg(&self.0).status();
    }
}

/// That it cannot be written, and that it can be again, is each said once.
#[track_caller]
fn said_once_each(daemon: &Daemon) {
    daemon.hear(": written again");
    let said = daemon.said();
    for words in ["what is shown is not kept until", ": written again"] {
        assert_eq!(said.matches(words).count(), 1, "{words:?} once in:\n{said}");
    }
}

#[test]
fn t50_a_full_disk_is_said_once_and_written_again_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(dir.path().join("state"), "size=4m") else {
        return;
    };
    let logs = dir.path().join("logs");
    let mut writer = Writer::new(&logs, 11);
    writer.append();
    writer.finish();
    let daemon = Daemon::start(&logs, &disk.0);
    shows(&daemon, &writer.truth, 1);
    let filler = disk.0.join("filler");
    assert!(fs::write(&filler, vec![0; 8 << 20]).is_err(), "it is full");
    // More than fits into what its log has room for already.
    (0..200).for_each(|_| writer.append());
    writer.finish();
    let page = shows(&daemon, &writer.truth, 0);
    assert!(page["flinktail_store_errors_total"] >= 1);
    assert_eq!(daemon.get("/-/healthy").unwrap().0, 200);
    fs::remove_file(&filler).unwrap();
    shows(&daemon, &writer.truth, 1);
    said_once_each(&daemon);
    daemon.kill();
    shows(&Daemon::start(&logs, &disk.0), &writer.truth, 1);
}

#[test]
fn t50_started_on_a_full_disk_it_goes_on_from_what_was_kept() {
    for in_order in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let Some(disk) = SmallDisk::mount(dir.path().join("state"), "size=4m") else {
            return;
        };
        let logs = dir.path().join("logs");
        let mut writer = Writer::new(&logs, 14);
        (0..5).for_each(|_| writer.append());
        writer.finish();
        let daemon = Daemon::start(&logs, &disk.0);
        shows(&daemon, &writer.truth, 1);
        if in_order {
            daemon.stop();
        } else {
            daemon.kill();
        }
        // What was read is not there any more.
        fs::rename(writer.log(), dir.path().join("gone")).unwrap();
        writer.reopen();
        writer.append();
        writer.finish();
        let filler = disk.0.join("filler");
        assert!(fs::write(&filler, vec![0; 8 << 20]).is_err(), "it is full");
        let daemon = Daemon::start(&logs, &disk.0);
        shows(&daemon, &writer.truth, 0);
        fs::remove_file(&filler).unwrap();
        shows(&daemon, &writer.truth, 1);
        daemon.kill();
        shows(&Daemon::start(&logs, &disk.0), &writer.truth, 1);
    }
}

#[test]
fn t50_a_read_only_directory_is_said_once_and_taken_up_when_it_can_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(dir.path().join("state"), "size=4m,ro") else {
        return;
    };
    let logs = dir.path().join("logs");
    let mut writer = Writer::new(&logs, 12);
    writer.append();
    writer.finish();
    let daemon = Daemon::start(&logs, &disk.0);
    shows(&daemon, &writer.truth, 0);
    // It is tried again, and that it failed again is not said.
    daemon.scrape_until(|_| {}, |page| page["flinktail_store_errors_total"] >= 2);
    disk.remount("rw");
    writer.append();
    writer.finish();
    shows(&daemon, &writer.truth, 1);
    said_once_each(&daemon);
    daemon.kill();
    shows(&Daemon::start(&logs, &disk.0), &writer.truth, 1);
}

#[test]
fn t50_writes_and_flushes_that_fail_are_tried_again_with_a_new_descriptor() {
    if !can_trace() {
        return;
    }
    for call in ["pwrite64", "fsync,fdatasync"] {
        let dir = tempfile::tempdir().unwrap();
        let (logs, state) = (dir.path().join("logs"), dir.path().join("state"));
        let mut writer = Writer::new(&logs, 13);
        writer.append();
        writer.finish();
        // Everything is read and kept once without a fault.
        read_once(&mut once(&logs, &state));
        writer.append();
        writer.finish();
        let inject = format!("inject={call}:error=EIO:when=1..2");
        let command = injected(&Daemon::command(&logs, &state), &state, &inject);
        let daemon = Daemon::spawn(command);
        let page = shows(&daemon, &writer.truth, 1);
        assert!(page["flinktail_store_errors_total"] >= 1, "{call}");
    }
}

#[test]
fn t44_a_log_that_cannot_be_read_does_not_keep_those_that_wait_for_it_from_being_shown() {
    if !can_trace() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (logs, state) = (dir.path().join("logs"), dir.path().join("state"));
    let mut writer = Writer::new(&logs, 15);
    writer.append();
    writer.finish();
    // It can be looked into, and not be read to its end.
    let bad = logs.join("bad.log");
    let beginning = fs::read(writer.log()).unwrap();
    let line = b"2026-03-02 00:00:00,000 INFO  org.apache.flink.runtime.jobmaster.JobMaster [] - Nothing.\n";
    fs::write(&bad, [line.repeat(20_000), beginning].concat()).unwrap();
    let command = Daemon::command(&logs, &state);
    let mut traced = Command::new("strace");
    traced.args([
        "-D",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "inject=pread64:error=EIO:when=5+",
        "-P",
    ]);
    traced
        .arg(&bad)
        .arg(command.get_program())
        .args(command.get_args());
    let daemon = Daemon::spawn(traced);
    shows(&daemon, &writer.truth, 1);
}

/// Waits until a process has no other thread than the one whose call is delayed. The tracer, which lets that one end only once
/// the delay is over; none where it has ended too.
fn left_by_all_but_the_one_that_hangs(process: Pid) -> Option<Pid> {
    let began = Instant::now();
    loop {
        let status = fs::read_to_string(format!("/proc/{}/status", process.as_raw_nonzero())).unwrap();
        let field = |key: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(key))
                .map(str::trim)
        };
        if let (Some("0" | "1"), Some(tracer)) = (field("Threads:"), field("TracerPid:")) {
            return Pid::from_raw(tracer.parse().unwrap());
        }
        assert!(began.elapsed() < PATIENCE, "{status}");
        thread::yield_now();
    }
}

#[test]
fn t54_a_second_signal_ends_it_at_once_though_the_disk_hangs() {
    if !can_trace() {
        return;
    }
    let halfway = Halfway::new();
    let state = halfway.state();
    let inject = "inject=fsync,fdatasync:delay_enter=60000000";
    let command = injected(&Daemon::command(&halfway.logs(), &state), &state, inject);
    let daemon = Daemon::spawn(command);
    daemon.hear("caught up");
    daemon.signal(Signal::TERM);
    daemon.hear("SIGTERM: stopping");
    daemon.signal(Signal::TERM);
    let tracer = left_by_all_but_the_one_that_hangs(daemon.id());
    // What has not asked for its end by now goes on, and ends as one does that was asked once.
    let _ended_by_itself = tracer.map(|tracer| kill_process(tracer, Signal::KILL));
    assert_eq!(daemon.ended().code(), Some(1), "it waited for the disk");
    // On a slow machine a first commit may have come through before it had caught up.
    assert!(kept(&state).offset >= halfway.old.offset);
}
