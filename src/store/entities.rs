//! Entities that are no Flink jobs, and their history, to and from the database: alike for every kind.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::entity_rows::Kept;
use super::entries::{self, OF_OTHERS};
use super::{StoreError, is_wanted};
use crate::model::HISTORY;
use crate::model::state::State as _;

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
        let owner = (E::State::KIND, &*id.to_string());
        let numbered = (story.history_dropped..).zip(&story.history);
        let unwritten = numbered.filter(|(number, _)| *number >= from);
        let unwritten = unwritten.map(|(number, entry)| (base + number, entry));
        entries::write(connection, &OF_OTHERS, owner, &entries::stretches(unwritten), now)?;
        let shelved = Shelved {
            revision: Some(story.revision),
            base,
            entries: story.entries(),
        };
        written.push((id, shelved));
    }
    Ok(written)
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
    let select = "SELECT id, entries, row FROM entity WHERE kind = ? AND NOT evicted";
    read_some(connection, select, |_| true, HISTORY)
}

/// Every entity of one kind whose id begins so or whose name is so, with all of its history that is kept.
pub(super) fn read_stories<E: Kept>(
    connection: &Connection,
    wanted: Option<&str>,
) -> Result<Vec<E>, StoreError> {
    let select = "SELECT id, entries, row FROM entity WHERE kind = ? ORDER BY id";
    let is_wanted = |entity: &E| is_wanted(wanted, entity.name(), &entity.id().to_string());
    read_some(connection, select, is_wanted, usize::MAX)
}

fn read_some<E: Kept>(
    connection: &Connection,
    select: &str,
    is_wanted: impl Fn(&E) -> bool,
    most: usize,
) -> Result<Vec<E>, StoreError> {
    let mut select = connection.prepare(select)?;
    let mut rows = select.query([E::State::KIND])?;
    let mut entities = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let mut entity = E::from_row(&id, row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?)?;
        if !is_wanted(&entity) {
            continue;
        }
        let history = entries::read(connection, &OF_OTHERS, (E::State::KIND, &id), most)?;
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
