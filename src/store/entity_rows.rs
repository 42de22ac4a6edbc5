//! What is written of an entity that is no Flink job, as plain rows: one for each kind.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::entries::state_named;
use super::rows::CauseRow;
use crate::line::JobId;
use crate::model::arn::ApplicationArn;
use crate::model::flink_deployment::{DeploymentId, DeploymentState};
use crate::model::flink_job::JobState;
use crate::model::kda_application::ApplicationState;
use crate::model::state::State;
use crate::model::vvp_job::{PlatformFailure, PlatformJob, PlatformJobId, PlatformJobState, Started};
use crate::model::{Application, Deployment, Move, Storied, Story, VvpJob};

/// A kind of entity that is kept.
pub(super) trait Kept: Storied {
    fn story_mut(&mut self) -> &mut Story<Self::State>;
    /// Everything but its id and its history, as JSON.
    fn row(&self) -> Result<String, StoreError>;
    /// And back, without its history.
    fn from_row(id: &str, row: &str) -> Result<Self, StoreError>;
}

fn no_id(kind: &str, id: &str) -> StoreError {
    StoreError::Damaged(format!("{id:?} is the id of no {kind}"))
}

#[derive(Debug, Serialize, Deserialize)]
struct StoryRow {
    state: String,
    since: Option<Timestamp>,
    since_read: Timestamp,
    /// By state; only those that were entered.
    entered: BTreeMap<String, u64>,
    revision: u64,
}

impl StoryRow {
    fn of<S: State>(story: &Story<S>) -> Self {
        let entered = S::ALL.iter().zip(&story.entered);
        Self {
            state: story.state.name().to_owned(),
            since: story.since,
            since_read: story.since_read,
            entered: entered
                .filter(|(_, count)| **count > 0)
                .map(|(state, count)| (state.name().to_owned(), *count))
                .collect(),
            revision: story.revision,
        }
    }

    fn story<S: State>(self) -> Result<Story<S>, StoreError> {
        let entered = |state: &S| self.entered.get(state.name()).copied().unwrap_or(0);
        Ok(Story {
            state: state_named(&self.state)?,
            since: self.since,
            entered: S::ALL.iter().map(entered).collect(),
            revision: self.revision,
            ..Story::new(self.since_read)
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct ApplicationRow<'a> {
    story: StoryRow,
    version: Option<u64>,
    versions: BTreeMap<u64, String>,
    error: Option<CauseRow<'a>>,
    jobs: Vec<(String, JobId)>,
    moves: Vec<MoveRow>,
}

#[derive(Debug, Serialize, Deserialize)]
struct MoveRow {
    at: Timestamp,
    to: String,
    begins: bool,
}

impl Kept for Application {
    fn story_mut(&mut self) -> &mut Story<ApplicationState> {
        &mut self.story
    }

    fn row(&self) -> Result<String, StoreError> {
        let version = |(version, state): (&u64, &ApplicationState)| (*version, state.name().to_owned());
        let moved = |moved: &Move| MoveRow {
            at: moved.at,
            to: moved.to.name().to_owned(),
            begins: moved.begins,
        };
        Ok(serde_json::to_string(&ApplicationRow {
            story: StoryRow::of(&self.story),
            version: self.version,
            versions: self.versions.iter().map(version).collect(),
            error: self.error.as_ref().map(CauseRow::of),
            jobs: self
                .jobs
                .iter()
                .map(|(cluster, id)| (cluster.to_string(), *id))
                .collect(),
            moves: self.moves.iter().map(moved).collect(),
        })?)
    }

    fn from_row(id: &str, row: &str) -> Result<Self, StoreError> {
        let row: ApplicationRow<'_> = serde_json::from_str(row)?;
        let version = |(version, state): (u64, String)| Ok((version, state_named(&state)?));
        let moved = |row: MoveRow| {
            Ok(Move {
                at: row.at,
                to: state_named::<JobState>(&row.to)?,
                begins: row.begins,
            })
        };
        Ok(Self {
            arn: ApplicationArn::parse(id).ok_or_else(|| no_id(ApplicationState::KIND, id))?,
            story: row.story.story()?,
            version: row.version,
            versions: row
                .versions
                .into_iter()
                .map(version)
                .collect::<Result<_, StoreError>>()?,
            error: row.error.map(CauseRow::failure),
            jobs: row
                .jobs
                .into_iter()
                .map(|(cluster, id)| (Arc::from(cluster), id))
                .collect(),
            moves: row
                .moves
                .into_iter()
                .map(moved)
                .collect::<Result<_, StoreError>>()?,
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct VvpJobRow {
    story: StoryRow,
    flink_job: Option<(String, JobId)>,
    namespace: Option<String>,
    deployment_id: Option<String>,
    deployment: Option<String>,
    resource_version: Option<u64>,
    created_at: Option<Timestamp>,
    modified_at: Option<Timestamp>,
    terminated_at: Option<Timestamp>,
    state: Option<String>,
    started: Option<StartedRow>,
    failure: Option<FailureRow>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StartedRow {
    started_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
    flink_job: Option<JobId>,
    restarts: Option<u64>,
    status: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct FailureRow {
    reason: String,
    message: String,
    at: Option<Timestamp>,
}

impl Kept for VvpJob {
    fn story_mut(&mut self) -> &mut Story<PlatformJobState> {
        &mut self.story
    }

    fn row(&self) -> Result<String, StoreError> {
        let resource = &self.resource;
        Ok(serde_json::to_string(&VvpJobRow {
            story: StoryRow::of(&self.story),
            flink_job: self
                .flink_job
                .as_ref()
                .map(|(cluster, id)| (cluster.to_string(), *id)),
            namespace: resource.namespace.as_deref().map(str::to_owned),
            deployment_id: resource.deployment_id.as_deref().map(str::to_owned),
            deployment: resource.deployment.as_deref().map(str::to_owned),
            resource_version: resource.resource_version,
            created_at: resource.created_at,
            modified_at: resource.modified_at,
            terminated_at: resource.terminated_at,
            state: resource.state.map(|state| state.name().to_owned()),
            started: resource.started.as_ref().map(|started| StartedRow {
                started_at: started.started_at,
                updated_at: started.updated_at,
                flink_job: started.flink_job,
                restarts: started.restarts,
                status: started.status.map(|status| status.name().to_owned()),
            }),
            failure: resource.failure.as_ref().map(|failure| FailureRow {
                reason: failure.reason.clone(),
                message: failure.message.clone(),
                at: failure.at,
            }),
        })?)
    }

    fn from_row(id: &str, row: &str) -> Result<Self, StoreError> {
        let row: VvpJobRow = serde_json::from_str(row)?;
        let started = |row: StartedRow| {
            Ok::<_, StoreError>(Started {
                started_at: row.started_at,
                updated_at: row.updated_at,
                flink_job: row.flink_job,
                restarts: row.restarts,
                status: row.status.as_deref().map(state_named).transpose()?,
            })
        };
        Ok(Self {
            resource: PlatformJob {
                id: PlatformJobId::parse(id).ok_or_else(|| no_id(PlatformJobState::KIND, id))?,
                namespace: row.namespace.map(Arc::from),
                deployment_id: row.deployment_id.map(Arc::from),
                deployment: row.deployment.map(Arc::from),
                resource_version: row.resource_version,
                created_at: row.created_at,
                modified_at: row.modified_at,
                terminated_at: row.terminated_at,
                state: row.state.as_deref().map(state_named).transpose()?,
                started: row.started.map(started).transpose()?,
                failure: row.failure.map(|row| PlatformFailure {
                    reason: row.reason,
                    message: row.message,
                    at: row.at,
                }),
            },
            story: row.story.story()?,
            flink_job: row.flink_job.map(|(cluster, id)| (Arc::from(cluster), id)),
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct DeploymentRow {
    story: StoryRow,
    job: Option<(String, Option<Timestamp>)>,
}

impl Kept for Deployment {
    fn story_mut(&mut self) -> &mut Story<DeploymentState> {
        &mut self.story
    }

    fn row(&self) -> Result<String, StoreError> {
        Ok(serde_json::to_string(&DeploymentRow {
            story: StoryRow::of(&self.story),
            job: self.job.map(|(state, since)| (state.name().to_owned(), since)),
        })?)
    }

    fn from_row(id: &str, row: &str) -> Result<Self, StoreError> {
        let row: DeploymentRow = serde_json::from_str(row)?;
        let (namespace, name) = id
            .split_once('/')
            .ok_or_else(|| no_id(DeploymentState::KIND, id))?;
        let job = |(state, since): (String, _)| Ok::<_, StoreError>((state_named(&state)?, since));
        Ok(Self {
            id: DeploymentId {
                namespace: Arc::from(namespace),
                name: Arc::from(name),
            },
            story: row.story.story()?,
            job: row.job.map(job).transpose()?,
        })
    }
}
