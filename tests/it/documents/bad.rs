//! Bad input: what each piece of it is counted as, what `explain` says of it, and that no state comes of it.

use flinktail::cli::explain::{Reading, explain};
use flinktail::stats::RecordResult;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::carriers::packed;
use super::{T0, WORDING, arn, call, job, managed, read, transitions};

/// What was counted of it, `damaged 1, ignored 2`, and how many words that are no state.
fn counted(content: &[u8]) -> String {
    let stats = read(content).stats;
    let count = |result: &RecordResult| stats.sources[0].records[*result as usize];
    let results = RecordResult::ALL.iter().filter(|result| count(result) > 0);
    let mut counted: Vec<String> = results
        .map(|result| format!("{} {}", result.name(), count(result)))
        .collect();
    if stats.unknown_states > 0 {
        counted.push(format!("unknown states {}", stats.unknown_states));
    }
    counted.join(", ")
}

fn explained(content: &[u8]) -> String {
    let reading = Reading {
        wording: &WORDING,
        layout: None,
        zone: TimeZone::UTC,
        now: Timestamp::UNIX_EPOCH,
    };
    let mut out = Vec::new();
    let found = explain(content, &reading, &mut out).unwrap();
    assert!(!found, "something was understood");
    String::from_utf8(out).unwrap()
}

#[track_caller]
fn check(content: impl AsRef<[u8]>, count: &str, why: &str) {
    let content = content.as_ref();
    let shown = String::from_utf8_lossy(&content[..content.len().min(300)]);
    assert_eq!(transitions(content), "", "{shown}");
    assert_eq!(counted(content), count, "{shown}");
    let told = explained(content);
    assert!(told.contains(why), "{why}: {shown}\n{told:.3000}");
}

fn event(message: &str) -> String {
    json!({"timestamp": T0, "eventId": "1", "message": message}).to_string()
}

fn start() -> String {
    call("2026-05-28T20:01:00Z", "StartApplication", &json!({}))
}

fn resource(metadata: &serde_json::Value, status: &serde_json::Value) -> String {
    json!({"kind": "Job", "metadata": metadata, "status": status}).to_string()
}

const ID: &str = "11111111-2222-3333-4444-555555555555";

#[test]
fn json_that_is_none_is_damaged() {
    let whole = managed("a", &job('a', "CREATED", "RUNNING"));
    check(
        event(&whole[..whole.len() / 2]),
        "damaged 1",
        "damaged JSON that is not whole",
    );
    check(
        start()[..90].to_owned() + "\n" + &event("m"),
        "damaged 1",
        "damaged JSON that is not whole",
    );
    let deep = "[".repeat(200) + &"]".repeat(200);
    check(format!("{deep}\n{}", event("m")), "damaged 1", "damaged");
}

#[test]
fn what_cannot_be_unpacked_is_refused() {
    check(
        r#"{"awslogs":{"data":"H4sI*"}}"#,
        "refused 1",
        "no gzip in base64",
    );
    let cut = packed(start().as_bytes());
    let cut = &cut[..cut.len() / 2];
    assert_eq!(transitions(cut), "");
}

#[test]
fn a_message_of_a_megabyte_is_looked_at_and_tells_nothing() {
    check(event(&"x".repeat(1 << 20)), "too_long 1", "layout  none");
    let long = managed("a", &("x".repeat(1 << 20) + &job('a', "CREATED", "RUNNING")));
    check(event(&long), "too_long 1", "rule    none");
}

#[test]
fn wrong_types_are_refused() {
    check(
        start().replace("\"a\"", "[\"a\"]"),
        "refused 1",
        "of which application",
    );
    check(
        start().replace("\"2026-05-28T20:01:00Z\"", "7.5e99"),
        "refused 1",
        "no eventTime",
    );
    check(
        json!({"ApplicationDetail": {"ApplicationARN": arn("a"), "ApplicationStatus": 5}}).to_string(),
        "refused 1",
        "no ApplicationStatus",
    );
    check(
        json!({"ApplicationDetail": {"ApplicationARN": 5, "ApplicationStatus": "READY"}}).to_string(),
        "refused 1",
        "ApplicationARN is missing",
    );
    check(
        resource(&json!({"id": null}), &json!({"state": "STARTED"})),
        "refused 1",
        "no UUID",
    );
    check(
        resource(&json!({"id": ID}), &json!([])),
        "refused 1",
        "no status.state",
    );
    check(
        json!({"events": [{"message": 5, "timestamp": T0}], "nextToken": null, "searchedLogStreams": []})
            .to_string(),
        "",
        "layout  none",
    );
    check(
        json!({"messageType": "DATA_MESSAGE", "logEvents": {}}).to_string(),
        "refused 1",
        "no logEvents",
    );
    check(
        managed("a b", &job('a', "CREATED", "RUNNING")),
        "refused 1",
        "applicationARN is none",
    );
}

#[test]
fn words_that_are_no_state_are_counted_as_such() {
    let detail = |status: &str| {
        json!({"ApplicationDetail": {"ApplicationARN": arn("a"), "ApplicationStatus": status}}).to_string()
    };
    check(
        detail("MELTED"),
        "refused 1, unknown states 1",
        "`MELTED` is no state",
    );
    check(
        detail("UNKNOWN"),
        "refused 1, unknown states 1",
        "`UNKNOWN` is no state",
    );
    check(
        start().replace(
            "\"responseElements\":null",
            "\"responseElements\":{\"applicationDetail\":{\"applicationStatus\":\"?\"}}",
        ),
        "refused 1, unknown states 1",
        "`?` is no state",
    );
    check(
        resource(&json!({"id": ID}), &json!({"state": "MOLTEN"})),
        "refused 1, unknown states 1",
        "`MOLTEN` is no state",
    );
    check(
        managed("a", &job('a', "CREATED", "MELTED")),
        "refused 1, unknown states 1",
        "is no state that Flink has",
    );
}

#[test]
fn what_was_refused_or_changes_nothing_is_ignored() {
    let refused = json!({"errorCode": "AccessDenied"});
    check(
        call("2026-05-28T20:01:00Z", "StartApplication", &refused),
        "ignored 1",
        "was refused: \"AccessDenied\"",
    );
    check(
        call("2026-05-28T20:01:00Z", "TagResource", &json!({})),
        "ignored 1",
        "changes no state",
    );
    check(
        json!({"messageType": "CONTROL_MESSAGE", "logEvents": []}).to_string(),
        "ignored 1",
        "checks whether the destination is there",
    );
    check(
        json!({"kind": "Deployment", "metadata": {"id": ID}, "status": {"state": "RUNNING"}}).to_string(),
        "ignored 1",
        "is no job",
    );
    check(
        json!({"ApplicationOperationInfoList": []}).to_string(),
        "ignored 1",
        "do not say of which application",
    );
}

#[test]
fn calls_and_events_without_a_time_are_refused() {
    let without = call("x", "StartApplication", &json!({"eventTime": null}));
    check(without, "refused 1", "no eventTime");
    check(
        json!({"kind": "Event", "metadata": {"jobId": ID, "name": "JOB_SUCCESSFULLY_STARTED"}}).to_string(),
        "refused 1",
        "no metadata.createdAt",
    );
}

#[test]
fn an_error_of_the_service_is_kept_and_moves_nothing() {
    let error = json!({"applicationARN": arn("a"), "applicationVersionId": 3, "message": "X\n\tat y", "messageType": "ERROR", "errorCode": "CodeError.X"});
    assert_eq!(transitions(error.to_string()), "");
    assert_eq!(counted(error.to_string().as_bytes()), "event 1");
}
