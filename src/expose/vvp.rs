//! `/api/v1/vvp/jobs` and `/api/v1/vvp/jobs/{id}`: jobs in the shape of the Ververica Platform's own API, with a
//! `status.started` that goes on when the platform has no word of it: what the Flink job's log says goes first.

use serde::Serialize;

use super::api::time;
use super::view::View;
use crate::model::flink_job::JobState;
use crate::model::state::State as _;
use crate::model::vvp_job::{PlatformJob, PlatformJobId, PlatformJobState, Started};
use crate::model::{Job, Storied as _, VvpJob};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListJson<'a> {
    kind: &'static str,
    api_version: &'static str,
    metadata: NothingJson,
    items: Vec<ResourceJson<'a>>,
}

/// `{}`
#[derive(Serialize)]
struct NothingJson {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceJson<'a> {
    kind: &'static str,
    api_version: &'static str,
    metadata: MetadataJson<'a>,
    status: StatusJson<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MetadataJson<'a> {
    id: String,
    namespace: Option<&'a str>,
    created_at: Option<String>,
    modified_at: Option<String>,
    terminated_at: Option<String>,
    deployment_id: Option<&'a str>,
    deployment_name: Option<&'a str>,
    resource_version: Option<u64>,
}

#[derive(Serialize)]
struct StatusJson<'a> {
    /// Null where only the Flink log has told of the job.
    state: Option<&'static str>,
    started: Option<StartedJson>,
    failure: Option<FailureJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StartedJson {
    /// The API's word and the documentation's for the same time.
    started_at: Option<String>,
    transition_time: Option<String>,
    last_update_time: Option<String>,
    flink_job_id: String,
    observed_flink_job_restarts: u64,
    observed_flink_job_status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FailureJson<'a> {
    message: &'a str,
    reason: &'a str,
    failed_at: Option<String>,
}

/// Every job that the platform told of, and every one whose pods' log shows whose it is.
#[must_use]
pub fn list(view: &View) -> String {
    let told = view
        .others()
        .platform_jobs
        .iter()
        .map(|job| of_platform(view, job));
    let unseen: Vec<(PlatformJob, &Job)> = view
        .jobs()
        .iter()
        .map(|rendered| rendered.job())
        .filter(|job| job.observed.is_none() && is_in_platform_pod(job))
        .map(|job| (PlatformJob::unseen(PlatformJobId(job.id)), job))
        .collect();
    let logged = unseen.iter().map(|(unseen, job)| of_log(unseen, job));
    json(&ListJson {
        kind: "JobList",
        api_version: "v1",
        metadata: NothingJson {},
        items: told.chain(logged).collect(),
    })
}

/// One job by its id; none where neither the platform nor a log has told of it.
#[must_use]
pub fn job(view: &View, id: &str) -> Option<String> {
    let id = PlatformJobId::parse(id)?;
    let jobs = &view.others().platform_jobs;
    if let Ok(place) = jobs.binary_search_by_key(&id, |job| job.id()) {
        return Some(json(&of_platform(view, &jobs[place])));
    }
    let unseen = PlatformJob::unseen(id);
    let mut logged = view.jobs().iter().map(|rendered| rendered.job());
    logged
        .find(|job| job.id == id.0)
        .map(|job| json(&of_log(&unseen, job)))
}

fn of_platform<'v>(view: &'v View, job: &'v VvpJob) -> ResourceJson<'v> {
    let flink_job = job.flink_job.as_ref();
    let flink_job = flink_job.and_then(|(cluster, id)| view.job(cluster, *id));
    resource(&job.resource, job.story.state.name(), flink_job)
}

/// The platform names the pods of a job `job-UUID-…`, and a pod's log has the pod for a cluster.
fn is_in_platform_pod(job: &Job) -> bool {
    let pod = format!("job-{}-", PlatformJobId(job.id));
    job.cluster.contains(&pod)
}

/// A job of which only the Flink log has told.
fn of_log<'a>(unseen: &'a PlatformJob, job: &Job) -> ResourceJson<'a> {
    let mut resource = resource(unseen, PlatformJobState::Unknown.name(), Some(job));
    resource.status.state = None;
    resource
}

fn resource<'a>(resource: &'a PlatformJob, state: &'static str, flink_job: Option<&Job>) -> ResourceJson<'a> {
    ResourceJson {
        kind: "Job",
        api_version: "v1",
        metadata: MetadataJson {
            id: resource.id.to_string(),
            namespace: resource.namespace.as_deref(),
            created_at: resource.created_at.map(time),
            modified_at: resource.modified_at.map(time),
            terminated_at: resource.terminated_at.map(time),
            deployment_id: resource.deployment_id.as_deref(),
            deployment_name: resource.deployment.as_deref(),
            resource_version: resource.resource_version,
        },
        status: StatusJson {
            state: Some(state),
            started: started(resource, flink_job),
            failure: resource.failure.as_ref().map(|failure| FailureJson {
                message: &failure.message,
                reason: &failure.reason,
                failed_at: failure.at.map(time),
            }),
        },
    }
}

/// None before anything is known of a Flink job, as the platform has it.
fn started(resource: &PlatformJob, flink_job: Option<&Job>) -> Option<StartedJson> {
    let told = resource.started.as_ref();
    if told.is_none() && flink_job.is_none() {
        return None;
    }
    let nothing = Started::default();
    let told = told.unwrap_or(&nothing);
    let seen = flink_job
        .map(|job| job.state)
        .filter(|state| *state != JobState::Unknown);
    let counted = flink_job.map_or(0, Job::all_restarts);
    let updated = told.updated_at.max(flink_job.and_then(|job| job.last_event));
    let began = told.started_at.map(time);
    Some(StartedJson {
        started_at: began.clone(),
        transition_time: began,
        last_update_time: updated.map(time),
        flink_job_id: told.flink_job.unwrap_or(resource.id.0).to_string(),
        observed_flink_job_restarts: counted.max(told.restarts.unwrap_or(0)),
        observed_flink_job_status: seen.or(told.status).unwrap_or(JobState::Unknown).name(),
    })
}

fn json(answer: &impl Serialize) -> String {
    // Fails for maps whose keys are not strings and for failing writers; there are neither here.
    serde_json::to_string(answer).unwrap_or_default()
}
