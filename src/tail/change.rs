//! Other sources while running: which logs go on, which are closed, and which closed ones are meant again.

use std::ffi::OsStr;

use super::discover::Target;
use super::file::Tracked;
use super::log::{Log, Stage};
use super::tailer::{Known, Tailer};
use super::view::meaning;
use super::{Classify, LogInfo, Settings, Source};
use crate::line::LogId;
use crate::stats::SourceStats;

/// What other sources make of a log that was being read.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It goes on; which source it belongs to, and the cluster that its path tells, may be other ones.
    Kept(LogId, LogInfo),
    /// No source means it any more. Its position is kept: it goes on from there, under the same id, when one does again. With its
    /// numbers, as far as reading makes them.
    Closed(LogId, Box<SourceStats>),
}

impl Tailer {
    /// Goes on with other sources and settings. Nothing is read here, and no byte is given twice or left out: a log that
    /// both the old and the new sources mean goes on where it is.
    ///
    /// Standard input goes on if it is still a source; it cannot be begun here.
    pub fn change(&mut self, sources: Vec<Source>, classify: Classify, settings: Settings) -> Vec<Change> {
        self.sources = sources;
        self.classify = classify;
        self.pass.settings = settings;
        self.find_targets();
        let mut changes = Vec::new();
        for log in std::mem::take(&mut self.closed) {
            match self.meant(&log) {
                Some(_) => self.give_back(&log),
                None => self.closed.push(log),
            }
        }
        for (id, mut log) in std::mem::take(&mut self.logs) {
            self.touched.insert(id);
            // What was found not to be a JobManager's may be judged otherwise now.
            let meant = self.meant(&log).filter(|_| log.stage == Stage::Followed);
            if let Some((source, cluster)) = meant {
                (log.info.source, log.info.cluster) = (source, cluster);
                changes.push(Change::Kept(id, log.info.clone()));
                self.logs.insert(id, log);
                continue;
            }
            if let Some(logs) = self.families.get_mut(&log.dir) {
                logs.remove(&log.stem);
            }
            self.ready.remove(&id);
            if log.stage == Stage::Followed {
                log.files_mut().for_each(Tracked::close);
                changes.push(Change::Closed(id, Box::new(log.stats())));
                self.closed.push(*log);
            } else {
                self.give_back(&log);
            }
        }
        self.families.retain(|_, logs| !logs.is_empty());
        changes.extend(self.change_stdin());
        // What new sources lead to is old content, as at the start.
        self.begun = false;
        self.hints.all = true;
        changes
    }

    fn change_stdin(&mut self) -> Option<Change> {
        let (log, _) = self.stdin.as_mut()?;
        if let Some(source) = self.sources.iter().position(Source::is_stdin) {
            log.info.source = source;
            return Some(Change::Kept(log.id, log.info.clone()));
        }
        let closed = Change::Closed(log.id, Box::new(log.stats()));
        self.stdin = None;
        Some(closed)
    }

    /// Has a log begin where it is, whenever it is found again.
    fn give_back(&mut self, log: &Log) {
        let positions: Vec<_> = log.positions().collect();
        if !positions.is_empty() {
            self.restored.insert(log.info.name.to_string(), positions);
        }
        let known = Known {
            id: log.id,
            numbers: log.stats(),
        };
        self.known.insert(log.info.name.to_string(), known);
    }

    /// The first source that means a log by the names of its files, and the cluster that its path tells.
    fn meant(&self, log: &Log) -> Option<(usize, Option<String>)> {
        let names = log.files().filter_map(|file| file.path.file_name());
        let names: Vec<&OsStr> = names.chain([&*log.stem]).collect();
        let means = |target: &&Target| names.iter().any(|name| meaning(target, name).is_some());
        let target = self
            .targets
            .get(&*log.dir)?
            .iter()
            .filter(means)
            .min_by_key(|target| target.source)?;
        let matched = (!target.matched.is_empty()).then(|| target.matched.join("/"));
        let captured = self.sources[target.source].captured(&log.info.path);
        Some((target.source, captured.or(matched)))
    }
}
