//! The closed vocabulary between wording and meaning: what a line of a log can tell, whatever words it used.
//!
//! A rule names one of these as its `emit`; the model alone says what follows from it. Facts about the statements
//! behind each variant are cited as class names of Flink and the versions that print them.

use std::sync::Arc;

use jiff::Timestamp;

use super::arn::ApplicationArn;
use super::flink_deployment::{DeploymentId, DeploymentState};
use super::flink_job::JobState;
use super::kda_application::{ApplicationState, Call};
use super::name::Name;
use super::vvp_job::{PlatformJob, PlatformJobId, PlatformJobState};
use crate::line::{JobId, LogId, Offset};

/// What one record said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// `Job {name} ({id}) switched from state {from} to {to}.` of the `ExecutionGraph`: the graph's status, not yet the job's.
    JobTransition {
        /// The job.
        job: JobId,
        /// As printed, lossily made UTF-8; may hold newlines.
        name: Name,
        /// The state that the record names as left.
        from: JobState,
        /// The state that the record names as entered.
        to: JobState,
    },
    /// The Dispatcher accepted a job (`Submitting job …`): its life begins in INITIALIZING.
    JobSubmitted {
        /// The job.
        job: JobId,
        /// As printed.
        name: Name,
    },
    /// A new leader takes up a job from high-availability storage (`Trying to recover job with job id …`).
    JobRecovered {
        /// The job.
        job: JobId,
    },
    /// A job was cancelled while its JobMaster was being built (1.12 only, `DispatcherJob`): CANCELLING, and no transition
    /// line says so. Later versions print this at no level.
    CancelRequested {
        /// The job.
        job: JobId,
    },
    /// A JobMaster is being built (`Initializing job …`).
    JobMasterCreated {
        /// The job.
        job: JobId,
        /// As printed.
        name: Name,
    },
    /// A JobMaster began to run (`Starting execution of job …`): CREATED.
    JobMasterStarted {
        /// The job.
        job: JobId,
        /// As printed.
        name: Name,
    },
    /// `Created execution graph {graph} for job {id}.` (1.16 and later): tells which job a task attempt belongs to.
    GraphCreated {
        /// The job.
        job: JobId,
        /// The graph's id, the first part of the attempt ids in its task lines.
        graph: JobId,
    },
    /// `Job {id} reached (globally) terminal state {state}.`
    JobTerminal {
        /// The job.
        job: JobId,
        /// FINISHED, CANCELED, FAILED or SUSPENDED.
        state: JobState,
        /// Who says so; only the Dispatcher's word ends a job.
        by: Witness,
    },
    /// `Failed to submit job {id}.`: before 1.12 also how a failed initialisation is told.
    SubmissionFailed {
        /// The job.
        job: JobId,
    },
    /// `Job {id} was not finished by JobManager.` (1.9 to 1.11): leadership lost, stands for SUSPENDED.
    JobNotFinished {
        /// The job.
        job: JobId,
    },
    /// The adaptive scheduler is about to restart or rescale a job by cancelling its graph (M7, M8, M9).
    AdaptiveRestart {
        /// Failure or change of resources.
        reason: RestartReason,
        /// The job where the line names it (2.0 and later, `Transitioning from … job {id}.`); else only the MDC may.
        job: Option<JobId>,
    },
    /// Any line that only the adaptive scheduler writes: this log can hold restarts that look like cancellations.
    AdaptiveSeen {
        /// The job where the line names it.
        job: Option<JobId>,
    },
    /// A line that the other schedulers write through the JobMaster's logger.
    DefaultSchedulerSeen {
        /// The job where the line names it.
        job: Option<JobId>,
    },
    /// `Triggering stop-with-savepoint for job {id}.`: nothing changes yet, the job will go RUNNING → FINISHED.
    StopWithSavepoint {
        /// The job.
        job: JobId,
    },
    /// A task failed; the exception that follows is the cause of what its job does next.
    TaskFailed {
        /// The execution graph of the attempt (1.16 and later), else none.
        graph: Option<JobId>,
    },
    /// A failure that names no task (`Trying to recover from a global failure.`).
    GlobalFailure,
    /// A JobManager process began (its banner): what lived in the process before it in this log is gone.
    ProcessStarted {
        /// Class name of the entry point, e.g. `StandaloneSessionClusterEntrypoint`.
        entrypoint: String,
        /// Flink's version as printed.
        version: String,
    },
    /// The process is ending or has ended: a signal, `Shutting … down`, `Terminating …` or a fatal error.
    ProcessEnding {
        /// For people: what the record said, short.
        why: EndReason,
    },
    /// The Dispatcher was granted leadership in this log's process.
    LeadershipGranted,
    /// The Dispatcher lost leadership in this log's process.
    LeadershipRevoked,
    /// CloudTrail: a call that changes an application's state was accepted. One that was refused (`errorCode`) is no event.
    ApplicationCall {
        /// The application.
        application: ApplicationArn,
        /// What was asked for.
        call: Call,
        /// The state in the call's own answer (`responseElements.applicationDetail.applicationStatus`); it has precedence.
        answered: Option<ApplicationState>,
    },
    /// The service says in which state an application is (`DescribeApplication`, `ListApplications`).
    ApplicationReported {
        /// The application.
        application: ApplicationArn,
        /// As it says.
        state: ApplicationState,
        /// `ApplicationVersionId`
        version: Option<u64>,
    },
    /// The service says in which state one version of an application is (`DescribeApplicationVersion`): says nothing of the
    /// application.
    VersionReported {
        /// The application.
        application: ApplicationArn,
        /// `ApplicationVersionId`
        version: u64,
        /// `ROLLED_BACK` of a version that was left by rolling back.
        state: ApplicationState,
    },
    /// The service wrote an error about an application into its log (a record with `errorCode` and without `logger`):
    /// kept for people, changes no state.
    ApplicationError {
        /// The application.
        application: ApplicationArn,
        /// `errorCode` as class, the message's first line as message.
        error: Cause,
    },
    /// A Job resource of the Ververica Platform.
    PlatformJobReported(Box<PlatformJob>),
    /// An event of the Ververica Platform whose name tells a job's state ([`PlatformJobState::told_by`]).
    PlatformEvent {
        /// The job.
        job: PlatformJobId,
        /// `metadata.namespace`
        namespace: Option<Arc<str>>,
        /// The state that the name tells.
        state: PlatformJobState,
    },
    /// `>>> Status[Job] | … | STATE | …` of the Flink Kubernetes operator: the life-cycle of the resource that the record's
    /// logging context names ([`Carrier::deployment`]).
    DeploymentStatus {
        /// The state entered.
        state: DeploymentState,
    },
    /// `Job status changed from A to B` of the Flink Kubernetes operator, which polls it: short states are missed, and its
    /// RECONCILING is its own "do not know".
    DeploymentJobStatus {
        /// None the first time.
        from: Option<JobState>,
        /// The status polled.
        to: JobState,
    },
}

impl Event {
    /// The job that the record's own words name.
    #[must_use]
    pub const fn job(&self) -> Option<JobId> {
        match self {
            Self::JobTransition { job, .. }
            | Self::JobSubmitted { job, .. }
            | Self::JobRecovered { job }
            | Self::CancelRequested { job }
            | Self::JobMasterCreated { job, .. }
            | Self::JobMasterStarted { job, .. }
            | Self::GraphCreated { job, .. }
            | Self::JobTerminal { job, .. }
            | Self::SubmissionFailed { job }
            | Self::JobNotFinished { job }
            | Self::StopWithSavepoint { job } => Some(*job),
            Self::AdaptiveRestart { job, .. }
            | Self::AdaptiveSeen { job }
            | Self::DefaultSchedulerSeen { job } => *job,
            Self::TaskFailed { .. }
            | Self::GlobalFailure
            | Self::ProcessStarted { .. }
            | Self::ProcessEnding { .. }
            | Self::LeadershipGranted
            | Self::LeadershipRevoked
            | Self::ApplicationCall { .. }
            | Self::ApplicationReported { .. }
            | Self::VersionReported { .. }
            | Self::ApplicationError { .. }
            | Self::PlatformJobReported(_)
            | Self::PlatformEvent { .. }
            | Self::DeploymentStatus { .. }
            | Self::DeploymentJobStatus { .. } => None,
        }
    }
}

/// Who says that a job has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// The Dispatcher: final under every scheduler.
    Dispatcher,
    /// The adaptive scheduler, just before the Dispatcher; confirms, does not end.
    AdaptiveScheduler,
}

/// Why a job restarted; the `reason` label of `flink_job_restarts_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RestartReason {
    /// RESTARTING was entered after a failure.
    Failure,
    /// RESTARTING was entered because resources changed (adaptive scheduler).
    Rescale,
    /// The job was alive and came back under a new process or leader.
    Process,
    /// What the Ververica resource reports beyond the log's own count.
    Observed,
}

impl RestartReason {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Failure, Self::Rescale, Self::Process, Self::Observed];

    /// The label's value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Rescale => "rescale",
            Self::Process => "process",
            Self::Observed => "observed",
        }
    }
}

/// How the end of a JobManager process was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// `RECEIVED SIGNAL …`.
    Signal,
    /// `Shutting … down with application status …`.
    Shutdown,
    /// `Terminating cluster entrypoint process …`.
    Terminated,
    /// `Fatal error occurred in the cluster entrypoint.`
    Fatal,
    /// The next process's banner in the same log.
    Replaced,
    /// The log was deleted and has no successor.
    LogGone,
    /// The log is not among what is watched any more.
    Unwatched,
}

impl EndReason {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Signal,
        Self::Shutdown,
        Self::Terminated,
        Self::Fatal,
        Self::Replaced,
        Self::LogGone,
        Self::Unwatched,
    ];

    /// For people, after "UNKNOWN: ".
    #[must_use]
    pub const fn for_people(self) -> &'static str {
        match self {
            Self::Signal => "its JobManager was told to stop",
            Self::Shutdown => "its JobManager is shutting down",
            Self::Terminated => "its JobManager has ended",
            Self::Fatal => "its JobManager died of a fatal error",
            Self::Replaced => "a new JobManager process began in the same log",
            Self::LogGone => "its JobManager's log was deleted and has no successor",
            Self::Unwatched => "its JobManager's log is not watched any more",
        }
    }
}

/// A failure as the log tells it: the exception that follows a record. Kept for API and page, never a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Class of the exception; at most [`Cause::CLASS_BYTES`].
    pub class: String,
    /// First line of its message; at most [`Cause::MESSAGE_BYTES`]; empty where it has none.
    pub message: String,
}

impl Cause {
    /// Longest class name kept, bytes.
    pub const CLASS_BYTES: usize = 256;
    /// Longest message kept, bytes.
    pub const MESSAGE_BYTES: usize = 1024;
}

/// An event with where and when it was said.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The log that said it.
    pub log: LogId,
    /// Where the record began in its file.
    pub offset: Offset,
    /// Event time; none where neither the record nor its carrier has one.
    pub at: Option<Timestamp>,
    /// `flink-job-id` of the logging context (1.20 and later, where the layout prints it).
    pub mdc_job: Option<JobId>,
    /// What carried the record says of where it comes from; none for Flink's own files. Records alike share one.
    pub carrier: Option<Arc<Carrier>>,
    /// What was said.
    pub said: Said,
}

/// Where a record comes from, by what is written around it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Carrier {
    /// Its records have a time of their own and come in no certain order (CloudWatch, CloudTrail): what is older than what
    /// was applied is late. False where the place in the file is the order, as for containers' logs.
    pub by_time: bool,
    /// The cluster of its Flink job: the name of the application, else the CloudWatch group, else the platform's
    /// namespace. None leaves it to the log.
    pub cluster: Option<Arc<str>>,
    /// The application that wrote the record.
    pub application: Option<ApplicationArn>,
    /// The resource that the Kubernetes operator's record is about (`resource.namespace`, `resource.name` of its logging
    /// context).
    pub deployment: Option<DeploymentId>,
}

/// What a record, or a line that continues it, tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The record's own meaning.
    Event(Event),
    /// The exception that follows the last event of the same log.
    Cause(Cause),
}
