//! What was given of the writer's lines: each once, in the order written, none joined, none made up.

use std::collections::BTreeMap;

use flinktail::app::engine::Engine;
use flinktail::line::LogId;
use flinktail::tail::{LogInfo, Read, Sink};

use super::tell;
use super::writer::Truth;

/// Lines given so far, and what is open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Numbers of the lines, in the order in which they were given.
    pub given: Vec<u32>,
    /// Where in `given` a line stands.
    places: BTreeMap<u32, usize>,
    open: BTreeMap<LogId, (u64, Vec<u8>)>,
}

/// A moment of a ledger, to go back to.
#[derive(Debug, Clone, Default)]
pub struct Mark {
    given: usize,
    open: BTreeMap<LogId, (u64, Vec<u8>)>,
}

impl Mark {
    /// Whether a line was given by then.
    pub fn has(&self, ledger: &Ledger, line: u32) -> bool {
        ledger.places.get(&line).is_some_and(|place| *place < self.given)
    }
}

impl Ledger {
    pub fn mark(&self) -> Mark {
        Mark {
            given: self.given.len(),
            open: self.open.clone(),
        }
    }

    /// Forgets what came after a moment.
    pub fn go_back(&mut self, mark: &Mark) {
        for line in self.given.drain(mark.given..) {
            self.places.remove(&line);
        }
        self.open.clone_from(&mark.open);
    }

    pub fn has(&self, line: u32) -> bool {
        self.places.contains_key(&line)
    }

    fn line(&mut self, text: &[u8], truth: &Truth) {
        let text = std::str::from_utf8(text).expect("written as UTF-8");
        let number =
            number(text).filter(|number| truth.lines.get(*number as usize).is_some_and(|line| line == text));
        let Some(number) = number else {
            assert!(truth.scraps.contains(text), "never written: {text:?}");
            tell(|| format!("  a scrap: {text}"));
            return;
        };
        let place = self.given.len();
        let last = self.given.last();
        let is_next = last.is_none_or(|last| *last < number) || self.has(number);
        assert!(
            is_next || !truth.is_ordered,
            "out of order: {text}, after line {last:?}"
        );
        assert!(self.places.insert(number, place).is_none(), "given twice: {text}");
        self.given.push(number);
    }
}

/// The number of a line: its time of the day in milliseconds.
fn number(text: &str) -> Option<u32> {
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<u32>().ok();
    Some(((part(11..13)? * 60 + part(14..16)?) * 60 + part(17..19)?) * 1000 + part(20..23)?)
}

/// The program's own sink, with the ledger beside it.
pub struct Both<'a> {
    pub ledger: &'a mut Ledger,
    pub truth: &'a Truth,
    pub engine: &'a mut Engine,
}

impl Sink for Both<'_> {
    fn open(&mut self, log: LogId, info: &LogInfo) {
        tell(|| format!("  {log:?}: {}", info.name));
        self.ledger.open.entry(log).or_default();
        self.engine.open(log, info);
    }

    fn wants(&self, log: LogId) -> bool {
        self.engine.wants(log)
    }

    fn bytes(&mut self, log: LogId, read: &Read<'_>) {
        tell(|| format!("  {log:?}: {} bytes at {}", read.bytes.len(), read.offset));
        let (next, mut open) = self.ledger.open.remove(&log).expect("opened first");
        assert!(
            open.is_empty() || next == read.offset,
            "joined from bytes that do not follow"
        );
        for piece in read.bytes.split_inclusive(|byte| *byte == b'\n') {
            open.extend_from_slice(piece);
            if let Some(line) = open.strip_suffix(b"\n") {
                let line = line.to_vec();
                self.ledger.line(&line, self.truth);
                open.clear();
            }
        }
        let next = read.offset + read.bytes.len() as u64;
        self.ledger.open.insert(log, (next, open));
        self.engine.bytes(log, read);
    }

    fn file_end(&mut self, log: LogId) {
        tell(|| format!("  {log:?}: end of file"));
        let (_, open) = self
            .ledger
            .open
            .insert(log, (0, Vec::new()))
            .expect("opened first");
        if !open.is_empty() {
            self.ledger.line(&open, self.truth);
        }
        self.engine.file_end(log);
    }

    fn file_cut(&mut self, log: LogId) {
        tell(|| format!("  {log:?}: cut"));
        self.ledger.open.insert(log, (0, Vec::new()));
        self.engine.file_cut(log);
    }

    fn gone(&mut self, log: LogId) {
        tell(|| format!("  {log:?}: gone"));
        Sink::gone(self.engine, log);
    }
}
