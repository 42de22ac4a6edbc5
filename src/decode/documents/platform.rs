//! Resources of the Ververica Platform (Application Manager API 2.1.0): jobs, events, and lists of them.

use std::sync::Arc;

use serde_json::Value;

use super::json::{elements, field, number, only, text, time};
use super::{Around, Opened, Refused, Told};
use crate::line::JobId;
use crate::model::event::Event;
use crate::model::flink_job::JobState;
use crate::model::state::State;
use crate::model::vvp_job::{PlatformFailure, PlatformJob, PlatformJobId, PlatformJobState, Started};

/// Longest texts kept of a failure, bytes.
const REASON_BYTES: usize = 256;
const MESSAGE_BYTES: usize = 1024;

/// `{"requestId","success":true,"data":…}`, as gateways answer (Alibaba's model of the API), with a resource or a list inside.
pub(super) fn answer(value: &Value, around: &Around) -> Option<Opened> {
    field(value, "success").filter(|success| success.is_boolean())?;
    let data = field(value, "data")?;
    let is_resource = |data: &Value| field(data, "metadata").is_some() || field(data, "items").is_some();
    let is_known = data
        .as_array()
        .map_or_else(|| is_resource(data), |all| all.iter().any(is_resource));
    is_known.then(|| only(data, around))
}

/// `{"type":"MODIFIED","object":{…}}`, as a watch of resources is answered, one a line.
pub(super) fn watched(value: &Value, around: &Around) -> Option<Opened> {
    let object = field(value, "object")?;
    field(object, "kind")?;
    Some(match text(value, "type")? {
        "ADDED" | "MODIFIED" | "DELETED" => only(object, around),
        kind @ ("BOOKMARK" | "ERROR") => Opened::Silent(format!("{kind} tells no state")),
        _ => return None,
    })
}

/// `{"kind":"JobList","apiVersion","metadata":{},"items":[…]}`.
pub(super) fn list(value: &Value, around: &Around) -> Option<Opened> {
    let items = field(value, "items")?.as_array()?;
    let of_the_platform = items
        .iter()
        .all(|item| field(item, "kind").is_some() && field(item, "metadata").is_some());
    if of_the_platform {
        elements(value, "items", around)
    } else {
        None
    }
}

/// A resource.
pub(super) fn resource(value: &Value, around: &Around) -> Option<Opened> {
    let metadata = field(value, "metadata")?;
    let kind = text(value, "kind")?;
    if kind.eq_ignore_ascii_case("Job") {
        // A Job of Kubernetes has a name and a specification of pods.
        let of_kubernetes = text(value, "apiVersion").is_some_and(|version| version.starts_with("batch/"));
        return (!of_kubernetes).then(|| job(value, metadata, around));
    }
    if kind.eq_ignore_ascii_case("Event") {
        field(metadata, "jobId").or_else(|| field(metadata, "deploymentId"))?;
        return Some(happened(metadata, around));
    }
    let known = ["Deployment", "DeploymentTarget", "Savepoint", "SessionCluster"];
    known
        .iter()
        .any(|known| kind.eq_ignore_ascii_case(known))
        .then(|| Opened::Silent(format!("a {kind} is no job")))
}

fn job(value: &Value, metadata: &Value, around: &Around) -> Opened {
    let Some(id) = text(metadata, "id").and_then(PlatformJobId::parse) else {
        return Opened::Refused(Refused::Broken("metadata.id is missing or no UUID".to_owned()));
    };
    let status = field(value, "status").unwrap_or(&Value::Null);
    let Some(word) = text(status, "state") else {
        return Opened::Refused(Refused::Broken("no status.state".to_owned()));
    };
    let Some(state) = PlatformJobState::read(word) else {
        return Opened::Refused(Refused::UnknownState(word.to_owned()));
    };
    let shared = |part: &Value, key| text(part, key).map(Arc::from);
    let job = PlatformJob {
        id,
        namespace: shared(metadata, "namespace"),
        deployment_id: shared(metadata, "deploymentId"),
        deployment: shared(metadata, "deploymentName"),
        resource_version: number(metadata, "resourceVersion"),
        created_at: time(metadata, "createdAt"),
        modified_at: time(metadata, "modifiedAt"),
        terminated_at: time(metadata, "terminatedAt"),
        state: Some(state),
        started: field(status, "started")
            .filter(|started| started.is_object())
            .map(started),
        failure: field(status, "failure")
            .filter(|failure| failure.is_object())
            .map(|failure| PlatformFailure {
                reason: bounded(text(failure, "reason").unwrap_or_default(), REASON_BYTES),
                message: bounded(text(failure, "message").unwrap_or_default(), MESSAGE_BYTES),
                at: time(failure, "failedAt"),
            }),
    };
    let seen = job.started.as_ref().and_then(|started| started.updated_at);
    Opened::Tells(Told {
        by_time: around.by_time,
        cluster: job.namespace.clone(),
        ..Told::new(
            job.modified_at.max(seen).or(around.at),
            Event::PlatformJobReported(Box::new(job)),
        )
    })
}

fn started(started: &Value) -> Started {
    Started {
        started_at: time(started, "startedAt").or_else(|| time(started, "transitionTime")),
        updated_at: time(started, "lastUpdateTime"),
        flink_job: text(started, "flinkJobId")
            .and_then(|id| JobId::parse(id.replace('-', "").to_ascii_lowercase().as_bytes())),
        restarts: number(started, "observedFlinkJobRestarts"),
        status: text(started, "observedFlinkJobStatus").and_then(JobState::read),
    }
}

/// An event; its name alone tells a state, its text is for people.
fn happened(metadata: &Value, around: &Around) -> Opened {
    let name = text(metadata, "name").unwrap_or_default();
    let Some(state) = PlatformJobState::told_by(name) else {
        return Opened::Silent(format!("the event `{name}` tells no state"));
    };
    let Some(job) = text(metadata, "jobId").and_then(PlatformJobId::parse) else {
        return Opened::Refused(Refused::Broken("metadata.jobId is missing or no UUID".to_owned()));
    };
    let Some(at) = time(metadata, "createdAt").or(around.at) else {
        return Opened::Refused(Refused::Broken("no metadata.createdAt".to_owned()));
    };
    let namespace: Option<Arc<str>> = text(metadata, "namespace").map(Arc::from);
    let event = Event::PlatformEvent {
        job,
        namespace: namespace.clone(),
        state,
    };
    Opened::Tells(Told {
        by_time: true,
        id: text(metadata, "id").map(Arc::from),
        cluster: namespace,
        ..Told::new(Some(at), event)
    })
}

fn bounded(text: &str, bytes: usize) -> String {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
