//! What stands beside a JobManager's log: its console, the logs of its `TaskManagers`; and a log that comes through a pipe.

use std::fs;
use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;

use crate::runs;

const PATIENCE: Duration = Duration::from_secs(60);

/// What a TaskManager logs; the last line is user code that borrows Flink's logger.
const TASK_MANAGER: &str = "\
2026-11-20 23:48:15,100 INFO  org.apache.flink.runtime.taskexecutor.TaskManagerRunner      [] - Starting TaskManager with ResourceID: tm-1
2026-11-20 23:48:33,000 INFO  org.apache.flink.runtime.taskexecutor.TaskExecutor           [] - Received task Source: ticker (1/1)#0, deploy into slot
2026-11-20 23:48:33,100 INFO  org.apache.flink.runtime.taskmanager.Task                    [] - Source: ticker (1/1)#0 switched from DEPLOYING to INITIALIZING.
2026-11-20 23:48:34,000 INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph       [] - Job made-up (00000000000000000000000000000001) switched from state RUNNING to FAILED.
";

/// The one log of this run that shows most.
fn log() -> String {
    let runs = runs::all();
    let run = runs.iter().find(|run| run.name == "1.20.5-adaptive").unwrap();
    runs::unpack(
        run.logs
            .iter()
            .find(|log| log.ends_with("jobmanager.log.1.gz"))
            .unwrap(),
    )
    .1
}

fn replay(directory: &Path, stdin: &str, path: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flinktail"));
    command
        .current_dir(directory)
        .timeout(PATIENCE)
        .write_stdin(stdin);
    let told = command
        .args(["replay", "--json", "--timezone", "UTC", path])
        .assert()
        .success();
    String::from_utf8(told.get_output().stdout.clone()).unwrap()
}

/// What a folder with these files tells, and what its `jobmanager.log` alone tells.
#[track_caller]
fn check_same(beside: &[(&str, &str)]) {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("log");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("flink-standalonesession-0-host.log"), log()).unwrap();
    let alone = replay(directory.path(), "", "log");
    assert!(alone.contains("RESTARTING"), "{alone}");
    for (name, text) in beside {
        fs::write(folder.join(name), text).unwrap();
    }
    assert!(
        replay(directory.path(), "", "log") == alone,
        "{beside:?} changes the story"
    );
}

#[test]
fn console_and_file_of_one_jobmanager_count_once() {
    check_same(&[("flink-standalonesession-0-host.out", &log())]);
}

#[test]
fn logs_of_taskmanagers_do_no_harm() {
    check_same(&[
        ("flink-taskexecutor-0-host.log", TASK_MANAGER),
        ("flink-taskexecutor-0-host.out", ""),
        ("flink-taskexecutor-1-host.log", &TASK_MANAGER.repeat(40)),
    ]);
}

#[test]
fn a_log_through_a_pipe_tells_the_same_as_its_file() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("jobmanager.log"), log()).unwrap();
    let file = replay(directory.path(), "", "jobmanager.log");
    assert!(
        replay(directory.path(), &log(), "-") == file,
        "standard input tells another story"
    );
}

#[test]
fn watching_a_pipe_to_its_end_shows_its_jobs() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flinktail"));
    command.timeout(PATIENCE).write_stdin(log());
    let arguments = [
        "watch",
        "-",
        "--once",
        "--web.listen-address",
        "127.0.0.1:0",
        "--timezone",
        "UTC",
    ];
    let watched = command.args(arguments).assert().success();
    let said = String::from_utf8_lossy(&watched.get_output().stderr).into_owned();
    assert!(said.contains("standard input has ended: 43 jobs"), "{said}");
}
