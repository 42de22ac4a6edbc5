//! Logs that one process writes twice, as console (`.out`) and file (`.log`): found out by the lines that both hold.

use std::sync::Arc;

use jiff::Timestamp;

use super::fleet::{Fleet, Speaker};
use super::process::Process;
use crate::line::LogId;

impl Fleet {
    /// The same line, to the millisecond, stands in both logs.
    pub(super) fn found_twins(&mut self, one: LogId, other: &Speaker) {
        let first = (one, Arc::clone(&other.1));
        for (speaker, twin) in [(&first, other.0), (other, one)] {
            if let Some(process) = self.process_mut(speaker) {
                process.twins.insert(twin);
            }
        }
    }

    /// Whether one process writes both logs; a log is its own twin.
    pub(super) fn are_twins(&self, one: LogId, other: &Speaker) -> bool {
        let known = |process: &Arc<Process>| process.twins.contains(&one);
        one == other.0 || self.processes.get(other).is_some_and(known)
    }

    /// Notes a process's banner. False where it is the copy of one that a twin has already shown.
    pub(super) fn is_new_process(&mut self, speaker: &Speaker, at: Option<Timestamp>) -> bool {
        let Some(process) = self.process_mut(speaker) else {
            return true;
        };
        process.began = at;
        let twins = process.twins.clone();
        let shown = |twin: &LogId| {
            self.process_of(*twin, &speaker.1)
                .is_some_and(|process| process.began == at)
        };
        at.is_none() || !twins.iter().any(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, Fleet, LogId, Process, Timestamp};

    #[test]
    fn a_banner_counts_once_for_logs_that_are_twins_and_once_for_each_that_is_not() {
        let mut fleet = Fleet::default();
        let at = Some(Timestamp::UNIX_EPOCH);
        let speaker = |log| (LogId(log), Arc::from("c"));
        for log in 1..=3 {
            fleet
                .processes
                .insert(speaker(log), Arc::new(Process::new(Arc::from("c"))));
        }
        fleet.found_twins(LogId(2), &speaker(1));
        assert!(fleet.are_twins(LogId(1), &speaker(2)) && fleet.are_twins(LogId(3), &speaker(3)));
        assert!(!fleet.are_twins(LogId(1), &speaker(3)));
        assert_eq!(
            [1, 2, 3].map(|log| fleet.is_new_process(&speaker(log), at)),
            [true, false, true]
        );
        assert!(
            fleet.is_new_process(&speaker(2), None),
            "without a time nothing can be told"
        );
    }
}
