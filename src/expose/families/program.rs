//! `flinktail_*` about states, entities, events and rules: what the program knows, over all jobs.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::expose::catalog::{Family, Fill, Kind, Stability};
use crate::expose::render::Samples;
use crate::model::flink_deployment::DeploymentState;
use crate::model::flink_job::JobState;
use crate::model::kda_application::ApplicationState;
use crate::model::state::State;
use crate::model::vvp_job::PlatformJobState;

/// States of entities of all kinds: the bound of the families that have one series for each.
const STATES: &str = "43";

/// Calls `each` with the label and the name of every state of every kind, in the order of their codes.
fn each_state(mut each: impl FnMut(&str, &str, &str, u64)) {
    fn of<S: State>(each: &mut impl FnMut(&str, &str, &str, u64)) {
        for (code, state) in (0..).zip(S::ALL) {
            each(S::KIND, state.name(), state.class().name(), code);
        }
    }
    of::<JobState>(&mut each);
    of::<ApplicationState>(&mut each);
    of::<PlatformJobState>(&mut each);
    of::<DeploymentState>(&mut each);
}

fn add_counts<S: State>(samples: &mut Samples<'_>, counts: &[u64]) {
    for (state, count) in S::ALL.iter().zip(counts) {
        samples.add(&[S::KIND, state.name()], *count);
    }
}

fn add_limits<S: State>(samples: &mut Samples<'_>, limits: &BTreeMap<S, Duration>) {
    for (state, limit) in limits {
        samples.add(&[S::KIND, state.name()], limit.as_secs_f64());
    }
}

/// The families, in the order of the page.
pub static FAMILIES: &[Family] = &[
    Family {
        name: "flinktail_transitions_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["entity", "to"],
        help: "States entered by all entities, those no longer shown included.",
        moves: "From 0, with every state that any entity enters.",
        bound: STATES,
        query: "sum by (to) (increase(flinktail_transitions_total[1h]))",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            let counters = view.counters();
            add_counts::<JobState>(samples, &counters.entered);
            add_counts::<ApplicationState>(samples, &counters.applications_entered);
            add_counts::<PlatformJobState>(samples, &counters.platform_jobs_entered);
            add_counts::<DeploymentState>(samples, &counters.deployments_entered);
        }),
    },
    Family {
        name: "flinktail_state_info",
        kind: Kind::Gauge,
        unit: None,
        labels: &["entity", "state", "class"],
        help: "What a state means: transient, steady, terminal or unknown; always 1.",
        moves: "Never. Join it to select states by class.",
        bound: STATES,
        query: "flink_job_state == 1 and on (instance, state) flinktail_state_info{entity=\"flink_job\",class=\"transient\"}",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|_, samples| {
            each_state(|kind, state, class, _| samples.add(&[kind, state, class], 1_u64));
        }),
    },
    Family {
        name: "flinktail_state_code",
        kind: Kind::Gauge,
        unit: None,
        labels: &["entity", "state"],
        help: "A number for each state, for panels that draw one line per job.",
        moves: "Never. Multiply it with the state to draw a timeline.",
        bound: STATES,
        query: "sum by (cluster, job_id, job_name) (flink_job_state * on (instance, state) group_left () flinktail_state_code{entity=\"flink_job\"})",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|_, samples| {
            each_state(|kind, state, _, code| samples.add(&[kind, state], code));
        }),
    },
    Family {
        name: "flinktail_stuck_after_seconds",
        kind: Kind::Gauge,
        unit: Some("seconds"),
        labels: &["entity", "state"],
        help: "How long an entity may stay in a state before somebody should look.",
        moves: "With the configuration. States without a threshold are absent; a job's own are in `flink_job_stuck_after_seconds`.",
        bound: STATES,
        query: "(flink_job_state == 1) * on (instance, cluster, job_id) group_left () (time() - flink_job_state_since_timestamp_seconds) > on (instance, state) group_left () flinktail_stuck_after_seconds{entity=\"flink_job\"}",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            let thresholds = &view.settings().thresholds;
            add_limits(samples, &thresholds.by_state);
            add_limits(samples, &thresholds.applications);
            add_limits(samples, &thresholds.platform_jobs);
            add_limits(samples, &thresholds.deployments);
        }),
    },
    Family {
        name: "flinktail_entities",
        kind: Kind::Gauge,
        unit: None,
        labels: &["kind"],
        help: "Entities held, those whose series are no longer shown included.",
        moves: "Up with every new entity, down when one is removed.",
        bound: "4",
        query: "sum without (kind) (flinktail_entities) / flinktail_entities_limit",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            let others = view.others();
            samples.add(&[JobState::KIND], view.jobs().len() as u64);
            samples.add(&[ApplicationState::KIND], others.applications.len() as u64);
            samples.add(&[PlatformJobState::KIND], others.platform_jobs.len() as u64);
            samples.add(&[DeploymentState::KIND], others.deployments.len() as u64);
        }),
    },
    Family {
        name: "flinktail_entities_limit",
        kind: Kind::Gauge,
        unit: None,
        labels: &[],
        help: "The most entities that are held at a time.",
        moves: "With the configuration.",
        bound: "1",
        query: "flinktail_entities_limit",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| samples.add(&[], view.settings().entities_limit)),
    },
    Family {
        name: "flinktail_entities_dropped_total",
        kind: Kind::Counter,
        unit: None,
        labels: &[],
        help: "Entities never taken up because of the limit.",
        moves: "From 0. Any rise means that some jobs are not watched: raise the limit.",
        bound: "1",
        query: "increase(flinktail_entities_dropped_total[15m]) > 0",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| samples.add(&[], view.counters().dropped)),
    },
    Family {
        name: "flinktail_entities_evicted_total",
        kind: Kind::Counter,
        unit: None,
        labels: &[],
        help: "Ended entities removed to make room for new ones.",
        moves: "From 0, when the limit is reached; those that ended first go first.",
        bound: "1",
        query: "increase(flinktail_entities_evicted_total[1h])",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| samples.add(&[], view.counters().evicted)),
    },
    Family {
        name: "flinktail_files_closed_total",
        kind: Kind::Counter,
        unit: None,
        labels: &[],
        help: "Files closed because more were open than `open_files` allows, or because the system had no descriptor left.",
        moves: "From 0 with the process. Files are opened again when they are written to: nothing is lost, but a rate near that of the lines means that more logs are busy than may be open.",
        bound: "1",
        query: "rate(flinktail_files_closed_total[5m]) > 10",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| samples.add(&[], view.stats().files_closed)),
    },
    Family {
        name: "flinktail_rule_matches_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["rule"],
        help: "Records that a rule has matched.",
        moves: "From 0; every rule of the set is there.",
        bound: "1 per rule",
        query: "sum by (rule) (rate(flinktail_rule_matches_total[5m]))",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            for (rule, count) in &view.stats().rule_matches {
                samples.add(&[rule], *count);
            }
        }),
    },
    Family {
        name: "flinktail_unknown_states_total",
        kind: Kind::Counter,
        unit: None,
        labels: &[],
        help: "Transitions that named a state outside Flink's closed set; not applied.",
        moves: "From 0. A rise means a Flink version that this program does not know.",
        bound: "1",
        query: "increase(flinktail_unknown_states_total[15m]) > 0",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| samples.add(&[], view.stats().unknown_states)),
    },
    Family {
        name: "flinktail_unexpected_transitions_total",
        kind: Kind::Counter,
        unit: None,
        labels: &[],
        help: "Transitions that Flink's own table does not have, and those out of a terminal state (not applied).",
        moves: "From 0. A few follow missed lines; a steady rise means logs of one cluster that are not its own.",
        bound: "1",
        query: "increase(flinktail_unexpected_transitions_total[1h])",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| samples.add(&[], view.counters().unexpected_transitions)),
    },
    Family {
        name: "flinktail_late_events_total",
        kind: Kind::Counter,
        unit: None,
        labels: &[],
        help: "Events older than what was already applied; recorded in the history, and moving nothing back.",
        moves: "From 0, when logs of one cluster are read out of order.",
        bound: "1",
        query: "increase(flinktail_late_events_total[1h])",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| samples.add(&[], view.counters().late_events)),
    },
    Family {
        name: "flinktail_last_poll_timestamp_seconds",
        kind: Kind::Gauge,
        unit: Some("seconds"),
        labels: &[],
        help: "When the logs were last looked at, in Unix seconds.",
        moves: "With every look that was kept and published: at least every 10 s, whether anything was found or not.",
        bound: "1",
        query: "time() - flinktail_last_poll_timestamp_seconds > 60",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| samples.add(&[], view.at())),
    },
    Family {
        name: "flinktail_ready",
        kind: Kind::Gauge,
        unit: None,
        labels: &[],
        help: "1 once everything that was there at the start has been read.",
        moves: "From 0 to 1, once per process. While it is 0 the jobs shown are those of before.",
        bound: "1",
        query: "flinktail_ready == 0",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| samples.add(&[], view.stats().ready)),
    },
];
