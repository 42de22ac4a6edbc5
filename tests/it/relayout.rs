//! Rewrites a recorded log in another layout, as Flink would have written it had it been configured so.
//!
//! The recorded runs are in Flink's stock layout, which prints neither the thread nor the logging context. The thread
//! is made up; the context's job id is taken from the message where that names one (Flink 1.20 and later set it there).

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::runs::unpack;

mod json;
mod text;

/// A way to write records, and what flinktail must be told to read them.
pub struct Layout {
    /// For people.
    pub name: &'static str,
    /// `--timezone`: the zone of times printed without one.
    pub zone: &'static str,
    /// `--layout`, where the layout is not to be recognised but is given.
    pub given: Option<&'static str>,
    /// Writes one record, without the final newline.
    write: fn(&Record) -> String,
}

/// Every layout but the stock one.
pub const LAYOUTS: [Layout; 18] = [
    Layout {
        name: "another zone",
        zone: "Asia/Kolkata",
        given: None,
        write: text::in_kolkata,
    },
    Layout {
        name: "logback",
        zone: "UTC",
        given: None,
        write: text::logback,
    },
    Layout {
        name: "thread",
        zone: "UTC",
        given: None,
        write: text::thread,
    },
    Layout {
        name: "logging context",
        zone: "UTC",
        given: None,
        write: text::context,
    },
    Layout {
        name: "short logger",
        zone: "UTC",
        given: None,
        write: text::short_logger,
    },
    Layout {
        name: "colours",
        zone: "UTC",
        given: None,
        write: text::colours,
    },
    Layout {
        name: "epoch",
        zone: "Asia/Kolkata",
        given: None,
        write: text::epoch,
    },
    Layout {
        name: "printed offset",
        zone: "America/New_York",
        given: None,
        write: text::offset,
    },
    Layout {
        name: "time only",
        zone: "UTC",
        given: None,
        write: text::time_only,
    },
    Layout {
        name: "given",
        zone: "UTC",
        given: Some(text::ODD_PATTERN),
        write: text::odd,
    },
    Layout {
        name: "JsonLayout",
        zone: "Asia/Kolkata",
        given: None,
        write: json::json_layout,
    },
    Layout {
        name: "template Json",
        zone: "Asia/Kolkata",
        given: None,
        write: json::template_json,
    },
    Layout {
        name: "template ECS",
        zone: "Asia/Kolkata",
        given: None,
        write: json::template_ecs,
    },
    Layout {
        name: "template GELF",
        zone: "Asia/Kolkata",
        given: None,
        write: json::template_gelf,
    },
    Layout {
        name: "template Logstash",
        zone: "Asia/Kolkata",
        given: None,
        write: json::template_logstash,
    },
    Layout {
        name: "template GCP",
        zone: "Asia/Kolkata",
        given: None,
        write: json::template_gcp,
    },
    Layout {
        name: "JSON by a pattern",
        zone: "Asia/Kolkata",
        given: None,
        write: json::by_pattern,
    },
    Layout {
        name: "JSON by a pattern, zone-less",
        zone: "UTC",
        given: None,
        write: json::by_pattern_zoneless,
    },
];

/// Writes a packed log of a run in another layout into a directory, as old as its last record.
pub fn rewrite(log: &Path, layout: &Layout, directory: &Path) -> PathBuf {
    let (name, stock) = unpack(log);
    let records = records(&stock);
    let text: String = records
        .iter()
        .map(|record| (layout.write)(record) + "\n")
        .collect();
    let path = directory.join(name);
    fs::write(&path, text).unwrap();
    if let Some(last) = records.last() {
        // A log that prints no date takes it from the age of its file.
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(last.at.into())
            .unwrap();
    }
    path
}

/// One record of a stock log.
struct Record<'a> {
    at: Timestamp,
    level: &'a str,
    logger: &'a str,
    /// What `%x` printed: nothing (log4j 1) or `[]` (log4j 2).
    ndc: &'a str,
    /// The message, which may hold newlines.
    message: &'a str,
    /// The exception and its stack trace.
    thrown: Option<&'a str>,
}

/// A thrown exception taken apart.
struct Thrown<'a> {
    class: &'a str,
    message: &'a str,
    trace: &'a str,
}

impl<'a> Record<'a> {
    /// Reads the text of a whole record in the stock layout `%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n`, in UTC.
    fn parse(text: &'a str) -> Option<Self> {
        let at: DateTime = text.get(..23)?.replace(',', ".").parse().ok()?;
        let (level, rest) = text.get(24..)?.split_at_checked(5)?;
        let (logger, rest) = rest.strip_prefix(' ')?.split_once(' ')?;
        let rest = rest.trim_start_matches(' ');
        let ndc = if rest.starts_with("[]") { "[]" } else { "" };
        let body = rest[ndc.len()..].trim_start_matches(' ').strip_prefix("- ")?;
        let (message, thrown) = split_thrown(body);
        let at = at.to_zoned(TimeZone::UTC).ok()?.timestamp();
        Some(Self {
            at,
            level: level.trim_end(),
            logger,
            ndc,
            message,
            thrown,
        })
    }

    fn thrown(&self) -> Option<Thrown<'a>> {
        let trace = self.thrown?;
        let first = trace.lines().next().unwrap_or(trace);
        let (class, message) = first.split_once(": ").unwrap_or((first, ""));
        Some(Thrown {
            class,
            message,
            trace,
        })
    }

    /// The message with what a text layout prints after it.
    fn body(&self) -> String {
        match self.thrown {
            Some(trace) => format!("{}\n{trace}", self.message),
            None => self.message.to_owned(),
        }
    }

    /// The id that Flink's logging context holds: the last one that the message names.
    fn context_job(&self) -> Option<&'a str> {
        let mut words = self
            .message
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
        let id =
            |word: &&str| word.len() == 32 && word.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        words
            .rfind(id)
            .filter(|_| self.logger.starts_with("org.apache.flink."))
    }

    /// The time as a `strftime` pattern says, in a zone.
    fn time(&self, pattern: &str, zone: &TimeZone) -> String {
        self.at.to_zoned(zone.clone()).strftime(pattern).to_string()
    }

    /// The logger as `%-60c` prints it.
    fn padded_logger(&self) -> String {
        format!("{:<60}", self.logger)
    }
}

/// Parts the message from the exception printed after it: that begins on a line of its own with the name of a class,
/// and frames follow.
fn split_thrown(body: &str) -> (&str, Option<&str>) {
    let starts = body.match_indices('\n').map(|(newline, _)| newline);
    for newline in starts {
        let rest = &body[newline + 1..];
        let first = rest.lines().next().unwrap_or(rest);
        let class = first.split(": ").next().unwrap_or(first);
        let is_class = class.contains('.')
            && class
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._$".contains(&b));
        if is_class && rest.contains("\n\tat ") {
            return (&body[..newline], Some(rest));
        }
    }
    (body, None)
}

/// Splits a stock log into its records: each begins with a header, what follows without one continues it.
fn records(log: &str) -> Vec<Record<'_>> {
    let mut starts: Vec<usize> = Vec::new();
    let mut offset = 0;
    for line in log.split_inclusive('\n') {
        if Record::parse(line.trim_end_matches('\n')).is_some() {
            starts.push(offset);
        }
        offset += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([log.len()]);
    let texts = starts.iter().zip(ends).map(|(start, end)| &log[*start..end]);
    texts
        .filter_map(|text| Record::parse(text.strip_suffix('\n').unwrap_or(text)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{LAYOUTS, Record, records, text};
    use crate::runs::{self, unpack};

    #[test]
    fn a_recorded_log_rewritten_in_its_own_layout_is_the_same_log() {
        for log in runs::all().iter().flat_map(|run| &run.logs) {
            let (_, stock) = unpack(log);
            let rewritten: String = records(&stock)
                .iter()
                .map(|record| text::stock(record) + "\n")
                .collect();
            assert!(
                rewritten == stock,
                "{} is not read as it was written",
                log.display()
            );
        }
    }

    const FAILURE: &str = "2026-11-20 23:52:20,007 WARN  org.apache.flink.runtime.taskmanager.Task                    [] - \
        Job a\nb (0a1b2c3d4e5f60718293a4b5c6d7e8f9) failed\njava.lang.RuntimeException: \"lab\"\n\tat lab.Job.map(Job.java:8)";

    #[test]
    fn message_and_exception_are_told_apart() {
        let record = Record::parse(FAILURE).unwrap();
        assert_eq!(
            record.message,
            "Job a\nb (0a1b2c3d4e5f60718293a4b5c6d7e8f9) failed"
        );
        let thrown = record.thrown().unwrap();
        assert_eq!(
            (thrown.class, thrown.message),
            ("java.lang.RuntimeException", "\"lab\"")
        );
        assert_eq!(record.context_job(), Some("0a1b2c3d4e5f60718293a4b5c6d7e8f9"));
    }

    #[test]
    fn each_layout_writes_what_log4j_and_logback_write() {
        let record = Record::parse(FAILURE).unwrap();
        let written: BTreeMap<&str, String> = LAYOUTS
            .iter()
            .map(|layout| (layout.name, (layout.write)(&record)))
            .collect();
        insta::assert_debug_snapshot!(written);
    }
}
