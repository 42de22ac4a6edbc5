//! `flink_deployment_*`: what is known of each resource of the Flink Kubernetes operator.

use crate::expose::catalog::{Family, Fill, Kind, Stability};
use crate::expose::others::shown;
use crate::expose::view::View;
use crate::model::Deployment;
use crate::model::flink_deployment::DeploymentState;
use crate::model::flink_job::JobState;
use crate::model::state::State as _;

fn each(view: &View) -> impl Iterator<Item = (&Deployment, [&str; 2])> {
    shown(&view.others().deployments, view)
        .map(|deployment| (deployment, [&*deployment.id.namespace, &*deployment.id.name]))
}

/// The families, in the order of the page.
pub static FAMILIES: &[Family] = &[
    Family {
        name: "flink_deployment_state",
        kind: Kind::Gauge,
        unit: None,
        labels: &["namespace", "deployment", "state"],
        help: "1 for the state that a resource of the Flink Kubernetes operator is in, 0 for all others.",
        moves: "With the operator's status lines: the life-cycle of the resource, not of its job. A resource that was deleted leaves the page after its retention.",
        bound: "11 per deployment",
        query: "flink_deployment_state{state=~\"ROLLING_BACK|FAILED\"} == 1",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            for (deployment, [namespace, name]) in each(view) {
                for state in DeploymentState::ALL {
                    let is = deployment.story.state == *state;
                    samples.add(&[namespace, name, state.name()], is);
                }
            }
        }),
    },
    Family {
        name: "flink_deployment_state_since_timestamp_seconds",
        kind: Kind::Gauge,
        unit: Some("seconds"),
        labels: &["namespace", "deployment"],
        help: "When a resource of the Flink Kubernetes operator entered its present state, in Unix seconds.",
        moves: "With every state entered. It is the time that the operator's log gives.",
        bound: "1 per deployment",
        query: "time() - flink_deployment_state_since_timestamp_seconds",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            for (deployment, labels) in each(view) {
                samples.add(&labels, deployment.story.since());
            }
        }),
    },
    Family {
        name: "flink_deployment_state_transitions_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["namespace", "deployment", "to"],
        help: "States entered by a resource of the Flink Kubernetes operator.",
        moves: "From 0, with every state entered.",
        bound: "11 per deployment",
        query: "increase(flink_deployment_state_transitions_total{to=\"UPGRADING\"}[1d])",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            if !view.settings().transitions_per_job {
                return;
            }
            for (deployment, [namespace, name]) in each(view) {
                for (state, count) in DeploymentState::ALL.iter().zip(&deployment.story.entered) {
                    samples.add(&[namespace, name, state.name()], *count);
                }
            }
        }),
    },
    Family {
        name: "flink_deployment_job_state",
        kind: Kind::Gauge,
        unit: None,
        labels: &["namespace", "deployment", "state"],
        help: "1 for the status of a deployment's job as the operator polled it, 0 for all others: a second witness.",
        moves: "With the operator's events. It misses short states, and its RECONCILING says that it does not know; the job's own log goes before it. Absent until the operator has polled a status.",
        bound: "12 per deployment",
        query: "flink_deployment_job_state{state=\"FAILED\"} == 1",
        stability: Stability::Experimental,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            for (deployment, [namespace, name]) in each(view) {
                let Some((polled, _)) = deployment.job else {
                    continue;
                };
                for state in JobState::ALL {
                    samples.add(&[namespace, name, state.name()], polled == state);
                }
            }
        }),
    },
];
