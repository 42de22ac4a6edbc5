//! A job made by hand, for the tests of whoever shows jobs.

use std::sync::Arc;

use super::flink_job::JobState;
use super::job::Job;
use super::story::{Basis, Entry};
use crate::line::{JobId, LogId};

/// A job of this name in cluster `prod-1`, RUNNING since 09:00:00.004 on 2 March 2026.
pub fn job(name: &str) -> Job {
    let since = "2026-03-02T09:00:00.004Z".parse().unwrap();
    let entry = Entry {
        at: Some(since),
        from: Some(JobState::Created),
        to: JobState::Running,
        basis: Basis::Log,
        late: false,
        line: (LogId(0), 0),
    };
    let mut job = Job::new(Arc::from("prod-1"), JobId([0xab; 16]), LogId(0), 0, since);
    job.name = Some(Arc::from(name));
    job.state = JobState::Running;
    job.since = Some(since);
    job.last_event = Some(since);
    job.restarts[0] = 2;
    job.history.push_back(entry);
    job.flink_version = Some(Arc::from("1.20.1"));
    job.entered[JobState::Running as usize] = 3;
    job
}
