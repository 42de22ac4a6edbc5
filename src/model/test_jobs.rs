//! Entities made by hand, for the tests of whoever shows them.

use std::sync::Arc;

use super::arn::ApplicationArn;
use super::event::{Carrier, Event, Said, Seen};
use super::fleet::{Fleet, LogContext};
use super::flink_deployment::{DeploymentId, DeploymentState};
use super::flink_job::JobState;
use super::job::Job;
use super::kda_application::ApplicationState;
use super::story::{Basis, Entry};
use super::vvp_job::{PlatformJob, PlatformJobId, PlatformJobState, Started};
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

/// One entity of every kind that is no Flink job, and the Flink jobs of two of them, on 2 March 2026: application `orders`
/// RUNNING since 09:00 with a job, platform job `070707…` STARTED with a job that restarted twice, deployment
/// `team/orders` STABLE.
pub fn fleet() -> Fleet {
    let arn = ApplicationArn::of_parts("eu-west-1", "111122223333", "orders").unwrap();
    let carrier = Arc::new(Carrier {
        by_time: true,
        cluster: Some(Arc::from("orders")),
        application: Some(arn.clone()),
        deployment: Some(DeploymentId {
            namespace: Arc::from("team"),
            name: Arc::from("orders"),
        }),
    });
    let at = "2026-03-02T09:00:00Z".parse().unwrap();
    let platform_job = PlatformJob {
        namespace: Some(Arc::from("team")),
        deployment: Some(Arc::from("dep \"top\\\n\u{202e}")),
        resource_version: Some(5),
        modified_at: Some(at),
        state: Some(PlatformJobState::Started),
        started: Some(Started {
            started_at: Some(at),
            restarts: Some(2),
            status: Some(JobState::Running),
            ..Started::default()
        }),
        ..PlatformJob::unseen(PlatformJobId(JobId([7; 16])))
    };
    let mut fleet = Fleet::default();
    let cluster = Arc::from("default");
    fleet.open_log(LogId(1), LogContext { cluster });
    for event in [
        Event::ApplicationReported {
            application: arn.clone(),
            state: ApplicationState::Running,
            version: Some(7),
        },
        Event::VersionReported {
            application: arn,
            version: 6,
            state: ApplicationState::RolledBack,
        },
        Event::JobTransition {
            job: JobId([6; 16]),
            name: "orders".into(),
            from: JobState::Created,
            to: JobState::Running,
        },
        Event::PlatformJobReported(Box::new(platform_job)),
        Event::DeploymentStatus {
            state: DeploymentState::Stable,
        },
        Event::DeploymentJobStatus {
            from: None,
            to: JobState::Reconciling,
        },
    ] {
        let seen = Seen {
            log: LogId(1),
            offset: 0,
            at: Some(at),
            mdc_job: None,
            carrier: Some(Arc::clone(&carrier)),
            said: Said::Event(event),
        };
        fleet.apply(&seen, at);
    }
    fleet
}
