//! Other configurations while running: nothing is lost, nothing counts twice, no counter falls, and a bad file changes
//! nothing.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::crash::writer::{Truth, Writer};
use crate::crash::{NeverFalls, entered};
use crate::daemon::{Daemon, Page};
use crate::random::Random;

/// A directory with two logs, a configuration and a place for rules.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(place.path("rules")).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes the configuration: a source for each of these logs, each a cluster, and what else there is to say.
    fn configure(&self, logs: &[&str], more: &str) {
        // Moved into its place, so that no half of it is ever read.
        fs::write(self.path("next.toml"), configuration(logs, more)).unwrap();
        fs::rename(self.path("next.toml"), self.path("flinktail.toml")).unwrap();
    }

    /// The same, as the kubelet brings a new version of a `ConfigMap`: what is behind two links is swapped at once.
    fn project(&self, version: &str, logs: &[&str]) {
        fs::create_dir(self.path(version)).unwrap();
        fs::write(self.path(version).join("flinktail.toml"), configuration(logs, "")).unwrap();
        symlink(version, self.path("..data_tmp")).unwrap();
        fs::rename(self.path("..data_tmp"), self.path("..data")).unwrap();
    }

    fn start(&self) -> Daemon {
        let mut command = Daemon::watch();
        command.arg("--config").arg(self.path("flinktail.toml"));
        command.arg("--state-dir").arg(self.path("state"));
        command.arg("--web.enable-lifecycle");
        let daemon = Daemon::spawn(command);
        daemon.scrape_until(|_| {}, |page| page["flinktail_ready"] == 1);
        daemon
    }
}

fn configuration(logs: &[&str], more: &str) -> String {
    let sources = logs
        .iter()
        .map(|log| format!("[[source]]\npath = '{log}'\ncluster = '{log}'\n"));
    // What a test writes is of long ago.
    let kept = "[rules]\ndir = 'rules'\n[retention.flink_job]\nUNKNOWN = 'never'\n";
    sources.collect::<String>() + kept + more
}

fn written(logs: &Path, seed: u64) -> Writer {
    let mut writer = Writer::new(logs, seed);
    writer.append();
    writer.finish();
    writer
}

fn tells(page: &Page, truths: &[&Truth]) -> bool {
    let sum = |of: fn(&Truth) -> u64| truths.iter().map(|truth| of(truth)).sum::<u64>();
    page[&entered("RUNNING")] == sum(|truth| truth.running)
        && page[&entered("RESTARTING")] == sum(|truth| truth.restarting)
}

fn jobs(page: &Page, cluster: &str, state: &str) -> u64 {
    let of = |series: &&String| {
        series.starts_with("flink_job_state{")
            && series.contains(&format!("cluster=\"{cluster}\""))
            && series.contains(&format!("state=\"{state}\""))
    };
    page.keys().filter(of).map(|series| page[series]).sum()
}

const SUCCESSFUL: &str = "flinktail_config_last_reload_successful";

#[test]
fn sources_come_and_go_and_return_where_they_were() {
    let place = Place::new();
    let (mut a, mut b) = (written(&place.path("a"), 1), written(&place.path("b"), 2));
    place.configure(&["a"], "");
    let daemon = place.start();
    let mut falls = NeverFalls::default();
    let mut check =
        |truths: &[&Truth]| daemon.scrape_until(|page| falls.check(page), |page| tells(page, truths));
    check(&[&a.truth]);

    place.configure(&["a", "b"], "");
    assert_eq!(daemon.ask("POST", "/-/reload").unwrap().0, 200);
    check(&[&a.truth, &b.truth]);

    place.configure(&["b"], "");
    daemon.signal(Signal::HUP);
    daemon.hear("SIGHUP");
    let page = daemon.scrape_until(|_| {}, |page| jobs(page, "a", "UNKNOWN") > 0);
    assert_eq!(jobs(&page, "b", "UNKNOWN"), 0);
    // What is written while nobody watches is read when somebody does again.
    let as_left = a.truth.clone();
    (0..20).for_each(|_| a.step());
    b.append();
    a.finish();
    b.finish();
    check(&[&as_left, &b.truth]);

    place.configure(&["b", "a"], "");
    assert_eq!(daemon.ask("POST", "/-/reload").unwrap().0, 200);
    check(&[&a.truth, &b.truth]);
    daemon.stop();
}

#[test]
fn t16_a_configuration_behind_the_links_of_a_config_map_is_read_where_they_lead_by_now() {
    let place = Place::new();
    let (a, b) = (written(&place.path("a"), 1), written(&place.path("b"), 2));
    place.project("..1", &["a"]);
    symlink("..data/flinktail.toml", place.path("flinktail.toml")).unwrap();
    let daemon = place.start();
    daemon.scrape_until(|_| {}, |page| tells(page, &[&a.truth]));
    place.project("..2", &["a", "b"]);
    fs::remove_dir_all(place.path("..1")).unwrap();
    daemon.signal(Signal::HUP);
    daemon.scrape_until(|_| {}, |page| tells(page, &[&a.truth, &b.truth]));
}

#[test]
fn t54_a_bad_file_changes_nothing_and_all_its_problems_are_told() {
    let place = Place::new();
    let mut a = written(&place.path("a"), 1);
    place.configure(&["a"], "");
    let daemon = place.start();
    let before = daemon.scrape();
    assert_eq!(before[SUCCESSFUL], 1);

    place.configure(&["a"], "[web]\nport = 1\n[stuck.flink_job]\nRESTARTING = '1'\n");
    let (status, told) = daemon.ask("POST", "/-/reload").unwrap();
    assert_eq!(status, 500);
    for problem in [
        "flinktail.toml:9:1: unknown key \"port\"",
        "flinktail.toml:11:14: RESTARTING: ",
    ] {
        assert!(told.contains(problem), "{told}");
        daemon.hear(problem);
    }
    place.configure(&["a"], "");
    fs::write(place.path("rules/mine.toml"), "[[rule]]\n").unwrap();
    assert_eq!(daemon.ask("POST", "/-/reload").unwrap().0, 500);
    let page = daemon.scrape();
    let stamp = "flinktail_config_last_reload_success_timestamp_seconds";
    assert_eq!((page[SUCCESSFUL], page.get(stamp)), (0, before.get(stamp)));
    a.append();
    a.finish();
    daemon.scrape_until(|_| {}, |page| tells(page, &[&a.truth]));

    fs::remove_file(place.path("rules/mine.toml")).unwrap();
    assert_eq!(daemon.ask("POST", "/-/reload").unwrap().0, 200);
    assert_eq!(daemon.scrape()[SUCCESSFUL], 1);
}

/// A rule of a user, for what the test's writer prints and no built-in rule looks at.
const RULE: &str = r#"
schema = 1
product = "flink"
upstream = "a test"
[[rule]]
id = "mine.checkpoint"
emit = "task_failed"
about = "Checkpoints, to be counted."
since = "1.9"
loggers = ["org.apache.flink.runtime.checkpoint.CheckpointCoordinator"]
levels = ["INFO"]
literal = "ed checkpoint"
regex = 'Completed checkpoint \d+ for job 0 .*'
[[rule.test]]
name = "as written"
message = 'Completed checkpoint 1 for job 0 (1 bytes).'
expect = {}
[[rule.test]]
name = "of another job"
message = 'Completed checkpoint 1 for job 1 (1 bytes).'
reject = true
"#;

#[test]
fn rules_thresholds_and_retention_hold_from_the_next_line_on() {
    let place = Place::new();
    let mut a = written(&place.path("a"), 1);
    place.configure(&["a"], "");
    let daemon = place.start();
    let page = daemon.scrape_until(|_| {}, |page| tells(page, &[&a.truth]));
    let stuck = "flinktail_stuck_after_seconds{entity=\"flink_job\",state=\"RESTARTING\"}";
    let own = "flinktail_rule_matches_total{rule=\"mine.checkpoint\"}";
    assert_eq!((page[stuck], page.get(own)), (600, None));
    let counted = rule_matches(&page);

    fs::write(place.path("rules/mine.toml"), RULE).unwrap();
    place.configure(
        &["a"],
        "[stuck.flink_job]\nRESTARTING = '42s'\n[limits]\nentities = 7\nconnections = 9\n",
    );
    let (status, told) = daemon.ask("POST", "/-/reload").unwrap();
    assert_eq!(status, 200, "{told}");
    daemon.hear("limits.connections is not changed while running");
    let page = daemon.scrape();
    assert_eq!(
        (page[stuck], page["flinktail_entities_limit"], page[own]),
        (42, 7, 0)
    );
    assert_eq!(rule_matches(&page), counted);

    a.append();
    a.finish();
    daemon.scrape_until(|_| {}, |page| tells(page, &[&a.truth]) && page[own] > 0);
}

fn rule_matches(page: &Page) -> u64 {
    page.iter()
        .filter(|(series, _)| series.starts_with("flinktail_rule_matches_total"))
        .map(|(_, value)| value)
        .sum()
}

#[test]
fn t54_a_storm_of_reloads_under_rotation_loses_no_line_and_counts_none_twice() {
    let place = Place::new();
    let (mut a, mut b) = (written(&place.path("a"), 1), written(&place.path("b"), 2));
    place.configure(&["a", "b"], "");
    let daemon = place.start();
    let (mut falls, mut random) = (NeverFalls::default(), Random(5));
    for round in 0..60 {
        let logs = [&["a", "b"][..], &["b"], &["b", "a"], &["a"]][usize::try_from(random.below(4)).unwrap()];
        place.configure(logs, &format!("[limits]\nentities = {}\n", 100 + round));
        assert_eq!(
            daemon.ask("POST", "/-/reload").unwrap().0,
            200,
            "{}",
            daemon.said()
        );
        // Read again while it is being written and rotated; what nobody watches is only written.
        daemon.signal(Signal::HUP);
        for (log, writer) in [("a", &mut a), ("b", &mut b)] {
            for _ in 0..random.below(8) {
                if logs.contains(&log) {
                    writer.step();
                } else {
                    writer.append();
                }
            }
        }
        falls.check(&daemon.scrape());
    }
    a.finish();
    b.finish();
    place.configure(&["a", "b"], "");
    assert_eq!(daemon.ask("POST", "/-/reload").unwrap().0, 200);
    daemon.scrape_until(
        |page| falls.check(page),
        |page| tells(page, &[&a.truth, &b.truth]),
    );
    daemon.stop();
    // What was kept on the disk is the same.
    let daemon = place.start();
    daemon.scrape_until(
        |page| falls.check(page),
        |page| tells(page, &[&a.truth, &b.truth]),
    );
}
