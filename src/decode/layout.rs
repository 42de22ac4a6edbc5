//! One layout: how a log's lines look, and how a record is taken out of them.

use std::borrow::Cow;
use std::sync::Arc;

use super::ansi;
use super::clock::Clock;
use super::json::{self, Json};
use super::json_pattern;
use super::pattern::{Fields, LastHeader, Pattern, PatternError};
use super::record::{Level, Record, deployment_of, job_in_context};
use super::time::{Day, Printed};
use crate::model::event::Cause;

/// A layout, compiled.
#[derive(Debug, Clone)]
pub struct Layout {
    id: Arc<str>,
    about: String,
    form: Form,
    /// The user's own words, which also say how much of a logger is printed; built-in ones stand for their relatives.
    exact: bool,
}

#[derive(Debug, Clone)]
enum Form {
    Text(Pattern),
    Json(Json),
}

/// Whether a user wrote it for logs of theirs, which comes before all; and what a line must have to be read, see
/// [`Pattern::demands`].
pub(super) type Rank = (bool, usize);

/// What detection needs of a header; no time conversion.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Glance<'a> {
    pub level: Option<Level>,
    pub logger: Cow<'a, [u8]>,
    pub dateless: bool,
}

impl Layout {
    /// The layout that a pattern string describes, JSON or text, as users have it in their configuration.
    pub fn from_pattern(pattern: &str) -> Result<Self, PatternError> {
        let form = match json_pattern::compile(pattern)? {
            Some(json) => Form::Json(json),
            None => Form::Text(Pattern::compile(pattern)?),
        };
        Ok(Self {
            id: Arc::from(pattern),
            about: "a pattern from the configuration".to_owned(),
            form,
            exact: true,
        })
    }

    /// The same, named. A built-in's pattern stands for its relatives too, so that it does not tell (`exact`) how much
    /// of a logger is printed.
    pub(super) fn named(self, id: &str, about: String, exact: bool) -> Self {
        Self {
            id: Arc::from(id),
            about,
            form: self.form,
            exact,
        }
    }

    pub(super) fn of_json(json: Json) -> Self {
        Self {
            id: Arc::default(),
            about: String::new(),
            form: Form::Json(json),
            exact: false,
        }
    }

    /// The name under which it is reported and chosen.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The same, for whoever keeps it for each of many logs.
    #[must_use]
    pub fn shared_id(&self) -> Arc<str> {
        Arc::clone(&self.id)
    }

    /// For people: whose layout this is.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.about
    }

    /// Records are JSON objects: a line is a record or nothing, and strings are escaped.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        matches!(self.form, Form::Json(_))
    }

    /// Whether records carry a logger; without one Flink's lines cannot be told from users'.
    #[must_use]
    pub fn has_logger(&self) -> bool {
        match &self.form {
            Form::Text(pattern) => pattern.has_logger(),
            Form::Json(json) => json.has_logger(),
        }
    }

    /// Whether records carry a time of their own.
    #[must_use]
    pub fn has_time(&self) -> bool {
        match &self.form {
            Form::Text(pattern) => pattern.has_time(),
            Form::Json(json) => json.has_time(),
        }
    }

    /// Whether loggers are printed shortened (`%c{1.}`), where the layout says so exactly; else ask
    /// [`super::detect::Detected::shortened`].
    #[must_use]
    pub fn shortens_loggers(&self) -> Option<bool> {
        match &self.form {
            Form::Text(pattern) if self.exact => pattern.shortens_loggers(),
            _ => None,
        }
    }

    /// Its place among layouts that read a log equally well.
    pub(super) fn rank(&self) -> Rank {
        let demands = match &self.form {
            Form::Text(pattern) => pattern.demands(),
            Form::Json(json) => json.demands(),
        };
        (self.exact, demands)
    }

    /// Whether a line begins a record; other lines continue the one before. Looks at the line up to its first newline.
    #[must_use]
    pub fn is_header(&self, line: &[u8]) -> bool {
        self.glance(&Plain::of(line)).is_some()
    }

    /// The header of a line.
    pub(super) fn glance<'a>(&self, line: &'a Plain<'_>) -> Option<Glance<'a>> {
        match &self.form {
            Form::Text(pattern) => pattern.read(&line.text).map(|fields| Glance {
                level: fields.level,
                logger: Cow::Borrowed(fields.logger),
                dateless: is_dateless(&fields),
            }),
            Form::Json(_) if !json::is_object(line.whole) => None,
            Form::Json(json) => json.glance(&utf8(line.whole)).map(|(level, logger)| Glance {
                level,
                logger: Cow::Owned(logger),
                dateless: false,
            }),
        }
    }

    /// Moves the clock on by the time of a header that nobody decodes. A log without dates needs this for every line,
    /// since midnights are seen by the time of day falling; others do not need it at all.
    pub fn pass(&self, line: &[u8], clock: &mut Clock) {
        if let Form::Text(pattern) = &self.form
            && let line = ansi::strip(first_line(line))
            && let Some(time) = pattern.read(&line).and_then(|fields| fields.time)
        {
            clock.resolve(&time, pattern.zone());
        }
    }

    /// Decodes a record: `text` is the line of its header and the lines that continue it, without the last newline.
    ///
    /// The message runs to the end of the text, or to what the layout prints behind it; a JSON record has one line.
    /// `None` if the first line is no header.
    pub fn decode<'a>(&self, text: &'a [u8], clock: &mut Clock) -> Option<Record<'a>> {
        self.decode_after(None, text, clock)
    }

    /// Does the same, quicker where the record's header is the last one's but for the time. `last` is of this layout.
    pub fn decode_after<'a>(
        &self,
        last: Option<&mut LastHeader>,
        text: &'a [u8],
        clock: &mut Clock,
    ) -> Option<Record<'a>> {
        match &self.form {
            Form::Text(pattern) => match ansi::strip(without_mark(text)) {
                Cow::Borrowed(text) => decode_text(pattern, last, text, clock),
                Cow::Owned(text) => decode_text(pattern, last, &text, clock).map(Record::into_owned),
            },
            Form::Json(json) => match utf8(without_mark(text)) {
                Cow::Borrowed(text) => json.decode(text, clock),
                Cow::Owned(text) => json.decode(&text, clock).map(Record::into_owned),
            },
        }
    }
}

fn decode_text<'a>(
    pattern: &Pattern,
    last: Option<&mut LastHeader>,
    text: &'a [u8],
    clock: &mut Clock,
) -> Option<Record<'a>> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let fields = match last {
        Some(last) => pattern.read_after(last, text)?,
        None => pattern.read(text)?,
    };
    Some(Record {
        at: fields.time.and_then(|time| clock.resolve(&time, pattern.zone())),
        level: fields.level,
        logger: Cow::Borrowed(fields.logger),
        message: Cow::Borrowed(fields.message),
        mdc_job: job_in_context(fields.context),
        deployment: deployment_of(fields.resource),
        cause: Cause::parse(fields.throwable),
    })
}

fn is_dateless(fields: &Fields<'_>) -> bool {
    matches!(
        fields.time,
        Some(Printed::Civil {
            day: Day::Missing,
            ..
        })
    )
}

/// A line as layouts look at it, made once where dozens do.
pub(super) struct Plain<'a> {
    /// Without its end.
    whole: &'a [u8],
    /// Without colours too.
    text: Cow<'a, [u8]>,
}

impl<'a> Plain<'a> {
    /// The first line of a text.
    pub(super) fn of(text: &'a [u8]) -> Self {
        let whole = first_line(text);
        Self {
            whole,
            text: ansi::strip(whole),
        }
    }
}

/// The first line without its end, which may be that of Windows, and without the byte order mark that begins some files.
fn first_line(text: &[u8]) -> &[u8] {
    let text = without_mark(text);
    let line = memchr::memchr(b'\n', text).map_or(text, |end| &text[..end]);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text)
}

/// JSON must be UTF-8; where a line is not, what is broken in it becomes U+FFFD.
fn utf8(text: &[u8]) -> Cow<'_, [u8]> {
    match std::str::from_utf8(text) {
        Ok(_) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(String::from_utf8_lossy(text).into_owned().into_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::{Clock, Layout};

    const TEXT: &str = "%d %p %c - %m%n";
    const JSON: &str = "{\"t\":\"%d\",\"l\":\"%p\",\"c\":\"%c\",\"m\":\"%m\"}%n";

    #[test]
    fn the_ways_in_which_files_are_written_do_not_show_in_the_message() {
        for (pattern, text, message) in [
            (TEXT, &b"\xEF\xBB\xBF2026-11-21 00:00:00 INFO a.B - m"[..], "m"),
            (TEXT, b"2026-11-21 00:00:00 INFO a.B - m\r", "m"),
            (TEXT, b"2026-11-21 00:00:00 INFO a.B - m\r\nn\r\n", "m\r\nn"),
            (
                TEXT,
                b"2026-11-21 00:00:00 \x1b[31mINFO\x1b[m a.B - m\nn\x1b[m",
                "m\nn",
            ),
            (TEXT, b"2026-11-21 00:00:00 INFO a.B - \xFF", "\u{FFFD}"),
            (
                JSON,
                b"\xEF\xBB\xBF{\"t\":\"2026-11-21 00:00:00\",\"l\":\"INFO\",\"c\":\"a.B\",\"m\":\"m\"}\r",
                "m",
            ),
            (
                JSON,
                b"{\"t\":\"2026-11-21 00:00:00\",\"l\":\"INFO\",\"c\":\"a.B\",\"m\":\"\xFF\"}",
                "\u{FFFD}",
            ),
        ] {
            let layout = Layout::from_pattern(pattern).unwrap();
            let record = layout
                .decode(text, &mut Clock::new(TimeZone::UTC, Timestamp::UNIX_EPOCH))
                .unwrap();
            assert_eq!(String::from_utf8_lossy(&record.message), message, "{text:?}");
            assert_eq!(record.at.unwrap().to_string(), "2026-11-21T00:00:00Z", "{text:?}");
            assert!(layout.is_header(text), "{text:?}");
        }
    }

    #[test]
    fn passing_by_the_lines_between_keeps_the_date_of_a_log_without_dates() {
        let layout = Layout::from_pattern("%d{HH:mm:ss.SSS} %p %c - %m%n").unwrap();
        let mut clock = Clock::new(TimeZone::UTC, "2026-11-21T12:00:00Z".parse().unwrap());
        for line in [
            "10:00:00.000 INFO a.B - m",
            "23:00:00.000 INFO a.B - m",
            "\tat x",
            "09:00:00.000 INFO a.B - m",
        ] {
            layout.pass(line.as_bytes(), &mut clock);
        }
        let record = layout.decode(b"10:00:00.000 INFO a.B - m", &mut clock).unwrap();
        assert_eq!(record.at.unwrap().to_string(), "2026-11-22T10:00:00Z");
    }
}
