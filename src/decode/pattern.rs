//! Pattern strings of log4j 1, log4j 2 and logback, compiled to what recognises the lines that they print.
//!
//! A pattern becomes a short list of [`parts`](matcher::Part) up to the message, and one of what follows the message on
//! its line. Blanks that a converter pads with may be more or fewer than the pattern says, so that a built-in layout
//! also reads its neighbours; elsewhere text counts byte by byte.

use jiff::tz::TimeZone;

use super::record::{JOB_KEY, Level};
use super::syntax::{Field, Kind, Node, Pad, parse};
use super::time::{Printed, TimeForm};
use crate::model::event::Cause;

mod matcher;

use matcher::{ContextKey, Found, Part, Run};

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
    /// The message.
    pub message: &'a [u8],
    /// The first line of an exception that shares the message's line (`%m %ex%n`); else empty.
    pub throwable: &'a [u8],
}

impl Pattern {
    /// Compiles a pattern string as it stands in a configuration.
    pub fn compile(pattern: &str) -> Result<Self, PatternError> {
        let mut nodes = parse(pattern)?;
        let mut zone = None;
        let mut builder = Builder::default();
        builder.all(&mut nodes, &mut zone)?;
        builder.finish(zone)
    }

    /// Reads a record: its first line must have the pattern's header, others continue it. No line end at the end.
    ///
    /// The message runs to the end of the text. Where the pattern prints something behind it, it ends on the first line
    /// that ends so: messages may have several lines. Where no line does, what stands behind is not there.
    #[must_use]
    pub fn read<'a>(&self, text: &'a [u8]) -> Option<Fields<'a>> {
        let mut found = Found::default();
        let start = Run::new(line_at(text, 0), false).go(&self.header, 0, &mut found)?;
        let (end, throwable) = self.message_end(text, start, &mut found).unwrap_or((text.len(), &[]));
        let Found { time, level, logger, context, .. } = found;
        Some(Fields { time, level, logger, context, message: &text[start..end], throwable })
    }

    fn message_end<'a>(&self, text: &'a [u8], start: usize, found: &mut Found<'a>) -> Option<(usize, &'a [u8])> {
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
    fn suffix_start<'a>(&self, line: &'a [u8], from: usize, found: &mut Found<'a>) -> Option<(usize, &'a [u8])> {
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
            (from.max(line.len().saturating_sub(LONGEST))..=line.len()).rev().find_map(&mut fits)
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
        let fields = self.header.iter().chain(&self.suffix).filter(|part| part.is_demanding()).count();
        fields * 4 + self.literal_bytes
    }
}

/// The line that begins at `start`: all of `text` up to its end, which may be that of Windows.
fn line_at(text: &[u8], start: usize) -> &[u8] {
    let end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |len| start + len);
    text[..end].strip_suffix(b"\r").unwrap_or(&text[..end])
}

/// The date of a JSON pattern is read by the same rules.
pub(super) fn time_form(field: &Field) -> Result<(TimeForm, Option<TimeZone>), PatternError> {
    let Some(option) = field.options.first() else { return Ok((TimeForm::Any, None)) };
    let error = |offset, message| PatternError { offset: option.offset + offset, message };
    let (format, mut zone) = match logback_zone(&option.text) {
        Some((format, zone)) => (format, Some(zone)),
        None => (option.text.as_str(), None),
    };
    let format = format.trim().trim_matches('"');
    if let Some(second) = field.options.get(1)
        && !second.text.is_empty()
    {
        zone = Some(zone_named(&second.text).ok_or_else(|| PatternError {
            offset: second.offset,
            message: format!("`{}` is no time zone", second.text),
        })?);
    }
    let form = TimeForm::compile(format).map_err(|bad| error(bad.offset, bad.message))?;
    Ok((form, zone))
}

/// Logback's `%d{format, zone}` and `%d{format, zone, locale}`; a comma may as well belong to the format.
fn logback_zone(option: &str) -> Option<(&str, TimeZone)> {
    option.match_indices(',').find_map(|(comma, _)| {
        let zone = option[comma + 1..].split(',').next()?.trim().trim_matches('"');
        (zone.len() >= 2).then(|| zone_named(zone)).flatten().map(|zone| (&option[..comma], zone))
    })
}

/// A zone by its IANA name, or by Java's `GMT+1`, `GMT+01:00`.
fn zone_named(name: &str) -> Option<TimeZone> {
    let utc = ["UTC", "GMT", "Z"].contains(&name);
    if utc {
        return Some(TimeZone::UTC);
    }
    let Some(offset) = name.strip_prefix("GMT").or_else(|| name.strip_prefix("UTC")) else {
        return TimeZone::get(name).ok();
    };
    let (sign, digits) = match offset.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, offset.strip_prefix('+')?),
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let minutes = i32::from(hours.parse::<i8>().ok()?) * 60 + i32::from(minutes.parse::<i8>().ok()?);
    Some(jiff::tz::Offset::from_seconds(sign * minutes * 60).ok()?.to_time_zone())
}

/// Turns nodes into parts.
#[derive(Default)]
struct Builder {
    parts: Vec<Part>,
    /// Parts before this one belong to a group that may be missing: text must not be merged into them.
    fixed: usize,
    /// The parts before the message, once it has come.
    header: Option<Vec<Part>>,
    line_ended: bool,
    throwable_follows: bool,
    logger: Option<LoggerForm>,
    literal_bytes: usize,
    optional_depth: usize,
}

impl Builder {
    fn all(&mut self, nodes: &mut [Node], zone: &mut Option<TimeZone>) -> Result<(), PatternError> {
        nodes.iter_mut().try_for_each(|node| self.node(node, zone))
    }

    fn node(&mut self, node: &mut Node, zone: &mut Option<TimeZone>) -> Result<(), PatternError> {
        // What is printed on later lines continues the record.
        if self.line_ended {
            return Ok(());
        }
        match node {
            Node::Text(text) => self.text(text),
            Node::Field(field) => self.field(field, zone)?,
            Node::Group { inner, optional: false, pad } => {
                self.pad_before(*pad);
                self.all(inner, zone)?;
                self.pad_after(*pad);
            }
            Node::Group { inner, optional: true, pad } => {
                self.pad_before(*pad);
                let place = self.parts.len();
                self.parts.push(Part::Optional(0));
                self.fixed = self.parts.len();
                self.optional_depth += 1;
                self.all(inner, zone)?;
                self.optional_depth -= 1;
                self.parts[place] = Part::Optional(self.parts.len() - place - 1);
                self.fixed = self.parts.len();
                self.pad_after(*pad);
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &Field, zone: &mut Option<TimeZone>) -> Result<(), PatternError> {
        let error = |message: &str| Err(PatternError { offset: field.offset, message: message.to_owned() });
        match field.kind {
            Kind::Newline if self.header.is_none() => {
                return error("the message must stand on the first line");
            }
            Kind::Newline => self.line_ended = true,
            Kind::Message if self.optional_depth > 0 => return error("the message may not be optional"),
            Kind::Message if self.header.is_some() => return error("the message is printed twice"),
            Kind::Message => {
                self.message_begins();
                self.header = Some(std::mem::take(&mut self.parts));
                self.fixed = 0;
            }
            Kind::Throwable if self.header.is_some() => self.throwable_follows = true,
            Kind::Throwable | Kind::Nothing => {}
            Kind::Time => {
                let (form, own) = time_form(field)?;
                *zone = zone.take().or(own);
                self.push(Part::Time(form), field.pad);
            }
            Kind::Level => self.push(Part::Level(level_words(field).into()), field.pad),
            Kind::Logger => {
                self.logger = Some(logger_form(field));
                self.push(Part::Logger { stop: None }, field.pad);
            }
            Kind::Stack => self.push(Part::Stack, field.pad),
            Kind::Context => self.push(Part::Context(context_key(field)), field.pad),
            Kind::Number => self.push(Part::Number, field.pad),
            // What nests never comes as a field, and anything is what the reader makes of it at worst.
            Kind::Free | Kind::Inner | Kind::Maybe | Kind::Unless | Kind::Repeat => self.push(Part::Free, field.pad),
        }
        Ok(())
    }

    fn push(&mut self, part: Part, pad: Pad) {
        self.pad_before(pad);
        self.parts.push(part);
        self.pad_after(pad);
    }

    /// Text behind padding gives its blanks to the padding, so that any number of them will do.
    fn text(&mut self, text: &[u8]) {
        self.literal_bytes += text.len();
        let mut text = text;
        if self.parts.len() > self.fixed
            && let Some(Part::Blanks { least, .. }) = self.parts.last_mut()
        {
            let blanks = text.iter().take_while(|byte| **byte == b' ').count();
            *least += blanks;
            text = &text[blanks..];
        }
        if text.is_empty() {
            return;
        }
        if self.parts.len() > self.fixed
            && let Some(Part::Logger { stop: stop @ None }) = self.parts.last_mut()
        {
            *stop = Some(text[0]);
        }
        self.parts.push(Part::Text(text.into()));
    }

    fn pad_before(&mut self, pad: Pad) {
        if pad.width > 0 && !pad.left {
            self.blanks(pad.width);
        }
    }

    fn pad_after(&mut self, pad: Pad) {
        if pad.width > 0 && pad.left {
            self.blanks(pad.width);
        }
    }

    fn blanks(&mut self, width: usize) {
        let mut least = 0;
        if self.parts.len() > self.fixed {
            match self.parts.last_mut() {
                Some(Part::Blanks { .. }) => return,
                Some(Part::Text(text)) => {
                    let kept = text.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
                    least = text.len() - kept;
                    *text = text[..kept].into();
                    if kept == 0 {
                        self.parts.pop();
                    }
                }
                _ => {}
            }
        }
        self.parts.push(Part::Blanks { least, width, exact: false });
    }

    /// A message may begin with blanks: of those before it just as many are padding as the width demands.
    fn message_begins(&mut self) {
        if self.parts.len() > self.fixed
            && let Some(Part::Blanks { exact, .. }) = self.parts.last_mut()
        {
            *exact = true;
        }
    }

    fn finish(self, zone: Option<TimeZone>) -> Result<Pattern, PatternError> {
        let Some(header) = self.header else {
            return Err(PatternError { offset: 0, message: "no message (`%m`) is printed".to_owned() });
        };
        if !header.iter().any(|part| matches!(part, Part::Time(_) | Part::Level(_))) {
            let message = "neither time nor level is printed: records cannot be told from their continuations";
            return Err(PatternError { offset: 0, message: message.to_owned() });
        }
        Ok(Pattern {
            header,
            suffix: self.parts,
            throwable_follows: self.throwable_follows,
            zone,
            logger: self.logger.unwrap_or(LoggerForm::None),
            literal_bytes: self.literal_bytes,
        })
    }
}

/// What a level looks like: `%p{WARN=W, …}`, `%p{length=1}` (log4j 2), `%.-1level` (logback).
fn level_words(field: &Field) -> Vec<(Box<[u8]>, Level)> {
    let mut length = usize::MAX;
    let mut own = Vec::new();
    for (key, value) in field.options.iter().flat_map(|option| option.text.split(',')).filter_map(|o| o.split_once('=')) {
        match (key.trim(), value.trim()) {
            ("length", value) => length = value.parse().unwrap_or(length),
            (key, value) => own.extend(Level::parse(key.as_bytes()).map(|level| (value.to_owned(), level))),
        }
    }
    let cut = field.pad.cut.unwrap_or(usize::MAX);
    let standard = Level::WORDS.iter().map(|(word, level)| (word[..word.len().min(length)].to_owned(), *level));
    own.into_iter()
        .chain(standard)
        .map(|(word, level)| {
            let bytes = word.as_bytes();
            let kept = if field.pad.cut_end {
                &bytes[..bytes.len().min(cut)]
            } else {
                &bytes[bytes.len().saturating_sub(cut)..]
            };
            (Box::from(kept), level)
        })
        .filter(|(word, _): &(Box<[u8]>, Level)| !word.is_empty())
        .collect()
}

/// `%c{1}`, `%c{1.}`, `%c{-2}` and a greatest width shorten for certain.
fn logger_form(field: &Field) -> LoggerForm {
    // No class of Flink's runtime has fewer packages than this: a plain small number always shortens.
    const PACKAGES: usize = 4;
    if field.pad.cut.is_some() {
        return LoggerForm::Shortened;
    }
    match field.options.first().map(|option| option.text.trim()) {
        None | Some("") => LoggerForm::Whole,
        Some(precision) => match precision.parse::<usize>() {
            Ok(parts) if parts > PACKAGES => LoggerForm::Either,
            _ => LoggerForm::Shortened,
        },
    }
}

/// `%X`, `%X{key}`, `%X{key:-default}` or `%X{key, key}`.
fn context_key(field: &Field) -> ContextKey {
    let keys = field.options.first().map_or("", |option| option.text.as_str());
    let is_job = |key: &str| key.split(":-").next().is_some_and(|name| name.trim() == JOB_KEY);
    if keys.is_empty() || keys.split(',').any(is_job) { ContextKey::All } else { ContextKey::Other }
}

#[cfg(test)]
mod tests;
