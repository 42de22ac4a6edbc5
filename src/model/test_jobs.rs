//! A job made by hand, for the tests of whoever shows jobs.

use std::collections::VecDeque;
use std::sync::Arc;

use super::flink_job::JobState;
use super::job::{Basis, Entry, Job};
use crate::line::JobId;

/// A job of this name in cluster `prod-1`, RUNNING since 09:00:00.004 on 2 March 2026.
pub fn job(name: &str) -> Job {
    let since = "2026-03-02T09:00:00.004Z".parse().unwrap();
    let entry = Entry {
        at: Some(since),
        from: Some(JobState::Created),
        to: JobState::Running,
        basis: Basis::Log,
        late: false,
        line: None,
    };
    let mut job = Job {
        cluster: Arc::from("prod-1"),
        id: JobId([0xab; 16]),
        name: Some(Arc::from(name)),
        state: JobState::Running,
        since: Some(since),
        since_read: since,
        last_event: Some(since),
        last_event_read: since,
        restarts: [2, 0, 0, 0],
        entered: [0; JobState::ALL.len()],
        failure: None,
        history: VecDeque::from([entry]),
        history_dropped: 0,
        flink_version: Some(Arc::from("1.20.1")),
        scheduler: None,
        unknown_because: None,
    };
    job.entered[JobState::Running as usize] = 3;
    job
}
