//! The story of an entity that is no Flink job: its state, since when, how it is known, and how it came about.

use std::collections::VecDeque;
use std::fmt::Display;
use std::hash::Hash;

use jiff::Timestamp;

use super::flink_job::JobState;
use super::state::{Class, State};
use super::told::Told;
use crate::line::{LogId, Offset};

/// Entries of history kept per entity; older ones are dropped and counted.
pub const HISTORY: usize = 1000;

/// How a state is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// A log line says so.
    Log,
    /// The service, the platform or the call's own answer says so.
    Reported,
    /// An accepted call begins it.
    Api,
    /// Follows from other lines, or from another entity.
    Inferred,
    /// A later accepted call proves it.
    Implied,
}

impl Basis {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Log,
        Self::Reported,
        Self::Api,
        Self::Inferred,
        Self::Implied,
    ];

    /// As written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Reported => "reported",
            Self::Api => "api",
            Self::Inferred => "inferred",
            Self::Implied => "implied",
        }
    }
}

/// One state entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<S = JobState> {
    /// Event time; none where the record carries none.
    pub at: Option<Timestamp>,
    /// The entity's previous state; at first sight the state that the record names as left, or none.
    pub from: Option<S>,
    /// The state entered.
    pub to: S,
    /// How it is known.
    pub basis: Basis,
    /// Older than what was already applied: recorded, and moves nothing back.
    pub late: bool,
    /// The log whose line told it, and where that line began in its file.
    pub line: (LogId, Offset),
}

/// Adds an entry to a history, whose oldest one makes room.
pub(super) fn remember<S>(history: &mut VecDeque<Entry<S>>, dropped: &mut u64, entry: Entry<S>) {
    if history.len() == HISTORY {
        history.pop_front();
        *dropped += 1;
    }
    if history.is_empty() {
        // Many an entity is seen once and never changes: no room for the four that a queue begins with.
        history.reserve_exact(1);
    }
    history.push_back(entry);
}

/// What is known of an entity's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story<S> {
    /// `to` of the last entry that is not late; UNKNOWN before the first.
    pub state: S,
    /// `at` of the same entry: event time.
    pub since: Option<Timestamp>,
    /// When that entry was read; stands in for `since` where the record has no time.
    pub since_read: Timestamp,
    /// The newest [`HISTORY`] entries, oldest first.
    pub history: VecDeque<Entry<S>>,
    /// Entries dropped from the front of `history`.
    pub history_dropped: u64,
    /// States entered, in the order of [`State::ALL`]; never falls.
    pub entered: Box<[u64]>,
    /// Rises with every change of the entity, so that neither a view nor the store need compare it.
    pub revision: u64,
}

/// An entity that is no Flink job, as whoever shows or keeps it sees it: alike for every kind.
pub trait Storied: Clone {
    /// Its states.
    type State: State;
    /// Which one; as text it is the `id` in JSON.
    type Id: Clone + Ord + Hash + Display;

    /// Which one.
    fn id(&self) -> Self::Id;

    /// Its state and how it came about.
    fn story(&self) -> &Story<Self::State>;

    /// What people call it; none until that was told.
    fn name(&self) -> Option<&str>;

    /// What tells it from others of its name: the `labels` in JSON.
    fn labels(&self) -> [(&'static str, &str); 2];
}

impl<S: State> Story<S> {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(read: Timestamp) -> Self {
        Self {
            state: S::UNKNOWN,
            since: None,
            since_read: read,
            history: VecDeque::new(),
            history_dropped: 0,
            entered: vec![0; S::ALL.len()].into(),
            revision: 0,
        }
    }

    /// Since when it is in its state: event time where that is known, else when it was read.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since.unwrap_or(self.since_read)
    }

    /// Entries of history that it ever had, dropped ones included.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.history_dropped + self.history.len() as u64
    }

    /// When it ended, if it has.
    pub(super) fn ended_at(&self) -> Option<Timestamp> {
        (self.state.class() == Class::Terminal).then(|| self.since())
    }

    /// True from the first state that it is known to have entered.
    #[must_use]
    pub fn is_born(&self) -> bool {
        self.state != S::UNKNOWN
    }

    /// Whether what happened then is older than what was applied.
    pub(super) fn is_older(&self, at: Option<Timestamp>) -> bool {
        matches!((at, self.since), (Some(at), Some(since)) if at < since)
    }

    /// Enters a state; false where it is in it already.
    pub(super) fn enter(&mut self, to: S, basis: Basis, told: Told<'_>) -> bool {
        if self.state == to {
            return false;
        }
        let from = self.is_born().then_some(self.state);
        self.push(told.entry(from, to, basis));
        self.entered[to.index()] += 1;
        self.state = to;
        self.since = told.at;
        self.since_read = told.read;
        true
    }

    /// Writes down a state that is older than what was applied: it moves nothing back.
    pub(super) fn note_late(&mut self, to: S, basis: Basis, told: Told<'_>) {
        let entry = told.entry(None, to, basis);
        self.push(Entry { late: true, ..entry });
    }

    fn push(&mut self, entry: Entry<S>) {
        remember(&mut self.history, &mut self.history_dropped, entry);
        self.revision += 1;
    }
}
