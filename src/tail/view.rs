//! What a directory shows at one moment: the files of each family that is asked for.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::discover::{Select, Target};
use super::family::Name;
use super::fs::{Entry, Fs, Kind};
use super::identity::FileId;
use super::known::Known;
use super::log::Log;
use super::sight::{Member, Named};

/// A directory's answer; empty for one that is not there.
///
/// Families and members lie in two vectors, not in a tree with a vector for each family: there may be thousands, of one member
/// each, and the view of a moment would leave holes all over the memory of what is remembered of them.
#[derive(Default)]
pub(super) struct View {
    /// By their stems, in order.
    pub(super) families: Vec<Family>,
    members: Vec<Member>,
    /// Every name in it.
    pub(super) entries: Vec<Entry>,
    /// Files that could not be asked after.
    pub(super) failed: Vec<(Arc<Path>, io::Error)>,
    /// Their families: what is there of them is not known.
    pub(super) unsure: BTreeSet<Arc<OsStr>>,
    /// FIFOs, sockets and devices with the names of logs.
    pub(super) refused: Vec<Arc<Path>>,
}

/// The files of one log.
pub(super) struct Family {
    pub(super) stem: Arc<OsStr>,
    /// Where they are among all members; see [`View::members_of`].
    members: Range<usize>,
    /// Names that were listed and led nowhere when they were asked after: links, or files just renamed or deleted.
    gone: Vec<Arc<Path>>,
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
        known: &Known<'_>,
        only: Option<&OsStr>,
        fs: &dyn Fs,
    ) -> io::Result<Self> {
        let entries = fs.list(dir)?;
        let files = entries.iter().filter(|entry| entry.kind != Some(Kind::Directory));
        let files = files.map(|entry| (Name::stem(&entry.name), &entry.name));
        let files = files.filter(|(stem, _)| only.is_none_or(|only| only == *stem));
        let meant = |file: &OsStr| {
            let how = targets.iter();
            let how = how.filter_map(|target| Some((target, meaning(target, file)?)));
            how.min_by_key(|(target, _)| target.source)
        };
        let is_news = |(stem, file): &(&OsStr, &OsString)| !known.is_followed(stem) && meant(file).is_some();
        let mut news: Vec<&OsStr> = files.clone().filter(is_news).map(|(stem, _)| stem).collect();
        news.sort_unstable();
        news.dedup();
        let is_wanted =
            |(stem, _): &(&OsStr, &OsString)| news.binary_search(stem).is_ok() || known.is_followed(stem);
        let mut wanted: Vec<(&OsStr, &OsString)> = files.filter(is_wanted).collect();
        wanted.sort_by_key(|(stem, _)| *stem);
        let mut view = Self::default();
        // No more than that: glibc keeps twice as much as the largest piece that it was given back.
        view.families.reserve_exact(wanted.len());
        view.members.reserve_exact(wanted.len());
        // Only now is anything asked of the files: a directory may hold many more than are meant.
        for (stem, file) in wanted {
            let (stem, path) = known.held(stem, &dir.join(file));
            view.ask(path, Name::of(stem, file), meant(file), fs);
        }
        view.settle();
        view.entries = entries;
        Ok(view)
    }

    /// Asks after a file whose family is the last or comes after it.
    fn ask(&mut self, path: Arc<Path>, name: Name, meant: Option<(&Target, Named)>, fs: &dyn Fs) {
        let stat = match fs.stat(&path) {
            Ok(stat) => stat,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return self.family(name.stem).gone.push(path);
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
        let family = self.family(Arc::clone(&name.stem));
        family.members.end += 1;
        if let Some((target, named)) = meant {
            family.named = family.named.max(named);
            if family.source.is_none_or(|source| target.source < source) {
                family.source = Some(target.source);
                family.matched.clone_from(&target.matched);
            }
        }
        let current = !name.rotated;
        self.members.push(Member {
            path,
            name,
            stat,
            wanted: meant.is_some(),
            current,
        });
    }

    /// The last family, begun if it is not this one.
    fn family(&mut self, stem: Arc<OsStr>) -> &mut Family {
        if self.families.last().is_none_or(|last| last.stem != stem) {
            let end = self.members.len();
            self.families.push(Family::new(stem, end));
        }
        let last = self.families.len() - 1;
        &mut self.families[last]
    }

    /// Puts the members of each family in a fixed order, and finds which one is written to.
    fn settle(&mut self) {
        for family in &mut self.families {
            family.gone.sort();
            let members = &mut self.members[family.members.clone()];
            members.sort_by(|a, b| a.path.cmp(&b.path));
            let current = members.iter().filter(|member| member.current);
            let newest = current.map(|member| member.name.number).max();
            for member in members {
                member.current &= !member.name.is_container() || Some(member.name.number) == newest;
            }
        }
    }

    /// The families whose names lead to other files than in another view.
    pub(super) fn differs_in(&self, other: &Self) -> BTreeSet<Arc<OsStr>> {
        let stems = self
            .families
            .iter()
            .chain(&other.families)
            .map(|family| &family.stem);
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
        self.get(stem).map_or(&[], |family| self.members_of(family))
    }

    /// The files of one of its families.
    pub(super) fn members_of(&self, family: &Family) -> &[Member] {
        &self.members[family.members.clone()]
    }

    fn get(&self, stem: &OsStr) -> Option<&Family> {
        let found = self.families.binary_search_by(|family| (*family.stem).cmp(stem));
        Some(&self.families[found.ok()?])
    }

    /// How exactly a source means a family.
    pub(super) fn named(&self, stem: &OsStr) -> Named {
        self.get(stem).map_or(Named::default(), |family| family.named)
    }

    fn names(&self, stem: &OsStr) -> impl Iterator<Item = (&Path, FileId)> {
        let family = self.get(stem);
        let members = self.members(stem).iter();
        let gone = family.into_iter().flat_map(|family| &family.gone);
        members
            .map(|member| (&*member.path, member.stat.id))
            .chain(gone.map(|path| (&**path, FileId::NONE)))
    }
}

impl Family {
    const fn new(stem: Arc<OsStr>, first: usize) -> Self {
        Self {
            stem,
            members: first..first,
            gone: Vec::new(),
            named: Named::Directory,
            source: None,
            matched: Vec::new(),
        }
    }
}

/// Whether a target means a file, and how exactly.
pub(super) fn meaning(target: &Target, file: &OsStr) -> Option<Named> {
    match &target.select {
        Select::Logs => Name::is_log(file).then_some(Named::Directory),
        Select::File(wanted) => (wanted == file).then_some(Named::File),
        Select::Glob(glob) => glob.is_match(file).then_some(Named::Pattern),
    }
}
