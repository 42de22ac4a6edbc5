//! The program without its threads: tailer, engine and store, driven a step at a time and killed between any two.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use flinktail::app::SourceSettings;
use flinktail::app::engine::Engine;
use flinktail::model::Left;
use flinktail::pipeline::{LogSettings, Wording};
use flinktail::store::{Progress, Saved};
use flinktail::tail::{Known, Position, Settings, Source, Tailer};
use jiff::tz::TimeZone;

use super::database::Database;
use super::disk::{Disk, path};
use super::flaws::Flaw;
use super::kept::Kept;
use super::ledger::{Both, Ledger};
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

/// What it is given to do, and by what it keeps it.
pub struct Setup {
    pub sources: Vec<String>,
    pub settings: Settings,
    /// By the program's own store, and not by its double.
    pub database: bool,
    pub flaw: Option<Flaw>,
}

/// One life of the program, and what outlives it.
pub struct Program {
    disk: Arc<Disk>,
    setup: Setup,
    tailer: Tailer,
    engine: Engine,
    database: Option<Database>,
    ready: bool,
    now: Duration,
    pub ledger: Ledger,
    /// The moment that is kept.
    durable: Kept,
    /// What was counted in the one before.
    left_before: Left,
    /// What was shown last, and whether it had been kept.
    shown: (Shown, bool),
}

impl Program {
    pub fn new(disk: Arc<Disk>, setup: Setup) -> Self {
        let (tailer, engine) = begin(&disk, &setup, Saved::default());
        let mut database = setup.database.then(Database::new);
        if let Some(database) = &mut database {
            assert_eq!(database.open(), Saved::default());
        }
        Self {
            disk,
            setup,
            tailer,
            engine,
            database,
            ready: false,
            now: Duration::ZERO,
            ledger: Ledger::default(),
            durable: Kept::default(),
            left_before: Left::default(),
            shown: (Shown::new(), true),
        }
    }

    /// Whether what came of a line is kept.
    pub fn is_durable(&self, line: u32) -> bool {
        self.durable.mark.has(&self.ledger, line)
    }

    /// Whether nothing is kept that it could go on from.
    pub fn knows_nothing(&self) -> bool {
        self.durable.saved.progress.positions.is_empty()
    }

    /// Whether nothing was found yet that it could follow.
    pub fn follows_nothing(&self) -> bool {
        self.tailer.positions().is_empty()
    }

    /// Starts it on what is kept: what the database gives back must be one of these moments, to the last number.
    fn start(&mut self, moments: &[Kept]) {
        let found = self.database.as_mut().map(Database::open);
        let is_found = |moment: &&Kept| found.as_ref().is_none_or(|found| moment.is(found));
        let kept = moments
            .iter()
            .find(is_found)
            .expect("the old or the new state, never neither");
        for position in &kept.saved.progress.positions {
            let place = &position.place;
            tell(|| {
                format!(
                    "  {:?} at {} of {}, head {}, done: {}",
                    position.id.ino, place.offset, position.size, place.head.len, position.done
                )
            });
        }
        self.durable = kept.clone();
        self.ledger.go_back(&kept.mark);
        let mut saved = kept.saved.clone();
        if let Some(flaw) = self.setup.flaw {
            flaw.spoil(&mut saved, &self.left_before, &self.disk);
        }
        (self.tailer, self.engine) = begin(&self.disk, &self.setup, saved);
        self.ready = false;
        let (shown, was_kept) = &self.shown;
        if *was_kept {
            expect_no_fall(shown, &self.counters());
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
        tell(|| {
            let told = |position: &Position| {
                let (place, done) = (&position.place, if position.done { " done" } else { "" });
                format!("{}: {}/{}{done}", position.id.ino, place.offset, position.size)
            };
            let told: Vec<String> = self.tailer.positions().iter().map(told).collect();
            format!("  {}", told.join(", "))
        });
        for notice in self.tailer.take_notices() {
            tell(|| format!("  {notice}"));
        }
        // As the daemon ends its catch-up; one log has nobody to wait for.
        if !self.ready && !more {
            self.engine.caught_up();
            self.ready = true;
        }
        if self.setup.flaw == Some(Flaw::ShownFirst) {
            self.show(true);
        }
        more
    }

    /// Writes down what is new, then shows it. `refused`: the store cannot be written.
    pub fn keep(&mut self, refused: bool) {
        let now = self.disk.tick();
        let kept = match &mut self.database {
            Some(database) => database.commit(&mut self.engine, &mut self.tailer, now, refused),
            None => !refused,
        };
        if kept {
            let next = self.durable.next(self.ledger.mark(), &self.engine, &self.tailer);
            self.left_before = std::mem::replace(&mut self.durable, next).saved.left;
        }
        self.show(kept);
    }

    /// Shows what is counted, if it may.
    fn show(&mut self, kept: bool) {
        if self.ready {
            let shown = self.counters();
            expect_no_fall(&self.shown.0, &shown);
            self.shown = (shown, kept);
        }
    }

    /// Ends this life and begins the next.
    pub fn restart(&mut self, end: End, random: &mut Random) {
        if end == End::Torn {
            return self.tear(random);
        }
        if end == End::Stopped {
            self.keep(false);
        }
        if let Some(database) = &mut self.database {
            database.die();
        }
        let found = [self.durable.clone()];
        self.start(&found);
    }

    /// Dies within a commit.
    fn tear(&mut self, random: &mut Random) {
        let before = self.durable.clone();
        let files = self.database.as_ref().map(Database::files);
        self.keep(false);
        // What was shown since is no matter: a kill within a commit comes before it is shown.
        self.shown = (Shown::new(), true);
        let mut moments = [before, self.durable.clone()];
        match (&mut self.database, files) {
            (Some(database), Some(files)) => database.tear(&files, random),
            _ => moments.rotate_left(random.index(2)),
        }
        self.start(&moments);
    }

    /// Its state directory is deleted.
    pub fn lose_state(&mut self) {
        self.durable = Kept::default();
        self.shown.1 = false;
        if let Some(database) = &mut self.database {
            database.lose(&mut self.engine, &self.tailer, self.disk.tick());
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
}

/// Tailer and engine as they begin on what was kept.
fn begin(disk: &Arc<Disk>, setup: &Setup, saved: Saved) -> (Tailer, Engine) {
    let paths = setup
        .sources
        .iter()
        .map(|source| Source::new(path(source).as_os_str(), None).unwrap());
    let wording = Arc::clone(&WORDING);
    let classify = {
        let wording = Arc::clone(&wording);
        Box::new(move |head: &[u8]| flinktail::pipeline::read_head(&wording, None, &TimeZone::UTC, head))
    };
    let disk: Arc<Disk> = Arc::clone(disk);
    let Progress { logs, positions, .. } = &saved.progress;
    let settings = setup.settings.clone();
    let mut tailer = Tailer::new(disk, paths.collect(), classify, settings, positions.clone());
    let known = logs.iter().map(|log| {
        let known = Known {
            id: log.id,
            numbers: log.numbers.clone(),
        };
        (log.numbers.name.to_string(), known)
    });
    tailer.remember(known.collect());
    tailer.remember_failures(saved.progress.failures.clone());
    let log = LogSettings {
        zone: TimeZone::UTC,
        layout: None,
        line_bytes: 1 << 20,
        record_bytes: 1 << 20,
        reorder_window: jiff::SignedDuration::ZERO,
    };
    let beside = setup.sources.iter().map(|_| SourceSettings {
        cluster: None,
        log: log.clone().into(),
    });
    let mut engine = Engine::new(wording, beside.collect(), 1000);
    engine.restore(saved);
    (tailer, engine)
}

fn expect_no_fall(before: &Shown, after: &Shown) {
    for (name, count) in before {
        let now = after.get(name).copied().unwrap_or(0);
        assert!(*count <= now, "{name} fell from {count} to {now}");
    }
}
