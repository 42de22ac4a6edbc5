//! What a directory shows at one moment: the files of each family that is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::discover::{Select, Target};
use super::family::Name;
use super::fs::{Entry, Fs, Kind};
use super::identity::FileId;
use super::log::Log;
use super::sight::{Member, Named};

/// A directory's answer; empty for one that is not there.
#[derive(Default)]
pub(super) struct View {
    pub(super) families: BTreeMap<Arc<OsStr>, Family>,
    /// Every name in it.
    pub(super) entries: Vec<Entry>,
    /// Files that could not be asked after.
    pub(super) failed: Vec<(PathBuf, io::Error)>,
    /// Their families: what is there of them is not known.
    pub(super) unsure: BTreeSet<Arc<OsStr>>,
    /// FIFOs, sockets and devices with the names of logs.
    pub(super) refused: Vec<PathBuf>,
}

/// The files of one log.
#[derive(Default)]
pub(super) struct Family {
    pub(super) members: Vec<Member>,
    /// Names that were listed and led nowhere when they were asked after: links, or files just renamed or deleted.
    gone: Vec<PathBuf>,
    pub(super) named: Named,
    /// The first source that means one of them; none for a log followed because of its positions alone.
    pub(super) source: Option<usize>,
    /// Directory names that this source's wildcards matched.
    pub(super) matched: Vec<String>,
}

impl View {
    /// Lists a directory and asks after each file that a target means, and after all of the same family, and after
    /// those of the families that are followed. With `only`, of that family alone.
    pub(super) fn of(
        dir: &Path,
        targets: &[Target],
        is_followed: &dyn Fn(&OsStr) -> bool,
        only: Option<&OsStr>,
        fs: &dyn Fs,
    ) -> io::Result<Self> {
        let entries = fs.list(dir)?;
        // Names are taken apart twice rather than kept: a directory may hold many thousands.
        let names = || {
            let files = entries.iter().filter(|entry| entry.kind != Some(Kind::Directory));
            let names = files.map(|entry| (&entry.name, Name::parse(&entry.name)));
            names.filter(|(_, name)| only.is_none_or(|only| *only == *name.stem))
        };
        let meant = |file: &OsStr, name: &Name| {
            let how = targets.iter();
            let how = how.filter_map(|target| Some((target, meaning(target, file, name)?)));
            how.min_by_key(|(target, _)| target.source)
        };
        let news = names().filter(|(file, name)| !is_followed(&name.stem) && meant(file, name).is_some());
        let news: BTreeSet<Arc<OsStr>> = news.map(|(_, name)| name.stem).collect();
        let mut view = Self::default();
        // Only now is anything asked of the files: a directory may hold many more than are meant.
        for (file, name) in names() {
            if news.contains(&name.stem) || is_followed(&name.stem) {
                let meant = meant(file, &name);
                view.ask(dir.join(file), name, meant, fs);
            }
        }
        view.families.values_mut().for_each(Family::settle);
        view.entries = entries;
        Ok(view)
    }

    fn ask(&mut self, path: PathBuf, name: Name, meant: Option<(&Target, Named)>, fs: &dyn Fs) {
        let stat = match fs.stat(&path) {
            Ok(stat) => stat,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return self.families.entry(name.stem).or_default().gone.push(path);
            }
            Err(error) => {
                self.failed.push((path, error));
                self.unsure.insert(name.stem);
                return;
            }
        };
        match stat.kind {
            Kind::Regular => {}
            Kind::Directory => return,
            Kind::Other => {
                self.refused.extend(meant.map(|_| path));
                return;
            }
        }
        let family = self.families.entry(name.stem.clone()).or_default();
        if let Some((target, named)) = meant {
            family.named = family.named.max(named);
            if family.source.is_none_or(|source| target.source < source) {
                family.source = Some(target.source);
                family.matched.clone_from(&target.matched);
            }
        }
        let current = !name.rotated;
        if family.members.is_empty() {
            // Most logs are one file, and there may be thousands: no room for the four that a vector begins with.
            family.members.reserve_exact(1);
        }
        family.members.push(Member {
            path: path.into(),
            name,
            stat,
            wanted: meant.is_some(),
            current,
        });
    }

    /// The families whose names lead to other files than in another view.
    pub(super) fn differs_in(&self, other: &Self) -> BTreeSet<Arc<OsStr>> {
        let stems = self.families.keys().chain(other.families.keys());
        stems
            .filter(|stem| !self.names(stem).eq(other.names(stem)))
            .cloned()
            .collect()
    }

    /// Whether a later view shows a log the same files: under the same names, and what it does not know yet neither grown,
    /// unless it is the file that is written to or is being packed, nor cut.
    pub(super) fn is_still_so(&self, stem: &OsStr, later: &Self, log: &Log) -> bool {
        let same_size = |(before, after): (&Member, &Member)| {
            let may_grow = before.current || before.name.gz;
            let (before, after) = (before.stat, after.stat);
            log.knows(before.id) || before.size == after.size || may_grow && before.size < after.size
        };
        let (before, after) = (self.members(stem), later.members(stem));
        self.names(stem).eq(later.names(stem)) && before.iter().zip(after).all(same_size)
    }

    /// The files of a family; none of one that is not there.
    pub(super) fn members(&self, stem: &OsStr) -> &[Member] {
        self.families.get(stem).map_or(&[], |family| &family.members)
    }

    /// How exactly a source means a family.
    pub(super) fn named(&self, stem: &OsStr) -> Named {
        self.families
            .get(stem)
            .map_or(Named::default(), |family| family.named)
    }

    fn names(&self, stem: &OsStr) -> impl Iterator<Item = (&Path, FileId)> {
        let family = self.families.get(stem);
        let members = self.members(stem).iter();
        let gone = family.into_iter().flat_map(|family| &family.gone);
        members
            .map(|member| (&*member.path, member.stat.id))
            .chain(gone.map(|path| (&**path, FileId::NONE)))
    }
}

impl Family {
    /// Puts the members in a fixed order, and finds which one is written to.
    fn settle(&mut self) {
        self.members.sort_by(|a, b| a.path.cmp(&b.path));
        self.gone.sort();
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
pub(super) fn meaning(target: &Target, file: &OsStr, name: &Name) -> Option<Named> {
    match &target.select {
        Select::Logs => name.is_log().then_some(Named::Directory),
        Select::File(wanted) => (wanted == file).then_some(Named::File),
        Select::Glob(glob) => glob.is_match(file).then_some(Named::Pattern),
    }
}
