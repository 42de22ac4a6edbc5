//! What a hostile log, directory or configuration can do: T37, T61, T62, T65 and T66. (T63 and T64 are in `http`.)

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use regex::Regex;

use crate::daemon::{Daemon, PATIENCE};

const HEAD: &str =
    "2026-03-02 09:00:00,000 INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph       [] - ";

fn watched(dir: &Path, log: &str) -> Daemon {
    let logs = dir.join("logs");
    fs::create_dir(&logs).unwrap();
    fs::write(logs.join("jobmanager.log"), log).unwrap();
    let daemon = Daemon::start(&logs, &dir.join("state"));
    daemon.scrape_until(|_| {}, |page| page["flinktail_ready"] == 1);
    daemon
}

/// A line of the text exposition format 0.0.4.
fn exposition() -> Regex {
    let label = r#"[a-z_]+="(\\\\|\\"|\\n|[^"\\\n])*""#;
    Regex::new(&format!(
        r"^(# (HELP|TYPE) .*|[a-z_]+(\{{{label}(,{label})*\}})? [0-9.e+-]+)$"
    ))
    .unwrap()
}

#[test]
fn t37_names_of_files_break_neither_the_metrics_nor_the_page_nor_the_messages() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let names = [
        b"new\nline".to_vec(),
        b"\"quoted\\\"".to_vec(),
        b"\xff\xfe".to_vec(),
        b"\x1b[2J<wbr>".to_vec(),
        vec![b'n'; 240],
    ];
    for (number, name) in names.iter().enumerate() {
        let path = logs.join(OsStr::from_bytes(&[name, &b"-jobmanager.log"[..]].concat()));
        let job = format!("{HEAD}Job a ({number:032x}) switched from state CREATED to RUNNING.\n");
        fs::write(&path, job).unwrap();
        // And one that is told of because it cannot be read.
        symlink("/dev/null", path.with_extension("out")).unwrap();
    }
    let daemon = Daemon::start(&logs, &dir.path().join("state"));
    daemon.scrape_until(|_| {}, |page| page["flinktail_ready"] == 1);
    let (_, metrics) = daemon.get("/metrics").unwrap();
    let line = exposition();
    assert_eq!(metrics.lines().find(|text| !line.is_match(text)), None);
    assert_eq!(
        metrics.matches("flinktail_source_read_bytes_total{").count(),
        names.len()
    );
    for shown in [r"/new\nline-", r#"/\"quoted\\\"-"#, r"/\\xff\\xfe-"] {
        assert!(metrics.contains(shown), "{shown} in:\n{metrics}");
    }
    let (_, page) = daemon.get("/sources").unwrap();
    assert!(!page.contains("<wbr") && !page.contains('\u{1b}'), "{page}");
    let said = daemon.said();
    assert_eq!(said.matches("not a regular file").count(), names.len(), "{said}");
    assert!(
        said.lines().all(|line| line.starts_with("20")) && !said.contains('\u{1b}'),
        "{said}"
    );
}

#[test]
fn t61_hostile_names_break_neither_the_metrics_nor_the_page() {
    let names = [
        "a\"} 1\nup{x=\"\\",
        "<script>alert(1)</script>",
        "\u{202e}gnp.exe",
        "\u{1b}[2J",
        &"x".repeat(500_000),
    ];
    let lines = names.iter().enumerate().map(|(number, name)| {
        format!("{HEAD}Job {name} ({number:032x}) switched from state CREATED to RUNNING.\n")
    });
    let dir = tempfile::tempdir().unwrap();
    let daemon = watched(dir.path(), &lines.collect::<String>());
    let (_, metrics) = daemon.get("/metrics").unwrap();
    let line = exposition();
    let wrong = metrics.lines().find(|text| !line.is_match(text));
    assert_eq!(wrong.map(|text| &text[..text.len().min(300)]), None);
    assert_eq!(metrics.matches("flink_job_info{").count(), names.len());
    assert!(metrics.len() < 2_000_000, "{} bytes", metrics.len());
    for path in [
        "/",
        "/entity?kind=flink_job&cluster=default&id=00000000000000000000000000000001",
    ] {
        let (_, page) = daemon.get(path).unwrap();
        assert!(
            !page.contains("<script>alert") && !page.contains(['\u{202e}', '\u{1b}']),
            "{path}"
        );
    }
}

#[test]
fn t62_what_users_print_moves_no_job() {
    let said = "Job orders (0a1b2c3d4e5f60718293a4b5c6d7e8f9) switched from state";
    let user =
        "2026-03-02 09:00:01,000 INFO  com.example.Orders                                           [] - ";
    let text = [
        format!("{HEAD}{said} CREATED to RUNNING.\n"),
        // With their own logger; in the middle of Flink's; in a message over several lines; in an exception.
        format!("{user}{said} RUNNING to FAILED.\n"),
        format!("{HEAD}the user says: {said} RUNNING to FAILED.\n"),
        format!("{user}first line\n{said} RUNNING to FAILED.\n"),
        format!(
            "{user}oops\njava.lang.RuntimeException: x\n{said} RUNNING to FAILED.\n\tat a.B.c(B.java:1)\n"
        ),
        format!("{user}and so on\n"),
    ];
    let dir = tempfile::tempdir().unwrap();
    let daemon = watched(dir.path(), &text.concat());
    let (_, entities) = daemon.get("/api/v1/entities").unwrap();
    let entities: serde_json::Value = serde_json::from_str(&entities).unwrap();
    assert_eq!(entities["entities"][0]["state"], "RUNNING", "{entities}");
    assert_eq!(entities["entities"].as_array().unwrap().len(), 1);
}

#[test]
fn t65_a_state_directory_prepared_by_somebody_else_is_not_written_through() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, state) = (dir.path().join("logs"), dir.path().join("state"));
    let target = dir.path().join("target");
    fs::create_dir(&logs).unwrap();
    fs::write(logs.join("jobmanager.log"), "").unwrap();
    fs::write(&target, "precious").unwrap();
    for name in ["flinktail.db", "lock"] {
        fs::create_dir_all(&state).unwrap();
        symlink(&target, state.join(name)).unwrap();
        let daemon = Daemon::start(&logs, &state);
        daemon.scrape_until(
            |_| {},
            |page| page["flinktail_ready"] == 1 && page["flinktail_store_up"] == 0,
        );
        daemon.stop();
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious", "{name}");
        fs::remove_dir_all(&state).unwrap();
    }
}

/// A configuration that is refused, soon and in few words.
fn check_bomb(text: &str) {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("flinktail.toml");
    fs::write(&config, text).unwrap();
    let began = Instant::now();
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_flinktail"));
    let output = command
        .arg("check")
        .arg(&config)
        .timeout(PATIENCE)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.len() < 5_000, "{} bytes said", output.stdout.len());
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "took {:?}: {text:.80}",
        began.elapsed()
    );
}

#[test]
fn t66_patterns_that_would_take_all_memory_are_refused() {
    // As much as a file may hold; then more.
    let long = "a".repeat(900_000);
    for pattern in ["((a{1000}){1000}){1000}", &long, &"(".repeat(90_000)] {
        check_bomb(&format!(
            "[[source]]\npath = '-'\ncluster_from_path = '(?<cluster>{pattern})('\n"
        ));
    }
    check_bomb(&format!("[[source]]\npath = '-'\nlayout = '{long}'\n"));
    check_bomb(&format!(
        "[[stuck_override]]\njob_name = '{long}['\nRESTARTING = '1m'\n"
    ));
    check_bomb(&format!("[[source]]\npath = '-'\ntimezone = '{long}'\n"));
    check_bomb(&format!("[{long}]\n"));
    check_bomb(&long.repeat(12));
}
