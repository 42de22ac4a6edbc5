//! What a look at its directory means for a log: which files moved, which are news, and in which order to read them.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::family::{CONTAINER, Name, writer_by_name};
use super::file::{Homeless, Pass, SETTLED, Tracked};
use super::fs::{Entry, Stat};
use super::identity::{Compared, Content, FileId, Head, Place};
use super::kin::{self, Kin, Sample};
use super::log::{Log, Stage};
use super::notice::Notice;
use super::{Classify, From, Sink, Writer};
use crate::stats::{Lost, Op, Rotation};

/// A regular file of a log's family, as a directory shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) path: PathBuf,
    pub(super) name: Name,
    pub(super) stat: Stat,
    /// Meant by a source itself, and not just of the same family as one that is.
    pub(super) wanted: bool,
    /// Has the log's own name: the one that is written to.
    pub(super) current: bool,
}

/// What the tailer lends while a log looks at its files.
pub(super) struct Sight<'a> {
    pub(super) dir: &'a Path,
    pub(super) members: &'a [Member],
    /// Everything in the directory: a renamed file is found by its inode, whatever its name.
    pub(super) entries: &'a [Entry],
    pub(super) classify: &'a Classify,
    /// Whether another log reads this file.
    pub(super) taken: &'a dyn Fn(FileId) -> bool,
    /// The first look of the program: what is there now was there before.
    pub(super) beginning: bool,
    /// Its source names the file or says by what its logs are known; else only what shows as a JobManager's is read.
    pub(super) named: Named,
}

/// How exactly a log's source means it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Named {
    /// By its directory: only what shows whose it is.
    #[default]
    Directory,
    /// By a pattern: everything but TaskManagers' logs.
    Pattern,
    /// By its name: whatever it is.
    File,
}

/// A file just found, with its first bytes.
struct News {
    file: Tracked,
    first_time: Option<Timestamp>,
    number: u64,
    rotated: bool,
    current: bool,
}

impl Log {
    /// Takes in what the directory shows now.
    pub(super) fn sight(&mut self, sight: &Sight<'_>, pass: &mut Pass<'_>, sink: &mut dyn Sink) {
        if self.retry.waits(pass.now) {
            return;
        }
        self.locate(sight, pass);
        if self.stage != Stage::Followed && !self.admit(sight, pass, sink) {
            return;
        }
        let first = !self.sighted && self.restored.is_empty();
        if !self.restored.is_empty() {
            self.restore(sight, pass);
        }
        self.recheck_done(sight, pass, sink);
        let mut unseen: Vec<&Member> = sight
            .members
            .iter()
            .filter(|m| !self.knows(m.stat.id) && !(sight.taken)(m.stat.id))
            .collect();
        // Plain files before packed ones, so that a packed copy meets the file that it was made from.
        unseen.sort_by_key(|member| member.name.gz);
        self.house(&mut unseen, pass, sink);
        let news = self.sort_out(&unseen, sight, first, pass);
        self.count_rotations(&news, first);
        let current = sight
            .members
            .iter()
            .find(|member| member.current)
            .map(|member| member.stat.id);
        self.take_up(news, pass, sink, current);
        self.current = current;
        self.sighted = true;
    }

    /// Where the known files are now.
    fn locate(&mut self, sight: &Sight<'_>, pass: &Pass<'_>) {
        for file in self.queue.iter_mut().chain(&mut self.done) {
            if file.homeless.is_some() {
                continue;
            }
            match sight.find(file.id, pass) {
                Some((path, stat)) => file.seen(path, &stat),
                None => file.missing = file.missing.or(Some(pass.now)),
            }
        }
        let recent = |since: Duration| pass.now < since + pass.settings.grace;
        self.done.retain(|file| file.missing.is_none_or(recent));
        self.departed.retain(|(_, since)| recent(*since));
        self.unclear
            .retain(|id, _| sight.members.iter().any(|member| member.stat.id == *id));
    }

    /// Decides whether the log is to be read.
    fn admit(&mut self, sight: &Sight<'_>, pass: &mut Pass<'_>, sink: &mut dyn Sink) -> bool {
        if self.stage == Stage::LeftOut {
            return false;
        }
        let known = sight.named == Named::File || !self.restored.is_empty();
        let writer = if known {
            Writer::JobManager
        } else {
            self.writer(sight, pass)
        };
        match (writer, sight.named) {
            (Writer::JobManager | Writer::Wrapper, _) => {
                self.stage = Stage::Followed;
                sink.open(self.id, &self.info);
                true
            }
            (Writer::TaskManager, _) => {
                self.stage = Stage::LeftOut;
                pass.notices.say(Notice::TaskManagerLog(self.info.path.clone()));
                false
            }
            (Writer::Unknown, _) => false,
        }
    }

    /// Who writes it, by the first of its files that tells.
    fn writer(&mut self, sight: &Sight<'_>, pass: &mut Pass<'_>) -> Writer {
        if let Some(writer) = writer_by_name(&self.stem) {
            return writer;
        }
        for member in sight.members.iter().filter(|member| member.stat.size > 0) {
            let seen = (member.stat.size, member.stat.mtime, pass.now);
            if self
                .unclear
                .get(&member.stat.id)
                .is_some_and(|last| (last.0, last.1) == (seen.0, seen.1))
            {
                continue;
            }
            let Some(mut content) = self.or_failed(open(member, pass), Op::Open, member, pass) else {
                continue;
            };
            let sample = Sample::read(&mut content, sight.classify);
            let Some(sample) = self.or_failed(sample, Op::Read, member, pass) else {
                continue;
            };
            match sample.facts.writer {
                Writer::Unknown if sight.named == Named::Pattern => return Writer::JobManager,
                Writer::Unknown if sample.full => {
                    pass.notices.say(Notice::NotRecognised(member.path.clone()));
                }
                Writer::Unknown => {}
                writer => return writer,
            }
            self.unclear.insert(member.stat.id, seen);
        }
        Writer::Unknown
    }

    fn or_failed<T>(
        &mut self,
        result: io::Result<T>,
        op: Op,
        member: &Member,
        pass: &mut Pass<'_>,
    ) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            // Renamed or deleted since the directory was listed: the next look shows where it went.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                pass.soon = true;
                None
            }
            Err(error) => {
                self.numbers.failed(op);
                self.retry.failed(pass.now);
                pass.notices.say(Notice::Failed {
                    path: member.path.clone(),
                    op,
                    error: error.to_string(),
                });
                None
            }
        }
    }

    /// Finds the files of saved positions again.
    fn restore(&mut self, sight: &Sight<'_>, pass: &mut Pass<'_>) {
        for position in std::mem::take(&mut self.restored) {
            let stat = Stat {
                id: position.id,
                size: position.size,
                mtime: Timestamp::UNIX_EPOCH,
                kind: super::fs::Kind::Regular,
                sparse: false,
            };
            let mut file = Tracked::new(self.info.path.clone(), &stat, false, pass.now);
            file.place = position.place;
            file.known = position.size;
            file.context = position.back.min(file.place.offset);
            // The decoder's context reaches back to a line's start; without it, only the byte before tells.
            file.line_start = file.place.anchor.last().is_none_or(|byte| *byte == b'\n');
            let found = sight.members.iter().find(|member| member.stat.id == position.id);
            let found = found.map(|member| (member.path.clone(), member.stat, member.name.gz));
            let found = found.or_else(|| {
                sight
                    .find(position.id, pass)
                    .map(|(path, stat)| (path, stat, false))
            });
            let compared = found.as_ref().map(|(path, _, gz)| {
                let content = pass.fs.open(path).map(|opened| Content::new(opened, *gz));
                content.and_then(|mut content| file.place.compare(&mut content))
            });
            if let Some(Ok(Compared::Shorter | Compared::Different)) = compared {
                // Or its inode was given to another file; a truncation is by far the more frequent.
                self.numbers.rotated(Rotation::Truncate);
            }
            if let (Some((path, stat, gz)), Some(Ok(Compared::Same))) = (found, compared) {
                file.seen(path, &stat);
                (file.gz, file.closed) = (gz, gz);
                if sight.beginning && !gz && !position.done {
                    self.add_backlog(&mut file);
                }
                if position.done {
                    self.done.push(file);
                } else {
                    self.queue.push_back(file);
                }
            } else if position.done {
                self.departed.push((file.place, pass.now));
            } else {
                file.id = FileId::NONE;
                file.missing = Some(pass.now);
                file.homeless = Some(Homeless::Restored);
                self.queue.push_back(file);
            }
        }
    }

    fn add_backlog(&mut self, file: &mut Tracked) {
        if file.size > file.place.offset {
            file.backlog_end = file.size;
            self.backlog.total_bytes += file.size - file.place.offset;
            self.backlog.total_files += 1;
        }
    }

    /// Files read to their end that changed since: they grew, were written anew, or have the log's own name again.
    fn recheck_done(&mut self, sight: &Sight<'_>, pass: &mut Pass<'_>, sink: &mut dyn Sink) {
        for mut file in std::mem::take(&mut self.done) {
            let current = sight
                .members
                .iter()
                .any(|member| member.current && member.stat.id == file.id);
            if file.missing.is_some() || file.gz || file.is_settled() && !current {
                self.done.push(file);
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
    fn house(&mut self, unseen: &mut Vec<&Member>, pass: &mut Pass<'_>, sink: &mut dyn Sink) {
        let mut index = 0;
        while index < self.queue.len() {
            let file = &mut self.queue[index];
            // A file read to its end may have been replaced by a copy that goes on (overlayfs copies up on first write).
            let offset = file.place.offset;
            let replaced = file.is_held()
                && offset > 0
                && matches!(file.hold(pass, &mut self.numbers), Ok((stat, _)) if stat.size == offset);
            if file.missing.is_none() || file.is_held() && !replaced {
                index += 1;
                continue;
            }
            if let Some(home) = Self::home_for(file, replaced, unseen, &mut self.done, pass) {
                file.id = home.stat.id;
                file.gz = home.name.gz;
                file.closed = home.name.gz || matches!(file.homeless, Some(Homeless::Cut(_)));
                file.homeless = None;
                file.close();
                file.seen(home.path.clone(), &home.stat);
                index += 1;
                continue;
            }
            match file.homeless {
                Some(why) => {
                    let lost = file.size.saturating_sub(file.place.offset);
                    let reason = match why {
                        Homeless::Cut(reason) => reason,
                        Homeless::Restored => {
                            pass.notices.say(Notice::Gap(self.info.name.clone()));
                            Lost::RotatedAway
                        }
                    };
                    self.numbers.lost(reason, lost);
                    Self::drop_backlog(&mut self.backlog, file);
                    sink.file_cut(self.id);
                    self.queue.remove(index);
                }
                None => {
                    if !replaced {
                        self.numbers.lost(Lost::RotatedAway, file.lag());
                        file.size = file.place.offset;
                    }
                    index += 1;
                }
            }
        }
    }

    /// The file just found that goes on where `file` was left, taken out of `unseen`.
    fn home_for<'a>(
        file: &Tracked,
        replaced: bool,
        unseen: &mut Vec<&'a Member>,
        done: &mut Vec<Tracked>,
        pass: &Pass<'_>,
    ) -> Option<&'a Member> {
        if file.place.head.len == 0 {
            return None;
        }
        let mut home = None;
        unseen.retain(|member| {
            if home.is_some() || member.stat.size == 0 || replaced && !member.current {
                return true;
            }
            let compared = open(member, pass).and_then(|mut content| file.place.compare(&mut content));
            match compared {
                Ok(Compared::Same) => {
                    home = Some(*member);
                    false
                }
                // A copy made before the last bytes were written and read: it holds nothing that was not read.
                Ok(Compared::Shorter)
                    if matches!(file.homeless, Some(Homeless::Cut(_)))
                        && member.name.rotated
                        && !member.name.gz =>
                {
                    done.push(at_end(member, pass));
                    false
                }
                Ok(_) | Err(_) => true,
            }
        });
        home
    }

    /// Which of the files just found are to be read.
    fn sort_out(
        &mut self,
        unseen: &[&Member],
        sight: &Sight<'_>,
        first: bool,
        pass: &mut Pass<'_>,
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
    fn skip_to_end(&mut self, member: &Member, pass: &mut Pass<'_>) {
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
        pass: &mut Pass<'_>,
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
        let mut content = self.or_failed(open(member, pass), Op::Open, member, pass)?;
        let sample = self.or_failed(Sample::read(&mut content, sight.classify), Op::Read, member, pass)?;
        let kin = if member.name.gz {
            self.kin_of_packed(&mut content, &sample, news, before.is_some(), pass)
        } else if first || !member.name.rotated {
            Ok(Kin::New)
        } else {
            self.kin_of_rotated(member, &mut content, sight, pass)
        };
        match self.or_failed(kin, Op::Read, member, pass)? {
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
        let mut file = Tracked::new(member.path.clone(), &member.stat, member.name.gz, pass.now);
        file.place.head = Head::of(&sample.first);
        if sight.beginning {
            file.size = if file.gz {
                kin::stated_size(&content)
            } else {
                file.size
            };
            self.add_backlog(&mut file);
        } else if !file.gz {
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
        pass: &Pass<'_>,
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
        let mut alike = reading
            .filter(|file| !file.gz && file.place.head.len > 0 && file.place.head.begins(&sample.first));
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
        pass: &mut Pass<'_>,
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

    fn count_rotations(&mut self, news: &[News], first: bool) {
        if first {
            return;
        }
        for found in news {
            let before = self
                .current
                .and_then(|id| self.queue.iter().chain(&self.done).find(|file| file.id == id));
            match before {
                _ if found.file.gz => {}
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
    fn take_up(
        &mut self,
        mut news: Vec<News>,
        pass: &mut Pass<'_>,
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

impl Sight<'_> {
    /// Where a known file is: in the family, or under any other name in the directory.
    fn find(&self, id: FileId, pass: &Pass<'_>) -> Option<(PathBuf, Stat)> {
        if let Some(member) = self.members.iter().find(|member| member.stat.id == id) {
            return Some((member.path.clone(), member.stat));
        }
        let named = self.entries.iter().filter(|entry| entry.ino == id.ino);
        named
            .filter_map(|entry| {
                let path = self.dir.join(&entry.name);
                pass.fs
                    .stat(&path)
                    .ok()
                    .filter(|stat| stat.id == id)
                    .map(|stat| (path, stat))
            })
            .next()
    }
}

fn open(member: &Member, pass: &Pass<'_>) -> io::Result<Content> {
    pass.fs
        .open(&member.path)
        .map(|file| Content::new(file, member.name.gz))
}

/// A file taken for read as far as it goes now.
fn at_end(member: &Member, pass: &Pass<'_>) -> Tracked {
    let mut file = Tracked::new(member.path.clone(), &member.stat, member.name.gz, pass.now);
    if !file.gz {
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
fn line_start_before(member: &Member, pass: &Pass<'_>) -> io::Result<u64> {
    const FAR: u64 = 64 << 10;
    let mut bytes = vec![0; usize::try_from(member.stat.size.min(FAR)).unwrap_or(0)];
    let start = member.stat.size - bytes.len() as u64;
    let got = open(member, pass)?.fill(&mut bytes, start)?;
    Ok(memchr::memrchr(b'\n', &bytes[..got]).map_or(member.stat.size, |at| start + at as u64 + 1))
}
