//! From the text of a file to [`Settings`]: walks the parsed document along the tables of [`super::keys`] and collects
//! every problem, where a deserializer would stop at the first.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{PLAIN, RETENTION, SOURCE, STUCK, STUCK_OVERRIDE, Table, resolve};
use super::suggest::did_you_mean;
use super::{LayoutCheck, Settings, Source, value};
use crate::model::flink_job::JobState;
use crate::model::retention::Override;
use crate::model::state::State;
use crate::problem::{Problem, locate};

/// Something wrong at a place of the text.
pub(super) struct Fault {
    /// Byte offset in the text.
    at: usize,
    message: String,
}

/// All that is wrong with one value.
pub(super) type Faults = Vec<Fault>;

/// Lines that are no TOML told of one file: a file with more of them is something else.
const TORN_LINES: usize = 20;

/// Reads and validates the text of a configuration file.
///
/// `file` is its name, for messages and as the base of relative paths. The problems are all of them, in the file's order.
pub fn parse(file: &str, text: &str, layout: LayoutCheck<'_>) -> Result<Settings, Vec<Problem>> {
    let base = Path::new(file).parent().unwrap_or(Path::new(""));
    let mut settings = Settings::default();
    let (readable, mut faults) = without_torn_lines(text);
    if let Ok(document) = DeTable::parse(&readable) {
        let mut walk = Walk {
            base,
            layouts: Vec::new(),
            whole: faults.is_empty(),
            faults,
        };
        walk.document(document.get_ref(), &mut settings);
        walk.check_layouts(settings.rules_dir.as_deref(), layout);
        faults = walk.faults;
    }
    if faults.is_empty() {
        return Ok(settings);
    }
    faults.sort_by_key(|fault| fault.at);
    Err(faults
        .into_iter()
        .map(|fault| {
            let (line, column) = locate(text, fault.at);
            Problem {
                file: file.to_owned(),
                line,
                column,
                message: bounded(fault.message),
            }
        })
        .collect())
}

/// A message without the middle of what makes it very long: a value of a file that is none of ours.
fn bounded(message: String) -> String {
    const START: usize = 1_500;
    const END: usize = 200;
    if message.chars().count() <= START + END {
        return message;
    }
    let start: String = message.chars().take(START).collect();
    let end = message.chars().count().saturating_sub(END);
    let end: String = message.chars().skip(end).collect();
    format!("{start} … {end}")
}

/// The text with the lines that are no TOML blanked, and what is wrong with them. The parser gives up at the first such
/// line; what stands after it is worth reading all the same.
fn without_torn_lines(text: &str) -> (String, Faults) {
    let (mut readable, mut faults) = (text.to_owned(), Faults::new());
    while let Err(error) = DeTable::parse(&readable) {
        let at = error.span().map_or(0, |span| span.start).min(readable.len());
        faults.push(Fault {
            at,
            message: error.message().to_owned(),
        });
        let start = readable[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = |from: usize| {
            readable[from..]
                .find('\n')
                .map_or(readable.len(), |length| from + length)
        };
        let mut end = line_end(start);
        // Without its heading a table would be taken for a part of the one before.
        if readable[start..].starts_with('[') {
            while end < readable.len() && !readable[end + 1..].starts_with('[') {
                end = line_end(end + 1);
            }
        }
        // Nothing left to take away: something that was opened is not closed before the end.
        if faults.len() == TORN_LINES || readable[start..end].trim().is_empty() {
            break;
        }
        let blank: String = readable[start..end]
            .bytes()
            .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
            .collect();
        readable.replace_range(start..end, &blank);
    }
    (readable, faults)
}

struct Walk<'a> {
    /// The directory of the file.
    base: &'a Path,
    /// Layouts named, with their places. They can be judged when the directory of the user's own is known.
    layouts: Vec<(usize, String)>,
    /// Every line was TOML. Where one was not, what seems to be missing may stand in it.
    whole: bool,
    faults: Faults,
}

impl Walk<'_> {
    fn document(&mut self, document: &DeTable<'_>, settings: &mut Settings) {
        for (key, value) in document {
            let name: &str = key.get_ref();
            match name {
                "source" => settings.sources = self.sources(value),
                "stuck_override" => settings.thresholds.overrides = self.overrides(value),
                "retention" => self.by_kind(name, value, &RETENTION, settings),
                "stuck" => self.by_kind(name, value, &STUCK, settings),
                _ => {
                    if let Some(table) = PLAIN.iter().find(|table| table.name == name) {
                        self.single(value, table, settings);
                    } else {
                        let known = PLAIN.iter().map(|table| table.name);
                        let known = known.chain(["source", "stuck_override", "retention", "stuck"]);
                        self.unknown(key, "the file", known);
                    }
                }
            }
        }
        let limits = &settings.limits;
        if limits.record_bytes < limits.line_bytes {
            let at = ["record_bytes", "line_bytes"].iter().find_map(|name| {
                let table = document.get("limits")?.get_ref().as_table()?;
                table.get(*name).map(|value| value.span().start)
            });
            let message = format!(
                "record_bytes ({}) is less than line_bytes ({})",
                limits.record_bytes, limits.line_bytes
            );
            self.faults.push(Fault {
                at: at.unwrap_or(0),
                message,
            });
        }
    }

    fn sources(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<Source> {
        let mut sources = Vec::new();
        for (at, element) in self.elements(value, "source") {
            let mut source = Source::default();
            self.table(element, &SOURCE, "[[source]]", &mut source);
            if !element.contains_key("path") {
                self.missing(at, "[[source]] has no path");
            }
            if let (Some(_), Some(other)) = (element.get("cluster"), element.get("cluster_from_path")) {
                self.fault(other.span().start, "cluster_from_path: not together with cluster");
            }
            if let (Some(value), Some(layout)) = (element.get("layout"), &source.layout) {
                self.layouts.push((value.span().start, layout.clone()));
            }
            sources.push(source);
        }
        sources
    }

    fn check_layouts(&mut self, rules_dir: Option<&Path>, check: LayoutCheck<'_>) {
        for (at, layout) in std::mem::take(&mut self.layouts) {
            if let Err(why) = check(&layout, rules_dir) {
                self.fault(at, &format!("layout: {why}"));
            }
        }
    }

    fn overrides(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<Override> {
        let mut overrides = Vec::new();
        for (at, element) in self.elements(value, "stuck_override") {
            let mut over = Override::default();
            self.table(element, &STUCK_OVERRIDE, "[[stuck_override]]", &mut over);
            if !element.contains_key("job_name") {
                self.missing(at, "[[stuck_override]] has no job_name");
            }
            if !element.keys().any(|key| JobState::named(key.get_ref()).is_some()) {
                self.missing(
                    at,
                    "[[stuck_override]] has no state; write for example RESTARTING = \"30m\"",
                );
            }
            overrides.push(over);
        }
        overrides
    }

    /// The tables of a list of tables, each with its place.
    fn elements<'v, 'i>(
        &mut self,
        value: &'v Spanned<DeValue<'i>>,
        name: &str,
    ) -> Vec<(usize, &'v DeTable<'i>)> {
        let Some(list) = value.get_ref().as_array() else {
            self.fault(
                value.span().start,
                &format!("{name} is a list of tables; write [[{name}]]"),
            );
            return Vec::new();
        };
        let mut tables = Vec::new();
        for element in list {
            match element.get_ref().as_table() {
                Some(table) => tables.push((element.span().start, table)),
                None => self.fault(
                    element.span().start,
                    &format!("{name} is a list of tables; write [[{name}]]"),
                ),
            }
        }
        tables
    }

    /// A table of tables, one for each kind of entity.
    fn by_kind(
        &mut self,
        name: &str,
        value: &Spanned<DeValue<'_>>,
        tables: &[Table<Settings>],
        settings: &mut Settings,
    ) {
        let Some(values) = value.get_ref().as_table() else {
            self.fault(
                value.span().start,
                &format!("{name} is a table; write [{}]", tables[0].name),
            );
            return;
        };
        let kind_of = |table: &Table<Settings>| table.name.rsplit('.').next().unwrap_or_default();
        for (kind, value) in values {
            match tables.iter().find(|table| kind_of(table) == kind.get_ref()) {
                Some(table) => self.single(value, table, settings),
                None => self.unknown(kind, &format!("[{name}]"), tables.iter().map(kind_of)),
            }
        }
    }

    fn single(&mut self, value: &Spanned<DeValue<'_>>, table: &Table<Settings>, settings: &mut Settings) {
        let heading = format!("[{}]", table.name);
        if let Some(values) = value.get_ref().as_table() {
            self.table(values, table, &heading, settings);
        } else {
            let name = table.name.rsplit('.').next().unwrap_or_default();
            self.fault(value.span().start, &format!("{name} is a table; write {heading}"));
        }
    }

    fn table<T>(&mut self, values: &DeTable<'_>, table: &Table<T>, heading: &str, target: &mut T) {
        for (name, value) in values {
            let Some(key) = table.key(name.get_ref()) else {
                self.unknown(name, heading, table.keys.iter().map(|key| key.name));
                continue;
            };
            let value = Value {
                key: key.name,
                at: value,
                base: self.base,
            };
            if let Err(faults) = (key.read)(target, &value) {
                self.faults.extend(faults);
            }
        }
    }

    fn unknown<'k>(
        &mut self,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        place: &str,
        known: impl Iterator<Item = &'k str> + Clone,
    ) {
        let name: &str = key.get_ref();
        let hint = did_you_mean(name, known.clone())
            .unwrap_or_else(|| format!("; known are {}", known.collect::<Vec<_>>().join(", ")));
        self.fault(
            key.span().start,
            &format!("unknown key \"{}\" in {place}{hint}", name.escape_debug()),
        );
    }

    fn missing(&mut self, at: usize, message: &str) {
        if self.whole {
            self.fault(at, message);
        }
    }

    fn fault(&mut self, at: usize, message: &str) {
        self.faults.push(Fault {
            at,
            message: message.to_owned(),
        });
    }
}

/// A value of the file with its key.
pub(super) struct Value<'a> {
    key: &'a str,
    at: &'a Spanned<DeValue<'a>>,
    /// The directory of the file.
    base: &'a Path,
}

impl Value<'_> {
    fn fault(&self, message: &str) -> Faults {
        vec![Fault {
            at: self.at.span().start,
            message: format!("{}: {message}", self.key),
        }]
    }

    fn must_be(&self, what: &str) -> Faults {
        let article = match self.at.get_ref() {
            DeValue::Integer(_) | DeValue::Array(_) => "an",
            _ => "a",
        };
        self.fault(&format!(
            "must be {what}, not {article} {}",
            self.at.get_ref().type_str()
        ))
    }

    /// A string that is not empty.
    pub(super) fn text(&self) -> Result<String, Faults> {
        self.parsed(|text| {
            if text.is_empty() {
                Err("must not be empty".to_owned())
            } else {
                Ok(text.to_owned())
            }
        })
    }

    /// A string in one of the small languages of [`value`].
    pub(super) fn parsed<T>(&self, parse: impl Fn(&str) -> Result<T, String>) -> Result<T, Faults> {
        let text = self
            .at
            .get_ref()
            .as_str()
            .ok_or_else(|| self.must_be("a string"))?;
        parse(text).map_err(|why| self.fault(&why))
    }

    /// A string, or a list that is not empty; each is one value.
    pub(super) fn strings(&self) -> Result<Vec<Value<'_>>, Faults> {
        match self.at.get_ref() {
            DeValue::Array(list) if list.is_empty() => Err(self.fault("must not be empty")),
            DeValue::Array(list) => Ok(list
                .iter()
                .map(|at| Value {
                    key: self.key,
                    at,
                    base: self.base,
                })
                .collect()),
            DeValue::String(_) => Ok(vec![Value {
                key: self.key,
                at: self.at,
                base: self.base,
            }]),
            _ => Err(self.must_be("a string or a list of strings")),
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self) -> Result<bool, Faults> {
        let boolean = self.at.get_ref().as_bool();
        boolean.ok_or_else(|| self.must_be("true or false"))
    }

    /// A whole number within bounds.
    pub(super) fn number(&self, bounds: RangeInclusive<usize>) -> Result<usize, Faults> {
        let number = self
            .at
            .get_ref()
            .as_integer()
            .ok_or_else(|| self.must_be("a whole number"))?;
        usize::from_str_radix(number.as_str(), number.radix())
            .ok()
            .filter(|number| bounds.contains(number))
            .ok_or_else(|| {
                self.fault(&format!(
                    "{number} is out of bounds: from {} to {}",
                    bounds.start(),
                    bounds.end()
                ))
            })
    }

    /// The state that the key names.
    pub(super) fn state<S: State>(&self) -> Result<S, Faults> {
        S::named(self.key).ok_or_else(|| self.fault("is no state"))
    }

    /// A path; relative ones belong to the directory of the file.
    pub(super) fn path(&self) -> Result<PathBuf, Faults> {
        self.text().map(|text| resolve(self.base, &text))
    }

    /// A path of a source: `-` stays what it is.
    pub(super) fn path_text(&self) -> Result<String, Faults> {
        match self.text()?.as_str() {
            "-" => Ok("-".to_owned()),
            path => Ok(resolve(self.base, path).display().to_string()),
        }
    }

    /// Addresses, no one twice.
    pub(super) fn listen_addresses(&self) -> Result<Vec<SocketAddr>, Faults> {
        let (mut addresses, mut seen, mut faults) = (Vec::new(), BTreeSet::new(), Faults::new());
        for value in self.strings()? {
            match value.parsed(value::listen_address) {
                Ok(address) if !seen.insert(address) => {
                    faults.extend(value.fault(&format!("\"{address}\" is there twice")));
                }
                Ok(address) => addresses.push(address),
                Err(more) => faults.extend(more),
            }
        }
        if faults.is_empty() {
            Ok(addresses)
        } else {
            Err(faults)
        }
    }
}
