//! Logs that one process writes twice, as console (`.out`) and file (`.log`): found out by the lines that both hold.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::line::LogId;

/// Which logs are copies of each other, and when the process that speaks in each began.
#[derive(Debug, Clone, Default)]
pub(super) struct Twins {
    pairs: BTreeSet<(LogId, LogId)>,
    began: BTreeMap<LogId, Timestamp>,
}

impl Twins {
    /// The same line, to the millisecond, stands in both.
    pub(super) fn found(&mut self, one: LogId, other: LogId) {
        self.pairs.insert((one.min(other), one.max(other)));
    }

    /// Whether one process writes both; a log is its own twin.
    pub(super) fn are(&self, one: LogId, other: LogId) -> bool {
        one == other || self.pairs.contains(&(one.min(other), one.max(other)))
    }

    /// Notes a process's banner. False where it is the copy of one that a twin has already shown.
    pub(super) fn begins(&mut self, log: LogId, at: Option<Timestamp>) -> bool {
        let Some(at) = at else { return true };
        self.began.insert(log, at);
        !self
            .began
            .iter()
            .any(|(twin, began)| *twin != log && *began == at && self.are(*twin, log))
    }
}

#[cfg(test)]
mod tests {
    use super::{LogId, Timestamp, Twins};

    #[test]
    fn a_banner_counts_once_for_logs_that_are_twins_and_once_for_each_that_is_not() {
        let mut twins = Twins::default();
        let at = Some(Timestamp::UNIX_EPOCH);
        twins.found(LogId(2), LogId(1));
        assert!(twins.are(LogId(1), LogId(2)) && twins.are(LogId(3), LogId(3)));
        assert!(!twins.are(LogId(1), LogId(3)));
        assert_eq!(
            [1, 2, 3].map(|log| twins.begins(LogId(log), at)),
            [true, false, true]
        );
        assert!(twins.begins(LogId(2), None), "without a time nothing can be told");
    }
}
