//! Files that came or changed: what each is to those already read. Where it belongs among them is in `order`.

use std::io;
use std::time::Duration;

use jiff::Timestamp;

use super::file::{Form, Homeless, SETTLED, Tracked, is_out_of_files};
use super::gz::is_damage;
use super::identity::{Compared, Content, Head, Place};
use super::kin::{self, Kin};
use super::log::Log;
use super::notice::Notice;
use super::order::News;
use super::pass::Pass;
use super::sight::{Member, Sight, open, peek};
use super::{From, Sink};
use crate::stats::{Backlog, Lost, Op};

/// Whether a position without a file has found one.
enum Home<'a> {
    Found(&'a Member),
    None,
    /// Something could not be read: nothing is decided.
    Unclear,
}

impl Log {
    /// Counts what is there of a file at the start. How much a packed one holds is known when it has been read to its end.
    pub(super) fn add_backlog(backlog: &mut Backlog, file: &mut Tracked) {
        if file.expected.is_none() && (file.is_packed() || file.size > file.place.offset) {
            file.expected = Some(file.size);
            backlog.total_bytes += file.size.saturating_sub(file.place.offset);
            backlog.total_files += 1;
        }
    }

    /// Files read to their end that changed since: they grew, were written anew, or have the log's own name again. False
    /// where one could not be asked: then a file that came may have its inode.
    pub(super) fn recheck_done(&mut self, sight: &Sight<'_>, pass: &mut Pass) -> bool {
        let mut all_asked = true;
        for mut file in std::mem::take(&mut self.done) {
            let current = sight.current().is_some_and(|member| file.is_at(&member.stat));
            if file.missing.is_some() || file.is_settled() && !current {
                self.done.push(file);
                continue;
            }
            if file.is_packed() && file.checked.is_some_and(|(size, _)| size == file.size) {
                file.settle();
                self.done.push(file);
                continue;
            }
            if file.place.offset == 0 && !file.is_packed() {
                // Nothing was read of it that could be read twice, and nothing is known by which to tell it.
                continue;
            }
            let held = if file.is_packed() && file.place.head.len == 0 {
                // Not all of it could be unpacked when it was looked into.
                Some(Compared::Different)
            } else {
                file.verify(pass, &mut self.numbers)
            };
            match held {
                Some(Compared::Same) if current => self.line_up(file),
                Some(Compared::Same) if file.lag() == 0 => {
                    file.settle();
                    file.close();
                    self.done.push(file);
                }
                None => {
                    pass.soon = true;
                    all_asked = false;
                    self.done.push(file);
                }
                // News like any other: the last lines of a writer that had it open longer than expected, a copy that has
                // grown, other content under a known inode. What was read of it is remembered.
                Some(Compared::Same | Compared::Shorter | Compared::Different) => {
                    self.departed.push((file.place, pass.now));
                }
            }
        }
        all_asked
    }

    /// Finds new homes for positions whose file is gone or was cut: a copy, a packed copy, a file put in its place. What
    /// finds none is lost, where all of them could be asked. False while some may yet be one's: they are no news before that
    /// is known, for as long as a file may be missing. Where it `expects` what was there at the start, that is in them too.
    pub(super) fn house(
        &mut self,
        unseen: &mut Vec<&Member>,
        (all_asked, expects): (bool, bool),
        pass: &mut Pass,
        sink: &mut dyn Sink,
    ) -> bool {
        let mut all_clear = true;
        let mut index = 0;
        while index < self.queue.len() {
            let file = &mut self.queue[index];
            if file.missing.is_none() || file.is_held() && !file.is_drained(pass, &mut self.numbers) {
                index += 1;
                continue;
            }
            let file = &self.queue[index];
            let is_unlike_others = self.is_unlike_others(file);
            let mut copies = Vec::new();
            let home = self.home_for(file, is_unlike_others, unseen, &mut copies, pass);
            self.done.append(&mut copies);
            let file = &mut self.queue[index];
            // What was cut under the tailer's eyes comes before what is in its file now. And no other file has its beginning.
            let keeps_place = is_unlike_others && matches!(file.homeless, Some(Homeless::Cut(_)));
            match home {
                Home::Found(home) if (file.place.offset == 0 || file.is_borrowed) && !keeps_place => {
                    // Nothing was read of it: the copy is news like any other, and has its place among them.
                    self.owed += usize::from(file.expected.is_some());
                    Self::drop_backlog(&mut self.backlog, file);
                    self.queue.remove(index);
                    unseen.push(home);
                }
                Home::Found(home) => {
                    file.move_to(home);
                    if expects {
                        Self::add_backlog(&mut self.backlog, file);
                    }
                    index += 1;
                }
                Home::None if all_asked => {
                    let lost = if file.is_held() { 0 } else { file.lag() };
                    match file.homeless {
                        Some(Homeless::Cut(why)) => self.numbers.lost(why, lost),
                        Some(Homeless::Restored) => {
                            pass.notices.say(Notice::Gap(self.info.name.to_string()));
                            self.numbers.lost(Lost::RotatedAway, lost);
                        }
                        None => {
                            // Deleted: it stays until its successor comes or the grace is over.
                            // A packed one that was read to its end would not be here.
                            if index == 0 && !file.is_held() && (file.is_packed() || !file.is_settled()) {
                                sink.file_cut(self.id);
                            }
                            self.numbers.lost(Lost::RotatedAway, lost);
                            file.size = file.place.offset;
                            file.settle();
                            if file.is_packed() {
                                // Complete as it is.
                                file.form = Form::Copy;
                            }
                            index += 1;
                            continue;
                        }
                    }
                    Self::drop_backlog(&mut self.backlog, file);
                    if index == 0 {
                        sink.file_cut(self.id);
                    }
                    self.queue.remove(index);
                }
                Home::Unclear | Home::None => {
                    let since = file.missing.unwrap_or(pass.now);
                    all_clear &= pass.now >= since + pass.settings.grace;
                    pass.soon = true;
                    index += 1;
                }
            }
        }
        all_clear
    }

    /// Whether no other file begins as this one does.
    fn is_unlike_others(&self, file: &Tracked) -> bool {
        let alike = self.places().filter(|place| place.head == file.place.head);
        alike.count() == 1
    }

    /// The file just found that goes on where `file` was left, taken out of `unseen`, as are `copies` of what was read of it.
    /// A head tells only `is_unlike_others`.
    fn home_for<'a>(
        &self,
        file: &Tracked,
        is_unlike_others: bool,
        unseen: &mut Vec<&'a Member>,
        copies: &mut Vec<Tracked>,
        pass: &Pass,
    ) -> Home<'a> {
        if file.place.head.len == 0 {
            return Home::None;
        }
        let mut failed = false;
        let mut index = 0;
        while let Some(member) = unseen.get(index).copied() {
            index += 1;
            // One that is held was read to its end: only what took its name can go on with it (overlayfs copies a file
            // when it is first written to).
            if member.stat.size == 0 || file.is_held() && !member.current {
                continue;
            }
            let compared = open(member, pass).and_then(|mut content| {
                let compared = file.place.compare(&mut content)?;
                let is_plain = !content.is_packed();
                if compared == Compared::Shorter && is_plain && content.goes_on(member.stat.size)? {
                    // Its size is stale: where it ends is not known.
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                if compared == Compared::Same {
                    // It was read up to there, and only begins alike.
                    let is_further = |place: &&Place| place.offset > file.place.offset;
                    for place in self.places().filter(is_further) {
                        if place.compare(&mut content)? == Compared::Same {
                            return Ok(Compared::Different);
                        }
                    }
                }
                Ok(compared)
            });
            match compared {
                Ok(Compared::Same) => {
                    unseen.remove(index - 1);
                    return Home::Found(member);
                }
                // A copy made before the last bytes were written and read: it holds nothing that was not read.
                Ok(Compared::Shorter) if is_unlike_others && file.may_have_copy(member) => {
                    copies.push(at_end(member, pass));
                    unseen.remove(index - 1);
                    index -= 1;
                }
                Ok(Compared::Shorter | Compared::Different) => {}
                Err(error) => failed |= !is_damage(&error),
            }
        }
        if failed { Home::Unclear } else { Home::None }
    }

    /// Which of the files just found are to be read. None of them while one is being renamed or cut (`NotFound`): without
    /// it, the others would be read out of order.
    pub(super) fn sort_out(
        &mut self,
        unseen: &[&Member],
        sight: &Sight<'_>,
        first: bool,
        pass: &mut Pass,
    ) -> Option<Vec<News>> {
        // Of thousands of logs, all of them new at the start, each has but one file: no room for the four that a vector begins with.
        let mut news = Vec::with_capacity(unseen.len());
        if !unseen.is_empty() && !self.is_as_read(pass) {
            return None;
        }
        for member in unseen {
            if first && !member.wanted {
                let file = at_end(member, pass);
                if !file.place.is_known() && !self.is_unsettled_for_long(pass) {
                    return None;
                }
                self.done.push(file);
                continue;
            }
            if first && sight.beginning && pass.settings.from == From::End {
                self.skip_to_end(member, pass);
                continue;
            }
            if member.stat.size == 0 && !member.current || self.is_for_later(member, pass.now) {
                continue;
            }
            match self.examine(member, &mut news, sight, pass) {
                Ok(found) => news.extend(found),
                Err((_, error)) if error.kind() == io::ErrorKind::NotFound => return None,
                Err((op, error)) => self.failed_at(member, op, &error, pass),
            }
        }
        Some(news)
    }

    /// Whether the files being read still hold what was read of them. One that was cut says nothing of its copies, so they
    /// wait until reading has found that out.
    fn is_as_read(&mut self, pass: &mut Pass) -> bool {
        let numbers = &mut self.numbers;
        let read = |file: &&mut Tracked| {
            file.place.offset > 0 && !file.is_packed() && (file.missing.is_none() || file.is_held())
        };
        self.queue
            .iter_mut()
            .filter(read)
            .all(|file| file.verify(pass, numbers) == Some(Compared::Same))
    }

    /// `from = end`: what is there is taken for read; the current file goes on with the line that is being written.
    fn skip_to_end(&mut self, member: &Member, pass: &mut Pass) {
        let mut file = at_end(member, pass);
        if !member.current {
            self.done.push(file);
            return;
        }
        if !file.place.anchor.ends_with(b"\n") {
            let line = line_start_before(member, pass)
                .and_then(|offset| Place::read(&mut open(member, pass)?, offset));
            file.place = line.unwrap_or_default();
        }
        self.line_up(file);
    }

    /// Looks into a file just found.
    fn examine(
        &mut self,
        member: &Member,
        news: &mut [News],
        sight: &Sight<'_>,
        pass: &mut Pass,
    ) -> Result<Option<News>, (Op, io::Error)> {
        let (mut content, sample) = peek(member, sight, pass)?;
        let kin = if member.current && !content.is_packed() {
            Ok(Kin::New)
        } else {
            self.kin(member, &mut content, &sample, news, sight, pass)
        };
        let mut place = Place {
            head: Head::of(&sample.first),
            ..Place::default()
        };
        let kin = kin.map_err(|error| (Op::Read, error))?;
        let is_borrowed = matches!(kin, Kin::Alike(_));
        match kin {
            Kin::New => {}
            Kin::Rest(read) | Kin::Alike(read) => place = read,
            Kin::Known(end) => {
                self.done.push(Tracked {
                    place: end,
                    ..at_end(member, pass)
                });
                return Ok(None);
            }
            Kin::Unclear => {
                if content.is_packed() {
                    self.later
                        .insert(member.stat.id, Later::unless_changed(member, pass.now + SETTLED));
                }
                return Ok(None);
            }
        }
        let mut file = Tracked::new(
            member.path.clone(),
            &member.stat,
            Form::of(content.is_packed()),
            pass.now,
        );
        file.begins = Some(sample.begins(file.mtime));
        file.resume(place);
        file.is_borrowed = is_borrowed;
        if file.is_packed() {
            file.size = kin::stated_size(&content);
        } else if !sight.beginning {
            // It may be deleted before its turn comes.
            file.keep(content, pass);
        }
        Ok(Some(News {
            file,
            number: member.name.number,
            rotated: member.name.rotated,
            current: member.current,
            recalled: false,
        }))
    }

    /// Leaves a file that failed alone for a while.
    pub(super) fn failed_at(&mut self, member: &Member, op: Op, error: &io::Error, pass: &mut Pass) {
        self.numbers.failed(op);
        pass.starved |= is_out_of_files(error);
        pass.notices.say(Notice::Failed {
            path: member.path.to_path_buf(),
            op,
            error: error.to_string(),
        });
        self.later
            .insert(member.stat.id, Later::unless_changed(member, pass.now + SETTLED));
    }

    /// Whether there is no use in looking into a file yet.
    pub(super) fn is_for_later(&mut self, member: &Member, now: Duration) -> bool {
        match self.later.get(&member.stat.id) {
            Some(later) if later.is_same(member) => now < later.at,
            Some(_) => {
                self.later.remove(&member.stat.id);
                false
            }
            None => false,
        }
    }
}

/// A file that is not looked into again before it changes or some time is over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Later {
    size: u64,
    mtime: Timestamp,
    at: Duration,
}

impl Later {
    pub(super) fn unless_changed(member: &Member, at: Duration) -> Self {
        Self {
            size: member.stat.size,
            mtime: member.stat.mtime,
            at,
        }
    }

    fn is_same(&self, member: &Member) -> bool {
        (self.size, self.mtime) == (member.stat.size, member.stat.mtime)
    }
}

/// A file taken for read as far as it goes now.
fn at_end(member: &Member, pass: &Pass) -> Tracked {
    let opened = open(member, pass);
    let form = Form::of(opened.as_ref().map_or(member.name.gz, Content::is_packed));
    let mut file = Tracked::new(member.path.clone(), &member.stat, form, pass.now);
    let place = opened.and_then(|mut content| {
        // Where the end of a packed file is, only unpacking it would tell.
        let end = if content.is_packed() {
            0
        } else {
            content.end(member.stat.size)?
        };
        Place::read(&mut content, end)
    });
    // A file that cannot be read now is left at its end all the same: what was there was not asked for.
    file.place = place.unwrap_or_else(|_| Place {
        offset: if file.is_packed() { 0 } else { member.stat.size },
        ..Place::default()
    });
    file.settle();
    file
}

/// The offset of the last line of a file, if it begins within the last 64 KiB; else the file's end.
fn line_start_before(member: &Member, pass: &Pass) -> io::Result<u64> {
    const FAR: u64 = 64 << 10;
    let mut bytes = vec![0; usize::try_from(member.stat.size.min(FAR)).unwrap_or(0)];
    let start = member.stat.size - bytes.len() as u64;
    let got = open(member, pass)?.fill(&mut bytes, start)?;
    Ok(memchr::memrchr(b'\n', &bytes[..got]).map_or(member.stat.size, |at| start + at as u64 + 1))
}
