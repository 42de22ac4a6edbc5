//! Entries of history, to and from the database: alike for every kind of entity, in two tables.

use std::collections::VecDeque;

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};

use super::StoreError;
use crate::line::LogId;
use crate::model::state::State;
use crate::model::{Basis, Entry};

/// Where entries are kept. Their owner is told by two columns.
pub(super) struct Table {
    insert: &'static str,
    select: &'static str,
}

/// Of Flink jobs, by cluster and id.
pub(super) const OF_JOBS: Table = Table {
    insert: "INSERT OR REPLACE INTO state_entry \
             (cluster, id, number, at, from_state, to_state, basis, late, log_id, line_offset, written) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    select: "SELECT at, from_state, to_state, basis, late, log_id, line_offset FROM state_entry \
             WHERE cluster = ? AND id = ? ORDER BY number DESC LIMIT ?",
};

/// Of all others, by kind and id.
pub(super) const OF_OTHERS: Table = Table {
    insert: "INSERT OR REPLACE INTO entity_entry \
             (kind, id, number, at, from_state, to_state, basis, late, log_id, line_offset, written) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    select: "SELECT at, from_state, to_state, basis, late, log_id, line_offset FROM entity_entry \
             WHERE kind = ? AND id = ? ORDER BY number DESC LIMIT ?",
};

/// Writes an entry, the `number`th that its owner ever had.
pub(super) fn write<S: State>(
    connection: &Connection,
    table: &Table,
    owner: (&str, &str),
    number: u64,
    entry: &Entry<S>,
    now: Timestamp,
) -> Result<(), StoreError> {
    connection.prepare_cached(table.insert)?.execute(params![
        owner.0,
        owner.1,
        number.cast_signed(),
        entry.at.map(|at| at.to_string()),
        entry.from.map(State::name),
        entry.to.name(),
        entry.basis.name(),
        entry.late,
        entry.line.0.0,
        entry.line.1.cast_signed(),
        now.as_second(),
    ])?;
    Ok(())
}

/// The newest entries, at most `most`, the oldest of them first. Those in the database follow each other up to the last,
/// since only the oldest are ever removed.
pub(super) fn read<S: State>(
    connection: &Connection,
    table: &Table,
    owner: (&str, &str),
    most: usize,
) -> Result<VecDeque<Entry<S>>, StoreError> {
    let mut select = connection.prepare_cached(table.select)?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut rows = select.query(params![owner.0, owner.1, most])?;
    let mut history = VecDeque::new();
    while let Some(row) = rows.next()? {
        history.push_front(entry_of(row)?);
    }
    Ok(history)
}

fn entry_of<S: State>(row: &Row<'_>) -> Result<Entry<S>, StoreError> {
    let at: Option<String> = row.get(0)?;
    let at = at.map(|at| at.parse()).transpose();
    let at = at.map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))?;
    let from: Option<String> = row.get(1)?;
    let (to, basis): (String, String) = (row.get(2)?, row.get(3)?);
    let known = Basis::ALL.into_iter().find(|known| known.name() == basis);
    Ok(Entry {
        at,
        from: from.as_deref().map(state_named).transpose()?,
        to: state_named(&to)?,
        basis: known.ok_or_else(|| StoreError::Damaged(format!("{basis:?} is no basis")))?,
        late: row.get(4)?,
        line: (LogId(row.get(5)?), row.get::<_, i64>(6)?.cast_unsigned()),
    })
}

/// The state of this name.
pub(super) fn state_named<S: State>(name: &str) -> Result<S, StoreError> {
    S::named(name).ok_or_else(|| StoreError::Damaged(format!("no {} is in a state {name:?}", S::KIND)))
}
