//! Entities as JSON: `/api/v1/entities` and `flinktail replay --json`. The shape is a contract; checks outside this
//! project read it. All keys are always there, and what is unknown is null.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::view::{RenderedJob, View};
use crate::model::Job;
use crate::model::event::RestartReason;
use crate::model::flink_job::JobState;

/// The only kind of entity so far.
const FLINK_JOB: &str = "flink_job";

#[derive(Serialize)]
struct EntityJson<'a> {
    kind: &'static str,
    id: String,
    name: Option<&'a str>,
    labels: LabelsJson<'a>,
    state: &'static str,
    class: &'static str,
    since: Option<String>,
    restarts: RestartsJson,
    cause: Option<CauseJson<'a>>,
    history: Vec<EntryJson>,
    history_dropped: u64,
}

#[derive(Serialize)]
struct LabelsJson<'a> {
    cluster: &'a str,
}

#[derive(Serialize)]
struct RestartsJson {
    failure: u64,
    rescale: u64,
    process: u64,
    observed: u64,
}

#[derive(Serialize)]
struct CauseJson<'a> {
    class: &'a str,
    message: &'a str,
    at: Option<String>,
}

#[derive(Serialize)]
struct EntryJson {
    at: Option<String>,
    from: Option<&'static str>,
    to: &'static str,
    basis: &'static str,
    late: bool,
}

impl<'a> EntityJson<'a> {
    fn of(job: &'a Job) -> Self {
        Self {
            kind: FLINK_JOB,
            id: job.id.to_string(),
            name: job.name.as_deref(),
            labels: LabelsJson {
                cluster: &job.cluster,
            },
            state: job.state.name(),
            class: job.state.class().name(),
            since: job.since.map(time),
            restarts: RestartsJson {
                failure: job.restarts_for(RestartReason::Failure),
                rescale: job.restarts_for(RestartReason::Rescale),
                process: job.restarts_for(RestartReason::Process),
                observed: job.restarts_for(RestartReason::Observed),
            },
            cause: job.failure.as_ref().map(|failure| CauseJson {
                class: &failure.cause.class,
                message: &failure.cause.message,
                at: failure.at.map(time),
            }),
            history: job
                .history
                .iter()
                .map(|entry| EntryJson {
                    at: entry.at.map(time),
                    from: entry.from.map(JobState::name),
                    to: entry.to.name(),
                    basis: entry.basis.name(),
                    late: entry.late,
                })
                .collect(),
            history_dropped: job.history_dropped,
        }
    }
}

/// RFC 3339 in UTC, to the millisecond or as fine as it is.
fn time(at: Timestamp) -> String {
    match at.subsec_nanosecond() {
        nanos if nanos % 1_000_000 == 0 => format!("{at:.3}"),
        nanos if nanos % 1_000 == 0 => format!("{at:.6}"),
        _ => format!("{at:.9}"),
    }
}

fn entity(job: &Job) -> String {
    // Fails for maps whose keys are not strings and for failing writers; there are neither here.
    serde_json::to_string(&EntityJson::of(job)).unwrap_or_default()
}

/// These jobs as the whole answer, in the order given: `Fleet::jobs` gives the right one, by cluster and id.
pub fn entities_json<'a>(jobs: impl Iterator<Item = &'a Job>) -> String {
    let entities: Vec<String> = jobs.map(entity).collect();
    format!("{{\"entities\":[{}]}}", entities.join(","))
}

/// The same for the jobs of a view that a filter lets through, as a stream of pieces: histories may be long.
pub fn entities(view: Arc<View>, filter: Filter) -> impl Iterator<Item = String> + Send {
    let mut place = 0;
    let mut separator = "";
    let jobs = std::iter::from_fn(move || {
        let found = view.jobs()[place..].iter().position(|job| filter.admits(job))?;
        let text = format!("{separator}{}", entity(view.jobs()[place + found].job()));
        place += found + 1;
        separator = ",";
        Some(text)
    });
    std::iter::once("{\"entities\":[".to_owned())
        .chain(jobs)
        .chain(std::iter::once("]}".to_owned()))
}

/// Which entities are asked for: `?kind=flink_job&state=FAILED&cluster=prod-1`, all of them optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    kind: Option<String>,
    state: Option<String>,
    cluster: Option<String>,
}

impl Filter {
    /// Reads a URL's query. The error, for people, names the first parameter that is not known.
    pub fn parse(query: &str) -> Result<Self, String> {
        let mut filter = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let place = match name {
                "kind" => &mut filter.kind,
                "state" => &mut filter.state,
                "cluster" => &mut filter.cluster,
                _ => {
                    return Err(format!(
                        "no parameter {name:?}; there are kind, state and cluster"
                    ));
                }
            };
            *place = Some(percent_decoded(value));
        }
        Ok(filter)
    }

    fn admits(&self, job: &RenderedJob) -> bool {
        let is = |asked: &Option<String>, actual: &str| asked.as_deref().is_none_or(|asked| asked == actual);
        is(&self.kind, FLINK_JOB)
            && is(&self.state, job.job().state.name())
            && is(&self.cluster, &job.job().cluster)
    }
}

/// `%2F` and `+` of a query's value undone; what is no valid escape stays as it is.
pub(super) fn percent_decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = after.get(..2).filter(|_| *first == b'%').and_then(hex_byte);
        rest = if escaped.is_some() { &after[2..] } else { after };
        bytes.push(escaped.unwrap_or(if *first == b'+' { b' ' } else { *first }));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    // `from_str_radix` would take a sign.
    let text = std::str::from_utf8(digits)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u8::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expose::{Settings, ViewBuilder};
    use crate::model::event::Cause;
    use crate::model::test_jobs::job;
    use crate::model::{Counters, Failure};
    use crate::stats::ProgramStats;

    #[test]
    fn a_job_is_written_with_all_its_keys() {
        let mut orders = job("or\"ders\n");
        orders.failure = Some(Failure {
            cause: Cause {
                class: "java.lang.RuntimeException".to_owned(),
                message: String::new(),
            },
            at: None,
        });
        let mut nameless = job("");
        (nameless.name, nameless.since) = (None, None);
        nameless.history[0].at = Some("2026-03-02T09:00:00Z".parse().unwrap());
        nameless.history[0].from = None;
        nameless.history_dropped = 7;
        let expected = concat!(
            r#"{"entities":[{"kind":"flink_job","id":"abababababababababababababababab","name":"or\"ders\n","#,
            r#""labels":{"cluster":"prod-1"},"state":"RUNNING","class":"steady","since":"2026-03-02T09:00:00.004Z","#,
            r#""restarts":{"failure":2,"rescale":0,"process":0,"observed":0},"#,
            r#""cause":{"class":"java.lang.RuntimeException","message":"","at":null},"#,
            r#""history":[{"at":"2026-03-02T09:00:00.004Z","from":"CREATED","to":"RUNNING","basis":"log","late":false}],"#,
            r#""history_dropped":0},"#,
            r#"{"kind":"flink_job","id":"abababababababababababababababab","name":null,"#,
            r#""labels":{"cluster":"prod-1"},"state":"RUNNING","class":"steady","since":null,"#,
            r#""restarts":{"failure":2,"rescale":0,"process":0,"observed":0},"cause":null,"#,
            r#""history":[{"at":"2026-03-02T09:00:00.000Z","from":null,"to":"RUNNING","basis":"log","late":false}],"#,
            r#""history_dropped":7}]}"#,
        );
        assert_eq!(entities_json([&orders, &nameless].into_iter()), expected);
    }

    #[test]
    fn times_are_as_fine_as_they_are_and_never_coarser_than_a_millisecond() {
        for text in [
            "2026-03-02T09:00:00.000Z",
            "2026-03-02T09:00:00.000120Z",
            "2026-03-02T09:00:00.000000001Z",
        ] {
            assert_eq!(time(text.parse().unwrap()), text);
        }
    }

    /// Which of three jobs (RUNNING `a` in `prod-1`, FAILED `b` in `prod-1`, RUNNING `c` in `k8s/eu west`) a query names.
    fn check(query: &str, expected: &[&str]) {
        let mut builder = ViewBuilder::new(Settings::default());
        for (number, (name, cluster, state)) in [
            ("a", "prod-1", JobState::Running),
            ("b", "prod-1", JobState::Failed),
            ("c", "k8s/eu west", JobState::Running),
        ]
        .into_iter()
        .enumerate()
        {
            let mut job = job(name);
            (job.cluster, job.state) = (Arc::from(cluster), state);
            job.id.0[15] = u8::try_from(number).unwrap();
            builder.put(&job);
        }
        let view = builder.view(
            Counters::default(),
            ProgramStats::default(),
            Timestamp::UNIX_EPOCH,
        );
        let text: String = entities(Arc::new(view), Filter::parse(query).unwrap()).collect();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let names: Vec<_> = json["entities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|job| job["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, expected, "{query}");
    }

    #[test]
    fn a_query_chooses_entities_sorted_by_cluster_and_id() {
        check("", &["c", "a", "b"]);
        check("state=RUNNING", &["c", "a"]);
        check("kind=flink_job&cluster=prod-1&state=FAILED", &["b"]);
        check("cluster=k8s%2Feu+west", &["c"]);
        check("cluster=100%", &[]);
        check("kind=vvp_job", &[]);
        assert!(Filter::parse("stat=RUNNING").unwrap_err().contains("stat"));
    }
}
