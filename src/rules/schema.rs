//! The format of a rule file: TOML to plain definitions, every deviation told with its place.
//!
//! Read from TOML's own tree rather than through serde, which ends at the first mistake: whoever writes rules sees all
//! of them at once.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::decode::record::Level;
use crate::problem::{Problem, locate};

/// The version of the format that this program reads.
const SCHEMA: &str = "1";

/// A value with where it stands in its file.
pub type At<T> = Spanned<T>;

/// One rule as written.
#[derive(Debug)]
pub struct RuleDef {
    /// Where its table begins, bytes.
    pub at: usize,
    /// Stable name: label of rule metrics, key of an override.
    pub id: At<String>,
    /// Name of what it emits.
    pub emit: At<String>,
    /// For people: what the statement means and where it comes from.
    pub about: String,
    /// First Flink version that prints it, for people.
    pub since: Option<String>,
    /// Last Flink version that prints it, for people.
    pub until: Option<String>,
    /// Whole class names.
    pub loggers: Vec<At<String>>,
    /// Levels it is printed at; empty: any.
    pub levels: Vec<Level>,
    /// What the scanner searches for.
    pub literal: Option<At<String>>,
    /// The wording.
    pub wording: Wording,
    /// Constants by field name.
    pub fields: Vec<(At<String>, At<String>)>,
    /// An exception on the following lines belongs to this record.
    pub wants_cause: bool,
    /// Its tests.
    pub tests: Vec<TestDef>,
}

/// How a rule says what a message looks like.
#[derive(Debug)]
pub enum Wording {
    /// Flink's own words with typed holes.
    Template(At<String>),
    /// A regex, for what a template cannot say.
    Regex(At<String>),
}

/// One test of a rule as written.
#[derive(Debug)]
pub struct TestDef {
    /// Where its table begins, bytes.
    pub at: usize,
    /// What it shows, as a sentence.
    pub name: String,
    /// The message of the record.
    pub message: String,
    /// The logger; the rule's first where none is given.
    pub logger: Option<String>,
    /// The level; the rule's first where none is given.
    pub level: Option<Level>,
    /// What must be captured, by field name, or that it must not match.
    pub expect: Expect,
}

/// What a test expects.
#[derive(Debug)]
pub enum Expect {
    /// Exactly these captures.
    Captures(Vec<(String, String)>),
    /// No match.
    Reject,
}

/// Reads one file. Rules that lack something essential are left out and told.
pub fn parse(file: &str, text: &str, problems: &mut Vec<Problem>) -> Vec<RuleDef> {
    let source = Source { file, text };
    // Past the first place that is no TOML a recovering parser finds more mistakes than there are.
    let root = match DeTable::parse(text) {
        Ok(root) => root,
        Err(error) => {
            problems.push(source.problem(error.span().map_or(0, |span| span.start), error.message()));
            return Vec::new();
        }
    };
    Table {
        source,
        problems,
        entries: root.get_ref(),
        at: 0,
        what: "a rule file",
    }
    .rule_file()
}

/// A file by name and text: all that is needed to say where something is wrong.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// As the user named it.
    pub file: &'a str,
    /// Its whole text.
    pub text: &'a str,
}

impl Source<'_> {
    /// A problem at a byte offset.
    #[must_use]
    pub fn problem(self, offset: usize, message: impl Into<String>) -> Problem {
        let (line, column) = locate(self.text, offset);
        Problem {
            file: self.file.into(),
            line,
            column,
            message: message.into(),
        }
    }
}

/// One table while it is read.
struct Table<'r, 't> {
    source: Source<'r>,
    problems: &'r mut Vec<Problem>,
    entries: &'t DeTable<'t>,
    /// Where the table begins, bytes.
    at: usize,
    what: &'static str,
}

type Value<'t> = &'t Spanned<DeValue<'t>>;

impl<'t> Table<'_, 't> {
    fn rule_file(mut self) -> Vec<RuleDef> {
        self.only(&["schema", "product", "upstream", "rule"]);
        let schema = self
            .entries
            .get("schema")
            .map(|value| (value.span().start, value.get_ref().as_integer()));
        match schema {
            Some((_, Some(version))) if version.as_str() == SCHEMA => {}
            Some((at, _)) => self.tell(at, format!("`schema` must be {SCHEMA}")),
            None => self.tell(0, format!("a rule file begins with `schema = {SCHEMA}`")),
        }
        for key in ["product", "upstream"] {
            self.required(key);
        }
        self.tables("rule")
            .into_iter()
            .filter_map(|(at, table)| self.inner(at, table, "a rule").rule())
            .collect()
    }

    fn rule(mut self) -> Option<RuleDef> {
        self.only(&[
            "id", "emit", "about", "since", "until", "loggers", "levels", "literal", "message", "regex",
            "fields", "follow", "test",
        ]);
        let (id, emit, about) = (self.required("id"), self.required("emit"), self.required("about"));
        let loggers = self.strings("loggers");
        if loggers.as_ref().is_none_or(Vec::is_empty) {
            self.tell(
                self.at,
                "a rule needs `loggers`: words alone do not tell Flink from user code",
            );
        }
        let levels = self.strings("levels").unwrap_or_default();
        let levels = levels.iter().filter_map(|name| self.level(name)).collect();
        let wording = match (self.string("message"), self.string("regex")) {
            (Some(message), None) => Some(Wording::Template(message)),
            (None, Some(regex)) => Some(Wording::Regex(regex)),
            _ => {
                self.tell(self.at, "a rule needs either `message` or `regex`");
                None
            }
        };
        let follow = self.string("follow");
        if let Some(other) = follow.as_ref().filter(|follow| follow.get_ref() != "cause") {
            self.tell(other.span().start, "`follow` can only be \"cause\"");
        }
        let tests = self
            .tables("test")
            .into_iter()
            .filter_map(|(at, table)| self.inner(at, table, "a test").test())
            .collect();
        Some(RuleDef {
            at: self.at,
            about: about?.into_inner(),
            since: self.string("since").map(Spanned::into_inner),
            until: self.string("until").map(Spanned::into_inner),
            literal: self.string("literal"),
            fields: self.string_table("fields").unwrap_or_default(),
            id: id?,
            emit: emit?,
            wording: wording?,
            wants_cause: follow.is_some(),
            loggers: loggers.filter(|loggers| !loggers.is_empty())?,
            levels,
            tests,
        })
    }

    fn test(mut self) -> Option<TestDef> {
        self.only(&["name", "message", "logger", "level", "expect", "reject"]);
        let (name, message) = (self.required("name"), self.required("message"));
        let reject = self
            .entries
            .get("reject")
            .map(|value| (value.span().start, value.get_ref().as_bool()));
        let expect = match (self.string_table("expect"), reject) {
            (Some(expect), None) => {
                let plain = |(key, value): (At<String>, At<String>)| (key.into_inner(), value.into_inner());
                Some(Expect::Captures(expect.into_iter().map(plain).collect()))
            }
            (None, Some((_, Some(true)))) => Some(Expect::Reject),
            (_, Some((at, _))) => {
                self.tell(at, "`reject` is `true` and stands without `expect`");
                None
            }
            (None, None) => {
                self.tell(self.at, "a test needs either `expect` or `reject = true`");
                None
            }
        };
        Some(TestDef {
            at: self.at,
            logger: self.string("logger").map(Spanned::into_inner),
            level: self.string("level").and_then(|name| self.level(&name)),
            name: name?.into_inner(),
            message: message?.into_inner(),
            expect: expect?,
        })
    }

    fn inner(&mut self, at: usize, table: &'t DeTable<'t>, what: &'static str) -> Table<'_, 't> {
        Table {
            source: self.source,
            problems: self.problems,
            entries: table,
            at,
            what,
        }
    }

    fn tell(&mut self, offset: usize, message: impl Into<String>) {
        self.problems.push(self.source.problem(offset, message));
    }

    /// Tells every key outside `known`.
    fn only(&mut self, known: &[&str]) {
        for key in self
            .entries
            .keys()
            .filter(|key| !known.contains(&key.get_ref().as_ref()))
        {
            let message = format!(
                "{} has no key `{}`; known are {}",
                self.what,
                key.get_ref(),
                known.join(", ")
            );
            self.tell(key.span().start, message);
        }
    }

    fn required(&mut self, key: &str) -> Option<At<String>> {
        if !self.entries.contains_key(key) {
            self.tell(self.at, format!("{} needs `{key}`", self.what));
        }
        self.string(key)
    }

    fn string(&mut self, key: &str) -> Option<At<String>> {
        let value = self.entries.get(key)?;
        self.as_string(key, value)
    }

    fn strings(&mut self, key: &str) -> Option<Vec<At<String>>> {
        let value = self.entries.get(key)?;
        let Some(items) = value.get_ref().as_array() else {
            self.tell(value.span().start, format!("`{key}` must be a list of strings"));
            return None;
        };
        Some(
            items
                .iter()
                .filter_map(|item| self.as_string(key, item))
                .collect(),
        )
    }

    fn string_table(&mut self, key: &str) -> Option<Vec<(At<String>, At<String>)>> {
        let value = self.entries.get(key)?;
        let Some(entries) = value.get_ref().as_table() else {
            self.tell(value.span().start, format!("`{key}` must be a table of strings"));
            return None;
        };
        let entry = |(name, value): (&Spanned<_>, _)| {
            let name: Spanned<String> =
                Spanned::new(name.span(), AsRef::<str>::as_ref(name.get_ref()).to_owned());
            let value = self.as_string(name.get_ref(), value)?;
            Some((name, value))
        };
        Some(entries.iter().filter_map(entry).collect())
    }

    fn tables(&mut self, key: &str) -> Vec<(usize, &'t DeTable<'t>)> {
        let Some(value) = self.entries.get(key) else {
            return Vec::new();
        };
        let table = |item: Value<'t>| Some((item.span().start, item.get_ref().as_table()?));
        let tables = value
            .get_ref()
            .as_array()
            .and_then(|items| items.iter().map(table).collect());
        tables.unwrap_or_else(|| {
            self.tell(value.span().start, format!("`{key}` must be written `[[{key}]]`"));
            Vec::new()
        })
    }

    fn as_string(&mut self, key: &str, value: Value<'t>) -> Option<At<String>> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.tell(value.span().start, format!("`{key}` must be a string"));
        }
        text.map(|text| Spanned::new(value.span(), text.to_owned()))
    }

    fn level(&mut self, name: &At<String>) -> Option<Level> {
        let known = [
            ("TRACE", Level::Trace),
            ("DEBUG", Level::Debug),
            ("INFO", Level::Info),
            ("WARN", Level::Warn),
            ("ERROR", Level::Error),
        ];
        let level = known
            .into_iter()
            .find(|(word, _)| word == name.get_ref())
            .map(|(_, level)| level);
        if level.is_none() {
            self.tell(name.span().start, "levels are TRACE, DEBUG, INFO, WARN and ERROR");
        }
        level
    }
}

/// Where the content of a string begins that stands at `span`: past its quotes, and past the newline after `'''`.
#[must_use]
pub fn content_start(text: &str, span: &Range<usize>) -> usize {
    let raw = &text[span.start.min(text.len())..];
    let quotes = if raw.starts_with("'''") || raw.starts_with("\"\"\"") {
        3
    } else {
        1
    };
    let newline = match raw.as_bytes().get(quotes..) {
        Some([b'\n', ..]) if quotes == 3 => 1,
        Some([b'\r', b'\n', ..]) if quotes == 3 => 2,
        _ => 0,
    };
    span.start + quotes + newline
}
