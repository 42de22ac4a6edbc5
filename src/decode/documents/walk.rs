//! Walks a stream down to what its documents tell and to the log lines inside of them.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::csv::{self, Csv};
use super::json::field;
use super::split::{self, Piece, Splitter};
use super::{Around, Carrier, Content, Inner, Opened, insights, managed, open, prefix, yaml};
use crate::decode::wrapper::{self, Stream, Wrapper};
use crate::model::arn::ApplicationArn;

/// Carriers inside of carriers that are looked through.
const DEEPEST: usize = 10;

/// Keys by which a JSON line is a record of some logging framework, and not a collector's.
const LOGGERS: [&str; 4] = ["logger", "loggerName", "logger_name", "log.logger"];

/// One step on the way.
#[derive(Debug)]
pub struct Step<'a> {
    /// Where the piece that holds it begins in the outermost stream.
    pub offset: u64,
    /// How many carriers it is inside of.
    pub depth: usize,
    /// What they say of it.
    pub around: &'a Around,
    /// What it is.
    pub leaf: Leaf<'a>,
}

/// What is met.
#[derive(Debug)]
pub enum Leaf<'a> {
    /// A document that holds others, which follow.
    Carries(&'static Carrier, usize),
    /// A document that tells something, is a record, or nothing.
    Document(&'static Carrier, Opened, &'a [u8]),
    /// A line, or lines, for layouts to read.
    Text(&'a [u8]),
    /// JSON that broke off.
    Damaged(&'a [u8]),
}

/// Takes each step.
pub type Out<'o> = &'o mut dyn FnMut(Step<'_>);

/// A stream being walked.
#[derive(Debug, Default)]
pub struct Walker {
    splitter: Splitter,
    /// The event whose time and stream stand before its message.
    event: Option<Around>,
    /// Its message comes next.
    before_message: bool,
    /// Something came before: YAML begins a stream or is none.
    begun: bool,
    /// Lines of a YAML document that has not ended.
    yaml: Option<String>,
    /// The table of a CSV file.
    csv: Option<Csv>,
    /// The streams that the lines carry, by which output they were written to.
    inside: [Option<Box<Walker>>; 2],
}

/// What a walker holds back, for another one to go on from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    held: split::Held,
    event: Option<Timestamp>,
    begun: bool,
    yaml: Option<String>,
    csv: Option<Csv>,
    inside: [Option<Box<Memory>>; 2],
}

impl Walker {
    /// What it holds back.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let inside = |walker: &Option<Box<Self>>| walker.as_ref().map(|walker| Box::new(walker.memory()));
        Memory {
            held: self.splitter.held(),
            event: self.event.as_ref().and_then(|event| event.at),
            begun: self.begun,
            yaml: self.yaml.clone(),
            csv: self.csv.clone(),
            inside: [inside(&self.inside[0]), inside(&self.inside[1])],
        }
    }

    /// Goes on from what another walker held back.
    #[must_use]
    pub fn of(memory: Memory) -> Self {
        Self {
            splitter: Splitter::of(memory.held),
            event: memory.event.map(|at| Around::default().event(Some(at), None)),
            before_message: false,
            begun: memory.begun,
            yaml: memory.yaml,
            csv: memory.csv,
            inside: memory
                .inside
                .map(|memory| memory.map(|memory| Box::new(Self::of(*memory)))),
        }
    }

    /// Takes more bytes of the stream.
    pub fn push(&mut self, bytes: &[u8], offset: u64, out: Out<'_>) {
        self.splitter.push(bytes, offset);
        self.walk(&Around::default(), 0, false, out);
    }

    /// No more bytes come: what is held back is all there is.
    pub fn end(&mut self, out: Out<'_>) {
        self.close(&Around::default(), 0, out);
        *self = Self::default();
    }

    /// Nothing came for a while: a YAML document has no other end.
    pub fn rest(&mut self, out: Out<'_>) {
        let offset = self.splitter.offset();
        self.close_yaml(&Around::default(), offset, 0, out);
    }

    /// The record of a managed log that a line is, if it is written as the service writes them, and what is before it: what
    /// stands between documents need not be split then. `last` is the application of the record before.
    pub(crate) fn record<'l>(
        line: &'l [u8],
        last: Option<&ApplicationArn>,
    ) -> Option<(Around, &'l [u8], ApplicationArn)> {
        let (around, object) = match prefix::event(line) {
            Some((at, message)) => (Around::default().event(Some(at), None), message),
            None => (Around::default(), line),
        };
        let application = managed::record(object, last)?;
        Some((around, object, application))
    }

    /// Holds back the beginning of a line, to be taken again with its rest ([`Self::take_held`]) or to be gone on with.
    pub(crate) fn hold(&mut self, bytes: &[u8], offset: u64) {
        self.splitter.push(bytes, offset);
    }

    /// Gives back what is held.
    pub(crate) fn take_held(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.splitter).into_held()
    }

    /// Looks at a document alone.
    pub fn document(text: &str, around: &Around, offset: u64, out: Out<'_>) {
        message(text, around, offset, 0, out);
    }

    /// Whether what was read so far can only be documents, though none has ended.
    pub(super) fn is_document(&self) -> bool {
        let inside = self.inside.iter().flatten().any(|inner| inner.is_document());
        self.yaml.is_some() || self.csv.is_some() || self.splitter.is_over_lines() || inside
    }

    /// Whether JSON has begun and not ended.
    pub(super) fn is_inside_json(&self) -> bool {
        let inside = self.inside.iter().flatten().any(|inner| inner.is_inside_json());
        self.splitter.is_inside() || inside
    }

    /// Whether nothing has begun: what comes next stands alone.
    pub(crate) fn is_between(&self) -> bool {
        !self.is_inside() && self.event.is_none() && !self.before_message && self.yaml.is_none()
    }

    /// Whether what comes next goes on with what has begun.
    fn is_inside(&self) -> bool {
        let inside = self.inside.iter().flatten().any(|inner| inner.is_inside());
        self.splitter.holds() || self.csv.is_some() || inside
    }

    fn close(&mut self, around: &Around, depth: usize, out: Out<'_>) {
        self.walk(around, depth, true, out);
        let offset = self.splitter.offset();
        self.close_yaml(around, offset, depth, out);
        let row = self.csv.as_mut().map(Csv::take_open).unwrap_or_default();
        if !row.is_empty() {
            out(step(around, offset, depth, Leaf::Damaged(row.as_bytes())));
        }
        for inner in self.inside.iter_mut().flatten() {
            inner.close(around, depth + 1, out);
        }
    }

    fn walk(&mut self, around: &Around, depth: usize, last: bool, out: Out<'_>) {
        let mut splitter = std::mem::take(&mut self.splitter);
        loop {
            let piece = if self.csv.as_ref().is_some_and(Csv::is_open) {
                splitter.next_line(last)
            } else {
                splitter.next(last)
            };
            let Some((offset, piece)) = piece else { break };
            if let Some(bytes) = self.piece(piece, around, offset, depth, out) {
                splitter.take_back(bytes);
            }
        }
        self.splitter = splitter;
    }

    /// Takes a piece; gives how many bytes at its end are a message to be split on its own.
    fn piece(
        &mut self,
        piece: Piece<'_>,
        around: &Around,
        offset: u64,
        depth: usize,
        out: Out<'_>,
    ) -> Option<usize> {
        let is_message = std::mem::take(&mut self.before_message);
        let is_first = !self.begun;
        self.begun |= !matches!(piece, Piece::Line(line) if yaml::comes_before(line));
        match piece {
            Piece::Line(line) => return self.line(line, (is_message, is_first), around, offset, depth, out),
            Piece::Damaged(bytes) => {
                let around = self.event.as_ref().unwrap_or(around);
                out(step(around, offset, depth, Leaf::Damaged(bytes)));
            }
            Piece::Value(bytes) => {
                self.close_yaml(around, offset, depth, out);
                let event = self.event.take();
                self.value(bytes, event.as_ref().unwrap_or(around), offset, depth, out);
            }
        }
        None
    }

    fn line(
        &mut self,
        line: &[u8],
        (is_message, is_first): (bool, bool),
        around: &Around,
        offset: u64,
        depth: usize,
        out: Out<'_>,
    ) -> Option<usize> {
        if let Some(yaml) = &mut self.yaml {
            if yaml::ends(line) {
                self.close_yaml(around, offset, depth, out);
                self.yaml = Some(String::new());
            } else if yaml.len() <= split::LONGEST {
                yaml.push_str(&String::from_utf8_lossy(line));
                yaml.push('\n');
            }
            return None;
        }
        if self.row(line, around, offset, depth, out) {
            return None;
        }
        if is_message {
            let around = self.event.as_ref().unwrap_or(around);
            out(step(around, offset, depth, Leaf::Text(line)));
            return None;
        }
        if depth < DEEPEST
            && let Some(piece) = Wrapper::Cri.unwrap(line)
        {
            self.carried(&piece, around, offset, depth, out);
            return None;
        }
        if let Some((at, message)) = prefix::event(line) {
            self.event = Some(around.event(Some(at), None));
            self.before_message = true;
            return (!message.is_empty()).then_some(message.len());
        }
        if is_first && yaml::begins(line) {
            self.yaml = Some(String::from_utf8_lossy(line).into_owned() + "\n");
            return None;
        }
        if let Some(csv) = Csv::begins(line) {
            self.csv = Some(csv);
            return None;
        }
        let around = self.event.as_ref().unwrap_or(around);
        out(step(around, offset, depth, Leaf::Text(line)));
        None
    }

    /// Takes a line of a CSV file; false where it is none.
    fn row(&mut self, line: &[u8], around: &Around, offset: u64, depth: usize, out: Out<'_>) -> bool {
        let Some(csv) = &mut self.csv else { return false };
        let mut told = csv.line(line);
        if let csv::Line::Broken(row) = told {
            out(step(around, offset, depth, Leaf::Damaged(row.as_bytes())));
            told = csv.line(line);
        }
        let csv::Line::Row(cells) = told else { return true };
        let row = insights::row(&csv.named(&cells), around);
        if let Some(row) = &row {
            inner(row, offset, depth + 1, out);
        }
        row.is_some()
    }

    fn value(&mut self, bytes: &[u8], around: &Around, offset: u64, depth: usize, out: Out<'_>) {
        let text = String::from_utf8_lossy(bytes);
        let Ok(value) = serde_json::from_str::<Value>(&text) else {
            return out(step(around, offset, depth, Leaf::Damaged(bytes)));
        };
        if depth < DEEPEST {
            let is_record = LOGGERS.iter().any(|key| field(&value, key).is_some());
            let carried = Wrapper::Docker.unwrap(bytes).or_else(|| {
                let known = is_record || open(&value, around).is_some();
                let piece = if known {
                    None
                } else {
                    Wrapper::Carrier.unwrap(bytes)
                };
                let document = |text: &[u8]| {
                    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
                    let first = text.trim_ascii_start().first();
                    matches!(first, Some(b'{' | b'[')) || Csv::begins(text).is_some()
                };
                piece.filter(|piece| {
                    document(&piece.text) || self.is_inside() || prefix::event(&piece.text).is_some()
                })
            });
            if let Some(piece) = carried {
                return self.carried(&piece, around, offset, depth, out);
            }
        }
        content(&value, bytes, around, offset, depth, out);
    }

    /// A line of a container's or a collector's: part of the stream that was collected.
    fn carried(
        &mut self,
        piece: &wrapper::Piece<'_>,
        around: &Around,
        offset: u64,
        depth: usize,
        out: Out<'_>,
    ) {
        let around = Around {
            at: piece.at.or(around.at),
            ..around.clone()
        };
        let walker = self.inside[usize::from(piece.stream == Stream::Err)].get_or_insert_default();
        walker.splitter.push(&piece.text, offset);
        if piece.ends {
            walker.splitter.push(b"\n", offset);
        }
        walker.walk(&around, depth + 1, false, out);
    }

    fn close_yaml(&mut self, around: &Around, offset: u64, depth: usize, out: Out<'_>) {
        let Some(text) = self.yaml.take().filter(|text| !text.trim().is_empty()) else {
            return;
        };
        match yaml::read(&text) {
            Some(documents) => {
                for value in &documents {
                    content(value, b"", around, offset, depth, out);
                }
            }
            None => out(step(around, offset, depth, Leaf::Damaged(text.as_bytes()))),
        }
    }
}

/// A message: a document as text, or lines.
fn message(text: &str, around: &Around, offset: u64, depth: usize, out: Out<'_>) {
    if !matches!(text.trim_start().as_bytes().first(), Some(b'{' | b'[')) {
        return out(step(around, offset, depth, Leaf::Text(text.as_bytes())));
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) => content(&value, text.as_bytes(), around, offset, depth, out),
        // Several, or one that broke off.
        Err(_) => stream(text.as_bytes(), around, offset, depth, out),
    }
}

/// A stream that is whole.
fn stream(bytes: &[u8], around: &Around, offset: u64, depth: usize, out: Out<'_>) {
    let mut walker = Walker::default();
    walker.splitter.push(bytes, offset);
    walker.close(around, depth, out);
}

fn inner(inner: &Inner, offset: u64, depth: usize, out: Out<'_>) {
    match &inner.content {
        Content::Text(text) => message(text, &inner.around, offset, depth, out),
        Content::Value(value) => content(value, b"", &inner.around, offset, depth, out),
    }
}

/// A document; `text` is how it was written, empty where it was part of another.
fn content(value: &Value, text: &[u8], around: &Around, offset: u64, depth: usize, out: Out<'_>) {
    let opened = if depth < DEEPEST {
        open(value, around)
    } else {
        None
    };
    let line = || {
        // One line, as layouts read it.
        if text.is_empty() || memchr::memchr(b'\n', text).is_some() {
            Cow::Owned(value.to_string().into_bytes())
        } else {
            Cow::Borrowed(text)
        }
    };
    match opened {
        Some((carrier, Opened::Carries(all))) => {
            out(step(around, offset, depth, Leaf::Carries(carrier, all.len())));
            for one in &all {
                inner(one, offset, depth + 1, out);
            }
        }
        Some((carrier, Opened::Stream(bytes))) => {
            out(step(around, offset, depth, Leaf::Carries(carrier, 1)));
            stream(&bytes, around, offset, depth + 1, out);
        }
        Some((carrier, opened)) => out(step(
            around,
            offset,
            depth,
            Leaf::Document(carrier, opened, &line()),
        )),
        None => out(step(around, offset, depth, Leaf::Text(&line()))),
    }
}

const fn step<'a>(around: &'a Around, offset: u64, depth: usize, leaf: Leaf<'a>) -> Step<'a> {
    Step {
        offset,
        depth,
        around,
        leaf,
    }
}
