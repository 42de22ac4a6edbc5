//! Each kind of document, by what it is found to be and what it tells; and damaged ones, by why they tell nothing.

use super::{Around, Leaf, Opened, Walker, event_id};

const ARN: &str = "arn:aws:kinesisanalytics:us-east-1:111122223333:application/orders";

/// What is met in a text, a line for each step: its kind, time, and what it tells.
fn walk(text: &str) -> Vec<String> {
    let (mut walker, mut out) = (Walker::default(), Vec::new());
    let mut step = |step: super::Step<'_>| {
        let at = step.around.at.map_or_else(|| "-".to_owned(), |at| at.to_string());
        out.push(match step.leaf {
            Leaf::Carries(carrier, count) => format!("{} x{count}", carrier.id),
            Leaf::Damaged(_) => "damaged".to_owned(),
            Leaf::Text(text) => format!("text {at} {}", String::from_utf8_lossy(text)),
            Leaf::Document(carrier, Opened::Tells(told), _) => {
                let at = told.at.map_or_else(|| "-".to_owned(), |at| at.to_string());
                format!("{} {at} {:?}", carrier.id, told.event)
            }
            Leaf::Document(carrier, Opened::Record(_), _) => format!("{} {at} record", carrier.id),
            Leaf::Document(carrier, Opened::Silent(why), _) => format!("{} silent: {why}", carrier.id),
            Leaf::Document(carrier, Opened::Refused(why), _) => format!("{} {why:?}", carrier.id),
            Leaf::Document(..) => "?".to_owned(),
        });
    };
    walker.push(text.as_bytes(), 0, &mut step);
    walker.end(&mut step);
    out
}

/// Each expected text stands somewhere in its step.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let found = walk(text);
    let fits = found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(found, part)| found.contains(part));
    assert!(fits, "{text}\n found {found:#?}\n expected {expected:#?}");
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn record() -> String {
    format!(r#"{{"logger":"a.B","message":"m","applicationARN":"{ARN}","messageType":"INFO"}}"#)
}

#[test]
fn managed_messages_are_records_or_errors_of_the_service() {
    check(&record(), &["managed-flink - record"]);
    check(&record().replace(ARN, "arn:aws:s3:::x"), &["Broken"]);
    check(
        &format!(
            r#"{{"applicationARN":"{ARN}","applicationVersionId":5,"message":"a\n\tb","messageType":"ERROR","errorCode":"CodeError.X"}}"#
        ),
        &[
            r#"ApplicationError { application: arn:aws:kinesisanalytics:us-east-1:111122223333:application/orders, error: Cause { class: "CodeError.X", message: "a" }"#,
        ],
    );
}

#[test]
fn events_of_cloudwatch_carry_messages_with_their_time() {
    let message = quoted(&record());
    let event = format!(
        r#"{{"timestamp":1772514600000,"message":{message},"ingestionTime":1772514601200,"eventId":"1"}}"#
    );
    let at = "managed-flink 2026-03-03T05:10:00Z record";
    check(&event, &["log-event x1", at]);
    check(
        &format!(r#"{{"events":[{event},{event}],"nextToken":null}}"#),
        &["log-events x2", at, at],
    );
    check(
        &format!(r#"{{"events":[{event}]}}{{"events":[]}}"#),
        &["log-events x1", at, "log-events x0"],
    );
    let envelope = format!(r#"{{"messageType":"DATA_MESSAGE","logGroup":"g","logEvents":[{event}]}}"#);
    check(&envelope, &["subscription x1", at]);
    check(
        &(envelope.clone() + &envelope),
        &["subscription x1", at, "subscription x1", at],
    );
    check(
        r#"{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logEvents":[]}"#,
        &["silent: CloudWatch checks"],
    );
    check(
        &format!(r#"{{"sessionUpdate":{{"sessionResults":[{event}]}}}}"#),
        &["live-tail x1", at],
    );
    check(
        r#"{"events":[{"timestamp":1,"eventId":"1"},null],"nextToken":"t"}"#,
        &["log-events x2", "text", "text"],
    );
}

#[test]
fn prefixes_and_queries_give_the_time() {
    let record = record();
    let pretty = record
        .replace("{\"", "{\n    \"")
        .replace(",\"", ",\n    \"")
        .replace('}', "\n}");
    let at = "managed-flink 2026-03-02T09:00:00.004Z record";
    for text in [
        format!("2026-03-02T09:00:00.004000+00:00 a/stream {record}\n"),
        format!("\u{1b}[32m2026-03-02T09:00:00.004000+00:00\u{1b}[0m \u{1b}[36ms\u{1b}[0m {record}\n"),
        format!("2026-03-02T09:00:00.004Z {record}\r\n"),
        format!("2026-03-02T09:00:00.004000+00:00 s \n{pretty}\n"),
        format!("2026-03-02T09:00:00.004000+00:00 s\n{pretty}"),
        format!("2026-03-02T09:00:00.004Z stdout F {record}\n"),
        format!(
            "@timestamp,@message\n2026-03-02 09:00:00.004,\"{}\"\n",
            record.replace('"', "\"\"")
        ),
    ] {
        check(&text, &[at]);
    }
    let query = format!(
        r#"{{"results":[[{{"field":"@timestamp","value":"2026-03-02 09:00:00.004"}},{{"field":"@message","value":{}}}]],"status":"Complete"}}"#,
        quoted(&record)
    );
    check(&query, &["insights x1", at]);
    check(
        "2026-03-02T09:00:00Z s java.lang.X: y\n\tat z\n2026-03-02T09:00:01Z INFO a\n",
        &[
            "2026-03-02T09:00:00Z java.lang.X: y",
            "2026-03-02T09:00:00Z \tat z",
            "2026-03-02T09:00:01Z INFO a",
        ],
    );
}

fn call(name: &str, more: &str) -> String {
    format!(
        r#"{{"eventTime":"2026-03-05T14:00:00Z","eventSource":"kinesisanalytics.amazonaws.com","eventName":"{name}","awsRegion":"cn-north-1",{more}"requestParameters":{{"applicationName":"orders","force":true}},"responseElements":null,"eventID":"e","recipientAccountId":"111122223333"}}"#
    )
}

#[test]
fn accepted_calls_tell_and_others_say_why_not() {
    let stop = call("StopApplication", "");
    let told = "cloudtrail 2026-03-05T14:00:00Z ApplicationCall { application: arn:aws-cn:kinesisanalytics:cn-north-1:111122223333:application/orders, call: Stop { force: true }, answered: None }";
    check(&stop, &[told]);
    check(
        &format!(r#"{{"Records":[{stop}]}}"#),
        &["cloudtrail-records x1", told],
    );
    check(
        &format!(r#"{{"detail-type":"AWS API Call via CloudTrail","detail":{stop}}}"#),
        &["eventbridge x1", told],
    );
    let lookup = format!(
        r#"{{"Events":[{{"EventId":"e","CloudTrailEvent":{}}}],"NextToken":"t"}}"#,
        quoted(&stop)
    );
    check(&lookup, &["cloudtrail-lookup x1", "cloudtrail-lookup x1", told]);
    check(
        &call("StopApplication", r#""errorCode":"ResourceInUseException","#),
        &["silent: StopApplication was refused"],
    );
    check(
        &call("DescribeApplication", ""),
        &["silent: DescribeApplication changes no state"],
    );
    check(
        &stop.replace("kinesisanalytics.", "s3."),
        &["silent: a call of s3."],
    );
    check(&stop.replace("eventTime", "x"), &["no eventTime"]);
    check(&stop.replace("orders", "a b"), &["of which application"]);
    check(
        &stop.replace(
            r#""responseElements":null"#,
            r#""responseElements":{"applicationDetail":{"applicationStatus":"MELTING"}}"#,
        ),
        &[r#"UnknownState("MELTING")"#],
    );
}

#[test]
fn answers_about_applications_report_their_state() {
    let detail = format!(
        r#"{{"ApplicationARN":"{ARN}","ApplicationStatus":"autoscaling","ApplicationVersionId":"7"}}"#
    );
    let told = "ApplicationReported { application: arn:aws:kinesisanalytics:us-east-1:111122223333:application/orders, state: Autoscaling, version: Some(7) }";
    check(&format!(r#"{{"ApplicationDetail":{detail}}}"#), &[told]);
    check(
        &format!(r#"{{"ApplicationSummaries":[{detail}]}}"#),
        &["list-applications x1", told],
    );
    check(
        &format!(
            r#"{{"ApplicationVersionDetail":{}}}"#,
            detail.replace("autoscaling", "ROLLED_BACK")
        ),
        &["version: 7, state: RolledBack"],
    );
    check(
        &format!(
            r#"{{"ApplicationDetail":{}}}"#,
            detail.replace("autoscaling", "STOPPED")
        ),
        &["UnknownState(\"STOPPED\")"],
    );
    check(
        r#"{"ApplicationDetail":{"ApplicationStatus":"READY"}}"#,
        &["ApplicationARN is missing"],
    );
    check(r#"{"ApplicationDetail":[]}"#, &["Broken"]);
    check(
        r#"{"ApplicationOperationInfoList":[{"Operation":"StartApplication"}]}"#,
        &["silent: operations do not say"],
    );
}

const JOB: &str = r#"{"kind":"Job","metadata":{"id":"720c4fdf-1043-4359-9e6e-7ad6660b89db","namespace":"n","modifiedAt":"2026-03-06T08:00:00.101Z","resourceVersion":"12"},"status":{"state":"started","started":{"transitionTime":"2026-03-06T08:00:00Z","observedFlinkJobStatus":"UNKNOWN"}}}"#;

const YAML: &str = "apiVersion: v1\nkind: Job\nmetadata:\n  id: 720c4fdf-1043-4359-9e6e-7ad6660b89db\n  namespace: n\n  modifiedAt: \"2026-03-06T08:00:00.101Z\"\n  resourceVersion: 12\nspec: {}\nstatus:\n  state: started\n  started:\n    transitionTime: 2026-03-06T08:00:00Z\n    observedFlinkJobStatus: UNKNOWN\n";

#[test]
fn platform_jobs_are_read_as_json_and_as_yaml() {
    let told = "vvp-resource 2026-03-06T08:00:00.101Z PlatformJobReported(PlatformJob { id: 720c4fdf-1043-4359-9e6e-7ad6660b89db";
    check(JOB, &[told]);
    check(
        &format!(r#"{{"kind":"JobList","items":[{JOB},{JOB}]}}"#),
        &["vvp-list x2", told, told],
    );
    check(&format!("[{JOB}]"), &["list x1", told]);
    check(YAML, &[told]);
    check(&format!("---\n{YAML}---\n{YAML}"), &[told, told]);
    assert_eq!(walk(JOB), walk(YAML));
    check(
        &JOB.replace("\"started\",", "\"MELTED\","),
        &["UnknownState(\"MELTED\")"],
    );
    check(&JOB.replace("720c", "x"), &["no UUID"]);
    check(
        r#"{"kind":"Job","apiVersion":"batch/v1","metadata":{"name":"x"}}"#,
        &["text"],
    );
    check(r#"{"kind":"Job","metadata":{"id":7}}"#, &["no UUID"]);
    check("kind: [\n", &["damaged"]);
    check(
        r#"{"kind":"Event","metadata":{"id":"1","name":"JOB_SUCCESSFULLY_STARTED","createdAt":"2026-03-06T08:00:00Z","jobId":"720c4fdf-1043-4359-9e6e-7ad6660b89db"}}"#,
        &["2026-03-06T08:00:00Z PlatformEvent"],
    );
    check(
        r#"{"kind":"Event","metadata":{"name":"GENERAL_FAILURE","jobId":null,"deploymentId":"d"}}"#,
        &["silent: the event `GENERAL_FAILURE`"],
    );
}

#[test]
fn what_carries_lines_may_carry_documents_cut_into_lines() {
    let pretty = JOB.replace(",\"", ",\n  \"");
    let docker: String = pretty
        .lines()
        .map(|line| {
            format!(
                r#"{{"log":{},"stream":"stdout","time":"2026-03-06T09:00:00Z"}}"#,
                quoted(&format!("{line}\n"))
            ) + "\n"
        })
        .collect();
    let cri = pretty
        .lines()
        .map(|line| format!("2026-03-06T09:00:00Z stdout F {line}\n"));
    let cri = cri.collect::<Vec<_>>().concat();
    let vector = pretty.lines().map(|line| {
        let message = quoted(line);
        format!("{{\"message\":{message},\"timestamp\":\"2026-03-06T09:00:00Z\"}}\n")
    });
    let vector = vector.collect::<Vec<_>>().concat();
    for text in [docker, cri, vector] {
        check(&text, &["vvp-resource 2026-03-06T08:00:00.101Z"]);
    }
}

#[test]
fn a_users_json_that_looks_like_a_resource_is_text() {
    let logged = format!(
        r#"{{"@timestamp":"2026-03-06T09:00:00Z","level":"INFO","logger":"com.example.X","message":{}}}"#,
        quoted(JOB)
    );
    check(&logged, &["text"]);
    check(
        &format!("2026-03-06 09:00:00,000 INFO com.example.X - {JOB}\n"),
        &["text"],
    );
}

#[test]
fn packed_subscriptions_are_unpacked() {
    // {"messageType":"CONTROL_MESSAGE"}, packed with gzip and base64.
    let data = "H4sIAAAAAAAC/6tWyk0tLk5MTw2pLEhVslJy9vcLCfL3ifd1DQ52dHdVqgUAG/cvDCEAAAA=";
    let expected = &["subscription-packed x1", "silent: CloudWatch checks"];
    check(&format!(r#"{{"awslogs":{{"data":"{data}"}}}}"#), expected);
    check(
        &format!(r#"{{"Records":[{{"Data":"{data}","SequenceNumber":"1"}}]}}"#),
        &[
            "subscription-packed x1",
            "subscription-packed x1",
            "silent: CloudWatch checks",
        ],
    );
    check(r#"{"awslogs":{"data":"H4sI*"}}"#, &["no gzip in base64"]);
}

#[test]
fn damage_is_told_and_what_is_whole_inside_is_read() {
    let stop = call("StopApplication", "");
    check(
        &format!(r#"{{"Records":[{stop},{}"#, &stop[..100]),
        &["damaged", "cloudtrail 2026"],
    );
    check(
        &format!(
            "{{\"timestamp\":1772514600000,\"eventId\":\"1\",\"message\":{}}}",
            quoted(&record()[..50])
        ),
        &["log-event x1", "damaged"],
    );
}

#[test]
fn ids_of_events_never_change() {
    assert_eq!(event_id(""), 0xcbf2_9ce4_8422_2325);
    assert_eq!(event_id("a"), 0xaf63_dc4c_8601_ec8c);
    let around = Around::default().event(None, Some("7".into()));
    assert_eq!(
        (around.ids.as_slice(), around.by_time),
        (&["7".into()][..], false)
    );
}
