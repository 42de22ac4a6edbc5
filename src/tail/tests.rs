//! A tailer on a real directory, passes driven by hand, and a sink that joins lines as strictly as the decoder does.
//! Tests are named after the scenarios of the tailing faults (T01 …) that they cover.

mod ahead;
mod alone;
mod behind;
mod between;
mod birth;
mod bytes;
mod discovery;
mod faults;
mod faulty;
mod order;
mod packed;
mod property;
mod race;
mod resume;
mod rotation;
mod truncation;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;

use super::fs::{Fs, OsFs};
use super::{
    Aids, Classify, HeadFacts, Known, LogInfo, LogReader, Notice, Position, Read, Search, Settings, Sink,
    Source, Tailer, Writer,
};
use crate::line::LogId;
use crate::stats::{Lost, Op, Rotation, SourceStats};

/// Joins bytes to lines; panics on whatever a sink may rely on not to happen.
#[derive(Debug, Default)]
struct Recorder {
    opened: Vec<LogInfo>,
    lines: Vec<String>,
    partial: BTreeMap<LogId, Vec<u8>>,
    next: BTreeMap<LogId, u64>,
    ends: usize,
    cuts: usize,
    gone: usize,
    fresh: usize,
    longest: usize,
}

impl Recorder {
    fn line(&mut self, bytes: &[u8]) {
        self.lines.push(String::from_utf8_lossy(bytes).into_owned());
    }
}

impl Sink for Recorder {
    fn open(&mut self, log: LogId, info: &LogInfo) {
        assert!(
            self.partial.insert(log, Vec::new()).is_none(),
            "opened twice: {info:?}"
        );
        self.opened.push(info.clone());
    }

    fn bytes(&mut self, log: LogId, read: &Read<'_>) {
        assert!(!read.bytes.is_empty());
        self.longest = self.longest.max(read.bytes.len());
        self.fresh += usize::from(read.fresh);
        let mut partial = self.partial.remove(&log).expect("opened first");
        if !partial.is_empty() {
            assert_eq!(
                self.next.get(&log),
                Some(&read.offset),
                "a line is joined from bytes that do not follow"
            );
        }
        self.next.insert(log, read.offset + read.bytes.len() as u64);
        for piece in read.bytes.split_inclusive(|byte| *byte == b'\n') {
            partial.extend_from_slice(piece);
            if let Some(line) = partial.strip_suffix(b"\n") {
                let line = line.to_vec();
                self.line(&line);
                partial.clear();
            }
        }
        self.partial.insert(log, partial);
    }

    fn file_end(&mut self, log: LogId) {
        self.ends += 1;
        let partial = self.partial.insert(log, Vec::new()).expect("opened first");
        if !partial.is_empty() {
            self.line(&partial);
        }
    }

    fn file_cut(&mut self, log: LogId) {
        self.cuts += 1;
        self.partial.insert(log, Vec::new()).expect("opened first");
    }

    fn gone(&mut self, _: LogId) {
        self.gone += 1;
    }
}

/// What the decoder would tell: lines begin with `T` and seconds; a first line with `task` or `noise` is not a JobManager's.
fn classify() -> Classify {
    Box::new(|head: &[u8]| {
        let text = String::from_utf8_lossy(head);
        let first = text.lines().find_map(|line| {
            let digits: String = line
                .strip_prefix('T')?
                .chars()
                .take_while(char::is_ascii_digit)
                .collect();
            Timestamp::from_second(digits.parse().ok()?).ok()
        });
        let writer = match first {
            Some(_) if text.contains("task") => Writer::TaskManager,
            Some(_) => Writer::JobManager,
            None => Writer::Unknown,
        };
        HeadFacts {
            first_time: first,
            writer,
        }
    })
}

/// Every pass looks at everything, so that nothing depends on waiting.
fn settings() -> Settings {
    Settings {
        period: Duration::ZERO,
        chunk: 512,
        ..Settings::default()
    }
}

struct Rig {
    dir: TempDir,
    tailer: Tailer,
    sink: Recorder,
    now: Duration,
    /// Numbers and positions of each log, taken when the tailer said that they may have changed.
    known: BTreeMap<LogId, (Option<SourceStats>, Vec<Position>)>,
}

impl Rig {
    /// A tailer of paths below a new directory.
    fn new(paths: &[&str]) -> Self {
        Self::with(tempfile::tempdir().unwrap(), paths, settings(), Arc::new(OsFs))
    }

    fn with(dir: TempDir, paths: &[&str], settings: Settings, fs: Arc<dyn Fs>) -> Self {
        let tailer = tailer(dir.path(), paths, settings, fs, Vec::new());
        Self {
            dir,
            tailer,
            sink: Recorder::default(),
            now: Duration::ZERO,
            known: BTreeMap::new(),
        }
    }

    /// Stops and starts again from the positions, as a new process does.
    fn restart(&mut self, paths: &[&str]) {
        self.restart_on(paths, Arc::new(OsFs));
    }

    fn restart_on(&mut self, paths: &[&str], fs: Arc<dyn Fs>) {
        let positions = self.tailer.positions();
        self.tailer = tailer(self.dir.path(), paths, settings(), fs, positions);
        self.sink = Recorder::default();
        self.known.clear();
    }

    /// A tailer that has read so many lines of its one file.
    fn reading(paths: &[&str], name: &str, count: u32) -> Self {
        let mut rig = Self::new(paths);
        rig.append(name, text(0, count));
        rig.poll();
        rig
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        append(&self.path(name), text.as_ref());
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    /// As a writer has it open that appends.
    fn open(&self, name: &str) -> fs::File {
        fs::File::options().append(true).open(self.path(name)).unwrap()
    }

    fn copy(&self, from: &str, to: &str) {
        fs::copy(self.path(from), self.path(to)).unwrap();
    }

    /// Cuts a file to nothing.
    fn cut(&self, name: &str) {
        self.open(name).set_len(0).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    /// As if it had last been written then.
    fn date(&self, name: &str, at: std::time::SystemTime) {
        self.open(name).set_modified(at).unwrap();
    }

    /// Passes until there is nothing more, some milliseconds apart.
    fn poll(&mut self) {
        for _ in 0..1000 {
            self.now += Duration::from_millis(10);
            let more = self.tailer.poll(self.now, &mut self.sink).more;
            self.expect_all_changes_told();
            if !more {
                return;
            }
        }
        panic!("there is always more");
    }

    /// Whoever keeps what is told to have changed has everything.
    fn expect_all_changes_told(&mut self) {
        let now = |tailer: &Tailer, id| (tailer.stats_of(id), tailer.positions_of(id));
        for id in self.tailer.take_touched() {
            self.known.insert(id, now(&self.tailer, id));
        }
        for (id, stats) in self.tailer.stats() {
            let Some(id) = id else { continue };
            let expected = (Some(stats), self.tailer.positions_of(id));
            assert_eq!(self.known.get(&id), Some(&expected), "not told of {id:?}");
        }
    }

    /// Enough passes for what is in doubt to be decided.
    fn settle(&mut self) {
        (0..3).for_each(|_| self.poll());
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.poll();
    }

    fn stats(&self) -> SourceStats {
        let stats = self.tailer.stats();
        assert_eq!(stats.len(), 1, "{stats:?}");
        stats[0].1.clone()
    }

    fn rotations(&self, kind: Rotation) -> u64 {
        self.stats().rotations.get(&kind).copied().unwrap_or(0)
    }

    fn lost(&self, why: Lost) -> u64 {
        self.stats().lost_bytes.get(&why).copied().unwrap_or(0)
    }

    fn errors(&self, op: Op) -> u64 {
        self.tailer
            .stats()
            .iter()
            .map(|(_, stats)| stats.errors.get(&op).copied().unwrap_or(0))
            .sum()
    }

    /// Every line up to this one was given, once and in order.
    #[track_caller]
    fn expect_lines(&self, count: u32) {
        assert_eq!(self.sink.lines, lines(0, count));
    }

    /// The lines given that have a number.
    fn numbered(&self) -> Vec<String> {
        let given = self.sink.lines.iter();
        given.filter(|line| line.contains("line")).cloned().collect()
    }

    #[track_caller]
    fn expect(&self, lines: &[&str]) {
        assert_eq!(self.sink.lines, lines);
    }

    #[track_caller]
    fn expect_notice(&mut self, said: impl Fn(&Notice) -> bool) {
        let notices = self.tailer.take_notices();
        assert!(notices.iter().any(said), "{notices:?}");
    }
}

/// Of `name` ten lines are read, then something happens: in the end every line up to `count` was given once and in order,
/// and the rotation was told, if it is one.
#[track_caller]
fn check(
    source: &str,
    name: &str,
    happens: impl FnOnce(&mut Rig),
    count: u32,
    told: Option<Rotation>,
) -> Rig {
    let mut rig = Rig::reading(&[source], name, 10);
    happens(&mut rig);
    rig.settle();
    rig.expect_lines(count);
    if let Some(kind) = told {
        assert_eq!(rig.rotations(kind), 1, "{kind:?}");
    }
    rig
}

fn tailer(
    dir: &Path,
    paths: &[&str],
    settings: Settings,
    fs: Arc<dyn Fs>,
    positions: Vec<Position>,
) -> Tailer {
    let sources = paths
        .iter()
        .map(|path| Source::new(dir.join(path).as_os_str(), None).unwrap())
        .collect();
    let mut tailer = Tailer::new(fs, sources, classify(), settings, positions);
    // Helpers change when bytes are read, never which.
    let search: crate::tail::Search = Arc::new(|_, _, hits| hits.clear());
    tailer.read_ahead(2, &search);
    tailer
}

fn append(path: &Path, text: &[u8]) {
    let mut file = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    file.write_all(text).unwrap();
}

fn gzip(path: &Path, text: &[u8]) {
    let mut encoder =
        flate2::write::GzEncoder::new(fs::File::create(path).unwrap(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap();
}

/// Lines of about 40 bytes, numbered.
fn lines(from: u32, to: u32) -> Vec<String> {
    (from..to)
        .map(|n| format!("T{} line {n:09} ................", 1_000_000 + n))
        .collect()
}

fn text(from: u32, to: u32) -> String {
    lines(from, to)
        .into_iter()
        .flat_map(|line| [line, "\n".into()])
        .collect()
}

/// Reads everything there is once.
fn replay(dir: &Path, paths: &[&str]) -> Vec<String> {
    let (readers, _) = tailer(dir, paths, settings(), Arc::new(OsFs), Vec::new()).into_readers();
    let mut sink = Recorder::default();
    for mut reader in readers {
        read_all(&mut reader, &mut sink);
    }
    sink.lines
}

/// One helper, which looks for nothing.
fn aids() -> Aids {
    let search: Search = Arc::new(|_, _, hits| hits.clear());
    Aids::new(2, &search)
}

/// Reads a log to its end.
fn read_all(reader: &mut LogReader, sink: &mut Recorder) {
    let mut aids = aids();
    sink.open(reader.id(), reader.info());
    while !reader.read(u64::MAX, &mut aids, sink).over {}
}

fn source(path: &str, cluster: Option<&str>) -> Source {
    Source::new(OsStr::new(path), cluster).unwrap()
}
