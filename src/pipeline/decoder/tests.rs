//! A carried log says what it says alone, whatever carries it and however its bytes were cut into reads.

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::{LogDecoder, LogSettings, ReadAt, Wording};
use crate::decode::layouts::Layouts;
use crate::line::LogId;
use crate::model::event::{Said, Seen};
use crate::rules::RuleSet;

/// A name over two lines, an exception, and a stack trace.
const STORY: &str = "\
2026-11-21 00:03:24,184 INFO  org.apache.flink.runtime.entrypoint.ClusterEntrypoint        [] - Preconfiguration: 
2026-11-21 00:03:25,184 INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph       [] - Job two
lines (0a1b2c3d4e5f60718293a4b5c6d7e8f9) switched from state CREATED to RUNNING.
2026-11-21 00:03:26,184 INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph       [] - Job \"q\\\" (fffffffffffffffffffffffffffffff0) switched from state RUNNING to FAILING.
java.lang.RuntimeException: boom
	at a.B(C.java:1)
Caused by: x.Y: z
2026-11-21 00:03:27,184 INFO  org.apache.flink.runtime.dispatcher.StandaloneDispatcher     [] - Submitting job 'three

lines' (0a1b2c3d4e5f60718293a4b5c6d7e8f9).
";

/// One of managed Flink's messages, which have no time of their own.
const MANAGED: &str = r#"{"logger":"org.apache.flink.runtime.executiongraph.ExecutionGraph","message":"Job orders (0a1b2c3d4e5f60718293a4b5c6d7e8f9) switched from state CREATED to RUNNING.","applicationARN":"arn:aws:kinesisanalytics:us-east-1:111122223333:application/orders","applicationVersionId":"7","messageType":"INFO"}"#;

/// The carriers' own time, which does not count where the record has one.
const TIME: &str = "2026-12-24T18:00:00.000000001Z";

type Wrap = fn(&str) -> String;

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn cri(line: &str) -> String {
    format!("{TIME} stdout F {line}\n")
}

/// Cut into pieces, between which the process writes to its other stream.
fn cri_in_pieces(line: &str) -> String {
    if line.len() <= 37 {
        return cri(line);
    }
    let (piece, rest) = line.split_at(37);
    format!("{TIME} stdout P {piece}\n{TIME} stderr F WARNING: boom\n") + &cri_in_pieces(rest)
}

fn docker(line: &str) -> String {
    let log = quoted(&format!("{line}\n"));
    format!("{{\"log\":{log},\"stream\":\"stdout\",\"time\":\"{TIME}\"}}\n")
}

fn fluent_bit(line: &str) -> String {
    let log = quoted(line);
    format!("{{\"date\":1795219404.1,\"log\":{log},\"kubernetes\":{{\"pod_name\":\"p\"}}}}\n")
}

fn vector(line: &str) -> String {
    let message = quoted(line);
    format!("{{\"message\":{message},\"source_type\":\"file\",\"timestamp\":\"{TIME}\"}}\n")
}

const WRAPS: [(&str, Wrap); 8] = [
    ("CRI", cri),
    ("CRI in pieces", cri_in_pieces),
    ("Docker", docker),
    ("Fluent Bit", fluent_bit),
    ("Vector", vector),
    ("aws logs tail", |line| format!("{TIME} stream {line}\n")),
    ("kubectl logs --timestamps", |line| format!("{TIME} {line}\n")),
    ("Docker in Vector in CRI", |line| {
        cri(vector(docker(line).trim_end()).trim_end())
    }),
];

fn wrapped(wrap: Wrap, text: &str) -> String {
    text.lines().map(wrap).collect()
}

/// Decodes a text cut at these places.
fn decode(text: &str, cuts: &[usize]) -> Vec<Seen> {
    static WORDING: LazyLock<Arc<Wording>> = LazyLock::new(|| {
        Arc::new(Wording::new(RuleSet::builtin().unwrap(), Layouts::builtin().unwrap()).unwrap())
    });
    let settings = LogSettings {
        zone: TimeZone::UTC,
        layout: None,
        line_bytes: 4096,
        record_bytes: 8192,
        reorder_window: jiff::SignedDuration::ZERO,
    };
    let mut decoder = LogDecoder::new(Arc::clone(&WORDING), LogId(1), settings);
    let now: Timestamp = "2027-01-01T12:00:00Z".parse().unwrap();
    let mut out = Vec::new();
    let mut from = 0;
    for cut in cuts.iter().copied().chain([text.len()]) {
        let bytes = &text.as_bytes()[from..cut.clamp(from, text.len())];
        if !bytes.is_empty() {
            let read = ReadAt {
                offset: from as u64,
                now,
                written: now,
                fresh: false,
            };
            decoder.push(bytes, None, read, &mut |seen| out.push(seen));
        }
        from += bytes.len();
    }
    decoder.file_end(now, &mut |seen| out.push(seen));
    out
}

fn told(seen: Vec<Seen>) -> Vec<(Option<Timestamp>, Said)> {
    seen.into_iter().map(|seen| (seen.at, seen.said)).collect()
}

#[test]
fn what_carries_a_log_changes_nothing_of_what_it_says() {
    let alone = told(decode(STORY, &[]));
    assert_eq!(alone.len(), 4, "{alone:?}");
    for (name, wrap) in WRAPS {
        assert_eq!(told(decode(&wrapped(wrap, STORY), &[])), alone, "{name}");
    }
}

#[test]
fn a_record_without_a_time_has_its_carriers() {
    let pretty = MANAGED
        .replace("{\"", "{\n    \"")
        .replace(",\"", ",\n    \"")
        .replace("\"}", "\"\n}");
    let carried: [(&str, String); 5] = [
        ("CRI", cri(MANAGED)),
        ("Vector", vector(MANAGED)),
        ("aws logs tail", format!("{TIME} stream {MANAGED}\n")),
        (
            "aws logs tail --format json",
            format!("{TIME} stream \n{pretty}\n"),
        ),
        ("export to S3", format!("{TIME} {MANAGED}\n")),
    ];
    for (name, text) in carried {
        let seen = decode(&text, &[]);
        let times: Vec<String> = seen.iter().map(|seen| seen.at.unwrap().to_string()).collect();
        assert_eq!(times, [TIME], "{name}");
    }
}

#[test]
fn standard_error_between_a_record_and_its_exception_is_neither() {
    let quiet = decode(&wrapped(cri, STORY), &[]);
    let noise = format!("{TIME} stderr F OpenJDK warning: boom\n");
    let mixed: String = wrapped(cri, STORY)
        .split_inclusive('\n')
        .flat_map(|line| [line, &noise])
        .collect();
    assert_eq!(told(decode(&mixed, &[])), told(quiet));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_carried_log_says_the_same_however_it_was_cut_into_reads(
        wrap in 0..WRAPS.len(),
        mut cuts in prop::collection::vec(0_usize..20_000, 0..24),
        times in 1..9_usize,
    ) {
        let text = wrapped(WRAPS[wrap].1, &STORY.repeat(times));
        cuts.sort_unstable();
        prop_assert_eq!(decode(&text, &cuts), decode(&text, &[]), "{}", WRAPS[wrap].0);
    }
}
