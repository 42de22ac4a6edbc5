//! Logs that one process writes twice, as console (`.out`) and file (`.log`): found out by the lines that both hold.

use jiff::Timestamp;

use super::fleet::Fleet;
use crate::line::LogId;

impl Fleet {
    /// The same line, to the millisecond, stands in both logs.
    pub(super) fn found_twins(&mut self, one: LogId, other: LogId) {
        for (log, twin) in [(one, other), (other, one)] {
            if let Some(process) = self.processes.get_mut(&log) {
                process.twins.insert(twin);
            }
        }
    }

    /// Whether one process writes both logs; a log is its own twin.
    pub(super) fn are_twins(&self, one: LogId, other: LogId) -> bool {
        let known = |process: &super::Process| process.twins.contains(&other);
        one == other || self.processes.get(&one).is_some_and(known)
    }

    /// Notes a process's banner. False where it is the copy of one that a twin has already shown.
    pub(super) fn is_new_process(&mut self, log: LogId, at: Option<Timestamp>) -> bool {
        let Some(process) = self.processes.get_mut(&log) else {
            return true;
        };
        process.began = at;
        let twins = process.twins.clone();
        let shown = |twin: &LogId| {
            self.processes
                .get(twin)
                .is_some_and(|process| process.began == at)
        };
        at.is_none() || !twins.iter().any(shown)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Fleet, LogId, Timestamp};
    use crate::model::LogContext;

    #[test]
    fn a_banner_counts_once_for_logs_that_are_twins_and_once_for_each_that_is_not() {
        let mut fleet = Fleet::default();
        for log in 1..=3 {
            fleet.open_log(
                LogId(log),
                LogContext {
                    cluster: Arc::from("c"),
                },
            );
        }
        let at = Some(Timestamp::UNIX_EPOCH);
        fleet.found_twins(LogId(2), LogId(1));
        assert!(fleet.are_twins(LogId(1), LogId(2)) && fleet.are_twins(LogId(3), LogId(3)));
        assert!(!fleet.are_twins(LogId(1), LogId(3)));
        assert_eq!(
            [1, 2, 3].map(|log| fleet.is_new_process(LogId(log), at)),
            [true, false, true]
        );
        assert!(
            fleet.is_new_process(LogId(2), None),
            "without a time nothing can be told"
        );
    }
}
