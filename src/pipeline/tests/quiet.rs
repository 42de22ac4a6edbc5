//! Lines of documents that are let go by unopened: they change nothing of what comes out.

use proptest::prelude::*;

use super::{J, K, settings, told, wording};
use crate::line::LogId;
use crate::model::event::Seen;
use crate::pipeline::{EventIds, ReadAt, SourceDecoder};

const GRAPH: &str = "org.apache.flink.runtime.executiongraph.ExecutionGraph";

fn record(logger: &str, message: &str, exported: bool) -> String {
    let time = if exported { "2026-11-21T00:03:24.184Z " } else { "" };
    format!(
        "{time}{{\"applicationARN\":\"arn:aws:kinesisanalytics:eu-west-1:123456789012:application/acme\",\
         \"applicationVersionId\":\"7\",\"logger\":\"{logger}\",\"message\":\"{message}\",\
         \"messageSchemaVersion\":\"1\",\"messageType\":\"INFO\"}}\n"
    )
}

fn any_line() -> impl Strategy<Value = String> {
    let quiet = "[a-z ]{0,30}".prop_map(|text| ("a.b.C", text));
    let said = (prop::sample::select(vec![J, K]), any::<bool>()).prop_map(|(job, up)| {
        let (from, to) = if up {
            ("CREATED", "RUNNING")
        } else {
            ("RUNNING", "FAILING")
        };
        (
            GRAPH,
            format!("Job n ({job}) switched from state {from} to {to}."),
        )
    });
    let record = (prop_oneof![6 => quiet, 1 => said], prop::bool::weighted(0.2))
        .prop_map(|((logger, message), exported)| record(logger, &message, exported));
    let error = Just(
        "{\"applicationARN\":\"arn:aws:kinesisanalytics:eu-west-1:123456789012:application/acme\",\
         \"applicationVersionId\":7,\"errorCode\":\"E.Code\",\"message\":\"why\",\"messageType\":\"ERROR\"}\n"
            .to_owned(),
    );
    let damaged = record
        .clone()
        .prop_map(|line| format!("{}\n", &line[..line.len() / 2]));
    let other = Just("{\n  \"events\": [\n  ]\n}\n".to_owned());
    prop_oneof![12 => record, 1 => error, 1 => damaged, 1 => other]
}

/// What a text tells that is read `step` bytes at a time.
fn decode(text: &str, step: usize) -> Vec<String> {
    let settings = settings(None);
    let mut decoder = SourceDecoder::new(wording(), LogId(1), settings, EventIds::default());
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    let mut seen: Vec<Seen> = Vec::new();
    let mut offset = 0;
    for bytes in text.as_bytes().chunks(step) {
        let read = ReadAt {
            offset,
            now,
            written: now,
            fresh: false,
        };
        decoder.push(bytes, None, read, &mut |one| seen.push(one));
        offset += bytes.len() as u64;
    }
    decoder.file_end(now, &mut |one| seen.push(one));
    for one in &mut seen {
        one.at.get_or_insert(now);
    }
    told(&seen)
}

#[test]
fn what_is_not_opened_would_have_told_nothing() {
    let head = record("a.b.C", "first", false);
    proptest!(|(lines in prop::collection::vec(any_line(), 1..60))| {
        let text = format!("{head}{}", lines.concat());
        let whole = decode(&text, text.len());
        prop_assert_eq!(&whole, &decode(&text, 1));
        prop_assert_eq!(&whole, &decode(&text, 777));
    });
}
