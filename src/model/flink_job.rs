//! The states of a Flink job and their classes: the table that every reader looks for.

use std::fmt;

use super::state::State;

/// `org.apache.flink.api.common.JobStatus` (1.12 to 2.3; INITIALIZING is new in 1.12), and UNKNOWN for what a log cannot tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobState {
    /// Accepted; its JobMaster is being built. Never printed in a transition.
    Initializing,
    /// Its JobMaster runs; the graph was not started (adaptive: waits for resources).
    Created,
    /// The graph was started. Says nothing about its tasks.
    Running,
    /// A failure is being handled for good (before 1.10: before every full restart).
    Failing,
    /// Over.
    Failed,
    /// Tasks are being cancelled.
    Cancelling,
    /// Over. One L, unlike CANCELLING.
    Canceled,
    /// Over.
    Finished,
    /// Tasks are cancelled or the back-off runs.
    Restarting,
    /// This leader gave the job up; another may take it.
    Suspended,
    /// A new JobMaster takes up running tasks (1.20 and later, adaptive batch).
    Reconciling,
    /// The log cannot tell: its process ended with the job alive.
    Unknown,
}

/// What a state means to an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Should be left within minutes.
    Transient,
    /// May last.
    Steady,
    /// The end of a life.
    Terminal,
    /// Nobody can tell.
    Unknown,
}

impl Class {
    /// The label's value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Steady => "steady",
            Self::Terminal => "terminal",
            Self::Unknown => "unknown",
        }
    }
}

impl JobState {
    /// All states, in the order of Flink's enum, UNKNOWN last. The position is the value of `flinktail_state_code`.
    pub const ALL: [Self; 12] = [
        Self::Initializing,
        Self::Created,
        Self::Running,
        Self::Failing,
        Self::Failed,
        Self::Cancelling,
        Self::Canceled,
        Self::Finished,
        Self::Restarting,
        Self::Suspended,
        Self::Reconciling,
        Self::Unknown,
    ];

    /// As Flink prints it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initializing => "INITIALIZING",
            Self::Created => "CREATED",
            Self::Running => "RUNNING",
            Self::Failing => "FAILING",
            Self::Failed => "FAILED",
            Self::Cancelling => "CANCELLING",
            Self::Canceled => "CANCELED",
            Self::Finished => "FINISHED",
            Self::Restarting => "RESTARTING",
            Self::Suspended => "SUSPENDED",
            Self::Reconciling => "RECONCILING",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Reads one of Flink's eleven words. UNKNOWN is not Flink's: it is never read from a log.
    #[must_use]
    pub fn parse(word: &[u8]) -> Option<Self> {
        // A match is a tree of comparisons: looking through the names costs three times as much, twice a line.
        Some(match word {
            b"INITIALIZING" => Self::Initializing,
            b"CREATED" => Self::Created,
            b"RUNNING" => Self::Running,
            b"FAILING" => Self::Failing,
            b"FAILED" => Self::Failed,
            b"CANCELLING" => Self::Cancelling,
            b"CANCELED" => Self::Canceled,
            b"FINISHED" => Self::Finished,
            b"RESTARTING" => Self::Restarting,
            b"SUSPENDED" => Self::Suspended,
            b"RECONCILING" => Self::Reconciling,
            _ => return None,
        })
    }

    /// What the state means to an operator.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::Running => Class::Steady,
            Self::Failed | Self::Canceled | Self::Finished => Class::Terminal,
            Self::Unknown => Class::Unknown,
            Self::Initializing
            | Self::Created
            | Self::Failing
            | Self::Cancelling
            | Self::Restarting
            | Self::Suspended
            | Self::Reconciling => Class::Transient,
        }
    }

    /// FAILED, CANCELED or FINISHED: left only by a new life.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self.class(), Class::Terminal)
    }
}

/// Whether some version and scheduler of Flink prints this edge of an `ExecutionGraph`.
///
/// Read off the callers of `DefaultExecutionGraph.transitionState` (1.9 to 2.3): there is no table in Flink's code. An edge
/// outside is applied all the same, and counted: it tells of missed lines or of a Flink that this table does not know.
#[must_use]
pub const fn is_expected(from: JobState, to: JobState) -> bool {
    use JobState::{
        Canceled, Cancelling, Created, Failed, Failing, Finished, Initializing, Reconciling, Restarting,
        Running, Suspended, Unknown,
    };
    match from {
        Initializing => matches!(to, Created | Cancelling | Failing | Failed | Suspended),
        Created => matches!(to, Running | Reconciling | Failing | Cancelling | Suspended),
        Reconciling => matches!(to, Running | Failing | Cancelling | Suspended),
        Running => matches!(to, Restarting | Failing | Cancelling | Finished | Suspended),
        // FAILING to RESTARTING: every full restart before 1.10.
        Failing => matches!(to, Failed | Restarting | Cancelling | Suspended),
        // To CREATED and straight to CANCELED: before 1.10.
        Restarting => matches!(
            to,
            Running | Created | Failing | Cancelling | Canceled | Suspended
        ),
        Cancelling => matches!(to, Canceled | Failing | Failed | Suspended),
        Failed | Canceled | Finished | Suspended | Unknown => false,
    }
}

impl State for JobState {
    const KIND: &'static str = "flink_job";
    const ALL: &'static [Self] = &Self::ALL;
    const UNKNOWN: Self = Self::Unknown;

    fn name(self) -> &'static str {
        self.name()
    }

    fn class(self) -> Class {
        self.class()
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
