//! Entities that are no Flink jobs, and their history, to and from the database: alike for every kind.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::StoreError;
use super::entity_rows::Kept;
use crate::line::LogId;
use crate::model::state::State;
use crate::model::{Basis, Entry, HISTORY};

/// What of one kind of entity is written, by id.
pub(super) type Shelf<K> = HashMap<K, Shelved>;

/// What of one entity is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shelved {
    /// None where all of it is to be written anew.
    pub(super) revision: Option<u64>,
    /// Entries that it had in an earlier life, before it was evicted.
    base: u64,
    /// Entries written of this life.
    entries: u64,
}

/// The state of this name.
pub(super) fn state_named<S: State>(name: &str) -> Result<S, StoreError> {
    S::named(name).ok_or_else(|| StoreError::Damaged(format!("no {} is in a state {name:?}", S::KIND)))
}

/// Writes the entities of one kind that changed; gives what is to be remembered once that is committed.
pub(super) fn write<'e, E: Kept + 'e>(
    connection: &Connection,
    shelf: &Shelf<E::Id>,
    entities: impl Iterator<Item = &'e E>,
    now: Timestamp,
) -> Result<Vec<(E::Id, Shelved)>, StoreError> {
    let mut written = Vec::new();
    for entity in entities {
        let id = entity.id();
        let story = entity.story();
        let known = shelf.get(&id);
        if known.is_some_and(|known| known.revision == Some(story.revision)) {
            continue;
        }
        let (base, from) = match known {
            Some(known) => (known.base, known.entries),
            None => (entries_of::<E>(connection, &id)?, 0),
        };
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO entity (kind, id, entries, evicted, written, row) VALUES (?, ?, ?, 0, ?, ?)",
            )?
            .execute(params![
                E::State::KIND,
                id.to_string(),
                (base + story.entries()).cast_signed(),
                now.as_second(),
                entity.row()?,
            ])?;
        let numbered = (story.history_dropped..).zip(&story.history);
        for (number, entry) in numbered.filter(|(number, _)| *number >= from) {
            write_entry::<E>(connection, &id, base + number, entry, now)?;
        }
        let shelved = Shelved {
            revision: Some(story.revision),
            base,
            entries: story.entries(),
        };
        written.push((id, shelved));
    }
    Ok(written)
}

fn write_entry<E: Kept>(
    connection: &Connection,
    id: &E::Id,
    number: u64,
    entry: &Entry<E::State>,
    now: Timestamp,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO entity_entry \
             (kind, id, number, at, from_state, to_state, basis, late, log_id, line_offset, written) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            E::State::KIND,
            id.to_string(),
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

/// Entries that an entity had before it was evicted.
fn entries_of<E: Kept>(connection: &Connection, id: &E::Id) -> Result<u64, StoreError> {
    let found: Option<i64> = connection
        .prepare_cached("SELECT entries FROM entity WHERE kind = ? AND id = ?")?
        .query_row(params![E::State::KIND, id.to_string()], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(0).cast_unsigned())
}

/// Marks the entities of one kind that the program has forgotten; gives their ids.
pub(super) fn write_evicted<E: Kept>(
    connection: &Connection,
    shelf: &Shelf<E::Id>,
    is_known: impl Fn(&E::Id) -> bool,
) -> Result<Vec<E::Id>, StoreError> {
    let gone: Vec<E::Id> = shelf.keys().filter(|id| !is_known(id)).cloned().collect();
    let mut update = connection.prepare_cached("UPDATE entity SET evicted = 1 WHERE kind = ? AND id = ?")?;
    for id in &gone {
        update.execute(params![E::State::KIND, id.to_string()])?;
    }
    Ok(gone)
}

/// Every entity of one kind that was not evicted, with the newest of its history.
pub(super) fn read<E: Kept>(connection: &Connection) -> Result<Vec<E>, StoreError> {
    let mut select =
        connection.prepare("SELECT id, entries, row FROM entity WHERE kind = ? AND NOT evicted")?;
    let mut rows = select.query([E::State::KIND])?;
    let mut entities = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let mut entity = E::from_row(&id, row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?)?;
        let history = read_history::<E::State>(connection, &id)?;
        let entries: u64 = row.get::<_, i64>(1)?.cast_unsigned();
        let story = entity.story_mut();
        story.history_dropped = entries.saturating_sub(history.len() as u64);
        story.history = history;
        entities.push(entity);
    }
    Ok(entities)
}

/// What is written of entities just read.
pub(super) fn shelf<E: Kept>(entities: &[E]) -> Shelf<E::Id> {
    let shelved = |entity: &E| {
        let story = entity.story();
        let shelved = Shelved {
            revision: Some(story.revision),
            base: 0,
            entries: story.entries(),
        };
        (entity.id(), shelved)
    };
    entities.iter().map(shelved).collect()
}

fn read_history<S: State>(connection: &Connection, id: &str) -> Result<VecDeque<Entry<S>>, StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT at, from_state, to_state, basis, late, log_id, line_offset FROM entity_entry \
         WHERE kind = ? AND id = ? ORDER BY number DESC LIMIT ?",
    )?;
    let most = i64::try_from(HISTORY).unwrap_or(i64::MAX);
    let mut rows = select.query(params![S::KIND, id, most])?;
    let mut history = VecDeque::new();
    while let Some(row) = rows.next()? {
        history.push_front(entry_of(row)?);
    }
    Ok(history)
}

/// An entry from the columns that both tables of entries have, in the order of [`read_history`].
pub(super) fn entry_of<S: State>(row: &Row<'_>) -> Result<Entry<S>, StoreError> {
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
