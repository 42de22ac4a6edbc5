//! Logs, positions, processes and counters, to and from the database.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::rows::ProcessRow;
use super::{LogState, Progress, StoreError};
use crate::line::LogId;
use crate::model::flink_deployment::DeploymentState;
use crate::model::flink_job::JobState;
use crate::model::kda_application::ApplicationState;
use crate::model::state::State;
use crate::model::vvp_job::PlatformJobState;
use crate::model::{Counters, Process, Processes, Speaker};
use crate::pipeline::Memory;
use crate::stats::{Counts, Lost, Op, Rotation, SourceStats};
use crate::tail::Position;
use crate::tail::birth::Birth;
use crate::tail::identity::{FileId, Head, Place};
use crate::tail::marks::Marks;

/// A log's numbers, by the names of their labels, and what its decoder remembers.
#[derive(Debug, Serialize, Deserialize)]
struct LogRow {
    cluster: String,
    read_bytes: u64,
    lost_bytes: BTreeMap<String, u64>,
    rotations: BTreeMap<String, u64>,
    errors: BTreeMap<String, u64>,
    decoder: Memory,
}

/// Numbers under the names of their kinds.
pub(super) fn by_name<K: Copy>(
    numbers: &BTreeMap<K, u64>,
    name: impl Fn(K) -> &'static str,
) -> BTreeMap<String, u64> {
    numbers
        .iter()
        .map(|(kind, count)| (name(*kind).to_owned(), *count))
        .collect()
}

/// And back: of the kinds that there are.
pub(super) fn by_kind<K: Copy + Ord, const N: usize>(
    kinds: [K; N],
    name: impl Fn(K) -> &'static str,
    numbers: &BTreeMap<String, u64>,
) -> Counts<K> {
    kinds
        .into_iter()
        .filter_map(|kind| Some((kind, *numbers.get(name(kind))?)))
        .collect()
}

pub(super) fn read(connection: &Connection) -> Result<Vec<LogState>, StoreError> {
    let mut select = connection.prepare("SELECT id, name, row, carry FROM log")?;
    let mut rows = select.query([])?;
    let mut logs = Vec::new();
    while let Some(row) = rows.next()? {
        let text: String = row.get(2)?;
        let LogRow {
            cluster,
            read_bytes,
            lost_bytes,
            rotations,
            errors,
            mut decoder,
        } = serde_json::from_str(&text)?;
        decoder.carry = row.get(3)?;
        let mut numbers = SourceStats {
            name: row.get::<_, String>(1)?.into(),
            cluster: cluster.into(),
            read_bytes,
            lost_bytes: by_kind(Lost::ALL, Lost::name, &lost_bytes),
            rotations: by_kind(Rotation::ALL, Rotation::name, &rotations),
            errors: by_kind(Op::ALL, Op::name, &errors),
            ..SourceStats::default()
        };
        decoder.fill(&mut numbers);
        logs.push(LogState {
            id: LogId(row.get(0)?),
            numbers,
            memory: decoder,
        });
    }
    Ok(logs)
}

/// What of each log is written, as a hash of 64 bits: thousands of logs are compared without a copy of each.
pub(super) type Written = HashMap<LogId, u64>;

/// Writes those of the logs given that changed, each with its positions; gives what is to be remembered once that is
/// committed. Logs not given stay as they are, those that are not there any more among them: they may come back.
pub(super) fn write(
    connection: &Connection,
    written: &Written,
    progress: &Progress,
    more: &mut dyn Iterator<Item = (LogState, Vec<Position>)>,
) -> Result<Written, StoreError> {
    let mut changed = Written::new();
    let mut write = |log: &LogState, places: &[&Position]| -> Result<(), StoreError> {
        changed.extend(write_log(connection, written.get(&log.id), log, places)?);
        Ok(())
    };
    let mut positions = by_log(&progress.positions);
    for log in &progress.logs {
        let places = positions.remove(&*log.numbers.name).unwrap_or_default();
        write(log, &places)?;
    }
    for (log, places) in more {
        write(&log, &places.iter().collect::<Vec<_>>())?;
    }
    // Of logs that were not found again.
    for (name, places) in positions {
        write_positions(connection, name, &places)?;
    }
    Ok(changed)
}

/// Writes a log unless it is written as it is; what is to be remembered of it then.
fn write_log(
    connection: &Connection,
    written: Option<&u64>,
    LogState { id, numbers, memory }: &LogState,
    places: &[&Position],
) -> Result<Option<(LogId, u64)>, StoreError> {
    let row = LogRow {
        cluster: numbers.cluster.to_string(),
        read_bytes: numbers.read_bytes,
        lost_bytes: by_name(&numbers.lost_bytes, Lost::name),
        rotations: by_name(&numbers.rotations, Rotation::name),
        errors: by_name(&numbers.errors, Op::name),
        decoder: memory.clone(),
    };
    let text = serde_json::to_string(&row)?;
    let mut hasher = DefaultHasher::new();
    (&numbers.name, &text, &memory.carry, places).hash(&mut hasher);
    let hash = hasher.finish();
    if written == Some(&hash) {
        return Ok(None);
    }
    connection
        .prepare_cached("INSERT OR REPLACE INTO log (id, name, row, carry) VALUES (?, ?, ?, ?)")?
        .execute(params![id.0, &*numbers.name, text, memory.carry])?;
    write_positions(connection, &numbers.name, places)?;
    Ok(Some((*id, hash)))
}

pub(super) fn read_positions(connection: &Connection) -> Result<Vec<Position>, StoreError> {
    let mut select = connection.prepare(
        "SELECT log, dev, ino, byte_offset, head_len, head_hash, anchor, size, done, marks, mtime, born \
         FROM file_position ORDER BY log, place",
    )?;
    let rows = select.query_map([], |row| {
        let number = |column: usize| row.get::<_, i64>(column).map(i64::cast_unsigned);
        Ok(Position {
            log: row.get(0)?,
            id: FileId {
                dev: number(1)?,
                ino: number(2)?,
            },
            born: Birth::of_nanoseconds(row.get(11)?),
            place: Place {
                offset: number(3)?,
                head: Head {
                    len: number(4)?,
                    hash: number(5)?,
                },
                anchor: row.get(6)?,
                marks: Marks::of_bytes(row.get_ref(9)?.as_blob()?),
            },
            size: number(7)?,
            written: at(row.get(10)?),
            done: row.get(8)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A time of the file system as the database has it: nanoseconds since 1970, from 1678 to 2261.
fn nanoseconds(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or_default()
}

fn at(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(nanoseconds.into()).unwrap_or_default()
}

/// Writes the positions of a log, in their order.
fn write_positions(connection: &Connection, name: &str, positions: &[&Position]) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM file_position WHERE log = ?")?
        .execute([name])?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO file_position (log, place, dev, ino, byte_offset, head_len, head_hash, anchor, size, done, marks, mtime, born) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    for (place, position) in positions.iter().enumerate() {
        insert.execute(params![
            name,
            i64::try_from(place).unwrap_or(i64::MAX),
            position.id.dev.cast_signed(),
            position.id.ino.cast_signed(),
            position.place.offset.cast_signed(),
            position.place.head.len.cast_signed(),
            position.place.head.hash.cast_signed(),
            position.place.anchor,
            position.size.cast_signed(),
            position.done,
            position.place.marks.to_bytes(),
            nanoseconds(position.written),
            position.born.nanoseconds(),
        ])?;
    }
    Ok(())
}

fn by_log(positions: &[Position]) -> BTreeMap<&str, Vec<&Position>> {
    let mut by_log: BTreeMap<&str, Vec<&Position>> = BTreeMap::new();
    for position in positions {
        by_log.entry(&position.log).or_default().push(position);
    }
    by_log
}

pub(super) fn read_processes(connection: &Connection) -> Result<Processes, StoreError> {
    let mut select = connection.prepare("SELECT log_id, cluster, row FROM speaker")?;
    let mut rows = select.query([])?;
    let mut processes = Processes::new();
    while let Some(row) = rows.next()? {
        let (log, cluster, text): (u32, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let kept: ProcessRow = serde_json::from_str(&text)?;
        processes.insert((LogId(log), Arc::from(cluster)), Arc::new(kept.process()?));
    }
    Ok(processes)
}

pub(super) fn write_processes(
    connection: &Connection,
    old: &Processes,
    new: &Processes,
) -> Result<(), StoreError> {
    let mut insert = connection
        .prepare_cached("INSERT OR REPLACE INTO speaker (log_id, cluster, row) VALUES (?, ?, ?)")?;
    // What nobody touched since is the very same.
    let is_same = |old: &Arc<Process>, new: &Arc<Process>| Arc::ptr_eq(old, new) || old == new;
    let changed = |(speaker, process): &(&Speaker, &Arc<Process>)| {
        old.get(speaker).is_none_or(|old| !is_same(old, process))
    };
    for (speaker, process) in new.iter().filter(changed) {
        let row = serde_json::to_string(&ProcessRow::of(process))?;
        insert.execute(params![speaker.0.0, &*speaker.1, row])?;
    }
    Ok(())
}

/// The kind under which a counter of states entered is kept, and what it counts.
fn entered(model: &Counters) -> [(&'static str, Vec<&'static str>, &[u64]); 4] {
    fn names<S: State>() -> Vec<&'static str> {
        S::ALL.iter().map(|state| state.name()).collect()
    }
    [
        ("entered", names::<JobState>(), &model.entered),
        (
            "entered_kda_application",
            names::<ApplicationState>(),
            &model.applications_entered,
        ),
        (
            "entered_vvp_job",
            names::<PlatformJobState>(),
            &model.platform_jobs_entered,
        ),
        (
            "entered_flink_deployment",
            names::<DeploymentState>(),
            &model.deployments_entered,
        ),
    ]
}

/// The counters as last written.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) model: Counters,
    pub(super) rule_matches: BTreeMap<String, u64>,
    pub(super) unknown_states: u64,
    pub(super) unpublished: bool,
}

/// Every counter under its kind and name.
fn counters<'a>(
    model: &'a Counters,
    rule_matches: &'a BTreeMap<String, u64>,
    unknown_states: u64,
    unpublished: bool,
) -> BTreeMap<(&'static str, &'a str), u64> {
    let states = entered(model).into_iter().flat_map(|(kind, names, counts)| {
        let named = names.into_iter().zip(counts);
        named.map(move |(name, count)| ((kind, name), *count))
    });
    let program = [
        ("unexpected_transitions", model.unexpected_transitions),
        ("late_events", model.late_events),
        ("evicted", model.evicted),
        ("dropped", model.dropped),
        ("unknown_states", unknown_states),
        ("unpublished", unpublished.into()),
    ];
    states
        .chain(
            rule_matches
                .iter()
                .map(|(id, count)| (("rule", id.as_str()), *count)),
        )
        .chain(program.map(|(name, count)| (("program", name), count)))
        .collect()
}

pub(super) fn read_counters(connection: &Connection) -> Result<Counted, StoreError> {
    let mut select = connection.prepare("SELECT kind, name, value FROM counter")?;
    let rows = select.query_map([], |row| {
        let key: (String, String) = (row.get(0)?, row.get(1)?);
        Ok((key, row.get::<_, i64>(2)?.cast_unsigned()))
    })?;
    let kept: BTreeMap<(String, String), u64> = rows.collect::<Result<_, _>>()?;
    let value = |kind: &str, name: &str| {
        let key = (kind.to_owned(), name.to_owned());
        kept.get(&key).copied().unwrap_or(0)
    };
    let mut model = Counters {
        unexpected_transitions: value("program", "unexpected_transitions"),
        late_events: value("program", "late_events"),
        evicted: value("program", "evicted"),
        dropped: value("program", "dropped"),
        ..Counters::default()
    };
    read_entered::<JobState>(&mut model.entered, |name| value("entered", name));
    read_entered::<ApplicationState>(&mut model.applications_entered, |name| {
        value("entered_kda_application", name)
    });
    read_entered::<PlatformJobState>(&mut model.platform_jobs_entered, |name| {
        value("entered_vvp_job", name)
    });
    read_entered::<DeploymentState>(&mut model.deployments_entered, |name| {
        value("entered_flink_deployment", name)
    });
    let unknown_states = value("program", "unknown_states");
    let unpublished = value("program", "unpublished") > 0;
    let rules = kept.into_iter().filter(|((kind, _), _)| kind == "rule");
    Ok(Counted {
        model,
        rule_matches: rules.map(|((_, id), count)| (id, count)).collect(),
        unknown_states,
        unpublished,
    })
}

fn read_entered<S: State>(counts: &mut [u64], value: impl Fn(&str) -> u64) {
    for (count, state) in counts.iter_mut().zip(S::ALL) {
        *count = value(state.name());
    }
}

/// Writes the counters that changed.
pub(super) fn write_counters(
    connection: &Connection,
    old: &Counted,
    model: &Counters,
    progress: &Progress,
) -> Result<(), StoreError> {
    let old = counters(&old.model, &old.rule_matches, old.unknown_states, old.unpublished);
    let (rule_matches, unknown_states) = (&progress.rule_matches, progress.unknown_states);
    let new = counters(model, rule_matches, unknown_states, progress.unpublished);
    let mut insert =
        connection.prepare_cached("INSERT OR REPLACE INTO counter (kind, name, value) VALUES (?, ?, ?)")?;
    for ((kind, name), count) in new.iter().filter(|(key, count)| old.get(key) != Some(count)) {
        insert.execute(params![kind, name, count.cast_signed()])?;
    }
    Ok(())
}
