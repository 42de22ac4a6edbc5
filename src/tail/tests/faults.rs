//! A file system that fails on demand: T32, T42, T44.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::*;
use crate::tail::fs::{Entry, File, Stat};

/// The real file system, with faults put in.
#[derive(Default)]
pub(super) struct Faulty {
    stats: AtomicUsize,
    opens: AtomicUsize,
    /// The error that opening or reading gives, if any.
    error: Mutex<Option<(Op, io::ErrorKind)>>,
    /// Sizes look at most this large; 0 for no limit.
    stale: Arc<AtomicU64>,
    reading: Arc<Mutex<Option<io::ErrorKind>>>,
}

impl Faulty {
    pub(super) fn stats(&self) -> usize {
        self.stats.load(Ordering::Relaxed)
    }

    pub(super) fn opens(&self) -> usize {
        self.opens.load(Ordering::Relaxed)
    }

    fn fail(&self, op: Option<Op>) {
        let kind = io::ErrorKind::PermissionDenied;
        *self.error.lock().unwrap() = op.map(|op| (op, kind));
        *self.reading.lock().unwrap() = (op == Some(Op::Read)).then_some(io::ErrorKind::Other);
    }

    fn check(&self, op: Op) -> io::Result<()> {
        match *self.error.lock().unwrap() {
            Some((failing, kind)) if failing == op => Err(kind.into()),
            _ => Ok(()),
        }
    }
}

fn stale(stat: io::Result<Stat>, limit: &AtomicU64) -> io::Result<Stat> {
    let limit = limit.load(Ordering::Relaxed);
    stat.map(|stat| {
        if limit > 0 {
            Stat {
                size: stat.size.min(limit),
                ..stat
            }
        } else {
            stat
        }
    })
}

impl Fs for Faulty {
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        self.check(Op::List)?;
        OsFs.list(dir)
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.stats.fetch_add(1, Ordering::Relaxed);
        self.check(Op::Stat)?;
        stale(OsFs.stat(path), &self.stale)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.opens.fetch_add(1, Ordering::Relaxed);
        self.check(Op::Open)?;
        let file = OsFs.open(path)?;
        Ok(Arc::new(FaultyFile {
            file,
            stale: Arc::clone(&self.stale),
            reading: Arc::clone(&self.reading),
        }))
    }
}

struct FaultyFile {
    file: Arc<dyn File>,
    stale: Arc<AtomicU64>,
    reading: Arc<Mutex<Option<io::ErrorKind>>>,
}

impl File for FaultyFile {
    fn stat(&self) -> io::Result<Stat> {
        stale(self.file.stat(), &self.stale)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if let Some(kind) = *self.reading.lock().unwrap() {
            return Err(kind.into());
        }
        // Short reads are allowed at any time.
        let some = buffer.len().div_ceil(2);
        self.file.read_at(&mut buffer[..some], offset)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        self.file.next_data(offset)
    }
}

#[test]
fn t32_t44_whatever_fails_is_counted_told_and_taken_up_again() {
    for op in [Op::List, Op::Stat, Op::Open, Op::Read] {
        for (given, early) in [("x.log", true), (".", true), ("x.log", false), (".", false)] {
            let dir = tempfile::tempdir().unwrap();
            let fs = Arc::new(Faulty::default());
            let mut rig = Rig::with(dir, &[given], settings(), fs.clone());
            rig.append("x.log", text(0, 10));
            if early {
                fs.fail(Some(op));
            }
            rig.settle();
            fs.fail(Some(op));
            rig.append("x.log", text(10, 20));
            for _ in 0..3 {
                rig.wait(5);
            }
            let case = format!("{op:?} {given} early: {early}");
            // A file already open is not opened again, and may be read although its directory cannot be listed.
            if early || op != Op::Open {
                assert!(rig.errors(op) > 0, "{case}");
                rig.expect_notice(|notice| matches!(notice, Notice::Failed { .. }));
            }
            fs.fail(None);
            rig.wait(120);
            rig.wait(120);
            rig.settle();
            assert_eq!(rig.sink.lines, lines(0, 20), "{case}");
            assert_eq!(rig.stats_of_log().lost_bytes.len(), 0, "{case}");
        }
    }
}

#[test]
fn t44_files_that_cannot_be_asked_after_are_not_taken_for_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Arc::new(Faulty::default());
    let closing = Settings {
        open_files: 0,
        ..settings()
    };
    let mut rig = Rig::with(dir, &["."], closing, fs.clone());
    rig.append("x.log", text(0, 10));
    rig.settle();
    rig.append("x.log", text(10, 20));
    for op in [Op::Stat, Op::List, Op::Open] {
        fs.fail(Some(op));
        rig.wait(100);
        rig.wait(100);
    }
    fs.fail(None);
    rig.wait(100);
    assert_eq!(rig.sink.lines, lines(0, 20));
    assert!(rig.stats_of_log().lost_bytes.is_empty());
    assert_eq!(rig.sink.gone, 0);
}

#[test]
fn t44_positions_are_kept_while_their_files_cannot_be_read() {
    for op in [Op::List, Op::Stat, Op::Open, Op::Read] {
        let dir = tempfile::tempdir().unwrap();
        let fs = Arc::new(Faulty::default());
        let mut rig = Rig::with(dir, &["."], settings(), fs.clone());
        rig.append("x.log.1", text(0, 10));
        rig.append("x.log", text(10, 20));
        rig.settle();
        let positions = rig.tailer.positions();
        rig.append("x.log", text(20, 30));
        fs.fail(Some(op));
        rig.tailer = tailer(rig.dir.path(), &["."], settings(), fs.clone(), positions.clone());
        rig.sink = Recorder::default();
        rig.wait(100);
        assert_eq!(rig.tailer.positions().len(), positions.len(), "{op:?}");
        fs.fail(None);
        rig.wait(100);
        assert_eq!(rig.sink.lines, lines(20, 30), "{op:?}");
    }
}

#[test]
fn t42_a_size_that_is_stale_for_a_moment_is_no_truncation() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Arc::new(Faulty::default());
    let mut rig = Rig::with(dir, &["x.log"], settings(), fs.clone());
    rig.append("x.log", text(0, 10));
    rig.poll();
    fs.stale.store(100, Ordering::Relaxed);
    rig.settle();
    fs.stale.store(0, Ordering::Relaxed);
    rig.append("x.log", text(10, 20));
    rig.settle();
    assert_eq!(rig.sink.lines, lines(0, 20));
    assert!(rig.stats().rotations.is_empty());
}

#[test]
fn t44_a_file_whose_size_is_stale_is_not_left_before_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Arc::new(Faulty::default());
    let mut rig = Rig::with(dir, &["."], settings(), fs.clone());
    rig.append("x.log", text(0, 10));
    rig.settle();
    let size = std::fs::metadata(rig.path("x.log")).unwrap().len();
    rig.append("x.log", text(10, 20));
    fs.stale.store(size, Ordering::Relaxed);
    rig.rename("x.log", "x.log.1");
    rig.append("x.log", text(20, 30));
    rig.settle();
    assert_eq!(rig.sink.lines, lines(0, 10));
    fs.stale.store(0, Ordering::Relaxed);
    rig.settle();
    assert_eq!(rig.sink.lines, lines(0, 30));
}

#[test]
fn t44_what_was_not_asked_for_is_passed_over_to_its_end_although_its_size_is_stale() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Arc::new(Faulty::default());
    let mut rig = Rig::with(dir, &["x.log"], settings(), fs.clone());
    rig.append("x.log.1", text(0, 10));
    rig.append("x.log", text(10, 20));
    fs.stale.store(100, Ordering::Relaxed);
    rig.settle();
    fs.stale.store(0, Ordering::Relaxed);
    rig.settle();
    assert_eq!(rig.sink.lines, lines(10, 20));
}

impl Rig {
    fn stats_of_log(&self) -> SourceStats {
        self.tailer
            .stats()
            .into_iter()
            .find(|(id, _)| id.is_some())
            .unwrap()
            .1
    }
}
