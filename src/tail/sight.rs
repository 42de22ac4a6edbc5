//! What a look at its directory means for a log: which files moved, which are news, and in which order to read them.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::arrivals::Later;
use super::family::{Name, writer_by_name};
use super::file::{Form, Tracked};
use super::fs::{Entry, Stat};
use super::gz::is_damage;
use super::identity::{Compared, Content, FileId, Position};
use super::kin::Sample;
use super::log::{Log, Stage};
use super::notice::Notice;
use super::order::Arrivals;
use super::pass::Pass;
use super::{Classify, Sink, Writer};
use crate::stats::{Op, Rotation};

/// A regular file of a log's family, as a directory shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) path: Arc<Path>,
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
    /// By a pattern: everything but the logs of a TaskManager.
    Pattern,
    /// By its name: whatever it is.
    File,
}

impl Log {
    /// Takes in what the directory shows now. Where there are files to be read among it, they are returned: to be taken up
    /// if the directory still shows the same.
    pub(super) fn sight(
        &mut self,
        sight: &Sight<'_>,
        pass: &mut Pass,
        sink: &mut dyn Sink,
    ) -> Option<Arrivals> {
        self.locate(sight, pass);
        self.put_current_last(sight);
        if self.stage != Stage::Followed && !self.admit(sight, pass, sink) {
            return None;
        }
        let first = !self.sighted && !self.resumed;
        if !self.restored.is_empty() && !self.restore(sight, pass) {
            self.give_up(Vec::new(), sight.beginning, pass);
            return None;
        }
        let all_asked = self.recheck_done(sight, pass);
        let mut unseen: Vec<&Member> = sight
            .members
            .iter()
            .filter(|m| !self.knows(m.stat.id) && !(sight.taken)(m.stat.id))
            .collect();
        // Plain files before packed ones, so that a packed copy meets the file that it was made from.
        unseen.sort_by_key(|member| member.name.gz);
        let expects = self.expects(sight.beginning);
        let all_clear = self.house(&mut unseen, (all_asked, expects), pass, sink);
        let news = all_clear.then(|| self.sort_out(&unseen, sight, first, pass));
        let Some(mut news) = news.flatten() else {
            self.give_up(Vec::new(), sight.beginning, pass);
            return None;
        };
        if !self.recall(!unseen.is_empty(), &mut news, sight, pass) {
            self.give_up(news, sight.beginning, pass);
            return None;
        }
        let arrivals = Arrivals {
            news,
            current: sight.current().map(|member| member.stat.id),
            first,
            beginning: sight.beginning,
        };
        if arrivals.news.is_empty() {
            self.take_up(arrivals, pass, sink);
            return None;
        }
        Some(arrivals)
    }

    /// Where the known files are now.
    fn locate(&mut self, sight: &Sight<'_>, pass: &mut Pass) {
        for file in self.queue.iter_mut().chain(&mut self.done) {
            if file.homeless.is_some() {
                continue;
            }
            match sight.find(file, pass) {
                Ok(Some((path, stat))) => file.seen(&path, &stat),
                Ok(None) => {
                    file.missing = file.missing.or(Some(pass.now));
                    if sight.members.iter().any(|member| member.stat.id == file.id) {
                        // Its inode is another file's by now.
                        file.id = FileId::NONE;
                    }
                }
                // What cannot be asked after may be there all the same.
                Err(_) => pass.soon = true,
            }
        }
        self.later
            .retain(|id, _| sight.members.iter().any(|member| member.stat.id == *id));
    }

    /// Decides whether the log is to be read.
    fn admit(&mut self, sight: &Sight<'_>, pass: &mut Pass, sink: &mut dyn Sink) -> bool {
        // A second name of files that another log reads is no log.
        let taken = |member: &Member| (sight.taken)(member.stat.id);
        if self.stage == Stage::LeftOut || !self.resumed && sight.members.iter().all(taken) {
            return false;
        }
        let known = sight.named == Named::File || self.resumed;
        let writer = if known {
            Writer::JobManager
        } else {
            self.writer(sight, pass)
        };
        match writer {
            Writer::JobManager => {
                self.stage = Stage::Followed;
                self.later.clear();
                sink.open(self.id, &self.info);
            }
            Writer::TaskManager => {
                self.stage = Stage::LeftOut;
                pass.notices
                    .say(Notice::TaskManagerLog(self.info.path.to_path_buf()));
            }
            Writer::Unknown => {}
        }
        self.stage == Stage::Followed
    }

    /// Who writes it, by the first of its files that tells.
    fn writer(&mut self, sight: &Sight<'_>, pass: &mut Pass) -> Writer {
        if let Some(writer) = writer_by_name(&self.stem) {
            return writer;
        }
        for member in sight.members.iter().filter(|member| member.stat.size > 0) {
            if self.is_for_later(member, pass.now) {
                continue;
            }
            let sample = match peek(member, sight, pass) {
                Ok((content, sample)) if !content.is_packed() && sample.is_cut(member.stat.size) => {
                    // Cut meanwhile: its copy may be among what the next look shows.
                    self.give_up(Vec::new(), sight.beginning, pass);
                    return Writer::Unknown;
                }
                Ok((_, sample)) => sample,
                Err((_, error)) if error.kind() == io::ErrorKind::NotFound => {
                    // Renamed meanwhile.
                    self.give_up(Vec::new(), sight.beginning, pass);
                    return Writer::Unknown;
                }
                Err((op, error)) => {
                    self.failed_at(member, op, &error, pass);
                    continue;
                }
            };
            match sample.facts.writer {
                // The user meant it, and it does not show to be a TaskManager's: it is read, so that it can be told why
                // nothing in it is understood. Half a line shows nothing.
                Writer::Unknown if sight.named == Named::Pattern && sample.first.contains(&b'\n') => {
                    return Writer::JobManager;
                }
                Writer::Unknown if sample.full => {
                    pass.notices.say(Notice::NotRecognised(member.path.to_path_buf()));
                }
                Writer::Unknown => {}
                writer => return writer,
            }
            self.later
                .insert(member.stat.id, Later::unless_changed(member, Duration::MAX));
        }
        Writer::Unknown
    }

    /// Finds the files of saved positions again. False while one of them is being renamed, or where one is found to have been
    /// cut, which may be later than the directory was read, so that its copy is not among what it showed: to be tried again.
    fn restore(&mut self, sight: &Sight<'_>, pass: &mut Pass) -> bool {
        // A file of which nothing was read is news like any other: nothing tells it from another with its inode.
        let shown = |position: &Position| {
            sight
                .members
                .iter()
                .find(|member| position.may_be_of(&member.stat))
        };
        self.restored
            .retain(|position| position.done || position.place.offset > 0 || shown(position).is_none());
        let mut found = Vec::with_capacity(self.restored.len());
        let mut overwritten = 0;
        for position in &self.restored {
            let home = if let Some(member) = shown(position) {
                Some((member.path.clone(), member.stat, member.name.gz))
            } else if position.place.head.len == 0 {
                // Nothing tells it from another log's file that has its inode by now.
                None
            } else {
                let Ok(found) = sight.elsewhere(position.id, pass) else {
                    return false;
                };
                let found = found.filter(|(_, stat)| position.may_be_of(stat));
                found.map(|(path, stat)| (path, stat, false))
            };
            let Some((path, stat, gz)) = home else {
                found.push(None);
                continue;
            };
            let opened = pass.fs.open(&path).and_then(|opened| {
                let mut content = Content::new(opened, gz);
                content.look_inside()?;
                Ok(content)
            });
            let gz = opened.as_ref().map_or(gz, Content::is_packed);
            let mut place = position.place.clone();
            if gz && position.done && stat.size == position.size {
                // Nobody writes to it: its head is enough, and spares unpacking it.
                (place.offset, place.anchor) = (0, Vec::new());
            }
            let compared = opened.and_then(|mut content| {
                // No file that is only written to becomes shorter than it was.
                let is_shorter = !gz && !content.reaches(position.size)?;
                let compared = place.compare(&mut content)?;
                Ok(if is_shorter { Compared::Different } else { compared })
            });
            match compared {
                Ok(Compared::Same) => found.push(Some((path, stat, gz))),
                Ok(Compared::Shorter | Compared::Different) => {
                    overwritten += 1;
                    found.push(None);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => return false,
                Err(error) => {
                    // Not to be read now, and nothing speaks against it: what reading it finds will decide.
                    self.numbers.failed(Op::Read);
                    pass.notices.say(Notice::Failed {
                        path: path.to_path_buf(),
                        op: Op::Read,
                        error: error.to_string(),
                    });
                    found.push(Some((path, stat, gz)));
                }
            }
        }
        if overwritten > self.overwritten {
            self.overwritten = overwritten;
            return false;
        }
        // Or its inode was given to another file; a truncation is by far the more frequent.
        (0..overwritten).for_each(|_| self.numbers.rotated(Rotation::Truncate));
        for (position, home) in std::mem::take(&mut self.restored).into_iter().zip(found) {
            self.take_back(position, home, self.expects(sight.beginning), pass);
        }
        true
    }

    /// Goes on from a position, in the file that was found to hold it.
    fn take_back(
        &mut self,
        position: Position,
        home: Option<(Arc<Path>, Stat, bool)>,
        is_expected: bool,
        pass: &Pass,
    ) {
        let Some((path, stat, gz)) = home else {
            if position.done {
                self.departed.push((position.place, pass.now));
            } else {
                self.line_up(Tracked::homeless(Arc::clone(&self.info.path), position, pass.now));
            }
            return;
        };
        let mut file = Tracked::new(path, &stat, Form::of(gz), pass.now);
        file.written = position.written;
        file.resume(position.place);
        if position.done {
            self.done.push(file);
            return;
        }
        if is_expected {
            Self::add_backlog(&mut self.backlog, &mut file);
        }
        self.line_up(file);
    }
}

impl Sight<'_> {
    /// The file that has the log's own name.
    pub(super) fn current(&self) -> Option<&Member> {
        self.members.iter().find(|member| member.current)
    }

    /// Whether the file that a packed one is made from is still beside it.
    pub(super) fn has_unpacked(&self, packed: &Member) -> bool {
        let plain = packed.path.with_extension("");
        self.members.iter().any(|member| *member.path == *plain)
    }

    /// Where a known file is: in the family, or under any other name in the directory.
    fn find(&self, file: &Tracked, pass: &Pass) -> io::Result<Option<(Arc<Path>, Stat)>> {
        if let Some(member) = self.members.iter().find(|member| file.is_at(&member.stat)) {
            // What is packed need not say so in its name, but a name that does is not lost.
            let same_form = member.name.gz == file.path.file_name().is_some_and(|name| Name::parse(name).gz);
            let is_doubtful = file.is_packed() || file.place.offset == 0;
            let is_doubtful = is_doubtful && file.checked.is_none() || member.stat.size < file.known;
            let moved = is_doubtful && member.path != file.path;
            // What is packed is not written to any more: its inode was given to another file.
            let is_repacked = file.is_packed() && moved && member.stat.mtime != file.mtime;
            // What was gone, and of which nothing is known, does not come back: its inode was given to another file.
            let came_back = file.missing.is_some();
            let may_be = same_form && !is_repacked && !(came_back && file.place.head.len == 0);
            let same =
                file.is_held() || may_be && (!(moved || came_back) || holds(&member.path, file, pass)?);
            return Ok(same.then(|| (member.path.clone(), member.stat)));
        }
        let elsewhere = self.elsewhere(file.id, pass)?;
        let Some((path, stat)) = elsewhere.filter(|(_, stat)| file.is_at(stat)) else {
            return Ok(None);
        };
        // Its inode may be another file's by now, unless it is held or its name is the one it had.
        if file.is_held() || path == file.path {
            return Ok(Some((path, stat)));
        }
        if file.place.head.len == 0 {
            return Ok(None);
        }
        let same = holds(&path, file, pass)?;
        Ok(same.then_some((path, stat)))
    }

    /// Where the directory shows an inode.
    fn elsewhere(&self, id: FileId, pass: &Pass) -> io::Result<Option<(Arc<Path>, Stat)>> {
        for entry in self.entries.iter().filter(|entry| entry.ino == id.ino) {
            let path = self.dir.join(&entry.name);
            match pass.fs.stat(&path) {
                Ok(stat) if stat.id == id => return Ok(Some((path.into(), stat))),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// Whether the file that has a name by now holds what was read of a file, or begins as it did.
fn holds(path: &Path, file: &Tracked, pass: &Pass) -> io::Result<bool> {
    if file.is_packed() && file.place.offset == 0 {
        return Ok(false);
    }
    let mut content = Content::new(pass.fs.open(path)?, file.is_packed());
    if !file.is_packed() && !content.reaches(file.known)? {
        return Ok(false);
    }
    match file.place.compare(&mut content) {
        Ok(compared) => Ok(compared == Compared::Same),
        Err(error) if is_damage(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Opens a file that a directory showed; not found when its name leads to another one by now.
pub(super) fn open(member: &Member, pass: &Pass) -> io::Result<Content> {
    let file = pass.fs.open(&member.path)?;
    if !file.stat()?.may_be(member.stat.id, member.stat.born) {
        return Err(io::ErrorKind::NotFound.into());
    }
    let mut content = Content::new(file, member.name.gz);
    // What cannot be read now is taken for what its name says, until it is.
    let _unread = content.look_inside();
    Ok(content)
}

/// Opens a file that a directory showed and reads its first bytes; which of the two failed, else.
pub(super) fn peek(
    member: &Member,
    sight: &Sight<'_>,
    pass: &Pass,
) -> Result<(Content, Sample), (Op, io::Error)> {
    let mut content = open(member, pass).map_err(|error| (Op::Open, error))?;
    let sample = Sample::read(&mut content, sight.classify).map_err(|error| (Op::Read, error))?;
    Ok((content, sample))
}
