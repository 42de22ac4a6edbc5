//! Jobs and their history, to and from the database.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::entries::{self, OF_JOBS, Stretch};
use super::rows::JobRow;
use super::{Key, StoreError, Written, is_wanted};
use crate::line::JobId;
use crate::model::{HISTORY, Job};

/// What is written of a job.
pub(super) struct Text {
    row: String,
    history: Vec<Stretch>,
}

impl Text {
    /// With the entries of its history from number `from` on.
    pub(super) fn of(job: &Job, from: u64) -> Result<Self, StoreError> {
        let numbered = (job.history_dropped..).zip(&job.history);
        let unwritten = numbered.filter(|(number, _)| *number >= from);
        Ok(Self {
            row: serde_json::to_string(&JobRow::of(job))?,
            history: entries::stretches(unwritten),
        })
    }
}

/// Writes a job.
pub(super) fn write(
    connection: &Connection,
    job: &Job,
    text: &Text,
    evicted: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = job.id.to_string();
    connection
        .prepare_cached("INSERT OR REPLACE INTO job (cluster, id, entries, evicted, written, row) VALUES (?, ?, ?, ?, ?, ?)")?
        .execute(params![
            &*job.cluster,
            id,
            job.entries().cast_signed(),
            evicted,
            now.as_second(),
            text.row,
        ])?;
    entries::write(connection, &OF_JOBS, (&job.cluster, &id), &text.history, now)
}

/// Writes a job that the fleet has forgotten. One that came and went between two commits may have been here before.
pub(super) fn write_evicted(
    connection: &Connection,
    known: &HashMap<Key, Written>,
    job: &Job,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut job = job.clone();
    let from = match known.get(&(Arc::clone(&job.cluster), job.id)) {
        Some(known) => known.entries,
        None => match read_evicted(connection, &job.cluster, job.id)? {
            Some(before) => {
                job.take_up(&before);
                before.entries()
            }
            None => 0,
        },
    };
    write(connection, &job, &Text::of(&job, from)?, true, now)
}

/// Whether there is any job that was evicted.
pub(super) fn any_evicted(connection: &Connection) -> Result<bool, StoreError> {
    Ok(
        connection.query_row("SELECT EXISTS (SELECT 1 FROM job WHERE evicted)", [], |row| {
            row.get(0)
        })?,
    )
}

/// A job that was evicted, without its entries of history, which count as dropped.
pub(super) fn read_evicted(
    connection: &Connection,
    cluster: &str,
    id: JobId,
) -> Result<Option<Job>, StoreError> {
    let found = connection
        .prepare_cached("SELECT cluster, id, entries, row FROM job WHERE cluster = ? AND id = ? AND evicted")?
        .query_row(params![cluster, id.to_string()], |row| Ok(job_of(row)))
        .optional()?;
    found.transpose()
}

/// Every job that was not evicted, with the newest of its history.
pub(super) fn read(connection: &Connection) -> Result<Vec<Job>, StoreError> {
    let mut select = connection.prepare("SELECT cluster, id, entries, row FROM job WHERE NOT evicted")?;
    let mut rows = select.query([])?;
    let mut jobs = Vec::new();
    while let Some(row) = rows.next()? {
        let mut job = job_of(row)?;
        read_history(connection, &mut job, HISTORY)?;
        jobs.push(job);
    }
    Ok(jobs)
}

/// Every job whose id begins so or whose name is so, with all of its history that is kept.
pub(super) fn read_stories(connection: &Connection, wanted: Option<&str>) -> Result<Vec<Job>, StoreError> {
    let mut select = connection.prepare("SELECT cluster, id, entries, row FROM job ORDER BY cluster, id")?;
    let mut rows = select.query([])?;
    let mut jobs = Vec::new();
    while let Some(row) = rows.next()? {
        let mut job = job_of(row)?;
        if is_wanted(wanted, job.name.as_deref(), &job.id.to_string()) {
            read_history(connection, &mut job, usize::MAX)?;
            jobs.push(job);
        }
    }
    Ok(jobs)
}

fn job_of(row: &Row<'_>) -> Result<Job, StoreError> {
    let (cluster, id): (String, String) = (row.get(0)?, row.get(1)?);
    let id =
        JobId::parse(id.as_bytes()).ok_or_else(|| StoreError::Damaged(format!("{id:?} is no job's id")))?;
    let kept: JobRow<'_> = serde_json::from_str(row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?)?;
    let mut job = kept.job(Arc::from(cluster), id)?;
    job.history_dropped = row.get::<_, i64>(2)?.cast_unsigned();
    Ok(job)
}

/// Takes at most `most` entries into a job whose entries all count as dropped.
fn read_history(connection: &Connection, job: &mut Job, most: usize) -> Result<(), StoreError> {
    job.history = entries::read(connection, &OF_JOBS, (&job.cluster, &job.id.to_string()), most)?;
    job.history_dropped = job.history_dropped.saturating_sub(job.history.len() as u64);
    Ok(())
}
