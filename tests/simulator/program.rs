//! The program without its threads: tailer, engine and store, driven a step at a time and killed between any two.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use flinktail::app::SourceSettings;
use flinktail::app::engine::Engine;
use flinktail::pipeline::{LogSettings, Wording};
use flinktail::store::{Found, Progress, Store};
use flinktail::tail::{Known, Settings, Source, Tailer};
use jiff::tz::TimeZone;
use rusqlite::Connection;

use super::disk::{Disk, path};
use super::ledger::{Both, Ledger, Mark};
use super::tell;
use super::writer::Truth;
use crate::random::Random;

/// The rule that every line about a job matches.
const RULE: &str = "job.transition";

static WORDING: LazyLock<Arc<Wording>> =
    LazyLock::new(|| Arc::new(flinktail::app::wording(None).expect("the built-in rules")));

/// What a scrape would see that must never fall.
pub type Shown = BTreeMap<String, u64>;

/// How a run of the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Between two steps.
    Killed,
    /// Within a commit: what was being written may be on the disk in any part.
    Torn,
    /// By a signal that it heeds.
    Stopped,
}

/// One life of the program, and what outlives it.
pub struct Program {
    disk: Arc<Disk>,
    state: PathBuf,
    sources: Vec<String>,
    settings: Settings,
    tailer: Tailer,
    engine: Engine,
    store: Option<Store>,
    ready: bool,
    now: Duration,
    pub ledger: Ledger,
    /// The moment that is on the disk.
    durable: (Mark, Progress),
    /// What was shown last, and whether it had been kept.
    shown: (Shown, bool),
}

impl Program {
    pub fn new(disk: Arc<Disk>, state: &Path, sources: Vec<String>, settings: Settings) -> Self {
        let (tailer, engine) = start(&disk, &sources, &settings, Progress::default());
        let mut program = Self {
            disk,
            state: state.to_owned(),
            sources,
            settings,
            tailer,
            engine,
            store: None,
            ready: false,
            now: Duration::ZERO,
            ledger: Ledger::default(),
            durable: (Mark::default(), Progress::default()),
            shown: (Shown::new(), true),
        };
        program.start(&[]);
        program
    }

    /// Whether what came of a line is on the disk.
    pub fn is_durable(&self, line: u32) -> bool {
        self.durable.0.has(&self.ledger, line)
    }

    /// Whether nothing is kept that it could go on from.
    pub fn knows_nothing(&self) -> bool {
        self.durable.1.positions.is_empty()
    }

    /// Starts it on what is kept. `others` are moments that may be found instead of the last one known to be kept.
    fn start(&mut self, others: &[(Mark, Progress)]) {
        let (store, saved, found) = Store::open(&self.state).expect("a store that can be opened");
        for position in &saved.progress.positions {
            let place = &position.place;
            tell(|| {
                format!(
                    "  {:?} at {} of {}, head {}, done: {}",
                    position.id.ino, place.offset, position.size, place.head.len, position.done
                )
            });
        }
        let found = (found != Found::New).then_some(&saved.progress);
        let same = |kept: &Progress| match found {
            Some(found) => found.positions == kept.positions && found.rule_matches == kept.rule_matches,
            None => kept.positions.is_empty(),
        };
        let kept = std::iter::once(&self.durable)
            .chain(others)
            .find(|(_, kept)| same(kept));
        let (mark, kept) = kept.expect("the old or the new state, never neither").clone();
        self.ledger.go_back(&mark);
        self.durable = (mark, kept);
        let (tailer, mut engine) = start(&self.disk, &self.sources, &self.settings, saved.progress.clone());
        engine.restore(saved);
        (self.tailer, self.engine, self.store, self.ready) = (tailer, engine, Some(store), false);
        let (shown, was_kept) = &self.shown;
        if *was_kept {
            let restored = self.counters();
            expect_no_fall(shown, &restored);
        }
        self.shown = (self.counters(), true);
    }

    /// Reads once what is there, `later` after the last time.
    pub fn pass(&mut self, later: Duration, truth: &Truth) -> bool {
        self.now += later;
        self.engine.set_now(self.disk.tick());
        let mut both = Both {
            ledger: &mut self.ledger,
            truth,
            engine: &mut self.engine,
        };
        let more = self.tailer.poll(self.now, &mut both).more;
        for notice in self.tailer.take_notices() {
            tell(|| format!("  {notice}"));
        }
        // As the daemon ends its catch-up; one log has nobody to wait for.
        if !self.ready && !more {
            self.engine.caught_up();
            self.ready = true;
        }
        more
    }

    /// Writes down what is new, then shows it. `refused`: the store cannot be written.
    pub fn keep(&mut self, refused: bool) {
        if self.store.is_none() && !refused {
            self.store = Store::reopen(&self.state).ok().map(|(store, _)| store);
        }
        if refused {
            self.refuse();
        }
        let progress = self.engine.progress(&self.tailer);
        let now = self.disk.tick();
        let kept = match &mut self.store {
            Some(store) => store.commit(self.engine.fleet_mut(), &progress, now).is_ok(),
            None => false,
        };
        // A commit that writes nothing has nothing refused.
        assert!(kept || refused, "not kept");
        if kept {
            self.durable = (self.ledger.mark(), progress);
        } else {
            self.store = None;
        }
        if refused {
            self.allow();
        }
        if self.ready {
            let shown = self.counters();
            expect_no_fall(&self.shown.0, &shown);
            self.shown = (shown, kept);
        }
    }

    /// Ends this life and begins the next.
    pub fn restart(&mut self, end: End, random: &mut Random) {
        match end {
            End::Killed => self.die(),
            End::Stopped => {
                self.keep(false);
                self.die();
            }
            End::Torn => {
                let before = (self.durable.clone(), self.read_state());
                self.keep(false);
                let after = self.durable.clone();
                let written = self.read_state();
                self.store = None;
                // What was shown since is no matter: a kill within a commit comes before it is shown.
                self.put_state(&tear(&before.1, &written, random));
                self.shown = (Shown::new(), true);
                self.durable = before.0;
                self.start(&[after]);
                return;
            }
        }
        self.start(&[]);
    }

    /// Its state directory is deleted.
    pub fn lose_state(&mut self) {
        fs::remove_dir_all(&self.state).unwrap();
        self.durable = (Mark::default(), Progress::default());
        self.shown.1 = false;
        // Noticed by the commit, which fails; the next one begins anew.
        let progress = self.engine.progress(&self.tailer);
        if let Some(mut store) = self.store.take() {
            let lost = store.commit(self.engine.fleet_mut(), &progress, self.disk.tick());
            assert!(lost.is_err(), "written to a file without a name");
        }
    }

    /// What is not read yet, bytes.
    pub fn lag(&self) -> u64 {
        self.tailer.stats().iter().map(|(_, stats)| stats.lag_bytes).sum()
    }

    /// Bytes counted as lost.
    pub fn lost(&self) -> u64 {
        let stats = self.tailer.stats();
        stats
            .iter()
            .flat_map(|(_, stats)| stats.lost_bytes.values())
            .sum()
    }

    /// Lines about a job, as the rules counted them.
    pub fn matches(&self) -> u64 {
        self.counters()[RULE]
    }

    /// States entered by all jobs, by their names.
    pub fn entered(&self, state: &str) -> u64 {
        self.counters()[state]
    }

    fn counters(&self) -> Shown {
        let stats = self.engine.stats(self.tailer.stats());
        let mut shown = stats.rule_matches;
        let all = flinktail::model::flink_job::JobState::ALL;
        let entered = all.iter().zip(self.engine.fleet().counters().entered);
        shown.extend(entered.map(|(state, count)| (state.name().to_owned(), count)));
        shown
    }

    /// Dies without another write. A connection that is closed would tidy up: what it had written by then is put back.
    fn die(&mut self) {
        let written = self.read_state();
        self.store = None;
        self.put_state(&written);
    }

    fn read_state(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let Ok(entries) = fs::read_dir(&self.state) else {
            return BTreeMap::new();
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        // The index of the log is made anew from it.
        let kept = paths.filter(|path| !path.to_str().unwrap().ends_with("-shm"));
        kept.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }

    fn put_state(&self, files: &BTreeMap<PathBuf, Vec<u8>>) {
        let _missing = fs::remove_dir_all(&self.state);
        fs::create_dir(&self.state).unwrap();
        for (path, bytes) in files {
            fs::write(path, bytes).unwrap();
        }
    }

    /// Makes the next commit fail in its middle, as a full disk does.
    fn refuse(&self) {
        self.beside(
            "CREATE TRIGGER refused BEFORE DELETE ON file_position BEGIN SELECT RAISE(ABORT, 'full'); END; \
             CREATE TRIGGER refused_too BEFORE INSERT ON file_position BEGIN SELECT RAISE(ABORT, 'full'); END",
        );
    }

    fn allow(&self) {
        self.beside("DROP TRIGGER refused; DROP TRIGGER refused_too");
    }

    fn beside(&self, sql: &str) {
        if self.state.join("flinktail.db").exists() {
            let database = Connection::open(self.state.join("flinktail.db")).unwrap();
            database.execute_batch(sql).unwrap();
        }
    }
}

fn start(disk: &Arc<Disk>, sources: &[String], settings: &Settings, kept: Progress) -> (Tailer, Engine) {
    let paths = sources
        .iter()
        .map(|source| Source::new(path(source).as_os_str(), None).unwrap());
    let wording = Arc::clone(&WORDING);
    let classify = {
        let wording = Arc::clone(&wording);
        Box::new(move |head: &[u8]| flinktail::pipeline::read_head(&wording, None, &TimeZone::UTC, head))
    };
    let disk: Arc<Disk> = Arc::clone(disk);
    let mut tailer = Tailer::new(disk, paths.collect(), classify, settings.clone(), kept.positions);
    let known = kept.logs.into_iter().map(|log| {
        let name = log.numbers.name.to_string();
        let known = Known {
            id: log.id,
            numbers: log.numbers,
        };
        (name, known)
    });
    tailer.remember(known.collect());
    let log = LogSettings {
        zone: TimeZone::UTC,
        layout: None,
        line_bytes: 1 << 20,
        record_bytes: 1 << 20,
        reorder_window: jiff::SignedDuration::ZERO,
    };
    let beside = sources.iter().map(|_| SourceSettings {
        cluster: None,
        log: log.clone().into(),
    });
    (tailer, Engine::new(wording, beside.collect(), 1000))
}

fn expect_no_fall(before: &Shown, after: &Shown) {
    for (name, count) in before {
        let now = after.get(name).copied().unwrap_or(0);
        assert!(*count <= now, "{name} fell from {count} to {now}");
    }
}

/// Bytes that reach the disk together.
const SECTOR: usize = 512;

/// What may be on the disk when the power fails while `before` becomes `after`: of the log of changes any part, as long
/// as the database itself was not written, which happens only once the log is safe.
fn tear(
    before: &BTreeMap<PathBuf, Vec<u8>>,
    after: &BTreeMap<PathBuf, Vec<u8>>,
    random: &mut Random,
) -> BTreeMap<PathBuf, Vec<u8>> {
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
