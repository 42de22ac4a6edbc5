//! Every command with every flag, run for real: what each changes in what the program does or says. The last test holds
//! the table to what `--help` offers, so that a flag cannot come without a line here.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use clap::CommandFactory as _;
use flinktail::cli::args::Cli;

use crate::daemon::PATIENCE;

/// Command lines, each with its exit code and with words that it makes the program say. `{dir}` is the test's directory.
/// Each line finds what those before it left.
const LINES: &[(&str, i32, &str)] = &[
    (
        "watch {dir}/log --once @ --state-dir {dir}/s1 --cluster prod",
        0,
        "caught up: 1 jobs",
    ),
    ("history --state-dir {dir}/s1", 0, "cluster prod"),
    ("history --state-dir {dir}/s1 --json", 0, "\"cluster\":\"prod\""),
    ("history orders --state-dir {dir}/s1", 0, "orders"),
    (
        "history nobody --state-dir {dir}/s1",
        1,
        "nothing has this name or begins its id so: nobody",
    ),
    (
        "watch {dir}/log --once @ --state-dir {dir}/s2 --timezone +05:00",
        0,
        "caught up: 1 jobs",
    ),
    (
        "history --state-dir {dir}/s2 --json",
        0,
        "2026-03-02T04:00:00.000Z",
    ),
    (
        "watch --config {dir}/flinktail.toml --once @",
        0,
        "caught up: 1 jobs",
    ),
    (
        "history --config {dir}/flinktail.toml --json",
        0,
        "\"cluster\":\"filed\"",
    ),
    ("watch {dir}/log --once @ --from end", 0, "caught up: 0 jobs"),
    ("watch {dir}/log --once @ --from start", 0, "caught up: 1 jobs"),
    ("watch {dir}/log --once @ --layout ecs", 0, "caught up: 0 jobs"),
    (
        "watch {dir}/log --once @ --rules {dir}/rules",
        2,
        "bad.toml:1:1: ",
    ),
    (
        "watch {dir}/log --once @ --poll-interval 100ms",
        0,
        "caught up: 1 jobs",
    ),
    (
        "watch {dir}/log --once @ --web.config.file {dir}/web.yml",
        0,
        "listening on https://127.0.0.1:",
    ),
    (
        "watch {dir}/log --once @ --web.enable-lifecycle",
        0,
        "caught up: 1 jobs",
    ),
    (
        "watch {dir}/log --once @ --web.listen-address 0.0.0.0:0",
        0,
        "can be reached from other machines",
    ),
    ("watch {dir}/log --once @ --log.level debug", 0, "caught up"),
    (
        "watch {dir}/log --once @ --log.format json",
        0,
        "\"level\":\"INFO\"",
    ),
    ("replay {dir}/log", 0, "orders"),
    ("replay {dir}/log --json", 0, "\"state\":\"RUNNING\""),
    ("replay {dir}/log --metrics", 0, "flink_job_state{"),
    (
        "replay {dir}/log --json --cluster prod",
        0,
        "\"cluster\":\"prod\"",
    ),
    (
        "replay {dir}/log --json --timezone -03:00",
        0,
        "2026-03-02T12:00:00.000Z",
    ),
    ("replay {dir}/log --json --layout ecs", 0, "{\"entities\":[]}"),
    ("replay {dir}/log --rules {dir}/rules", 2, "bad.toml:1:1: "),
    ("explain {dir}/log/jobmanager.log", 0, "RUNNING"),
    (
        "explain {dir}/log/jobmanager.log --timezone -03:00",
        0,
        "2026-03-02T12:00:00Z",
    ),
    ("explain {dir}/log/jobmanager.log --layout log5j", 2, "--layout: "),
    (
        "explain {dir}/log/jobmanager.log --rules {dir}/rules",
        2,
        "bad.toml:1:1: ",
    ),
    ("check", 0, "no problem"),
    ("check {dir}/rules {dir}/flinktail.toml", 2, "bad.toml:1:1: "),
    ("print rules --dir {dir}/printed", 0, ""),
    ("check {dir}/printed/rules/parse", 0, "no problem"),
    (
        "print config --default",
        0,
        "listen_address = [\"127.0.0.1:19249\"]",
    ),
    (
        "print config --config {dir}/flinktail.toml",
        0,
        "cluster = \"filed\"",
    ),
    ("print metrics", 0, "flink_job_state"),
    ("print completions bash", 0, "_flinktail"),
    ("print man --dir {dir}/man", 0, ""),
    (
        "demo --dir {dir}/log --web.listen-address 127.0.0.1:0",
        1,
        "{dir}/log",
    ),
];

const LOG: &str = "2026-03-02 09:00:00,000 INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph       [] - Job orders \
                   (0a1b2c3d4e5f60718293a4b5c6d7e8f9) switched from state CREATED to RUNNING.\n";

fn lay_out(dir: &Path) {
    for name in ["log", "rules"] {
        fs::create_dir(dir.join(name)).unwrap();
    }
    fs::write(dir.join("log/jobmanager.log"), LOG).unwrap();
    fs::write(dir.join("rules/bad.toml"), "schema = 1\n[[rule]]\n").unwrap();
    let config = "[[source]]\npath = 'log'\ncluster = 'filed'\ntimezone = 'UTC'\n[state]\ndir = 's3'\n";
    fs::write(dir.join("flinktail.toml"), config).unwrap();
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls");
    let web = format!("tls_server_config:\n  cert_file: {keys}/ec.crt\n  key_file: {keys}/ec.pkcs8.key\n");
    fs::write(dir.join("web.yml"), web).unwrap();
}

/// The words of a line, with what they stand for.
fn words(line: &str, dir: &Path) -> Vec<String> {
    let line = line.replace('@', "--web.listen-address 127.0.0.1:0");
    let dir = dir.display().to_string();
    line.split(' ').map(|word| word.replace("{dir}", &dir)).collect()
}

#[test]
fn every_flag_does_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    lay_out(dir.path());
    for (line, code, says) in LINES {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_flinktail"));
        let output = command
            .args(words(line, dir.path()))
            .timeout(PATIENCE)
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        let says = says.replace("{dir}", &dir.path().display().to_string());
        assert_eq!(output.status.code(), Some(*code), "{line}:\n{said}");
        assert!(said.contains(&says), "{line}:\n{said}");
    }
}

/// Each command with each of its arguments, as a line here would hold them: `print config --default`.
fn offered(command: &clap::Command, name: &str, out: &mut BTreeSet<(String, String)>) {
    for argument in command.get_arguments() {
        let flag = argument
            .get_long()
            .map_or("PATH".to_owned(), |long| format!("--{long}"));
        if !["--help", "--version"].contains(&flag.as_str()) {
            out.insert((name.to_owned(), flag));
        }
    }
    for inner in command
        .get_subcommands()
        .filter(|inner| inner.get_name() != "help")
    {
        offered(inner, format!("{name} {}", inner.get_name()).trim(), out);
    }
}

#[test]
fn every_flag_is_in_the_table() {
    let mut all = BTreeSet::new();
    offered(&Cli::command(), "", &mut all);
    assert!(all.len() > 30, "{all:?}");
    let missing: Vec<_> = all
        .iter()
        .filter(|(command, flag)| {
            !LINES.iter().any(|(line, ..)| {
                let line = line.replace('@', "--web.listen-address");
                let rest = line.strip_prefix(command.as_str());
                rest.is_some_and(|rest| match flag.as_str() {
                    // Arguments without a name.
                    "PATH" => {
                        rest.starts_with(" {dir}")
                            || ["history", "print completions"].contains(&command.as_str())
                    }
                    flag => rest.split(' ').any(|word| word == flag),
                })
            })
        })
        .collect();
    assert!(missing.is_empty(), "no line for {missing:?}");
}
