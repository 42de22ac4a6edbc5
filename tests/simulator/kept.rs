//! What outlives a run of the program, held in memory: the double of its store, and what that is held to.

use flinktail::app::engine::Engine;
use flinktail::model::{Fleet, Left};
use flinktail::stats::SourceStats;
use flinktail::store::{LogState, Progress, Saved};
use flinktail::tail::Tailer;

use super::ledger::Mark;

/// A moment that was kept: all of it or nothing.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    pub mark: Mark,
    pub saved: Saved,
}

impl Kept {
    /// This moment, kept after that one.
    pub fn next(&self, mark: Mark, engine: &Engine, tailer: &Tailer) -> Self {
        let mut progress = without_the_moment(engine.progress(tailer));
        // A log that was not found again is remembered as it was.
        let before = self.saved.progress.logs.iter();
        let missing = before.filter(|log| progress.logs.iter().all(|known| known.id != log.id));
        let missing: Vec<LogState> = missing.cloned().collect();
        progress.logs.extend(missing);
        progress.logs.sort_by_key(|log| log.id);
        let saved = Saved {
            left: left(engine.fleet()),
            progress,
        };
        Self { mark, saved }
    }

    /// Whether this is what the store gives back.
    pub fn is(&self, found: &Saved) -> bool {
        self.saved == *found
    }
}

fn left(fleet: &Fleet) -> Left {
    Left {
        jobs: fleet.jobs().cloned().collect(),
        processes: fleet.processes().clone(),
        counters: fleet.counters().clone(),
        // The writer's logs tell of nothing else.
        ..Left::default()
    }
}

/// Of the numbers of a log, those that outlive it.
fn without_the_moment(mut progress: Progress) -> Progress {
    for LogState { numbers, memory, .. } in &mut progress.logs {
        let SourceStats {
            name,
            cluster,
            read_bytes,
            lost_bytes,
            rotations,
            errors,
            ..
        } = std::mem::take(numbers);
        *numbers = SourceStats {
            name,
            cluster,
            read_bytes,
            lost_bytes,
            rotations,
            errors,
            ..SourceStats::default()
        };
        memory.fill(numbers);
    }
    progress
}
