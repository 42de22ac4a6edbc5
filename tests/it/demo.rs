//! `flinktail demo`: its fleet is in the states that it promises, lives on, and is gone at the end.

use std::fs;
use std::path::Path;
use std::time::Instant;

use crate::daemon::{Daemon, PATIENCE};

/// What must be seen within the first seconds.
const STATES: [(&str, &str); 12] = [
    ("orders", "RUNNING"),
    ("fraud-detection", "RUNNING"),
    ("sessions", "RUNNING"),
    ("payments", "FAILED"),
    ("nightly-report", "FINISHED"),
    ("stuck-initializing", "INITIALIZING"),
    ("stuck-created", "CREATED"),
    ("stuck-restarting", "RESTARTING"),
    ("stuck-failing", "FAILING"),
    ("stuck-cancelling", "CANCELLING"),
    ("stuck-suspended", "SUSPENDED"),
    ("stuck-reconciling", "RECONCILING"),
];

/// Restarts of all jobs of one name.
fn restarts(entities: &serde_json::Value, name: &str, reason: &str) -> u64 {
    let all = entities["entities"].as_array().unwrap().iter();
    let named = all.filter(|entity| entity["name"] == name);
    named
        .map(|entity| entity["restarts"][reason].as_u64().unwrap())
        .sum()
}

fn entities(demo: &Daemon) -> serde_json::Value {
    serde_json::from_str(&demo.get("/api/v1/entities").unwrap().1).unwrap()
}

/// Asks until it is as wanted.
fn wait_for(demo: &Daemon, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
    let began = Instant::now();
    loop {
        let found = entities(demo);
        if wanted(&found) {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "never as wanted: {found}");
    }
}

#[test]
fn the_made_up_fleet_shows_every_state_lives_on_and_is_removed_at_the_end() {
    let temporary = tempfile::tempdir().unwrap();
    let demo = Daemon::start_with(&["demo"], &[("TMPDIR", temporary.path())]);
    let first = wait_for(&demo, |found| {
        let entities = found["entities"].as_array().unwrap();
        STATES.iter().all(|(name, state)| {
            entities
                .iter()
                .any(|entity| entity["name"] == *name && entity["state"] == *state)
        })
    });
    for (name, reason) in [
        ("clickstream", "failure"),
        ("sessions", "rescale"),
        ("inventory", "process"),
    ] {
        assert!(restarts(&first, name, reason) > 10, "{name}: {first}");
    }
    let crashes = restarts(&first, "clickstream", "failure");
    wait_for(&demo, |found| restarts(found, "clickstream", "failure") > crashes);
    let page = demo.get("/?show=stuck").unwrap().1;
    assert_eq!(page.matches("<strong>stuck</strong>").count(), 7, "{page}");
    let logs = fs::read_dir(temporary.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    assert!(logs.join("session/jobmanager.log.1").exists(), "rotated");
    demo.stop();
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0, "cleaned up");
}

#[test]
fn a_directory_of_the_users_own_must_be_empty_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    let mine = dir.path().join("demo");
    let arguments = ["demo", "--dir", mine.to_str().unwrap()];
    let demo = Daemon::start_with(&arguments, &[]);
    wait_for(&demo, |found| !found["entities"].as_array().unwrap().is_empty());
    demo.stop();
    assert!(mine.join("adaptive/jobmanager.log").exists());
    refused(&arguments, &mine);
}

fn refused(arguments: &[&str], dir: &Path) {
    let refused = assert_cmd::Command::new(env!("CARGO_BIN_EXE_flinktail"))
        .args(arguments)
        .assert()
        .failure();
    let said = String::from_utf8(refused.get_output().stderr.clone()).unwrap();
    assert!(
        said.contains(&format!("{}: it is not empty", dir.display())),
        "{said}"
    );
}
