//! The program among processes: signals, exit codes, the service manager, and what its own log may hold.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::crash::writer::Writer;
use crate::crash::{NeverFalls, expect};
use crate::daemon::{Daemon, PATIENCE, Page};

fn run(args: &[&str]) -> Output {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_flinktail"));
    command.args(args).timeout(PATIENCE).output().unwrap()
}

#[test]
fn t53_told_to_end_in_the_middle_of_a_backlog_with_clients_hanging_it_does_within_five_seconds() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, state) = (dir.path().join("logs"), dir.path().join("state"));
    let mut writer = Writer::new(&logs, 3);
    (0..250).for_each(|_| writer.append_with_noise(2_000));
    let daemon = Daemon::start(&logs, &state);
    let mut hanging: Vec<TcpStream> = (0..20)
        .map(|_| TcpStream::connect(daemon.address()).unwrap())
        .collect();
    for stream in &mut hanging[..10] {
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")
            .unwrap();
    }
    for stream in &mut hanging[10..] {
        stream.write_all(b"GET /metrics HT").unwrap();
    }
    assert_eq!(
        daemon.get("/-/ready").unwrap().0,
        503,
        "it is to be in the middle"
    );
    let took = daemon.stop();
    assert!(took < Duration::from_secs(5), "took {took:?}");
    let daemon = Daemon::start(&logs, &state);
    let mut falls = NeverFalls::default();
    let check = |page: &Page| {
        falls.check(page);
        // What was kept on the way is the state of no moment that anybody has seen.
        let shows_jobs = page.keys().any(|series| series.starts_with("flink_job_state"));
        assert_eq!(shows_jobs, page["flinktail_ready"] == 1);
    };
    let page = daemon.scrape_until(check, |page| page["flinktail_ready"] == 1);
    expect(&page, &writer.truth);
    drop(hanging);
}

#[test]
fn told_to_end_when_nobody_reads_its_log_any_more_it_does() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Daemon::watch();
    let mut daemon = command.arg(dir.path()).stderr(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(daemon.stderr.take().unwrap());
    let following = said.lines().any(|line| line.unwrap().contains("following"));
    assert!(following);
    let id = rustix::process::Pid::from_child(&daemon);
    rustix::process::kill_process(id, Signal::TERM).unwrap();
    assert_eq!(daemon.wait().unwrap().code(), Some(0));
}

#[test]
fn the_service_manager_hears_of_readiness_of_each_turn_and_of_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    let mut writer = Writer::new(&logs, 3);
    writer.append();
    let path = dir.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = Daemon::watch();
    command
        .arg(&logs)
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "200000");
    let daemon = Daemon::spawn(command);
    let heard = || {
        let mut buffer = [0; 256];
        let length = manager.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    };
    while !heard().starts_with("READY=1\n") {}
    let began = Instant::now();
    for _ in 0..5 {
        assert_eq!(heard(), "WATCHDOG=1");
    }
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?} for five turns",
        began.elapsed()
    );
    daemon.signal(Signal::TERM);
    while !heard().starts_with("STOPPING=1\n") {}
}

#[test]
fn exit_codes_tell_what_kind_of_thing_went_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    Writer::new(&logs, 1).append();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let config = dir.path().join("bad.toml");
    fs::write(&config, "[web]\nport = 1\n").unwrap();
    let web = dir.path().join("web.yml");
    fs::write(&web, "tls_server_config: {}\n").unwrap();
    let [logs, config, web] = [&logs, &config, &web].map(|path| path.to_str().unwrap());
    for (args, code, said) in [
        (
            &["watch", logs, "--once", "--web.listen-address", "127.0.0.1:0"][..],
            0,
            "caught up",
        ),
        (
            &["watch", logs, "--web.listen-address", &taken],
            1,
            "choose another with --web.listen-address",
        ),
        (
            &["watch", "--config", config],
            2,
            "bad.toml:2:1: unknown key \"port\" in [web]",
        ),
        (
            &["watch", "--config", "/nowhere.toml"],
            2,
            "/nowhere.toml: cannot read the configuration",
        ),
        (
            &["watch", logs, "--web.config.file", web],
            2,
            "web.yml:1:20: tls_server_config has neither",
        ),
        (&["watch"], 2, "nothing to watch"),
        (&["wach"], 2, "unrecognized subcommand"),
        (&["replay", "/nowhere.log"], 1, "/nowhere.log"),
        (&["history", "--state-dir", "/nowhere"], 1, "/nowhere"),
        (&["check", config], 2, ""),
        (&["print", "config", "--default"], 0, ""),
    ] {
        let output = run(args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(stderr.contains(said), "{args:?}: {stderr}");
    }
}

/// File names and lines that a terminal would obey.
const HOSTILE: &str = "\u{1b}[2J\u{202e}\u{7}\u{9b}31m";

fn hostile_logs(dir: &Path) {
    fs::create_dir(dir).unwrap();
    fs::write(
        dir.join(format!("{HOSTILE}jobmanager.log")),
        format!("{HOSTILE}\n").repeat(200),
    )
    .unwrap();
    fs::write(dir.join("new\nline.log"), "a\n".repeat(200)).unwrap();
}

fn check_harmless(said: &str) {
    let bad = said
        .lines()
        .find(|line| line.chars().any(flinktail::observe::is_unprintable));
    assert_eq!(bad, None, "{said:?}");
}

#[test]
fn its_own_log_never_holds_control_characters_of_other_peoples_names_and_lines() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    hostile_logs(&logs);
    let glob = logs.join("*").display().to_string();
    let once = [
        "--once",
        "--web.listen-address",
        "127.0.0.1:0",
        "--log.level",
        "trace",
    ];
    for format in ["text", "json"] {
        let output = run(&[&["watch", &glob, "--log.format", format], &once[..]].concat());
        assert_eq!(output.status.code(), Some(0));
        let stderr = String::from_utf8(output.stderr).unwrap();
        check_harmless(&stderr);
        assert!(stderr.contains("jobmanager.log"), "{stderr}");
        if format == "json" {
            for line in stderr.lines() {
                let message: serde_json::Value = serde_json::from_str(line).unwrap();
                assert!(
                    message["level"].is_string() && message["timestamp"].is_string(),
                    "{line}"
                );
            }
        }
    }
    let config = dir.path().join(format!("{HOSTILE}.toml"));
    fs::write(&config, "[log]\nlevel = \"\\u001b[2J\"\n").unwrap();
    let config = config.to_str().unwrap();
    for args in [&["watch", "--config", config][..], &["check", config]] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2));
        check_harmless(&String::from_utf8(output.stderr).unwrap());
        check_harmless(&String::from_utf8(output.stdout).unwrap());
    }
}

#[test]
fn the_level_of_the_log_holds() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    Writer::new(&logs, 1).append();
    let logs = logs.to_str().unwrap();
    let once = [
        "watch",
        logs,
        "--once",
        "--web.listen-address",
        "127.0.0.1:0",
        "--log.level",
    ];
    for (level, says) in [("error", false), ("info", true)] {
        let output = run(&[&once[..], &[level]].concat());
        assert_eq!(!output.stderr.is_empty(), says, "{level}");
    }
}
