//! Entities that are no Flink jobs are kept like these.

use std::sync::Arc;

use super::{LOG, expect, fleet, full_fleet, open, progress, second, stories, tell};
use crate::line::JobId;
use crate::model::Fleet;
use crate::model::arn::ApplicationArn;
use crate::model::event::{Carrier, Cause, Event, Said, Seen};
use crate::model::flink_deployment::{DeploymentId, DeploymentState};
use crate::model::flink_job::JobState;
use crate::model::kda_application::{ApplicationState, Call};
use crate::model::vvp_job::{PlatformFailure, PlatformJob, PlatformJobId, PlatformJobState, Started};

/// A full fleet with entities of every other kind, linked with their jobs where they have some.
pub(super) fn fleet_of_every_kind() -> Fleet {
    let mut fleet = full_fleet();
    let application = ApplicationArn::of_parts("eu-west-1", "111122223333", "orders").unwrap();
    let carrier = Arc::new(Carrier {
        by_time: true,
        cluster: Some(Arc::from("orders")),
        application: Some(application.clone()),
        deployment: Some(DeploymentId {
            namespace: Arc::from("team"),
            name: Arc::from("orders"),
        }),
    });
    let platform = PlatformJobId(JobId([7; 16]));
    let resource = PlatformJob {
        namespace: Some(Arc::from("team")),
        deployment: Some(Arc::from("dep")),
        resource_version: Some(5),
        modified_at: Some(second(35)),
        state: Some(PlatformJobState::Failed),
        started: Some(Started {
            restarts: Some(3),
            status: Some(JobState::Restarting),
            ..Started::default()
        }),
        failure: Some(PlatformFailure {
            reason: "R".to_owned(),
            message: "über".to_owned(),
            at: None,
        }),
        ..PlatformJob::unseen(platform)
    };
    let call = Event::ApplicationCall {
        application: application.clone(),
        call: Call::Start,
        answered: None,
    };
    let version = Event::VersionReported {
        application: application.clone(),
        version: 6,
        state: ApplicationState::RolledBack,
    };
    let error = Event::ApplicationError {
        application,
        error: Cause {
            class: "CodeError.X".to_owned(),
            message: "m".to_owned(),
        },
    };
    let runs = Event::JobTransition {
        job: JobId([6; 16]),
        name: "orders".into(),
        from: JobState::Created,
        to: JobState::Running,
    };
    let status = Event::DeploymentStatus {
        state: DeploymentState::Stable,
    };
    let polled = Event::DeploymentJobStatus {
        from: None,
        to: JobState::Running,
    };
    let resource = Event::PlatformJobReported(Box::new(resource));
    for (at, event) in (30..).zip([call, version, error, runs, status, polled, resource]) {
        let seen = Seen {
            log: LOG,
            offset: 0,
            at: Some(second(at)),
            mdc_job: None,
            carrier: Some(Arc::clone(&carrier)),
            said: Said::Event(event),
        };
        fleet.apply(&seen, second(at));
    }
    fleet
}

#[test]
fn entities_of_every_kind_are_kept_with_what_links_them() {
    let dir = tempfile::tempdir().unwrap();
    let mut fleet = fleet_of_every_kind();
    let (mut store, _) = open(dir.path());
    store.commit(&mut fleet, &progress(1), second(40)).unwrap();
    let (_, saved) = open(dir.path());
    expect(&saved, &fleet, &progress(1));
    assert_eq!(
        (saved.left.applications.len(), saved.left.platform_jobs.len()),
        (1, 1)
    );
    let application = &saved.left.applications[0];
    assert_eq!((application.jobs.len(), application.moves.len()), (1, 1));
    let restored = Fleet::restore(100, saved.left);
    let linked = restored.platform_jobs().next().unwrap().flink_job.clone();
    let (cluster, id) = linked.unwrap();
    assert_eq!(restored.job(&cluster, id).unwrap().state, JobState::Restarting);
}

#[test]
fn the_stories_of_every_kind_are_found_by_name_and_by_id() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(dir.path());
    store
        .commit(&mut fleet_of_every_kind(), &progress(1), second(40))
        .unwrap();
    let found = |wanted: &str| {
        let left = stories(dir.path(), Some(wanted)).unwrap();
        let others = (left.applications.len(), left.platform_jobs.len());
        (others.0, others.1, left.deployments.len())
    };
    assert_eq!(found("orders"), (1, 0, 1));
    assert_eq!(found("ARN:aws"), (1, 0, 0));
    assert_eq!(found("07070707-"), (0, 1, 0));
    assert_eq!(found("team/or"), (0, 0, 1));
    assert!(stories(dir.path(), Some("nobody")).unwrap().is_empty());
    let all = stories(dir.path(), None).unwrap();
    assert!(all.applications[0].story.entries() > 0);
}

#[test]
fn an_evicted_entity_keeps_its_history_and_goes_on_with_it_when_it_returns() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(dir.path());
    let mut fleet = fleet(1);
    let report = |fleet: &mut Fleet, at: i64, id: u8, state| {
        let resource = PlatformJob {
            modified_at: Some(second(at)),
            state: Some(state),
            ..PlatformJob::unseen(PlatformJobId(JobId([id; 16])))
        };
        tell(
            fleet,
            at,
            Said::Event(Event::PlatformJobReported(Box::new(resource))),
        );
    };
    report(&mut fleet, 1, 1, PlatformJobState::Failed);
    store.commit(&mut fleet, &progress(1), second(1)).unwrap();
    report(&mut fleet, 2, 2, PlatformJobState::Failed);
    store.commit(&mut fleet, &progress(1), second(2)).unwrap();
    assert_eq!(fleet.platform_jobs().count(), 1);
    report(&mut fleet, 3, 1, PlatformJobState::Finished);
    store.commit(&mut fleet, &progress(1), second(3)).unwrap();
    let saved = open(dir.path()).1.left;
    let states: Vec<_> = saved.platform_jobs[0]
        .story
        .history
        .iter()
        .map(|entry| entry.to)
        .collect();
    assert_eq!(states, [PlatformJobState::Failed, PlatformJobState::Finished]);
    assert_eq!(saved.platform_jobs.len(), 1);
}
