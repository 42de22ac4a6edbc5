//! The real file system, failing on demand.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::*;
use crate::tail::birth::Birth;
use crate::tail::fs::{Entry, File, Stat};

pub(super) struct Faulty(Arc<Faults>);

struct Faults {
    lists: AtomicUsize,
    stats: AtomicUsize,
    opens: AtomicUsize,
    bytes: AtomicUsize,
    /// What fails: of the one file with this name, or of all.
    failing: Mutex<Option<(Op, Option<&'static str>)>>,
    /// Sizes look at most this large.
    largest_size: AtomicU64,
    /// When files look as if made; of the one with this inode, if any, another time.
    births: Mutex<Births>,
    /// Files seem to end there when they are read.
    end: AtomicU64,
    /// Handles opened before this many others fail for ever.
    revoked: AtomicUsize,
    /// Most files open at once.
    most_open: AtomicUsize,
    open: AtomicUsize,
}

/// Of all files, and of the one with this inode.
type Births = (Option<Birth>, Option<(u64, Birth)>);

impl Faulty {
    /// Without a fault so far.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Arc::new(Faults {
            lists: AtomicUsize::new(0),
            stats: AtomicUsize::new(0),
            opens: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            failing: Mutex::new(None),
            largest_size: AtomicU64::new(u64::MAX),
            births: Mutex::default(),
            end: AtomicU64::new(u64::MAX),
            revoked: AtomicUsize::new(0),
            most_open: AtomicUsize::new(usize::MAX),
            open: AtomicUsize::new(0),
        })))
    }

    /// Directories listed.
    pub(super) fn lists(&self) -> usize {
        self.0.lists.load(Ordering::Relaxed)
    }

    /// Files asked after.
    pub(super) fn stats(&self) -> usize {
        self.0.stats.load(Ordering::Relaxed)
    }

    /// Files opened.
    pub(super) fn opens(&self) -> usize {
        self.0.opens.load(Ordering::Relaxed)
    }

    /// Bytes read.
    pub(super) fn bytes(&self) -> usize {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// From now on this fails of all files; nothing, if none.
    pub(super) fn fail(&self, op: Option<Op>) {
        *self.0.failing.lock().unwrap() = op.map(|op| (op, None));
    }

    /// From now on this fails of the file with this name.
    pub(super) fn fail_of(&self, name: &'static str, op: Op) {
        *self.0.failing.lock().unwrap() = Some((op, Some(name)));
    }

    /// Sizes are told as no larger.
    pub(super) fn limit_sizes(&self, most: u64) {
        self.0.largest_size.store(most, Ordering::Relaxed);
    }

    /// All files look as if made then.
    pub(super) fn tell_birth(&self, born: Birth) {
        self.0.births.lock().unwrap().0 = Some(born);
    }

    /// But this one.
    pub(super) fn tell_birth_of(&self, path: &Path, born: Birth) {
        let ino = std::fs::metadata(path).unwrap().ino();
        self.0.births.lock().unwrap().1 = Some((ino, born));
    }

    /// Nothing is read beyond.
    pub(super) fn limit_reads(&self, end: u64) {
        self.0.end.store(end, Ordering::Relaxed);
    }

    /// Whatever is open fails from now on.
    pub(super) fn revoke(&self) {
        self.0.revoked.store(self.opens(), Ordering::Relaxed);
    }

    /// More files cannot be open at once.
    pub(super) fn limit_open(&self, most: usize) {
        self.0.most_open.store(most, Ordering::Relaxed);
    }

    fn check(&self, op: Op, path: &Path) -> io::Result<()> {
        match *self.0.failing.lock().unwrap() {
            Some((failing, name)) if failing == op && name.is_none_or(|name| path.ends_with(name)) => {
                Err(io::ErrorKind::PermissionDenied.into())
            }
            _ => Ok(()),
        }
    }
}

impl Rig {
    /// With a file system to fail on demand.
    pub(super) fn faulty(paths: &[&str]) -> (Self, Arc<Faulty>) {
        let fs = Faulty::new();
        let dir = tempfile::tempdir().unwrap();
        (Self::with(dir, paths, settings(), fs.clone()), fs)
    }
}

impl Faults {
    fn tell(&self, stat: Stat) -> Stat {
        let (all, one) = *self.births.lock().unwrap();
        let one = one.filter(|(ino, _)| *ino == stat.id.ino).map(|(_, born)| born);
        Stat {
            born: one.or(all).unwrap_or(stat.born),
            size: stat.size.min(self.largest_size.load(Ordering::Relaxed)),
            ..stat
        }
    }
}

impl Fs for Faulty {
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        self.0.lists.fetch_add(1, Ordering::Relaxed);
        self.check(Op::List, dir)?;
        OsFs.list(dir)
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.0.stats.fetch_add(1, Ordering::Relaxed);
        self.check(Op::Stat, path)?;
        OsFs.stat(path).map(|stat| self.0.tell(stat))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let number = self.0.opens.fetch_add(1, Ordering::Relaxed);
        self.check(Op::Open, path)?;
        if self.0.open.load(Ordering::Relaxed) >= self.0.most_open.load(Ordering::Relaxed) {
            return Err(rustix::io::Errno::MFILE.into());
        }
        let file = OsFs.open(path)?;
        let faults = Arc::clone(&self.0);
        faults.open.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(FaultyFile { file, number, faults }))
    }
}

struct FaultyFile {
    file: Arc<dyn File>,
    /// How many were opened before it.
    number: usize,
    faults: Arc<Faults>,
}

impl File for FaultyFile {
    fn stat(&self) -> io::Result<Stat> {
        self.file.stat().map(|stat| self.faults.tell(stat))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if matches!(*self.faults.failing.lock().unwrap(), Some((Op::Read, _))) {
            return Err(io::ErrorKind::Other.into());
        }
        if self.number < self.faults.revoked.load(Ordering::Relaxed) {
            return Err(rustix::io::Errno::STALE.into());
        }
        // Short reads are allowed at any time.
        let some = buffer.len().div_ceil(2) as u64;
        let there = self.faults.end.load(Ordering::Relaxed).saturating_sub(offset);
        let some = usize::try_from(some.min(there)).unwrap();
        let got = self.file.read_at(&mut buffer[..some], offset)?;
        self.faults.bytes.fetch_add(got, Ordering::Relaxed);
        Ok(got)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        self.file.next_data(offset)
    }
}

impl Drop for FaultyFile {
    fn drop(&mut self) {
        self.faults.open.fetch_sub(1, Ordering::Relaxed);
    }
}
