//! Files that came or changed: what each is to those already read, and where it belongs in the order of reading.

use std::io;

use jiff::Timestamp;

use super::family::CONTAINER;
use super::file::{Form, Homeless, SETTLED, Tracked};
use super::gz::is_damage;
use super::identity::{Compared, Content, FileId, Head, Place};
use super::kin::{self, Kin, Sample};
use super::log::Log;
use super::notice::Notice;
use super::pass::Pass;
use super::sight::{Member, Sight, open};
use super::{From, Sink};
use crate::stats::{Lost, Op, Rotation};

/// A file just found, with its first bytes.
pub(super) struct News {
    file: Tracked,
    first_time: Option<Timestamp>,
    number: u64,
    rotated: bool,
    current: bool,
}

/// Whether a position without a file has found one.
enum Home<'a> {
    Found(&'a Member),
    None,
    /// Something could not be read: nothing is decided.
    Unclear,
}

impl Log {
    pub(super) fn add_backlog(&mut self, file: &mut Tracked) {
        if file.size > file.place.offset {
            file.backlog_end = file.size;
            self.backlog.total_bytes += file.size - file.place.offset;
            self.backlog.total_files += 1;
        }
    }

    /// Files read to their end that changed since: they grew, were written anew, or have the log's own name again.
    pub(super) fn recheck_done(&mut self, sight: &Sight<'_>, pass: &mut Pass, sink: &mut dyn Sink) {
        for mut file in std::mem::take(&mut self.done) {
            let current = sight
                .members
                .iter()
                .any(|member| member.current && member.stat.id == file.id);
            if file.missing.is_some() || file.is_packed() || file.is_settled() && !current {
                self.done.push(file);
                continue;
            }
            if file.place.offset == 0 {
                // Nothing was read of it that could be read twice, and nothing is known by which to tell it.
                continue;
            }
            match file.verify(pass, &mut self.numbers) {
                Some(Compared::Same) if current => self.queue.push_back(file),
                Some(Compared::Same) if file.lag() == 0 => {
                    file.settle();
                    file.close();
                    self.done.push(file);
                }
                // The writer had it open longer than expected: its last lines come late, but they come.
                Some(Compared::Same) if self.interrupt(sink) => self.queue.push_front(file),
                Some(Compared::Same) | None => {
                    pass.soon = true;
                    self.done.push(file);
                }
                // Other content under a known inode (one copy overwritten by each copytruncate, or the inode of a file
                // that was deleted): news like any other.
                Some(Compared::Shorter | Compared::Different) => {
                    self.departed.push((file.place, pass.now));
                }
            }
        }
    }

    /// Finds new homes for positions whose file is gone or was cut: a copy, a packed copy, a file put in its place. What
    /// finds none is lost.
    pub(super) fn house(&mut self, unseen: &mut Vec<&Member>, pass: &mut Pass, sink: &mut dyn Sink) {
        let mut index = 0;
        while index < self.queue.len() {
            let file = &mut self.queue[index];
            if file.missing.is_none() || file.is_held() && !file.is_drained(pass, &mut self.numbers) {
                index += 1;
                continue;
            }
            match Self::home_for(file, unseen, &mut self.done, pass) {
                Home::Found(home) => {
                    file.move_to(home);
                    index += 1;
                }
                Home::Unclear => {
                    pass.soon = true;
                    index += 1;
                }
                Home::None => {
                    let lost = if file.is_held() { 0 } else { file.lag() };
                    match file.homeless {
                        Some(Homeless::Cut(why)) => self.numbers.lost(why, lost),
                        Some(Homeless::Restored) => {
                            pass.notices.say(Notice::Gap(self.info.name.clone()));
                            self.numbers.lost(Lost::RotatedAway, lost);
                        }
                        None => {
                            // Deleted: it stays until its successor comes or the grace is over.
                            self.numbers.lost(Lost::RotatedAway, lost);
                            file.size = file.place.offset;
                            index += 1;
                            continue;
                        }
                    }
                    Self::drop_backlog(&mut self.backlog, file);
                    sink.file_cut(self.id);
                    self.queue.remove(index);
                }
            }
        }
    }

    /// The file just found that goes on where `file` was left, taken out of `unseen`.
    fn home_for<'a>(
        file: &Tracked,
        unseen: &mut Vec<&'a Member>,
        done: &mut Vec<Tracked>,
        pass: &Pass,
    ) -> Home<'a> {
        if file.place.head.len == 0 {
            return Home::None;
        }
        let cut = matches!(file.homeless, Some(Homeless::Cut(_)));
        let mut failed = false;
        let mut index = 0;
        while let Some(member) = unseen.get(index).copied() {
            index += 1;
            // One that is held was read to its end: only what took its name can go on with it (overlayfs copies a file
            // when it is first written to).
            if member.stat.size == 0 || file.is_held() && !member.current {
                continue;
            }
            match open(member, pass).and_then(|mut content| file.place.compare(&mut content)) {
                Ok(Compared::Same) => {
                    unseen.remove(index - 1);
                    return Home::Found(member);
                }
                // A copy made before the last bytes were written and read: it holds nothing that was not read.
                Ok(Compared::Shorter) if cut && member.name.rotated && !member.name.gz => {
                    done.push(at_end(member, pass));
                    unseen.remove(index - 1);
                    index -= 1;
                }
                Ok(Compared::Shorter | Compared::Different) => {}
                Err(error) => failed |= !is_damage(&error) && error.kind() != io::ErrorKind::NotFound,
            }
        }
        if failed { Home::Unclear } else { Home::None }
    }

    /// Which of the files just found are to be read.
    pub(super) fn sort_out(
        &mut self,
        unseen: &[&Member],
        sight: &Sight<'_>,
        first: bool,
        pass: &mut Pass,
    ) -> Vec<News> {
        let mut news = Vec::new();
        for member in unseen {
            if first && !member.wanted {
                self.done.push(at_end(member, pass));
            } else if first && sight.beginning && pass.settings.from == From::End {
                self.skip_to_end(member, pass);
            } else if member.stat.size > 0 || member.current {
                news.extend(self.examine(member, &news, sight, first, pass));
            }
        }
        news
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
        self.queue.push_back(file);
    }

    fn examine(
        &mut self,
        member: &Member,
        news: &[News],
        sight: &Sight<'_>,
        first: bool,
        pass: &mut Pass,
    ) -> Option<News> {
        let now = (member.stat.size, member.stat.mtime, pass.now);
        let before = self
            .unclear
            .get(&member.stat.id)
            .filter(|last| (last.0, last.1) == (now.0, now.1))
            .copied();
        if before.is_some_and(|last| pass.now < last.2 + SETTLED) {
            return None;
        }
        let mut content = self.or_failed(open(member, pass), Op::Open, &member.path, pass)?;
        let sample = self.or_failed(
            Sample::read(&mut content, sight.classify),
            Op::Read,
            &member.path,
            pass,
        )?;
        let kin = if member.name.gz {
            self.kin_of_packed(&mut content, &sample, news, before.is_some(), pass)
        } else if first || !member.name.rotated {
            Ok(Kin::New)
        } else {
            self.kin_of_rotated(member, &mut content, sight, pass)
        };
        match self.or_failed(kin, Op::Read, &member.path, pass)? {
            Kin::New => {}
            Kin::Known => {
                self.done.push(at_end(member, pass));
                return None;
            }
            Kin::Unclear => {
                if member.name.gz {
                    self.unclear.insert(member.stat.id, now);
                }
                return None;
            }
        }
        let form = Form::of(member.name.gz);
        let mut file = Tracked::new(member.path.clone(), &member.stat, form, pass.now);
        file.place.head = Head::of(&sample.first);
        if sight.beginning {
            file.size = if file.is_packed() {
                kin::stated_size(&content)
            } else {
                file.size
            };
            self.add_backlog(&mut file);
        } else if !file.is_packed() {
            // It may be deleted before its turn comes.
            file.keep(content, pass);
        }
        Some(News {
            file,
            first_time: sample.facts.first_time,
            number: member.name.number,
            rotated: member.name.rotated,
            current: member.current,
        })
    }

    fn kin_of_packed(
        &self,
        content: &mut Content,
        sample: &Sample,
        news: &[News],
        settled: bool,
        pass: &Pass,
    ) -> io::Result<Kin> {
        if sample.first.is_empty() {
            return Ok(if pass.once || settled {
                Kin::New
            } else {
                Kin::Unclear
            });
        }
        let read = self
            .done
            .iter()
            .map(|file| &file.place)
            .chain(self.departed.iter().map(|(place, _)| place));
        match kin::of_packed(content, &sample.first, read)? {
            Kin::New => {}
            // Damaged for good, and it begins like what was read: there is nothing to gain from it.
            Kin::Unclear if settled || pass.once => return Ok(Kin::Known),
            kin => return Ok(kin),
        }
        let reading = self.queue.iter().chain(news.iter().map(|news| &news.file));
        let mut alike = reading.filter(|file| {
            !file.is_packed() && file.place.head.len > 0 && file.place.head.begins(&sample.first)
        });
        Ok(match alike.next() {
            None => Kin::New,
            Some(file) if pass.once && kin::end_of(content)?.offset == file.size => Kin::Known,
            Some(_) if pass.once => Kin::New,
            // What it was packed from is being read: to be compared once that is done.
            Some(_) => Kin::Unclear,
        })
    }

    /// A plain file with a rotation's name. If the current file is still the one it was, nothing was renamed: then it
    /// may be a copy, made to truncate the current file next.
    fn kin_of_rotated(
        &mut self,
        member: &Member,
        content: &mut Content,
        sight: &Sight<'_>,
        pass: &mut Pass,
    ) -> io::Result<Kin> {
        let current = sight
            .members
            .iter()
            .find(|member| member.current)
            .map(|member| member.stat.id);
        let Some(file) = self
            .queue
            .back_mut()
            .filter(|file| Some(file.id) == current && self.current == current)
        else {
            return Ok(Kin::New);
        };
        let place = file.place.clone();
        match file.hold(pass, &mut self.numbers) {
            Ok((_, current)) => kin::of_copy(content, member.stat.size, current, &place),
            Err(_) => Ok(Kin::Unclear),
        }
    }

    pub(super) fn count_rotations(&mut self, news: &[News], first: bool) {
        if first {
            return;
        }
        for found in news {
            let before = self
                .current
                .and_then(|id| self.queue.iter().chain(&self.done).find(|file| file.id == id));
            match before {
                _ if found.file.is_packed() => {}
                _ if found.rotated => self.numbers.rotated(Rotation::Rename),
                Some(before)
                    if !found.current || before.path == found.file.path && before.missing.is_none() => {}
                Some(before) if before.missing.is_some() => self.numbers.rotated(Rotation::Replace),
                // A container's next number takes nothing's name.
                Some(_) if self.stem == CONTAINER => {}
                Some(_) => self.numbers.rotated(Rotation::Rename),
                None => {}
            }
        }
    }

    /// Puts what was found in its place: after what is being read, before the file that is written to.
    pub(super) fn take_up(
        &mut self,
        mut news: Vec<News>,
        pass: &mut Pass,
        sink: &mut dyn Sink,
        current: Option<FileId>,
    ) {
        news.sort_by(|a, b| {
            let key = |news: &News| {
                (
                    news.current,
                    news.first_time.unwrap_or(news.file.mtime),
                    news.file.mtime,
                    news.number,
                )
            };
            key(a).cmp(&key(b)).then_with(|| a.file.path.cmp(&b.file.path))
        });
        for found in news {
            let last = self
                .queue
                .back()
                .is_some_and(|last| !found.current && Some(last.id) == current);
            let at = self.queue.len() - usize::from(last);
            if at == 0 && !self.queue.is_empty() && !self.interrupt(sink) {
                // In the middle of a line: it is found again at the next look.
                pass.soon = true;
                continue;
            }
            self.gone = false;
            self.queue.insert(at, found.file);
        }
    }
}

/// A file taken for read as far as it goes now.
fn at_end(member: &Member, pass: &Pass) -> Tracked {
    let form = Form::of(member.name.gz);
    let mut file = Tracked::new(member.path.clone(), &member.stat, form, pass.now);
    if !file.is_packed() {
        let place = open(member, pass).and_then(|mut content| Place::read(&mut content, member.stat.size));
        // A file that cannot be read now is left at its end all the same: what was there was not asked for.
        file.place = place.unwrap_or_else(|_| Place {
            offset: member.stat.size,
            ..Place::default()
        });
    }
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
