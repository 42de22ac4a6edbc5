//! Events of carriers that keep no order: while they are followed they wait for earlier ones, each counts once in all
//! logs, and a restart at any byte neither loses nor repeats one.

use std::sync::Arc;

use flinktail::decode::layouts::Layouts;
use flinktail::line::LogId;
use flinktail::model::event::Seen;
use flinktail::pipeline::{EventIds, LogSettings, Memory, ReadAt, SourceDecoder, Wording};
use flinktail::rules::RuleSet;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

const WINDOW: SignedDuration = SignedDuration::from_secs(5);

fn wording() -> Arc<Wording> {
    Arc::new(Wording::new(RuleSet::builtin().unwrap(), Layouts::builtin().unwrap()).unwrap())
}

fn decoder(wording: &Arc<Wording>, log: u32, ids: &EventIds) -> SourceDecoder {
    let settings = LogSettings {
        zone: TimeZone::UTC,
        layout: None,
        line_bytes: 1 << 20,
        record_bytes: 1 << 20,
        reorder_window: WINDOW,
    };
    SourceDecoder::new(Arc::clone(wording), LogId(log), settings, ids.clone())
}

fn call(minute: u32, name: &str) -> String {
    format!(
        "{{\"eventTime\":\"2026-03-05T14:{minute:02}:00Z\",\"eventSource\":\"kinesisanalytics.amazonaws.com\",\"eventName\":\"{name}\",\
         \"awsRegion\":\"us-east-1\",\"requestParameters\":{{\"applicationName\":\"a\"}},\"eventID\":\"{minute}\",\
         \"recipientAccountId\":\"111122223333\"}}\n"
    )
}

fn at(second: i64) -> ReadAt {
    let now = Timestamp::from_second(1_800_000_000 + second).unwrap();
    ReadAt {
        offset: 0,
        now,
        written: now,
        fresh: true,
    }
}

fn minutes(seen: &[Seen]) -> Vec<i8> {
    seen.iter()
        .map(|seen| seen.at.unwrap().to_zoned(TimeZone::UTC).minute())
        .collect()
}

#[test]
fn what_is_followed_waits_for_earlier_events_and_a_later_one_comes_as_it_is() {
    let mut seen = Vec::new();
    let mut decoder = decoder(&wording(), 1, &EventIds::default());
    decoder.push(call(9, "StopApplication").as_bytes(), None, at(0), &mut |told| {
        seen.push(told);
    });
    decoder.push(call(1, "StartApplication").as_bytes(), None, at(2), &mut |told| {
        seen.push(told);
    });
    decoder.pass(at(4).now, &mut |told| seen.push(told));
    assert!(seen.is_empty() && decoder.is_waiting(), "{seen:?}");
    decoder.pass(at(5).now, &mut |told| seen.push(told));
    assert_eq!(minutes(&seen), [1, 9]);
    assert!(!decoder.is_waiting());
    decoder.push(
        call(3, "UpdateApplication").as_bytes(),
        None,
        at(60),
        &mut |told| {
            seen.push(told);
        },
    );
    decoder.pass(at(66).now, &mut |told| seen.push(told));
    assert_eq!(minutes(&seen), [1, 9, 3], "the model says that it is late");
}

#[test]
fn old_content_is_told_as_it_stands() {
    let mut seen = Vec::new();
    let mut decoder = decoder(&wording(), 1, &EventIds::default());
    let text = call(9, "StopApplication") + &call(1, "StartApplication") + &call(9, "StopApplication");
    let read = ReadAt {
        fresh: false,
        ..at(0)
    };
    decoder.push(text.as_bytes(), None, read, &mut |told| seen.push(told));
    assert_eq!(minutes(&seen), [9, 1], "and the third has an id that was told");
}

#[test]
fn a_restart_at_any_byte_neither_loses_nor_repeats_an_event() {
    let wording = wording();
    let text =
        call(9, "StopApplication") + &call(1, "StartApplication") + "x\n" + &call(4, "UpdateApplication");
    for cut in (0..=text.len()).step_by(7) {
        let mut seen = Vec::new();
        let mut before = decoder(&wording, 1, &EventIds::default());
        before.push(&text.as_bytes()[..cut], None, at(0), &mut |told| seen.push(told));
        let memory = before.memory();
        let mut written: Memory = serde_json::from_str(&serde_json::to_string(&memory).unwrap()).unwrap();
        written.carry.clone_from(&memory.carry);
        let ids = EventIds::default();
        let mut after = decoder(&wording, 1, &ids);
        after.remember(written);
        let read = ReadAt {
            offset: cut as u64,
            ..at(1)
        };
        after.push(&text.as_bytes()[cut..], None, read, &mut |told| seen.push(told));
        after.pass(at(9).now, &mut |told| seen.push(told));
        assert_eq!(minutes(&seen), [1, 4, 9], "cut at {cut}");
        // The same events, delivered once more in another file, after another restart.
        let mut again = decoder(&wording, 2, &EventIds::default());
        again.remember(after.memory());
        again.push(
            (call(1, "StartApplication") + &call(9, "StopApplication")).as_bytes(),
            None,
            at(20),
            &mut |told| {
                seen.push(told);
            },
        );
        again.file_end(at(30).now, &mut |told| seen.push(told));
        assert_eq!(seen.len(), 3, "cut at {cut}");
    }
}
