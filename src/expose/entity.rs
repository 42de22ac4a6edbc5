//! What people are shown of an entity, whatever its kind: the page knows no more of one than this.

use std::time::Duration;

use jiff::Timestamp;

use crate::line::{LogId, Offset};
use crate::model::event::RestartReason;
use crate::model::flink_job::Class;
use crate::model::retention::Thresholds;
use crate::model::state::State;
use crate::model::{Entry, Failure, Job};

/// One entity: a job, or whatever else has states.
pub trait Entity {
    /// `kind` in JSON, such as `flink_job`.
    fn kind(&self) -> &'static str;

    /// Unique within its kind and labels.
    fn id(&self) -> String;

    /// None where nothing has told it.
    fn name(&self) -> Option<&str>;

    /// Where it runs: `cluster` of a Flink job. Together with kind and id they are its key.
    fn labels(&self) -> Vec<(&'static str, &str)>;

    /// The present state's name.
    fn state(&self) -> &'static str;

    /// What that state means to an operator.
    fn class(&self) -> Class;

    /// Why the state is UNKNOWN, for people; none in every other.
    fn unknown_because(&self) -> Option<&'static str>;

    /// When the state was entered: event time, or the time of reading where the record has none.
    fn since(&self) -> Timestamp;

    /// How long the present state may last; none where it may last for ever.
    fn may_last(&self, thresholds: &Thresholds) -> Option<Duration>;

    /// Restarts by reason; none where the kind counts none.
    fn restarts(&self) -> Option<Vec<(&'static str, u64)>>;

    /// The last failure.
    fn failure(&self) -> Option<&Failure>;

    /// What else is known, for people: a word for it, and it.
    fn facts(&self) -> Vec<(&'static str, String)>;

    /// States entered, oldest first.
    fn history(&self) -> Vec<Entered>;

    /// Older states entered that are no longer kept.
    fn history_dropped(&self) -> u64;
}

/// One state entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// Event time; none where the record carries none.
    pub at: Option<Timestamp>,
    /// The state before, where it is known.
    pub from: Option<&'static str>,
    /// The state entered.
    pub to: &'static str,
    /// What that state means to an operator.
    pub class: Class,
    /// How it is known, as in JSON.
    pub basis: &'static str,
    /// Older than what was already applied: moved nothing.
    pub late: bool,
    /// The log whose line told it, and where that line began in its file.
    pub line: (LogId, Offset),
}

impl Entered {
    /// As people are shown it, whatever kind of entity entered it.
    pub(super) fn of<S: State>(entry: &Entry<S>) -> Self {
        Self {
            at: entry.at,
            from: entry.from.map(State::name),
            to: entry.to.name(),
            class: entry.to.class(),
            basis: entry.basis.name(),
            late: entry.late,
            line: entry.line,
        }
    }
}

impl Entity for Job {
    fn kind(&self) -> &'static str {
        "flink_job"
    }

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn labels(&self) -> Vec<(&'static str, &str)> {
        vec![("cluster", &self.cluster)]
    }

    fn state(&self) -> &'static str {
        self.state.name()
    }

    fn class(&self) -> Class {
        self.state.class()
    }

    fn unknown_because(&self) -> Option<&'static str> {
        self.unknown_because
    }

    fn since(&self) -> Timestamp {
        self.since.unwrap_or(self.since_read)
    }

    fn may_last(&self, thresholds: &Thresholds) -> Option<Duration> {
        thresholds.of(self)
    }

    fn restarts(&self) -> Option<Vec<(&'static str, u64)>> {
        let counted = RestartReason::ALL.into_iter();
        Some(
            counted
                .map(|reason| (reason.name(), self.restarts_for(reason)))
                .collect(),
        )
    }

    fn failure(&self) -> Option<&Failure> {
        self.failure.as_deref()
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let version = self.flink_version.as_deref().map(str::to_owned);
        let scheduler = self.scheduler.map(|scheduler| scheduler.name().to_owned());
        [("Flink", version), ("scheduler", scheduler)]
            .into_iter()
            .filter_map(|(word, fact)| Some((word, fact?)))
            .collect()
    }

    fn history(&self) -> Vec<Entered> {
        self.history.iter().map(Entered::of).collect()
    }

    fn history_dropped(&self) -> u64 {
        self.history_dropped
    }
}
