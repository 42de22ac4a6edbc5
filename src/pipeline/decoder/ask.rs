//! Lines that hold a literal: decoded once, and put to the rules.

use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;

use super::{LogDecoder, Stage};
use crate::decode::form::Form;
use crate::decode::record::Record;
use crate::line::{JobId, Offset};
use crate::model::event::{Carrier, Cause, Event, Said, Seen};
use crate::rules::Matched;
use crate::stats::RecordResult;

/// Lines that a statement may be waited for: names with more newlines than this are given up.
const WAIT_LINES: u32 = 64;

impl LogDecoder {
    /// A line that holds a literal, behind lines from `from` on that hold none.
    pub(super) fn candidate(
        &mut self,
        lines: &[u8],
        from: usize,
        line: Range<usize>,
        form: &Form,
        out: &mut dyn FnMut(Seen),
    ) {
        if line.len() > self.settings.line_bytes {
            self.tally.count(RecordResult::TooLong);
            self.open = None;
        } else if let Some(record) = self.decode(&lines[line.clone()], form) {
            self.begin(line.start);
            let stage = self.ask(record, line.start, form, out);
            self.set_stage(stage);
        } else {
            if let Some(header) = form.last_header(lines, from, line.start) {
                self.begin(header);
            }
            match self.open {
                Some(_) => self.extend(lines, line.start, line.end, form, out),
                None => self.tally.count(RecordResult::Unparsed),
            }
        }
    }

    /// A line that continues the open record.
    pub(super) fn extend(
        &mut self,
        lines: &[u8],
        start: usize,
        end: usize,
        form: &Form,
        out: &mut dyn FnMut(Seen),
    ) {
        let Some(open) = self.open else { return };
        match (open.stage, open.start) {
            (Stage::Done, _) => {}
            (Stage::CauseNext { at, mdc_job }, _) => {
                self.set_stage(Stage::Done);
                if let Some(cause) = Cause::parse(&form.text(&lines[start..end])) {
                    out(self.seen_at(start, at, mdc_job, Said::Cause(cause)));
                }
            }
            (_, Some(header)) if end - header <= self.settings.record_bytes => {
                self.attempt(&lines[header..end], header, form, out);
            }
            _ => {
                self.tally.count(RecordResult::TooLong);
                self.set_stage(Stage::Done);
            }
        }
    }

    /// Decodes the open record as far as its text goes and asks the rules.
    fn attempt(&mut self, text: &[u8], header: usize, form: &Form, out: &mut dyn FnMut(Seen)) {
        let stage = match self.decode(text, form) {
            Some(record) => self.ask(record, header, form, out),
            None => Stage::Done,
        };
        self.set_stage(stage);
    }

    fn decode<'a>(&mut self, text: &'a [u8], form: &Form) -> Option<Record<'a>> {
        form.decode_after(Some(self.recognised.last_header()), text, &mut self.clock)
    }

    /// Puts a record to the rules.
    pub(super) fn ask(
        &mut self,
        record: Record<'_>,
        header: usize,
        form: &Form,
        out: &mut dyn FnMut(Seen),
    ) -> Stage {
        let shortened = self.recognised.shortens(form.layout());
        let rules = &self.wording.rules;
        match rules.event_after(&mut self.last_logger, &record, shortened) {
            Matched::Event { event, .. } if is_of_another_job(&record, &event) => {
                self.tally.count(RecordResult::Refused);
                Stage::Done
            }
            Matched::Event {
                rule,
                event,
                wants_cause,
            } => {
                self.tally.matched(rule);
                if std::str::from_utf8(&record.message).is_err() {
                    self.tally.count(RecordResult::InvalidUtf8);
                }
                let (at, mdc_job) = (record.at, record.mdc_job);
                let seen = self.seen_at(header, at, mdc_job, Said::Event(event));
                let carrier = record.deployment.map(|deployment| {
                    Arc::new(Carrier {
                        deployment: Some(deployment),
                        ..Carrier::default()
                    })
                });
                out(Seen { carrier, ..seen });
                match record.cause {
                    _ if !wants_cause => Stage::Done,
                    Some(cause) => {
                        out(self.seen_at(header, at, mdc_job, Said::Cause(cause)));
                        Stage::Done
                    }
                    None if form.layout().is_json() => Stage::Done,
                    None => Stage::CauseNext { at, mdc_job },
                }
            }
            Matched::Maybe if !form.layout().is_json() => match self.open.map(|open| open.stage) {
                Some(Stage::Waiting(lines)) if lines >= WAIT_LINES => Stage::Done,
                Some(Stage::Waiting(lines)) => Stage::Waiting(lines + 1),
                _ => Stage::Waiting(1),
            },
            Matched::Refused { why, .. } => {
                self.tally.refused(&why);
                Stage::Done
            }
            Matched::No | Matched::Maybe => {
                self.tally.count(RecordResult::Ignored);
                Stage::Done
            }
        }
    }

    fn seen_at(&self, at: usize, time: Option<Timestamp>, mdc_job: Option<JobId>, said: Said) -> Seen {
        Seen {
            log: self.log,
            offset: self.base + at as Offset,
            at: time,
            mdc_job,
            carrier: None,
            said,
        }
    }
}

/// The logging context knows better than the words: a line about one job in the context of another is somebody else's.
fn is_of_another_job(record: &Record<'_>, event: &Event) -> bool {
    matches!((record.mdc_job, event.job()), (Some(context), Some(named)) if context != named)
}
