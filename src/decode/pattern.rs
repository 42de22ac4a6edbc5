//! Pattern strings of log4j 1, log4j 2 and logback, compiled to what recognises the lines that they print.
//!
//! A pattern becomes a short list of [`parts`](matcher::Part) up to the message, and one of what follows the message on
//! its line. Blanks that a converter pads with may be more or fewer than the pattern says, so that a built-in layout
//! also reads its neighbours; elsewhere text counts byte by byte.

use jiff::tz::TimeZone;

use super::record::Level;
use super::time::{Printed, TimeForm};
use crate::model::event::Cause;

mod alike;
mod build;
mod matcher;

pub use alike::LastHeader;
pub(super) use build::time_form;
use matcher::{Found, Part, Run};

/// Where a pattern string cannot be understood, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("in the pattern, byte {offset}: {message}")]
pub struct PatternError {
    /// Bytes from the start of the pattern.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
}

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// What stands before the message.
    header: Vec<Part>,
    /// How many parts of the header go up to its time; none where more than text stands before it.
    timed: usize,
    /// What stands between the message and the end of its line, the exception apart.
    suffix: Vec<Part>,
    /// The exception starts on the message's line (`%m %ex%n`).
    throwable_follows: bool,
    /// The zone that the pattern's date names.
    zone: Option<TimeZone>,
    logger: LoggerForm,
    literal_bytes: usize,
}

/// What a pattern prints of the logger's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LoggerForm {
    None,
    Whole,
    Shortened,
    /// `%logger{36}`: at most 36 characters to logback, at most 36 packages (so all) to log4j.
    Either,
}

/// The fields of a record, as printed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fields<'a> {
    /// The time.
    pub time: Option<Printed<'a>>,
    /// Severity.
    pub level: Option<Level>,
    /// Logger; empty where the pattern has none.
    pub logger: &'a [u8],
    /// The logging context where it may hold `flink-job-id`; else empty.
    pub context: &'a [u8],
    /// Namespace and name of the resource that the Flink Kubernetes operator's logging context names; else empty.
    pub resource: (&'a [u8], &'a [u8]),
    /// The message.
    pub message: &'a [u8],
    /// The first line of an exception that shares the message's line (`%m %ex%n`); else empty.
    pub throwable: &'a [u8],
}

impl Pattern {
    /// Compiles a pattern string as it stands in a configuration.
    pub fn compile(pattern: &str) -> Result<Self, PatternError> {
        build::compile(pattern)
    }

    /// Reads a record: its first line must have the pattern's header, others continue it. No line end at the end.
    ///
    /// The message runs to the end of the text. Where the pattern prints something behind it, it ends on the first line
    /// that ends so: messages may have several lines. Where no line does, what stands behind is not there.
    #[must_use]
    pub fn read<'a>(&self, text: &'a [u8]) -> Option<Fields<'a>> {
        let mut found = Found::default();
        let start = Run::new(line_at(text, 0), false).go(&self.header, 0, &mut found)?;
        Some(self.fields(text, start, found))
    }

    /// Reads a record as [`Self::read`] does; quicker where its header is the last one's but for the time. `last` is of this
    /// pattern.
    #[must_use]
    pub fn read_after<'a>(&self, last: &mut LastHeader, text: &'a [u8]) -> Option<Fields<'a>> {
        if let Some((start, found)) = last.find_in_minute(text) {
            return Some(self.fields(text, start, found));
        }
        let (timed, rest) = self.header.split_at(self.timed);
        let mut found = Found::default();
        let at = Run::new(text, false).go(timed, 0, &mut found)?;
        let (start, is_kept) = if let Some(start) = last.find(text, at, &mut found) {
            (start, true)
        } else {
            let mut run = Run::new(line_at(text, 0), false);
            let start = run.go(rest, at, &mut found)?;
            let is_alone = run.reach() <= start;
            if is_alone {
                last.keep(&text[..start], at, found);
            }
            (start, is_alone)
        };
        if is_kept && matches!(timed.last(), Some(Part::Time(TimeForm::Any))) {
            last.keep_minute(text, at, found.time);
        }
        Some(self.fields(text, start, found))
    }

    /// The fields of a record whose message begins at `start`.
    fn fields<'a>(&self, text: &'a [u8], start: usize, mut found: Found<'a>) -> Fields<'a> {
        let (end, throwable) = self
            .message_end(text, start, &mut found)
            .unwrap_or((text.len(), &[]));
        let Found {
            time,
            level,
            logger,
            context,
            resource,
            ..
        } = found;
        Fields {
            time,
            level,
            logger: logger.of(text),
            context: context.of(text),
            resource: (resource.0.of(text), resource.1.of(text)),
            message: &text[start..end],
            throwable,
        }
    }

    fn message_end<'a>(
        &self,
        text: &'a [u8],
        start: usize,
        found: &mut Found<'a>,
    ) -> Option<(usize, &'a [u8])> {
        if self.suffix.is_empty() && !self.throwable_follows {
            return None;
        }
        let mut line_start = start;
        loop {
            let line = line_at(text, line_start);
            if let Some(end) = self.suffix_start(line, line_start, found) {
                return Some(end);
            }
            line_start += memchr::memchr(b'\n', &text[line_start..])? + 1;
        }
    }

    /// Finds the suffix that ends the line: from behind, since messages hold what they like. But an exception's first
    /// line does too, and stands last: then from the front.
    fn suffix_start<'a>(
        &self,
        line: &'a [u8],
        from: usize,
        found: &mut Found<'a>,
    ) -> Option<(usize, &'a [u8])> {
        // Nothing that a pattern puts behind a message is longer; a line may be.
        const LONGEST: usize = 1024;
        let header = *found;
        let mut fits = |start: usize| {
            *found = header;
            let after = Run::new(line, !self.throwable_follows).go(&self.suffix, start, found)?;
            // log4j parts a message from its exception by a blank, where the pattern does not.
            let rest = line[after..].strip_prefix(b" ").unwrap_or(&line[after..]);
            (after == line.len() || Cause::parse(rest).is_some()).then_some((start, rest))
        };
        let end = if self.throwable_follows {
            (from..=line.len()).find_map(fits)
        } else {
            (from.max(line.len().saturating_sub(LONGEST))..=line.len())
                .rev()
                .find_map(&mut fits)
        };
        if end.is_none() {
            *found = header;
        }
        end
    }

    /// The zone that the pattern's date names (`%d{…}{UTC}`).
    #[must_use]
    pub const fn zone(&self) -> Option<&TimeZone> {
        self.zone.as_ref()
    }

    /// Whether a logger is printed at all.
    #[must_use]
    pub fn has_logger(&self) -> bool {
        self.logger != LoggerForm::None
    }

    /// Whether the loggers are shortened; `None` where the pattern alone does not tell.
    #[must_use]
    pub const fn shortens_loggers(&self) -> Option<bool> {
        match self.logger {
            LoggerForm::Whole => Some(false),
            LoggerForm::Shortened => Some(true),
            LoggerForm::None | LoggerForm::Either => None,
        }
    }

    /// Whether a time is printed.
    #[must_use]
    pub fn has_time(&self) -> bool {
        self.header.iter().any(|part| matches!(part, Part::Time(_)))
    }

    /// How much must be right for a line to match: fields and bytes of text. Of two layouts that both read a log the
    /// one that demands more is the better.
    #[must_use]
    pub fn demands(&self) -> usize {
        let fields = self
            .header
            .iter()
            .chain(&self.suffix)
            .filter(|part| part.is_demanding())
            .count();
        fields * 4 + self.literal_bytes
    }
}

/// The line that begins at `start`: all of `text` up to its end, which may be that of Windows.
fn line_at(text: &[u8], start: usize) -> &[u8] {
    let end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |len| start + len);
    text[..end].strip_suffix(b"\r").unwrap_or(&text[..end])
}

#[cfg(test)]
mod tests;
