//! The half of the tailer that looks: which directories, which logs in them, and what their files are now.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::discover::{Select, Target};
use super::family::{CONTAINER, Name};
use super::file::{Tracked, is_out_of_files};
use super::identity::{FileId, Position};
use super::kin::SAMPLE;
use super::log::{Log, Stage};
use super::notice::Notice;
use super::order::Arrivals;
use super::pass::Retry;
use super::sight::{Member, Sight};
use super::tailer::Tailer;
use super::view::{View, meaning};
use super::{LogInfo, Sink};
use crate::line::LogId;
use crate::stats::{Counts, Op};

/// How often everything is looked at, at most, before the first byte is read.
const FIRST_LOOKS: usize = 8;

impl Tailer {
    /// Looks at everything when it is time, else where hints point.
    pub(super) fn look_around(&mut self, sink: &mut dyn Sink) {
        let hints = std::mem::take(&mut self.hints);
        if hints.all || self.pass.now >= self.next_look {
            self.next_look = self.pass.now + self.pass.settings.period;
            self.find_targets();
            let targets = self.targets.keys().map(|dir| Arc::from(dir.as_path()));
            let dirs: BTreeSet<Arc<Path>> = targets.chain(self.families.keys().cloned()).collect();
            // What is there at the beginning is the backlog: what changes while it is looked at is looked at again at once,
            // since without it the program would count as having caught up.
            let looks = if self.begun { 1 } else { FIRST_LOOKS };
            for _ in 0..looks {
                self.pass.soon = false;
                for dir in &dirs {
                    self.look(dir, None, sink);
                }
                if !self.pass.soon {
                    break;
                }
            }
            self.forget_owners();
            self.tell_of_nothing();
            self.tell_of_absent(sink);
            self.begun = true;
            return;
        }
        for dir in hints.dirs {
            self.look(&dir, None, sink);
        }
        for path in hints.files {
            let (Some(dir), Some(file)) = (path.parent(), path.file_name()) else {
                continue;
            };
            let stem = Name::stem(file);
            let id = self.families.get(dir).and_then(|family| family.get(stem));
            match id.and_then(|id| self.logs.get(id)) {
                Some(log) if log.reads_only(&path) => {
                    self.ready.insert(log.id);
                }
                // What is not read may go on as it likes, without a look for every line.
                Some(log) if log.stage == Stage::LeftOut => {}
                None if !self.is_meant(dir, file) => {}
                _ => self.look(dir, Some(stem), sink),
            }
        }
    }

    /// Whether any source means a file of this name.
    fn is_meant(&self, dir: &Path, file: &OsStr) -> bool {
        let targets = self.targets.get(dir).into_iter().flatten();
        targets.into_iter().any(|target| meaning(target, file).is_some())
    }

    pub(super) fn find_targets(&mut self) {
        self.targets.clear();
        self.walked.clear();
        let fs = Arc::clone(&self.pass.fs);
        for index in 0..self.sources.len() {
            let source = &self.sources[index];
            let found = source.targets(index, &*fs);
            if found.targets.is_empty() && !source.is_stdin() {
                self.pass.notices.say(Notice::Missing(source.given().to_owned()));
            }
            for target in found.targets {
                self.targets.entry(target.dir.clone()).or_default().push(target);
            }
            self.walked.extend(found.walked);
            for (path, op, error) in found.failed {
                self.trouble(&path, op, &error);
            }
        }
    }

    /// Looks into a directory, at one family or at all.
    pub(super) fn look(&mut self, dir: &Path, only: Option<&OsStr>, sink: &mut dyn Sink) {
        let now = self.pass.now;
        let meant = self.targets.contains_key(dir) || self.families.contains_key(dir);
        if !meant
            || self
                .trouble_of(dir)
                .is_some_and(|trouble| trouble.retry.waits(now))
        {
            return;
        }
        let view = match self.stable_view(dir, only) {
            Ok(view) => view,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.pass.notices.say(Notice::Missing(dir.to_owned()));
                View::default()
            }
            Err(error) => {
                self.trouble(dir, Op::List, &error).retry.failed(now);
                return;
            }
        };
        self.foresee(dir, &view);
        self.create_logs(dir, &view);
        let logs = self.families.get(dir).into_iter().flatten();
        let logs: Vec<(Arc<OsStr>, LogId)> = logs
            // What could not be asked after may be there all the same.
            .filter(|(stem, _)| only.is_none_or(|only| *only == ***stem) && !view.unsure.contains(*stem))
            .map(|(stem, id)| (Arc::clone(stem), *id))
            .collect();
        let mut found = Vec::new();
        let mut coming = BTreeSet::new();
        for (stem, id) in logs {
            let arrivals = self.act(id, |tailer, log| {
                tailer.show(log, dir, &stem, &view, &coming, sink)
            });
            if let Some(arrivals) = arrivals.flatten() {
                coming.extend(arrivals.files());
                found.push((stem, id, arrivals));
            }
        }
        if found.is_empty() {
            return;
        }
        // What was looked into may have been cut or renamed after the directory was read: then it would be read before what
        // it had held, which is in a file that the view does not show, or not as it is now.
        let later = self.view(dir, only).unwrap_or_default();
        for (stem, id, arrivals) in found {
            self.act(id, |tailer, log| {
                if log.is_unsettled_for_long(&tailer.pass) || view.is_still_so(&stem, &later, log) {
                    log.take_up(arrivals, &mut tailer.pass, sink);
                } else {
                    log.give_up(arrivals.news, arrivals.beginning, &mut tailer.pass);
                }
            });
        }
    }

    /// Has helpers look into files of which no log knows yet, where there are many of them: whose they are and when they begin
    /// is asked of one after the other.
    fn foresee(&self, dir: &Path, view: &View) {
        /// Fewest files that are worth waking somebody for.
        const MANY: usize = 8;
        let Some(ahead) = &self.pass.ahead else { return };
        let known = self.families.get(dir);
        let news = view
            .families
            .iter()
            .filter(|family| known.is_none_or(|logs| !logs.contains_key(&family.stem)));
        let members = news.flat_map(|family| view.members_of(family));
        let large = members.filter(|member| member.stat.size >= SAMPLE as u64 && !member.name.gz);
        let paths: Vec<&Path> = large.map(|member| &*member.path).collect();
        if paths.len() >= MANY {
            ahead.foresee(&*self.pass.fs, &paths, SAMPLE);
        }
    }

    /// Lets a log act, and keeps up to date what is known of it.
    fn act<T>(&mut self, id: LogId, act: impl FnOnce(&mut Self, &mut Log) -> T) -> Option<T> {
        let mut log = self.logs.remove(&id)?;
        let before = log.fingerprint();
        let result = act(self, &mut log);
        if log.fingerprint() != before {
            self.touched.insert(id);
        }
        self.owners.extend(log.files().map(|file| (file.id, id)));
        if log.is_ready() {
            self.ready.insert(id);
        }
        self.logs.insert(id, log);
        Some(result)
    }

    /// Shows a log its files; what is news to it, apart from what is `coming` to another log.
    fn show(
        &mut self,
        log: &mut Log,
        dir: &Path,
        stem: &OsStr,
        view: &View,
        coming: &BTreeSet<FileId>,
        sink: &mut dyn Sink,
    ) -> Option<Arrivals> {
        let members = view.members(stem);
        for member in members.iter().filter(|member| !log.knows(member.stat.id)) {
            self.judge_claim(member);
        }
        let (logs, owners) = (&self.logs, &self.owners);
        let taken = |file: FileId| {
            let owner = owners.get(&file).and_then(|owner| logs.get(owner));
            coming.contains(&file) || owner.is_some_and(|log| log.knows(file))
        };
        let sight = Sight {
            dir,
            members,
            entries: &view.entries,
            classify: &self.classify,
            taken: &taken,
            beginning: !self.begun,
            named: view.named(stem),
        };
        log.sight(&sight, &mut self.pass, sink)
    }

    /// Whether a file that another log knows by this inode is this file: under a second name, or moved here from that log's
    /// directory, to be read on here. Else it is gone, its inode was given to this one, and that log has no claim to it.
    fn judge_claim(&mut self, member: &Member) {
        let id = member.stat.id;
        let owner = self.owners.get(&id).and_then(|owner| self.logs.get_mut(owner));
        self.touched.extend(owner.iter().map(|log| log.id));
        let known = owner.into_iter().flat_map(|log| log.files_mut());
        for file in known.filter(|file| file.id == id) {
            let is_there = file.missing.is_none()
                && (file.is_held() || self.pass.fs.stat(&file.path).is_ok_and(|stat| file.is_at(&stat)));
            if is_there {
                self.pass
                    .notices
                    .say(Notice::Duplicate(member.path.to_path_buf()));
                continue;
            }
            match file.is_continued_in(member, &self.pass) {
                Ok(true) => file.seen(&member.path, &member.stat),
                Ok(false) => file.id = FileId::NONE,
                // Asked again with the next look.
                Err(_) => {}
            }
        }
    }

    /// Logs for families that are meant and have none yet.
    fn create_logs(&mut self, dir: &Path, view: &View) {
        let known = self.families.get_key_value(dir);
        let dir = known.map_or_else(|| Arc::from(dir), |(dir, _)| Arc::clone(dir));
        for family in &view.families {
            let (stem, members) = (&family.stem, view.members_of(family));
            if self
                .families
                .get(&dir)
                .is_some_and(|logs| logs.contains_key(stem))
            {
                continue;
            }
            let own = dir.join(&**stem);
            let name = Position::printable(&own);
            // Where only rotated files are left of a log with positions, its source is the one that looks here.
            let source = family
                .source
                .or_else(|| self.targets.get(&*dir)?.first().map(|target| target.source));
            let member = members.iter().find(|member| member.wanted).or(members.first());
            let (Some(source), Some(member)) = (source, member) else {
                continue;
            };
            let matched = (!family.matched.is_empty()).then(|| family.matched.join("/"));
            let cluster = self.sources[source].captured(&member.path).or(matched);
            let path = if **stem == *CONTAINER || *member.path == *own {
                Arc::clone(&member.path)
            } else {
                own.into()
            };
            let info = LogInfo {
                name: Arc::from(name.as_str()),
                path,
                cluster,
                source,
            };
            let mut log = self.new_log(info, Arc::clone(&dir), Arc::clone(stem));
            let id = log.id;
            log.restored = self.restored.remove(&name).unwrap_or_default();
            log.resumed = !log.restored.is_empty();
            self.families
                .entry(Arc::clone(&dir))
                .or_default()
                .insert(Arc::clone(stem), id);
            self.logs.insert(id, Box::new(log));
        }
    }

    /// A view that is the same twice in a row whenever it shows something new: a directory read while files are being
    /// renamed may miss one of them, or show it under two names. What does not come to rest is left to a later look.
    fn stable_view(&mut self, dir: &Path, only: Option<&OsStr>) -> io::Result<View> {
        const TRIES: usize = 5;
        let mut view = self.view(dir, only)?;
        let mut restless = BTreeSet::new();
        for _ in 0..TRIES {
            if !self.shows_news(dir, only, &view) {
                return Ok(view);
            }
            let again = self.view(dir, only)?;
            restless = again.differs_in(&view);
            view = again;
            if restless.is_empty() {
                return Ok(view);
            }
        }
        view.unsure.extend(restless);
        self.pass.soon = true;
        Ok(view)
    }

    /// Whether a view shows files that are not known, or lacks files that are known or looked for.
    fn shows_news(&self, dir: &Path, only: Option<&OsStr>, view: &View) -> bool {
        let Some(logs) = self.families.get(dir) else {
            return true;
        };
        let came = view.families.iter().any(|family| {
            let log = logs.get(&family.stem).and_then(|id| self.logs.get(id));
            log.is_none_or(|log| {
                let new = |member: &Member| !log.knows(member.stat.id);
                log.stage != Stage::LeftOut && view.members_of(family).iter().any(new)
            })
        });
        let asked = logs
            .iter()
            .filter(|(stem, _)| only.is_none_or(|only| *only == ***stem));
        let mut asked = asked.filter_map(|(stem, id)| Some((view.members(stem), self.logs.get(id)?)));
        came || asked.any(|(members, log)| {
            let is_shown = |file: &Tracked| {
                members
                    .iter()
                    .any(|member| file.is_at(&member.stat) && member.path == file.path)
            };
            // What is looked for is as good as news: by a view that lacks it, it would be given up.
            log.queue.iter().any(|file| file.missing.is_some())
                || log.files().any(|file| file.missing.is_none() && !is_shown(file))
        })
    }

    fn view(&mut self, dir: &Path, only: Option<&OsStr>) -> io::Result<View> {
        let targets = self.targets.get(dir).map_or(&[][..], Vec::as_slice);
        let view = View::of(dir, targets, &self.known(dir), only, &*self.pass.fs)?;
        if let Some(trouble) = self.trouble_of(dir) {
            trouble.retry = Retry::default();
        }
        for (path, error) in &view.failed {
            self.trouble(path, Op::Stat, error);
        }
        for path in &view.refused {
            self.pass.notices.say(Notice::NotAFile(path.to_path_buf()));
        }
        Ok(view)
    }

    /// Drops owners that own nothing any more.
    fn forget_owners(&mut self) {
        let logs = &self.logs;
        self.owners
            .retain(|file, owner| logs.get(owner).is_some_and(|log| log.knows(*file)));
    }

    /// Tells once of directories in which nothing was found.
    fn tell_of_nothing(&mut self) {
        let logs_of = |target: &Target| {
            let logs = self.families.get(&*target.dir).map(|logs| logs.values());
            logs.into_iter().flatten().filter_map(|id| self.logs.get(id))
        };
        let all = || self.targets.values().flatten();
        let sources: BTreeSet<usize> = all()
            .filter(|target| logs_of(target).next().is_some())
            .map(|target| target.source)
            .collect();
        for target in all() {
            let any = |meant: &dyn Fn(&Log) -> bool| logs_of(target).any(|log| meant(log));
            match &target.select {
                Select::Logs if !any(&|log| log.stage == Stage::Followed) => {
                    self.pass.notices.say(Notice::NoJobManagerLog(target.dir.clone()));
                }
                Select::File(file) if !any(&|log| log.stem == Name::parse(file).stem) => {
                    self.pass.notices.say(Notice::Missing(target.dir.join(file)));
                }
                // One of the directories that a pattern leads to may have none.
                Select::Glob(_) if !sources.contains(&target.source) => {
                    self.pass
                        .notices
                        .say(Notice::Missing(self.sources[target.source].given().to_owned()));
                }
                Select::Logs | Select::File(_) | Select::Glob(_) => {}
            }
        }
    }

    /// Logs of an earlier run that are not found are given as long as one that is deleted while it is read.
    fn tell_of_absent(&mut self, sink: &mut dyn Sink) {
        let since = *self.looked_for.get_or_insert(self.pass.now);
        if self.pass.now >= since + self.pass.settings.grace {
            for id in std::mem::take(&mut self.absent) {
                sink.gone(id);
            }
        }
    }

    /// Counts and tells of a failure that is no log's.
    fn trouble(&mut self, path: &Path, op: Op, error: &io::Error) -> &mut Trouble {
        self.pass.notices.say(Notice::Failed {
            path: path.to_owned(),
            op,
            error: error.to_string(),
        });
        self.pass.starved |= is_out_of_files(error);
        let trouble = self.troubles.entry(Position::printable(path)).or_default();
        trouble.errors.add(op, 1);
        trouble
    }

    /// What failed of a path before: of most nothing did.
    fn trouble_of(&mut self, path: &Path) -> Option<&mut Trouble> {
        if self.troubles.is_empty() {
            return None;
        }
        self.troubles.get_mut(&Position::printable(path))
    }
}

/// Failures of a path that is no log's.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    pub(super) errors: Counts<Op>,
    retry: Retry,
}

impl Trouble {
    /// What an earlier run counted.
    pub(super) fn before(errors: Counts<Op>) -> Self {
        let retry = Retry::default();
        Self { errors, retry }
    }
}
