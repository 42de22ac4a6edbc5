//! Entities as JSON: `/api/v1/entities` and `flinktail replay --json`. The shape is a contract; checks outside this
//! project read it. All keys are always there, and what is unknown is null; beyond those that all entities have, each
//! kind has some of its own.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::query::Filter;
use super::view::View;
use crate::line::JobId;
use crate::model::arn::ApplicationArn;
use crate::model::event::RestartReason;
use crate::model::flink_job::JobState;
use crate::model::state::State;
use crate::model::{Application, Deployment, Entry, Failure, Fleet, Job, Storied, VvpJob};

#[derive(Serialize)]
struct EntityJson<'a> {
    kind: &'static str,
    id: String,
    name: Option<&'a str>,
    #[serde(serialize_with = "as_map")]
    labels: Vec<(&'static str, &'a str)>,
    state: &'static str,
    class: &'static str,
    since: Option<String>,
    restarts: Option<RestartsJson>,
    cause: Option<CauseJson<'a>>,
    history: Vec<EntryJson>,
    history_dropped: u64,
    #[serde(flatten)]
    own: OwnJson<'a>,
}

/// What only entities of one kind have: above all what links them with those of others.
#[derive(Serialize)]
#[serde(untagged)]
enum OwnJson<'a> {
    /// Only where there is one: the keys of a job that nothing runs are a contract.
    Job {
        #[serde(skip_serializing_if = "Option::is_none")]
        application: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        vvp_job: Option<String>,
    },
    Application {
        jobs: Vec<JobJson<'a>>,
        version: Option<u64>,
        versions: Vec<VersionJson>,
        error: Option<CauseJson<'a>>,
    },
    Platform {
        jobs: Vec<JobJson<'a>>,
    },
    Deployment {
        jobs: Vec<JobJson<'a>>,
        /// As the operator polled it.
        job_state: Option<&'static str>,
    },
}

#[derive(Serialize)]
struct JobJson<'a> {
    cluster: &'a str,
    id: String,
}

#[derive(Serialize)]
struct VersionJson {
    version: u64,
    state: &'static str,
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

fn as_map<S: Serializer>(pairs: &[(&'static str, &str)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().copied())
}

impl<'a> CauseJson<'a> {
    fn of(failure: &'a Failure) -> Self {
        Self {
            class: &failure.cause.class,
            message: &failure.cause.message,
            at: failure.at.map(time),
        }
    }
}

impl EntryJson {
    fn of<S: State>(entry: &Entry<S>) -> Self {
        Self {
            at: entry.at.map(time),
            from: entry.from.map(State::name),
            to: entry.to.name(),
            basis: entry.basis.name(),
            late: entry.late,
        }
    }
}

impl<'a> JobJson<'a> {
    fn of((cluster, id): &'a (Arc<str>, JobId)) -> Self {
        Self {
            cluster,
            id: id.to_string(),
        }
    }
}

impl<'a> EntityJson<'a> {
    fn of_job(job: &'a Job) -> Self {
        Self {
            kind: JobState::KIND,
            id: job.id.to_string(),
            name: job.name.as_deref(),
            labels: vec![("cluster", &job.cluster)],
            state: job.state.name(),
            class: job.state.class().name(),
            since: job.since.map(time),
            restarts: Some(RestartsJson {
                failure: job.restarts_for(RestartReason::Failure),
                rescale: job.restarts_for(RestartReason::Rescale),
                process: job.restarts_for(RestartReason::Process),
                observed: job.restarts_for(RestartReason::Observed),
            }),
            cause: job.failure.as_deref().map(CauseJson::of),
            history: job.history.iter().map(EntryJson::of).collect(),
            history_dropped: job.history_dropped,
            own: OwnJson::Job {
                application: job.application.as_ref().map(ApplicationArn::as_str),
                vvp_job: job.observed.as_ref().map(|observed| observed.by.to_string()),
            },
        }
    }

    fn of<E: Storied>(entity: &'a E, own: OwnJson<'a>) -> Self {
        let story = entity.story();
        Self {
            kind: E::State::KIND,
            id: entity.id().to_string(),
            name: entity.name(),
            labels: entity.labels().to_vec(),
            state: story.state.name(),
            class: story.state.class().name(),
            since: story.since.map(time),
            restarts: None,
            cause: None,
            history: story.history.iter().map(EntryJson::of).collect(),
            history_dropped: story.history_dropped,
            own,
        }
    }

    fn of_application(application: &'a Application) -> Self {
        let versions = application.versions.iter();
        let own = OwnJson::Application {
            jobs: application.jobs.iter().map(JobJson::of).collect(),
            version: application.version,
            versions: versions
                .map(|(version, state)| VersionJson {
                    version: *version,
                    state: state.name(),
                })
                .collect(),
            error: application.error.as_ref().map(CauseJson::of),
        };
        Self::of(application, own)
    }

    fn of_platform_job(job: &'a VvpJob) -> Self {
        let jobs = job.flink_job.iter().map(JobJson::of).collect();
        Self::of(job, OwnJson::Platform { jobs })
    }

    fn of_deployment(deployment: &'a Deployment, jobs: impl Iterator<Item = &'a Job>) -> Self {
        let own_job = |job: &&Job| deployment.id.runs_in(&job.cluster);
        let jobs = jobs.filter(own_job).map(|job| JobJson {
            cluster: &job.cluster,
            id: job.id.to_string(),
        });
        let own = OwnJson::Deployment {
            jobs: jobs.collect(),
            job_state: deployment.job.map(|(state, _)| state.name()),
        };
        Self::of(deployment, own)
    }

    fn text(&self) -> String {
        // Fails for maps whose keys are not strings and for failing writers; there are neither here.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// RFC 3339 in UTC, to the millisecond or as fine as it is.
pub(super) fn time(at: Timestamp) -> String {
    match at.subsec_nanosecond() {
        nanos if nanos % 1_000_000 == 0 => format!("{at:.3}"),
        nanos if nanos % 1_000 == 0 => format!("{at:.6}"),
        _ => format!("{at:.9}"),
    }
}

/// All entities as the whole answer, by kind.
#[must_use]
pub fn entities_json(fleet: &Fleet) -> String {
    let deployments = fleet
        .deployments()
        .map(|deployment| EntityJson::of_deployment(deployment, fleet.jobs()).text());
    let jobs = fleet.jobs().map(|job| EntityJson::of_job(job).text());
    let applications = fleet
        .applications()
        .map(|application| EntityJson::of_application(application).text());
    let platform_jobs = fleet
        .platform_jobs()
        .map(|job| EntityJson::of_platform_job(job).text());
    answer(deployments.chain(jobs).chain(applications).chain(platform_jobs))
}

fn answer(entities: impl Iterator<Item = String>) -> String {
    let entities: Vec<String> = entities.collect();
    format!("{{\"entities\":[{}]}}", entities.join(","))
}

/// The same for the entities of a view that a filter lets through, as a stream of pieces: histories may be long.
pub fn entities(view: Arc<View>, filter: Filter) -> impl Iterator<Item = String> + Send {
    let mut separator = "";
    let entities = (0..view.held()).filter_map(move |place| {
        let text = format!("{separator}{}", asked(&filter, &view, place)?);
        separator = ",";
        Some(text)
    });
    std::iter::once("{\"entities\":[".to_owned())
        .chain(entities)
        .chain(std::iter::once("]}".to_owned()))
}

/// The entity at a place of the view, counted over all kinds in their order; none where the filter does not let it through.
fn asked(filter: &Filter, view: &View, place: usize) -> Option<String> {
    let others = view.others();
    let mut place = place;
    if let Some(deployment) = others.deployments.get(place) {
        let jobs = view.jobs().iter().map(|rendered| rendered.job());
        let admitted = filter.admits(&**deployment);
        return admitted.then(|| EntityJson::of_deployment(deployment, jobs).text());
    }
    place -= others.deployments.len();
    if let Some(rendered) = view.jobs().get(place) {
        let job = rendered.job();
        let admitted = filter.is_asked(JobState::KIND, job.state.name(), Some(&job.cluster));
        return admitted.then(|| EntityJson::of_job(job).text());
    }
    place -= view.jobs().len();
    if let Some(application) = others.applications.get(place) {
        let admitted = filter.admits(&**application);
        return admitted.then(|| EntityJson::of_application(application).text());
    }
    place -= others.applications.len();
    let job = others.platform_jobs.get(place)?;
    filter
        .admits(&**job)
        .then(|| EntityJson::of_platform_job(job).text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expose::{Settings, ViewBuilder};
    use crate::model::event::Cause;
    use crate::model::test_jobs::{self, job};
    use crate::model::{Counters, Failure};
    use crate::stats::ProgramStats;

    #[test]
    fn a_job_is_written_with_all_its_keys() {
        let mut orders = job("or\"ders\n");
        orders.failure = Some(Box::new(Failure {
            cause: Cause {
                class: "java.lang.RuntimeException".to_owned(),
                message: String::new(),
            },
            at: None,
        }));
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
        let jobs = [&orders, &nameless].into_iter();
        assert_eq!(answer(jobs.map(|job| EntityJson::of_job(job).text())), expected);
    }

    #[test]
    fn entities_of_every_kind_are_told_with_what_links_them() {
        let json: serde_json::Value = serde_json::from_str(&entities_json(&test_jobs::fleet())).unwrap();
        let entities = json["entities"].as_array().unwrap();
        let keys: Vec<_> = entities
            .iter()
            .map(|entity| (entity["kind"].as_str().unwrap(), entity["id"].as_str().unwrap()))
            .collect();
        let arn = "arn:aws:kinesisanalytics:eu-west-1:111122223333:application/orders";
        let uuid = "07070707-0707-0707-0707-070707070707";
        let (of_application, of_platform) = ("06".repeat(16), "07".repeat(16));
        assert_eq!(
            keys,
            [
                ("flink_deployment", "team/orders"),
                ("flink_job", &of_application),
                ("flink_job", &of_platform),
                ("kda_application", arn),
                ("vvp_job", uuid),
            ]
        );
        let job = |cluster: &str, id: &str| serde_json::json!([{"cluster": cluster, "id": id}]);
        for (place, key, expected) in [
            (0, "job_state", "RECONCILING".into()),
            (
                0,
                "labels",
                serde_json::json!({"namespace": "team", "deployment": "orders"}),
            ),
            (1, "application", arn.into()),
            (2, "vvp_job", uuid.into()),
            (
                2,
                "restarts",
                serde_json::json!({"failure": 0, "rescale": 0, "process": 0, "observed": 2}),
            ),
            (
                3,
                "labels",
                serde_json::json!({"account": "111122223333", "region": "eu-west-1"}),
            ),
            (3, "name", "orders".into()),
            (3, "restarts", serde_json::Value::Null),
            (3, "cause", serde_json::Value::Null),
            (3, "class", "steady".into()),
            (3, "jobs", job("orders", &of_application)),
            (
                3,
                "versions",
                serde_json::json!([{"version": 6, "state": "ROLLED_BACK"}]),
            ),
            (4, "jobs", job("team", &of_platform)),
        ] {
            assert_eq!(entities[place][key], expected, "{} {key}", keys[place].0);
        }
        let history = &entities[3]["history"][0];
        assert_eq!(
            (&history["to"], &history["basis"]),
            (&"RUNNING".into(), &"reported".into())
        );
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
            builder.put(&Arc::new(job));
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
    }
}
