//! Everything that may carry events and lines, as its programs write it.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

/// Events of CloudWatch: milliseconds since the epoch, and the message.
pub type Events = Vec<(i64, String)>;

/// ISO 8601 to the millisecond, without a zone.
pub fn time(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at)
        .unwrap()
        .strftime("%Y-%m-%dT%H:%M:%S%.3f")
        .to_string()
}

/// JSON over lines; what is no JSON as it is.
pub fn pretty(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => serde_json::to_string_pretty(&value).unwrap(),
        Err(_) => text.to_owned(),
    }
}

pub fn each(events: &Events, one: impl Fn(i64, &str) -> String) -> String {
    events.iter().map(|(at, message)| one(*at, message)).collect()
}

/// One layer of gzip.
pub fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn event(index: usize, at: i64, message: &str) -> Value {
    json!({"eventId": format!("{index:056}"), "ingestionTime": at + 900, "logStreamName": "s", "message": message, "timestamp": at})
}

fn all(events: &Events, one: impl Fn(usize, i64, &str) -> Value) -> Vec<Value> {
    let events = events.iter().enumerate();
    events
        .map(|(index, (at, message))| one(index, *at, message))
        .collect()
}

fn envelope(events: &[Value]) -> String {
    let events: Vec<Value> = events
        .iter()
        .map(|event| json!({"id": event["eventId"], "timestamp": event["timestamp"], "message": event["message"]}))
        .collect();
    json!({"logEvents": events, "messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g", "logStream": "s"})
        .to_string()
}

/// The answer of a query of Logs Insights, its rows in the order given.
pub fn insights(events: &[(i64, String)]) -> String {
    let row = |(at, message): &(i64, String)| json!([{"field": "@timestamp", "value": time(*at).replace('T', " ")}, {"field": "@message", "value": message}, {"field": "@ptr", "value": "p"}]);
    let rows: Vec<Value> = events.iter().map(row).collect();
    json!({"results": rows, "status": "Complete"}).to_string()
}

/// Every carrier of CloudWatch's events: its name and the text.
pub fn in_cloudwatch(events: &Events) -> Vec<(&'static str, String)> {
    let found = all(events, event);
    let whole = json!({"events": found, "searchedLogStreams": []}).to_string();
    let left = &found[..3];
    let pages = json!({"events": left, "nextToken": "t"}).to_string()
        + &json!({"events": &found[2..], "nextToken": null}).to_string();
    let without_id =
        |_, at, message: &str| json!({"timestamp": at, "message": message, "ingestionTime": at + 900});
    let got = json!({"events": all(events, without_id), "nextForwardToken": "f/1"}).to_string();
    let newest_first: Events = events.iter().rev().cloned().collect();
    let update = |events: &[Value]| {
        json!({"sessionUpdate": {"sessionMetadata": {"sampled": false}, "sessionResults": events}})
            .to_string()
            + "\n"
    };
    let cell = |text: &str| text.replace('"', "\"\"");
    let csv = |at, message: &str| format!("{},\"{}\"\n", time(at).replace('T', " "), cell(message));
    let csv_over_lines = |at, message: &str| {
        format!(
            "\"{}\",{}\r\n",
            cell(&pretty(message)),
            time(at).replace('T', " ")
        )
    };
    let mut shuffled: Vec<String> = found.iter().map(Value::to_string).collect();
    shuffled.rotate_left(2);
    let mut all = in_subscriptions(&found);
    all.extend([
        ("filter-log-events", whole.clone()),
        ("filter-log-events, printed over lines", pretty(&whole)),
        ("pages, one event in both", pages),
        ("one event a line, out of order", shuffled.join("\r\n")),
        ("get-log-events", got.clone()),
        ("get-log-events twice", got.repeat(2)),
        (
            "aws logs tail",
            each(events, |at, message| {
                format!("{}000+00:00 a/s {message}\n", time(at))
            }),
        ),
        (
            "aws logs tail in colours, behind a byte order mark",
            "\u{feff}".to_owned()
                + &each(events, |at, message| {
                    format!(
                        "\x1b[32m{}000+00:00\x1b[0m \x1b[36ms\x1b[0m {message}\n",
                        time(at)
                    )
                }),
        ),
        (
            "aws logs tail --format json",
            each(events, |at, message| {
                let is_json = message.starts_with('{');
                let end = if is_json { "\n" } else { "" };
                format!("{}000+00:00 s {end}{}\n", time(at), pretty(message))
            }),
        ),
        (
            "export to S3",
            each(events, |at, message| format!("{}Z {message}\n", time(at))),
        ),
        ("a list of events", Value::from(found.clone()).to_string()),
        ("Live Tail", found.chunks(2).map(update).collect()),
        ("Logs Insights, newest first", insights(&newest_first)),
        (
            "Logs Insights as CSV",
            "@timestamp,@message\n".to_owned() + &each(events, csv),
        ),
        (
            "Logs Insights as CSV, messages over lines, newest first",
            "@message,@timestamp\r\n".to_owned() + &each(&newest_first, csv_over_lines),
        ),
        (
            "a torn page before the events",
            whole[..200].to_owned() + "\n" + &whole,
        ),
    ]);
    all
}

/// As subscriptions deliver them.
fn in_subscriptions(found: &[Value]) -> Vec<(&'static str, String)> {
    let (left, right) = found.split_at(3);
    let record = |event: &Value| BASE64.encode(packed(envelope(std::slice::from_ref(event)).as_bytes()));
    let kinesis: Vec<Value> = found
        .iter()
        .map(|event| json!({"kinesis": {"data": record(event)}, "eventSource": "aws:kinesis"}))
        .collect();
    let firehose: Vec<Value> = found
        .iter()
        .map(|event| json!({"recordId": "1", "data": record(event)}))
        .collect();
    vec![
        ("subscription", "\u{feff}".to_owned() + &envelope(found)),
        (
            "subscriptions without separator, one delivered twice",
            envelope(left) + &envelope(right) + &envelope(left),
        ),
        (
            "subscription, as Lambda gets it",
            json!({"awslogs": {"data": BASE64.encode(packed(envelope(found).as_bytes()))}}).to_string(),
        ),
        (
            "subscription, from Kinesis",
            json!({"Records": kinesis}).to_string(),
        ),
        (
            "subscription, from Firehose",
            json!({"invocationId": "i", "records": firehose}).to_string(),
        ),
    ]
}

/// Another time than any event's: what carries a line does not date what is dated inside.
const TIME: &str = "2027-01-01T00:00:00.000000001Z";

/// Something that carries lines: its name, and a line of it for each.
pub type Wrap = (&'static str, fn(&str) -> String);

/// Everything that carries lines.
pub const WRAPS: [Wrap; 7] = [
    ("CRI", |line| format!("{TIME} stdout F {line}\n")),
    ("CRI, cut", |line| {
        let (head, rest) = line.split_at(line.floor_char_boundary(line.len() / 2));
        format!("{TIME} stdout P {head}\n{TIME} stderr F noise\n{TIME} stdout F {rest}\n")
    }),
    ("Docker", |line| {
        json!({"log": format!("{line}\n"), "stream": "stdout", "time": TIME}).to_string() + "\n"
    }),
    ("Docker with attributes, as Go writes it", |line| {
        let text = json!({"log": format!("{line}\n"), "stream": "stderr", "attrs": {"a": "b"}, "time": TIME})
            .to_string();
        text.replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026")
            + "\n"
    }),
    ("Vector", |line| {
        json!({"message": line, "timestamp": TIME, "source_type": "file"}).to_string() + "\n"
    }),
    ("Fluent Bit", |line| {
        json!({"log": line, "date": 1_798_761_600.1, "kubernetes": {"pod_name": "p"}}).to_string() + "\n"
    }),
    ("Filebeat", |line| {
        json!({"@timestamp": TIME, "message": line, "log": {"offset": 1}}).to_string() + "\n"
    }),
];

/// Each line of a text, carried.
pub fn wrapped(text: &str, (_, wrap): Wrap) -> String {
    text.lines().map(wrap).collect()
}

/// Each way to pack a text.
pub fn in_gzip(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let middle = text.floor_char_boundary(text.len() / 3);
    let members = [
        packed(&text.as_bytes()[..middle]),
        packed(&text.as_bytes()[middle..]),
    ]
    .concat();
    vec![
        ("gzip", packed(text.as_bytes())),
        ("gzip of gzip in members", packed(&members)),
        ("gzip in members", members),
    ]
}
