//! What is written down and shown of the logs, made anew only for those to which something happened: of thousands of logs
//! most are quiet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::{Engine, Log};
use crate::line::LogId;
use crate::stats::{ProgramStats, SourceStats};
use crate::store::{LogState, Progress, Store, StoreError};
use crate::tail::Tailer;

/// What the store and the view do not know yet.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    unkept: BTreeSet<LogId>,
    unshown: BTreeSet<LogId>,
    /// The numbers of each log as last shown.
    shown: BTreeMap<LogId, Arc<SourceStats>>,
}

impl Ledger {
    /// Something of this log may have changed.
    pub(super) fn touch(&mut self, log: LogId) {
        self.unkept.insert(log);
        self.unshown.insert(log);
    }
}

impl Engine {
    /// How far everything was read, and what was counted on the way.
    #[must_use]
    pub fn progress(&self, tailer: &Tailer) -> Progress {
        let logs = self.logs.iter();
        let logs = logs.filter_map(|(id, log)| log_state(*id, log, tailer));
        // Their positions are kept, so what was open at these must be, too.
        let not_found = self.numbers.iter().filter_map(|(id, numbers)| {
            let (id, numbers) = (*id, numbers.clone());
            let memory = self.memories.get(&id)?.clone();
            Some(LogState { id, numbers, memory })
        });
        Progress {
            logs: logs.chain(not_found).collect(),
            positions: tailer.positions(),
            rule_matches: self.all_rule_matches(),
            unknown_states: self.unknown_states(),
            unpublished: self.unpublished,
            failures: tailer.failures(),
        }
    }

    /// Keeps in a store what is new: of the logs those that may have changed since the last time, or all of them where it is
    /// not known what is there, as after a failure.
    pub fn keep(
        &mut self,
        store: &mut Store,
        tailer: &mut Tailer,
        all: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.note_touched(tailer);
        let unkept = std::mem::take(&mut self.ledger.unkept);
        if all {
            let progress = self.progress(tailer);
            return store.commit(self.applier.fleet(), &progress, now);
        }
        let progress = Progress {
            rule_matches: self.all_rule_matches(),
            unknown_states: self.unknown_states(),
            unpublished: self.unpublished,
            failures: tailer.failures(),
            ..Progress::default()
        };
        let mut logs = unkept.into_iter().filter_map(|id| {
            let state = log_state(id, self.logs.get(&id)?, tailer)?;
            Some((state, tailer.positions_of(id)))
        });
        store.commit_each(self.applier.fleet(), &progress, &mut logs, now)
    }

    /// What is shown of the program and its logs.
    #[must_use]
    pub fn show(&mut self, tailer: &mut Tailer) -> ProgramStats {
        self.note_touched(tailer);
        for id in std::mem::take(&mut self.ledger.unshown) {
            match tailer.stats_of(id) {
                Some(numbers) => {
                    let numbers = Arc::new(self.source(Some(id), numbers));
                    self.ledger.shown.insert(id, numbers);
                }
                None => drop(self.ledger.shown.remove(&id)),
            }
        }
        let failures = tailer.failures();
        let failures = failures
            .iter()
            .map(|(path, errors)| Arc::new(SourceStats::of_failures(path, errors)));
        self.program(self.ledger.shown.values().cloned().chain(failures).collect())
    }

    /// Everything that is counted: the numbers that the tailer has of each log with those of its decoder.
    #[must_use]
    pub fn stats(&self, tailed: Vec<(Option<LogId>, SourceStats)>) -> ProgramStats {
        let sources = tailed.into_iter();
        self.program(
            sources
                .map(|(id, numbers)| Arc::new(self.source(id, numbers)))
                .collect(),
        )
    }

    fn program(&self, mut sources: Vec<Arc<SourceStats>>) -> ProgramStats {
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        ProgramStats {
            sources,
            log_names: Arc::clone(&self.names),
            rule_matches: self.rule_matches(),
            unknown_states: self.unknown_states(),
            ..ProgramStats::default()
        }
    }

    /// Adds what the decoder knows of a log.
    fn source(&self, id: Option<LogId>, mut numbers: SourceStats) -> SourceStats {
        if let Some(log) = id.and_then(|id| self.logs.get(&id)) {
            numbers.cluster = Arc::clone(&log.cluster);
            numbers.layout = log.decoder.layout();
            log.decoder.tally().fill(&mut numbers);
        }
        numbers
    }

    fn note_touched(&mut self, tailer: &mut Tailer) {
        for log in tailer.take_touched() {
            self.ledger.touch(log);
        }
    }

    /// Matches of each rule of the set, those of earlier runs included.
    fn rule_matches(&self) -> BTreeMap<String, u64> {
        let counts = self.totals.rules.iter().copied().chain(std::iter::repeat(0));
        let rules = self.wording.rules.rules().zip(counts);
        let matches = rules.map(|(rule, count)| {
            let before = self.before.0.get(rule.id()).copied().unwrap_or(0);
            (rule.id().to_owned(), before + count)
        });
        matches.collect()
    }

    /// The same, and of the rules that are no more.
    pub(super) fn all_rule_matches(&self) -> BTreeMap<String, u64> {
        let mut matches = self.before.0.clone();
        matches.extend(self.rule_matches());
        matches
    }

    pub(super) const fn unknown_states(&self) -> u64 {
        self.before.1 + self.totals.unknown_states
    }
}

/// A log as it is kept; none of one that is not read.
fn log_state(id: LogId, log: &Log, tailer: &Tailer) -> Option<LogState> {
    let mut numbers = tailer.stats_of(id)?;
    numbers.cluster = Arc::clone(&log.cluster);
    let memory = log.decoder.memory();
    Some(LogState { id, numbers, memory })
}

#[cfg(test)]
mod tests {
    use super::super::tests::beside;
    use super::*;
    use crate::line::{HeadFacts, Writer};
    use crate::pipeline::Memory;
    use crate::store::Saved;
    use crate::tail::fs::OsFs;
    use crate::tail::{Classify, Settings, Source};

    /// Of no file it is known whose it is.
    fn classify() -> Classify {
        Box::new(|_| HeadFacts {
            first_time: None,
            writer: Writer::Unknown,
        })
    }

    #[test]
    fn t51_a_log_that_was_not_found_again_is_kept_whole_where_the_store_begins_anew() {
        let mut memory = Memory::default();
        memory.carry = b"2026-03-02 09:00:00,0".to_vec();
        let numbers = SourceStats {
            name: "/log/x.log".into(),
            read_bytes: 21,
            ..SourceStats::default()
        };
        let id = LogId(7);
        let log = LogState { id, numbers, memory };
        let mut saved = Saved::default();
        saved.progress.logs = vec![log.clone()];
        let wording = Arc::new(crate::app::wording(None).unwrap());
        let mut engine = Engine::new(wording, Vec::new(), 10);
        engine.restore(saved);
        let tailer = Tailer::new(
            Arc::new(OsFs),
            Vec::new(),
            classify(),
            Settings::default(),
            Vec::new(),
        );
        assert_eq!(engine.progress(&tailer).logs, [log]);
    }

    #[test]
    fn t51_a_log_that_no_source_means_any_more_is_kept_whole_where_the_store_begins_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("jobmanager.log");
        let logger = "org.apache.flink.runtime.jobmaster.JobMaster";
        let line = format!("2026-03-02 09:00:00,000 INFO  {logger} [] - one\n");
        std::fs::write(&path, line.clone() + &line[..40]).unwrap();
        let wording = Arc::new(crate::app::wording(None).unwrap());
        let mut engine = Engine::new(Arc::clone(&wording), vec![beside()], 10);
        let source = Source::new(path.as_os_str(), None).unwrap();
        let (fs, settings) = (Arc::new(OsFs), Settings::default());
        let mut tailer = Tailer::new(fs, vec![source], classify(), settings.clone(), Vec::new());
        while tailer.poll(std::time::Duration::ZERO, &mut engine).more {}
        engine.caught_up();
        let before = engine.progress(&tailer);
        assert!(!before.logs[0].memory.carry.is_empty(), "half a line is kept");
        let changes = tailer.change(Vec::new(), classify(), settings);
        engine.change(wording, Vec::new(), 10, &changes);
        let after = engine.progress(&tailer);
        assert_eq!((after.logs, after.positions), (before.logs, before.positions));
    }
}
