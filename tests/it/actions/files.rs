//! Logs as their writer and whoever rotates them treat them, and the book of what was written.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::mem::take;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::crash::rotated;
use crate::random::Random;

/// What every file begins with: longer than the head by which files are known, so that all begin alike.
const BANNER: &str = "INFO  org.apache.flink.runtime.entrypoint.ClusterEntrypoint [] - \
    --------------------------------------------------------------------------------";
const BANNER_LINES: usize = 12;

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was written as a whole and could be read as long as it took.
    Whole,
    /// It was destroyed before it was known to have been read.
    Doubtful,
    /// Its end is missing, or was written elsewhere.
    Torn,
}

/// Every line that was ever begun, by its number, and the bytes of all files.
pub struct Ledger {
    /// Time of the first line.
    began: Timestamp,
    fates: Vec<Fate>,
    /// Bytes written.
    pub bytes: u64,
    /// Of these destroyed before they were known to have been read: at most so many.
    pub destroyed_bytes: u64,
}

/// The job that a line is about: a job for each, so that each can be told from all others.
pub fn id(line: usize) -> String {
    format!("{line:032x}")
}

impl Ledger {
    /// An empty book. What its lines tell is some hours old: long enough for `/metrics` not to show it any more.
    pub fn new(now: Timestamp) -> Self {
        Self {
            began: now - SignedDuration::from_hours(3),
            fates: Vec::new(),
            bytes: 0,
            destroyed_bytes: 0,
        }
    }

    /// All lines of this fate.
    pub fn lines(&self, fate: Fate) -> impl Iterator<Item = usize> {
        let lines = self.fates.iter().enumerate();
        lines.filter(move |(_, of)| **of == fate).map(|(line, _)| line)
    }

    /// Another line, which ends a job.
    fn line(&mut self) -> (usize, String) {
        let line = self.fates.len();
        self.fates.push(Fate::Whole);
        let text = format!(
            "{} INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph [] - \
             Job job-{line} ({}) switched from state RUNNING to FINISHED.\n",
            self.time(line),
            id(line)
        );
        (line, text)
    }

    fn time(&self, line: usize) -> impl std::fmt::Display {
        let passed = SignedDuration::from_millis(i64::try_from(line).unwrap());
        (self.began + passed).strftime("%Y-%m-%d %H:%M:%S,%3f")
    }

    /// This many lines, and their numbers.
    fn text(&mut self, count: u64) -> (Vec<usize>, String) {
        (0..count).map(|_| self.line()).unzip()
    }
}

/// A log: the file written to, what it was called before, and what of it is not known to be read.
pub struct Log {
    path: PathBuf,
    /// For a log that is a link: the directory of what it points to, and how many there were.
    targets: Option<(PathBuf, u32)>,
    file: Option<File>,
    /// The line that was torn, and what of it is still to be written.
    rest: Option<(usize, Vec<u8>)>,
    /// Whole lines of the present file that are not known to be read.
    unread: Vec<usize>,
    /// Bytes of the present file that are not known to be read.
    unread_bytes: u64,
    last_line: Option<usize>,
}

impl Log {
    /// A log in this directory, which is made; there is no file yet.
    pub fn plain(logs: &Path, name: &str) -> Self {
        fs::create_dir_all(logs).unwrap();
        Self {
            path: logs.join(name),
            targets: None,
            file: None,
            rest: None,
            unread: Vec::new(),
            unread_bytes: 0,
            last_line: None,
        }
    }

    /// One that is a link to a file elsewhere.
    pub fn linked(logs: &Path, elsewhere: &Path, name: &str) -> Self {
        fs::create_dir_all(elsewhere).unwrap();
        Self {
            targets: Some((elsewhere.to_owned(), 0)),
            ..Self::plain(logs, name)
        }
    }

    /// Its name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The last line that was written as a whole, where it was not destroyed.
    pub const fn last_line(&self) -> Option<usize> {
        self.last_line
    }

    /// All of its whole lines are known to be read.
    pub fn settled(&mut self) {
        let ends_whole = self.rest.is_none() && !self.unread.is_empty();
        if ends_whole {
            self.unread_bytes = 0;
        }
        self.unread.clear();
    }

    /// Some lines, in pieces; the last may be torn, and goes on with the next call.
    pub fn append(&mut self, random: &mut Random, ledger: &mut Ledger) {
        self.finish(ledger);
        let (mut lines, text) = ledger.text(1 + random.below(20));
        let mut bytes = text.into_bytes();
        if random.chance(400) {
            let line = lines.pop().unwrap();
            // Not so near its end that what is there is as good as the whole.
            let torn = 40 + random.index(80);
            let rest = bytes.split_off(bytes.len() - torn);
            self.tear(line, rest, ledger);
        }
        let piece = 1 + random.index(bytes.len());
        bytes.chunks(piece).for_each(|piece| self.write(piece, ledger));
        self.wrote(&lines);
    }

    fn tear(&mut self, line: usize, rest: Vec<u8>, ledger: &mut Ledger) {
        ledger.fates[line] = Fate::Torn;
        self.rest = Some((line, rest));
    }

    /// Writes the rest of a torn line into the file that it began in.
    pub fn finish(&mut self, ledger: &mut Ledger) {
        if let Some((line, rest)) = self.rest.take() {
            self.write(&rest, ledger);
            ledger.fates[line] = Fate::Whole;
            self.wrote(&[line]);
        }
    }

    fn wrote(&mut self, lines: &[usize]) {
        self.unread.extend(lines);
        self.last_line = lines.last().copied().or(self.last_line);
    }

    fn write(&mut self, bytes: &[u8], ledger: &mut Ledger) {
        if self.file.is_none() {
            self.open(ledger);
        }
        self.put(bytes, ledger);
    }

    fn put(&mut self, bytes: &[u8], ledger: &mut Ledger) {
        let mut file = self.file.as_ref().unwrap();
        file.write_all(bytes).unwrap();
        ledger.bytes += bytes.len() as u64;
        self.unread_bytes += bytes.len() as u64;
    }

    /// A new file of its name, or the file of that name if there is one.
    fn open(&mut self, ledger: &mut Ledger) {
        if self.targets.is_some() && self.path.symlink_metadata().is_err() {
            self.point_to_new_target();
        }
        let file = OpenOptions::new().create(true).append(true).open(&self.path);
        self.file = Some(file.unwrap());
        let banner = format!("2026-03-02 00:00:00,000 {BANNER}\n").repeat(BANNER_LINES);
        self.put(banner.as_bytes(), ledger);
    }

    /// Makes its name a link to another file, in one step.
    fn point_to_new_target(&mut self) {
        let (directory, number) = self.targets.as_mut().unwrap();
        *number += 1;
        let next = directory.join("next");
        symlink(directory.join(format!("{number}.log")), &next).unwrap();
        fs::rename(next, &self.path).unwrap();
    }

    /// Renamed; a new file comes with the next line. A torn line ends in the old file, or in the new one.
    pub fn rename(&mut self, random: &mut Random, ledger: &mut Ledger) {
        if self.file.is_none() {
            return;
        }
        self.shift();
        fs::rename(&self.path, rotated(&self.path, 1)).unwrap();
        if random.chance(500) {
            self.finish(ledger);
        }
        self.file = None;
        self.keep();
        self.scatter(ledger);
    }

    /// Copied to where it would have been renamed to, and emptied.
    pub fn copy_and_truncate(&mut self, random: &mut Random, ledger: &mut Ledger) {
        let Some(file) = &self.file else { return };
        self.shift();
        fs::copy(&self.path, rotated(&self.path, 1)).unwrap();
        file.set_len(0).unwrap();
        self.keep();
        if random.chance(500) {
            self.scatter(ledger);
        }
        self.rest = None;
    }

    /// What was in the file is in another one now.
    fn keep(&mut self) {
        self.unread.clear();
        self.unread_bytes = 0;
    }

    /// Writes the rest of a torn line where it does not belong to anything.
    fn scatter(&mut self, ledger: &mut Ledger) {
        if let Some((_, rest)) = self.rest.take() {
            self.write(&rest, ledger);
        }
    }

    /// What was in the file is nowhere any more.
    fn destroy(&mut self, ledger: &mut Ledger) {
        for line in take(&mut self.unread) {
            ledger.fates[line] = Fate::Doubtful;
        }
        ledger.destroyed_bytes += take(&mut self.unread_bytes);
        self.rest = None;
        self.last_line = None;
    }

    /// Emptied in place and written anew, longer than it was.
    pub fn rewrite(&mut self, ledger: &mut Ledger) {
        let Some(file) = &self.file else { return };
        let size = file.metadata().unwrap().len();
        file.set_len(0).unwrap();
        self.destroy(ledger);
        let begun = ledger.bytes;
        while ledger.bytes - begun <= size {
            self.write_lines(10, ledger);
        }
    }

    /// So many lines.
    pub fn write_lines(&mut self, count: u64, ledger: &mut Ledger) {
        let (lines, text) = ledger.text(count);
        self.write(text.as_bytes(), ledger);
        self.wrote(&lines);
    }

    /// Deleted; a new file comes with the next line.
    pub fn delete(&mut self, ledger: &mut Ledger) {
        if self.file.take().is_some() {
            fs::remove_file(fs::canonicalize(&self.path).unwrap()).unwrap();
            self.destroy(ledger);
        }
    }

    /// Another file is put in its place, in one step.
    pub fn replace(&mut self, ledger: &mut Ledger) {
        if self.file.take().is_some() {
            let next = self.path.with_extension("next");
            File::create(&next).unwrap();
            self.destroy(ledger);
            fs::rename(&next, &self.path).unwrap();
            self.write_lines(5, ledger);
        }
    }

    /// The link points to another file from now on; where it is no link, there is nothing to swap.
    pub fn swap(&mut self, ledger: &mut Ledger) {
        if self.targets.is_some() && self.file.take().is_some() {
            self.destroy(ledger);
            self.point_to_new_target();
            self.write_lines(5, ledger);
        }
    }

    /// Makes room for a rotated file.
    fn shift(&self) {
        let name = |number| rotated(&self.path, number);
        let numbers = (1..).take_while(|number| name(*number).exists());
        for number in numbers.collect::<Vec<_>>().into_iter().rev() {
            fs::rename(name(number), name(number + 1)).unwrap();
        }
    }
}
