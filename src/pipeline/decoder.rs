//! One log's decoder: keeps what the next read may continue, looks at candidates, and tells what they say.
//!
//! New bytes are looked at where they lie. The buffer holds what of them may go on: the lines of the last record, which
//! were looked at, and a partial line. A record is tried at its first candidate line; one that begins like a statement without being whole waits for
//! its next line (a newline in a job's name), one that has said something waits one line for its exception. A record
//! closes at the next header and at nothing else: there is no time-out, so pauses change nothing.

mod ask;
mod whole;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::input::{Hits, LogSettings, ReadAt};
use super::memory::Memory;
use super::recognise::{Recognised, sample_of};
use super::tally::Tally;
use super::{Totals, Wording};
use crate::decode::clock::Clock;
use crate::decode::form::Form;
use crate::decode::time::{Day, Printed, Zone};
use crate::line::{JobId, LogId, Offset};
use crate::model::event::{Cause, Seen};
use crate::rules::LastLogger;
use crate::stats::RecordResult;

/// How far the record at hand has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    /// No line of it was a candidate so far.
    Unread,
    /// Begins like a statement; how many lines were tried.
    Waiting(u32),
    /// Said something; the next line may be its exception.
    CauseNext {
        at: Option<Timestamp>,
        mdc_job: Option<JobId>,
    },
    /// Nothing more is wanted of it.
    Done,
}

/// The record that the last line read belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Open {
    /// Where its header lies in the buffer; none once it grew too long to keep.
    pub(super) start: Option<usize>,
    stage: Stage,
}

/// Decodes one log.
#[derive(Debug)]
pub struct LogDecoder {
    wording: Arc<Wording>,
    log: LogId,
    settings: Arc<LogSettings>,
    clock: Clock,
    recognised: Recognised,
    /// The logger of the last candidate.
    last_logger: LastLogger,
    /// Lines looked at whose record may go on, then lines not looked at, then a partial line.
    buffer: Vec<u8>,
    /// Offset of the buffer's first byte in its file.
    base: Offset,
    /// End of the lines that were looked at.
    seen: usize,
    open: Option<Open>,
    /// Inside a line that is too long, up to its newline.
    skipping: bool,
    following: bool,
    tally: Tally,
}

impl LogDecoder {
    /// A decoder for one log; nothing is known of it yet.
    #[must_use]
    pub fn new(wording: Arc<Wording>, log: LogId, settings: impl Into<Arc<LogSettings>>) -> Self {
        let settings = settings.into();
        Self {
            clock: Clock::new(settings.zone.clone(), Timestamp::UNIX_EPOCH),
            recognised: Recognised::new(settings.layout.as_ref()),
            last_logger: LastLogger::default(),
            wording,
            log,
            settings,
            buffer: Vec::new(),
            base: 0,
            seen: 0,
            open: None,
            skipping: false,
            following: false,
            tally: Tally::default(),
        }
    }

    /// What it remembers, for another decoder to go on from.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let mut memory = Memory {
            carry: self.buffer.clone(),
            seen: self.seen,
            open: self.open,
            skipping: self.skipping,
            read_at: self.clock.read_at(),
            last_time: self.clock.last(),
            ..Memory::default()
        };
        self.recognised.write(&mut memory);
        self.tally.write(&mut memory);
        memory
    }

    /// Goes on from what a decoder of the same log remembered; to be called before the first bytes.
    pub fn remember(&mut self, memory: Memory) {
        self.recognised.read(&memory, &self.wording.layouts);
        self.tally.read(&memory);
        if let Some(at) = memory.last_time {
            self.clock.resolve(&Printed::Instant(at), None);
            if self.recognised.is_dateless() {
                // The time of day, said once more at that very time, gives the clock its date back.
                self.clock.set_read_at(at);
                let time = at.to_zoned(self.settings.zone.clone()).time();
                let (day, zone) = (Day::Missing, Zone::Unprinted);
                self.clock.resolve(&Printed::Civil { day, time, zone }, None);
            }
        }
        self.clock.set_read_at(memory.read_at);
        if memory.is_sound() {
            self.seen = memory.seen;
            self.open = memory.open;
            self.skipping = memory.skipping;
            self.buffer = memory.carry;
        }
    }

    /// What was counted so far.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Gives away what it counted for the whole program.
    pub(super) fn give(&mut self, totals: &mut Totals) {
        self.tally.give(totals);
    }

    /// Id of the layout in use.
    #[must_use]
    pub fn layout(&self) -> Option<Arc<str>> {
        self.recognised.form().map(|form| form.layout().shared_id())
    }

    /// What the user set of the log.
    pub(super) fn settings(&self) -> &LogSettings {
        &self.settings
    }

    /// The log.
    pub(super) const fn log(&self) -> LogId {
        self.log
    }

    /// Counts what became of a document.
    pub(super) const fn count(&mut self, result: RecordResult) {
        self.tally.count(result);
    }

    /// Counts a word for a state that nobody has.
    pub(super) const fn count_unknown_state(&mut self) {
        self.tally.unknown_states += 1;
    }

    /// What it was made with.
    pub(super) fn wording(&self) -> Arc<Wording> {
        Arc::clone(&self.wording)
    }

    /// Whether a text has words of a rule.
    pub(super) fn is_of_interest(&self, text: &[u8]) -> bool {
        self.wording.scanner.next(text, 0).is_some()
    }

    /// Whether a layout reads the log well enough to tell what Flink says.
    pub(super) fn reads_loggers(&self) -> bool {
        self.recognised.form().is_some() && self.tally.blind().is_none()
    }

    /// Gives back the bytes held: they are no lines of a log after all.
    pub(super) fn take_unread(&mut self) -> Vec<u8> {
        let unread = std::mem::take(&mut self.buffer);
        self.file_cut();
        unread
    }

    /// Asks what was found out about a log that begins with the bytes that are pushed next; false where nothing was.
    pub(super) fn foresee(&mut self, bytes: &[u8]) -> bool {
        let beginning = self.wording.beginnings.take(bytes);
        let is_known = beginning.is_some();
        self.recognised.foresee(beginning);
        is_known
    }

    /// Takes consecutive bytes of the log's file and tells what the records in them say. `hits` as [`Wording::search`] gives
    /// them, where the bytes were searched beforehand.
    pub fn push(&mut self, bytes: &[u8], hits: Option<&[u32]>, read: ReadAt, out: &mut dyn FnMut(Seen)) {
        self.begin_read(read);
        let skipped = self.skip(bytes);
        self.base = (read.offset + skipped as Offset).saturating_sub(self.buffer.len() as Offset);
        let bytes = &bytes[skipped..];
        let (lines, partial) = bytes.split_at(memchr::memrchr(b'\n', bytes).map_or(0, |newline| newline + 1));
        let is_new = self.buffer.is_empty();
        let next = if is_new { Some(0) } else { self.next_header(lines) };
        let held = match next {
            // The record at hand ends there: what follows is looked at where it lies, and only its last record is copied.
            Some(header) => {
                self.buffer.extend_from_slice(&lines[..header]);
                if is_new || self.end_record(out) {
                    let lines = &lines[header..];
                    let shift = skipped + header;
                    let kept_from = self.look(lines, hits.map(|at| Hits { at, shift }), false, read, out);
                    self.buffer.extend_from_slice(&lines[kept_from..]);
                    lines.len() + header
                } else {
                    header
                }
            }
            None => 0,
        };
        if held < lines.len() {
            self.buffer.extend_from_slice(&lines[held..]);
            self.look_held(false, read, out);
        }
        self.buffer.extend_from_slice(partial);
        let partial =
            self.buffer.len() - memchr::memrchr(b'\n', &self.buffer).map_or(0, |newline| newline + 1);
        if partial > self.settings.line_bytes {
            self.file_cut();
            self.skipping = true;
            self.tally.count(RecordResult::TooLong);
        }
    }

    /// The file is left: a last line without newline is a line, and the record at hand is over.
    pub fn file_end(&mut self, now: Timestamp, out: &mut dyn FnMut(Seen)) {
        if self.buffer.len() > self.seen {
            let read = ReadAt {
                offset: self.base,
                now,
                written: now,
                fresh: false,
            };
            self.look_held(true, read, out);
        }
        self.file_cut();
        self.recognised.file_end();
    }

    /// Forgets header and logger read last.
    pub(super) fn rest(&mut self) {
        self.recognised.rest();
        self.last_logger = LastLogger::default();
    }

    /// What followed is gone: the partial line and the record at hand are forgotten.
    pub fn file_cut(&mut self) {
        self.buffer.clear();
        self.seen = 0;
        self.open = None;
        self.skipping = false;
    }

    const fn begin_read(&mut self, read: ReadAt) {
        if read.fresh && !self.following {
            self.following = true;
            self.clock.anchor_day();
        }
        self.clock.set_read_at(read.written);
    }

    /// Lets the rest of a line that is too long go by; gives how many bytes went.
    fn skip(&mut self, bytes: &[u8]) -> usize {
        if !self.skipping {
            return 0;
        }
        let newline = memchr::memchr(b'\n', bytes);
        self.skipping = newline.is_none();
        newline.map_or(bytes.len(), |newline| newline + 1)
    }

    /// Where in the lines that follow what is held back the next record begins. None where that is not near, or where
    /// the layout is not beyond doubt: doubts are settled with all the lines together.
    fn next_header(&self, lines: &[u8]) -> Option<usize> {
        let form = self.recognised.firm()?;
        let within = &lines[..lines.len().min(Recognised::SAMPLE)];
        let is_midline = self.buffer.last().is_some_and(|byte| *byte != b'\n');
        let mut at = if is_midline {
            memchr::memchr(b'\n', within)? + 1
        } else {
            0
        };
        while at < within.len() {
            let end = form.line_end(lines, at)?;
            if form.is_header(&lines[at..end]) {
                return Some(at);
            }
            at = end;
        }
        None
    }

    /// Looks at what is held back, after which a new record begins, and lets go of it. False where that must wait: a line
    /// that is cut has not ended.
    fn end_record(&mut self, out: &mut dyn FnMut(Seen)) -> bool {
        let Some(form) = self.recognised.firm().cloned() else {
            return false;
        };
        let held = std::mem::take(&mut self.buffer);
        let whole = self.whole(&form, &held);
        self.look_at(&held[..whole], None, &form, out);
        self.seen = whole;
        let is_over = whole == held.len();
        self.buffer = held;
        if is_over {
            self.base += whole as Offset;
            self.file_cut();
        }
        is_over
    }

    /// Looks at the lines held back.
    fn look_held(&mut self, last: bool, read: ReadAt, out: &mut dyn FnMut(Seen)) {
        let mut held = std::mem::take(&mut self.buffer);
        let kept_from = self.look(&held, None, last, read, out);
        held.drain(..kept_from);
        // One large read must not be held for ever by a quiet log.
        held.shrink_to(2 * held.len());
        self.buffer = held;
    }

    /// Looks at physical lines, the first of which begins at `base`; what may go on begins where the answer says. `last`:
    /// nothing can follow them.
    fn look(
        &mut self,
        lines: &[u8],
        hits: Option<Hits<'_>>,
        last: bool,
        read: ReadAt,
        out: &mut dyn FnMut(Seen),
    ) -> usize {
        let end = lines.len();
        let before = self.seen;
        let kept_from = match self.recognise(lines, hits.clone()) {
            Some(form) => {
                let whole = if last { end } else { self.whole(&form, lines) };
                let lines = &lines[..whole];
                self.look_at(lines, hits, &form, out);
                self.sample(lines, &form, read);
                self.seen = whole;
                self.kept_from(whole)
            }
            // What cannot be read yet may be once more of it shows which layout it has.
            None if self.seen == before => 0,
            None => self.seen,
        };
        self.base += kept_from as Offset;
        self.seen -= kept_from.min(self.seen);
        if let Some(Open {
            start: Some(start), ..
        }) = &mut self.open
        {
            *start -= kept_from.min(*start);
        }
        kept_from
    }

    /// The form to read what has not been seen with. Before any was recognised, lines that fill a sample and are of no form are
    /// passed over, and it is those behind them that are to be read: what they say does not hang on where a read ends.
    fn recognise(&mut self, lines: &[u8], mut hits: Option<Hits<'_>>) -> Option<Arc<Form>> {
        let wording = Arc::clone(&self.wording);
        let mut find = |from| match &mut hits {
            Some(hits) => hits.next(lines.len(), from),
            None => wording.scanner(false).next(lines, from),
        };
        let mut hit = 0;
        loop {
            let unseen = &lines[self.seen..];
            let form = self
                .recognised
                .recognise(&wording.layouts, unseen, &mut self.tally);
            if form.is_some() || unseen.len() <= Recognised::SAMPLE {
                return form;
            }
            self.tally.count(RecordResult::Unparsed);
            self.open = None;
            // Trying every layout costs a thousand times what a line does: not for samples in which nothing would be found.
            loop {
                self.seen += sample_of(&lines[self.seen..]).len();
                if hit < self.seen {
                    hit = find(self.seen).unwrap_or(usize::MAX);
                }
                let unseen = &lines[self.seen..];
                if unseen.len() <= Recognised::SAMPLE || hit < self.seen + sample_of(unseen).len() {
                    break;
                }
            }
        }
    }

    /// From where on the lines are kept: from the open record's header, unless it has grown too long.
    fn kept_from(&mut self, end: usize) -> usize {
        match &mut self.open {
            Some(open) => match open.start {
                Some(start) if end - start <= self.settings.record_bytes => start,
                _ => {
                    open.start = None;
                    end
                }
            },
            None => end,
        }
    }

    /// Up to where the lines are whole; one that is cut into more than a line's bytes is taken as far as it goes.
    fn whole(&self, form: &Form, lines: &[u8]) -> usize {
        let whole = form.whole(lines, self.seen);
        if lines.len() - whole > self.settings.line_bytes {
            lines.len()
        } else {
            whole
        }
    }

    fn look_at(&mut self, lines: &[u8], hits: Option<Hits<'_>>, form: &Form, out: &mut dyn FnMut(Seen)) {
        let wording = Arc::clone(&self.wording);
        // In a log with cut lines more is searched for.
        let mut hits = hits.filter(|_| !form.cuts());
        let mut next = |at: usize| match &mut hits {
            Some(hits) => hits.next(lines.len(), at),
            None => wording.scanner(form.cuts()).next(lines, at),
        };
        let mut at = self.go_on(lines, self.seen, form, out);
        while let Some(hit) = next(at) {
            let start = form.line_start(lines, hit, at);
            // The end is near to the hit, but for a line in pieces.
            let within = if form.cuts() { start } else { hit };
            let end = form.line_end(lines, within).unwrap_or(lines.len());
            self.pass(&lines[at..start], form);
            self.candidate(lines, at, start..end, form, out);
            at = self.go_on(lines, end, form, out);
        }
        self.pass(&lines[at..], form);
        if let Some(header) = form.last_header(lines, at, lines.len()) {
            self.begin(header);
        }
    }

    const fn begin(&mut self, header: usize) {
        self.open = Some(Open {
            start: Some(header),
            stage: Stage::Unread,
        });
    }

    /// Lines that nobody decodes: a log without dates tells midnights by them.
    fn pass(&mut self, lines: &[u8], form: &Form) {
        if self.recognised.is_dateless() {
            for line in lines.split_inclusive(|byte| *byte == b'\n') {
                form.pass(line, &mut self.clock);
            }
        }
    }

    /// Gives the lines from `at` on to the open record while it wants them; gives the first one it did not take.
    fn go_on(&mut self, lines: &[u8], mut at: usize, form: &Form, out: &mut dyn FnMut(Seen)) -> usize {
        while at < lines.len()
            && let Some(open) = self.open
            && matches!(open.stage, Stage::Waiting(_) | Stage::CauseNext { .. })
        {
            // What is no exception ends the wait, header or not: most often it is the next header, which costs much to tell.
            let waits_for_cause = matches!(open.stage, Stage::CauseNext { .. }) && !form.cuts();
            if waits_for_cause && form.wrappers().is_empty() && !Cause::may_begin(&lines[at..]) {
                self.set_stage(Stage::Done);
                break;
            }
            let end = form.line_end(lines, at).unwrap_or(lines.len());
            let line = &lines[at..end];
            if waits_for_cause && Cause::parse(&form.text(line)).is_none() {
                self.set_stage(Stage::Done);
                break;
            }
            if form.is_header(line) {
                break;
            }
            if !open
                .start
                .is_some_and(|header| form.is_foreign(&lines[header..], line))
            {
                self.extend(lines, at, end, form, out);
            }
            at = end;
        }
        at
    }

    /// One record of each read, the last, is looked at whatever it says: a log's clock, its levels, and whether it can still be read.
    fn sample(&mut self, lines: &[u8], form: &Form, read: ReadAt) {
        match self.open {
            Some(Open {
                start: Some(start), ..
            }) if start >= self.seen => {
                // On a clock of its own, so that what is told does not depend on how the bytes were cut into reads.
                let end = form.line_end(lines, start).unwrap_or(lines.len());
                if let Some(record) = form.decode(&lines[start..end], &mut self.clock.clone()) {
                    self.tally.sampled(&record, read.now, read.fresh);
                }
            }
            None if self.seen < lines.len() => self.tally.unread(),
            _ => {}
        }
    }

    const fn set_stage(&mut self, stage: Stage) {
        if let Some(open) = &mut self.open {
            open.stage = stage;
        }
    }
}

#[cfg(test)]
mod tests;
