//! How long a state may last before somebody should look, and how long an ended job stays in the metrics.

use std::collections::BTreeMap;
use std::time::Duration;

use super::flink_job::JobState;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// After how long in one state a job counts as stuck. Only transient states have a threshold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thresholds {
    /// For every job; a state that is absent is never called stuck.
    pub by_state: BTreeMap<JobState, Duration>,
    /// For jobs of certain names; the first that matches decides.
    pub overrides: Vec<Override>,
}

/// What differs for the jobs of one name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Override {
    /// The name, or a glob over names (`globset`'s syntax; known to compile).
    pub job_name: String,
    /// Only the states that differ.
    pub by_state: BTreeMap<JobState, Duration>,
}

impl Default for Thresholds {
    fn default() -> Self {
        use JobState::{Cancelling, Created, Failing, Initializing, Reconciling, Restarting, Suspended};
        let minutes = |state, count| (state, Duration::from_secs(count * MINUTE));
        Self {
            by_state: BTreeMap::from([
                minutes(Initializing, 5),
                minutes(Created, 5),
                minutes(Failing, 5),
                minutes(Cancelling, 5),
                minutes(Reconciling, 5),
                minutes(Restarting, 10),
                minutes(Suspended, 10),
            ]),
            overrides: Vec::new(),
        }
    }
}

/// For how long a job that has ended, or that nobody can tell of, stays in the metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// By state; a state that is absent is kept for ever. Only terminal states and UNKNOWN are ever hidden.
    pub by_state: BTreeMap<JobState, Duration>,
}

impl Default for Retention {
    fn default() -> Self {
        let hours = |state, count| (state, Duration::from_secs(count * HOUR));
        Self {
            by_state: BTreeMap::from([
                hours(JobState::Finished, 1),
                hours(JobState::Canceled, 1),
                hours(JobState::Failed, 24),
                hours(JobState::Unknown, 24),
            ]),
        }
    }
}
