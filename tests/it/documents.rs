//! What carries documents changes nothing: the same events, in every carrier that can carry them and in those inside of
//! each other, packed or not, tell the same transitions of the same entities; and bad input tells none.

mod bad;
mod carriers;

use std::fmt::Write as _;
use std::fs;
use std::sync::{Arc, LazyLock};

use assert_cmd::Command;
use flinktail::app::replay::{Replayed, replay};
use flinktail::config::{Settings, Source};
use flinktail::decode::layouts::Layouts;
use flinktail::expose::api;
use flinktail::pipeline::Wording;
use flinktail::rules::RuleSet;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use carriers::{Events, WRAPS, each, in_cloudwatch, in_gzip, insights, pretty, wrapped};

const ARN: &str = "arn:aws-cn:kinesisanalytics:cn-north-1:123456789012:application/NAME";

const T0: i64 = 1_780_000_000_000;

static WORDING: LazyLock<Arc<Wording>> = LazyLock::new(|| {
    Arc::new(Wording::new(RuleSet::builtin().unwrap(), Layouts::builtin().unwrap()).unwrap())
});

fn arn(name: &str) -> String {
    ARN.replace("NAME", name)
}

fn managed(application: &str, message: &str) -> String {
    json!({
        "messageType": "INFO", "applicationVersionId": "3", "message": message, "messageSchemaVersion": "1",
        "threadName": "quote\"d", "throwableInformation": ["java.io.IOException: x", "\tat a.B"],
        "applicationARN": arn(application), "logger": "org.apache.flink.runtime.executiongraph.ExecutionGraph",
    })
    .to_string()
}

fn job(id: char, from: &str, to: &str) -> String {
    let id = id.to_string().repeat(32);
    format!("Job \"naïve\" job {id} ({id}) switched from state {from} to {to}.")
}

/// Two applications in one stream, a task's line, and an error of the service.
fn managed_events() -> Events {
    let error = json!({"applicationARN": arn("a"), "applicationVersionId": 3, "message": "X\n\tat y", "messageType": "ERROR", "errorCode": "CodeError.X"});
    vec![
        (T0, managed("a", &job('a', "CREATED", "RUNNING"))),
        (T0 + 1, managed("b", &job('b', "CREATED", "RUNNING"))),
        (
            T0 + 1,
            managed("a", "Source: x (1/2) (00) switched from RUNNING to FAILED."),
        ),
        (T0 + 2, managed("a", &job('a', "RUNNING", "RESTARTING"))),
        (T0 + 900, error.to_string()),
        (T0 + 1_000, managed("a", &job('a', "RESTARTING", "RUNNING"))),
        (T0 + 1_004, managed("b", &job('b', "RUNNING", "FINISHED"))),
    ]
}

fn call(at: &str, name: &str, more: &Value) -> String {
    let mut record = json!({
        "eventID": format!("{at}-{name}"), "eventTime": at, "eventSource": "kinesisanalytics.amazonaws.com",
        "eventName": name, "awsRegion": "cn-north-1", "recipientAccountId": "123456789012", "responseElements": null,
        "requestParameters": {"applicationName": "a"},
    });
    for (key, value) in more.as_object().unwrap() {
        record[key] = value.clone();
    }
    record.to_string()
}

fn trail_events() -> Events {
    let forced = json!({"requestParameters": {"applicationName": "a", "force": true}});
    let refused = json!({"errorCode": "ResourceInUseException", "errorMessage": "it \"is\" {in use}"});
    let at = |time: &str| time.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    [
        ("2026-05-28T20:00:00Z", "CreateApplication", &json!({})),
        ("2026-05-28T20:01:00Z", "StartApplication", &json!({})),
        ("2026-05-28T20:01:30Z", "DescribeApplication", &json!({})),
        ("2026-05-28T20:02:00Z", "StopApplication", &refused),
        ("2026-05-28T20:03:00Z", "StopApplication", &forced),
    ]
    .into_iter()
    .map(|(time, name, more)| (at(time), call(time, name, more)))
    .collect()
}

/// What the service's API answers, one answer after another, as somebody puts it into a log group.
fn answers() -> Events {
    let status = |status: &str| json!({"ApplicationDetail": {"ApplicationARN": arn("a"), "ApplicationStatus": status, "ApplicationVersionId": 3}});
    let version = json!({"ApplicationVersionDetail": {"ApplicationARN": arn("a"), "ApplicationStatus": "ROLLED_BACK", "ApplicationVersionId": 2}});
    let operation = json!({"Operation": "ApplicationMaintenance", "OperationStatus": "IN_PROGRESS"});
    let answers = [
        status("READY"),
        status("STARTING"),
        json!({"ApplicationSummaries": [{"ApplicationARN": arn("a"), "ApplicationStatus": "AUTOSCALING"}]}),
        version,
        json!({"ApplicationOperationInfoList": [operation]}),
        status("MAINTENANCE"),
        status("MAINTENANCE"),
    ];
    (T0..).zip(answers.map(|answer| answer.to_string())).collect()
}

/// A self-managed cluster's own log, a stack trace included.
fn flink_events() -> Events {
    let line = |second: i64, message: &str| {
        let time = carriers::time(T0 + second * 1000)
            .replace('T', " ")
            .replace('.', ",");
        let logger = "org.apache.flink.runtime.executiongraph.ExecutionGraph";
        (
            T0 + second * 1000,
            format!("{time} INFO  {logger}       [] - {message}"),
        )
    };
    let mut failing = line(2, &job('f', "RUNNING", "FAILING"));
    failing.1 += "\njava.io.IOException: {\"x\": [1,\n\tat a.B(B.java:1)\nCaused by: x";
    vec![
        line(1, &job('f', "CREATED", "RUNNING")),
        failing,
        line(3, "Source: x (1/2) (00) switched from RUNNING to FAILED."),
        line(4, &job('f', "FAILING", "FAILED")),
    ]
}

/// Reads a file with this content to its end.
fn read(content: &[u8]) -> Replayed {
    let file = tempfile::Builder::new().prefix("object-").tempfile().unwrap();
    fs::write(file.path(), content).unwrap();
    let settings = Settings {
        sources: vec![Source {
            paths: vec![file.path().to_str().unwrap().to_owned()],
            timezone: Some(TimeZone::UTC),
            ..Source::default()
        }],
        ..Settings::default()
    };
    replay(&settings, Arc::clone(&WORDING)).unwrap()
}

/// All transitions of all entities, by entity.
fn transitions(content: impl AsRef<[u8]>) -> String {
    let text = api::entities_json(&read(content.as_ref()).fleet);
    let document: Value = serde_json::from_str(&text).unwrap();
    let mut all = String::new();
    for entity in document["entities"].as_array().unwrap() {
        let id = entity["id"].as_str().unwrap();
        let id = id.rsplit('/').next().unwrap();
        for entry in entity["history"].as_array().unwrap() {
            let word = |key: &str| entry[key].as_str().unwrap_or("-").to_owned();
            let kind = entity["kind"].as_str().unwrap();
            writeln!(
                all,
                "{kind} {:.8} {}>{} {} {} {}",
                id,
                word("from"),
                word("to"),
                word("at"),
                word("basis"),
                entry["late"]
            )
            .unwrap();
        }
    }
    all
}

const OF_MANAGED: &str = "\
flink_job aaaaaaaa CREATED>RUNNING 2026-05-28T20:26:40.000Z log false
flink_job aaaaaaaa RUNNING>RESTARTING 2026-05-28T20:26:40.002Z log false
flink_job aaaaaaaa RESTARTING>RUNNING 2026-05-28T20:26:41.000Z log false
flink_job bbbbbbbb CREATED>RUNNING 2026-05-28T20:26:40.001Z log false
flink_job bbbbbbbb RUNNING>FINISHED 2026-05-28T20:26:41.004Z log false
kda_application a ->RUNNING 2026-05-28T20:26:40.000Z inferred false
kda_application b ->RUNNING 2026-05-28T20:26:40.001Z inferred false
kda_application b RUNNING>READY 2026-05-28T20:26:41.004Z inferred false
";

const OF_TRAIL: &str = "\
kda_application a ->READY 2026-05-28T20:00:00.000Z api false
kda_application a READY>STARTING 2026-05-28T20:01:00.000Z api false
kda_application a STARTING>FORCE_STOPPING 2026-05-28T20:03:00.000Z api false
";

const OF_ANSWERS: &str = "\
kda_application a ->READY 2026-05-28T20:26:40.000Z reported false
kda_application a READY>STARTING 2026-05-28T20:26:40.001Z reported false
kda_application a STARTING>AUTOSCALING 2026-05-28T20:26:40.002Z reported false
kda_application a AUTOSCALING>MAINTENANCE 2026-05-28T20:26:40.005Z reported false
";

const OF_FLINK: &str = "\
flink_job ffffffff CREATED>RUNNING 2026-05-28T20:26:41.000Z log false
flink_job ffffffff RUNNING>FAILING 2026-05-28T20:26:42.000Z log false
flink_job ffffffff FAILING>FAILED 2026-05-28T20:26:44.000Z log false
";

/// Collects what does not tell what is expected.
struct Check {
    expected: &'static str,
    wrong: String,
}

impl Check {
    fn one(&mut self, name: &str, content: impl AsRef<[u8]>) {
        let told = transitions(content);
        if told != self.expected {
            write!(self.wrong, "{name}:\n{told}\n").unwrap();
        }
    }
}

/// Each text alone, packed, in everything that carries lines, and in two of these.
fn check_all(carried: Vec<(&'static str, String)>, expected: &'static str) {
    let mut check = Check {
        expected,
        wrong: String::new(),
    };
    for (nth, (name, text)) in carried.into_iter().enumerate() {
        check.one(name, &text);
        for (how, bytes) in in_gzip(&text) {
            check.one(&format!("{name} in {how}"), bytes);
        }
        for (place, wrap) in WRAPS.into_iter().enumerate() {
            let inner = wrapped(&text, wrap);
            check.one(&format!("{name} in {}", wrap.0), &inner);
            // Some of all pairs, since all of them would take minutes. Lines that were cut are joined by who carries them on.
            let outer = WRAPS[(place + nth) % WRAPS.len()];
            if (place + nth) % 3 > 0 || [wrap.0, outer.0].contains(&"CRI, cut") {
                continue;
            }
            check.one(
                &format!("{name} in {} in {}", wrap.0, outer.0),
                wrapped(&inner, outer),
            );
        }
    }
    assert!(check.wrong.is_empty(), "expected\n{expected}\n{}", check.wrong);
}

#[test]
fn managed_messages_tell_the_same_in_every_carrier() {
    check_all(in_cloudwatch(&managed_events()), OF_MANAGED);
}

#[test]
fn answers_of_the_api_tell_the_same_in_every_carrier() {
    check_all(in_cloudwatch(&answers()), OF_ANSWERS);
}

#[test]
fn a_log_of_a_cluster_of_ones_own_tells_the_same_in_every_carrier() {
    check_all(in_cloudwatch(&flink_events()), OF_FLINK);
}

#[test]
fn calls_tell_the_same_in_every_carrier() {
    let events = trail_events();
    let records: Vec<Value> = events
        .iter()
        .rev()
        .map(|(_, text)| serde_json::from_str(text).unwrap())
        .collect();
    let bridged = |_, text: &str| {
        format!("{{\"detail-type\":\"AWS API Call via CloudTrail\",\"id\":\"x\",\"detail\":{text}}}\n")
    };
    let looked_up: Vec<Value> = events
        .iter()
        .map(|(_, text)| json!({"EventId": "e", "CloudTrailEvent": text}))
        .collect();
    let file = json!({"Records": records}).to_string();
    check_all(in_cloudwatch(&events), OF_TRAIL);
    check_all(
        vec![
            ("lines", each(&events, |_, text| text.to_owned() + "\n")),
            ("concatenated", each(&events, |_, text| text.to_owned())),
            ("a delivered file, out of order", file.clone()),
            (
                "delivered twice, printed over lines",
                file.clone() + &pretty(&file),
            ),
            (
                "a file that breaks off, then whole",
                file[..file.len() - 9].to_owned() + "\n" + &file,
            ),
            ("EventBridge", each(&events, bridged)),
            ("lookup-events", json!({"Events": looked_up}).to_string()),
        ],
        OF_TRAIL,
    );
}

const YAML: &str = "\
kind: Job
metadata:
  id: 11111111-2222-3333-4444-555555555555
  namespace: n
  modifiedAt: 2026-05-28T20:00:00Z
  resourceVersion: 1
status:
  state: STARTING
---
kind: Job
metadata:
  id: 11111111-2222-3333-4444-555555555555
  namespace: n
  modifiedAt: 2026-05-28T20:02:00Z
  resourceVersion: '2'
status:
  state: started
  started:
    transitionTime: 2026-05-28T20:01:00Z
    flinkJobId: 11111111222233334444555555555555
    lastUpdateTime: 2026-05-28T20:02:00Z
    observedFlinkJobRestarts: 1
    observedFlinkJobStatus: RUNNING
";

#[test]
fn platform_jobs_tell_the_same_in_every_form() {
    let metadata = |version: Value, at: &str| json!({"id": "11111111-2222-3333-4444-555555555555", "namespace": "n", "modifiedAt": at, "resourceVersion": version});
    let starting = json!({"kind": "Job", "metadata": metadata(json!(1), "2026-05-28T20:00:00Z"), "status": {"state": "STARTING", "started": null}});
    let started = json!({"status": {"started": {"observedFlinkJobStatus": "RUNNING", "observedFlinkJobRestarts": 1, "lastUpdateTime": "2026-05-28T20:02:00Z",
        "flinkJobId": "11111111222233334444555555555555", "startedAt": "2026-05-28T20:01:00Z"}, "state": "STARTED"}, "kind": "Job", "metadata": metadata(json!("2"), "2026-05-28T20:02:00Z")});
    let expected = "\
flink_job 11111111 ->RUNNING 2026-05-28T20:02:00.000Z reported false
vvp_job 11111111 ->STARTING 2026-05-28T20:00:00.000Z reported false
vvp_job 11111111 STARTING>STARTED 2026-05-28T20:01:00.000Z reported false
";
    let list = json!({"kind": "JobList", "items": [starting, started]}).to_string();
    check_all(
        vec![
            ("lines", format!("{starting}\n{started}\n{starting}\n")),
            ("concatenated", format!("{starting}{started}")),
            ("a list", list.clone()),
            ("a list, printed over lines", pretty(&list)),
            (
                "a gateway's answer",
                format!("{{\"requestId\":\"r\",\"success\":true,\"data\":{list}}}"),
            ),
            (
                "a watch",
                format!(
                    "{{\"type\":\"ADDED\",\"object\":{starting}}}\n{{\"type\":\"MODIFIED\",\"object\":{started}}}\n"
                ),
            ),
            (
                "CloudWatch, newest first",
                insights(&[(T0 + 1, started.to_string()), (T0, starting.to_string())]),
            ),
        ],
        expected,
    );
    assert_eq!(transitions(YAML), expected, "YAML");
    let by_hand =
        "# by hand\n%YAML 1.2\n---\n".to_owned() + &YAML.replace("namespace: n", "namespace: &n 'n'  # ours");
    assert_eq!(
        transitions(by_hand.replace('\n', "\r\n")),
        expected,
        "YAML by hand"
    );
    let without_dashes = list.replace(
        "11111111-2222-3333-4444-555555555555",
        "11111111222233334444555555555555",
    );
    assert_eq!(transitions(&without_dashes), expected, "without dashes");
}

#[test]
fn explain_shows_carrier_id_and_entity() {
    let trail = call("2026-05-28T20:01:00Z", "StartApplication", &json!({}));
    let output = Command::new(env!("CARGO_BIN_EXE_flinktail"))
        .args(["explain", "-"])
        .write_stdin(format!("{{\"Records\":[{trail},{trail}]}}"))
        .assert()
        .success();
    let shown = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    for part in [
        "carrier cloudtrail-records (recognised)",
        "carrier cloudtrail (recognised): CloudTrail record",
        &format!("entity  kda_application {}", arn("a")),
        "event   ApplicationCall",
        "id      2026-05-28T20:01:00Z-StartApplication: counts once",
        "event   none: an event with this id was told before",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
}

#[test]
fn a_directory_takes_logs_of_documents() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(
        directory.path().join("trail.log"),
        each(&trail_events(), |_, text| text.to_owned() + "\n"),
    )
    .unwrap();
    fs::write(directory.path().join("user.log"), "\"x\"\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_flinktail"))
        .args(["replay", "--json"])
        .arg(directory.path())
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["entities"].as_array().unwrap().len(), 1);
}
