//! Reads logs to their end: one log at a time in pieces, the logs of a cluster merged by time.

use std::sync::Arc;
use std::time::Instant;

use super::engine::{self, Engine};
use super::{AppError, classifier, sources};
use crate::cli::progress::Progress;
use crate::config::Settings;
use crate::model::Fleet;
use crate::observe;
use crate::pipeline::Wording;
use crate::stats::{Backlog, ProgramStats};
use crate::tail::{self, Chunk, LogReader, Tailer};

/// What a replay found.
#[derive(Debug)]
pub struct Replayed {
    /// The jobs.
    pub fleet: Fleet,
    /// What was read, and how.
    pub stats: ProgramStats,
    /// What people should know: left out, damaged, or unable to show transitions.
    pub notices: Vec<String>,
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
    let mut engine = Engine::new(wording, beside, settings.limits.entities);
    engine.set_now(now);
    for reader in &readers {
        engine.open(reader.id(), reader.info());
    }
    read_all(&mut engine, &mut readers, backlog);
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
    let mut notices: Vec<String> = notices.iter().map(ToString::to_string).collect();
    let blind = engine.take_blind().into_iter();
    notices.extend(blind.map(|(name, blind)| format!("{name}: {}", engine::advice(blind))));
    Ok(Replayed {
        fleet: engine.into_fleet(),
        stats,
        notices,
    })
}

/// Reads in turn from every log that the merge can use more of.
fn read_all(engine: &mut Engine, readers: &mut [LogReader], mut backlog: Backlog) {
    let (mut buffer, mut progress, began) = (Vec::new(), Progress::new(), Instant::now());
    let mut open: Vec<usize> = (0..readers.len()).collect();
    while !open.is_empty() {
        open.retain(|index| {
            let reader = &mut readers[*index];
            let log = reader.id();
            if !engine.wants(log) {
                return true;
            }
            let chunk = reader.next_chunk(&mut buffer);
            match chunk {
                Some(Chunk::Bytes(read)) => {
                    backlog.read_bytes += read.bytes.len() as u64;
                    engine.bytes(log, &read);
                }
                Some(Chunk::FileEnd) => {
                    backlog.read_files += 1;
                    engine.file_end(log);
                }
                None => engine.finish(log),
            }
            progress.show(&backlog, began.elapsed());
            chunk.is_some()
        });
    }
}
