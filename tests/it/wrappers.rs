//! What carries Flink's lines changes nothing: the recorded runs, as Kubernetes, Docker and collectors would have kept
//! them, tell the same; and `replay`, `explain` and the cluster's name see through each wrapper.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

use crate::agreement::{disagreements, replay};
use crate::runs::{Run, unpack};

/// Another time than any recorded one: a carrier's own does not count where the record has one.
const TIME: &str = "2027-01-01T00:00:00.000000001Z";

type Wrap = fn(&str) -> String;

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn cri(line: &str) -> String {
    format!("{TIME} stdout F {line}\n")
}

/// Cut as a runtime cuts lines of 16 KiB, but at 100 bytes.
fn cri_cut(line: &str) -> String {
    let cut = line.floor_char_boundary(100);
    if cut == line.len() {
        return cri(line);
    }
    let (head, rest) = line.split_at(cut);
    format!("{TIME} stdout P {head}\n") + &cri_cut(rest)
}

fn docker(line: &str) -> String {
    let log = quoted(&format!("{line}\n"));
    format!("{{\"log\":{log},\"stream\":\"stdout\",\"time\":\"{TIME}\"}}\n")
}

fn fluent_bit(line: &str) -> String {
    let log = quoted(line);
    format!("{{\"date\":1798761600.1,\"log\":{log},\"kubernetes\":{{\"pod_name\":\"p\"}}}}\n")
}

/// A container's log, collected and read back from CloudWatch.
fn cloudwatch(line: &str) -> String {
    format!("{TIME} stream {}", fluent_bit(line))
}

const WRAPS: [(&str, Wrap); 5] = [
    ("CRI", cri),
    ("CRI, cut", cri_cut),
    ("Docker", docker),
    ("Fluent Bit", fluent_bit),
    ("Fluent Bit in CloudWatch", cloudwatch),
];

fn rewrap(run: &Run, wrap: Wrap, directory: &Path) -> Vec<PathBuf> {
    let write = |log: &PathBuf| {
        let (name, stock) = unpack(log);
        let path = directory.join(name);
        fs::write(&path, stock.lines().map(wrap).collect::<String>()).unwrap();
        path
    };
    run.logs.iter().map(write).collect()
}

#[test]
fn every_job_of_every_run_is_told_as_rest_told_it_whatever_carries_its_log() {
    for (name, wrap) in WRAPS {
        let report = disagreements(|run| {
            let directory = tempfile::tempdir().unwrap();
            replay(&run.truth.time_zone, None, rewrap(run, wrap, directory.path()))
        });
        assert!(report.is_empty(), "{name}: disagreement with REST:\n{report}");
    }
}

/// By which a file is known for a JobManager's.
const BANNER: &str = "2026-11-21 00:03:20,000 INFO  org.apache.flink.runtime.entrypoint.ClusterEntrypoint        [] - \
    Starting StandaloneSessionClusterEntrypoint.";

const LINE: &str = "2026-11-21 00:03:24,184 INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph       [] - \
    Job orders (0a1b2c3d4e5f60718293a4b5c6d7e8f9) switched from state CREATED to RUNNING.";

#[test]
fn explain_names_what_carries_a_line() {
    for (text, wrappers) in [
        (cri(LINE), &["cri"][..]),
        (docker(LINE), &["docker-json-file"]),
        (fluent_bit(LINE), &["json-carrier"]),
        (cloudwatch(LINE), &["aws-logs-tail", "json-carrier"]),
        (cri(docker(LINE).trim_end()), &["cri", "docker-json-file"]),
        (LINE.to_owned(), &[]),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_flinktail"))
            .args(["explain", "-"])
            .write_stdin(text.clone())
            .assert()
            .success();
        let output = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
        let named: Vec<&str> = output
            .lines()
            .filter_map(|line| line.strip_prefix("wrapper ")?.split(' ').next())
            .collect();
        assert_eq!(named, wrappers, "{text}\n{output}");
    }
}

#[test]
fn a_containers_log_names_the_cluster_by_its_pod() {
    let root = tempfile::tempdir().unwrap();
    let container = root.path().join("pods/flink_orders-0_4b6e/flink-main-container");
    fs::create_dir_all(&container).unwrap();
    fs::write(container.join("0.log"), cri(BANNER) + &cri(LINE)).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_flinktail"))
        .args(["replay", "--json"])
        .arg(&container)
        .assert()
        .success();
    let document: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    assert_eq!(document["entities"][0]["labels"]["cluster"], "flink/orders-0");
}
