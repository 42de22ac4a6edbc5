//! What a decoder counts: plain numbers, none of which ever falls.

use jiff::Timestamp;

use super::memory::{Memory, blind_named};
use crate::decode::detect::Levels;
use crate::decode::record::{Level, Record};
use crate::rules::{Refusal, RuleId};
use crate::stats::{Blind, RecordResult, SourceStats};

/// Headers sampled before a log without INFO is called blind. Flink's banner is INFO, so a log read from its beginning
/// shows one within the first three lines.
const ENOUGH: u64 = 5;

const LEVELS: [Level; 5] = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error];

/// What belongs to the program rather than to a log: the sum of what all decoders gave.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Matches of each rule, by its place in the set; rules behind the last one were never matched.
    pub rules: Vec<u64>,
    /// State words outside Flink's closed set.
    pub unknown_states: u64,
}

/// Counters of one log.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    records: [u64; RecordResult::ALL.len()],
    rules: Vec<u64>,
    /// State words outside Flink's closed set.
    pub unknown_states: u64,
    /// Event time of the last record looked at.
    pub last_line: Option<Timestamp>,
    /// Reading time less event time of the last fresh record looked at, seconds.
    pub clock_skew: Option<f64>,
    levels: Levels,
    headers: u64,
    layout_blind: Option<Blind>,
}

impl Tally {
    pub(super) const fn count(&mut self, result: RecordResult) {
        self.records[result as usize] += 1;
    }

    pub(super) fn matched(&mut self, rule: RuleId) {
        let index = rule.index();
        if self.rules.len() <= index {
            self.rules.resize(index + 1, 0);
        }
        self.rules[index] += 1;
        self.count(RecordResult::Event);
    }

    pub(super) const fn refused(&mut self, why: &Refusal) {
        if matches!(why, Refusal::UnknownState(_)) {
            self.unknown_states += 1;
        }
        self.count(RecordResult::Refused);
    }

    pub(super) const fn layout_told(&mut self, blind: Option<Blind>, levels: Levels, headers: usize) {
        self.layout_blind = blind;
        self.headers += headers as u64;
        self.levels = self.levels.with(levels);
    }

    pub(super) fn sampled(&mut self, record: &Record<'_>, read: Timestamp, fresh: bool) {
        self.headers += 1;
        if self.layout_blind == Some(Blind::UnknownLayout) {
            self.layout_blind = None;
        }
        if let Some(level) = record.level {
            self.levels.add(level);
        }
        if let Some(at) = record.at {
            self.last_line = Some(at);
            if fresh {
                self.clock_skew = Some(read.duration_since(at).as_secs_f64());
            }
        }
    }

    /// Lines came, and none of them begins or continues a record.
    pub(super) fn unread(&mut self) {
        self.count(RecordResult::Unparsed);
        if self.headers == 0 {
            self.layout_blind = Some(Blind::UnknownLayout);
        }
    }

    /// Why this log cannot show transitions, as far as it has been read.
    #[must_use]
    pub fn blind(&self) -> Option<Blind> {
        let silent = self.headers >= ENOUGH && self.levels.above_info() && !self.levels.has(Level::Info);
        self.layout_blind
            .or_else(|| silent.then_some(Blind::LevelAboveInfo))
    }

    /// Matches of the rule at this position of the set.
    #[must_use]
    pub fn rule_matches(&self, index: usize) -> u64 {
        self.rules.get(index).copied().unwrap_or(0)
    }

    /// Records with this result.
    #[must_use]
    pub const fn records(&self, result: RecordResult) -> u64 {
        self.records[result as usize]
    }

    /// Gives away what belongs to the program: it is counted from 0 again here.
    pub(super) fn give(&mut self, totals: &mut Totals) {
        let rules = std::mem::take(&mut self.rules);
        if totals.rules.len() < rules.len() {
            totals.rules.resize(rules.len(), 0);
        }
        for (total, count) in totals.rules.iter_mut().zip(rules) {
            *total += count;
        }
        totals.unknown_states += std::mem::take(&mut self.unknown_states);
    }

    /// Writes down what belongs to the log. Matches of rules belong to the program: the set of rules may be another one
    /// after a restart.
    pub(super) fn write(&self, memory: &mut Memory) {
        let named = RecordResult::ALL.map(|result| (result.name().into(), self.records(result)));
        memory.records = named.into_iter().filter(|(_, count)| *count > 0).collect();
        memory.last_line = self.last_line;
        memory.levels = LEVELS
            .into_iter()
            .filter(|level| self.levels.has(*level))
            .fold(0, |bits, level| bits | 1 << level as u8);
        memory.headers = self.headers;
        memory.blind = self.layout_blind.map(|blind| blind.name().to_owned());
    }

    /// Takes up what was written down.
    pub(super) fn read(&mut self, memory: &Memory) {
        for result in RecordResult::ALL {
            self.records[result as usize] = memory.records.get(result.name()).copied().unwrap_or(0);
        }
        self.last_line = memory.last_line;
        for level in LEVELS {
            if memory.levels >> level as u8 & 1 == 1 {
                self.levels.add(level);
            }
        }
        self.headers = memory.headers;
        self.layout_blind = memory.blind.as_deref().and_then(blind_named);
    }

    /// Fills what a decoder knows into a source's numbers.
    pub fn fill(&self, stats: &mut SourceStats) {
        stats.records = self.records;
        stats.last_line = self.last_line;
        stats.clock_skew = self.clock_skew;
        stats.blind = self.blind();
    }
}
