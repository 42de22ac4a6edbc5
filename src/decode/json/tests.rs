//! JSON records of every known shape, and hostile ones.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::{Json, Slot};
use crate::decode::clock::Clock;
use crate::decode::time::TimeForm;

fn layout(paths: &[(Slot, &str)]) -> Json {
    let paths = paths
        .iter()
        .map(|(slot, path)| (*slot, (*path).to_owned()))
        .collect();
    Json::new(paths, TimeForm::Any, None).unwrap()
}

/// A record as `time level logger message`, `-` for each that is not there; `None` where the line is no record.
fn read(json: &Json, line: &str) -> Option<String> {
    let mut clock = Clock::new(TimeZone::UTC, Timestamp::UNIX_EPOCH);
    assert_eq!(
        json.glance(line.as_bytes()).is_some(),
        json.decode(line.as_bytes(), &mut clock).is_some()
    );
    let record = json.decode(line.as_bytes(), &mut clock)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let at = record.at.map_or("-".to_owned(), |at| at.to_string());
    let level = record.level.map_or("-".to_owned(), |level| format!("{level:?}"));
    Some(format!(
        "{at} {level} {} {}",
        text(&record.logger),
        text(&record.message)
    ))
}

fn check(json: &Json, line: &str, expected: Option<&str>) {
    assert_eq!(read(json, line).as_deref(), expected, "{line}");
}

#[test]
fn a_path_is_a_flat_key_as_well_as_nested_ones() {
    let json = layout(&[
        (Slot::Level, "log.level"),
        (Slot::Logger, "a.b.c"),
        (Slot::Message, "m"),
    ]);
    let expected = Some("- Warn x.Y hi");
    check(&json, r#"{"log.level":"WARN","a.b.c":"x.Y","m":"hi"}"#, expected);
    check(
        &json,
        r#"{"log":{"level":"WARN"},"a":{"b":{"c":"x.Y"}},"m":"hi"}"#,
        expected,
    );
    check(
        &json,
        r#"{"log":{"level":"WARN"},"a":{"b.c":"x.Y"},"m":"hi"}"#,
        expected,
    );
    check(&json, r#"{"log":{"Level":"WARN"},"a":["b"],"m":"hi"}"#, None);
}

#[test]
fn the_first_path_and_the_first_of_two_equal_keys_win() {
    let json = layout(&[
        (Slot::Level, "l"),
        (Slot::Message, "message"),
        (Slot::Message, "msg"),
    ]);
    check(
        &json,
        r#"{"msg":"two","l":"INFO","message":"one"}"#,
        Some("- Info  one"),
    );
    check(
        &json,
        r#"{"msg":"two","l":"INFO","message":null}"#,
        Some("- Info  two"),
    );
    check(
        &json,
        r#"{"l":"INFO","message":"true","l":"ERROR","message":"forged"}"#,
        Some("- Info  true"),
    );
}

#[test]
fn times_since_the_epoch_are_told_by_their_size() {
    let json = layout(&[
        (Slot::Time, "t"),
        (Slot::Nanos, "n"),
        (Slot::Level, "l"),
        (Slot::Message, "m"),
    ]);
    for (time, at) in [
        ("1795219404", "2026-11-21T00:03:24Z"),
        ("1795219404,\"n\":184000000", "2026-11-21T00:03:24.184Z"),
        ("1795219404184", "2026-11-21T00:03:24.184Z"),
        ("1795219404.184", "2026-11-21T00:03:24.184Z"),
        ("1795219404184123", "2026-11-21T00:03:24.184123Z"),
        ("1795219404184123456", "2026-11-21T00:03:24.184123456Z"),
        ("\"1795219404184\"", "2026-11-21T00:03:24.184Z"),
        ("\"2026-11-21T00:03:24.184Z\"", "2026-11-21T00:03:24.184Z"),
    ] {
        check(
            &json,
            &format!(r#"{{"t":{time},"l":6,"m":"x"}}"#),
            Some(&format!("{at} Info  x")),
        );
    }
    for time in [
        "1e300",
        "-1e300",
        "true",
        "null",
        "{}",
        "[1]",
        "\"2026-11-21T00:03:24.184Z or so\"",
        "99999999999999999999",
    ] {
        check(&json, &format!(r#"{{"t":{time},"l":6,"m":"x"}}"#), None);
    }
}

#[test]
fn what_is_no_whole_object_with_a_message_is_no_record() {
    let json = layout(&[(Slot::Level, "l"), (Slot::Message, "m")]);
    for line in [
        "",
        "{",
        "[]",
        "null",
        "text",
        r#"{"l":"INFO"}"#,
        r#"{"l":"INFO","m":1}"#,
        r#"{"l":"INFO","m":"x"} x"#,
        r#"{"l":"INFO","m":"x"#,
    ] {
        check(&json, line, None);
    }
    for line in [
        r#"  {"l":"INFO","m":"x"}"#,
        r#"{"l":"INFO","m":"x"},"#,
        ",{\"l\":\"INFO\",\"m\":\"x\"}\r",
    ] {
        check(&json, line, Some("- Info  x"));
    }
}

proptest! {
    #[test]
    fn no_line_makes_it_panic(line in "\\{?([\"{}\\[\\],:a-m0-9.\\\\]|\"[lm]\":){0,60}", bytes in any::<Vec<u8>>()) {
        let json = layout(&[(Slot::Time, "t"), (Slot::Level, "l.m"), (Slot::Message, "m"), (Slot::CauseText, "c")]);
        let mut clock = Clock::new(TimeZone::UTC, Timestamp::UNIX_EPOCH);
        json.decode(line.as_bytes(), &mut clock);
        json.decode(&bytes, &mut clock);
    }

    #[test]
    fn a_message_comes_out_as_it_went_in(message in any::<String>()) {
        let json = layout(&[(Slot::Level, "l"), (Slot::Message, "m")]);
        let line = serde_json::json!({"l": "INFO", "m": message}).to_string();
        let mut clock = Clock::new(TimeZone::UTC, Timestamp::UNIX_EPOCH);
        let record = json.decode(line.as_bytes(), &mut clock).unwrap();
        prop_assert_eq!(&*record.message, message.as_bytes());
    }
}
