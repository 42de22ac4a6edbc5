//! `flinktail_*` about states, entities, events and rules: what the program knows, over all jobs.

use crate::expose::catalog::{Family, Fill, Kind, Stability};
use crate::model::flink_job::JobState;

/// The `entity` and `kind` labels of Flink jobs.
const FLINK_JOB: &str = "flink_job";

/// The families, in the order of the page.
pub static FAMILIES: &[Family] = &[
    Family {
        name: "flinktail_transitions_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["entity", "to"],
        help: "States entered by all entities, those no longer shown included.",
        moves: "From 0, with every state that any job enters.",
        bound: "12",
        query: "sum by (to) (increase(flinktail_transitions_total[1h]))",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            for (state, count) in JobState::ALL.iter().zip(view.counters().entered) {
                samples.add(&[FLINK_JOB, state.name()], count);
            }
        }),
    },
    Family {
        name: "flinktail_state_info",
        kind: Kind::Gauge,
        unit: None,
        labels: &["entity", "state", "class"],
        help: "What a state means: transient, steady, terminal or unknown; always 1.",
        moves: "Never. Join it to select states by class.",
        bound: "12",
        query: "flink_job_state == 1 and on (instance, state) flinktail_state_info{entity=\"flink_job\",class=\"transient\"}",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|_, samples| {
            for state in JobState::ALL {
                samples.add(&[FLINK_JOB, state.name(), state.class().name()], 1_u64);
            }
        }),
    },
    Family {
        name: "flinktail_state_code",
        kind: Kind::Gauge,
        unit: None,
        labels: &["entity", "state"],
        help: "A number for each state, for panels that draw one line per job.",
        moves: "Never. Multiply it with the state to draw a timeline.",
        bound: "12",
        query: "sum by (cluster, job_id, job_name) (flink_job_state * on (instance, state) group_left () flinktail_state_code{entity=\"flink_job\"})",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|_, samples| {
            for (code, state) in (0_u64..).zip(JobState::ALL) {
                samples.add(&[FLINK_JOB, state.name()], code);
            }
        }),
    },
    Family {
        name: "flinktail_stuck_after_seconds",
        kind: Kind::Gauge,
        unit: Some("seconds"),
        labels: &["entity", "state"],
        help: "How long an entity may stay in a state before somebody should look.",
        moves: "With the configuration. States without a threshold are absent; a job's own are in `flink_job_stuck_after_seconds`.",
        bound: "12",
        query: "(flink_job_state == 1) * on (instance, cluster, job_id) group_left () (time() - flink_job_state_since_timestamp_seconds) > on (instance, state) group_left () flinktail_stuck_after_seconds{entity=\"flink_job\"}",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            for (state, limit) in &view.settings().thresholds.by_state {
                samples.add(&[FLINK_JOB, state.name()], limit.as_secs_f64());
            }
        }),
    },
    Family {
        name: "flinktail_entities",
        kind: Kind::Gauge,
        unit: None,
        labels: &["kind"],
        help: "Entities held, those whose series are no longer shown included.",
        moves: "Up with every new entity, down when one is removed.",
        bound: "1",
        query: "sum without (kind) (flinktail_entities) / flinktail_entities_limit",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| samples.add(&[FLINK_JOB], view.jobs().len() as u64)),
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
