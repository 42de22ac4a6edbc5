//! What a decoder remembers of its log, as plain data: written down by a store and given to a new decoder after a
//! restart, it makes that one go on as if nothing had been.
//!
//! The bytes of the record that may go on are part of it. They could be read again, but the file that held them may
//! have been rotated away since.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::decoder::Open;
use super::documents::DocumentsMemory;
use super::recognise::Loggers;
use super::tally::Tally;
use crate::stats::{Blind, SourceStats};

/// What a decoder remembers. The names of its fields are a format: see `docs/store.md` before changing one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Bytes that the decoder holds back: the record that may go on, lines not yet understood, a partial line.
    #[serde(skip)]
    pub carry: Vec<u8>,
    /// How many of them were looked at.
    pub(super) seen: usize,
    pub(super) open: Option<Open>,
    pub(super) skipping: bool,
    /// Id of the layout recognised.
    pub(super) layout: Option<String>,
    /// Ids of what carries the lines, outermost first.
    pub(super) wrappers: Vec<String>,
    pub(super) loggers: Loggers,
    pub(super) dateless: bool,
    pub(super) headers_in_file: usize,
    /// When the bytes read last were written at the latest: dates those that are held back.
    pub(super) read_at: Timestamp,
    /// The last instant that the log's clock gave.
    pub(super) last_time: Option<Timestamp>,
    /// Records by the name of their result; of those that there were.
    pub(super) records: BTreeMap<Cow<'static, str>, u64>,
    /// Event time of the last record looked at.
    pub(super) last_line: Option<Timestamp>,
    pub(super) levels: u8,
    pub(super) headers: u64,
    /// Name of the reason for which the layout alone cannot show transitions.
    pub(super) blind: Option<String>,
    /// Of a log of documents: what is held back, and the ids of what was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) documents: Option<DocumentsMemory>,
}

impl Memory {
    /// The same log, but bytes that follow none of those read before: standard input of a new process.
    #[must_use]
    pub fn without_bytes(self) -> Self {
        Self {
            carry: Vec::new(),
            seen: 0,
            open: None,
            skipping: false,
            documents: self.documents.map(DocumentsMemory::without_bytes),
            ..self
        }
    }

    /// Event time of the last record looked at.
    #[must_use]
    pub const fn last_line(&self) -> Option<Timestamp> {
        self.last_line
    }

    /// Whether a layout was recognised.
    pub(super) const fn has_layout(&self) -> bool {
        self.layout.is_some()
    }

    /// Fills in what the decoder counted and recognised.
    pub fn fill(&self, stats: &mut SourceStats) {
        let mut tally = Tally::default();
        tally.read(self);
        tally.fill(stats);
        stats.layout = self.layout.as_deref().map(Arc::from);
    }

    /// Whether what is held back agrees with itself. A store is only as good as its disk.
    pub(super) fn is_sound(&self) -> bool {
        let held = self.carry.len();
        let start = self.open.and_then(|open| open.start).unwrap_or(0);
        self.seen <= held && start <= self.seen
    }
}

/// The reason of this name.
pub(super) fn blind_named(name: &str) -> Option<Blind> {
    Blind::ALL.into_iter().find(|blind| blind.name() == name)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::Memory;
    use crate::decode::layouts::Layouts;
    use crate::line::LogId;
    use crate::model::event::Seen;
    use crate::pipeline::{LogDecoder, LogSettings, ReadAt, Wording};
    use crate::rules::RuleSet;
    use crate::stats::{RecordResult, SourceStats};

    const LOG: &str = "\
        2026-03-02 09:00:00,004 INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph       [] - Job or\nders \
        (0a1b2c3d4e5f60718293a4b5c6d7e8f9) switched from state RUNNING to FAILING.\n\
        java.lang.RuntimeException: \u{fc}ber\n\tat a.b.C.d(C.java:1)\n\
        2026-03-02 09:00:01,004 INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph       [] - Job or\nders \
        (0a1b2c3d4e5f60718293a4b5c6d7e8f9) switched from state FAILING to FAILED.\n\
        2026-03-02 09:00:02,004 INFO  a.b.C [] - other\n";

    fn decoder(wording: &Arc<Wording>) -> LogDecoder {
        let settings = LogSettings {
            zone: TimeZone::UTC,
            layout: None,
            line_bytes: 1 << 20,
            record_bytes: 1 << 20,
            reorder_window: jiff::SignedDuration::ZERO,
        };
        LogDecoder::new(Arc::clone(wording), LogId(1), settings)
    }

    fn read(decoder: &mut LogDecoder, from: usize, to: usize, seen: &mut Vec<Seen>) {
        let at = ReadAt {
            offset: from as u64,
            now: Timestamp::UNIX_EPOCH,
            written: Timestamp::UNIX_EPOCH,
            fresh: false,
        };
        decoder.push(&LOG.as_bytes()[from..to], None, at, &mut |said| seen.push(said));
    }

    #[test]
    fn t53_a_decoder_restarted_at_any_byte_goes_on_as_if_it_had_not_been() {
        let rules = RuleSet::with_user(&[]).unwrap();
        let wording = Arc::new(Wording::new(rules, Layouts::builtin().unwrap()).unwrap());
        let (mut whole, mut expected) = (decoder(&wording), Vec::new());
        read(&mut whole, 0, LOG.len(), &mut expected);
        assert_eq!(expected.len(), 3, "{expected:?}");
        for cut in 0..=LOG.len() {
            let (mut before, mut seen) = (decoder(&wording), Vec::new());
            read(&mut before, 0, cut, &mut seen);
            let memory = before.memory();
            let mut written: Memory = serde_json::from_str(&serde_json::to_string(&memory).unwrap()).unwrap();
            written.carry.clone_from(&memory.carry);
            assert_eq!(written, memory, "cut at {cut}");
            let mut after = decoder(&wording);
            after.remember(written);
            assert_eq!(after.memory(), memory, "cut at {cut}");
            read(&mut after, cut, LOG.len(), &mut seen);
            assert_eq!(seen, expected, "cut at {cut}");
            assert_eq!(
                after.tally().records(RecordResult::Event),
                whole.tally().records(RecordResult::Event)
            );
        }
    }

    #[test]
    fn what_contradicts_itself_is_not_taken_up() {
        let rules = RuleSet::with_user(&[]).unwrap();
        let wording = Arc::new(Wording::new(rules, Layouts::builtin().unwrap()).unwrap());
        let mut decoder = decoder(&wording);
        decoder.remember(Memory {
            seen: 7,
            records: [("event".into(), 3)].into(),
            ..Memory::default()
        });
        let mut stats = SourceStats::default();
        decoder.tally().fill(&mut stats);
        assert_eq!(
            (decoder.memory().seen, stats.records[RecordResult::Event as usize]),
            (0, 3)
        );
    }
}
