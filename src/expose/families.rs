//! The entries of the catalogue, by what they tell of; each says what it is and how its samples are had.

pub mod application;
pub mod deployment;
pub mod job;
pub mod platform_job;
pub mod process;
pub mod program;
pub mod source;
pub mod store;
