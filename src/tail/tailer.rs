//! The tailer: which directories to look into, which logs to read, and how much of each at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::discover::{Select, Source, Target};
use super::family::{CONTAINER, Name};
use super::file::{Numbers, Pass, Retry};
use super::fs::{Entry, Fs, Kind};
use super::identity::{FileId, Place, Position};
use super::log::{Log, Progress, Stage};
use super::notice::{Notice, Notices};
use super::reader::LogReader;
use super::sight::{Member, Named, Sight};
use super::stdin::{Stdin, Taken};
use super::wake::Hints;
use super::{Classify, LogInfo, Read, Settings, Sink};
use crate::line::LogId;
use crate::stats::{Backlog, Op, SourceStats};

/// What one pass came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// There is more to be read now.
    pub more: bool,
    /// When to come back at the latest, from now; a hint may make it earlier.
    pub wait: Duration,
}

/// How soon to look again at what was in doubt or under way.
const SOON: Duration = Duration::from_millis(50);

/// Follows the logs of its sources.
pub struct Tailer {
    fs: Arc<dyn Fs>,
    sources: Vec<Source>,
    classify: Classify,
    settings: Settings,
    logs: BTreeMap<LogId, Log>,
    families: BTreeMap<PathBuf, BTreeMap<OsString, LogId>>,
    /// Which log reads a file; may name one that does so no more.
    owners: HashMap<FileId, LogId>,
    restored: BTreeMap<String, Vec<Position>>,
    targets: BTreeMap<PathBuf, Vec<Target>>,
    walked: BTreeSet<PathBuf>,
    hints: Hints,
    ready: BTreeSet<LogId>,
    /// The log served last: the next pass begins after it.
    served: LogId,
    next_look: Duration,
    passes: u64,
    /// The first look is over.
    begun: bool,
    notices: Notices,
    troubles: BTreeMap<PathBuf, (Numbers, Retry)>,
    token: Arc<()>,
    buffer: Vec<u8>,
    stdin: Option<(Log, Option<Stdin>)>,
    next_id: u32,
}

/// What a directory shows: the files of each family that is asked for.
struct View {
    families: BTreeMap<OsString, Family>,
    entries: Vec<Entry>,
}

#[derive(Default)]
struct Family {
    members: Vec<Member>,
    named: Named,
    /// The first source that means one of them; none for a log followed because of its positions alone.
    source: Option<usize>,
    matched: Vec<String>,
}

impl Tailer {
    /// A tailer of these sources that goes on from saved positions. Reads nothing yet.
    #[must_use]
    pub fn new(
        fs: Arc<dyn Fs>,
        sources: Vec<Source>,
        classify: Classify,
        settings: Settings,
        positions: Vec<Position>,
    ) -> Self {
        let mut restored: BTreeMap<String, Vec<Position>> = BTreeMap::new();
        for position in positions {
            restored.entry(position.log.clone()).or_default().push(position);
        }
        let buffer = vec![0; settings.chunk + Place::ANCHOR];
        Self {
            fs,
            sources,
            classify,
            settings,
            logs: BTreeMap::new(),
            families: BTreeMap::new(),
            owners: HashMap::new(),
            restored,
            targets: BTreeMap::new(),
            walked: BTreeSet::new(),
            hints: Hints {
                all: true,
                ..Hints::default()
            },
            ready: BTreeSet::new(),
            served: LogId(0),
            next_look: Duration::ZERO,
            passes: 0,
            begun: false,
            notices: Notices::default(),
            troubles: BTreeMap::new(),
            token: Arc::new(()),
            buffer,
            stdin: None,
            next_id: 0,
        }
    }

    /// Reads standard input where a source is `-`.
    pub fn attach_stdin(&mut self, stdin: Stdin) {
        if let Some(source) = self.sources.iter().position(Source::is_stdin) {
            let info = LogInfo {
                name: "-".into(),
                path: "-".into(),
                cluster: None,
                source,
            };
            let mut log = Log::new(self.new_id(), info, PathBuf::new(), OsString::new());
            log.stage = Stage::Followed;
            self.stdin = Some((log, Some(stdin)));
        }
    }

    /// Whether standard input has come to its end; false where it is not read.
    #[must_use]
    pub fn is_stdin_over(&self) -> bool {
        self.stdin.as_ref().is_some_and(|(_, stdin)| stdin.is_none())
    }

    /// Changes how often everything is looked at without a hint.
    pub fn set_period(&mut self, period: Duration) {
        self.settings.period = period;
    }

    /// Takes in what [`super::wake::Waker::take`] gave.
    pub fn hint(&mut self, hints: Hints) {
        self.hints.all |= hints.all;
        self.hints.dirs.extend(hints.dirs);
        self.hints.files.extend(hints.files);
    }

    /// Directories whose changes are worth a hint.
    #[must_use]
    pub fn dirs(&self) -> BTreeSet<PathBuf> {
        self.targets.keys().chain(&self.walked).cloned().collect()
    }

    /// One pass: looks where it is time or where a hint points, and reads what is there, within the budgets. `now` is
    /// monotonic, from any beginning.
    pub fn poll(&mut self, now: Duration, sink: &mut dyn Sink) -> Outcome {
        self.passes += 1;
        let mut soon = self.look_around(now, sink, false);
        let more = self.read(now, sink, &mut soon) | self.read_stdin(sink);
        let wait = match (more, soon) {
            (true, _) => Duration::ZERO,
            (false, true) => SOON.min(self.settings.period),
            (false, false) => self.next_look.saturating_sub(now),
        };
        if soon && !more {
            // What was in doubt is looked at again without a hint.
            self.next_look = self.next_look.min(now + SOON);
        }
        Outcome { more, wait }
    }

    /// Readers of everything that is there now, in the order of the logs' names, each to be read to its end.
    #[must_use]
    pub fn into_readers(mut self) -> (Vec<LogReader>, Vec<Notice>) {
        self.passes += 1;
        self.look_around(Duration::ZERO, &mut Nobody, true);
        let hold = self.logs.len() <= self.settings.open_files;
        let mut logs: Vec<Log> = self
            .logs
            .into_values()
            .filter(|log| log.stage == Stage::Followed)
            .collect();
        logs.sort_by(|a, b| a.info.name.cmp(&b.info.name));
        let (fs, settings) = (self.fs, self.settings);
        let mut readers: Vec<LogReader> = logs
            .into_iter()
            .map(|log| LogReader::files(log, Arc::clone(&fs), settings.clone(), hold))
            .collect();
        if let Some((log, Some(stdin))) = self.stdin {
            readers.push(LogReader::stdin(log, stdin, fs, settings));
        }
        (readers, self.notices.take())
    }

    /// How far every file was read.
    #[must_use]
    pub fn positions(&self) -> Vec<Position> {
        let waiting = self.restored.values().flatten().cloned();
        self.logs
            .values()
            .flat_map(Log::positions)
            .chain(waiting)
            .collect()
    }

    /// The numbers of each log that is read, and of whatever failed; the id is none for what is no log.
    #[must_use]
    pub fn stats(&self) -> Vec<(Option<LogId>, SourceStats)> {
        let logs = self
            .logs
            .values()
            .filter(|log| log.is_shown())
            .chain(self.stdin.iter().map(|(log, _)| log));
        let troubles = self
            .troubles
            .iter()
            .filter(|(_, (numbers, _))| !numbers.errors.is_empty());
        let troubles = troubles.map(|(path, (numbers, _))| {
            let name = Position::printable(path);
            (
                None,
                SourceStats {
                    name,
                    errors: numbers.errors.clone(),
                    ..SourceStats::default()
                },
            )
        });
        logs.map(|log| (Some(log.id), log.stats()))
            .chain(troubles)
            .collect()
    }

    /// Progress in reading what was there at the start.
    #[must_use]
    pub fn backlog(&self) -> Backlog {
        self.logs.values().fold(Backlog::default(), |sum, log| Backlog {
            total_bytes: sum.total_bytes + log.backlog.total_bytes,
            read_bytes: sum.read_bytes + log.backlog.read_bytes,
            total_files: sum.total_files + log.backlog.total_files,
            read_files: sum.read_files + log.backlog.read_files,
        })
    }

    /// Files held open.
    #[must_use]
    pub fn open_files(&self) -> usize {
        Arc::strong_count(&self.token) - 1
    }

    /// Notices not yet taken.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.notices.take()
    }

    fn new_id(&mut self) -> LogId {
        self.next_id += 1;
        LogId(self.next_id)
    }

    /// Looks at everything when it is time, else where hints point. Returns whether to look again soon.
    fn look_around(&mut self, now: Duration, sink: &mut dyn Sink, once: bool) -> bool {
        let hints = std::mem::take(&mut self.hints);
        let all = hints.all || now >= self.next_look;
        let mut soon = false;
        if all {
            self.next_look = now + self.settings.period;
            self.find_targets();
            let dirs: Vec<PathBuf> = self.targets.keys().chain(self.families.keys()).cloned().collect();
            for dir in dirs.into_iter().collect::<BTreeSet<_>>() {
                soon |= self.look(&dir, None, now, sink, once);
            }
            self.forget_owners();
            self.tell_of_nothing();
            self.begun = true;
            return soon;
        }
        for dir in hints.dirs {
            soon |= self.look(&dir, None, now, sink, once);
        }
        for path in hints.files {
            let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
                continue;
            };
            let stem = Name::parse(name).stem;
            match self.families.get(dir).and_then(|family| family.get(&stem)) {
                Some(id) if self.logs.get(id).is_some_and(|log| log.stage == Stage::Followed) => {
                    self.ready.insert(*id);
                }
                _ => soon |= self.look(dir, Some(&stem), now, sink, once),
            }
        }
        soon
    }

    fn find_targets(&mut self) {
        self.targets.clear();
        self.walked.clear();
        for (index, source) in self.sources.iter().enumerate() {
            let found = source.targets(index, &*self.fs);
            if found.targets.is_empty() && !source.is_stdin() {
                self.notices.say(Notice::Missing(source.given().to_owned()));
            }
            for target in found.targets {
                self.targets.entry(target.dir.clone()).or_default().push(target);
            }
            self.walked.extend(found.walked);
            for (path, op, error) in found.failed {
                trouble(&mut self.troubles, &mut self.notices, &path, op, &error);
            }
        }
    }

    /// Looks into a directory, at one family or at all. Returns whether to look again soon.
    fn look(
        &mut self,
        dir: &Path,
        only: Option<&OsStr>,
        now: Duration,
        sink: &mut dyn Sink,
        once: bool,
    ) -> bool {
        let empty = Vec::new();
        let targets = self.targets.get(dir).unwrap_or(&empty);
        if targets.is_empty() && !self.families.contains_key(dir) {
            return false;
        }
        let failing = self.troubles.get(dir).is_some_and(|(_, retry)| retry.waits(now));
        let view = match if failing {
            return false;
        } else {
            self.stable_view(dir, only)
        } {
            Ok(view) => view,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.notices.say(Notice::Missing(dir.to_owned()));
                View {
                    families: BTreeMap::new(),
                    entries: Vec::new(),
                }
            }
            Err(error) => {
                trouble(&mut self.troubles, &mut self.notices, dir, Op::List, &error);
                if let Some((_, retry)) = self.troubles.get_mut(dir) {
                    retry.failed(now);
                }
                return false;
            }
        };
        self.create_logs(dir, &view);
        let mut soon = false;
        let stems: Vec<(OsString, LogId)> = match (self.families.get(dir), only) {
            (None, _) => Vec::new(),
            (Some(logs), Some(stem)) => logs
                .get_key_value(stem)
                .map(|(s, id)| (s.clone(), *id))
                .into_iter()
                .collect(),
            (Some(logs), None) => logs.iter().map(|(stem, id)| (stem.clone(), *id)).collect(),
        };
        for (stem, id) in stems {
            soon |= self.sight(dir, id, view.families.get(&stem), &view.entries, now, sink, once);
        }
        soon
    }

    /// Shows a log its files.
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one look, which would otherwise be a struct used once"
    )]
    fn sight(
        &mut self,
        dir: &Path,
        id: LogId,
        family: Option<&Family>,
        entries: &[Entry],
        now: Duration,
        sink: &mut dyn Sink,
        once: bool,
    ) -> bool {
        let Some(mut log) = self.logs.remove(&id) else {
            return false;
        };
        let (logs, owners) = (&self.logs, &self.owners);
        let taken = |file: FileId| {
            owners
                .get(&file)
                .filter(|owner| **owner != id)
                .and_then(|owner| logs.get(owner))
                .is_some_and(|log| log.knows(file))
        };
        let members = family.map_or(&[][..], |family| &family.members);
        let sight = Sight {
            dir,
            members,
            entries,
            classify: &self.classify,
            taken: &taken,
            beginning: !self.begun,
            named: family.map_or(Named::Directory, |family| family.named),
        };
        let mut pass = Pass {
            fs: &*self.fs,
            settings: &self.settings,
            notices: &mut self.notices,
            token: &self.token,
            now,
            number: self.passes,
            once,
            soon: false,
            starved: false,
        };
        log.sight(&sight, &mut pass, sink);
        let soon = pass.soon;
        for member in members {
            if taken(member.stat.id) {
                self.notices.say(Notice::Duplicate(member.path.clone()));
            }
        }
        // A file may have moved here from another log's directory: that log reads on where it is now.
        let moved: Vec<&Member> = members
            .iter()
            .filter(|member| !log.knows(member.stat.id))
            .collect();
        for member in moved {
            if let Some(owner) = self
                .owners
                .get(&member.stat.id)
                .and_then(|owner| self.logs.get_mut(owner))
            {
                let files = owner.queue.iter_mut().chain(&mut owner.done);
                for file in files.filter(|file| file.id == member.stat.id && file.missing.is_some()) {
                    file.seen(member.path.clone(), &member.stat);
                }
            }
        }
        for file in log.queue.iter().chain(&log.done) {
            self.owners.insert(file.id, id);
        }
        if log.is_ready() {
            self.ready.insert(id);
        }
        self.logs.insert(id, log);
        soon
    }

    /// Logs for families that are meant and have none yet.
    fn create_logs(&mut self, dir: &Path, view: &View) {
        for (stem, family) in &view.families {
            if self.families.get(dir).is_some_and(|logs| logs.contains_key(stem)) {
                continue;
            }
            let name = Position::printable(&dir.join(stem));
            // Where only rotated files are left of a log with positions, its source is the one that looks here.
            let source = family
                .source
                .or_else(|| self.targets.get(dir)?.first().map(|target| target.source));
            let member = family
                .members
                .iter()
                .find(|member| member.wanted)
                .or_else(|| family.members.first());
            let (Some(source), Some(member)) = (source, member) else {
                continue;
            };
            let matched = (!family.matched.is_empty()).then(|| family.matched.join("/"));
            let cluster = self.sources[source].captured(&member.path).or(matched);
            let path = if stem == CONTAINER {
                member.path.clone()
            } else {
                dir.join(stem)
            };
            let info = LogInfo {
                name: name.clone(),
                path,
                cluster,
                source,
            };
            let id = self.new_id();
            let mut log = Log::new(id, info, dir.to_owned(), stem.clone());
            log.restored = self.restored.remove(&name).unwrap_or_default();
            self.families
                .entry(dir.to_owned())
                .or_default()
                .insert(stem.clone(), id);
            self.logs.insert(id, log);
        }
    }

    /// A view that is the same twice in a row whenever it shows something new: a directory read while files are being
    /// renamed may miss one of them, or show it under two names.
    fn stable_view(&mut self, dir: &Path, only: Option<&OsStr>) -> io::Result<View> {
        const TRIES: usize = 5;
        let mut view = self.view(dir, only)?;
        for _ in 0..TRIES {
            if !self.shows_news(dir, only, &view) {
                break;
            }
            let again = self.view(dir, only)?;
            let same = view.names().eq(again.names());
            view = again;
            if same {
                break;
            }
        }
        Ok(view)
    }

    /// Whether a view shows files that are not known, or lacks files that are.
    fn shows_news(&self, dir: &Path, only: Option<&OsStr>, view: &View) -> bool {
        let Some(logs) = self.families.get(dir) else {
            return true;
        };
        let news = view.families.iter().any(|(stem, family)| {
            let log = logs.get(stem).and_then(|id| self.logs.get(id));
            log.is_none_or(|log| family.members.iter().any(|member| !log.knows(member.stat.id)))
        });
        news || logs
            .iter()
            .filter(|(stem, _)| only.is_none_or(|only| only == *stem))
            .any(|(stem, id)| {
                let members = view.families.get(stem).map_or(&[][..], |family| &family.members);
                self.logs.get(id).is_some_and(|log| {
                    log.queue.iter().chain(&log.done).any(|file| {
                        file.missing.is_none()
                            && !members
                                .iter()
                                .any(|m| m.stat.id == file.id && m.path == file.path)
                    })
                })
            })
    }

    /// Lists a directory and asks after each file that is meant, or of the family of one that is.
    fn view(&mut self, dir: &Path, only: Option<&OsStr>) -> io::Result<View> {
        let entries = self.fs.list(dir)?;
        if let Some((_, retry)) = self.troubles.get_mut(dir) {
            *retry = Retry::default();
        }
        let empty = Vec::new();
        let targets = self.targets.get(dir).unwrap_or(&empty);
        let mut names = Vec::new();
        let mut stems = self.stems_followed(dir);
        for entry in entries.iter().filter(|entry| entry.kind != Some(Kind::Directory)) {
            let name = Name::parse(&entry.name);
            if only.is_some_and(|only| only != name.stem) {
                continue;
            }
            let meant = targets
                .iter()
                .filter_map(|target| meaning(target, &entry.name, &name).map(|how| (target, how)));
            let best = meant.min_by_key(|(target, _)| target.source);
            if best.is_some() {
                stems.insert(name.stem.clone());
            }
            names.push((entry, name, best));
        }
        let mut families: BTreeMap<OsString, Family> = BTreeMap::new();
        // Only now is anything asked of the files: a directory may hold many more than are meant.
        for (entry, name, best) in names
            .into_iter()
            .filter(|(_, name, _)| stems.contains(&name.stem))
        {
            let path = dir.join(&entry.name);
            let stat = match self.fs.stat(&path) {
                Ok(stat) => stat,
                // Gone since, or a link that leads nowhere.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => {
                    trouble(&mut self.troubles, &mut self.notices, &path, Op::Stat, &error);
                    continue;
                }
            };
            if stat.kind != Kind::Regular {
                if stat.kind == Kind::Other && best.is_some() {
                    self.notices.say(Notice::NotAFile(path));
                }
                continue;
            }
            let family = families.entry(name.stem.clone()).or_default();
            if let Some((target, named)) = best {
                family.named = family.named.max(named);
                if family.source.is_none_or(|source| target.source < source) {
                    (family.source, family.matched) = (Some(target.source), target.matched.clone());
                }
            }
            let current = !name.rotated;
            family.members.push(Member {
                path,
                name,
                stat,
                wanted: best.is_some(),
                current,
            });
        }
        for family in families.values_mut() {
            family.settle();
        }
        Ok(View { families, entries })
    }

    /// Families of a directory that are looked at whether or not a name is meant: those read, and those with positions.
    fn stems_followed(&self, dir: &Path) -> BTreeSet<OsString> {
        let read = self
            .families
            .get(dir)
            .into_iter()
            .flat_map(BTreeMap::keys)
            .cloned();
        let inside = Position::printable(&dir.join(""));
        let saved = self.restored.range(inside.clone()..).map(|(name, _)| name);
        let saved = saved
            .map_while(|name| name.strip_prefix(&inside))
            .filter(|rest| !rest.contains('/'));
        read.chain(saved.map(OsString::from)).collect()
    }

    /// Reads from every log that has something, each in turn. Returns whether there is more.
    fn read(&mut self, now: Duration, sink: &mut dyn Sink, soon: &mut bool) -> bool {
        /// How often a log's directory is looked at within one pass because its files moved under it.
        const LOOKS: usize = 8;
        let mut left = self.settings.pass_budget;
        let after: Vec<LogId> = self
            .ready
            .range(LogId(self.served.0.saturating_add(1))..)
            .copied()
            .collect();
        let before: Vec<LogId> = self.ready.range(..=self.served).copied().collect();
        for id in after.into_iter().chain(before) {
            if left == 0 {
                break;
            }
            self.served = id;
            for _ in 0..LOOKS {
                let budget = left.min(self.settings.log_budget);
                let (progress, read, wants) = self.read_log(id, budget, now, sink);
                left -= read.min(left);
                *soon |= wants;
                match progress {
                    Progress::More => break,
                    Progress::Idle => {
                        self.ready.remove(&id);
                        break;
                    }
                    Progress::Look => {
                        let Some(log) = self.logs.get(&id) else { break };
                        let (dir, stem) = (log.dir.clone(), log.stem.clone());
                        *soon |= self.look(&dir, Some(&stem), now, sink, false);
                    }
                }
            }
        }
        !self.ready.is_empty()
    }

    fn read_log(
        &mut self,
        id: LogId,
        budget: usize,
        now: Duration,
        sink: &mut dyn Sink,
    ) -> (Progress, usize, bool) {
        let Some(log) = self.logs.get_mut(&id) else {
            return (Progress::Idle, 0, false);
        };
        let mut pass = Pass {
            fs: &*self.fs,
            settings: &self.settings,
            notices: &mut self.notices,
            token: &self.token,
            now,
            number: self.passes,
            once: false,
            soon: false,
            starved: false,
        };
        let (progress, read) = log.advance(&mut pass, budget, &mut self.buffer, sink);
        let (soon, starved) = (pass.soon, pass.starved);
        let open = self.open_files();
        if starved || open > self.settings.open_files {
            self.close_some(if starved {
                open / 2
            } else {
                self.settings.open_files / 2
            });
        }
        (progress, read, soon)
    }

    /// Closes the files used longest ago until only `keep` are open, as far as they can be opened again.
    fn close_some(&mut self, keep: usize) {
        let files = self
            .logs
            .values_mut()
            .flat_map(|log| log.queue.iter_mut().chain(&mut log.done));
        let mut open: Vec<_> = files.filter(|file| file.may_close()).collect();
        open.sort_by_key(|file| std::cmp::Reverse(file.used));
        open.into_iter().skip(keep).for_each(super::file::Tracked::close);
    }

    fn read_stdin(&mut self, sink: &mut dyn Sink) -> bool {
        let Some((log, input)) = &mut self.stdin else {
            return false;
        };
        if !log.sighted {
            log.sighted = true;
            sink.open(log.id, &log.info);
        }
        let mut left = self.settings.log_budget;
        while let Some(stdin) = input.as_ref() {
            match stdin.take() {
                Taken::Bytes(bytes) => {
                    let offset = log.numbers.read_bytes;
                    log.numbers.read_bytes += bytes.len() as u64;
                    let mtime = Timestamp::UNIX_EPOCH;
                    sink.bytes(
                        log.id,
                        &Read {
                            bytes: &bytes,
                            offset,
                            mtime,
                            fresh: true,
                            context: false,
                        },
                    );
                    left = left.saturating_sub(bytes.len());
                    if left == 0 {
                        return true;
                    }
                }
                Taken::Nothing => return false,
                over => {
                    if over == Taken::Failed {
                        log.numbers.failed(Op::Read);
                    }
                    *input = None;
                    sink.file_end(log.id);
                }
            }
        }
        false
    }

    /// Drops owners that own nothing any more.
    fn forget_owners(&mut self) {
        let logs = &self.logs;
        self.owners
            .retain(|file, owner| logs.get(owner).is_some_and(|log| log.knows(*file)));
    }

    /// Tells once of directories in which nothing was found.
    fn tell_of_nothing(&mut self) {
        for target in self.targets.values().flatten() {
            let logs = self.families.get(&target.dir);
            let any = |meant: &dyn Fn(&Log) -> bool| {
                logs.is_some_and(|logs| logs.values().filter_map(|id| self.logs.get(id)).any(meant))
            };
            match &target.select {
                Select::Logs if !any(&|log| log.stage == Stage::Followed) => {
                    self.notices.say(Notice::NoJobManagerLog(target.dir.clone()));
                }
                Select::File(file) if !any(&|log| log.stem == Name::parse(file).stem) => {
                    self.notices.say(Notice::Missing(target.dir.join(file)));
                }
                Select::Glob(_) if !any(&|_| true) => {
                    self.notices
                        .say(Notice::Missing(self.sources[target.source].given().to_owned()));
                }
                Select::Logs | Select::File(_) | Select::Glob(_) => {}
            }
        }
    }
}

impl View {
    fn names(&self) -> impl Iterator<Item = (&Path, FileId)> {
        self.families
            .values()
            .flat_map(|family| &family.members)
            .map(|member| (&*member.path, member.stat.id))
    }
}

impl Family {
    /// Puts the members in a fixed order, and finds which one is written to.
    fn settle(&mut self) {
        self.members.sort_by(|a, b| a.path.cmp(&b.path));
        let newest = self
            .members
            .iter()
            .filter(|member| member.current)
            .map(|member| member.name.number)
            .max();
        for member in &mut self.members {
            member.current &= !member.name.is_container() || Some(member.name.number) == newest;
        }
    }
}

/// Whether a target means a file, and how exactly.
fn meaning(target: &Target, file: &OsStr, name: &Name) -> Option<Named> {
    match &target.select {
        Select::Logs => name.is_log().then_some(Named::Directory),
        Select::File(wanted) => (wanted == file).then_some(Named::File),
        Select::Glob(glob) => glob.is_match(file).then_some(Named::Pattern),
    }
}

fn trouble(
    troubles: &mut BTreeMap<PathBuf, (Numbers, Retry)>,
    notices: &mut Notices,
    path: &Path,
    op: Op,
    error: &io::Error,
) {
    troubles.entry(path.to_owned()).or_default().0.failed(op);
    notices.say(Notice::Failed {
        path: path.to_owned(),
        op,
        error: error.to_string(),
    });
}

/// Hears nothing: readers are asked, not told.
struct Nobody;

impl Sink for Nobody {
    fn open(&mut self, _: LogId, _: &LogInfo) {}
    fn bytes(&mut self, _: LogId, _: &Read<'_>) {}
    fn file_end(&mut self, _: LogId) {}
    fn file_cut(&mut self, _: LogId) {}
    fn gone(&mut self, _: LogId) {}
}
