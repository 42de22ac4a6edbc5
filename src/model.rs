//! Meaning: from events to entities. Pure; the clock is an argument.
//!
//! [`Fleet`] holds every job of every cluster and is told one [`event::Seen`] at a time. How a job's state follows from
//! what its logs print is in `derive`; the states themselves, and the edges Flink takes, are in [`flink_job`].

pub mod arn;
mod derive;
pub mod event;
mod fleet;
pub mod flink_deployment;
pub mod flink_job;
mod job;
pub mod kda_application;
mod process;
pub mod retention;
pub mod state;
#[cfg(test)]
pub(crate) mod test_jobs;
#[cfg(test)]
mod tests;
mod twins;
pub mod vvp_job;

pub use fleet::{Counters, DEFAULT_LIMIT, Fleet, LogContext};
pub use job::{Basis, Entry, Failure, Graph, HISTORY, Job, Scheduler, Taken, Track};
pub use process::{Announced, CauseOf, Process};
