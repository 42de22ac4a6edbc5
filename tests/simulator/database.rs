//! The program's own store, on files that go through everything a crash and a full disk do to them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use flinktail::app::engine::Engine;
use flinktail::store::{Saved, Store, Unwritten};
use flinktail::tail::Tailer;
use jiff::Timestamp;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::random::Random;

/// Bytes that reach the disk together.
const SECTOR: usize = 512;

/// The files of a state directory.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// A state directory and the store in it.
pub struct Database {
    _within: TempDir,
    state: PathBuf,
    store: Option<Store>,
    /// What the one that failed could not write.
    unwritten: Unwritten,
}

impl Database {
    /// In memory where there is such a place: a disk's own pace is of no interest here.
    pub fn new() -> Self {
        let shm = Path::new("/dev/shm");
        let within = if shm.is_dir() {
            tempfile::tempdir_in(shm)
        } else {
            tempfile::tempdir()
        };
        let within = within.unwrap();
        Self {
            state: within.path().join("state"),
            _within: within,
            store: None,
            unwritten: Unwritten::default(),
        }
    }

    /// Opens it; what was kept in it.
    pub fn open(&mut self) -> Saved {
        let (store, saved, _) = Store::open(&self.state).expect("a store that can be opened");
        self.store = Some(store);
        saved
    }

    /// Whether what is new is written, as the daemon does it. `refused`: it cannot be.
    pub fn commit(
        &mut self,
        engine: &mut Engine,
        tailer: &mut Tailer,
        now: Timestamp,
        refused: bool,
    ) -> bool {
        let is_new = self.store.is_none() && !refused;
        if is_new {
            self.store = Store::reopen(&self.state, &mut self.unwritten)
                .ok()
                .map(|(store, _)| store);
        }
        let Some(store) = &mut self.store else {
            return false;
        };
        if refused {
            beside(
                &self.state,
                "CREATE TRIGGER refused BEFORE DELETE ON file_position BEGIN SELECT RAISE(ABORT, 'full'); END; \
                 CREATE TRIGGER refused_too BEFORE INSERT ON file_position BEGIN SELECT RAISE(ABORT, 'full'); END",
            );
        }
        let kept = engine.keep(store, tailer, is_new, now).is_ok();
        // What writes nothing has nothing refused.
        assert!(kept || refused, "not kept");
        if refused {
            beside(&self.state, "DROP TRIGGER refused; DROP TRIGGER refused_too");
        }
        if !kept {
            self.unwritten = self.store.take().map(Store::into_unwritten).unwrap_or_default();
        }
        kept
    }

    /// Dies without another write. A connection that is closed would tidy up: what it had written by then is put back.
    pub fn die(&mut self) {
        let written = self.files();
        self.forget();
        self.put(&written);
    }

    fn forget(&mut self) {
        self.store = None;
        self.unwritten = Unwritten::default();
    }

    /// What is on the disk.
    pub fn files(&self) -> Files {
        let Ok(entries) = fs::read_dir(&self.state) else {
            return Files::new();
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        // The index of the log is made anew from it.
        let kept = paths.filter(|path| !path.to_str().unwrap().ends_with("-shm"));
        kept.map(|path| (path.clone(), fs::read(&path).unwrap()))
            .collect()
    }

    /// Dies while what was there `before` becomes what is there now.
    pub fn tear(&mut self, before: &Files, random: &mut Random) {
        let after = self.files();
        self.forget();
        self.put(&torn(before, &after, random));
    }

    /// Its directory is deleted, which the next commit notices; the one after that begins anew.
    pub fn lose(&mut self, engine: &mut Engine, tailer: &Tailer, now: Timestamp) {
        // Where it was not made anew since, it is deleted already.
        let _missing = fs::remove_dir_all(&self.state);
        if let Some(mut store) = self.store.take() {
            let progress = engine.progress(tailer);
            let lost = store.commit(engine.fleet_mut(), &progress, now);
            assert!(lost.is_err(), "written to a file without a name");
        }
    }

    fn put(&self, files: &Files) {
        let _missing = fs::remove_dir_all(&self.state);
        fs::create_dir(&self.state).unwrap();
        for (path, bytes) in files {
            fs::write(path, bytes).unwrap();
        }
    }
}

/// Runs this on a connection of its own.
fn beside(state: &Path, sql: &str) {
    let database = Connection::open(state.join("flinktail.db")).unwrap();
    database.execute_batch(sql).unwrap();
}

/// What may be on the disk when the power fails while `before` becomes `after`: of the log of changes any part, as long
/// as the database itself was not written, which happens only once the log is safe.
fn torn(before: &Files, after: &Files, random: &mut Random) -> Files {
    let is_log = |path: &Path| path.to_str().unwrap().ends_with("-wal");
    if before
        .iter()
        .any(|(path, bytes)| !is_log(path) && after.get(path) != Some(bytes))
    {
        return random.pick(&[before, after]).clone();
    }
    let mut torn = after.clone();
    for (path, bytes) in torn.iter_mut().filter(|(path, _)| is_log(path)) {
        let old = before.get(path).map_or(&[][..], Vec::as_slice);
        let changed = bytes.len().max(old.len()).div_ceil(SECTOR);
        for sector in 0..changed {
            let range = sector * SECTOR..((sector + 1) * SECTOR).min(bytes.len());
            if random.chance(500) && range.start < bytes.len() {
                for at in range {
                    bytes[at] = old.get(at).copied().unwrap_or(0);
                }
            }
        }
    }
    torn
}
