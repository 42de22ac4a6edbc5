//! Meaning: from events to entities. Pure; the clock is an argument.

pub mod event;
pub mod flink_job;
