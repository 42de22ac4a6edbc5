//! The states of an application of Managed Service for Apache Flink (Kinesis Data Analytics), and the tables of what
//! moves it: calls of the service's API, and what its Flink job does.

use std::fmt;

use super::flink_job::{Class, JobState};
use super::state::State;

/// `ApplicationStatus` of the API's model of 2018-05-23, and UNKNOWN for what nobody told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApplicationState {
    /// Its resources are being given back; what follows is nothing.
    Deleting,
    /// The job is being started.
    Starting,
    /// A snapshot is taken, then the job ends.
    Stopping,
    /// Does not run, may be started.
    Ready,
    /// Runs. Says little of the job, which may fail and restart all day.
    Running,
    /// Changed by its owner.
    Updating,
    /// Changed by the service, for more or less load.
    Autoscaling,
    /// Stopped without a snapshot.
    ForceStopping,
    /// Goes back to the version before.
    RollingBack,
    /// Patched by the service.
    Maintenance,
    /// Of a version that was left by rolling back; never inferred.
    RolledBack,
    /// Nothing told it so far.
    Unknown,
}

impl State for ApplicationState {
    const KIND: &'static str = "kda_application";
    const ALL: &'static [Self] = &[
        Self::Deleting,
        Self::Starting,
        Self::Stopping,
        Self::Ready,
        Self::Running,
        Self::Updating,
        Self::Autoscaling,
        Self::ForceStopping,
        Self::RollingBack,
        Self::Maintenance,
        Self::RolledBack,
        Self::Unknown,
    ];
    const UNKNOWN: Self = Self::Unknown;

    fn name(self) -> &'static str {
        match self {
            Self::Deleting => "DELETING",
            Self::Starting => "STARTING",
            Self::Stopping => "STOPPING",
            Self::Ready => "READY",
            Self::Running => "RUNNING",
            Self::Updating => "UPDATING",
            Self::Autoscaling => "AUTOSCALING",
            Self::ForceStopping => "FORCE_STOPPING",
            Self::RollingBack => "ROLLING_BACK",
            Self::Maintenance => "MAINTENANCE",
            Self::RolledBack => "ROLLED_BACK",
            Self::Unknown => "UNKNOWN",
        }
    }

    fn class(self) -> Class {
        match self {
            Self::Ready | Self::Running | Self::RolledBack => Class::Steady,
            Self::Unknown => Class::Unknown,
            Self::Deleting
            | Self::Starting
            | Self::Stopping
            | Self::Updating
            | Self::Autoscaling
            | Self::ForceStopping
            | Self::RollingBack
            | Self::Maintenance => Class::Transient,
        }
    }
}

/// A call of the API that changes an application's state once it is accepted. No other call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// `CreateApplication`
    Create,
    /// `StartApplication`
    Start,
    /// `StopApplication`
    Stop {
        /// Without a snapshot.
        force: bool,
    },
    /// `UpdateApplication`
    Update,
    /// `RollbackApplication`
    Rollback,
    /// `DeleteApplication`
    Delete,
}

impl Call {
    /// Reads the name that CloudTrail gives a call (`eventName`); `force` counts for `StopApplication` alone.
    #[must_use]
    pub fn parse(name: &str, force: bool) -> Option<Self> {
        Some(match name {
            "CreateApplication" => Self::Create,
            "StartApplication" => Self::Start,
            "StopApplication" => Self::Stop { force },
            "UpdateApplication" => Self::Update,
            "RollbackApplication" => Self::Rollback,
            "DeleteApplication" => Self::Delete,
            _ => return None,
        })
    }

    /// The state that an accepted call begins.
    #[must_use]
    pub const fn begins(self) -> ApplicationState {
        match self {
            Self::Create => ApplicationState::Ready,
            Self::Start => ApplicationState::Starting,
            Self::Stop { force: false } => ApplicationState::Stopping,
            Self::Stop { force: true } => ApplicationState::ForceStopping,
            Self::Update => ApplicationState::Updating,
            Self::Rollback => ApplicationState::RollingBack,
            Self::Delete => ApplicationState::Deleting,
        }
    }

    /// What an accepted call proves of the time just before it: that an earlier transient state had ended, and how.
    /// The service would have refused it otherwise.
    #[must_use]
    pub const fn proves(self, last_known: ApplicationState) -> Option<ApplicationState> {
        use ApplicationState::{
            Autoscaling, ForceStopping, Maintenance, Ready, RollingBack, Running, Starting, Stopping,
            Unknown, Updating,
        };
        match (self, last_known) {
            (_, Unknown) | (Self::Start, Ready) => None,
            (Self::Start, _) | (Self::Update, Stopping | ForceStopping) => Some(Ready),
            (Self::Stop { force: false }, Starting | Updating | Autoscaling | RollingBack | Maintenance)
            | (Self::Update | Self::Rollback, Starting) => Some(Running),
            _ => None,
        }
    }
}

/// What an application's state becomes when its job enters one.
///
/// `begins` says that a new job runs, not the old one again (it came from CREATED, INITIALIZING or RECONCILING).
#[must_use]
pub const fn inferred(last_known: ApplicationState, job: JobState, begins: bool) -> Option<ApplicationState> {
    use ApplicationState::{
        Autoscaling, ForceStopping, Maintenance, Ready, RollingBack, Running, Starting, Stopping, Unknown,
        Updating,
    };
    match (job, last_known) {
        (JobState::Running, Unknown | Starting) => Some(Running),
        (JobState::Running, Ready | Updating | Autoscaling | RollingBack | Maintenance) if begins => {
            Some(Running)
        }
        (JobState::Finished, Unknown | Running)
        | (JobState::Finished | JobState::Failed | JobState::Canceled, Stopping | ForceStopping) => {
            Some(Ready)
        }
        _ => None,
    }
}

impl fmt::Display for ApplicationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
