//! What happens to the bytes of all logs: a decoder for each, the merge of what is old, and the model.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::merge::Merge;
use super::{SourceSettings, kubernetes};
use crate::line::LogId;
use crate::model::event::{EndReason, Event, Said, Seen};
use crate::model::{Fleet, LogContext};
use crate::pipeline::{LogDecoder, ReadAt, Wording};
use crate::stats::{Blind, ProgramStats, SourceStats};
use crate::tail;

/// The cluster of logs for which neither the user nor the path names one.
const DEFAULT_CLUSTER: &str = "default";

/// Decoders, merge and model, fed by the tailer.
#[derive(Debug)]
pub struct Engine {
    wording: Arc<Wording>,
    sources: Vec<SourceSettings>,
    logs: BTreeMap<LogId, Log>,
    merge: Merge,
    fleet: Fleet,
    /// When the bytes at hand were read; set before each pass.
    now: Timestamp,
    /// Old content is still being read.
    catching_up: bool,
    /// What the last call to the model may have changed is not yet shown.
    changed: bool,
}

#[derive(Debug)]
struct Log {
    name: String,
    cluster: Arc<str>,
    decoder: LogDecoder,
    /// The reason that people were told of.
    told: Option<Blind>,
}

impl Engine {
    /// Nothing read yet; keeps at most `limit` jobs.
    #[must_use]
    pub fn new(wording: Arc<Wording>, sources: Vec<SourceSettings>, limit: usize) -> Self {
        Self {
            wording,
            sources,
            logs: BTreeMap::new(),
            merge: Merge::default(),
            fleet: Fleet::with_limit(limit),
            now: Timestamp::UNIX_EPOCH,
            catching_up: true,
            changed: false,
        }
    }

    /// The jobs.
    #[must_use]
    pub const fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// The jobs, once nothing more is read.
    #[must_use]
    pub fn into_fleet(self) -> Fleet {
        self.fleet
    }

    /// Says what time it is for what is read next.
    pub const fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Whether the model was told anything since last asked.
    pub const fn take_changed(&mut self) -> bool {
        std::mem::replace(&mut self.changed, false)
    }

    /// Not shown after all.
    pub const fn set_changed(&mut self) {
        self.changed = true;
    }

    /// The logs whose old content is still expected.
    #[must_use]
    pub fn unfinished(&self) -> Vec<LogId> {
        self.logs
            .keys()
            .copied()
            .filter(|log| self.merge.holds(*log))
            .collect()
    }

    /// Opens a log; what it holds is old until [`Self::finish`].
    pub fn open(&mut self, log: LogId, info: &tail::LogInfo) {
        let Some(source) = self.sources.get(info.source) else {
            return;
        };
        let named = source
            .cluster
            .clone()
            .or_else(|| info.cluster.as_deref().map(Arc::from))
            .or_else(|| kubernetes::pod(&info.path).map(Arc::from));
        let cluster = named.unwrap_or_else(|| Arc::from(DEFAULT_CLUSTER));
        self.fleet.open_log(
            log,
            LogContext {
                cluster: Arc::clone(&cluster),
            },
        );
        if self.catching_up {
            self.merge.open(log, Arc::clone(&cluster));
        }
        let decoder = LogDecoder::new(Arc::clone(&self.wording), log, source.log.clone());
        let name = info.name.clone();
        self.logs.insert(
            log,
            Log {
                name,
                cluster,
                decoder,
                told: None,
            },
        );
    }

    /// Whether more of a log's old content is of use now.
    #[must_use]
    pub fn wants(&self, log: LogId) -> bool {
        !self.catching_up || self.merge.wants(log)
    }

    /// More bytes of a log.
    pub fn bytes(&mut self, log: LogId, read: &tail::Read<'_>) {
        let at = ReadAt {
            offset: read.offset,
            now: self.now,
            // Standard input has no file that could tell.
            written: if read.mtime == Timestamp::UNIX_EPOCH {
                self.now
            } else {
                read.mtime
            },
            fresh: read.fresh,
        };
        self.decode(log, |decoder, out| decoder.push(read.bytes, at, out));
    }

    /// The file at hand of a log is left.
    pub fn file_end(&mut self, log: LogId) {
        let now = self.now;
        self.decode(log, |decoder, out| decoder.file_end(now, out));
    }

    /// A log's old content has been read to its end.
    pub fn finish(&mut self, log: LogId) {
        self.merge.finish(log);
        self.drain();
    }

    /// All old content has been read: from here on events are applied as they are read.
    pub fn caught_up(&mut self) {
        for log in self.logs.keys() {
            self.merge.finish(*log);
        }
        self.drain();
        self.catching_up = false;
        self.merge = Merge::default();
    }

    fn decode(&mut self, log: LogId, read: impl FnOnce(&mut LogDecoder, &mut dyn FnMut(Seen))) {
        let Some(entry) = self.logs.get_mut(&log) else {
            return;
        };
        if self.catching_up && self.merge.holds(log) {
            let merge = &mut self.merge;
            read(&mut entry.decoder, &mut |seen| merge.push(seen));
            self.drain();
        } else {
            let (fleet, now, changed) = (&mut self.fleet, self.now, &mut self.changed);
            read(&mut entry.decoder, &mut |seen| {
                fleet.apply(&seen, now);
                *changed = true;
            });
        }
    }

    fn drain(&mut self) {
        let (fleet, now, changed) = (&mut self.fleet, self.now, &mut self.changed);
        self.merge.drain(|seen| {
            fleet.apply(seen, now);
            *changed = true;
        });
    }

    /// The logs that cannot show transitions and of which people were not told: name and reason.
    pub fn take_blind(&mut self) -> Vec<(String, Blind)> {
        let mut news = Vec::new();
        for log in self.logs.values_mut() {
            let blind = log.decoder.tally().blind();
            if blind.is_some() && blind != log.told {
                news.extend(blind.map(|blind| (log.name.clone(), blind)));
                log.told = blind;
            }
        }
        news
    }

    /// Everything that is counted: the tailer's numbers of each log with those of its decoder.
    #[must_use]
    pub fn stats(&self, tailed: Vec<(Option<LogId>, SourceStats)>) -> ProgramStats {
        let mut stats = ProgramStats {
            rule_matches: self
                .wording
                .rules
                .rules()
                .map(|rule| (rule.id().to_owned(), 0))
                .collect(),
            ..ProgramStats::default()
        };
        for (index, rule) in self.wording.rules.rules().enumerate() {
            let matches = self
                .logs
                .values()
                .map(|log| log.decoder.tally().rule_matches(index))
                .sum();
            stats.rule_matches.insert(rule.id().to_owned(), matches);
        }
        for (id, mut source) in tailed {
            if let Some(log) = id.and_then(|id| self.logs.get(&id)) {
                source.cluster = log.cluster.to_string();
                source.layout = log.decoder.layout().map(str::to_owned);
                log.decoder.tally().fill(&mut source);
            }
            stats.sources.push(source);
        }
        stats.sources.sort_by(|a, b| a.name.cmp(&b.name));
        stats.unknown_states = self
            .logs
            .values()
            .map(|log| log.decoder.tally().unknown_states)
            .sum();
        stats
    }
}

impl tail::Sink for Engine {
    fn open(&mut self, log: LogId, info: &tail::LogInfo) {
        Self::open(self, log, info);
    }

    fn wants(&self, log: LogId) -> bool {
        Self::wants(self, log)
    }

    fn bytes(&mut self, log: LogId, read: &tail::Read<'_>) {
        Self::bytes(self, log, read);
    }

    fn file_end(&mut self, log: LogId) {
        Self::file_end(self, log);
    }

    fn file_cut(&mut self, log: LogId) {
        if let Some(log) = self.logs.get_mut(&log) {
            log.decoder.file_cut();
        }
    }

    fn gone(&mut self, log: LogId) {
        let said = Said::Event(Event::ProcessEnding {
            why: EndReason::LogGone,
        });
        let seen = Seen {
            log,
            offset: 0,
            at: Some(self.now),
            mdc_job: None,
            said,
        };
        self.fleet.apply(&seen, self.now);
        self.changed = true;
    }
}

/// What to tell people of a log that cannot show transitions.
#[must_use]
pub const fn advice(blind: Blind) -> &'static str {
    match blind {
        Blind::LevelAboveInfo => {
            "nothing at INFO is printed here, and Flink prints a job's transitions at INFO: set rootLogger.level (or \
             logger.org.apache.flink.runtime) to INFO in Flink's log4j configuration"
        }
        Blind::NoLogger => {
            "its layout prints no logger, so that Flink's lines cannot be told from others: add %c (log4j) or %logger \
             (logback) to the pattern in Flink's configuration"
        }
        Blind::UnknownLayout => {
            "no layout recognises its lines: give the pattern of Flink's log4j or logback configuration with --layout or \
             `layout =`, and see what `flinktail explain` makes of a line"
        }
        Blind::Encoding => "it is written in UTF-16 or UTF-32, which is not read: let Flink write UTF-8",
    }
}
