//! The states of a job of the Ververica Platform, and what the platform tells of one.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::flink_job::{Class, JobState};
use super::state::State;
use crate::line::JobId;

/// `status.state` of a Job resource (Application Manager API 2.1.0), and UNKNOWN for what nobody told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlatformJobState {
    /// Its cluster is being spun up.
    Starting,
    /// Waits for its turn; in the API's enum, not in its documentation.
    Standby,
    /// Its Flink job was accepted; what that one does is another question.
    Started,
    /// Its cluster is being torn down.
    Terminating,
    /// Over.
    Terminated,
    /// Over.
    Failed,
    /// Over.
    Finished,
    /// Nothing told it so far.
    Unknown,
}

impl State for PlatformJobState {
    const KIND: &'static str = "vvp_job";
    const ALL: &'static [Self] = &[
        Self::Starting,
        Self::Standby,
        Self::Started,
        Self::Terminating,
        Self::Terminated,
        Self::Failed,
        Self::Finished,
        Self::Unknown,
    ];
    const UNKNOWN: Self = Self::Unknown;

    fn name(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::Standby => "STANDBY",
            Self::Started => "STARTED",
            Self::Terminating => "TERMINATING",
            Self::Terminated => "TERMINATED",
            Self::Failed => "FAILED",
            Self::Finished => "FINISHED",
            Self::Unknown => "UNKNOWN",
        }
    }

    fn class(self) -> Class {
        match self {
            Self::Starting | Self::Terminating => Class::Transient,
            Self::Standby | Self::Started => Class::Steady,
            Self::Terminated | Self::Failed | Self::Finished => Class::Terminal,
            Self::Unknown => Class::Unknown,
        }
    }
}

impl PlatformJobState {
    /// The state that an event of the platform tells by its name (`metadata.name`); most names tell none.
    #[must_use]
    pub fn told_by(event: &str) -> Option<Self> {
        Some(match event {
            "SPINNING_UP_A_CLUSTER_FOR_A_JOB" | "AWAITING_A_JOB_TO_START" => Self::Starting,
            "JOB_SUCCESSFULLY_STARTED" => Self::Started,
            "FOUND_A_JOB_TO_TERMINATE" | "AWAIT_FOR_A_CLUSTER_TO_TEARDOWN" => Self::Terminating,
            "JOB_SUCCESSFULLY_FINISHED" => Self::Finished,
            "TERMINATING_A_JOB_DUE_TO_AN_UNRECOVERABLE_FAILURE" => Self::Failed,
            _ => return None,
        })
    }
}

/// Whether the platform takes this way.
///
/// Its documentation shows the transitions in a picture only; this follows from the meaning of the states and the names
/// of its events. A way outside is taken all the same, but for those out of an end, and counted.
#[must_use]
pub const fn is_expected(from: PlatformJobState, to: PlatformJobState) -> bool {
    use PlatformJobState::{Failed, Finished, Standby, Started, Starting, Terminated, Terminating};
    match from {
        Starting => matches!(to, Standby | Started | Terminating | Failed | Finished),
        Standby => matches!(to, Started | Terminating | Failed),
        Started => matches!(to, Terminating | Terminated | Failed | Finished),
        Terminating => matches!(to, Terminated | Failed | Finished),
        // TERMINATING_A_JOB_DUE_TO_AN_UNRECOVERABLE_FAILURE: what has failed may be torn down.
        Failed => matches!(to, Terminating | Terminated),
        Terminated | Finished | PlatformJobState::Unknown => false,
    }
}

/// The id that the platform gives a job: a UUID. Its Flink job has the same one, without dashes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlatformJobId(pub JobId);

/// Places of the dashes in a UUID.
const DASHES: [usize; 4] = [8, 13, 18, 23];

impl PlatformJobId {
    /// Reads a UUID in any letter case, with its dashes or, as Flink has it, without any.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_dashed = |(place, byte): (usize, u8)| (byte == b'-') == DASHES.contains(&place);
        if text.contains('-') && (text.len() != 36 || !text.bytes().enumerate().all(is_dashed)) {
            return None;
        }
        let digits = text.replace('-', "").to_ascii_lowercase();
        JobId::parse(digits.as_bytes()).map(Self)
    }
}

impl fmt::Display for PlatformJobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.0.iter().enumerate() {
            if [4, 6, 8, 10].contains(&index) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for PlatformJobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One Job resource of the platform, as it was at one moment. What it does not say is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformJob {
    /// `metadata.id`
    pub id: PlatformJobId,
    /// `metadata.namespace`
    pub namespace: Option<Arc<str>>,
    /// `metadata.deploymentId`
    pub deployment_id: Option<Arc<str>>,
    /// `metadata.deploymentName`
    pub deployment: Option<Arc<str>>,
    /// `metadata.resourceVersion`, written as a number or as text; a lower one than was seen is stale.
    pub resource_version: Option<u64>,
    /// `metadata.createdAt`
    pub created_at: Option<Timestamp>,
    /// `metadata.modifiedAt`
    pub modified_at: Option<Timestamp>,
    /// `metadata.terminatedAt`
    pub terminated_at: Option<Timestamp>,
    /// `status.state`; none where there is none, or a word that is no state.
    pub state: Option<PlatformJobState>,
    /// `status.started`
    pub started: Option<Started>,
    /// `status.failure`
    pub failure: Option<PlatformFailure>,
}

impl PlatformJob {
    /// A job of which nothing but its id was seen.
    #[must_use]
    pub const fn unseen(id: PlatformJobId) -> Self {
        Self {
            id,
            namespace: None,
            deployment_id: None,
            deployment: None,
            resource_version: None,
            created_at: None,
            modified_at: None,
            terminated_at: None,
            state: None,
            started: None,
            failure: None,
        }
    }

    /// When the state was entered, by what the resource says of itself.
    #[must_use]
    pub fn state_at(&self) -> Option<Timestamp> {
        let own = match self.state {
            Some(PlatformJobState::Started) => self.started.as_ref().and_then(|started| started.started_at),
            Some(PlatformJobState::Failed) => self.failure.as_ref().and_then(|failure| failure.at),
            Some(PlatformJobState::Terminated | PlatformJobState::Finished) => self.terminated_at,
            _ => None,
        };
        own.or(self.modified_at)
    }
}

/// `status.started` of a Job resource: what the platform observed of the Flink job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Started {
    /// `startedAt`, or `transitionTime` as the documentation calls it.
    pub started_at: Option<Timestamp>,
    /// `lastUpdateTime`: when the rest was observed.
    pub updated_at: Option<Timestamp>,
    /// `flinkJobId`
    pub flink_job: Option<JobId>,
    /// `observedFlinkJobRestarts`: a lower bound.
    pub restarts: Option<u64>,
    /// `observedFlinkJobStatus`; none where the platform writes UNKNOWN: it could not ask.
    pub status: Option<JobState>,
}

/// `status.failure` of a Job resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformFailure {
    /// `reason`: a word.
    pub reason: String,
    /// `message`
    pub message: String,
    /// `failedAt`
    pub at: Option<Timestamp>,
}

impl fmt::Display for PlatformJobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::{PlatformJobId, PlatformJobState};

    #[test]
    fn an_id_is_a_uuid_and_prints_as_the_platform_writes_it() {
        let text = "720c4fdf-1043-4359-9e6e-7ad6660b89db";
        let id = PlatformJobId::parse(text).unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(id.0.to_string(), text.replace('-', ""));
        assert_eq!(PlatformJobId::parse(&text.to_ascii_uppercase()), Some(id));
        assert_eq!(PlatformJobId::parse(&text.replace('-', "")), Some(id));
        for bad in [
            "",
            "720c4fdf104343599e6e7ad6660b89d",
            "720c4fdf-104343599e6e7ad6660b89db",
            "720c4fdf1-043-4359-9e6e-7ad6660b89db",
            "720c4fdf-1043-4359-9e6e-7ad6660b89dg",
            "720c4fdf-1043-4359-9e6e-7ad6660b89d\u{fc}",
        ] {
            assert_eq!(PlatformJobId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn few_events_tell_a_state_by_their_name() {
        assert_eq!(
            PlatformJobState::told_by("JOB_SUCCESSFULLY_STARTED"),
            Some(PlatformJobState::Started)
        );
        assert_eq!(PlatformJobState::told_by("USING_AN_UPGRADE_STRATEGY"), None);
    }
}
