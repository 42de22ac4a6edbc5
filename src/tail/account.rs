//! What a tailer tells of itself: how far it has read, and what it counted on the way.

use std::collections::{BTreeMap, BTreeSet};

use super::identity::Position;
use super::log::Log;
use super::notice::Notice;
use super::tailer::Tailer;
use crate::line::LogId;
use crate::stats::{Backlog, Counts, Op, SourceStats};

impl Tailer {
    /// How far every file was read.
    #[must_use]
    pub fn positions(&self) -> Vec<Position> {
        let waiting = self.restored.values().flatten().cloned();
        let open = self.logs.values().map(Box::as_ref);
        open.chain(&self.closed)
            .flat_map(Log::positions)
            .chain(waiting)
            .collect()
    }

    /// How far the files of one log were read; nothing of one that is not known.
    #[must_use]
    pub fn positions_of(&self, log: LogId) -> Vec<Position> {
        self.logs
            .get(&log)
            .map_or_else(Vec::new, |log| log.positions().collect())
    }

    /// The logs whose numbers or positions may have changed since last asked.
    pub fn take_touched(&mut self) -> BTreeSet<LogId> {
        std::mem::take(&mut self.touched)
    }

    /// The numbers of each log that is read, and of whatever failed; the id is none for what is no log.
    #[must_use]
    pub fn stats(&self) -> Vec<(Option<LogId>, SourceStats)> {
        let ids = self.logs.keys().chain(self.stdin.iter().map(|(log, _)| &log.id));
        let logs = ids.filter_map(|id| Some((Some(*id), self.stats_of(*id)?)));
        let failures = self.failures();
        let troubles = failures
            .iter()
            .map(|(path, errors)| (None, SourceStats::of_failures(path, errors)));
        logs.chain(troubles).collect()
    }

    /// The numbers of one log; none where there is nothing to be said of it.
    #[must_use]
    pub fn stats_of(&self, log: LogId) -> Option<SourceStats> {
        let stdin = self
            .stdin
            .iter()
            .map(|(log, _)| log)
            .find(|stdin| stdin.id == log);
        let log = self.logs.get(&log).map(Box::as_ref).filter(|log| log.is_shown());
        log.or(stdin).map(Log::stats)
    }

    /// How often which operation failed on paths that are no logs, by the path as it is shown.
    #[must_use]
    pub fn failures(&self) -> BTreeMap<String, Counts<Op>> {
        let troubles = self.troubles.iter();
        troubles
            .map(|(path, trouble)| (path.clone(), trouble.errors.clone()))
            .collect()
    }

    /// Progress in reading what was there at the start.
    #[must_use]
    pub fn backlog(&self) -> Backlog {
        self.logs.values().fold(Backlog::default(), |sum, log| Backlog {
            total_bytes: sum.total_bytes + log.backlog.total_bytes,
            read_bytes: sum.read_bytes + log.backlog.read_bytes,
            total_files: sum.total_files + log.backlog.total_files,
            read_files: sum.read_files + log.backlog.read_files,
        })
    }

    /// Whether some of what this log held at the start is still to be read.
    #[must_use]
    pub fn is_behind(&self, log: LogId) -> bool {
        self.logs.get(&log).is_some_and(|log| log.is_behind())
    }

    /// Bytes gone over of files of which something was expected. It stands still where these give nothing, whatever others do.
    #[must_use]
    pub fn gone_over(&self) -> u64 {
        self.logs.values().map(|log| log.gone_over).sum()
    }

    /// Logs found.
    #[must_use]
    pub fn logs(&self) -> usize {
        self.logs.len()
    }

    /// Files held open.
    #[must_use]
    pub fn open_files(&self) -> usize {
        self.pass.open_files()
    }

    /// Files closed because too many were open; each is opened again when there is something to read.
    #[must_use]
    pub const fn files_closed(&self) -> u64 {
        self.files_closed
    }

    /// Notices not yet taken.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.pass.notices.take()
    }
}
