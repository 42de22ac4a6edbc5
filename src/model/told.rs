//! Where and when something was said, as the derivation of every entity needs it.

use std::sync::Arc;

use jiff::Timestamp;

use super::event::Carrier;
use super::fleet::{Key, Speaker};
use super::story::{Basis, Entry};
use crate::line::{JobId, LogId, Offset};

/// Where and when something was said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    /// Who said it.
    pub(super) speaker: &'a Speaker,
    /// What carried it.
    pub(super) carrier: Option<&'a Carrier>,
    /// Where the record began in its file.
    pub(super) offset: Offset,
    /// Event time.
    pub(super) at: Option<Timestamp>,
    /// When it was read.
    pub(super) read: Timestamp,
}

impl Told<'_> {
    /// The log that said it.
    pub(super) const fn log(self) -> LogId {
        self.speaker.0
    }

    /// A job's place in the fleet, in the cluster that is spoken of.
    pub(super) fn key(self, job: JobId) -> Key {
        (Arc::clone(&self.speaker.1), job)
    }

    /// Whether its order is that of time, not that of its place in the log.
    pub(super) fn is_by_time(self) -> bool {
        self.carrier.is_some_and(|carrier| carrier.by_time)
    }

    /// The entry of history of a state entered by it.
    pub(super) const fn entry<S>(self, from: Option<S>, to: S, basis: Basis) -> Entry<S>
    where
        S: Copy,
    {
        Entry {
            at: self.at,
            from,
            to,
            basis,
            late: false,
            line: (self.speaker.0, self.offset),
        }
    }
}
