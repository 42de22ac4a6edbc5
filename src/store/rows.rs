//! What is written of a job and of a process, as plain rows. The model's own types are not written, so that they can
//! change without changing what is on disk.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use super::StoreError;
use super::entries::state_named;
use crate::line::{JobId, LogId};
use crate::model::arn::ApplicationArn;
use crate::model::event::{Cause, EndReason, RestartReason};
use crate::model::flink_job::JobState;
use crate::model::vvp_job::PlatformJobId;
use crate::model::{Announced, CauseOf, Failure, Graph, Job, Observed, Process, Scheduler, Taken, Track};

/// A job but for its history and its place in the fleet.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct JobRow<'a> {
    name: Option<Cow<'a, str>>,
    state: Cow<'a, str>,
    since: Option<Timestamp>,
    since_read: Timestamp,
    last_event: Option<Timestamp>,
    last_event_read: Timestamp,
    /// By reason; only those that happened.
    restarts: BTreeMap<Cow<'a, str>, u64>,
    /// By state; only those that were entered.
    entered: BTreeMap<Cow<'a, str>, u64>,
    failure: Option<CauseRow<'a>>,
    flink_version: Option<Cow<'a, str>>,
    scheduler: Option<Cow<'a, str>>,
    #[serde(default)]
    application: Option<Cow<'a, str>>,
    #[serde(default)]
    observed: Option<ObservedRow>,
    unknown_because: Option<Cow<'a, str>>,
    revision: u64,
    owner: LogId,
    process: u32,
    /// Before there were reports, all was told by logs.
    #[serde(default = "yes")]
    logged: bool,
    #[serde(default)]
    over: Option<Timestamp>,
    former: Vec<LogId>,
    graph: GraphRow,
    graph_id: Option<JobId>,
    taken: Vec<TakenRow<'a>>,
}

const fn yes() -> bool {
    true
}

#[derive(Debug, Serialize, Deserialize)]
struct ObservedRow {
    by: JobId,
    restarts: u64,
    at: Option<Timestamp>,
    untold: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CauseRow<'a> {
    class: Cow<'a, str>,
    message: Cow<'a, str>,
    at: Option<Timestamp>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum GraphRow {
    Plain,
    Restarting,
    Undecided { at: Option<Timestamp> },
}

/// Written as a list of its fields: a job has up to 32. It may also be found as an object.
#[derive(Debug, Deserialize)]
struct TakenRow<'a> {
    kind: u8,
    from: Option<Cow<'a, str>>,
    to: Option<Cow<'a, str>>,
    at: Timestamp,
    log: LogId,
    paired: bool,
}

impl Serialize for TakenRow<'_> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        let Self {
            kind,
            from,
            to,
            at,
            log,
            paired,
        } = self;
        (kind, from, to, at, log, paired).serialize(json)
    }
}

/// What is known of a log's process.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ProcessRow {
    cluster: String,
    number: u32,
    version: Option<String>,
    #[serde(default)]
    began: Option<Timestamp>,
    #[serde(default)]
    twins: BTreeSet<LogId>,
    ending: bool,
    adaptive: bool,
    restarts: Vec<AnnouncedRow>,
    failure: Option<AnnouncedRow>,
    cause_of: CauseOfRow,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct AnnouncedRow {
    at: Option<Timestamp>,
    job: Option<JobId>,
    reason: String,
    /// Class and message.
    cause: Option<(String, String)>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CauseOfRow {
    Nobody,
    Job { id: JobId },
    LastRestart,
    LastFailure,
}

fn reason_named(name: &str) -> Result<RestartReason, StoreError> {
    RestartReason::ALL
        .into_iter()
        .find(|reason| reason.name() == name)
        .ok_or_else(|| StoreError::Damaged(format!("no restart has the reason {name:?}")))
}

impl<'a> CauseRow<'a> {
    pub(super) fn of(failure: &'a Failure) -> Self {
        Self {
            class: Cow::Borrowed(&failure.cause.class),
            message: Cow::Borrowed(&failure.cause.message),
            at: failure.at,
        }
    }

    pub(super) fn failure(self) -> Failure {
        Failure {
            cause: Cause {
                class: self.class.into_owned(),
                message: self.message.into_owned(),
            },
            at: self.at,
        }
    }
}

impl<'a> JobRow<'a> {
    pub(super) fn of(job: &'a Job) -> Self {
        let happened =
            |(name, count): (&'static str, u64)| (count > 0).then_some((Cow::Borrowed(name), count));
        let restarts = RestartReason::ALL.map(RestartReason::name).into_iter();
        let entered = JobState::ALL.map(JobState::name).into_iter();
        let Track {
            owner,
            process,
            logged,
            over,
            former,
            graph,
            graph_id,
            taken,
        } = &job.track;
        Self {
            name: job.name.as_deref().map(Cow::Borrowed),
            state: Cow::Borrowed(job.state.name()),
            since: job.since,
            since_read: job.since_read,
            last_event: job.last_event,
            last_event_read: job.last_event_read,
            restarts: restarts.zip(job.restarts).filter_map(happened).collect(),
            entered: entered.zip(job.entered).filter_map(happened).collect(),
            failure: job.failure.as_deref().map(CauseRow::of),
            flink_version: job.flink_version.as_deref().map(Cow::Borrowed),
            scheduler: job.scheduler.map(|scheduler| scheduler.name().into()),
            application: job.application.as_ref().map(|arn| arn.as_str().into()),
            observed: job.observed.as_ref().map(|observed| ObservedRow {
                by: observed.by.0,
                restarts: observed.restarts,
                at: observed.at,
                untold: observed.untold,
            }),
            unknown_because: job.unknown_because.map(Cow::Borrowed),
            revision: job.revision,
            owner: *owner,
            process: *process,
            logged: *logged,
            over: *over,
            former: former.clone(),
            graph: match graph {
                Graph::Plain => GraphRow::Plain,
                Graph::Restarting => GraphRow::Restarting,
                Graph::Undecided(at) => GraphRow::Undecided { at: *at },
            },
            graph_id: *graph_id,
            taken: taken.iter().map(TakenRow::of).collect(),
        }
    }

    /// The job, without history.
    pub(super) fn job(self, cluster: Arc<str>, id: JobId) -> Result<Job, StoreError> {
        let schedulers = [Scheduler::Default, Scheduler::Adaptive];
        let because = self.unknown_because;
        Ok(Job {
            cluster,
            id,
            name: self.name.as_deref().map(Arc::from),
            state: state_named(&self.state)?,
            since: self.since,
            since_read: self.since_read,
            last_event: self.last_event,
            last_event_read: self.last_event_read,
            restarts: RestartReason::ALL.map(|reason| self.restarts.get(reason.name()).copied().unwrap_or(0)),
            entered: JobState::ALL.map(|state| self.entered.get(state.name()).copied().unwrap_or(0)),
            failure: self.failure.map(|row| Box::new(row.failure())),
            history: [].into(),
            history_dropped: 0,
            flink_version: self.flink_version.as_deref().map(Arc::from),
            scheduler: schedulers
                .into_iter()
                .find(|known| self.scheduler.as_deref() == Some(known.name())),
            application: self.application.as_deref().and_then(ApplicationArn::parse),
            observed: self.observed.map(|row| {
                Box::new(Observed {
                    by: PlatformJobId(row.by),
                    restarts: row.restarts,
                    at: row.at,
                    untold: row.untold,
                })
            }),
            unknown_because: EndReason::ALL
                .map(EndReason::for_people)
                .into_iter()
                .find(|known| because.as_deref() == Some(known)),
            revision: self.revision,
            track: Track {
                owner: self.owner,
                process: self.process,
                logged: self.logged,
                over: self.over,
                former: self.former,
                graph: match self.graph {
                    GraphRow::Plain => Graph::Plain,
                    GraphRow::Restarting => Graph::Restarting,
                    GraphRow::Undecided { at } => Graph::Undecided(at),
                },
                graph_id: self.graph_id,
                taken: self
                    .taken
                    .into_iter()
                    .map(TakenRow::taken)
                    .collect::<Result<_, _>>()?,
            },
        })
    }
}

impl TakenRow<'_> {
    fn of(taken: &Taken) -> Self {
        let (kind, from, to) = taken.what;
        let name = |state: JobState| Cow::Borrowed(state.name());
        Self {
            kind,
            from: from.map(name),
            to: to.map(name),
            at: taken.at,
            log: taken.log,
            paired: taken.paired,
        }
    }

    fn taken(self) -> Result<Taken, StoreError> {
        let state = |name: Option<Cow<'_, str>>| name.as_deref().map(state_named).transpose();
        Ok(Taken {
            what: (self.kind, state(self.from)?, state(self.to)?),
            at: self.at,
            log: self.log,
            paired: self.paired,
        })
    }
}

impl ProcessRow {
    pub(super) fn of(process: &Process) -> Self {
        Self {
            cluster: process.cluster.to_string(),
            number: process.number,
            version: process.version.as_deref().map(str::to_owned),
            began: process.began,
            twins: process.twins.clone(),
            ending: process.ending,
            adaptive: process.adaptive,
            restarts: process.restarts.iter().map(AnnouncedRow::of).collect(),
            failure: process.failure.as_deref().map(AnnouncedRow::of),
            cause_of: match process.cause_of {
                CauseOf::Nobody => CauseOfRow::Nobody,
                CauseOf::Job(id) => CauseOfRow::Job { id },
                CauseOf::LastRestart => CauseOfRow::LastRestart,
                CauseOf::LastFailure => CauseOfRow::LastFailure,
            },
        }
    }

    pub(super) fn process(self) -> Result<Process, StoreError> {
        let restarts = self.restarts.into_iter().map(AnnouncedRow::announced);
        Ok(Process {
            cluster: Arc::from(self.cluster),
            number: self.number,
            version: self.version.map(Arc::from),
            began: self.began,
            twins: self.twins,
            ending: self.ending,
            adaptive: self.adaptive,
            restarts: restarts.collect::<Result<_, _>>()?,
            failure: self
                .failure
                .map(AnnouncedRow::announced)
                .transpose()?
                .map(Box::new),
            cause_of: match self.cause_of {
                CauseOfRow::Nobody => CauseOf::Nobody,
                CauseOfRow::Job { id } => CauseOf::Job(id),
                CauseOfRow::LastRestart => CauseOf::LastRestart,
                CauseOfRow::LastFailure => CauseOf::LastFailure,
            },
        })
    }
}

impl AnnouncedRow {
    fn of(announced: &Announced) -> Self {
        let cause = announced.cause.as_ref();
        Self {
            at: announced.at,
            job: announced.job,
            reason: announced.reason.name().to_owned(),
            cause: cause.map(|cause| (cause.class.clone(), cause.message.clone())),
        }
    }

    fn announced(self) -> Result<Announced, StoreError> {
        Ok(Announced {
            at: self.at,
            job: self.job,
            reason: reason_named(&self.reason)?,
            cause: self.cause.map(|(class, message)| Cause { class, message }),
        })
    }
}
