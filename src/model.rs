//! Meaning: from events to entities. Pure; the clock is an argument.
//!
//! [`Fleet`] holds every job of every cluster and is told one [`event::Seen`] at a time. It never refuses an edge that
//! a log printed (but see [`Fleet::apply`]); what surprises it is counted.

pub mod event;
mod fleet;
pub mod flink_job;
mod job;
pub mod retention;
#[cfg(test)]
pub(crate) mod test_jobs;

pub use fleet::{Counters, Fleet, LogContext};
pub use job::{Basis, Entry, Failure, HISTORY, Job, Scheduler};
