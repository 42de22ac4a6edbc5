//! Layout files: their form, and every mistake in them with its place.
//!
//! ```toml
//! schema = 1
//! id = "log4j-stock"
//! about = "Flink's own pattern"
//! pattern = '%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n'     # or: kind = "json" and a table [fields]
//! [[sample]]
//! line = '2026-11-21 00:03:06,146 INFO  org.example.Foo [] - text'
//! at = "2026-11-21T00:03:06.146Z"                                   # zone-less times of samples are UTC
//! level = "INFO"
//! logger = "org.example.Foo"
//! message = "text"
//! [[sample]]
//! line = '\tat org.example.Foo'
//! reject = true
//! ```

use std::sync::Arc;

use std::ops::Range;

use jiff::Timestamp;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::form::Form;
use super::json::{Json, Slot};
use super::layout::Layout;
use super::record::Level;
use super::time::TimeForm;
use crate::line::JobId;
use crate::model::event::Cause;
use crate::problem::{Problem, locate};

/// The only form of layout files so far.
const SCHEMA: i128 = 1;

/// What a layout file says.
#[derive(Debug, Clone)]
pub(super) struct LayoutFile {
    pub layout: Arc<Layout>,
    /// It, carried by nothing.
    pub bare: Arc<Form>,
    pub samples: Vec<Sample>,
    /// Where the id stands, for a second layout of the same id.
    pub place: Place,
}

/// A line, and what must come of it.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub line: String,
    /// When the line is supposed to be read; matters to times without a date.
    pub read_at: Timestamp,
    /// `None`: the layout must refuse the line.
    pub expect: Option<Expected>,
    pub place: Place,
}

/// All fields of the record of a sample.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Expected {
    pub at: Option<Timestamp>,
    pub level: Option<Level>,
    pub logger: String,
    pub message: String,
    pub job: Option<JobId>,
    /// `NAMESPACE/NAME` of the operator's resource.
    pub resource: Option<String>,
    pub cause: Option<Cause>,
}

/// File, line and column, counted from 1.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub file: String,
    pub line: usize,
    pub column: usize,
}

impl Place {
    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem {
            file: self.file.clone(),
            line: self.line,
            column: self.column,
            message: message.into(),
        }
    }
}

/// Reads one file; all that is wrong with it at once. `exact`: see [`Layout::named`].
pub(super) fn read(file: &str, text: &str, exact: bool) -> Result<LayoutFile, Vec<Problem>> {
    let mut reader = Reader {
        file,
        text,
        problems: Vec::new(),
    };
    let layout_file = reader.layout_file(exact);
    match layout_file {
        Some(layout_file) if reader.problems.is_empty() => Ok(layout_file),
        _ => Err(reader.problems),
    }
}

type Value<'t> = Spanned<DeValue<'t>>;

struct Reader<'t> {
    file: &'t str,
    text: &'t str,
    problems: Vec<Problem>,
}

impl<'t> Reader<'t> {
    fn place(&self, offset: usize) -> Place {
        let (line, column) = locate(self.text, offset);
        Place {
            file: self.file.to_owned(),
            line,
            column,
        }
    }

    fn wrong<T>(&mut self, span: &Range<usize>, message: impl Into<String>) -> Option<T> {
        let problem = self.place(span.start).problem(message);
        self.problems.push(problem);
        None
    }

    fn layout_file(&mut self, exact: bool) -> Option<LayoutFile> {
        let (root, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            self.wrong::<()>(&error.span().unwrap_or_default(), error.message());
        }
        let whole = root.span();
        let table = root.get_ref();
        self.only(
            table,
            &["schema", "id", "about", "pattern", "kind", "fields", "sample"],
        );
        match table.get("schema") {
            None => self.wrong(&whole, "`schema = 1` is missing")?,
            Some(schema) => {
                let number = schema
                    .get_ref()
                    .as_integer()
                    .and_then(|n| i128::from_str_radix(n.as_str(), n.radix()).ok());
                if number != Some(SCHEMA) {
                    self.wrong::<()>(&schema.span(), "only `schema = 1` is known");
                }
            }
        }
        let id = self.required(table, "id", &whole);
        let about = self.required(table, "about", &whole);
        let form = self.form(table, &whole);
        let samples = self.samples(table, &whole);
        let (id, about, layout) = (id?, about?, form?);
        let place = self.place(table.get("id").map_or(0, |value| value.span().start));
        let layout = Arc::new(layout.named(id, about.to_owned(), exact));
        Some(LayoutFile {
            bare: Arc::new(Form::new(Vec::new(), Arc::clone(&layout))),
            layout,
            samples,
            place,
        })
    }

    fn form(&mut self, table: &DeTable<'t>, whole: &Range<usize>) -> Option<Layout> {
        match (table.get("pattern"), table.get("kind")) {
            (Some(pattern), None) => {
                let text = self.string("pattern", pattern)?;
                match Layout::from_pattern(text) {
                    Ok(layout) => Some(layout),
                    Err(error) => {
                        let inside = self.content_start(&pattern.span()) + error.offset;
                        self.wrong(&(inside..inside), error.message)
                    }
                }
            }
            (None, Some(kind)) if kind.get_ref().as_str() == Some("json") => self.json(table, &kind.span()),
            (None, Some(kind)) => self.wrong(&kind.span(), "only `kind = \"json\"` is known"),
            (Some(_), Some(kind)) => self.wrong(&kind.span(), "either `pattern` or `kind`, not both"),
            (None, None) => self.wrong(whole, "either `pattern` or `kind = \"json\"` is needed"),
        }
    }

    /// Where a string's own text begins, behind its one or three quotes. Escapes before a place shift it; patterns are
    /// best written in single quotes, which know none.
    fn content_start(&self, span: &Range<usize>) -> usize {
        let quoted = &self.text[span.start..span.end.min(self.text.len())];
        span.start
            + if quoted.starts_with("'''") || quoted.starts_with("\"\"\"") {
                3
            } else {
                1
            }
    }

    fn json(&mut self, table: &DeTable<'t>, kind: &Range<usize>) -> Option<Layout> {
        let Some(fields) = table.get("fields") else {
            return self.wrong(kind, "a table `[fields]` is needed");
        };
        let Some(wanted) = fields.get_ref().as_table() else {
            return self.wrong(&fields.span(), "`fields` must be a table");
        };
        self.only(wanted, &Slot::ALL.map(|(name, _)| name));
        let mut paths = Vec::new();
        for (name, slot) in Slot::ALL {
            let Some(value) = wanted.get(name) else { continue };
            match value.get_ref() {
                DeValue::String(path) => paths.push((slot, path.to_string())),
                DeValue::Array(alternatives) => {
                    for path in alternatives {
                        paths.extend(self.string(name, path).map(|path| (slot, path.to_owned())));
                    }
                }
                _ => self
                    .wrong(
                        &value.span(),
                        format!("`{name}` must be a path or a list of paths"),
                    )
                    .unwrap_or(()),
            }
        }
        match Json::new(paths, TimeForm::Any, None) {
            Ok(json) => Some(Layout::of_json(json)),
            Err(message) => self.wrong(&fields.span(), message),
        }
    }

    fn samples(&mut self, table: &DeTable<'t>, whole: &Range<usize>) -> Vec<Sample> {
        let list = table.get("sample").and_then(|value| value.get_ref().as_array());
        let samples: Vec<Sample> = list
            .into_iter()
            .flatten()
            .filter_map(|value| self.sample(value))
            .collect();
        let accepted = samples.iter().filter(|sample| sample.expect.is_some()).count();
        if self.problems.is_empty() && (accepted == 0 || accepted == samples.len()) {
            self.wrong::<()>(
                whole,
                "needs a `[[sample]]` that it reads and one with `reject = true`",
            );
        }
        samples
    }

    fn sample(&mut self, value: &Value<'t>) -> Option<Sample> {
        let span = value.span();
        let Some(table) = value.get_ref().as_table() else {
            return self.wrong(&span, "a sample must be a table");
        };
        self.only(
            table,
            &[
                "line",
                "read_at",
                "reject",
                "at",
                "level",
                "logger",
                "message",
                "job",
                "resource",
                "cause_class",
                "cause_message",
            ],
        );
        let line = self.required(table, "line", &span)?.to_owned();
        let read_at = self.read(table, "read_at", "a time with its zone", |text| text.parse().ok());
        let rejected = table
            .get("reject")
            .is_some_and(|value| value.get_ref().as_bool() == Some(true));
        let expect = if rejected {
            None
        } else {
            Some(self.expected(table, &span)?)
        };
        let read_at = read_at.unwrap_or(Timestamp::UNIX_EPOCH);
        Some(Sample {
            line,
            read_at,
            expect,
            place: self.place(span.start),
        })
    }

    fn expected(&mut self, table: &DeTable<'t>, span: &Range<usize>) -> Option<Expected> {
        let class = self.optional(table, "cause_class");
        let cause = class.and_then(|class| {
            Cause::of(
                class.as_bytes(),
                self.optional(table, "cause_message")
                    .unwrap_or_default()
                    .as_bytes(),
            )
        });
        Some(Expected {
            at: self.read(table, "at", "a time with its zone", |text| text.parse().ok()),
            level: self.read(table, "level", "a level", |text| Level::parse(text.as_bytes())),
            logger: self.optional(table, "logger").unwrap_or_default().to_owned(),
            message: self.required(table, "message", span)?.to_owned(),
            job: self.read(table, "job", "the id of a job", |text| {
                JobId::parse(text.as_bytes())
            }),
            resource: self.optional(table, "resource").map(str::to_owned),
            cause,
        })
    }

    fn only(&mut self, table: &DeTable<'t>, known: &[&str]) {
        for key in table
            .keys()
            .filter(|key| !known.contains(&key.get_ref().as_ref()))
        {
            let message = format!("unknown key `{}`; known are {}", key.get_ref(), known.join(", "));
            self.wrong::<()>(&key.span(), message);
        }
    }

    fn required<'v>(&mut self, table: &'v DeTable<'t>, key: &str, of: &Range<usize>) -> Option<&'v str> {
        match table.get(key) {
            Some(value) => self.string(key, value),
            None => self.wrong(of, format!("`{key}` is missing")),
        }
    }

    fn optional<'v>(&mut self, table: &'v DeTable<'t>, key: &str) -> Option<&'v str> {
        self.string(key, table.get(key)?)
    }

    fn string<'v>(&mut self, key: &str, value: &'v Value<'t>) -> Option<&'v str> {
        value
            .get_ref()
            .as_str()
            .or_else(|| self.wrong(&value.span(), format!("`{key}` must be a text")))
    }

    fn read<T>(
        &mut self,
        table: &DeTable<'t>,
        key: &str,
        what: &str,
        parse: fn(&str) -> Option<T>,
    ) -> Option<T> {
        let value = table.get(key)?;
        let text = self.string(key, value)?;
        parse(text).or_else(|| self.wrong(&value.span(), format!("`{text}` is not {what}")))
    }
}
