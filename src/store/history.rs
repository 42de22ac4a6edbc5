//! How much history is kept: by age and by size, the oldest going first. What else is kept for as long goes with it.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{StoreError, gone};
use crate::line::LogId;

/// Bounds of what is kept beyond what the program needs to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How long; none keeps it for ever.
    pub age: Option<Duration>,
    /// How large the database may be, bytes.
    pub bytes: u64,
}

/// Most stretches of history removed in one go, a page each at most, so that a commit never waits long for it.
const PART: u32 = 2_000;

/// Stretches that nothing needs, of Flink jobs and of the others: a job's last entry says that it was born.
const REMOVABLE: [&str; 2] = [
    "DELETE FROM job_stretch WHERE seq IN (SELECT s.seq FROM job_stretch s \
     LEFT JOIN job j ON j.cluster = s.cluster AND j.id = s.id \
     WHERE s.written < ?1 AND (j.id IS NULL OR j.evicted OR s.first + s.count < j.entries) ORDER BY s.written, s.seq LIMIT ?2)",
    "DELETE FROM entity_stretch WHERE seq IN (SELECT s.seq FROM entity_stretch s \
     LEFT JOIN entity j ON j.kind = s.kind AND j.id = s.id \
     WHERE s.written < ?1 AND (j.id IS NULL OR j.evicted OR s.first + s.count < j.entries) ORDER BY s.written, s.seq LIMIT ?2)",
];

/// What was evicted, and of which nothing was heard since.
const FORGETTABLE: [&str; 2] = [
    "DELETE FROM job WHERE evicted AND written < ?1",
    "DELETE FROM entity WHERE evicted AND written < ?1",
];

pub(super) fn bytes(connection: &Connection) -> Result<u64, StoreError> {
    let pages = |name: &str| connection.query_row(name, [], |row| row.get::<_, i64>(0));
    let used = pages("PRAGMA page_count")? - pages("PRAGMA freelist_count")?;
    Ok((used * pages("PRAGMA page_size")?).cast_unsigned())
}

pub(super) fn tidy(
    connection: &mut Connection,
    bounds: Bounds,
    absent: impl Iterator<Item = LogId>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let too_large = bytes(connection)? > bounds.bytes;
    let too_old = bounds
        .age
        .and_then(|age| now.checked_sub(age).ok())
        .map(Timestamp::as_second);
    let transaction = connection.transaction()?;
    gone::note(&transaction, absent, now)?;
    let mut removed = 0;
    if too_large {
        removed += remove(&transaction, i64::MAX)?;
        if removed == 0 {
            removed += forget(&transaction, now.as_second())?;
        }
    }
    if let Some(before) = too_old {
        removed += remove(&transaction, before)?;
        removed += forget(&transaction, before)?;
        // By age alone: what a log that comes back tomorrow would be read from is not given up for want of room.
        removed += gone::forget(&transaction, before)?;
    }
    transaction.commit()?;
    if removed > 0 {
        // Gives the freed pages back to the file system.
        connection.execute_batch("PRAGMA incremental_vacuum")?;
    }
    Ok(removed >= PART as usize)
}

fn remove(connection: &Connection, before: i64) -> Result<usize, StoreError> {
    let mut removed = 0;
    for statement in REMOVABLE {
        removed += connection.execute(statement, params![before, PART])?;
    }
    Ok(removed)
}

fn forget(connection: &Connection, before: i64) -> Result<usize, StoreError> {
    let mut removed = 0;
    for statement in FORGETTABLE {
        removed += connection.execute(statement, [before])?;
    }
    Ok(removed)
}
