//! History, to and from the database: alike for every kind of entity, in two tables.
//!
//! Entries that are written together lie together in one row, up to a page of them: a row costs forty times what an entry
//! in it does.

use std::collections::VecDeque;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use rusqlite::{Connection, params};

use super::StoreError;
use crate::line::LogId;
use crate::model::state::State;
use crate::model::{Basis, Entry};

/// Most entries of a row: with about as many two rows fill a page of the database.
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

/// Entries that are written together.
pub(super) struct Stretch {
    /// The number of the first among all that its owner ever had.
    first: u64,
    count: u32,
    text: String,
}

/// Entries as they are written, each given with its number; none is left out between them.
pub(super) fn stretches<'e, S: State>(numbered: impl Iterator<Item = (u64, &'e Entry<S>)>) -> Vec<Stretch> {
    let mut numbered = numbered.peekable();
    let (mut stretches, mut times) = (Vec::new(), Times::default());
    while let Some((first, _)) = numbered.peek().copied() {
        let (mut count, mut text) = (0, String::new());
        for (_, entry) in numbered.by_ref().take(STRETCH) {
            text.push(if count == 0 { '[' } else { ',' });
            render(entry, &mut times, &mut text);
            count += 1;
        }
        text.push(']');
        stretches.push(Stretch { first, count, text });
    }
    stretches
}

/// Writes what an entity entered.
pub(super) fn write(
    connection: &Connection,
    table: &Table,
    owner: (&str, &str),
    stretches: &[Stretch],
    now: Timestamp,
) -> Result<(), StoreError> {
    for Stretch { first, count, text } in stretches {
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

/// Appends an entry as [`EntryRow`] is read. By hand, since a log full of transitions is as many entries, and its words need
/// no escapes.
fn render<S: State>(entry: &Entry<S>, times: &mut Times, text: &mut String) {
    text.push('[');
    if let Some(at) = entry.at {
        text.push('"');
        times.render(at, text);
        text.push_str("\",");
    } else {
        text.push_str("null,");
    }
    let (from, quote) = entry.from.map_or(("null", ""), |from| (from.name(), "\""));
    let (to, basis) = (entry.to.name(), entry.basis.name());
    for part in [quote, from, quote, ",\"", to, "\",\"", basis, "\","] {
        text.push_str(part);
    }
    let (log, offset) = entry.line;
    text.push_str(if entry.late { "1," } else { "0," });
    push_number(text, u64::from(log.0));
    text.push(',');
    push_number(text, offset);
    text.push(']');
}

/// Writes times as jiff does, which takes 600 instructions each (callgrind). The dates of an entity's history repeat: they are
/// made once for each day.
#[derive(Default)]
struct Times {
    /// Days since the epoch, and the date with the `T` behind it.
    day: Option<(u64, String)>,
}

impl Times {
    fn render(&mut self, at: Timestamp, text: &mut String) {
        const PRINTER: DateTimePrinter = DateTimePrinter::new();
        const DAY: u64 = 24 * 60 * 60;
        let (Ok(second), Ok(nanos)) = (
            u64::try_from(at.as_second()),
            u64::try_from(at.subsec_nanosecond()),
        ) else {
            // Before 1970. Nothing is out of a string's reach.
            let _whole = PRINTER.print_timestamp(&at, text);
            return;
        };
        let (day, second) = (second / DAY, second % DAY);
        let (_, date) = match &mut self.day {
            Some(known) if known.0 == day => known,
            known => {
                let mut date = String::new();
                let _whole = PRINTER.print_timestamp(&at, &mut date);
                date.truncate("2026-11-21T".len());
                known.insert((day, date))
            }
        };
        let mut time = *b"00:00:00.000000000";
        fill(&mut time[0..2], second / 3600);
        fill(&mut time[3..5], second / 60 % 60);
        fill(&mut time[6..8], second % 60);
        fill(&mut time[9..], nanos);
        let zeros = time.iter().rev().take_while(|digit| **digit == b'0').count();
        let end = if nanos == 0 { 8 } else { time.len() - zeros };
        text.push_str(date);
        push_ascii(text, &time[..end]);
        text.push('Z');
    }
}

fn push_number(text: &mut String, number: u64) {
    let mut digits = [0; 20];
    let len = number.checked_ilog10().map_or(1, |log| log as usize + 1);
    fill(&mut digits[..len], number);
    push_ascii(text, &digits[..len]);
}

/// Writes the last digits of a number, as many as there is room for.
fn fill(room: &mut [u8], mut number: u64) {
    for digit in room.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Appends them at once: one by one each costs as much as making it.
fn push_ascii(text: &mut String, ascii: &[u8]) {
    text.push_str(str::from_utf8(ascii).unwrap_or_default());
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

#[cfg(test)]
mod tests {
    use super::{Times, Timestamp, push_number};

    #[test]
    fn times_are_written_as_they_are_shown() {
        let mut times = Times::default();
        for at in [
            Timestamp::MIN,
            Timestamp::MAX,
            Timestamp::UNIX_EPOCH,
            "1969-12-31T23:59:59.5Z".parse().unwrap(),
            "2026-11-21T00:00:00Z".parse().unwrap(),
            "2026-11-21T10:20:30.007Z".parse().unwrap(),
            "2026-11-21T23:59:59.999999999Z".parse().unwrap(),
            "2026-11-22T01:02:03.1Z".parse().unwrap(),
            "2024-02-29T20:00:00.00000001Z".parse().unwrap(),
        ] {
            let mut text = String::new();
            times.render(at, &mut text);
            assert_eq!(text, at.to_string());
        }
    }

    #[test]
    fn numbers_are_written_whole() {
        for number in [0, 7, 10, 1_009, u64::MAX] {
            let mut text = String::new();
            push_number(&mut text, number);
            assert_eq!(text, number.to_string());
        }
    }
}
