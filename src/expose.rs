//! From the model to HTTP: what was published, as metrics, as JSON and as a page.
//!
//! The thread that reads logs puts changed jobs into a [`ViewBuilder`] and publishes an immutable [`View`]; everything
//! else happens at the readers' cost. Nothing is locked while a page is made or sent, so that a scrape never delays
//! the reading of logs.

pub mod accept;
pub mod answer;
pub mod api;
pub mod catalog;
pub mod entity;
pub mod escape;
pub mod families;
pub mod others;
pub mod page;
pub mod query;
pub mod render;
pub mod scrape;
pub mod server;
pub mod telemetry;
mod texts;
pub mod view;
pub mod vvp;
pub mod web;

pub use render::Format;
pub use server::{Limits, Reloads, Site, serve};
pub use telemetry::Telemetry;
pub use view::{View, ViewBuilder};

use crate::model::retention::{Retention, Thresholds};

/// What the configuration says about showing jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// After how long in one state a job counts as stuck.
    pub thresholds: Thresholds,
    /// For how long ended jobs stay in the metrics.
    pub retention: Retention,
    /// Is `flink_job_state_transitions_total` shown?
    pub transitions_per_job: bool,
    /// The most entities held, as shown by `flinktail_entities_limit`; the model enforces it.
    pub entities_limit: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            thresholds: Thresholds::default(),
            retention: Retention::default(),
            transitions_per_job: true,
            entities_limit: 10_000,
        }
    }
}
