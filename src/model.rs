//! Meaning: from events to entities. Pure; the clock is an argument.
//!
//! [`Fleet`] holds every job of every cluster and is told one [`event::Seen`] at a time. It never refuses an edge that
//! a log printed (but see [`Fleet::apply`]); what surprises it is counted.

pub mod event;
pub mod flink_job;
mod fleet;
mod job;
pub mod retention;

pub use fleet::{Counters, Fleet, LogContext};
pub use job::{Basis, Entry, Failure, Job, Scheduler, HISTORY};
