//! `vvp_job_*`: what is known of each job of the Ververica Platform.

use crate::expose::catalog::{Family, Fill, Kind, Stability};
use crate::expose::others::shown;
use crate::expose::view::View;
use crate::model::state::State as _;
use crate::model::vvp_job::PlatformJobState;
use crate::model::{Job, Storied as _, VvpJob};

fn each(view: &View) -> impl Iterator<Item = (&VvpJob, [(&'static str, &str); 2], String)> {
    shown(&view.others().platform_jobs, view).map(|job| (job, job.labels(), job.id().to_string()))
}

/// The families, in the order of the page.
pub static FAMILIES: &[Family] = &[
    Family {
        name: "vvp_job_info",
        kind: Kind::Gauge,
        unit: None,
        labels: &["namespace", "deployment", "vvp_job_id", "job_id"],
        help: "What a job of the Ververica Platform is, and which Flink job it runs; always 1.",
        moves: "There while the job is shown. `job_id` is empty until its Flink job is known.",
        bound: "1 per platform job",
        query: "vvp_job_info and on (job_id) (flink_job_state{state=\"RESTARTING\"} == 1)",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            for (job, [(_, namespace), (_, deployment)], id) in each(view) {
                let flink_job = job.flink_job.as_ref().map(|(_, id)| id.to_string());
                let flink_job = flink_job.as_deref().unwrap_or_default();
                samples.add(&[namespace, deployment, &id, flink_job], 1_u64);
            }
        }),
    },
    Family {
        name: "vvp_job_state",
        kind: Kind::Gauge,
        unit: None,
        labels: &["namespace", "deployment", "vvp_job_id", "state"],
        help: "1 for the state that a job of the Ververica Platform is in, 0 for all others.",
        moves: "With the platform's Job resources and events. A job that has ended leaves the page after its retention; a restart is a new job.",
        bound: "8 per platform job",
        query: "count by (namespace, state) (vvp_job_state == 1)",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            for (job, [(_, namespace), (_, deployment)], id) in each(view) {
                for state in PlatformJobState::ALL {
                    let is = job.story.state == *state;
                    samples.add(&[namespace, deployment, &id, state.name()], is);
                }
            }
        }),
    },
    Family {
        name: "vvp_job_state_since_timestamp_seconds",
        kind: Kind::Gauge,
        unit: Some("seconds"),
        labels: &["namespace", "deployment", "vvp_job_id"],
        help: "When a job of the Ververica Platform entered its present state, in Unix seconds.",
        moves: "With every state entered. It is the time that the resource gives; the time of reading where it gives none.",
        bound: "1 per platform job",
        query: "time() - vvp_job_state_since_timestamp_seconds",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            for (job, [(_, namespace), (_, deployment)], id) in each(view) {
                samples.add(&[namespace, deployment, &id], job.story.since());
            }
        }),
    },
    Family {
        name: "vvp_job_observed_restarts",
        kind: Kind::Gauge,
        unit: None,
        labels: &["namespace", "deployment", "vvp_job_id"],
        help: "Restarts of the Flink job of a platform job, by its log and by the platform: a lower bound.",
        moves: "Up with every restart that the log or the resource tells, those of its process included. The same sum as `flink_job_restarts_total` over its reasons.",
        bound: "1 per platform job",
        query: "delta(vvp_job_observed_restarts[15m]) >= 3",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            for (job, [(_, namespace), (_, deployment)], id) in each(view) {
                let flink_job = job.flink_job.as_ref();
                let flink_job = flink_job.and_then(|(cluster, id)| view.job(cluster, *id));
                samples.add(
                    &[namespace, deployment, &id],
                    flink_job.map_or(0, Job::all_restarts),
                );
            }
        }),
    },
];
