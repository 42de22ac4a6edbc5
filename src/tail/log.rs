//! One log: its files in the order of their content, the one being read first.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::ahead::{Ahead, Upcoming};
use super::arrivals::Later;
use super::birth::Birth;
use super::file::{Form, Tracked};
use super::identity::{FileId, Place, Position};
use super::pass::{Numbers, Pass};
use super::step::Step;
use super::{LogInfo, Read, Sink};
use crate::line::LogId;
use crate::stats::{Backlog, SourceStats};

/// Whether a log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing in it has shown yet whose it is.
    Waiting,
    /// Read.
    Followed,
    /// Tells nothing of jobs.
    LeftOut,
}

/// A rotation family.
pub(super) struct Log {
    pub(super) id: LogId,
    pub(super) info: LogInfo,
    pub(super) dir: Arc<Path>,
    pub(super) stem: Arc<OsStr>,
    pub(super) stage: Stage,
    /// Files not yet read to their end, in the order of their content; the first is being read, the last is the
    /// current one if there is one.
    pub(super) queue: VecDeque<Tracked>,
    /// Files read to their end that are still there: they may grow, be packed, or be overwritten.
    pub(super) done: Vec<Tracked>,
    /// What files held that were read to their end and are found no more, and since when: their packed copies may come.
    pub(super) departed: Vec<(Place, Duration)>,
    /// Saved positions, until the log's files are first seen.
    pub(super) restored: Vec<Position>,
    /// The file that had the log's own name when last looked at.
    pub(super) current: Option<FileId>,
    /// Files that are not looked into again yet.
    pub(super) later: BTreeMap<FileId, Later>,
    /// Since when it cannot be told which of its files are news, because they change.
    pub(super) unsettled: Option<Duration>,
    /// How many of the saved positions' files held something else at the last look.
    pub(super) overwritten: usize,
    /// It has saved positions, or had them at the start.
    pub(super) resumed: bool,
    /// Its files have been seen.
    pub(super) sighted: bool,
    /// It has no file any more, and the sink was told.
    pub(super) gone: bool,
    pub(super) numbers: Numbers,
    pub(super) backlog: Backlog,
    /// Not 0 where something is expected of files that were not found yet, or could not be put in order.
    pub(super) owed: usize,
    /// Bytes gone over of files of which something was expected.
    pub(super) gone_over: u64,
}

/// What is to be done with a log after it was read for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// All that can be had was had.
    Idle,
    /// There is more.
    More,
    /// Its directory must be looked at before it can go on.
    Look,
}

impl Log {
    pub(super) fn new(id: LogId, info: LogInfo, dir: Arc<Path>, stem: Arc<OsStr>) -> Self {
        Self {
            id,
            info,
            dir,
            stem,
            stage: Stage::Waiting,
            queue: VecDeque::new(),
            done: Vec::new(),
            departed: Vec::new(),
            restored: Vec::new(),
            current: None,
            later: BTreeMap::new(),
            unsettled: None,
            overwritten: 0,
            resumed: false,
            sighted: false,
            gone: false,
            numbers: Numbers::default(),
            backlog: Backlog::default(),
            owed: 0,
            gone_over: 0,
        }
    }

    /// Whether some of what it held at the start is still to be read.
    pub(super) const fn is_behind(&self) -> bool {
        self.backlog.read_files < self.backlog.total_files || self.owed > 0
    }

    /// Whether what is found counts as there at the start: while old content is read it may be a part of that under another name.
    pub(super) const fn expects(&self, beginning: bool) -> bool {
        beginning || self.is_behind()
    }

    /// How much to read of it at once, where that should be about `most` bytes: somewhat more where it has read then what was there
    /// at the start. To come back for the rest takes as long as reading a MiB, and files that were cut at a size are a little larger.
    pub(super) fn turn(&self, most: usize) -> usize {
        let left = self.backlog.total_bytes.saturating_sub(self.backlog.read_bytes);
        match usize::try_from(left) {
            Ok(left) if (most..=most + most / 4).contains(&left) => left,
            _ => most,
        }
    }

    /// Reads on, at most `budget` bytes; returns how many.
    pub(super) fn advance(
        &mut self,
        pass: &mut Pass,
        budget: usize,
        buffer: &mut Vec<u8>,
        sink: &mut dyn Sink,
    ) -> (Progress, usize) {
        let mut read = 0;
        while let Some(front) = self.queue.front_mut() {
            let before = front.place.offset;
            let step = front.read(pass, &mut self.numbers, buffer);
            match step {
                Step::Data(data) => {
                    read += data.taken;
                    pass.left = pass.left.saturating_sub(data.taken as u64);
                    let bytes = &buffer[data.range];
                    if !bytes.is_empty() {
                        let (offset, mtime) = (data.offset, front.mtime);
                        let given = Read {
                            bytes,
                            offset,
                            mtime,
                            fresh: data.fresh,
                            hits: pass.ahead.as_ref().filter(|_| data.searched).map(Ahead::hits),
                        };
                        sink.bytes(self.id, &given);
                    }
                    if let Some(end) = front.expected {
                        self.gone_over += data.taken as u64;
                        let after = front.place.offset.min(end);
                        self.backlog.read_bytes += after.saturating_sub(before);
                        if after == end && !front.is_packed() {
                            front.expected = None;
                            self.backlog.read_files += 1;
                        }
                    }
                    if read >= budget {
                        return (Progress::More, read);
                    }
                }
                Step::AtEnd => {
                    // Shorter than it was at the start, that is.
                    if !front.is_packed() {
                        Self::drop_backlog(&mut self.backlog, front);
                    }
                    if !self.is_front_over(pass) {
                        break;
                    }
                    if !self.queue.front_mut().is_none_or(Tracked::is_at_its_end) {
                        pass.soon = true;
                        break;
                    }
                    self.leave_front(pass, sink);
                }
                Step::Wait => break,
                Step::Cut(kind) => {
                    self.numbers.rotated(kind);
                    let old = front.begin_anew(kind, pass.now);
                    if self.current != Some(front.id) {
                        // What nobody is expected to write to is not simply read anew: it may be a copy of what was read.
                        self.queue.pop_front();
                    }
                    self.queue.push_front(old);
                    return (Progress::Look, read);
                }
                Step::Look => return (Progress::Look, read),
            }
        }
        (Progress::Idle, read)
    }

    /// What is read of it when its turn comes, where that is much.
    pub(super) fn upcoming(&mut self, pass: &mut Pass) -> Option<Upcoming> {
        self.queue.front_mut()?.upcoming(pass, &mut self.numbers)
    }

    /// Whether the file being read, now at its end, is to be left. A file whose successor is still empty may yet be
    /// written to: rotation made the new name, but the writer has not opened it.
    fn is_front_over(&self, pass: &Pass) -> bool {
        let Some(front) = self.queue.front() else {
            return false;
        };
        let quiet = pass.now >= front.quiet + pass.settings.grace;
        let unlinked = front
            .missing
            .is_some_and(|since| pass.now >= since + pass.settings.grace);
        // Files found late wait behind the one that is written to, and do not end its last line before its writer does.
        let is_torn = self.current == Some(front.id) && !front.line_start;
        let has_more = !is_torn && self.queue.iter().skip(1).any(|next| next.size > 0);
        let followed = self.queue.len() > 1 && (quiet || has_more);
        front.form != Form::Plain || followed || unlinked && quiet
    }

    /// Leaves the file being read for the next.
    fn leave_front(&mut self, pass: &mut Pass, sink: &mut dyn Sink) {
        let Some(mut front) = self.queue.pop_front() else {
            return;
        };
        sink.file_end(self.id);
        Self::drop_backlog(&mut self.backlog, &mut front);
        front.close();
        front.settle();
        let unlinked = front
            .missing
            .is_some_and(|since| pass.now >= since + pass.settings.grace);
        if unlinked {
            // Its packed copy may be there, and have waited for this.
            self.departed.push((front.place, pass.now));
        } else {
            self.done.push(front);
        }
        if self.queue.is_empty() && unlinked && !self.gone {
            self.gone = true;
            sink.gone(self.id);
        }
        // What waited for this file to be read may be told now.
        pass.soon |= !self.later.is_empty();
    }

    /// What was to be read of a file at the start will not come from it any more.
    pub(super) fn drop_backlog(backlog: &mut Backlog, file: &mut Tracked) {
        if let Some(end) = file.expected.take() {
            backlog.read_bytes += end.saturating_sub(file.place.offset);
            backlog.read_files += 1;
        }
    }

    /// Whether there is anything to do for it in this pass.
    pub(super) fn is_ready(&self) -> bool {
        let waits = |file: &Tracked| file.missing.is_some() || !file.is_settled();
        self.stage == Stage::Followed && (self.queue.len() > 1 || self.queue.front().is_some_and(waits))
    }

    /// Whether this file is being read and no other waits: then a change of it needs no look at the directory.
    pub(super) fn reads_only(&self, path: &Path) -> bool {
        self.stage == Stage::Followed && self.queue.len() == 1 && *self.queue[0].path == *path
    }

    /// Puts a file at the end of the queue.
    pub(super) fn line_up(&mut self, file: Tracked) {
        self.make_room();
        self.queue.push_back(file);
    }

    /// For one more file in the queue, where others would have room for four: most logs are one file, of 400 bytes here, and
    /// there may be thousands of logs.
    pub(super) fn make_room(&mut self) {
        self.queue.reserve_exact(1);
    }

    pub(super) fn knows(&self, id: FileId) -> bool {
        self.files().any(|file| file.id == id)
    }

    /// Files being read or to be read, and those read that are still there.
    pub(super) fn files(&self) -> impl Iterator<Item = &Tracked> {
        self.queue.iter().chain(&self.done)
    }

    pub(super) fn files_mut(&mut self) -> impl Iterator<Item = &mut Tracked> {
        self.queue.iter_mut().chain(&mut self.done)
    }

    /// How far every file was read that is there or was lately.
    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        let departed = self.departed.iter().map(|(place, _)| place);
        self.files().map(|file| &file.place).chain(departed)
    }

    /// Positions of all its files.
    pub(super) fn positions(&self) -> impl Iterator<Item = Position> + '_ {
        let position = |file: &Tracked, done: bool| Position {
            log: self.info.name.to_string(),
            id: file.id,
            born: file.born,
            place: file.place.clone(),
            size: file.size.max(file.known),
            written: file.written,
            done,
        };
        let departed = self.departed.iter().map(|(place, _)| Position {
            log: self.info.name.to_string(),
            id: FileId::NONE,
            born: Birth::UNKNOWN,
            place: place.clone(),
            size: place.offset,
            written: Timestamp::UNIX_EPOCH,
            done: true,
        });
        let done = self.done.iter().map(move |file| position(file, true));
        let queue = self.queue.iter().map(move |file| position(file, false));
        self.restored
            .iter()
            .cloned()
            .chain(departed)
            .chain(done)
            .chain(queue)
    }

    /// Stays as it is while numbers and positions do: of thousands of logs that are looked at few have news.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.numbers, self.is_shown(), self.restored.len()).hash(&mut hasher);
        for (place, _) in &self.departed {
            place.hash(&mut hasher);
        }
        for file in self.files() {
            (
                file.id,
                file.born,
                &file.place,
                file.size,
                file.known,
                file.written,
            )
                .hash(&mut hasher);
        }
        self.done.len().hash(&mut hasher);
        hasher.finish()
    }

    /// Its numbers, as far as reading makes them.
    pub(super) fn stats(&self) -> SourceStats {
        SourceStats {
            name: self.info.name.clone(),
            read_bytes: self.numbers.read_bytes,
            lag_bytes: self.queue.iter().map(Tracked::lag).sum(),
            lost_bytes: self.numbers.lost_bytes.clone(),
            rotations: self.numbers.rotations.clone(),
            errors: self.numbers.errors.clone(),
            cluster: self.info.cluster.as_deref().map(Arc::from).unwrap_or_default(),
            layout: None,
            records: Default::default(),
            last_line: None,
            clock_skew: None,
            blind: None,
        }
    }

    /// Whether it has anything worth a line in the statistics.
    pub(super) fn is_shown(&self) -> bool {
        self.stage == Stage::Followed || !self.numbers.errors.is_empty()
    }

    /// Makes room before the file being read. False while that is in the middle of a line: nothing may come between.
    pub(super) fn interrupt(&mut self, sink: &mut dyn Sink) -> bool {
        match self.queue.front() {
            None => true,
            Some(front) if front.place.offset == 0 => true,
            Some(front) if front.line_start && front.homeless.is_none() => {
                sink.file_end(self.id);
                true
            }
            Some(_) => false,
        }
    }
}
