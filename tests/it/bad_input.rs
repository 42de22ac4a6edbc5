//! Bad input never ends the program and never passes in silence: a message that says what to do, and a counter.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, ChildStderr, Stdio};
use std::time::Duration;

use assert_cmd::Command;

use crate::runs;

const PATIENCE: Duration = Duration::from_secs(60);

/// The beginning of a recorded log: a banner and a few jobs.
fn log() -> String {
    let runs = runs::all();
    let run = runs.iter().find(|run| run.name == "1.20.5-default").unwrap();
    let (_, text) = runs::unpack(
        run.logs
            .iter()
            .find(|log| log.ends_with("jobmanager.log.1.gz"))
            .unwrap(),
    );
    text.split_inclusive('\n').take(1_500).collect()
}

fn lines_with(text: &str, word: &str) -> String {
    text.split_inclusive('\n')
        .filter(|line| line.contains(word))
        .collect()
}

/// Each record with its logger left out.
fn without_logger(text: &str) -> String {
    let records = text
        .lines()
        .filter_map(|line| Some((line.get(..29)?, line.split_once(" [] - ")?.1)));
    let kept = records.filter(|(header, _)| header.starts_with("2026-"));
    kept.flat_map(|(header, message)| [header, " - ", message, "\n"])
        .collect()
}

fn flinktail(arguments: &[&str], directory: &Path) -> assert_cmd::assert::Assert {
    Command::new(env!("CARGO_BIN_EXE_flinktail"))
        .current_dir(directory)
        .timeout(PATIENCE)
        .args(arguments)
        .assert()
}

/// A daemon over `log/` in this directory; ends with the test.
struct Daemon {
    process: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
}

impl Daemon {
    /// Starts it and waits until it has read all there is.
    fn caught_up(directory: &Path) -> Self {
        let mut process = std::process::Command::new(env!("CARGO_BIN_EXE_flinktail"))
            .current_dir(directory)
            .args([
                "watch",
                "log",
                "--web.listen-address",
                "127.0.0.1:0",
                "--timezone",
                "UTC",
            ])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let mut daemon = Self {
            process,
            stderr,
            said: String::new(),
        };
        while !daemon.said.contains("caught up") {
            assert_ne!(
                daemon.stderr.read_line(&mut daemon.said).unwrap(),
                0,
                "ended: {}",
                daemon.said
            );
        }
        daemon
    }

    /// `/metrics` of the view after the catch-up. HTTP 1.0, so that no chunk ends inside a line.
    fn page(&self) -> String {
        let (_, address) = self.said.split_once("http://").unwrap();
        let address = address.split_whitespace().next().unwrap();
        loop {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut page = String::new();
            write!(stream, "GET /metrics HTTP/1.0\r\n\r\n").unwrap();
            stream.read_to_string(&mut page).unwrap();
            if page.contains("\nflinktail_ready 1\n") {
                return page;
            }
        }
    }

    /// Ends it; all that it wrote to its log.
    fn said(mut self) -> String {
        self.process.kill().unwrap();
        self.stderr.read_to_string(&mut self.said).unwrap();
        std::mem::take(&mut self.said)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already; there is nothing else to be done about it.
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// Watches `log/`: the program goes on, shows a sample that begins so and is not 0, and has said `message` once.
#[track_caller]
fn check(directory: &Path, message: &str, counted: &str) {
    let daemon = Daemon::caught_up(directory);
    let page = daemon.page();
    let sample = page.lines().find(|line| line.contains(counted));
    assert!(
        sample.is_some_and(|sample| !sample.ends_with(" 0")),
        "{counted}: {sample:?} in:\n{page}"
    );
    let said = daemon.said();
    assert_eq!(said.matches(message).count(), 1, "{message:?} once in:\n{said}");
}

/// A folder that holds this one log.
#[track_caller]
fn check_log(content: impl AsRef<[u8]>, message: &str, counted: &str) {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("log")).unwrap();
    fs::write(directory.path().join("log/jobmanager.log"), content).unwrap();
    check(directory.path(), message, counted);
}

#[test]
fn a_binary_file_is_told() {
    let noise: Vec<u8> = (0_u32..200_000)
        .map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[1])
        .collect();
    check_log(
        noise,
        "no layout recognises its lines",
        "reason=\"unknown_layout\"} 1",
    );
}

#[test]
fn an_unknown_layout_is_told() {
    let odd = "## 23 ~~\n".repeat(1_000);
    check_log(odd, "--layout or `layout =`", "reason=\"unknown_layout\"} 1");
}

#[test]
fn a_log_of_warnings_only_is_told() {
    check_log(
        lines_with(&log(), " WARN ").repeat(3),
        "set rootLogger.level",
        "reason=\"level_above_info\"} 1",
    );
}

#[test]
fn a_layout_without_logger_is_told() {
    check_log(
        without_logger(&log()),
        "add %c (log4j) or %logger (logback)",
        "reason=\"no_logger\"} 1",
    );
}

#[test]
fn utf_16_is_told() {
    let wide: Vec<u8> = log().encode_utf16().flat_map(u16::to_le_bytes).collect();
    check_log(
        [b"\xff\xfe".as_slice(), &wide].concat(),
        "let Flink write UTF-8",
        "reason=\"encoding\"} 1",
    );
}

#[test]
fn invalid_utf_8_in_a_name_is_told_and_the_job_is_known() {
    let broken: Vec<u8> = log().replace("bounded-finished", "bounded-\u{1}").into_bytes();
    let broken: Vec<u8> = broken
        .into_iter()
        .map(|byte| if byte == 1 { 0xff } else { byte })
        .collect();
    check_log(broken, "-Dfile.encoding=UTF-8", "result=\"invalid_utf8\"");
}

#[test]
fn a_line_without_end_is_told() {
    let endless = "x".repeat(5 << 20);
    check_log(log() + &endless, "raise `line_bytes`", "result=\"too_long\"");
}

#[test]
fn torn_lines_are_counted_and_the_others_are_read() {
    let log = log();
    let mut torn = String::new();
    for (number, line) in log.split_inclusive('\n').enumerate() {
        torn.push_str(if number % 5 == 4 {
            &line[line.len() / 2 + 1..]
        } else {
            line
        });
    }
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("jobmanager.log"), torn).unwrap();
    let told = flinktail(
        &["replay", "jobmanager.log", "--timezone", "UTC"],
        directory.path(),
    );
    let told = String::from_utf8_lossy(&told.success().get_output().stdout).into_owned();
    assert!(told.contains("RUNNING"), "{told}");
}

#[test]
fn a_folder_without_logs_is_told() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("log")).unwrap();
    check(
        directory.path(),
        "holds no JobManager log yet",
        "flinktail_entities_limit",
    );
}

#[test]
fn what_cannot_be_listed_is_told_and_the_rest_is_read() {
    // A loop of links fails to open for everybody; permissions mean nothing to root, whom containers often run as.
    let directory = tempfile::tempdir().unwrap();
    let log_folder = directory.path().join("log");
    fs::create_dir(&log_folder).unwrap();
    symlink("other.log", log_folder.join("loop.log")).unwrap();
    symlink("loop.log", log_folder.join("other.log")).unwrap();
    fs::write(log_folder.join("jobmanager.log"), log()).unwrap();
    let source = log_folder.canonicalize().unwrap().join("loop.log");
    check(
        directory.path(),
        "loop.log: cannot",
        &format!(
            "flinktail_source_errors_total{{source=\"{}\",cluster=\"\",op=\"stat\"}}",
            source.display()
        ),
    );
}

#[test]
fn a_replay_of_nothing_fails_and_says_what_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let failed = flinktail(&["replay", "gone.log"], directory.path()).code(1);
    let said = String::from_utf8_lossy(&failed.get_output().stderr).into_owned();
    assert!(said.contains("gone.log: no log there"), "{said}");
}
