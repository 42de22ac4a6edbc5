//! History, to and from the database: alike for every kind of entity, in two tables.
//!
//! Entries that are written together lie together in one row, up to a page of them: a row costs forty times what an entry
//! in it does.

use std::collections::VecDeque;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use rusqlite::{Connection, params};

use super::StoreError;
use crate::line::LogId;
use crate::model::state::State;
use crate::model::{Basis, Entry};

/// Most entries of a row: about as many as fit a page of the database.
const STRETCH: usize = 48;

/// Where history is kept. Its owner is told by two columns.
pub(super) struct Table {
    insert: &'static str,
    select: &'static str,
}

/// Of Flink jobs, by cluster and id.
pub(super) const OF_JOBS: Table = Table {
    insert: "INSERT OR REPLACE INTO job_stretch (cluster, id, first, count, written, entries) VALUES (?, ?, ?, ?, ?, ?)",
    select: "SELECT entries FROM job_stretch WHERE cluster = ? AND id = ? ORDER BY first DESC",
};

/// Of all others, by kind and id.
pub(super) const OF_OTHERS: Table = Table {
    insert: "INSERT OR REPLACE INTO entity_stretch (kind, id, first, count, written, entries) VALUES (?, ?, ?, ?, ?, ?)",
    select: "SELECT entries FROM entity_stretch WHERE kind = ? AND id = ? ORDER BY first DESC",
};

/// An entry as it is written: when, state left and entered, basis, whether late (0 or 1), log, offset of the line.
type EntryRow<'a> = (Option<Timestamp>, Option<&'a str>, &'a str, &'a str, u8, u32, u64);

/// Writes entries, each with its number among all that its owner ever had; none is left out between them.
pub(super) fn write<'e, S: State>(
    connection: &Connection,
    table: &Table,
    owner: (&str, &str),
    numbered: impl Iterator<Item = (u64, &'e Entry<S>)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut numbered = numbered.peekable();
    let mut text = String::new();
    while let Some((first, _)) = numbered.peek().copied() {
        let mut count = 0;
        text.clear();
        for (_, entry) in numbered.by_ref().take(STRETCH) {
            text.push(if count == 0 { '[' } else { ',' });
            render(entry, &mut text);
            count += 1;
        }
        text.push(']');
        let (first, written) = (first.cast_signed(), now.as_second());
        let row = params![owner.0, owner.1, first, count, written, text];
        connection.prepare_cached(table.insert)?.execute(row)?;
    }
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
    let mut stretches = select.query(params![owner.0, owner.1])?;
    let mut history = VecDeque::new();
    while history.len() < most
        && let Some(stretch) = stretches.next()?
    {
        let text = stretch.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        let rows: Vec<EntryRow<'_>> = serde_json::from_str(text)?;
        for row in rows.into_iter().rev().take(most - history.len()) {
            history.push_front(entry_of(row)?);
        }
    }
    Ok(history)
}

/// Appends an entry as [`EntryRow`] is read. By hand, since a log full of transitions is as many entries: its words need no
/// escapes, and its time costs 600 instructions in place of 1,160 through serde (callgrind).
fn render<S: State>(entry: &Entry<S>, text: &mut String) {
    const TIMES: DateTimePrinter = DateTimePrinter::new();
    text.push('[');
    if let Some(at) = entry.at {
        text.push('"');
        // Nothing is out of a string's reach.
        let _whole = TIMES.print_timestamp(&at, &mut *text);
        text.push_str("\",");
    } else {
        text.push_str("null,");
    }
    let (from, quote) = entry.from.map_or(("null", ""), |from| (from.name(), "\""));
    let (to, basis) = (entry.to.name(), entry.basis.name());
    for part in [quote, from, quote, ",\"", to, "\",\"", basis, "\","] {
        text.push_str(part);
    }
    let (late, (log, offset)) = (u8::from(entry.late), entry.line);
    let _whole = write!(text, "{late},{},{offset}]", log.0);
}

fn entry_of<S: State>(row: EntryRow<'_>) -> Result<Entry<S>, StoreError> {
    let (at, from, to, basis, late, log, line_offset) = row;
    let known = Basis::ALL.into_iter().find(|known| known.name() == basis);
    Ok(Entry {
        at,
        from: from.map(state_named).transpose()?,
        to: state_named(to)?,
        basis: known.ok_or_else(|| StoreError::Damaged(format!("{basis:?} is no basis")))?,
        late: late != 0,
        line: (LogId(log), line_offset),
    })
}

/// The state of this name.
pub(super) fn state_named<S: State>(name: &str) -> Result<S, StoreError> {
    S::named(name).ok_or_else(|| StoreError::Damaged(format!("no {} is in a state {name:?}", S::KIND)))
}
