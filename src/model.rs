//! Meaning: from events to entities. Pure; the clock is an argument.
//!
//! [`Fleet`] holds every entity and is told one [`event::Seen`] at a time. How a Flink job's state follows from what its
//! logs print is in `derive`; what services, platforms and operators say is applied in `application`, `platform` and
//! `deployment`. The states, and what leads to them, stand in one table for each kind: [`flink_job`],
//! [`kda_application`], [`vvp_job`], [`flink_deployment`].

mod application;
pub mod arn;
mod deployment;
mod derive;
pub mod event;
mod fleet;
pub mod flink_deployment;
pub mod flink_job;
mod job;
mod jobs;
pub mod kda_application;
pub mod name;
mod platform;
mod process;
pub mod retention;
pub mod state;
mod story;
#[cfg(test)]
pub(crate) mod test_jobs;
#[cfg(test)]
mod tests;
mod told;
mod twins;
pub mod vvp_job;

pub use application::{Application, Move};
pub use deployment::Deployment;
pub use fleet::{Counters, DEFAULT_LIMIT, Fleet, Left, LogContext, Processes, Speaker};
pub use job::{Failure, Graph, Job, Observed, Scheduler, Taken, Track};
pub use platform::VvpJob;
pub use process::{Announced, CauseOf, Process};
pub use story::{Basis, Entry, HISTORY, Storied, Story};
