//! What carries documents changes nothing: the same events, in every carrier that can carry them and in those inside of
//! each other, tell the same transitions of the same entities; and bad input tells none.

use std::fmt::Write as _;
use std::fs;

use assert_cmd::Command;
use serde_json::{Value, json};

const ARN: &str = "arn:aws-cn:kinesisanalytics:cn-north-1:123456789012:application/NAME";

/// An event of CloudWatch: milliseconds since the epoch, and its message.
type Events = Vec<(i64, String)>;

const T0: i64 = 1_780_000_000_000;

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

fn time(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at)
        .unwrap()
        .strftime("%Y-%m-%dT%H:%M:%S%.3f")
        .to_string()
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn pretty(text: &str) -> String {
    serde_json::to_string_pretty(&serde_json::from_str::<Value>(text).unwrap()).unwrap()
}

fn each(events: &Events, one: impl Fn(i64, &str) -> String) -> String {
    events.iter().map(|(at, message)| one(*at, message)).collect()
}

fn event(index: usize, at: i64, message: &str) -> Value {
    json!({"eventId": format!("{index:056}"), "ingestionTime": at + 900, "logStreamName": "s", "message": message, "timestamp": at})
}

fn all(events: &Events, one: impl Fn(usize, i64, &str) -> Value) -> Vec<Value> {
    events
        .iter()
        .enumerate()
        .map(|(index, (at, message))| one(index, *at, message))
        .collect()
}

fn envelope(events: &[Value]) -> String {
    let events: Vec<Value> = events
        .iter()
        .map(|event| json!({"id": event["eventId"], "timestamp": event["timestamp"], "message": event["message"]}))
        .collect();
    json!({"logEvents": events, "messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g", "logStream": "s"}).to_string()
}

fn insights(events: &[(i64, String)]) -> String {
    let row = |(at, message): &(i64, String)| json!([{"field": "@timestamp", "value": time(*at).replace('T', " ")}, {"field": "@message", "value": message}, {"field": "@ptr", "value": "p"}]);
    let rows: Vec<Value> = events.iter().map(row).collect();
    json!({"results": rows, "status": "Complete"}).to_string()
}

fn csv_over_lines(events: &Events) -> String {
    let row = |(at, message): &(i64, String)| {
        let message = pretty(message).replace('"', "\"\"");
        format!("\"{message}\",{}\r\n", time(*at).replace('T', " "))
    };
    events.iter().rev().map(row).collect()
}

/// Every carrier of CloudWatch's events: its name and the text.
fn in_cloudwatch(events: &Events) -> Vec<(&'static str, String)> {
    let found = all(events, event);
    let whole = json!({"events": found, "searchedLogStreams": []}).to_string();
    let (left, right) = found.split_at(3);
    let pages = json!({"events": left, "nextToken": "t"}).to_string()
        + &json!({"events": &found[2..], "nextToken": null}).to_string();
    let without_ids = all(
        events,
        |_, at, message| json!({"timestamp": at, "message": message, "ingestionTime": at + 900}),
    );
    let newest_first: Events = events.iter().rev().cloned().collect();
    let live: String = found
        .chunks(2)
        .map(|events| {
            json!({"sessionUpdate": {"sessionMetadata": {"sampled": false}, "sessionResults": events}})
                .to_string()
                + "\n"
        })
        .collect();
    let csv = |at, message: &str| {
        format!(
            "{},\"{}\"\n",
            time(at).replace('T', " "),
            message.replace('"', "\"\"")
        )
    };
    let mut shuffled: Vec<String> = found.iter().map(Value::to_string).collect();
    shuffled.rotate_left(2);
    vec![
        ("filter-log-events", whole.clone()),
        ("filter-log-events, printed over lines", pretty(&whole)),
        ("pages, one event in both", pages),
        ("one event a line, out of order", shuffled.join("\r\n")),
        (
            "get-log-events",
            json!({"events": without_ids, "nextForwardToken": "f/1"}).to_string(),
        ),
        (
            "get-log-events twice",
            json!({"events": without_ids, "nextForwardToken": "f/1"})
                .to_string()
                .repeat(2),
        ),
        (
            "aws logs tail",
            each(events, |at, message| {
                format!("{}000+00:00 a/s {message}\n", time(at))
            }),
        ),
        (
            "aws logs tail --format json",
            each(events, |at, message| {
                format!("{}000+00:00 s \n{}\n", time(at), pretty(message))
            }),
        ),
        (
            "export to S3",
            each(events, |at, message| format!("{}Z {message}\n", time(at))),
        ),
        ("subscription", "\u{feff}".to_owned() + &envelope(&found)),
        (
            "subscriptions without separator, one delivered twice",
            envelope(left) + &envelope(right) + &envelope(left),
        ),
        ("a list of events", Value::from(found.clone()).to_string()),
        ("Live Tail", live),
        ("Logs Insights", insights(&newest_first)),
        (
            "Logs Insights as CSV",
            "@timestamp,@message\n".to_owned() + &each(events, csv),
        ),
        (
            "Logs Insights as CSV, messages printed over lines, newest first",
            "@message,@timestamp\r\n".to_owned() + &csv_over_lines(events),
        ),
        (
            "a torn page before the events",
            whole[..200].to_owned() + "\n" + &whole,
        ),
    ]
}

/// Everything that carries lines, and documents printed over lines.
fn in_lines(text: &str) -> Vec<(&'static str, String)> {
    const TIME: &str = "2027-01-01T00:00:00.000000001Z";
    let wrap = |one: &dyn Fn(&str) -> String| text.lines().fold(String::new(), |all, line| all + &one(line));
    let docker =
        |line: &str| json!({"log": format!("{line}\n"), "stream": "stdout", "time": TIME}).to_string() + "\n";
    let cut = |line: &str| {
        let middle = line.floor_char_boundary(line.len() / 2);
        format!(
            "{TIME} stdout P {}\n{TIME} stderr F noise\n{TIME} stdout F {}\n",
            &line[..middle],
            &line[middle..]
        )
    };
    vec![
        ("CRI", wrap(&|line| format!("{TIME} stdout F {line}\n"))),
        ("CRI, cut", wrap(&cut)),
        ("Docker", wrap(&docker)),
        (
            "Docker in CRI",
            wrap(&|line| format!("{TIME} stdout F {}", docker(line))),
        ),
        (
            "Vector",
            wrap(&|line| json!({"message": line, "timestamp": TIME}).to_string() + "\n"),
        ),
        (
            "Fluent Bit",
            wrap(&|line| json!({"log": line, "date": 1_798_761_600.1}).to_string() + "\n"),
        ),
    ]
}

/// All transitions of all entities, sorted by entity.
fn transitions(text: &str) -> String {
    let file = tempfile::Builder::new().suffix(".log").tempfile().unwrap();
    fs::write(file.path(), text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_flinktail"))
        .args(["replay", "--json", "--timezone", "UTC"])
        .arg(file.path())
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
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

fn check_all(carried: Vec<(&'static str, String)>, expected: &str) {
    let mut wrong = String::new();
    for (name, text) in carried {
        let inside = in_lines(&text);
        for (outer, text) in [("nothing", text)].into_iter().chain(inside) {
            let told = transitions(&text);
            if told != expected {
                write!(wrong, "{name} in {outer}:\n{told}\n").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "expected\n{expected}\n{wrong}");
}

#[test]
fn managed_messages_tell_the_same_in_every_carrier() {
    check_all(in_cloudwatch(&managed_events()), OF_MANAGED);
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
        transitions(&by_hand.replace('\n', "\r\n")),
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
fn bad_input_tells_nothing_and_explain_says_why() {
    let whole = managed("a", &job('a', "CREATED", "RUNNING"));
    let trail = call("2026-05-28T20:01:00Z", "StartApplication", &json!({}));
    let big = json!({"timestamp": T0, "eventId": "1", "message": "x".repeat(1 << 20)}).to_string();
    for (text, why) in [
        (
            whole[..whole.len() / 2].to_owned() + "\n{\"timestamp\":1,\"eventId\":\"1\",\"message\":\"m\"}",
            "not whole",
        ),
        (big, "layout  none"),
        (
            trail.replace("\"2026-05-28T20:01:00Z\"", "7.5e99"),
            "no eventTime",
        ),
        (trail.replace("\"a\"", "[\"a\"]"), "of which application"),
        (
            trail.replace(
                "\"responseElements\":null",
                "\"responseElements\":{\"applicationDetail\":{\"applicationStatus\":\"?\"}}",
            ),
            "`?` is no state",
        ),
        (
            call(
                "2026-05-28T20:01:00Z",
                "StartApplication",
                &json!({"errorCode": "AccessDenied"}),
            ),
            "was refused",
        ),
        (
            json!({"ApplicationDetail": {"ApplicationARN": arn("a"), "ApplicationStatus": 5}}).to_string(),
            "no ApplicationStatus",
        ),
        (
            json!({"ApplicationDetail": {"ApplicationARN": arn("a"), "ApplicationStatus": "MELTED"}})
                .to_string(),
            "`MELTED` is no state",
        ),
        (
            json!({"kind": "Job", "metadata": {"id": null}, "status": {"state": "STARTED"}}).to_string(),
            "no UUID",
        ),
        (
            json!({"kind": "Job", "metadata": {"id": "11111111-2222-3333-4444-555555555555"}, "status": []})
                .to_string(),
            "no status.state",
        ),
        (
            managed("a", &job('a', "CREATED", "MELTED")),
            "is no state that Flink has",
        ),
        (
            managed("a b", &job('a', "CREATED", "RUNNING")),
            "applicationARN is none",
        ),
    ] {
        assert_eq!(transitions(&text), "", "{why}: {text:.300}");
        let output = Command::new(env!("CARGO_BIN_EXE_flinktail"))
            .args(["explain", "-"])
            .write_stdin(text.clone())
            .output()
            .unwrap();
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(shown.contains(why), "{why}: {text:.300}\n{shown:.3000}");
    }
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
    fs::write(directory.path().join("user.log"), format!("{}\n", quoted("x"))).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_flinktail"))
        .args(["replay", "--json"])
        .arg(directory.path())
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["entities"].as_array().unwrap().len(), 1);
}
