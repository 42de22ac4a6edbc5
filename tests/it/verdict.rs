//! What it means that an answer of `replay --json` agrees with Flink's own REST API.
//!
//! A job agrees when all of this holds:
//! * its name is REST's;
//! * it went through the same states, [`STARTING`] ones left out on both sides. After the end of its JobManager
//!   process UNKNOWN or SUSPENDED may follow. Where REST was polled too slowly to see every state, what it saw must be
//!   there in order, and only states that no restart passes through unseen may be added;
//! * each state was entered within 1.5 s of REST's stamp, 3 s where that is only a poll's;
//! * it ends with REST's last word, or UNKNOWN or SUSPENDED where its process ended with the job alive;
//! * `failure` and `rescale` restarts add up to REST's count;
//! * `state` and `since` are those of the newest entry, and the cluster is the one given.
//!
//! Where a job lives through several processes (high availability, application, reactive) REST starts anew with each:
//! there only names, order and ends are held against it. An id that REST never listed is a phantom; of these only the
//! ones that no text log can tell from a job may be reported.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::runs::{Mode, Told, Truth};

mod tests;

/// States on the way to RUNNING: which of them a log or a poll sees is a matter of luck and version.
const STARTING: [&str; 3] = ["INITIALIZING", "CREATED", "RECONCILING"];
/// States that follow the end of a process, which REST does not live to tell.
const AFTERWARDS: [&str; 2] = ["UNKNOWN", "SUSPENDED"];
const TERMINAL: [&str; 3] = ["FINISHED", "FAILED", "CANCELED"];
/// States that would be an error of the answer even where REST was slow: no poll misses the last state of a life.
const NEVER_MISSED: [&str; 4] = ["CANCELLING", "CANCELED", "FAILED", "FINISHED"];
/// In the reason of a phantom: excused, since the log shows exactly what it shows of a job.
const EXCUSES: [&str; 2] = ["cannot be told apart", "byte for byte like"];

/// The cluster that every job must carry.
pub const CLUSTER: &str = "lab";

/// What is compared of the document that `replay --json` prints.
#[derive(Debug, Clone, Deserialize)]
pub struct Answer {
    pub entities: Vec<Entity>,
}

/// One entity of the answer.
#[derive(Debug, Clone, Deserialize)]
pub struct Entity {
    pub kind: String,
    pub id: String,
    pub name: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub state: String,
    #[serde(deserialize_with = "time")]
    pub since: Option<Timestamp>,
    pub restarts: Restarts,
    pub history: Vec<Change>,
}

/// Restarts by reason.
#[derive(Debug, Clone, Deserialize)]
pub struct Restarts {
    pub failure: u64,
    pub rescale: u64,
    pub process: u64,
}

/// One entry of a history.
#[derive(Debug, Clone, Deserialize)]
pub struct Change {
    #[serde(deserialize_with = "time")]
    pub at: Option<Timestamp>,
    pub to: String,
    pub late: bool,
}

/// Reads an RFC 3339 time or null.
fn time<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Timestamp>, D::Error> {
    let text: Option<String> = Option::deserialize(value)?;
    text.map(|text| text.parse().map_err(D::Error::custom))
        .transpose()
}

/// How an answer stands against the truth.
#[derive(Debug)]
pub struct Verdict {
    /// Jobs compared.
    pub jobs: usize,
    /// What disagrees, by id.
    pub wrong: BTreeMap<String, Vec<String>>,
}

/// Compares an answer with the truth.
pub fn judge(truth: &Truth, answer: &Answer) -> Verdict {
    let mut reported: BTreeMap<&str, Vec<&Entity>> = BTreeMap::new();
    for entity in answer.entities.iter().filter(|entity| entity.kind == "flink_job") {
        reported.entry(&entity.id).or_default().push(entity);
    }
    let mut verdict = Verdict {
        jobs: 0,
        wrong: BTreeMap::new(),
    };
    for (id, told) in truth
        .jobs
        .iter()
        .filter(|(_, told)| told.last.is_some() && !told.unlogged)
    {
        verdict.jobs += 1;
        let wrong = match reported.get(id.as_str()).map(Vec::as_slice) {
            None => vec!["missing".to_owned()],
            Some([entity]) => judge_job(truth, told, entity),
            Some(several) => vec![format!("reported {} times", several.len())],
        };
        if !wrong.is_empty() {
            verdict.wrong.insert(id.clone(), wrong);
        }
    }
    for id in reported.into_keys().filter(|id| !truth.jobs.contains_key(*id)) {
        let why = truth.phantoms.get(id).map_or("never existed", String::as_str);
        if !EXCUSES.iter().any(|excuse| why.contains(excuse)) {
            verdict
                .wrong
                .insert(id.to_owned(), vec![format!("phantom: {why}")]);
        }
    }
    verdict
}

fn judge_job(truth: &Truth, told: &Told, entity: &Entity) -> Vec<String> {
    let mut wrong = judge_shape(told, entity);
    match truth.mode {
        Mode::Session | Mode::Rotation => {
            wrong.extend(judge_states(truth, told, entity));
            wrong.extend(judge_end(told, entity));
            wrong.extend(judge_restarts(truth, told, entity));
        }
        Mode::Ha | Mode::Application | Mode::Reactive => wrong.extend(judge_many_lives(truth, told, entity)),
    }
    wrong
}

fn judge_shape(told: &Told, entity: &Entity) -> Vec<String> {
    let mut wrong = Vec::new();
    if entity.name.as_deref() != Some(&told.name) {
        wrong.push(format!("name {:?}, REST {:?}", entity.name, told.name));
    }
    if let Some(newest) = entity.history.iter().rfind(|change| !change.late)
        && (&entity.state, entity.since) != (&newest.to, newest.at)
    {
        wrong.push("state and since are not the newest entry's".to_owned());
    }
    let cluster = entity.labels.get("cluster").map(String::as_str);
    if cluster != Some(CLUSTER) {
        wrong.push(format!("cluster {cluster:?}"));
    }
    wrong
}

/// A state and the epoch milliseconds at which it was entered, where that is known.
type Entered<'a> = (&'a str, Option<i64>);

fn entered(entity: &Entity) -> impl Iterator<Item = Entered<'_>> {
    let in_order = entity.history.iter().filter(|change| !change.late);
    in_order.map(|change| (change.to.as_str(), change.at.map(Timestamp::as_millisecond)))
}

fn judge_states(truth: &Truth, told: &Told, entity: &Entity) -> Vec<String> {
    let stamps = told
        .states
        .iter()
        .enumerate()
        .filter(|(_, (state, _))| !STARTING.contains(&state.as_str()));
    let rest: Vec<(&str, i64, i64)> = stamps
        .map(|(i, (state, at))| {
            (
                state.as_str(),
                *at,
                if told.approximate.contains(&i) { 3000 } else { 1500 },
            )
        })
        .collect();
    let mut have: Vec<Entered> = entered(entity)
        .filter(|(state, _)| !STARTING.contains(state))
        .collect();
    while !has_ended(told)
        && have.len() > rest.len()
        && have.last().is_some_and(|(s, _)| AFTERWARDS.contains(s))
    {
        have.pop();
    }
    if polled_too_slowly(truth, told) {
        let seen = without_what_rest_missed(&have, &rest);
        if seen.len() == rest.len() {
            have = seen;
        }
    }
    if !have
        .iter()
        .map(|(state, _)| state)
        .eq(rest.iter().map(|(state, ..)| state))
    {
        let have = words(have.iter().map(|(state, _)| *state));
        return vec![format!(
            "states {have}, REST {}",
            words(rest.iter().map(|(state, ..)| *state))
        )];
    }
    let apart = have
        .iter()
        .zip(&rest)
        .filter_map(|((state, at), (_, stamp, tolerance))| {
            let late = (*at)? - stamp;
            (late.abs() > *tolerance).then(|| format!("{state} {late:+} ms"))
        });
    apart.collect()
}

/// REST showed only some of the states: adaptive restarts, all of 1.9, and clusters busy with writing logs.
fn polled_too_slowly(truth: &Truth, told: &Told) -> bool {
    told.scheduler.as_deref() == Some("adaptive")
        || truth.flink_version.starts_with("1.9")
        || truth.mode == Mode::Rotation
}

fn without_what_rest_missed<'a>(have: &[Entered<'a>], rest: &[(&str, i64, i64)]) -> Vec<Entered<'a>> {
    let mut kept: Vec<Entered> = Vec::new();
    for entered in have {
        let expected = rest
            .get(kept.len())
            .is_some_and(|(state, ..)| *state == entered.0);
        if expected || NEVER_MISSED.contains(&entered.0) {
            kept.push(*entered);
        }
    }
    kept
}

fn has_ended(told: &Told) -> bool {
    told.last.as_deref().is_none_or(|last| TERMINAL.contains(&last))
}

fn judge_end(told: &Told, entity: &Entity) -> Option<String> {
    let last = told.last.as_deref()?;
    let as_told = entity.state == last || (!has_ended(told) && AFTERWARDS.contains(&entity.state.as_str()));
    (!as_told).then(|| format!("ends {}, REST {last}", entity.state))
}

/// 1.9 is left out: its metric counts restarts of regions, which leave no line about the job.
fn judge_restarts(truth: &Truth, told: &Told, entity: &Entity) -> Option<String> {
    let rest = told
        .num_restarts
        .filter(|_| !truth.flink_version.starts_with("1.9"))?;
    let counted = entity.restarts.failure + entity.restarts.rescale;
    (counted != rest).then(|| format!("{counted} restarts, REST {rest}"))
}

fn judge_many_lives(truth: &Truth, told: &Told, entity: &Entity) -> Vec<String> {
    let of_a_life = |state: &&str| !STARTING.contains(state) && !AFTERWARDS.contains(state);
    let rest: Vec<&str> = told
        .states
        .iter()
        .map(|(state, _)| state.as_str())
        .filter(of_a_life)
        .collect();
    let have: Vec<&str> = entered(entity)
        .map(|(state, _)| state)
        .filter(of_a_life)
        .collect();
    let mut wrong = Vec::new();
    let mut missed = rest.iter().peekable();
    for state in &have {
        missed.next_if(|next| *next == state);
    }
    if missed.peek().is_some() {
        wrong.push(format!("states {}, REST {}", words(have), words(rest)));
    }
    if has_ended(told) {
        wrong.extend(judge_end(told, entity));
    }
    let killed = truth
        .jobmanagers
        .values()
        .flatten()
        .any(|process| process.how == "SIGKILL");
    if truth.mode == Mode::Application && killed && entity.restarts.process == 0 {
        wrong.push("its process was killed and came back: no restart of reason process".to_owned());
    }
    wrong
}

fn words<'a>(states: impl IntoIterator<Item = &'a str>) -> String {
    states.into_iter().collect::<Vec<_>>().join(" ")
}
