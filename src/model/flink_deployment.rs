//! The states of a resource of the Flink Kubernetes operator: `FlinkDeployment` and `FlinkSessionJob`.

use std::fmt;
use std::sync::Arc;

use super::flink_job::Class;
use super::state::State;

/// `ResourceLifecycleState` (operator 1.2 to 1.15; DELETING and DELETED are newer), and UNKNOWN for what nobody told.
/// The life-cycle of the resource, not of its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeploymentState {
    /// Made, not yet looked at.
    Created,
    /// Its job was suspended on request.
    Suspended,
    /// Suspended to be changed.
    Upgrading,
    /// Handed to Kubernetes; not yet stable, and may be rolled back.
    Deployed,
    /// Will not be rolled back any more.
    Stable,
    /// Goes back to the last stable specification.
    RollingBack,
    /// Runs the last stable specification again.
    RolledBack,
    /// Its job has failed for good.
    Failed,
    /// Being removed.
    Deleting,
    /// Gone.
    Deleted,
    /// Nothing told it so far.
    Unknown,
}

impl State for DeploymentState {
    const KIND: &'static str = "flink_deployment";
    const ALL: &'static [Self] = &[
        Self::Created,
        Self::Suspended,
        Self::Upgrading,
        Self::Deployed,
        Self::Stable,
        Self::RollingBack,
        Self::RolledBack,
        Self::Failed,
        Self::Deleting,
        Self::Deleted,
        Self::Unknown,
    ];
    const UNKNOWN: Self = Self::Unknown;

    fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Suspended => "SUSPENDED",
            Self::Upgrading => "UPGRADING",
            Self::Deployed => "DEPLOYED",
            Self::Stable => "STABLE",
            Self::RollingBack => "ROLLING_BACK",
            Self::RolledBack => "ROLLED_BACK",
            Self::Failed => "FAILED",
            Self::Deleting => "DELETING",
            Self::Deleted => "DELETED",
            Self::Unknown => "UNKNOWN",
        }
    }

    fn class(self) -> Class {
        match self {
            Self::Created | Self::Upgrading | Self::Deployed | Self::RollingBack | Self::Deleting => {
                Class::Transient
            }
            Self::Suspended | Self::Stable | Self::RolledBack => Class::Steady,
            Self::Failed | Self::Deleted => Class::Terminal,
            Self::Unknown => Class::Unknown,
        }
    }
}

/// Which resource: the operator prints it in the logging context of its lines (`[namespace/name]`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeploymentId {
    /// `resource.namespace`
    pub namespace: Arc<str>,
    /// `resource.name`
    pub name: Arc<str>,
}

impl fmt::Display for DeploymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl fmt::Display for DeploymentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
