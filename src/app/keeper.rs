//! The store as the daemon uses it: what cannot be written is shown from memory, said once, and tried again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tracing::{error, info, warn};

use super::AppError;
use super::engine::Engine;
use crate::stats::{LoadResult, StoreStats};
use crate::store::{Bounds, DirLock, Found, Progress, Saved, Store, StoreError, Unwritten};
use crate::tail::{self, Tailer};

/// How soon a store that failed is tried again: doubled with each failure, up to the longest.
const RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// How often history beyond its bounds is removed.
const TIDY: Duration = Duration::from_secs(60);

/// Keeps everything in a state directory.
pub(super) struct Keeper {
    dir: PathBuf,
    bounds: Bounds,
    lock: Option<DirLock>,
    store: Option<Store>,
    /// What the store that failed could not write.
    unwritten: Unwritten,
    /// When to try again, and how long was waited; none where nothing failed, or where trying is of no use.
    retry: Option<(Instant, Duration)>,
    tidied: Instant,
    stats: StoreStats,
}

impl Keeper {
    /// Takes the directory and reads what was kept. Only a directory that is in use by another process is an error:
    /// with any other the program runs from memory until it can be written.
    pub(super) fn open(dir: &Path, bounds: Bounds) -> Result<(Self, Saved), AppError> {
        let mut keeper = Self {
            dir: dir.to_owned(),
            bounds,
            lock: None,
            store: None,
            unwritten: Unwritten::default(),
            retry: None,
            tidied: Instant::now(),
            stats: StoreStats {
                up: false,
                load: LoadResult::Failed,
                commits: 0,
                errors: 0,
                last_success: None,
                bytes: 0,
            },
        };
        let opened = DirLock::take(dir).and_then(|lock| {
            keeper.lock = Some(lock);
            Store::open(dir)
        });
        let saved = match opened {
            Ok((store, saved, found)) => {
                keeper.found(&found);
                keeper.stats.load = match found {
                    Found::New => LoadResult::New,
                    Found::Whole => LoadResult::Loaded,
                    Found::Damaged(..) => LoadResult::Damaged,
                };
                keeper.stats.up = true;
                keeper.store = Some(store);
                saved
            }
            Err(error @ StoreError::InUse(_)) => return Err(AppError::State(error)),
            Err(error @ StoreError::Newer { .. }) => {
                error!(
                    "{}: {error}; it is left as it is, and nothing is kept",
                    dir.display()
                );
                keeper.stats.load = LoadResult::Newer;
                keeper.stats.errors += 1;
                Saved::default()
            }
            Err(error) => {
                keeper.failed(&error);
                // What cannot be written can be read most often. Begun anew, its smaller numbers would be written over those there.
                match Store::read_alone(dir) {
                    Ok(kept) => {
                        keeper.stats.load = LoadResult::Loaded;
                        kept
                    }
                    Err(error) => {
                        warn!("{}: what was kept cannot be read either: {error}", dir.display());
                        Saved::default()
                    }
                }
            }
        };
        Ok((keeper, saved))
    }

    /// Keeps history within other bounds from now on.
    pub(super) const fn set_bounds(&mut self, bounds: Bounds) {
        self.bounds = bounds;
    }

    /// Its numbers.
    pub(super) const fn stats(&self) -> &StoreStats {
        &self.stats
    }

    /// Whether it could not be written, and is to be tried again.
    pub(super) const fn is_failing(&self) -> bool {
        self.retry.is_some()
    }

    /// Writes down what is new: of the logs those that changed, or all of them where it is not known what is on the disk. When this returns, what may be shown is on the disk, or the numbers say that it is not.
    pub(super) fn keep(&mut self, engine: &mut Engine, tailer: &mut Tailer, now: Timestamp) {
        let is_new = self.reopen_if_due();
        let Some(store) = &mut self.store else {
            let evicted = engine.fleet_mut().take_evicted();
            if self.retry.is_some() {
                self.unwritten.take(evicted);
            }
            return;
        };
        let mut kept = engine.keep(store, tailer, is_new, now);
        if kept.is_ok() && self.tidied.elapsed() >= TIDY {
            kept = store.tidy(self.bounds, engine.absent(), now).map(|more| {
                if !more {
                    self.tidied = Instant::now();
                }
            });
        }
        match kept.and_then(|()| store.bytes()) {
            Ok(bytes) => {
                if !self.stats.up {
                    info!("{}: written again", self.dir.display());
                }
                self.stats.up = true;
                self.stats.bytes = bytes;
                self.stats.commits += 1;
                self.stats.last_success = Some(now);
                self.retry = None;
            }
            Err(error) => {
                self.unwritten = self.store.take().map(Store::into_unwritten).unwrap_or_default();
                self.failed(&error);
            }
        }
    }

    /// True where it was opened again.
    fn reopen_if_due(&mut self) -> bool {
        if self.store.is_some() || self.retry.is_none_or(|(at, _)| Instant::now() < at) {
            return false;
        }
        // The directory may be another one by now: its lock is taken anew.
        self.lock = None;
        let opened = DirLock::take(&self.dir).and_then(|lock| {
            self.lock = Some(lock);
            Store::reopen(&self.dir, &mut self.unwritten)
        });
        match opened {
            Ok((store, found)) => {
                self.found(&found);
                self.store = Some(store);
            }
            Err(error) => self.failed(&error),
        }
        self.store.is_some()
    }

    fn failed(&mut self, error: &StoreError) {
        if self.stats.up || self.retry.is_none() {
            warn!(
                "{}: {error}; what is shown is not kept until it can be written again",
                self.dir.display()
            );
        }
        self.stats.up = false;
        self.stats.errors += 1;
        let wait = self
            .retry
            .map_or(RETRY, |(_, waited)| LONGEST_RETRY.min(waited * 2));
        self.retry = Some((Instant::now() + wait, wait));
    }

    fn found(&self, found: &Found) {
        if let Found::Damaged(aside, why) = found {
            error!(
                "{}: {why}; it was set aside as {} and begun anew",
                self.dir.display(),
                aside.display()
            );
        }
    }
}

/// What the tailer is told of the logs of earlier runs.
pub(super) fn known_logs(progress: &Progress) -> BTreeMap<String, tail::Known> {
    let logs = progress.logs.iter().map(|log| {
        let known = tail::Known {
            id: log.id,
            numbers: log.numbers.clone(),
        };
        (log.numbers.name.to_string(), known)
    });
    logs.collect()
}
