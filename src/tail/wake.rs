//! Hints that something changed. Never the truth: queues overflow, network file systems are silent, limits are low. The
//! tailer's own passes find everything without them, later.

use std::collections::BTreeSet;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use notify::event::{CreateKind, ModifyKind, RemoveKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

/// What may have changed since the last look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hints {
    /// Anything: look at everything.
    pub all: bool,
    /// Names in these directories.
    pub dirs: BTreeSet<PathBuf>,
    /// The content of these files.
    pub files: BTreeSet<PathBuf>,
}

/// Most paths remembered one by one; beyond, everything is looked at.
const MOST: usize = 4096;

impl Hints {
    /// Takes in one event of the file system.
    fn note(&mut self, event: Event) {
        if event.need_rescan() || event.paths.is_empty() {
            self.all = true;
            return;
        }
        match event.kind {
            // Our own opening and reading among them.
            EventKind::Access(_) => {}
            EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Any) => self.files.extend(event.paths),
            EventKind::Create(CreateKind::Folder) | EventKind::Remove(RemoveKind::Folder) => self.all = true,
            // A renamed directory is not told from a renamed file.
            EventKind::Modify(ModifyKind::Name(_)) if event.paths.iter().any(|path| path.is_dir()) => {
                self.all = true;
            }
            _ => self.dirs.extend(
                event
                    .paths
                    .iter()
                    .filter_map(|path| path.parent())
                    .map(Path::to_owned),
            ),
        }
        if self.dirs.len() + self.files.len() > MOST {
            *self = Self {
                all: true,
                ..Self::default()
            };
        }
    }

    /// Nothing changed as far as is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.all && self.dirs.is_empty() && self.files.is_empty()
    }
}

/// Collects hints for whoever waits. Cloned into whatever has some to give.
#[derive(Debug, Clone, Default)]
pub struct Waker(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    hints: Mutex<Hints>,
    changed: Notify,
}

impl Waker {
    /// Wakes the waiter without a hint: new input elsewhere, or the end of the program.
    pub fn wake(&self) {
        self.0.changed.notify_one();
    }

    /// Adds to the hints and wakes the waiter.
    fn note(&self, event: notify::Result<Event>) {
        {
            let mut hints = self.0.hints.lock().unwrap_or_else(PoisonError::into_inner);
            let before = hints.is_empty();
            match event {
                Ok(event) => hints.note(event),
                Err(_) => hints.all = true,
            }
            if !before || hints.is_empty() {
                return;
            }
        }
        self.wake();
    }

    /// Waits until something changed since the last wait.
    pub async fn woken(&self) {
        self.0.changed.notified().await;
    }

    /// What changed since last asked.
    #[must_use]
    pub fn take(&self) -> Hints {
        mem::take(&mut *self.0.hints.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Watches directories through the system's notifications.
#[derive(Debug)]
pub struct Wake {
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    deaf: BTreeSet<PathBuf>,
    waker: Waker,
}

impl Wake {
    /// Starts watching nothing. Where the system refuses (limits, seccomp), it stays deaf.
    #[must_use]
    pub fn start() -> Self {
        let waker = Waker::default();
        let noting = waker.clone();
        let watcher = notify::recommended_watcher(move |event| noting.note(event)).ok();
        Self {
            watcher,
            watched: BTreeSet::new(),
            deaf: BTreeSet::new(),
            waker,
        }
    }

    /// Where the hints arrive.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Watches exactly these directories from now on. One that cannot be watched (not there, limit reached) is tried
    /// again at the next call.
    pub fn follow(&mut self, dirs: &BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else { return };
        for gone in self.watched.difference(dirs) {
            // It may be gone already, and its watch with it.
            let _gone = watcher.unwatch(gone);
        }
        let mut news = false;
        self.deaf.clear();
        // The system drops the watch of a directory that is deleted.
        self.watched.retain(|dir| dirs.contains(dir) && dir.is_dir());
        for dir in dirs {
            if self.watched.contains(dir) {
                continue;
            }
            match watcher.watch(dir, RecursiveMode::NonRecursive) {
                Ok(()) => news |= self.watched.insert(dir.clone()),
                Err(_) => {
                    self.deaf.insert(dir.clone());
                }
            }
        }
        if news {
            // What happened between the last look and this call left no hint.
            self.waker
                .0
                .hints
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .all = true;
            self.waker.wake();
        }
    }

    /// Whether every directory asked for is watched: then looking by oneself may be rare.
    #[must_use]
    pub fn works(&self) -> bool {
        self.watcher.is_some() && self.deaf.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use notify::event::{AccessKind, CreateKind, DataChange, Flag, ModifyKind, RemoveKind, RenameMode};
    use notify::{Event, EventKind};

    use super::{Hints, MOST, Wake, Waker};

    fn hints(kind: EventKind, path: &str) -> Hints {
        let mut hints = Hints::default();
        hints.note(Event::new(kind).add_path(path.into()));
        hints
    }

    #[test]
    fn an_event_becomes_the_least_look_that_finds_it() {
        let file = Hints {
            files: ["/log/x.log".into()].into(),
            ..Hints::default()
        };
        let dir = Hints {
            dirs: ["/log".into()].into(),
            ..Hints::default()
        };
        let all = Hints {
            all: true,
            ..Hints::default()
        };
        for (kind, expected) in [
            (EventKind::Access(AccessKind::Any), &Hints::default()),
            (EventKind::Modify(ModifyKind::Data(DataChange::Any)), &file),
            (EventKind::Create(CreateKind::File), &dir),
            (EventKind::Remove(RemoveKind::File), &dir),
            (EventKind::Modify(ModifyKind::Name(RenameMode::From)), &dir),
            (EventKind::Create(CreateKind::Folder), &all),
        ] {
            assert_eq!(&hints(kind, "/log/x.log"), expected, "{kind:?}");
        }
    }

    #[test]
    fn t40_an_overflow_means_everything_with_a_path_or_without() {
        let told = |event: Event| {
            let mut hints = Hints::default();
            hints.note(event);
            hints.all
        };
        let overflow = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert!(told(overflow.clone()));
        assert!(told(overflow.add_path("/log/x.log".into())));
        assert!(told(Event::new(EventKind::Other)));
    }

    #[test]
    fn t40_more_paths_than_are_kept_mean_everything() {
        let mut hints = Hints::default();
        for n in 0..=MOST {
            let kind = EventKind::Modify(ModifyKind::Data(DataChange::Any));
            hints.note(Event::new(kind).add_path(PathBuf::from(format!("/log/{n}.log"))));
        }
        assert_eq!(
            hints,
            Hints {
                all: true,
                ..Hints::default()
            }
        );
    }

    #[test]
    fn t39_an_error_of_the_watcher_means_everything() {
        let waker = Waker::default();
        waker.note(Err(notify::Error::generic("queue overflow")));
        assert!(waker.take().all);
        assert!(waker.take().is_empty());
    }

    #[test]
    fn t39_a_directory_that_cannot_be_watched_is_known_as_such() {
        let mut wake = Wake::start();
        let dir = tempfile::tempdir().unwrap();
        wake.follow(&[dir.path().to_owned()].into());
        assert!(wake.works());
        wake.follow(&[dir.path().to_owned(), dir.path().join("absent")].into());
        assert!(!wake.works());
    }

    #[tokio::test]
    async fn a_line_written_in_a_watched_directory_wakes_the_waiter() {
        let dir = tempfile::tempdir().unwrap();
        let mut wake = Wake::start();
        wake.follow(&[dir.path().to_owned()].into());
        let waker = wake.waker();
        waker.woken().await;
        assert!(
            waker.take().all,
            "what happened before the watch began left no hint"
        );
        let file = dir.path().join("x.log");
        std::fs::write(&file, "T1 line\n").unwrap();
        let mut seen = Hints::default();
        while !seen.files.contains(&file) {
            waker.woken().await;
            let hints = waker.take();
            seen.dirs.extend(hints.dirs);
            seen.files.extend(hints.files);
        }
        assert!(
            seen.dirs.contains(dir.path()),
            "a new name is a change of the directory"
        );
    }
}
