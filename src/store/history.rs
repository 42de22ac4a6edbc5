//! How much history is kept: by age and by size, the oldest going first.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::StoreError;

/// Bounds of what is kept beyond what the program needs to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How long; none keeps it for ever.
    pub age: Option<Duration>,
    /// How large the database may be, bytes.
    pub bytes: u64,
}

/// Most entries removed in one go, so that a commit never waits long for it.
const PART: u32 = 10_000;

/// Entries that nothing needs, of Flink jobs and of the others: a job's last one says that it was born.
const REMOVABLE: [&str; 2] = [
    "DELETE FROM state_entry WHERE seq IN (SELECT e.seq FROM state_entry e \
     LEFT JOIN job j ON j.cluster = e.cluster AND j.id = e.id \
     WHERE e.written < ?1 AND (j.id IS NULL OR j.evicted OR e.number + 1 < j.entries) ORDER BY e.written, e.seq LIMIT ?2)",
    "DELETE FROM entity_entry WHERE seq IN (SELECT e.seq FROM entity_entry e \
     LEFT JOIN entity j ON j.kind = e.kind AND j.id = e.id \
     WHERE e.written < ?1 AND (j.id IS NULL OR j.evicted OR e.number + 1 < j.entries) ORDER BY e.written, e.seq LIMIT ?2)",
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

pub(super) fn tidy(connection: &mut Connection, bounds: Bounds, now: Timestamp) -> Result<bool, StoreError> {
    let too_large = bytes(connection)? > bounds.bytes;
    let too_old = bounds
        .age
        .and_then(|age| now.checked_sub(age).ok())
        .map(Timestamp::as_second);
    let transaction = connection.transaction()?;
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
