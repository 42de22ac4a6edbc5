//! flinktail and Flink's REST API agree on every job of every recorded run, in whatever layout its log is written.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;

use crate::relayout::{LAYOUTS, Layout, rewrite};
use crate::runs::{self, Run};
use crate::verdict::{CLUSTER, judge};

/// Bounds one replay of about a megabyte, with a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs `flinktail replay --json` and returns the document.
pub fn replay<A: AsRef<OsStr>>(zone: &str, layout: Option<&str>, logs: impl IntoIterator<Item = A>) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flinktail"));
    command
        .timeout(PATIENCE)
        .args(["replay", "--json", "--timezone", zone, "--cluster", CLUSTER]);
    if let Some(layout) = layout {
        command.args(["--layout", layout]);
    }
    let output = command.args(logs).assert().success().get_output().clone();
    serde_json::from_slice(&output.stdout).expect("replay --json prints one JSON document")
}

/// All that disagrees with the truth in the answers, one per run; empty where nothing does.
pub fn disagreements(answer: impl Fn(&Run) -> Value) -> String {
    let mut report = String::new();
    for run in runs::all() {
        let verdict = judge(&run.truth, &serde_json::from_value(answer(&run)).unwrap());
        if verdict.wrong.is_empty() {
            continue;
        }
        writeln!(
            report,
            "{}: {} wrong, {} jobs",
            run.name,
            verdict.wrong.len(),
            verdict.jobs
        )
        .unwrap();
        for (id, wrong) in &verdict.wrong {
            let scenario = run.truth.jobs.get(id).map_or("-", |told| &told.scenario);
            writeln!(report, "    {id} {scenario}: {}", wrong.join("; ")).unwrap();
        }
    }
    report
}

#[test]
fn every_job_of_every_run_is_told_as_rest_told_it() {
    let report = disagreements(|run| replay(&run.truth.time_zone, None, &run.logs));
    assert!(report.is_empty(), "disagreement with REST:\n{report}");
}

#[test]
fn the_layout_of_a_log_changes_nothing() {
    let mut reports = String::new();
    for layout in &LAYOUTS {
        let report = disagreements(|run| replay_as(layout, run));
        if !report.is_empty() {
            write!(reports, "layout {}\n{report}", layout.name).unwrap();
        }
    }
    assert!(reports.is_empty(), "disagreement with REST:\n{reports}");
}

/// Replays a run whose logs were written in another layout.
fn replay_as(layout: &Layout, run: &Run) -> Value {
    let directory = tempfile::tempdir().unwrap();
    let logs: Vec<PathBuf> = run
        .logs
        .iter()
        .map(|log| rewrite(log, layout, directory.path()))
        .collect();
    replay(layout.zone, layout.given, logs)
}

#[test]
fn the_document_keeps_its_contract() {
    const ENTITY: [&str; 11] = [
        "cause",
        "class",
        "history",
        "history_dropped",
        "id",
        "kind",
        "labels",
        "name",
        "restarts",
        "since",
        "state",
    ];
    for run in runs::all() {
        let document = replay(&run.truth.time_zone, None, &run.logs);
        assert_eq!(keys(&document), ["entities"]);
        let entities = document["entities"].as_array().unwrap();
        assert!(
            entities.is_sorted_by_key(|entity| entity["id"].as_str()),
            "{}: not sorted",
            run.name
        );
        for entity in entities {
            let at = format!("{}: {}", run.name, entity["id"]);
            assert_eq!(keys(entity), ENTITY, "{at}");
            assert_eq!(keys(&entity["labels"]), ["cluster"], "{at}");
            assert_eq!(
                keys(&entity["restarts"]),
                ["failure", "observed", "process", "rescale"],
                "{at}"
            );
            if !entity["cause"].is_null() {
                assert_eq!(keys(&entity["cause"]), ["at", "class", "message"], "{at}");
            }
            check_history(&at, entity["history"].as_array().unwrap());
        }
    }
}

/// Every entry has all keys, and goes on where the entry before it ended.
fn check_history(at: &str, history: &[Value]) {
    let mut previous: Option<&Value> = None;
    for change in history {
        assert_eq!(keys(change), ["at", "basis", "from", "late", "to"], "{at}");
        if change["late"] == false {
            if let Some(previous) = previous {
                assert_eq!(&change["from"], previous, "{at}: {history:#?}");
            }
            previous = Some(&change["to"]);
        }
    }
}

/// The keys of an object, sorted.
fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}
