//! Reads logs to their end: one log at a time in pieces, the logs of a cluster merged by time.

use std::sync::Arc;
use std::time::Instant;

use super::engine::Engine;
use super::{AppError, classifier, cores, search, sources};
use crate::cli::progress::Progress;
use crate::config::Settings;
use crate::model::Fleet;
use crate::observe;
use crate::pipeline::Wording;
use crate::stats::{Backlog, ProgramStats};
use crate::tail::{self, Aids, LogReader, Notice, Tailer};

/// What a replay found.
#[derive(Debug)]
pub struct Replayed {
    /// The jobs.
    pub fleet: Fleet,
    /// What was read, and how.
    pub stats: ProgramStats,
    /// What people should know: left out, damaged, or unable to show transitions.
    pub notices: Vec<String>,
    /// Something that was named is not there.
    pub missing: bool,
}

/// Reads everything that the sources name.
pub fn replay(settings: &Settings, wording: Arc<Wording>) -> Result<Replayed, AppError> {
    let (paths, beside) = sources(settings, &wording)?;
    let now = observe::now();
    let mut tailer = Tailer::new(
        Arc::new(tail::fs::OsFs),
        paths,
        classifier(Arc::clone(&wording), &beside),
        tail::Settings {
            open_files: settings.limits.open_files,
            ..tail::Settings::default()
        },
        Vec::new(),
    );
    if settings
        .sources
        .iter()
        .any(|source| source.paths.iter().any(|path| path == "-"))
    {
        let stdin = tail::stdin::Stdin::start(std::io::stdin(), || {});
        tailer.attach_stdin(stdin.map_err(|error| AppError::System {
            what: "cannot start a thread for standard input",
            error,
        })?);
    }
    let backlog = tailer.backlog();
    let (mut readers, mut notices) = tailer.into_readers();
    let aids = Aids::new(cores(), &search(&wording));
    let mut engine = Engine::new(wording, beside, settings.limits.entities);
    engine.set_now(now);
    for reader in &readers {
        engine.open(reader.id(), reader.info());
    }
    read_all(&mut engine, &mut readers, aids, backlog);
    engine.caught_up();
    let stats = engine.stats(
        readers
            .iter()
            .map(|reader| (Some(reader.id()), reader.stats()))
            .collect(),
    );
    for reader in &mut readers {
        notices.extend(reader.take_notices());
    }
    let missing = notices.iter().any(|notice| matches!(notice, Notice::Missing(_)));
    let mut notices: Vec<String> = notices.iter().map(in_a_replay).collect();
    let advice = engine.take_advice().into_iter();
    notices.extend(advice.map(|(name, advice)| format!("{name}: {advice}")));
    Ok(Replayed {
        fleet: engine.into_fleet(),
        stats,
        notices,
        missing,
    })
}

/// A notice in the words of a program that does not wait.
fn in_a_replay(notice: &Notice) -> String {
    match notice {
        Notice::Missing(path) => format!("{}: no log there", path.display()),
        Notice::NoJobManagerLog(path) => format!(
            "{}: holds no JobManager log (is it the log directory of a JobManager?)",
            path.display()
        ),
        other => other.to_string(),
    }
}

/// Most bytes of a log that are read before it is another's turn, and before people are told how far it is.
const TURN: u64 = 4 << 20;
const LONE_TURN: u64 = 64 << 20;

/// Reads in turn from every log that the merge can use more of.
fn read_all(engine: &mut Engine, readers: &mut [LogReader], mut aids: Aids, mut backlog: Backlog) {
    let (mut progress, began) = (Progress::new(), Instant::now());
    let mut open: Vec<usize> = (0..readers.len()).collect();
    while !open.is_empty() {
        if engine.is_crowded() {
            // Nobody keeps what was evicted, and no log is wanted until it is taken.
            engine.fleet_mut().take_evicted();
        }
        let most = if open.len() > 1 { TURN } else { LONE_TURN };
        open.retain(|index| {
            let reader = &mut readers[*index];
            if !engine.wants(reader.id()) {
                return true;
            }
            let turn = reader.read(most, &mut aids, engine);
            backlog.read_bytes += turn.bytes;
            backlog.read_files += turn.files;
            if turn.over {
                engine.finish(reader.id());
            }
            progress.show(&backlog, began.elapsed());
            !turn.over
        });
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::sync::Arc;

    use super::replay;
    use crate::app::wording;
    use crate::config::{Limits, Settings, Source};

    const GRAPH: &str = "INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph [] - Job";

    #[test]
    fn logs_full_of_transitions_wait_for_each_other_and_are_read_to_their_ends_in_order() {
        const TURNS: usize = 3000;
        let dir = tempfile::tempdir().unwrap();
        // Each job is told of by all logs in turn: out of order, a transition is late.
        let mut logs = [const { String::new() }; 3];
        for step in 0..3 * TURNS {
            let (minute, second, milli) = (step / 60_000, step / 1000 % 60, step % 1000);
            let (from, to) = [("RUNNING", "RESTARTING"), ("RESTARTING", "RUNNING")][step % 2];
            writeln!(
                logs[step % 3],
                "2026-03-02 09:{minute:02}:{second:02},{milli:03} {GRAPH} a ({:032x}) switched from state {from} to {to}.",
                7
            )
            .unwrap();
        }
        for (number, text) in logs.iter().enumerate() {
            std::fs::write(dir.path().join(format!("jobmanager-{number}.log")), text).unwrap();
        }
        let settings = Settings {
            sources: vec![Source {
                paths: vec![format!("{}/*.log", dir.path().display())],
                cluster: Some("c".to_owned()),
                ..Source::default()
            }],
            ..Settings::default()
        };
        let replayed = replay(&settings, Arc::new(wording(None).unwrap())).unwrap();
        let job = replayed.fleet.jobs().next().unwrap();
        assert_eq!(job.restarts.iter().sum::<u64>(), (3 * TURNS / 2) as u64);
        assert!(job.history.iter().all(|entry| !entry.late));
    }

    #[test]
    fn more_ended_jobs_than_are_kept_do_not_hold_up_a_replay() {
        let mut log = String::new();
        for job in 1..=6_000 {
            for (from, to) in [("CREATED", "RUNNING"), ("RUNNING", "FINISHED")] {
                let at = job % 60;
                writeln!(
                    log,
                    "2026-03-02 09:00:{at:02},004 {GRAPH} a ({job:032x}) switched from state {from} to {to}."
                )
                .unwrap();
            }
        }
        let file = tempfile::Builder::new().suffix(".log").tempfile().unwrap();
        std::fs::write(file.path(), log).unwrap();
        let settings = Settings {
            sources: vec![Source {
                paths: vec![file.path().display().to_string()],
                ..Source::default()
            }],
            limits: Limits {
                entities: 100,
                ..Limits::default()
            },
            ..Settings::default()
        };
        let replayed = replay(&settings, Arc::new(wording(None).unwrap())).unwrap();
        assert_eq!(replayed.fleet.len(), 100);
        assert_eq!(replayed.fleet.counters().evicted, 5_900);
        assert_eq!(replayed.stats.sources[0].lag_bytes, 0);
    }
}
