//! How long ended jobs stay on `/metrics`, and from when on a transient state counts as stuck.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::flink_job::JobState;

/// How long the series of an ended entity are kept, counted from the event that ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// This long.
    For(SignedDuration),
    /// For ever: they are never removed.
    Never,
}

/// Retention by kind and state. States that are absent never expire: what lives is not removed for being quiet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// For `flink_job`.
    pub flink_job: BTreeMap<JobState, Keep>,
}

impl Default for Retention {
    fn default() -> Self {
        let hours = |hours| Keep::For(SignedDuration::from_hours(hours));
        Self {
            flink_job: BTreeMap::from([
                (JobState::Failed, hours(24)),
                (JobState::Canceled, hours(1)),
                (JobState::Finished, hours(1)),
                (JobState::Unknown, hours(24)),
            ]),
        }
    }
}

/// From when on a job in a transient state is stuck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thresholds {
    /// For `flink_job`, by state.
    pub flink_job: BTreeMap<JobState, SignedDuration>,
    /// For single jobs; the first whose name matches decides.
    pub overrides: Vec<Override>,
}

/// Thresholds for the jobs of one name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Override {
    /// The name, or a glob over names.
    pub job_name: String,
    /// Only the states that differ.
    pub flink_job: BTreeMap<JobState, SignedDuration>,
}

impl Default for Thresholds {
    fn default() -> Self {
        let minutes = SignedDuration::from_mins;
        Self {
            flink_job: BTreeMap::from([
                (JobState::Initializing, minutes(5)),
                (JobState::Created, minutes(5)),
                (JobState::Failing, minutes(5)),
                (JobState::Cancelling, minutes(5)),
                (JobState::Restarting, minutes(10)),
                (JobState::Suspended, minutes(10)),
                (JobState::Reconciling, minutes(5)),
            ]),
            overrides: Vec::new(),
        }
    }
}
