//! From the nodes of a pattern string to the parts that the matcher tries.

use jiff::tz::TimeZone;

use super::matcher::{ContextKey, Part};
use super::{LoggerForm, Pattern, PatternError};
use crate::decode::record::{JOB_KEY, Level};
use crate::decode::syntax::{Field, Kind, Node, Pad, parse};
use crate::decode::time::TimeForm;

/// Compiles a pattern string.
pub(super) fn compile(pattern: &str) -> Result<Pattern, PatternError> {
    let mut builder = Builder::default();
    builder.all(&parse(pattern)?)?;
    builder.finish()
}

/// Form and zone of a date's options. JSON patterns ask too.
pub(in crate::decode) fn time_form(field: &Field) -> Result<(TimeForm, Option<TimeZone>), PatternError> {
    let Some(option) = field.options.first() else {
        return Ok((TimeForm::Any, None));
    };
    let error = |offset, message| PatternError {
        offset: option.offset + offset,
        message,
    };
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
        (zone.len() >= 2)
            .then(|| zone_named(zone))
            .flatten()
            .map(|zone| (&option[..comma], zone))
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
    Some(
        jiff::tz::Offset::from_seconds(sign * minutes * 60)
            .ok()?
            .to_time_zone(),
    )
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
    zone: Option<TimeZone>,
    literal_bytes: usize,
    optional_depth: usize,
}

impl Builder {
    fn all(&mut self, nodes: &[Node]) -> Result<(), PatternError> {
        nodes.iter().try_for_each(|node| self.node(node))
    }

    fn node(&mut self, node: &Node) -> Result<(), PatternError> {
        // What is printed on later lines continues the record.
        if self.line_ended {
            return Ok(());
        }
        match node {
            Node::Text(text) => self.text(text),
            Node::Field(field) => self.field(field)?,
            Node::Group {
                inner,
                optional: false,
                pad,
            } => {
                self.pad_before(*pad);
                self.all(inner)?;
                self.pad_after(*pad);
            }
            Node::Group {
                inner,
                optional: true,
                pad,
            } => {
                self.pad_before(*pad);
                let place = self.parts.len();
                self.parts.push(Part::Optional(0));
                self.fixed = self.parts.len();
                self.optional_depth += 1;
                self.all(inner)?;
                self.optional_depth -= 1;
                self.parts[place] = Part::Optional(self.parts.len() - place - 1);
                self.fixed = self.parts.len();
                self.pad_after(*pad);
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &Field) -> Result<(), PatternError> {
        let error = |message: &str| {
            Err(PatternError {
                offset: field.offset,
                message: message.to_owned(),
            })
        };
        match field.kind {
            Kind::Newline if self.header.is_none() => {
                return error("no message (`%m`) on the first line");
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
                self.zone = self.zone.take().or(own);
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
            Kind::Free | Kind::Inner | Kind::Maybe | Kind::Unless | Kind::Repeat => {
                self.push(Part::Free, field.pad);
            }
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
                    let kept = text
                        .iter()
                        .rposition(|byte| *byte != b' ')
                        .map_or(0, |last| last + 1);
                    least = text.len() - kept;
                    *text = text[..kept].into();
                    if kept == 0 {
                        self.parts.pop();
                    }
                }
                _ => {}
            }
        }
        self.parts.push(Part::Blanks {
            least,
            width,
            exact: false,
        });
    }

    /// A message may begin with blanks: of those before it just as many are padding as the width demands.
    fn message_begins(&mut self) {
        if self.parts.len() > self.fixed
            && let Some(Part::Blanks { exact, .. }) = self.parts.last_mut()
        {
            *exact = true;
        }
    }

    fn finish(self) -> Result<Pattern, PatternError> {
        let Some(header) = self.header else {
            return Err(PatternError {
                offset: 0,
                message: "no message (`%m`) is printed".to_owned(),
            });
        };
        if !header
            .iter()
            .any(|part| matches!(part, Part::Time(_) | Part::Level(_)))
        {
            let message =
                "neither time nor level is printed: records cannot be told from their continuations";
            return Err(PatternError {
                offset: 0,
                message: message.to_owned(),
            });
        }
        let timed = header.iter().position(|part| !matches!(part, Part::Text(_)));
        let timed = timed.filter(|place| matches!(header[*place], Part::Time(_)));
        Ok(Pattern {
            timed: timed.map_or(0, |place| place + 1),
            header,
            suffix: self.parts,
            throwable_follows: self.throwable_follows,
            zone: self.zone,
            logger: self.logger.unwrap_or(LoggerForm::None),
            literal_bytes: self.literal_bytes,
        })
    }
}

/// What a level looks like: `%p{WARN=W, …}`, `%p{length=1}` (log4j 2), `%.-1level` (logback).
fn level_words(field: &Field) -> Vec<(Box<[u8]>, Level)> {
    let mut length = usize::MAX;
    let mut own = Vec::new();
    for (key, value) in field
        .options
        .iter()
        .flat_map(|option| option.text.split(','))
        .filter_map(|o| o.split_once('='))
    {
        match (key.trim(), value.trim()) {
            ("length", value) => length = value.parse().unwrap_or(length),
            (key, value) => own.extend(Level::parse(key.as_bytes()).map(|level| (value.to_owned(), level))),
        }
    }
    let cut = field.pad.cut.unwrap_or(usize::MAX);
    let standard = Level::WORDS
        .iter()
        .map(|(word, level)| (word[..word.len().min(length)].to_owned(), *level));
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
    let name = |key: &str| key.split(":-").next().unwrap_or_default().trim().to_owned();
    if keys.is_empty() || keys.split(',').any(|key| name(key) == JOB_KEY) {
        return ContextKey::All;
    }
    match name(keys).as_str() {
        "resource.namespace" => ContextKey::Namespace,
        "resource.name" => ContextKey::Name,
        _ => ContextKey::Other,
    }
}
