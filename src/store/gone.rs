//! Logs whose files are gone. What is kept of them is of use should they come back, and for no longer than history is kept:
//! on a cluster every new pod is a log with a name that nothing ever has again.
//!
//! A log counts as gone only once the program was started without finding it. Until then its numbers are shown, and must not
//! begin at 0 under the eyes of whoever reads them.

use jiff::Timestamp;
use rusqlite::Connection;

use super::StoreError;
use crate::line::LogId;

/// Notes that the running program has not found these logs. One that it finds is written anew, which takes the note away.
pub(super) fn note(
    connection: &Connection,
    absent: impl Iterator<Item = LogId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut update = connection.prepare_cached("UPDATE log SET gone = ? WHERE id = ? AND gone IS NULL")?;
    for id in absent {
        update.execute((now.as_second(), id.0))?;
    }
    Ok(())
}

/// What belongs to logs that are forgotten.
const ORPHANS: [&str; 2] = [
    "DELETE FROM file_position WHERE log NOT IN (SELECT name FROM log)",
    "DELETE FROM speaker WHERE log_id NOT IN (SELECT id FROM log)",
];

/// Forgets the logs that were gone by then, and paths of which nothing failed since; gives how many.
pub(super) fn forget(connection: &Connection, before: i64) -> Result<usize, StoreError> {
    // The last one stays: no other is ever given its id, by which history names the log.
    let logs = connection.execute(
        "DELETE FROM log WHERE gone < ? AND id < (SELECT max(id) FROM log)",
        [before],
    )?;
    if logs > 0 {
        for statement in ORPHANS {
            connection.execute(statement, [])?;
        }
    }
    Ok(logs + connection.execute("DELETE FROM failure WHERE written < ?", [before])?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use jiff::Timestamp;

    use crate::line::LogId;
    use crate::model::event::{EndReason, Event, Said, Seen};
    use crate::model::{Fleet, LogContext};
    use crate::pipeline::Memory;
    use crate::stats::{Op, SourceStats};
    use crate::store::{Bounds, LogState, Progress, Store};
    use crate::tail::Position;

    const DAY: i64 = 86_400;

    fn day(number: i64) -> Timestamp {
        Timestamp::from_second(number * DAY).unwrap()
    }

    /// What a run keeps that found these logs.
    fn found(ids: &[u32]) -> Progress {
        let name = |id: u32| format!("/log/{id}.log");
        let log = |id: &u32| LogState {
            id: LogId(*id),
            numbers: SourceStats {
                name: name(*id).into(),
                read_bytes: 7,
                ..SourceStats::default()
            },
            memory: Memory::default(),
        };
        let position = |id: &u32| Position {
            log: name(*id),
            ..Position::default()
        };
        Progress {
            logs: ids.iter().map(log).collect(),
            positions: ids.iter().map(position).collect(),
            ..Progress::default()
        }
    }

    /// A word of a log's process.
    fn ending(log: LogId) -> Seen {
        let why = EndReason::Signal;
        Seen {
            log,
            offset: 0,
            at: None,
            mdc_job: None,
            carrier: None,
            said: Said::Event(Event::ProcessEnding { why }),
        }
    }

    /// The logs that a store gives, and what belongs to logs.
    fn kept(dir: &std::path::Path) -> (Vec<u32>, [usize; 3]) {
        let (_, saved, _) = Store::open(dir).unwrap();
        let progress = saved.progress;
        let ids = progress.logs.iter().map(|log| log.id.0).collect();
        let beside = [
            progress.positions.len(),
            saved.left.processes.len(),
            progress.failures.len(),
        ];
        (ids, beside)
    }

    #[test]
    fn a_log_that_is_gone_is_kept_for_as_long_as_history_and_one_that_is_there_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let mut fleet = Fleet::with_limit(10);
        for id in 1..=4 {
            let cluster = Arc::from(id.to_string());
            fleet.open_log(LogId(id), LogContext { cluster });
            fleet.apply(&ending(LogId(id)), day(0));
        }
        let mut store = Store::open(dir.path()).unwrap().0;
        let mut first = found(&[1, 2, 3, 4]);
        first.failures = [("/closed".to_owned(), [(Op::List, 1)].into())].into();
        store.commit(&mut fleet, &first, day(0)).unwrap();
        let mut run = |there: &[u32], absent: &[u32], today: i64| {
            let (mut store, saved, _) = Store::open(dir.path()).unwrap();
            let progress = Progress {
                failures: saved.progress.failures,
                ..found(there)
            };
            store.commit(&mut fleet, &progress, day(today)).unwrap();
            let bounds = Bounds {
                age: Some(Duration::from_secs(30 * 86_400)),
                bytes: u64::MAX,
            };
            let absent = || absent.iter().copied().map(LogId);
            store.tidy(bounds, absent(), day(today)).unwrap();
            kept(dir.path())
        };
        // However long a process lives, and whatever is quiet in it: gone is what the next one does not find.
        assert_eq!(run(&[1, 2], &[3, 4], 29), (vec![1, 2, 3, 4], [4, 4, 1]));
        assert_eq!(run(&[1, 2], &[3, 4], 58), (vec![1, 2, 3, 4], [4, 4, 0]));
        assert_eq!(run(&[1, 3], &[2, 4], 59), (vec![1, 2, 3, 4], [4, 4, 0]));
        assert_eq!(
            run(&[1], &[2, 3, 4], 91),
            (vec![1, 3, 4], [3, 3, 0]),
            "the last one keeps its id"
        );
    }
}
