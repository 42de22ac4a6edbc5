//! A directory of files in memory: does what real file systems do, and fails as they do.
//!
//! Inode numbers are given anew at once, as ext4 does. A file lives on while it is held open. Every write has its own time;
//! files are born at the last tick of a slower clock, as kernels before 6.13 have it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use flinktail::tail::birth::Birth;
use flinktail::tail::fs::{Entry, File, Fs, Kind, Stat};
use flinktail::tail::identity::FileId;
use jiff::{SignedDuration, Timestamp};
use rustix::io::Errno;

use super::flaws::Flaw;
use crate::random::Random;

/// Where the one directory is.
pub const DIR: &str = "/log";

/// Device of everything.
const DEV: u64 = 7;

/// How often the clock ticks that births are told by, milliseconds.
const TICK: i64 = 4;

/// What goes wrong, in how many of a thousand calls.
#[derive(Debug, Clone)]
pub struct Faults {
    pub random: Random,
    /// EIO, of any call.
    pub errors: u64,
    /// A size that was true some time ago.
    pub stale: u64,
    /// Fewer bytes than asked for.
    pub short: u64,
    /// One of so many calls tells when a file was made; none does, if 0.
    births: u64,
    /// Calls that might have.
    asked: u64,
}

impl Faults {
    fn check(&mut self) -> io::Result<()> {
        let per_mille = self.errors;
        if self.random.chance(per_mille) {
            return Err(Errno::IO.into());
        }
        Ok(())
    }

    fn birth(&mut self, born: Birth) -> Birth {
        self.asked += 1;
        let is_told = self.births > 0 && self.asked.is_multiple_of(self.births);
        if is_told { born } else { Birth::UNKNOWN }
    }

    fn size(&mut self, size: u64) -> u64 {
        let per_mille = self.stale;
        if self.random.chance(per_mille) {
            self.random.below(size + 1)
        } else {
            size
        }
    }
}

/// A file's content.
#[derive(Debug, Clone)]
pub struct Content {
    pub bytes: Vec<u8>,
    mtime: Timestamp,
    /// Up to here nothing was ever written: NULs without blocks on disk.
    hole: u64,
    /// Which of the writer's lines are whole in it.
    pub lines: Vec<u32>,
    /// Made to cut another file.
    is_copy: bool,
}

/// A file, whatever its names.
#[derive(Debug)]
pub struct Inode {
    ino: u64,
    born: Birth,
    content: Mutex<Content>,
}

impl Inode {
    pub fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap()
    }

    /// Takes the time at which another was written, as gzip does.
    pub fn date_as(&self, other: &Self) {
        let mtime = other.content().mtime;
        self.content().mtime = mtime;
    }

    fn stat(&self, ino: u64, faults: &mut Faults) -> Stat {
        let content = self.content();
        Stat {
            id: FileId { dev: DEV, ino },
            size: faults.size(content.bytes.len() as u64),
            mtime: content.mtime,
            born: faults.birth(self.born),
            kind: Kind::Regular,
            sparse: content.hole > 0,
        }
    }
}

#[derive(Debug, Clone)]
enum Node {
    File(Arc<Inode>),
    Link(OsString),
}

#[derive(Debug)]
struct State {
    names: BTreeMap<OsString, Node>,
    /// Without a name; they may be held open.
    unlinked: Vec<Arc<Inode>>,
    free: Vec<u64>,
    next: u64,
    clock: Timestamp,
}

/// The file system.
#[derive(Debug)]
pub struct Disk {
    state: Mutex<State>,
    faults: Arc<Mutex<Faults>>,
    flaw: Option<Flaw>,
}

impl Disk {
    /// `births`: one of so many calls tells when a file was made; none does, if 0.
    pub fn new(random: Random, births: u64, flaw: Option<Flaw>) -> Self {
        let state = State {
            names: BTreeMap::new(),
            unlinked: Vec::new(),
            free: Vec::new(),
            next: 100,
            clock: Timestamp::from_second(1_772_409_600).unwrap(),
        };
        let faults = Faults {
            random,
            errors: 0,
            stale: 0,
            short: 0,
            births,
            asked: 0,
        };
        Self {
            state: Mutex::new(state),
            faults: Arc::new(Mutex::new(faults)),
            flaw,
        }
    }

    /// What goes wrong from now on.
    pub fn fail(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.faults.lock().unwrap());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Lets time pass for what is written next.
    pub fn tick(&self) -> Timestamp {
        let mut state = self.state();
        state.clock = state.clock.checked_add(SignedDuration::from_millis(1)).unwrap();
        state.clock
    }

    /// Makes a file that holds this; what had the name loses it.
    pub fn create(&self, name: &str, content: Vec<u8>, lines: Vec<u32>) -> Arc<Inode> {
        let mtime = self.tick();
        let mut state = self.state();
        let State { unlinked, free, .. } = &mut *state;
        unlinked.retain(|inode| {
            let held = Arc::strong_count(inode) > 1;
            if !held {
                free.push(inode.ino);
            }
            held
        });
        let ino = state.free.pop().unwrap_or_else(|| {
            state.next += 1;
            state.next
        });
        let content = Content {
            bytes: content,
            mtime,
            hole: 0,
            lines,
            is_copy: false,
        };
        let inode = Arc::new(Inode {
            ino,
            born: last_tick(mtime),
            content: Mutex::new(content),
        });
        state.put(name, Node::File(Arc::clone(&inode)));
        inode
    }

    /// Makes a copy of a file under another name.
    pub fn copy(&self, file: &Inode, to: &str) {
        let (bytes, lines) = {
            let content = file.content();
            (content.bytes.clone(), content.lines.clone())
        };
        self.create(to, bytes, lines).content().is_copy = true;
    }

    /// Writes at a place, beyond the end too.
    pub fn write_at(&self, inode: &Inode, at: usize, bytes: &[u8]) {
        let mtime = self.tick();
        let mut content = inode.content();
        if at > content.bytes.len() {
            if content.bytes.is_empty() {
                content.hole = at as u64;
            }
            content.bytes.resize(at, 0);
        }
        content.bytes.truncate(at);
        content.bytes.extend_from_slice(bytes);
        content.mtime = mtime;
    }

    pub fn truncate(&self, inode: &Inode) {
        let mtime = self.tick();
        let mut content = inode.content();
        content.bytes.clear();
        content.lines.clear();
        content.hole = 0;
        content.mtime = mtime;
    }

    pub fn rename(&self, from: &str, to: &str) {
        let mut state = self.state();
        if let Some(node) = state.names.remove(OsStr::new(from)) {
            state.put(to, node);
        }
    }

    pub fn unlink(&self, name: &str) {
        let mut state = self.state();
        if let Some(Node::File(inode)) = state.names.remove(OsStr::new(name)) {
            state.unlinked.push(inode);
        }
    }

    /// Makes a symlink in one step, whatever had the name before.
    pub fn link(&self, name: &str, to: &str) {
        let mut state = self.state();
        state.put(name, Node::Link(to.into()));
    }

    pub fn file(&self, name: &str) -> Option<Arc<Inode>> {
        self.state().follow(OsStr::new(name))
    }

    pub fn names(&self) -> Vec<String> {
        let state = self.state();
        state
            .names
            .keys()
            .map(|name| name.to_str().unwrap().to_owned())
            .collect()
    }

    /// What is there, for people.
    pub fn told(&self) -> String {
        let told = |name: &String| {
            let file = self.file(name).map(|file| {
                let content = file.content();
                (file.ino, content.bytes.len(), content.lines.first().copied())
            });
            format!("{name} {file:?}")
        };
        self.names().iter().map(told).collect::<Vec<_>>().join(", ")
    }

    /// Every line that is whole in some file that has a name.
    pub fn lines(&self) -> BTreeSet<u32> {
        let state = self.state();
        let files = state.names.values().filter_map(|node| match node {
            Node::File(inode) => Some(inode),
            Node::Link(_) => None,
        });
        files.flat_map(|inode| inode.content().lines.clone()).collect()
    }

    /// Whether a name leads to this file.
    pub fn has_name(&self, inode: &Arc<Inode>) -> bool {
        let state = self.state();
        let is = |node: &Node| matches!(node, Node::File(file) if Arc::ptr_eq(file, inode));
        state.names.values().any(is)
    }

    /// The file that has this inode by now.
    pub fn file_of(&self, id: FileId) -> Option<Arc<Inode>> {
        let state = self.state();
        let mut files = state.names.values().filter_map(|node| match node {
            Node::File(inode) => Some(inode),
            Node::Link(_) => None,
        });
        files.find(|inode| inode.ino == id.ino).cloned()
    }

    /// The file that the program is shown under a name.
    fn shown(&self, path: &Path) -> io::Result<Arc<Inode>> {
        let inode = self
            .state()
            .follow(Self::name(path)?)
            .ok_or(io::ErrorKind::NotFound)?;
        if self.hides(&inode) {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(inode)
    }

    fn hides(&self, inode: &Inode) -> bool {
        self.flaw == Some(Flaw::CopiesHidden) && inode.content().is_copy
    }

    /// The inode number that the program is shown of a file under this name.
    fn shown_ino(&self, name: &OsStr, inode: &Inode) -> u64 {
        if self.flaw == Some(Flaw::InodesHidden) {
            let mut hasher = DefaultHasher::new();
            name.hash(&mut hasher);
            return hasher.finish();
        }
        inode.ino
    }

    fn name(path: &Path) -> io::Result<&OsStr> {
        let inside = path.parent() == Some(Path::new(DIR));
        path.file_name()
            .filter(|_| inside)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl State {
    fn put(&mut self, name: &str, node: Node) {
        if let Some(Node::File(inode)) = self.names.insert(name.into(), node) {
            self.unlinked.push(inode);
        }
    }

    fn follow(&self, name: &OsStr) -> Option<Arc<Inode>> {
        match self.names.get(name)? {
            Node::File(inode) => Some(Arc::clone(inode)),
            Node::Link(to) => self.follow(to),
        }
    }
}

impl Fs for Disk {
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        self.faults.lock().unwrap().check()?;
        if dir != Path::new(DIR) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let state = self.state();
        let entry = |(name, node): (&OsString, &Node)| {
            let (ino, kind) = match node {
                Node::File(inode) if self.hides(inode) => return None,
                Node::File(inode) => (self.shown_ino(name, inode), Some(Kind::Regular)),
                Node::Link(_) => (1, None),
            };
            let name = name.clone();
            Some(Entry { name, ino, kind })
        };
        Ok(state.names.iter().filter_map(entry).collect())
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let mut faults = self.faults.lock().unwrap();
        faults.check()?;
        if path == Path::new(DIR) {
            return Ok(Stat {
                id: FileId { dev: DEV, ino: 2 },
                size: 0,
                mtime: self.state().clock,
                born: Birth::UNKNOWN,
                kind: Kind::Directory,
                sparse: false,
            });
        }
        let inode = self.shown(path)?;
        Ok(inode.stat(self.shown_ino(Self::name(path)?, &inode), &mut faults))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.faults.lock().unwrap().check()?;
        let inode = self.shown(path)?;
        Ok(Arc::new(Handle {
            ino: self.shown_ino(Self::name(path)?, &inode),
            inode,
            faults: Arc::clone(&self.faults),
            given: (self.flaw == Some(Flaw::AnchorsExpected)).then(Mutex::default),
        }))
    }
}

/// An open file.
struct Handle {
    inode: Arc<Inode>,
    ino: u64,
    faults: Arc<Mutex<Faults>>,
    /// What it gave, where it gives that again.
    given: Option<Mutex<BTreeMap<u64, u8>>>,
}

impl File for Handle {
    fn stat(&self) -> io::Result<Stat> {
        let mut faults = self.faults.lock().unwrap();
        faults.check()?;
        Ok(self.inode.stat(self.ino, &mut faults))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut faults = self.faults.lock().unwrap();
        faults.check()?;
        let content = self.inode.content();
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|at| content.bytes.get(at..));
        let rest = rest.unwrap_or_default();
        let mut most = buffer.len().min(rest.len());
        let per_mille = faults.short;
        if most > 1 && faults.random.chance(per_mille) {
            most = 1 + faults.random.index(most - 1);
        }
        buffer[..most].copy_from_slice(&rest[..most]);
        if let Some(given) = &self.given {
            let mut given = given.lock().unwrap();
            for (byte, at) in buffer[..most].iter_mut().zip(offset..) {
                *byte = *given.entry(at).or_insert(*byte);
            }
        }
        Ok(most)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        self.faults.lock().unwrap().check()?;
        let content = self.inode.content();
        let next = offset.max(content.hole);
        Ok((next < content.bytes.len() as u64).then_some(next))
    }
}

/// The birth of a file that is made at this time.
fn last_tick(now: Timestamp) -> Birth {
    let now = now.as_millisecond();
    Birth::of_nanoseconds((now - now % TICK) * 1_000_000)
}

/// The path of a name.
pub fn path(name: &str) -> PathBuf {
    Path::new(DIR).join(name)
}
