//! Random actions on files, against the real program on a real file system, from a seed: appended in pieces, renamed,
//! copied and truncated, written anew in place, deleted, made again, reached by a link that is swapped; and the program
//! killed, stopped and started in between. In the end every line that was not destroyed has counted once, and none that
//! was never written whole.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use crate::crash::{NeverFalls, entered};
use crate::daemon::{Daemon, PATIENCE, Page, summary};
use crate::random::Random;

mod files;

use files::{Fate, Ledger, Log, id};

/// Seeds that the suite runs.
const SEEDS: u64 = 2;

/// Actions for each.
const ACTIONS: usize = 60;

/// The program, running or not, and all that was asked of it.
struct Program {
    logs: PathBuf,
    state: PathBuf,
    running: Option<Daemon>,
    falls: NeverFalls,
}

impl Program {
    fn start(&mut self) -> &Daemon {
        let Self {
            logs, state, running, ..
        } = self;
        running.get_or_insert_with(|| Daemon::start(logs, state))
    }

    fn end(&mut self, killed: bool) {
        match self.running.take() {
            Some(daemon) if killed => daemon.kill(),
            Some(daemon) => drop(daemon.stop()),
            None => {}
        }
    }

    fn scrape(&mut self) -> Option<Page> {
        let page = self.running.as_ref()?.scrape();
        self.falls.check(&page);
        Some(page)
    }

    /// The jobs that it knows.
    fn jobs(&mut self) -> BTreeSet<String> {
        let (status, told) = self.start().get("/api/v1/entities").unwrap();
        assert_eq!(status, 200);
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        let entities = told["entities"].as_array().unwrap();
        let id = |entity: &serde_json::Value| entity["id"].as_str().unwrap().to_owned();
        entities.iter().map(id).collect()
    }

    /// Runs until it has told the last line of this log, which is to say all that there are.
    fn settle(&mut self, log: &mut Log) {
        if let Some(last) = log.last_line() {
            self.start();
            let last = id(last);
            let began = Instant::now();
            while !self.jobs().contains(&last) {
                let page = self.scrape().unwrap_or_default();
                assert!(
                    began.elapsed() < PATIENCE,
                    "{last} of {} was never read:\n{}",
                    log.path().display(),
                    summary(&page)
                );
            }
        }
        log.settled();
    }
}

/// What is done to a log, or to the program.
#[derive(Debug, Clone, Copy)]
enum Action {
    Append,
    Rename,
    CopyAndTruncate,
    /// These destroy what was not read, which may be nothing.
    Rewrite,
    Delete,
    Replace,
    Swap,
    /// Of the program.
    Kill,
    Stop,
    Start,
}

impl Action {
    /// All of them, the more often the more likely.
    const ALL: [Self; 17] = [
        Self::Append,
        Self::Append,
        Self::Append,
        Self::Append,
        Self::Append,
        Self::Append,
        Self::Rename,
        Self::Rename,
        Self::CopyAndTruncate,
        Self::Rewrite,
        Self::Delete,
        Self::Replace,
        Self::Swap,
        Self::Kill,
        Self::Kill,
        Self::Stop,
        Self::Start,
    ];

    fn destroys(self) -> bool {
        matches!(self, Self::Rewrite | Self::Delete | Self::Replace | Self::Swap)
    }

    fn run(self, random: &mut Random, program: &mut Program, log: &mut Log, ledger: &mut Ledger) {
        match self {
            Self::Append => log.append(random, ledger),
            Self::Rename => log.rename(random, ledger),
            Self::CopyAndTruncate => log.copy_and_truncate(random, ledger),
            Self::Rewrite => log.rewrite(ledger),
            Self::Delete => log.delete(ledger),
            Self::Replace => log.replace(ledger),
            Self::Swap => log.swap(ledger),
            Self::Kill => program.end(true),
            Self::Stop => program.end(false),
            Self::Start => drop(program.start()),
        }
    }
}

fn sum(page: &Page, name: &str) -> u64 {
    let of = page.iter().filter(|(series, _)| series.starts_with(name));
    of.map(|(_, value)| value).sum()
}

fn run(seed: u64) {
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random(seed);
    let mut program = Program {
        logs: dir.path().join("logs"),
        state: dir.path().join("state"),
        running: None,
        falls: NeverFalls::default(),
    };
    let mut ledger = Ledger::new(flinktail::observe::now());
    let mut logs = [
        Log::plain(&program.logs, "jobmanager.log"),
        Log::linked(
            &program.logs,
            &dir.path().join("elsewhere"),
            "standalonesession.log",
        ),
    ];
    for _ in 0..ACTIONS {
        let (log, action) = (&mut logs[random.index(2)], random.pick(&Action::ALL));
        if action.destroys() && random.chance(600) {
            println!("{}: all read", log.path().display());
            program.settle(log);
        }
        println!("{}: {action:?}", log.path().display());
        action.run(&mut random, &mut program, log, &mut ledger);
        if random.chance(300) {
            program.scrape();
        }
    }
    for log in &mut logs {
        log.finish(&mut ledger);
        log.write_lines(1, &mut ledger);
        program.settle(log);
    }
    let told = program.jobs();
    let page = program.scrape().unwrap();
    let of = |fate: Fate| -> BTreeSet<String> { ledger.lines(fate).map(id).collect() };
    let (whole, doubtful) = (of(Fate::Whole), of(Fate::Doubtful));
    let lost: Vec<_> = whole.difference(&told).collect();
    assert_eq!(lost, [""; 0], "lines that were lost");
    let made_up: Vec<_> = told
        .iter()
        .filter(|id| !whole.contains(*id) && !doubtful.contains(*id))
        .collect();
    assert_eq!(made_up, [""; 0], "lines that nobody wrote whole");
    assert_eq!(page[&entered("FINISHED")], told.len() as u64, "each once");
    // What comes twice changes no state: only the count of what was said shows it.
    let said = page
        .iter()
        .filter(|(series, _)| series.contains(r#"result="event""#));
    assert_eq!(
        said.map(|(_, count)| count).sum::<u64>(),
        told.len() as u64,
        "read once"
    );
    let read = sum(&page, "flinktail_source_read_bytes_total");
    let known = read + sum(&page, "flinktail_source_lost_bytes_total");
    let (written, destroyed) = (ledger.bytes, ledger.destroyed_bytes);
    assert!(
        known <= written && written - destroyed <= known,
        "{read} read of {written} bytes, {known} known; at most {destroyed} were destroyed unread"
    );
    println!(
        "{} lines, {} of {} doubtful ones told; {read} of {written} bytes read, {} lost",
        whole.len(),
        doubtful.intersection(&told).count(),
        doubtful.len(),
        known - read
    );
}

#[test]
fn whatever_is_done_to_files_and_program_every_line_that_is_left_counts_once() {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse().unwrap());
    let seeds = match number("FLINKTAIL_ACTIONS_SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..1 + number("FLINKTAIL_ACTIONS_SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        println!("FLINKTAIL_ACTIONS_SEED={seed}");
        run(seed);
    }
}
