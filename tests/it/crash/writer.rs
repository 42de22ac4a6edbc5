//! A writer of logs that keeps the books: what it wrote is what must be counted.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::rotated;
use crate::random::Random;

/// Jobs that it writes about.
pub const JOBS: usize = 5;

/// Rotated files kept. One more rotation would destroy the oldest, and waits until that has been read.
const KEPT: usize = 200;

/// What was written.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    /// Transitions to RUNNING.
    pub running: u64,
    /// Transitions to RESTARTING.
    pub restarting: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Appends whole and torn lines, and rotates in both ways.
pub struct Writer {
    log: PathBuf,
    file: File,
    random: Random,
    lines: u64,
    /// Jobs that are RESTARTING.
    down: [bool; JOBS],
    /// The end of a line that was torn, to be written next.
    rest: Vec<u8>,
    /// How much had been written when each of the rotated files was left, the newest first.
    left: VecDeque<u64>,
    /// How much is known to have been read; whoever scrapes keeps it up to date.
    pub read: Arc<AtomicU64>,
    /// What was written so far.
    pub truth: Truth,
}

impl Writer {
    /// A writer of a new log in this directory, which is made.
    pub fn new(logs: &Path, seed: u64) -> Self {
        fs::create_dir(logs).unwrap();
        let log = logs.join("jobmanager.log");
        Self {
            file: open(&log),
            log,
            random: Random(seed ^ 0xabcd),
            lines: 0,
            down: [false; JOBS],
            rest: Vec::new(),
            left: VecDeque::new(),
            read: Arc::default(),
            truth: Truth::default(),
        }
    }

    /// A few lines, and now and then a rotation.
    pub fn step(&mut self) {
        self.append();
        match self.random.below(60) {
            0 if self.may_rotate() => {
                self.shift();
                fs::rename(&self.log, rotated(&self.log, 1)).unwrap();
                self.finish();
                self.file = open(&self.log);
                self.left.push_front(self.truth.bytes);
            }
            1 if self.may_rotate() => {
                self.finish();
                self.shift();
                fs::copy(&self.log, rotated(&self.log, 1)).unwrap();
                self.file.set_len(0).unwrap();
                self.left.push_front(self.truth.bytes);
            }
            _ => {}
        }
    }

    /// A few lines; the last may be torn, and goes on with the next call.
    pub fn append(&mut self) {
        let mut bytes = std::mem::take(&mut self.rest);
        for _ in 0..20 {
            self.line(&mut bytes);
        }
        if self.random.below(3) == 0 {
            let torn = bytes.len() - usize::try_from(self.random.below(150)).unwrap();
            self.rest = bytes.split_off(torn);
        }
        self.write(&bytes);
    }

    /// This many lines, of which few tell anything.
    pub fn append_with_noise(&mut self, lines: usize) {
        self.append();
        let line = "2026-03-02 00:00:00,000 DEBUG org.apache.flink.runtime.dispatcher.DispatcherRestEndpoint   [] - \
                    Received request /jobs/overview; a line such as most are, of which nothing follows.\n";
        // After what may be torn: a line that nobody looks at.
        self.finish();
        self.write(line.repeat(lines.saturating_sub(20)).as_bytes());
    }

    /// The log's own name.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Goes on in a new file of that name.
    pub fn reopen(&mut self) {
        self.file = open(&self.log);
    }

    /// Empties the file.
    pub fn truncate(&mut self) {
        self.file.set_len(0).unwrap();
    }

    /// Writes the rest of a torn line.
    pub fn finish(&mut self) {
        let rest = std::mem::take(&mut self.rest);
        self.write(&rest);
    }

    fn write(&mut self, bytes: &[u8]) {
        self.file.write_all(bytes).unwrap();
        self.truth.bytes += bytes.len() as u64;
    }

    fn line(&mut self, out: &mut Vec<u8>) {
        let (second, milli) = (self.lines / 1000, self.lines % 1000);
        let time = format!(
            "{:02}:{:02}:{:02},{milli:03}",
            second / 3600,
            second / 60 % 60,
            second % 60
        );
        self.lines += 1;
        let job = usize::try_from(self.random.below(10)).unwrap();
        let line = if job < JOBS {
            let names = ["RUNNING", "RESTARTING"];
            let (from, to) = if self.down[job] { (1, 0) } else { (0, 1) };
            self.down[job] = !self.down[job];
            if to == 0 {
                self.truth.running += 1;
            } else {
                self.truth.restarting += 1;
            }
            format!(
                "2026-03-02 {time} INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph       [] - \
                 Job job-{job} ({job:032x}) switched from state {} to {}.\n",
                names[from], names[to]
            )
        } else {
            format!(
                "2026-03-02 {time} INFO  org.apache.flink.runtime.checkpoint.CheckpointCoordinator    [] - \
                 Completed checkpoint {} for job 0 (1 bytes).\n",
                self.lines
            )
        };
        out.extend_from_slice(line.as_bytes());
    }

    /// Whether the file that would be destroyed, if any, has been read.
    fn may_rotate(&self) -> bool {
        let oldest = self.left.get(KEPT - 1);
        oldest.is_none_or(|left| *left <= self.read.load(Ordering::Relaxed))
    }

    /// Makes room for a rotated file.
    fn shift(&mut self) {
        self.left.truncate(KEPT - 1);
        for number in (1..=self.left.len() as u64).rev() {
            fs::rename(rotated(&self.log, number), rotated(&self.log, number + 1)).unwrap();
        }
    }
}

fn open(log: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(log).unwrap()
}
