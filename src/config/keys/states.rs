//! The tables whose keys are states: how long an entity may be in one, and how long it is shown once it has ended.

use super::{Key, Table, quoted, quoted_duration, set};
use crate::config::{Settings, value};
use crate::model::flink_deployment::DeploymentState;
use crate::model::flink_job::JobState;
use crate::model::kda_application::ApplicationState;
use crate::model::retention::{Configured, Override};
use crate::model::state::State as _;
use crate::model::vvp_job::PlatformJobState;

/// `[retention.KIND]`, one for each kind of entity.
pub(in crate::config) static RETENTION: [Table<Settings>; 4] = [
    Table {
        name: "retention.flink_job",
        about: "How long an ended job stays on `/metrics`, counted from the event that ended it. Jobs in other states are \
                never removed for being quiet. Page, API and history keep ended jobs longer.",
        keys: &[
            kept::<JobState>("FAILED"),
            kept::<JobState>("CANCELED"),
            kept::<JobState>("FINISHED"),
            kept::<JobState>("UNKNOWN"),
        ],
    },
    Table {
        name: "retention.kda_application",
        about: "The same for applications of Managed Service for Apache Flink. Nothing tells when one that is DELETING is \
                gone.",
        keys: &[
            kept::<ApplicationState>("DELETING"),
            kept::<ApplicationState>("UNKNOWN"),
        ],
    },
    Table {
        name: "retention.vvp_job",
        about: "The same for jobs of the Ververica Platform.",
        keys: &[
            kept::<PlatformJobState>("TERMINATED"),
            kept::<PlatformJobState>("FAILED"),
            kept::<PlatformJobState>("FINISHED"),
            kept::<PlatformJobState>("UNKNOWN"),
        ],
    },
    Table {
        name: "retention.flink_deployment",
        about: "The same for resources of the Flink Kubernetes operator.",
        keys: &[
            kept::<DeploymentState>("FAILED"),
            kept::<DeploymentState>("DELETED"),
            kept::<DeploymentState>("UNKNOWN"),
        ],
    },
];

/// `[stuck.KIND]`, one for each kind of entity.
pub(in crate::config) static STUCK: [Table<Settings>; 4] = [
    Table {
        name: "stuck.flink_job",
        about: "From when on a job in a transient state is stuck. Exported as `flinktail_stuck_after_seconds`, so that one \
                alert rule serves all states.",
        keys: &[
            stuck::<JobState>("INITIALIZING"),
            stuck::<JobState>("CREATED"),
            stuck::<JobState>("FAILING"),
            stuck::<JobState>("CANCELLING"),
            stuck::<JobState>("RESTARTING"),
            stuck::<JobState>("SUSPENDED"),
            stuck::<JobState>("RECONCILING"),
        ],
    },
    Table {
        name: "stuck.kda_application",
        about: "The same for applications of Managed Service for Apache Flink.",
        keys: &[
            stuck::<ApplicationState>("DELETING"),
            stuck::<ApplicationState>("STARTING"),
            stuck::<ApplicationState>("STOPPING"),
            stuck::<ApplicationState>("UPDATING"),
            stuck::<ApplicationState>("AUTOSCALING"),
            stuck::<ApplicationState>("FORCE_STOPPING"),
            stuck::<ApplicationState>("ROLLING_BACK"),
            stuck::<ApplicationState>("MAINTENANCE"),
        ],
    },
    Table {
        name: "stuck.vvp_job",
        about: "The same for jobs of the Ververica Platform.",
        keys: &[
            stuck::<PlatformJobState>("STARTING"),
            stuck::<PlatformJobState>("TERMINATING"),
        ],
    },
    Table {
        name: "stuck.flink_deployment",
        about: "The same for resources of the Flink Kubernetes operator.",
        keys: &[
            stuck::<DeploymentState>("CREATED"),
            stuck::<DeploymentState>("UPGRADING"),
            stuck::<DeploymentState>("DEPLOYED"),
            stuck::<DeploymentState>("ROLLING_BACK"),
            stuck::<DeploymentState>("DELETING"),
        ],
    },
];

/// `[[stuck_override]]`.
pub(in crate::config) static STUCK_OVERRIDE: Table<Override> = Table {
    name: "stuck_override",
    about: "Other thresholds for the jobs of one name. The first `[[stuck_override]]` that matches decides.",
    keys: &[
        Key {
            name: "job_name",
            takes: "a name, or a glob over names",
            about: "The jobs that it is about. Required, and at least one state with it.",
            flag: "",
            example: "\"nightly-*\"",
            read: |over, value| set(&mut over.job_name, value.parsed(value::glob)),
            show: |over, _| (!over.job_name.as_str().is_empty()).then(|| quoted(over.job_name.as_str())),
        },
        overridden(JobState::Initializing),
        overridden(JobState::Created),
        overridden(JobState::Failing),
        overridden(JobState::Cancelling),
        overridden(JobState::Restarting),
        overridden(JobState::Suspended),
        overridden(JobState::Reconciling),
    ],
};

const fn kept<S: Configured>(name: &'static str) -> Key<Settings> {
    Key {
        name,
        takes: "a duration, or \"never\"",
        about: "",
        flag: "",
        example: "",
        read: |settings, value| {
            let times = S::kept_mut(&mut settings.retention);
            match (value.state::<S>()?, value.parsed(value::keep)?) {
                (state, Some(time)) => times.insert(state, time),
                (state, None) => times.remove(&state),
            };
            Ok(())
        },
        show: |settings, name| {
            let time = S::kept(&settings.retention).get(&S::named(name)?);
            Some(time.map_or_else(|| quoted("never"), |time| quoted_duration(*time)))
        },
    }
}

const fn stuck<S: Configured>(name: &'static str) -> Key<Settings> {
    Key {
        name,
        takes: "a duration",
        about: "",
        flag: "",
        example: "",
        read: |settings, value| {
            let (state, time) = (value.state::<S>()?, value.parsed(value::duration)?);
            S::stuck_mut(&mut settings.thresholds).insert(state, time);
            Ok(())
        },
        show: |settings, name| {
            let time = S::stuck(&settings.thresholds).get(&S::named(name)?);
            time.copied().map(quoted_duration)
        },
    }
}

const fn overridden(state: JobState) -> Key<Override> {
    Key {
        name: state.name(),
        takes: "a duration",
        about: "",
        flag: "",
        example: "\"30m\"",
        read: |over, value| {
            over.by_state
                .insert(value.state::<JobState>()?, value.parsed(value::duration)?);
            Ok(())
        },
        show: |over, name| {
            over.by_state
                .get(&JobState::named(name)?)
                .copied()
                .map(quoted_duration)
        },
    }
}
