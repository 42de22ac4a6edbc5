//! What failed of paths that are no logs, to and from the database: a directory that cannot be listed, a file that cannot be
//! asked after.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::StoreError;
use super::logs::{by_kind, by_name};
use crate::stats::{Counts, Op};

/// How often which operation failed, by path.
pub(super) type Failures = BTreeMap<String, Counts<Op>>;

pub(super) fn read(connection: &Connection) -> Result<Failures, StoreError> {
    let mut select = connection.prepare("SELECT path, row FROM failure")?;
    let mut rows = select.query([])?;
    let mut failures = Failures::new();
    while let Some(row) = rows.next()? {
        let counts: BTreeMap<String, u64> =
            serde_json::from_str(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?;
        failures.insert(row.get(0)?, by_kind(Op::ALL, Op::name, &counts));
    }
    Ok(failures)
}

/// Writes those that changed.
pub(super) fn write(
    connection: &Connection,
    old: &Failures,
    new: &Failures,
    now: Timestamp,
) -> Result<(), StoreError> {
    for (path, counts) in new.iter().filter(|(path, counts)| old.get(*path) != Some(counts)) {
        let row = serde_json::to_string(&by_name(counts, Op::name))?;
        connection
            .prepare_cached("INSERT OR REPLACE INTO failure (path, row, written) VALUES (?, ?, ?)")?
            .execute(params![path, row, now.as_second()])?;
    }
    Ok(())
}
