//! In which order the files of a log are read: what a look found is put in line by what it holds, if it is still there.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::Sink;
use super::family::CONTAINER;
use super::file::{SETTLED, Tracked};
use super::identity::{Compared, FileId, Head, Place};
use super::kin::Sample;
use super::log::Log;
use super::pass::Pass;
use super::sight::Sight;
use crate::stats::{Op, Rotation};

/// What a look at its directory found to be read of a log.
pub(super) struct Arrivals {
    pub(super) news: Vec<News>,
    /// The file that has the log's own name.
    pub(super) current: Option<FileId>,
    /// The log's first look.
    pub(super) first: bool,
    /// The program's first look.
    pub(super) beginning: bool,
}

impl Arrivals {
    /// What files they are.
    pub(super) fn files(&self) -> impl Iterator<Item = FileId> {
        self.news.iter().map(|news| news.file.id)
    }
}

/// A file just found, with its first bytes.
pub(super) struct News {
    pub(super) file: Tracked,
    pub(super) number: u64,
    pub(super) rotated: bool,
    pub(super) current: bool,
    /// It was known, and waited to be read.
    pub(super) recalled: bool,
}

impl News {
    /// By content; where files begin at the same time, by when they were last written. The file that is written to is
    /// last, whatever the clock did.
    fn order(&self) -> (bool, Option<Timestamp>, Timestamp, u64, &Path) {
        let file = &self.file;
        (self.current, file.begins, file.mtime, self.number, &file.path)
    }
}

impl Log {
    /// Adds to the news what waits in the queue, is not begun, and was empty so far or holds something else by now (which is
    /// asked only if other files `came`): it is put in order anew, with the copies of what it held. False where one could not
    /// be asked.
    pub(super) fn recall(
        &mut self,
        came: bool,
        news: &mut Vec<News>,
        sight: &Sight<'_>,
        pass: &mut Pass,
    ) -> bool {
        let is_unsettled_for_long = self.is_unsettled_for_long(pass);
        let mut index = 0;
        while let Some(file) = self.queue.get_mut(index) {
            index += 1;
            let head = file.place.head;
            let is_there = file.missing.is_none() || file.is_held();
            let is_dated = file.begins.is_some_and(|begins| begins < Timestamp::MAX);
            let may_have_bytes = file.size > 0 || file.is_held();
            let is_recalled = file.place.offset == 0 && (came || head.len == 0 && may_have_bytes);
            if file.is_packed() || !is_there || !is_recalled && (is_dated || !came) {
                continue;
            }
            if is_dated && head.len > 0 {
                match file.verify(pass, &mut self.numbers) {
                    None if !is_unsettled_for_long => return false,
                    None | Some(Compared::Same) => continue,
                    Some(Compared::Shorter | Compared::Different) => {}
                }
            }
            let mtime = file.mtime;
            let opened = file.hold(pass, &mut self.numbers);
            let sample = match opened.map(|(_, content)| Sample::read(content, sight.classify)) {
                Ok(Ok(sample)) => sample,
                _ if is_unsettled_for_long => continue,
                Ok(Err(error)) => {
                    file.failed(pass, &mut self.numbers, Op::Read, &error);
                    return false;
                }
                Err(_) => return false,
            };
            file.begins = Some(sample.begins(mtime));
            let is_as_found = sample.first.is_empty() || head.len > 0 && head.begins(&sample.first);
            if !is_recalled || is_as_found {
                continue;
            }
            index -= 1;
            if let Some(mut file) = self.queue.remove(index) {
                self.owed += usize::from(file.expected.is_some());
                Self::drop_backlog(&mut self.backlog, &mut file);
                file.place.head = Head::of(&sample.first);
                let member = sight.members.iter().find(|member| member.stat.id == file.id);
                news.push(News {
                    number: member.map_or(0, |member| member.name.number),
                    rotated: member.is_none_or(|member| member.name.rotated),
                    current: member.is_some_and(|member| member.current),
                    recalled: true,
                    file,
                });
            }
        }
        true
    }

    /// Puts what was found in its place: after what is being read, before the file that is written to.
    pub(super) fn take_up(&mut self, arrivals: Arrivals, pass: &mut Pass, sink: &mut dyn Sink) {
        let Arrivals {
            mut news,
            current,
            first,
            beginning,
        } = arrivals;
        self.unsettled = None;
        let is_expected = self.expects(beginning);
        self.owed = 0;
        if current.is_none() && !first {
            self.expect_more_of_last(&mut news);
        }
        news.sort_by(|a, b| a.order().cmp(&b.order()));
        for mut found in news {
            // Between a rename and the next file, what was written last may still be written to.
            let is_last = |last: &Tracked| match current {
                Some(_) => Some(last.id) == current,
                None => found.file.mtime < last.mtime,
            };
            let before_last = !found.current && self.queue.back().is_some_and(is_last);
            let mut at = self.queue.len() - usize::from(before_last);
            if !found.current {
                at = self.turn_of(&found.file, at);
            }
            if at == 0 && !self.queue.is_empty() && !self.interrupt(sink) {
                // In the middle of a line: it is found again at the next look.
                pass.soon = true;
                self.owed += usize::from(is_expected);
                self.put_back(found);
                continue;
            }
            if is_expected {
                Self::add_backlog(&mut self.backlog, &mut found.file);
            }
            if !first && !found.recalled {
                self.count_rotation(&found);
            }
            self.gone = false;
            self.make_room();
            self.queue.insert(at, found.file);
        }
        // Between a rename and the next file there is none for a moment.
        self.current = current.or(self.current);
        self.forget(pass);
        self.sighted = true;
    }

    /// Between a rename and the next file no file has the log's own name: what was written last may still be written to, and
    /// nothing is put behind it. Files stamped within one tick of the clock do not tell which of them that is.
    fn expect_more_of_last(&self, news: &mut [News]) {
        let Some(latest) = news.iter().map(|found| found.file.mtime).max() else {
            return;
        };
        let in_line = self.queue.iter().map(|file| file.mtime);
        let all = in_line.chain(news.iter().map(|found| found.file.mtime));
        if all.filter(|mtime| *mtime >= latest).count() == 1 {
            for found in news {
                found.current = found.file.mtime == latest;
            }
        }
    }

    /// What has the log's own name is the last to be read. Where nothing was read of it and it stands before others, it has the
    /// inode of one that is gone, and begins as that did.
    pub(super) fn put_current_last(&mut self, sight: &Sight<'_>) {
        let Some(current) = sight.current() else { return };
        let is_current = |file: &Tracked| file.place.offset == 0 && file.is_at(&current.stat);
        let at = self.queue.iter().position(is_current);
        if let Some(file) = at.and_then(|at| self.queue.remove(at)) {
            self.queue.push_back(file);
        }
    }

    /// Takes nothing up, since files change while they are looked at; they are looked at again soon.
    pub(super) fn give_up(&mut self, news: Vec<News>, beginning: bool, pass: &mut Pass) {
        if beginning {
            self.owed = 1;
        }
        for found in news {
            self.put_back(found);
        }
        self.unsettled = self.unsettled.or(Some(pass.now));
        pass.soon = true;
    }

    /// Where it was recalled, it waits on as if it were empty, and is recalled once more.
    fn put_back(&mut self, mut found: News) {
        if found.recalled {
            found.file.place = Place::default();
            self.line_up(found.file);
        }
    }

    /// Whether it could not be told for so long what is news that its files will not come to rest.
    pub(super) fn is_unsettled_for_long(&self, pass: &Pass) -> bool {
        pass.once || self.unsettled.is_some_and(|since| pass.now >= since + SETTLED)
    }

    /// Forgets what was gone before all that is there was looked into: until then it may be what a copy is known by.
    fn forget(&mut self, pass: &Pass) {
        if self.later.is_empty() {
            let recent = |since: Duration| pass.now < since + pass.settings.grace;
            self.done.retain(|file| file.missing.is_none_or(recent));
            self.departed.retain(|(_, since)| recent(*since));
        }
    }

    /// Where among the first files of the queue, `end` of them, one just found belongs: before those that hold what is younger,
    /// but for the one being read.
    fn turn_of(&self, found: &Tracked, end: usize) -> usize {
        let read = usize::from(self.queue.front().is_some_and(Tracked::is_begun));
        let key = |file: &Tracked| Some((file.begins?, file.mtime));
        let is_younger = |file: &&Tracked| key(file).is_some_and(|its| key(found) < Some(its));
        end - self
            .queue
            .range(read.min(end)..end)
            .rev()
            .take_while(is_younger)
            .count()
    }

    /// Counts what made a file come while the log is followed.
    fn count_rotation(&mut self, found: &News) {
        if found.file.is_packed() || found.file.place.offset > 0 {
            return;
        }
        if found.rotated {
            self.numbers.rotated(Rotation::Rename);
            return;
        }
        let before = self
            .current
            .and_then(|id| self.files().find(|file| file.id == id));
        match before {
            Some(before) if before.missing.is_some() => self.numbers.rotated(Rotation::Replace),
            // A container's next number takes nothing's name.
            Some(before) if before.path != found.file.path && *self.stem != *CONTAINER => {
                self.numbers.rotated(Rotation::Rename);
            }
            Some(_) | None => {}
        }
    }
}
