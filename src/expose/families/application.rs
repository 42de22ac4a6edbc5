//! `kda_application_*`: what is known of each application of Managed Service for Apache Flink.

use crate::expose::catalog::{Family, Fill, Kind, Stability};
use crate::expose::others::shown;
use crate::expose::view::View;
use crate::model::Application;
use crate::model::kda_application::ApplicationState;
use crate::model::state::State as _;

fn each(view: &View) -> impl Iterator<Item = (&Application, [&str; 3])> {
    shown(&view.others().applications, view).map(|application| {
        let arn = &application.arn;
        (application, [arn.account(), arn.region(), arn.name()])
    })
}

/// The families, in the order of the page.
pub static FAMILIES: &[Family] = &[
    Family {
        name: "kda_application_info",
        kind: Kind::Gauge,
        unit: None,
        labels: &["account", "region", "application", "version"],
        help: "What an application of Managed Service for Apache Flink is; always 1.",
        moves: "There while the application is shown. `version` is the one that the service named last, empty until it did; the series changes when it does.",
        bound: "1 per application",
        query: "flink_job_state == 1 and on (application) kda_application_info",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            for (application, [account, region, name]) in each(view) {
                let version = application.version.map(|version| version.to_string());
                samples.add(
                    &[account, region, name, version.as_deref().unwrap_or_default()],
                    1_u64,
                );
            }
        }),
    },
    Family {
        name: "kda_application_state",
        kind: Kind::Gauge,
        unit: None,
        labels: &["account", "region", "application", "state"],
        help: "1 for the status that an application is in, 0 for all others.",
        moves: "With CloudTrail's accepted calls, with the service's answers, and with what the log of its job tells. Of some changes there is no record (see docs/platforms.md), so that a status may last here until something else is seen.",
        bound: "12 per application",
        query: "max by (account, region, application, state) (kda_application_state{state=~\".*ING|MAINTENANCE\",state!=\"RUNNING\"}) == 1",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            for (application, [account, region, name]) in each(view) {
                for state in ApplicationState::ALL {
                    let is = application.story.state == *state;
                    samples.add(&[account, region, name, state.name()], is);
                }
            }
        }),
    },
    Family {
        name: "kda_application_state_since_timestamp_seconds",
        kind: Kind::Gauge,
        unit: Some("seconds"),
        labels: &["account", "region", "application"],
        help: "When an application entered its present status, in Unix seconds.",
        moves: "With every status entered. It is the time that the record gives; the time of reading where it gives none.",
        bound: "1 per application",
        query: "time() - kda_application_state_since_timestamp_seconds",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            for (application, labels) in each(view) {
                samples.add(&labels, application.story.since());
            }
        }),
    },
    Family {
        name: "kda_application_state_transitions_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["account", "region", "application", "to"],
        help: "Statuses entered by an application, also those shorter than the time between two scrapes.",
        moves: "From 0, with every status entered; those that came too late to move it are not counted.",
        bound: "12 per application",
        query: "increase(kda_application_state_transitions_total{to=\"ROLLING_BACK\"}[1d]) > 0",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            if !view.settings().transitions_per_job {
                return;
            }
            for (application, [account, region, name]) in each(view) {
                for (state, count) in ApplicationState::ALL.iter().zip(&application.story.entered) {
                    samples.add(&[account, region, name, state.name()], *count);
                }
            }
        }),
    },
];
