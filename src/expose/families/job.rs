//! `flink_job_*`: what is known of each job.

use crate::expose::catalog::{Family, Fill, Kind, Stability};
use crate::model::arn::ApplicationArn;
use crate::model::event::RestartReason;
use crate::model::flink_job::JobState;

/// How many labels all families here have in common, first: cluster, id, name.
pub const COMMON: usize = 3;

/// The families, in the order of the page.
pub static FAMILIES: &[Family] = &[
    Family {
        name: "flink_job_info",
        kind: Kind::Gauge,
        unit: None,
        labels: &[
            "cluster",
            "job_id",
            "job_name",
            "flink_version",
            "scheduler",
            "application",
        ],
        help: "What a job is; always 1.",
        moves: "There while the job is shown. `flink_version` and `scheduler` are empty until its log has told them, `application` where no managed application runs it; the series changes when one does.",
        bound: "1 per job",
        query: "count by (flink_version) (flink_job_info)",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Job(|job, _, samples| {
            let version = job.flink_version.as_deref().unwrap_or_default();
            let scheduler = job.scheduler.map_or("", |scheduler| scheduler.name());
            let application = job.application.as_ref().map_or("", ApplicationArn::name);
            samples.add(&[version, scheduler, application], 1_u64);
        }),
    },
    Family {
        name: "flink_job_state",
        kind: Kind::Gauge,
        unit: None,
        labels: &["cluster", "job_id", "job_name", "state"],
        help: "1 for the state that a job is in, 0 for all others.",
        moves: "With the job's status, as Flink's REST API would have told it; UNKNOWN where the log cannot tell. All states are always there. A job that has ended leaves the page, with all its series at once, after its retention.",
        bound: "12 per job",
        query: "max by (cluster, job_id, job_name) (flink_job_state{state=~\"INITIALIZING|CREATED|RESTARTING|FAILING|CANCELLING|RECONCILING|SUSPENDED\"}) == 1",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Job(|job, _, samples| {
            for state in JobState::ALL {
                samples.add(&[state.name()], job.state == state);
            }
        }),
    },
    Family {
        name: "flink_job_state_since_timestamp_seconds",
        kind: Kind::Gauge,
        unit: Some("seconds"),
        labels: &["cluster", "job_id", "job_name"],
        help: "When a job entered its present state, in Unix seconds.",
        moves: "With every state entered. It is the time that the log gives; the time of reading where the log gives none.",
        bound: "1 per job",
        query: "time() - flink_job_state_since_timestamp_seconds",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Job(|job, _, samples| samples.add(&[], job.since.unwrap_or(job.since_read))),
    },
    Family {
        name: "flink_job_last_event_timestamp_seconds",
        kind: Kind::Gauge,
        unit: Some("seconds"),
        labels: &["cluster", "job_id", "job_name"],
        help: "When the newest log record about a job was written, in Unix seconds.",
        moves: "With every record that tells something of the job, whether or not its state changes. It is the time that the log gives; the time of reading where the log gives none.",
        bound: "1 per job",
        query: "time() - flink_job_last_event_timestamp_seconds",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Job(|job, _, samples| samples.add(&[], job.last_event.unwrap_or(job.last_event_read))),
    },
    Family {
        name: "flink_job_restarts_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["cluster", "job_id", "job_name", "reason"],
        help: "Restarts of a job by reason: failure, rescale, process (the JobManager ended and the job came back), observed.",
        moves: "From 0, when a restart begins. The sum over the reasons is a lower bound: regional restarts of Flink 1.9 leave no line and are not counted.",
        bound: "4 per job",
        query: "sum by (cluster, job_id, job_name) (increase(flink_job_restarts_total{reason=\"failure\"}[15m])) >= 3",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Job(|job, _, samples| {
            for (reason, count) in RestartReason::ALL.iter().zip(job.restarts) {
                samples.add(&[reason.name()], count);
            }
        }),
    },
    Family {
        name: "flink_job_state_transitions_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["cluster", "job_id", "job_name", "to"],
        help: "States entered by a job, also those shorter than the time between two scrapes.",
        moves: "From 0, with every state entered. Can be turned off: it is the largest family but one.",
        bound: "12 per job",
        query: "increase(flink_job_state_transitions_total{to=\"FAILING\"}[1h]) > 0",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Job(|job, settings, samples| {
            if settings.transitions_per_job {
                for (state, count) in JobState::ALL.iter().zip(job.entered) {
                    samples.add(&[state.name()], count);
                }
            }
        }),
    },
    Family {
        name: "flink_job_stuck_after_seconds",
        kind: Kind::Gauge,
        unit: Some("seconds"),
        labels: &["cluster", "job_id", "job_name", "state"],
        help: "A job's own threshold for a state, where the configuration gives its name one.",
        moves: "With the configuration. Absent for jobs that follow `flinktail_stuck_after_seconds`.",
        bound: "7 per job whose name has an override",
        query: "flink_job_stuck_after_seconds and on (cluster, job_id, state) flink_job_state == 1",
        stability: Stability::Experimental,
        since: "0.1.0",
        fill: Fill::Job(|job, settings, samples| {
            for (state, limit) in settings
                .thresholds
                .overridden(job.name.as_deref())
                .into_iter()
                .flatten()
            {
                samples.add(&[state.name()], limit.as_secs_f64());
            }
        }),
    },
];
