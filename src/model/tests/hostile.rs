//! Whatever is said, in whatever order: nothing panics, nothing grows beyond its bound, and what is shown of an entity is
//! the last entry of its history that is not late.

use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;

use crate::line::{JobId, LogId};
use crate::model::arn::ApplicationArn;
use crate::model::event::{Carrier, Event, Said, Seen};
use crate::model::flink_deployment::{DeploymentId, DeploymentState};
use crate::model::flink_job::JobState;
use crate::model::kda_application::{ApplicationState, Call};
use crate::model::state::State;
use crate::model::vvp_job::{PlatformJob, PlatformJobId, PlatformJobState, Started};
use crate::model::{Fleet, LogContext, Storied};

/// What one record says, by numbers: kind, entity, states, time, whether by time.
type Numbers = (u8, u8, u8, u8, Option<i8>, bool);

/// Any state but UNKNOWN, the last: nobody says that.
fn state<S: State>(number: u8) -> S {
    S::ALL[usize::from(number) % (S::ALL.len() - 1)]
}

fn arn(number: u8) -> ApplicationArn {
    ApplicationArn::of_parts("us-east-1", "111122223333", &format!("a{}", number % 3)).unwrap()
}

fn event((kind, which, one, other, at, _): Numbers) -> Event {
    let job = JobId([which % 3; 16]);
    match kind % 7 {
        0 => Event::JobTransition {
            job,
            name: "".into(),
            from: state(one),
            to: state(other),
        },
        1 => Event::ApplicationCall {
            application: arn(which),
            call: [
                Call::Create,
                Call::Start,
                Call::Stop { force: false },
                Call::Stop { force: true },
                Call::Update,
                Call::Rollback,
                Call::Delete,
            ][usize::from(one % 7)],
            answered: (other % 4 == 0).then(|| state::<ApplicationState>(other)),
        },
        2 => Event::ApplicationReported {
            application: arn(which),
            state: state(one),
            version: Some(u64::from(other)),
        },
        3 => Event::PlatformJobReported(Box::new(PlatformJob {
            resource_version: (other % 2 == 0).then_some(u64::from(other)),
            modified_at: at.map(|at| Timestamp::from_second(at.into()).unwrap()),
            state: Some(state(one)),
            started: Some(Started {
                restarts: Some(u64::from(other % 5)),
                status: Some(state(other)),
                ..Started::default()
            }),
            ..PlatformJob::unseen(PlatformJobId(job))
        })),
        4 => Event::PlatformEvent {
            job: PlatformJobId(job),
            namespace: None,
            state: state::<PlatformJobState>(one),
        },
        5 => Event::DeploymentStatus {
            state: state::<DeploymentState>(one),
        },
        _ => Event::DeploymentJobStatus {
            from: None,
            to: state::<JobState>(one),
        },
    }
}

fn tell(fleet: &mut Fleet, place: usize, numbers: Numbers) {
    let (_, which, _, _, at, by_time) = numbers;
    let carrier = Carrier {
        by_time,
        cluster: (which % 2 == 0).then(|| Arc::from(format!("c{which}"))),
        application: (which % 3 == 0).then(|| arn(which)),
        deployment: Some(DeploymentId {
            namespace: Arc::from("n"),
            name: Arc::from(format!("d{}", which % 3)),
        }),
    };
    let seen = Seen {
        log: LogId(u32::from(which % 2)),
        offset: place as u64,
        at: at.map(|at| Timestamp::from_second(at.into()).unwrap()),
        mdc_job: None,
        carrier: Some(Arc::new(carrier)),
        said: Said::Event(event(numbers)),
    };
    fleet.apply(&seen, Timestamp::UNIX_EPOCH);
}

fn fleet(limit: usize) -> Fleet {
    let mut fleet = Fleet::with_limit(limit);
    for log in 0..2 {
        let cluster = Arc::from("c");
        fleet.open_log(LogId(log), LogContext { cluster });
    }
    fleet
}

fn is_sound<E: Storied>(entity: &E) -> bool {
    let story = entity.story();
    let last = story.history.iter().rev().find(|entry| !entry.late);
    last.is_none_or(|last| (last.to, last.at) == (story.state, story.since))
}

proptest! {
    #[test]
    fn what_is_shown_is_the_last_entry_that_is_not_late(said in prop::collection::vec(any::<Numbers>(), 0..200)) {
        let mut fleet = fleet(1000);
        for (place, numbers) in said.into_iter().enumerate() {
            tell(&mut fleet, place, numbers);
        }
        prop_assert!(fleet.applications().all(is_sound));
        prop_assert!(fleet.platform_jobs().all(is_sound));
        prop_assert!(fleet.deployments().all(is_sound));
        for job in fleet.jobs() {
            let last = job.history.iter().rev().find(|entry| !entry.late);
            prop_assert_eq!(last.map(|last| (last.to, last.at)), Some((job.state, job.since)));
        }
        let entered: u64 = fleet.applications().flat_map(|application| &application.story.entered).sum();
        prop_assert_eq!(entered, fleet.counters().applications_entered.iter().sum::<u64>());
    }
}

#[test]
fn endless_clusters_of_a_carrier_stay_within_the_limit() {
    let mut fleet = fleet(10);
    for number in 0..1000_u32 {
        let carrier = Carrier {
            by_time: true,
            cluster: Some(Arc::from(number.to_string())),
            ..Carrier::default()
        };
        let seen = Seen {
            log: LogId(0),
            offset: 0,
            at: None,
            mdc_job: None,
            carrier: Some(Arc::new(carrier)),
            said: Said::Event(event((0, 0, 1, 2, None, true))),
        };
        fleet.apply(&seen, Timestamp::UNIX_EPOCH);
    }
    assert_eq!((fleet.jobs().count(), fleet.processes().len()), (10, 10));
    assert_eq!(fleet.counters().dropped, 990);
}
