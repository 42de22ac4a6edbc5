//! Rotations between any two calls of the file system: every place for every step of them is tried.

use std::collections::VecDeque;
use std::io;
use std::sync::Mutex;

use super::*;
use crate::tail::fs::{Entry, File, Stat};

/// A step of a writer or of a rotation, in the directory of `x.log`.
type Deed = Box<dyn FnOnce(&Path) + Send>;

/// The real file system, with deeds done before some of the calls.
#[derive(Clone, Default)]
struct Between(Arc<Mutex<Deeds>>);

#[derive(Default)]
struct Deeds {
    dir: PathBuf,
    /// Calls let through before the next.
    wait: usize,
    /// Calls between two.
    apart: usize,
    left: VecDeque<Deed>,
}

impl Between {
    fn call(&self) {
        let mut deeds = self.0.lock().unwrap();
        while deeds.wait == 0 {
            let Some(deed) = deeds.left.pop_front() else {
                return;
            };
            deed(&deeds.dir);
            deeds.wait = deeds.apart;
        }
        deeds.wait -= 1;
    }
}

impl Fs for Between {
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        self.call();
        OsFs.list(dir)
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.call();
        OsFs.stat(path)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.call();
        Ok(Arc::new(Opened(OsFs.open(path)?, self.clone())))
    }
}

struct Opened(Arc<dyn File>, Between);

impl File for Opened {
    fn stat(&self) -> io::Result<Stat> {
        self.1.call();
        self.0.stat()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.1.call();
        self.0.read_at(buffer, offset)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        self.1.call();
        self.0.next_data(offset)
    }
}

/// What happens, in steps; lines are numbered as they are written.
#[derive(Default)]
struct Story {
    deeds: Vec<Deed>,
    lines: u32,
}

impl Story {
    fn then(&mut self, deed: impl FnOnce(&Path) + Send + 'static) -> &mut Self {
        self.deeds.push(Box::new(deed));
        self
    }

    /// Ten lines more.
    fn write(&mut self, name: &'static str) -> &mut Self {
        let from = self.lines;
        self.lines += 10;
        self.then(move |dir| append(&dir.join(name), text(from, from + 10).as_bytes()))
    }

    /// Does all of it.
    fn happen(&mut self, rig: &Rig) {
        self.deeds.drain(..).for_each(|deed| deed(rig.dir.path()));
    }

    fn shift(&mut self) -> &mut Self {
        for number in (1..6).rev() {
            self.then(move |dir| {
                let name = |number| dir.join(format!("x.log.{number}"));
                if name(number).exists() {
                    fs::rename(name(number), name(number + 1)).unwrap();
                }
            });
        }
        self
    }

    fn rename(&mut self) -> &mut Self {
        self.write("x.log")
            .shift()
            .then(|dir| fs::rename(dir.join("x.log"), dir.join("x.log.1")).unwrap())
            .write("x.log.1")
            .then(|dir| fs::write(dir.join("x.log"), "").unwrap())
            .write("x.log")
            .write("x.log")
    }

    fn copy_and_cut(&mut self) -> &mut Self {
        self.write("x.log").shift().begin_copy().fill_and_cut()
    }

    fn begin_copy(&mut self) -> &mut Self {
        self.then(|dir| append(&dir.join("x.log.1"), b""))
    }

    fn fill_and_cut(&mut self) -> &mut Self {
        self.then(|dir| {
            let bytes = fs::read(dir.join("x.log")).unwrap();
            append(&dir.join("x.log.1"), &bytes[..bytes.len() / 2]);
        })
        .then(|dir| {
            let bytes = fs::read(dir.join("x.log")).unwrap();
            append(&dir.join("x.log.1"), &bytes[bytes.len() / 2..]);
        })
        .then(|dir| fs::write(dir.join("x.log"), "").unwrap())
        .write("x.log")
        .write("x.log")
    }
}

/// What there is before the rotation, and how much of it was read.
#[derive(Debug, Clone, Copy)]
enum Begin {
    /// Three files that were never seen.
    New,
    /// A file that was never seen, and the copy of it that was just begun.
    Copying,
    /// The first lines were read, and the program runs on.
    Reading,
    /// The file was found empty, and the program runs on.
    Empty,
    /// The program ended after the first lines.
    Ended,
    /// And the file was renamed and another one written since.
    Renamed,
    /// And the file was copied and cut since.
    Cut,
}

const BEGINNINGS: [Begin; 6] = [
    Begin::New,
    Begin::Empty,
    Begin::Reading,
    Begin::Ended,
    Begin::Renamed,
    Begin::Cut,
];

type Rotate = fn(&mut Story) -> &mut Story;

/// More calls than any story takes.
const MOST_CALLS: usize = 10_000;

/// The steps of a rotation may be so many calls apart.
const APART: [usize; 3] = [0, 1, 3];

/// All is given once and in order, with the rotation's first step before the call of this number, and each of the others so
/// many calls later. False if there is no such call before all is read.
fn check(begin: Begin, rotations: &[Rotate], wait: usize, apart: usize, case: &str) -> bool {
    let between = Between::default();
    let mut story = Story::default();
    let mut rig = Rig::with(
        tempfile::tempdir().unwrap(),
        &["."],
        settings(),
        Arc::new(between.clone()),
    );
    match begin {
        Begin::New => story.write("x.log.2").write("x.log.1").write("x.log"),
        Begin::Copying => story.write("x.log").begin_copy(),
        Begin::Empty => story.then(|dir| append(&dir.join("x.log"), b"")),
        Begin::Reading | Begin::Ended | Begin::Renamed | Begin::Cut => story.write("x.log"),
    };
    story.happen(&rig);
    let mut from = 0;
    if !matches!(begin, Begin::New | Begin::Copying) {
        rig.poll();
        assert_eq!(rig.sink.lines, lines(0, story.lines));
    }
    if let Begin::Ended | Begin::Renamed | Begin::Cut = begin {
        match begin {
            Begin::Renamed => story.rename().happen(&rig),
            Begin::Cut => story.copy_and_cut().happen(&rig),
            _ => {}
        }
        rig.restart_on(&["."], Arc::new(between.clone()));
        from = 10;
    }
    for rotate in rotations {
        rotate(&mut story);
    }
    let steps = story.deeds.len();
    *between.0.lock().unwrap() = Deeds {
        dir: rig.dir.path().to_owned(),
        wait,
        apart,
        left: story.deeds.into(),
    };
    rig.poll();
    if matches!(begin, Begin::New | Begin::Copying | Begin::Renamed | Begin::Cut) {
        assert!(
            rig.tailer.backlog().total_bytes > 0,
            "{case}, the first after {wait}"
        );
    }
    rig.settle();
    let is_told = between.0.lock().unwrap().left.len() < steps;
    if is_told {
        while !between.0.lock().unwrap().left.is_empty() {
            rig.poll();
        }
        rig.wait(10);
        rig.settle();
        let case = format!("{case}, the first after {wait}");
        assert_eq!(rig.sink.lines, lines(from, story.lines), "{case}");
        assert!(rig.stats().lost_bytes.is_empty(), "{case}");
    }
    is_told
}

#[test]
fn a_rotation_between_any_two_calls_leaves_nothing_out_and_keeps_the_order() {
    let kinds: [(&str, &[Rotate]); 4] = [
        ("renamed", &[Story::rename]),
        ("cut", &[Story::copy_and_cut]),
        ("renamed and cut", &[Story::rename, Story::copy_and_cut]),
        ("cut and renamed", &[Story::copy_and_cut, Story::rename]),
    ];
    for begin in BEGINNINGS {
        for (name, rotations) in kinds {
            for apart in APART {
                let case = format!("{begin:?}, then {name}, {apart} calls between two steps");
                let places = (0..).take_while(|wait| check(begin, rotations, *wait, apart, &case));
                assert!(places.count() > 3, "{case}");
            }
        }
    }
}

#[test]
fn a_copy_found_empty_is_read_before_what_came_after_its_original_was_cut() {
    for apart in APART {
        let case = format!("{apart} calls between two steps");
        let check = |wait: &usize| check(Begin::Copying, &[Story::fill_and_cut], *wait, apart, &case);
        assert!((0..MOST_CALLS).take_while(check).count() > 3, "{case}");
    }
}
