//! From the bytes of a line to a [`record::Record`].
//!
//! ```text
//! "%d %-5p %c - %m%n" ─▶ syntax (tree) ─▶ pattern (matcher) ─┐
//! {"message": …}      ─▶ json (wanted paths) ────────────────┤
//! rules/layouts/*.toml ─▶ schema ─▶ layout ──────────────────┴─▶ layouts ─▶ detect: which one does this log use?
//!                                     │
//!                        line ─▶ time (as printed) ─▶ clock (as an instant) ─▶ Record
//! ```
//!
//! What carries the lines (a container runtime, a collector, CloudWatch) is a `wrapper`; `peel` finds out which, and
//! [`form`] reads through them.
//!
//! What comes as documents (CloudWatch, CloudTrail, the APIs of managed Flink and of the Ververica Platform) is taken apart
//! in [`documents`], down to the log lines inside and to what a document tells itself.
//!
//! Layouts are data: built-in ones live in `rules/layouts/`, users add files of the same form or give the pattern
//! string of their own log4j or logback configuration.

mod ansi;
mod cause;
pub mod clock;
pub mod detect;
pub mod documents;
pub mod form;
pub mod json;
mod json_pattern;
pub mod layout;
pub mod layouts;
pub mod pattern;
pub mod peel;
pub mod record;
mod schema;
mod syntax;
pub mod time;
pub mod wrapper;
