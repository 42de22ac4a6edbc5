//! A log of whatever kind: Flink's own lines, or documents; found out by how it begins.

use jiff::Timestamp;

use super::decoder::LogDecoder;
use super::documents::Documents;
use super::event_ids::EventIds;
use super::input::{LogSettings, ReadAt};
use super::memory::Memory;
use super::tally::Tally;
use super::{Totals, Wording};
use crate::decode::documents::sniff::Sniffer;
use crate::line::{LogId, Offset};
use crate::model::event::Seen;
use std::sync::Arc;

/// A read of fewer bytes is taken for the last for a while: what makes the next one quicker is let go of. There may be
/// thousands of logs, and most are short or quiet.
const LONG: usize = 64 << 10;

/// Decodes one log.
#[derive(Debug)]
pub struct SourceDecoder {
    lines: LogDecoder,
    kind: Kind,
    ids: EventIds,
}

/// What the log consists of.
#[derive(Debug)]
enum Kind {
    /// Cannot be told yet: taken for lines meanwhile.
    Unknown(Box<Sniffer>),
    Lines,
    Documents(Box<Documents>),
}

impl SourceDecoder {
    /// A decoder for one log. `ids` are shared by all logs.
    #[must_use]
    pub fn new(
        wording: Arc<Wording>,
        log: LogId,
        settings: impl Into<Arc<LogSettings>>,
        ids: EventIds,
    ) -> Self {
        Self {
            lines: LogDecoder::new(wording, log, settings),
            kind: Kind::Unknown(Box::default()),
            ids,
        }
    }

    /// What it remembers, for another decoder to go on from.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let mut memory = self.lines.memory();
        if let Kind::Documents(documents) = &self.kind {
            memory.documents = Some(documents.memory());
        }
        memory
    }

    /// Goes on from what a decoder of the same log remembered; to be called before the first bytes.
    pub fn remember(&mut self, mut memory: Memory) {
        if let Some(remembered) = memory.documents.take() {
            let mut documents = self.documents();
            documents.remember(remembered);
            self.kind = Kind::Documents(Box::new(documents));
        } else if memory.has_layout() {
            self.kind = Kind::Lines;
        } else {
            let mut sniffer = Sniffer::default();
            sniffer.push(&memory.carry);
            self.kind = Kind::Unknown(Box::new(sniffer));
        }
        self.lines.remember(memory);
    }

    fn documents(&self) -> Documents {
        Documents::new(self.ids.clone(), self.lines.settings().reorder_window)
    }

    /// What was counted so far.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        self.lines.tally()
    }

    /// Gives away what it counted for the whole program, which sums it up: its own count begins at 0 again.
    pub fn give(&mut self, totals: &mut Totals) {
        self.lines.give(totals);
    }

    /// Id of the layout in use.
    #[must_use]
    pub fn layout(&self) -> Option<Arc<str>> {
        self.lines.layout()
    }

    /// Whether it consists of documents, as far as was read.
    #[must_use]
    pub const fn is_documents(&self) -> bool {
        matches!(self.kind, Kind::Documents(_))
    }

    /// Whether events wait for the reordering window.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        matches!(&self.kind, Kind::Documents(documents) if documents.is_waiting())
    }

    /// Takes consecutive bytes of the log's file and tells what the records in them say. `hits` as [`Wording::search`] gives
    /// them, where the bytes were searched beforehand.
    pub fn push(&mut self, bytes: &[u8], hits: Option<&[u32]>, read: ReadAt, out: &mut dyn FnMut(Seen)) {
        let mark = mark(bytes, read.offset);
        if mark > 0 {
            let read = ReadAt {
                offset: read.offset + mark as Offset,
                ..read
            };
            return self.push(&bytes[mark..], None, read, out);
        }
        if matches!(&self.kind, Kind::Unknown(sniffer) if sniffer.is_untouched()) && self.lines.foresee(bytes)
        {
            self.kind = Kind::Lines;
        }
        if let Kind::Unknown(sniffer) = &mut self.kind
            && sniffer.push(bytes)
        {
            let mut documents = self.documents();
            let head = self.lines.take_unread();
            let begins = ReadAt {
                offset: read.offset.saturating_sub(head.len() as u64),
                ..read
            };
            documents.push(&head, None, begins, &mut self.lines, out);
            self.kind = Kind::Documents(Box::new(documents));
        }
        match &mut self.kind {
            Kind::Documents(documents) => documents.push(bytes, hits, read, &mut self.lines, out),
            Kind::Unknown(sniffer) => {
                self.lines.push(bytes, hits, read, out);
                if sniffer.is_over() || self.lines.reads_loggers() {
                    // At once: of a log that says nothing more, what the sniffer holds would be held for ever.
                    self.kind = Kind::Lines;
                }
            }
            Kind::Lines => self.lines.push(bytes, hits, read, out),
        }
        if bytes.len() < LONG {
            self.lines.rest();
        }
    }

    /// The file is left: a last line without newline is a line, and the record at hand is over.
    pub fn file_end(&mut self, now: Timestamp, out: &mut dyn FnMut(Seen)) {
        if let Kind::Documents(documents) = &mut self.kind {
            documents.end(at_rest(now), &mut self.lines, out);
        }
        self.lines.file_end(now, out);
    }

    /// What followed is gone: the partial line and the record at hand are forgotten.
    pub fn file_cut(&mut self) {
        if let Kind::Documents(documents) = &mut self.kind {
            documents.cut();
        }
        self.lines.file_cut();
    }

    /// Time has passed, and nothing was read: what has waited for the reordering window is taken.
    pub fn pass(&mut self, now: Timestamp, out: &mut dyn FnMut(Seen)) {
        if let Kind::Documents(documents) = &mut self.kind {
            documents.pass(at_rest(now), &mut self.lines, out);
        }
    }
}

/// How many of a file's bytes are of the byte order mark that it begins with.
fn mark(bytes: &[u8], offset: Offset) -> usize {
    const MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];
    let rest = usize::try_from(offset).ok().and_then(|offset| MARK.get(offset..));
    let both = rest.unwrap_or_default().iter().zip(bytes);
    both.take_while(|(mark, byte)| mark == byte).count()
}

/// Nothing was read.
const fn at_rest(now: Timestamp) -> ReadAt {
    ReadAt {
        offset: 0,
        now,
        written: now,
        fresh: false,
    }
}
