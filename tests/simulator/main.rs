//! The simulator: reading and keeping, over a simulated disk and clock, driven by one seed through everything that goes wrong.
//!
//! Tailer, engine and store are the program's own; files and time are not. A step is one of the writer (bytes, torn
//! lines, one move of a rotation), one pass of the program, a commit, a fault, or a death. What must hold is checked after
//! every step: no line is given twice, out of order, joined or made up, and no counter that was shown and kept falls. At the end, with
//! the faults gone, every line was counted that was not destroyed before it could be kept.
//!
//! Most seeds keep in a double of the store, which holds in memory what a transaction would have kept. One in eight keeps
//! in the store itself, in files that are torn, refused and deleted, and holds the double to it: whatever the
//! database gives back after a death must be what the double holds, to the last number.
//!
//! One seed in four has deep backlogs: up to forty files are written before they are read, and the program dies every few steps.
//! In every second seed the writer copies and truncates; in the others sizes are stale and there is one descriptor, and in half
//! of these calls fail with EIO.
//! `FLINKTAIL_SIMULATOR_HARSH` asks for more: `packs`, or those at once that the seeds else have apart (`stale`, `copies`,
//! `starved`, `errors`), joined by commas, or `all`: of these a few seeds still fail (see `docs/store.md`).
//!
//! `FLINKTAIL_SIMULATOR_STEPS` asks for more steps than a few. A seed that fails is printed;
//! `FLINKTAIL_SIMULATOR_SEED=N cargo test --test simulator` replays it and tells its last steps.

// The lints that tests are excused from are excused by this attribute.
#![cfg(test)]

#[path = "../it/random.rs"]
mod random;

mod database;
mod disk;
mod flaws;
mod kept;
mod ledger;
mod program;
mod writer;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use flinktail::tail::Settings;

use crate::random::Random;
use disk::Disk;
use flaws::Flaw;
use program::{End, Program, Setup};
use writer::{Habits, Style, Writer};

/// Names the one seed to be run.
const SEED: &str = "FLINKTAIL_SIMULATOR_SEED";

/// Asks for more that can go wrong, by its names.
const HARSH: &str = "FLINKTAIL_SIMULATOR_HARSH";

/// How many steps are taken at least, of all seeds together.
const ALL_STEPS: &str = "FLINKTAIL_SIMULATOR_STEPS";

/// One seed of so many keeps in the program's own store, and holds its double to it.
const DATABASE: u64 = 8;

/// One seed of so many has deep backlogs, in which files renamed and copied are mixed.
const FLOODED: u64 = 4;

/// Of how many calls one tells when a file was made, seed by seed: there are file systems of which none does, and what is not
/// told each time must not be taken for another file's.
const BIRTHS: [u64; 3] = [0, 1, 3];

/// Steps of one seed, without those in which all comes to rest.
const STEPS: u64 = 2_000;

/// What goes wrong in some seeds, or where it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ill {
    /// Calls fail with EIO.
    Errors,
    /// Sizes are what they were some time ago.
    Stale,
    /// The writer copies and truncates.
    Copies,
    /// It packs.
    Packs,
    /// There is one descriptor.
    Starved,
}

impl Ill {
    const ALL: [(&str, Self); 5] = [
        ("errors", Self::Errors),
        ("stale", Self::Stale),
        ("copies", Self::Copies),
        ("packs", Self::Packs),
        ("starved", Self::Starved),
    ];

    /// Those of every seed, whatever is asked for.
    fn ordinary(seed: u64) -> Vec<Self> {
        match seed % 4 {
            1 => vec![Self::Stale, Self::Starved],
            3 => vec![Self::Stale, Self::Starved, Self::Errors],
            _ => vec![Self::Copies],
        }
    }

    /// Those of these names; `all` of them.
    fn named(names: &str) -> Vec<Self> {
        let is_named = |name: &str| names == "all" || names.split(',').any(|one| one == name);
        let asked_for = Self::ALL.into_iter().filter(|(name, _)| is_named(name));
        asked_for.map(|(_, ill)| ill).collect()
    }
}

/// What is done in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Write,
    Pass(Duration),
    Keep,
    /// So many of a thousand calls fail, so many sizes are stale, so many reads short.
    Faults(u64, u64, u64),
    StoreRefuses(bool),
    StateLost,
    Ends(End),
}

/// Says what happens, where one seed is run alone.
fn tell(what: impl FnOnce() -> String) {
    static TELLS: LazyLock<bool> = LazyLock::new(|| std::env::var_os(SEED).is_some());
    if *TELLS {
        println!("{}", what());
    }
}

/// One seed's world.
struct World {
    random: Random,
    disk: Arc<Disk>,
    writer: Writer,
    program: Program,
    refused: bool,
    ills: Vec<Ill>,
    /// The source means the file that is written to, and no rotated one.
    named: bool,
    /// Much is written before anything is read: whether it is being written now. None where reading keeps up.
    flood: Option<bool>,
    steps: Vec<Step>,
}

impl World {
    fn new(seed: u64, ills: &[Ill], flaw: Option<Flaw>) -> Self {
        let mut random = Random(seed);
        let has = |ill| ills.contains(&ill);
        let births = BIRTHS[usize::try_from(seed).unwrap_or(0) % BIRTHS.len()];
        let disk = Arc::new(Disk::new(Random(random.below(u64::MAX)), births, flaw));
        let style = random.pick(&[Style::Counted, Style::Shifted, Style::Numbered, Style::Linked]);
        let flood = (seed % FLOODED == 2).then_some(true);
        let habits = Habits {
            copies: has(Ill::Copies),
            packs: has(Ill::Packs),
            kept: if flood.is_some() { 40 } else { 5 },
        };
        let mut writer = Writer::new(Arc::clone(&disk), Random(random.below(u64::MAX)), style, habits);
        // What cannot be read for a while is read after what could.
        writer.truth.is_ordered &= !has(Ill::Errors);
        let source = match style {
            Style::Linked => "jobmanager.log",
            Style::Numbered => ".",
            Style::Counted | Style::Shifted => random.pick(&[".", "*.log", "jobmanager.log"]),
        };
        let settings = Settings {
            period: random.pick(&[Duration::ZERO, Duration::from_secs(1)]),
            grace: Duration::from_secs(10),
            open_files: if has(Ill::Starved) {
                random.pick(&[1, 64])
            } else {
                64
            },
            log_budget: random.pick(&[512, 8192, 4 << 20]),
            chunk: random.pick(&[64, 1000, 8192]),
            ..Settings::default()
        };
        let named = source != ".";
        let setup = Setup {
            sources: vec![source.to_owned()],
            settings,
            database: seed % DATABASE == 1 && flaw.is_none(),
            flaw,
        };
        let program = Program::new(Arc::clone(&disk), setup);
        let mut world = Self {
            random,
            disk,
            writer,
            program,
            refused: false,
            ills: ills.to_vec(),
            named,
            flood,
            steps: Vec::new(),
        };
        world.meet();
        world
    }

    /// A file that is named is followed from where it was first seen.
    fn meet(&mut self) {
        self.step(Step::Pass(Duration::ZERO));
        self.step(Step::Keep);
    }

    fn any_step(&mut self) -> Step {
        let random = &mut self.random;
        let often = match &mut self.flood {
            None => [550, 850, 960],
            Some(rises) => {
                *rises ^= random.chance(8);
                if *rises { [900, 930, 960] } else { [50, 750, 900] }
            }
        };
        match random.below(1000) {
            any if any < often[0] => Step::Write,
            any if any < often[1] => Step::Pass(Duration::from_millis(random.below(300))),
            any if any < often[2] => Step::Keep,
            900..960 => Step::Ends(random.pick(&[End::Killed, End::Torn])),
            960..970 => Step::Pass(Duration::from_secs(random.below(20))),
            970..990 => {
                let errors = random.pick(&[0, 0, 20, 200]);
                let stale = random.pick(&[0, 0, 100]);
                let only = |ill, often| if self.ills.contains(&ill) { often } else { 0 };
                let (errors, stale) = (only(Ill::Errors, errors), only(Ill::Stale, stale));
                Step::Faults(errors, stale, random.pick(&[0, 500]))
            }
            990..995 => Step::StoreRefuses(random.below(2) == 0),
            995 if random.below(5) == 0 => Step::StateLost,
            _ => Step::Ends(random.pick(&[End::Killed, End::Torn, End::Stopped])),
        }
    }

    /// Whether there is more to be read at once.
    fn step(&mut self, step: Step) -> bool {
        self.steps.push(step);
        tell(|| format!("{} {step:?}; {}", self.steps.len(), self.disk.told()));
        let Self { writer, program, .. } = self;
        match step {
            Step::Write => {
                writer.step(&|line| program.is_durable(line));
                self.excuse_unmet();
            }
            Step::Pass(later) => return program.pass(later, &writer.truth),
            Step::Keep => program.keep(self.refused),
            Step::Faults(errors, stale, short) => self.disk.fail(|faults| {
                (faults.errors, faults.stale, faults.short) = (errors, stale, short);
            }),
            Step::StoreRefuses(refused) => self.refused = refused,
            Step::StateLost => {
                program.lose_state();
                writer.forgotten(false);
            }
            Step::Ends(end) => {
                self.refused = false;
                program.restart(end, &mut self.random);
                if program.knows_nothing() {
                    writer.forgotten(self.named);
                    self.meet();
                }
            }
        }
        false
    }

    /// What a named file held before it was first seen was not asked for.
    fn excuse_unmet(&mut self) {
        if self.named && self.program.follows_nothing() {
            self.writer.forgotten(true);
        }
    }

    /// Lets everything come to rest, and holds the result to what was written.
    fn settle(&mut self) {
        self.step(Step::Faults(0, 0, 0));
        self.step(Step::StoreRefuses(false));
        let Self { writer, program, .. } = self;
        writer.finish(&|line| program.is_durable(line));
        self.excuse_unmet();
        let mut calm = 0;
        while calm < 30 {
            let more = self.step(Step::Pass(Duration::from_secs(5)));
            calm = if more { 0 } else { calm + 1 };
        }
        self.step(Step::Keep);
        let (truth, program) = (&self.writer.truth, &self.program);
        let all = 0..u32::try_from(self.writer.whole()).unwrap();
        let missing: Vec<u32> = all
            .filter(|line| !program.ledger.has(*line) && !truth.excused.contains(line))
            .collect();
        if let Some(first) = missing.first() {
            let holder = self.disk.names().into_iter().find(|name| {
                let file = self.disk.file(name);
                file.is_some_and(|file| file.content().lines.contains(first))
            });
            panic!(
                "{} lines lost, from {first} on, which is in {holder:?}",
                missing.len()
            );
        }
        assert_eq!(program.lag(), 0, "bytes are left");
        if truth.excused.is_empty() {
            assert_eq!(program.lost(), 0, "nothing was destroyed");
        }
        let given = &program.ledger.given;
        let about = |to: &str| {
            let end = format!("to {to}.");
            let lines = given
                .iter()
                .filter(|line| truth.lines[**line as usize].ends_with(&end));
            lines.count() as u64
        };
        let (up, down) = (about("RUNNING"), about("RESTARTING"));
        assert_eq!(
            program.matches(),
            up + down,
            "lines given, and lines that the rules counted"
        );
        if given.len() == self.writer.whole() && given.is_sorted() {
            assert_eq!(
                (program.entered("RUNNING"), program.entered("RESTARTING")),
                (up, down)
            );
        }
    }
}

/// Runs one seed; the last steps and the reason if it fails.
fn run(seed: u64, ills: &[Ill], flaw: Option<Flaw>) -> Result<u64, (u64, String)> {
    let mut steps = Vec::new();
    let ran = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(seed, ills, flaw);
        let ran = catch_unwind(AssertUnwindSafe(|| {
            for _ in 0..STEPS {
                let step = world.any_step();
                world.step(step);
            }
            world.settle();
        }));
        steps = std::mem::take(&mut world.steps);
        if let Err(reason) = ran {
            std::panic::resume_unwind(reason);
        }
    }));
    ran.map(|()| steps.len() as u64).map_err(|reason| {
        let reason = reason
            .downcast_ref::<String>()
            .map_or("no reason", String::as_str);
        let last = &steps[steps.len().saturating_sub(40)..];
        let taken = steps.len() as u64;
        (
            taken,
            format!("{SEED}={seed} after {taken} steps: {reason}\n{last:?}"),
        )
    })
}

#[test]
fn whatever_happens_every_line_counts_once() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let ills = Ill::named(&std::env::var(HARSH).unwrap_or_default());
    let only = number(SEED);
    let (first, seeds) = match only {
        Some(seed) => (seed, 1),
        None => (1, number(ALL_STEPS).unwrap_or(4 * STEPS).div_ceil(STEPS)),
    };
    let (next, steps) = (AtomicU64::new(first), AtomicU64::new(0));
    let failed = Mutex::new(BTreeMap::new());
    let began = Instant::now();
    let work = || {
        while let seed = next.fetch_add(1, Ordering::Relaxed)
            && seed < first + seeds
        {
            let ills = [&ills[..], &Ill::ordinary(seed)].concat();
            match run(seed, &ills, None) {
                Ok(taken) => steps.fetch_add(taken, Ordering::Relaxed),
                Err((taken, why)) => {
                    failed.lock().unwrap().insert((taken, seed), why);
                    taken
                }
            };
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    println!(
        "{} steps of {seeds} seeds in {:.1} s",
        steps.into_inner(),
        began.elapsed().as_secs_f64()
    );
    let failed = failed.into_inner().unwrap();
    // The shortest story first: it is the easiest to follow.
    let Some(why) = failed.values().next() else { return };
    for ((taken, seed), why) in &failed {
        println!("{seed} {taken} {}", why.lines().next().unwrap_or_default());
    }
    panic!(
        "{} of {seeds} seeds: {:?}\n{why}",
        failed.len(),
        failed.keys().map(|(_, seed)| seed).collect::<Vec<_>>()
    );
}
