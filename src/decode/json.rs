//! Records that are JSON objects, one a line: only the wanted fields are taken out, borrowed where they need no unescaping.
//!
//! A field is named by a dotted path that means both forms in which such names are written, one flat key and nested
//! objects: `log.level` is `{"log.level":…}` (ECS of log4j) as well as `{"log":{"level":…}}`.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::clock::Clock;
use super::record::{Level, Record};
use super::time::{Printed, TimeForm};
use crate::line::JobId;
use crate::model::event::Cause;

mod fields;
mod trace;

use fields::{Path, Value, Values};

/// What a field of an object is to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Time as text, or since the epoch: whole or broken seconds, milli-, micro- or nanoseconds, told by size.
    Time,
    /// Nanoseconds of the second, where `Time` is whole seconds.
    Nanos,
    /// A word, or a number as GELF has it.
    Level,
    /// Logger.
    Logger,
    /// Message.
    Message,
    /// `flink-job-id` of the logging context.
    Job,
    /// Class of the exception.
    CauseClass,
    /// Message of the exception.
    CauseMessage,
    /// The stack trace, as text or as a list of lines.
    CauseText,
    /// Must be there, whatever it holds: tells a dialect from its neighbours.
    Mark,
}

impl Slot {
    /// All of them, with their keys in layout files.
    pub const ALL: [(&'static str, Self); 10] = [
        ("time", Self::Time),
        ("nanos", Self::Nanos),
        ("level", Self::Level),
        ("logger", Self::Logger),
        ("message", Self::Message),
        ("job", Self::Job),
        ("cause_class", Self::CauseClass),
        ("cause_message", Self::CauseMessage),
        ("cause_text", Self::CauseText),
        ("mark", Self::Mark),
    ];
}

/// A JSON layout.
#[derive(Debug, Clone)]
pub struct Json {
    paths: Vec<Path>,
    form: TimeForm,
    zone: Option<TimeZone>,
}

impl Json {
    /// Most paths that a layout may name: they are tracked in the bits of a word.
    pub const PATHS: usize = 64;

    /// A layout that takes these paths; of several for one slot the first that is there counts.
    ///
    /// `form` and `zone` are for times that are text. An error says in words what is missing.
    pub fn new(
        paths: Vec<(Slot, String)>,
        form: TimeForm,
        zone: Option<TimeZone>,
    ) -> Result<Self, &'static str> {
        if paths.len() > Self::PATHS {
            return Err("more than 64 paths");
        }
        if !paths.iter().any(|(slot, _)| *slot == Slot::Message) {
            return Err("no path for the message");
        }
        let paths = paths
            .into_iter()
            .map(|(slot, path)| Path {
                slot,
                path: path.into(),
            })
            .collect();
        Ok(Self { paths, form, zone })
    }

    /// Objects that carry somebody else's line: where they may have the line, and their own time.
    pub(super) fn carrier(text: &[&str], time: &[&str]) -> Self {
        let path = |slot| {
            move |path: &&str| Path {
                slot,
                path: (*path).into(),
            }
        };
        let text = text.iter().map(path(Slot::Message));
        Self {
            paths: text.chain(time.iter().map(path(Slot::Time))).collect(),
            form: TimeForm::Any,
            zone: Some(TimeZone::UTC),
        }
    }

    /// The line that an object carries, without its newline, and the object's own time.
    pub(super) fn carried<'a>(&self, line: &'a [u8]) -> Option<(Cow<'a, [u8]>, Option<Timestamp>)> {
        let line = element(line);
        if line.first() != Some(&b'{') {
            return None;
        }
        let values = Values::read(&self.paths, line)?;
        let text = match values.text(Slot::Message).cloned().map(into_bytes)? {
            Cow::Borrowed(text) => Cow::Borrowed(text.strip_suffix(b"\n").unwrap_or(text)),
            Cow::Owned(mut text) => {
                text.truncate(text.strip_suffix(b"\n").map_or(text.len(), <[u8]>::len));
                Cow::Owned(text)
            }
        };
        let at = self.printed(&values).and_then(|printed| {
            let mut clock = Clock::new(TimeZone::UTC, Timestamp::UNIX_EPOCH);
            clock.resolve(&printed, self.zone.as_ref())
        });
        Some((text, at))
    }

    fn wants(&self, slot: Slot) -> bool {
        self.paths.iter().any(|path| path.slot == slot)
    }

    /// Whether a logger is looked for.
    #[must_use]
    pub fn has_logger(&self) -> bool {
        self.wants(Slot::Logger)
    }

    /// Whether a time is looked for.
    #[must_use]
    pub fn has_time(&self) -> bool {
        self.wants(Slot::Time)
    }

    /// The fewer alternatives, the more exactly a dialect is described.
    #[must_use]
    pub fn demands(&self) -> usize {
        (Self::PATHS - self.paths.len()) * 4
    }

    /// Level and logger of a line that is a record.
    #[must_use]
    pub fn glance(&self, line: &[u8]) -> Option<(Option<Level>, Vec<u8>)> {
        let values = self.values(line)?;
        let logger = values
            .text(Slot::Logger)
            .map_or_else(Vec::new, |logger| logger.as_bytes().to_vec());
        Some((level(values.get(Slot::Level)), logger))
    }

    /// Reads the first line of `text`; nothing can continue it. Not a record: `None`.
    pub fn decode<'a>(&self, text: &'a [u8], clock: &mut Clock) -> Option<Record<'a>> {
        let line = memchr::memchr(b'\n', text).map_or(text, |end| &text[..end]);
        let values = self.values(line)?;
        let at = self
            .printed(&values)
            .and_then(|printed| clock.resolve(&printed, self.zone.as_ref()));
        let cause = cause(&values);
        Some(Record {
            at,
            level: level(values.get(Slot::Level)),
            deployment: None,
            mdc_job: values.text(Slot::Job).and_then(|id| JobId::parse(id.as_bytes())),
            cause,
            logger: values
                .text(Slot::Logger)
                .cloned()
                .map_or(Cow::Borrowed(&[]), into_bytes),
            message: values.text(Slot::Message).cloned().map(into_bytes)?,
        })
    }

    /// The wanted values, if they make a record: a message, a time that can be read, and a level or a logger.
    fn values<'a>(&self, line: &'a [u8]) -> Option<Values<'a>> {
        if !is_object(line) {
            return None;
        }
        let values = Values::read(&self.paths, element(line))?;
        let marked = !self.wants(Slot::Mark) || values.has(Slot::Mark);
        let timed = !self.has_time() || self.printed(&values).is_some();
        let graded = values.text(Slot::Logger).is_some() || level(values.get(Slot::Level)).is_some();
        (marked && timed && graded && values.text(Slot::Message).is_some()).then_some(values)
    }

    fn printed<'v>(&self, values: &'v Values<'_>) -> Option<Printed<'v>> {
        match values.get(Slot::Time) {
            Value::Whole(number) => {
                let nanos = match values.get(Slot::Nanos) {
                    Value::Whole(nanos) => i32::try_from(*nanos).ok()?,
                    _ => 0,
                };
                instant(*number, nanos).map(Printed::Instant)
            }
            Value::Broken(seconds) => broken_instant(*seconds).map(Printed::Instant),
            Value::Text(text) => {
                let text = text.trim().as_bytes();
                self.form
                    .read(text)
                    .filter(|(_, len)| *len == text.len())
                    .map(|(printed, _)| printed)
            }
            Value::Absent | Value::Other => None,
        }
    }
}

/// Whether there may be an object on a line: all that most lines need be asked.
pub(super) fn is_object(line: &[u8]) -> bool {
    element(line).first() == Some(&b'{')
}

/// The object on a line. JsonLayout with `complete="true"` writes an array, its commas at either end of a line.
fn element(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii();
    let line = line.strip_prefix(b",").unwrap_or(line);
    line.strip_suffix(b",").unwrap_or(line).trim_ascii()
}

/// Since the epoch, in the unit that puts it between 1973 and 5138.
pub(super) fn instant(number: i64, nanos: i32) -> Option<Timestamp> {
    const SECONDS: i64 = 100_000_000_000;
    match number {
        ..SECONDS => Timestamp::new(number, nanos).ok(),
        SECONDS..100_000_000_000_000 => Timestamp::from_millisecond(number).ok(),
        100_000_000_000_000..100_000_000_000_000_000 => Timestamp::from_microsecond(number).ok(),
        _ => Timestamp::from_nanosecond(i128::from(number)).ok(),
    }
}

/// GELF's `1795219386.146`: a double holds seconds of today to a quarter of a microsecond.
pub(super) fn broken_instant(seconds: f64) -> Option<Timestamp> {
    // Whole microseconds of any year that jiff knows fit a double and an `i64`; the conversion saturates elsewhere.
    #[allow(clippy::cast_possible_truncation)]
    let micros = (seconds * 1e6).round() as i64;
    Timestamp::from_microsecond(micros).ok()
}

fn level(value: &Value<'_>) -> Option<Level> {
    match value {
        Value::Text(word) => Level::parse(word.as_bytes()),
        Value::Whole(severity) => Level::of_syslog(*severity),
        _ => None,
    }
}

fn cause(values: &Values<'_>) -> Option<Cause> {
    if let Some(class) = values.text(Slot::CauseClass) {
        let message = values.text(Slot::CauseMessage).map_or("", |message| message);
        return Cause::of(class.as_bytes(), message.as_bytes());
    }
    let trace = values.text(Slot::CauseText)?;
    Cause::parse(trace.lines().next()?.as_bytes())
}

fn into_bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

#[cfg(test)]
mod tests;
