//! One log's decoder: what records say, however their bytes were cut into reads.

mod faults;
mod quiet;

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::{ChosenLayout, LogDecoder, LogSettings, ReadAt, Wording};
use crate::decode::layouts::Layouts;
use crate::line::LogId;
use crate::model::event::{Event, Said, Seen};
use crate::rules::RuleSet;
use crate::stats::{Blind, RecordResult};

const J: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
const K: &str = "fffffffffffffffffffffffffffffff0";

fn wording() -> Arc<Wording> {
    static WORDING: LazyLock<Arc<Wording>> = LazyLock::new(|| {
        Arc::new(Wording::new(RuleSet::builtin().unwrap(), Layouts::builtin().unwrap()).unwrap())
    });
    Arc::clone(&WORDING)
}

fn settings(layout: Option<&str>) -> LogSettings {
    LogSettings {
        zone: TimeZone::UTC,
        layout: layout.map(|text| ChosenLayout::new(&wording().layouts, text).unwrap()),
        line_bytes: 4096,
        record_bytes: 4096,
        reorder_window: jiff::SignedDuration::ZERO,
    }
}

fn decoder(wording: &Arc<Wording>, layout: Option<&str>) -> LogDecoder {
    LogDecoder::new(Arc::clone(wording), LogId(1), settings(layout))
}

/// Decodes a text cut at these places; every other piece is searched beforehand.
fn decode(decoder: &mut LogDecoder, text: &[u8], cuts: &[usize]) -> Vec<Seen> {
    let mut out = Vec::new();
    let (mut hits, mut searched) = (Vec::new(), false);
    let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    let mut from = 0;
    for cut in cuts.iter().copied().chain([text.len()]) {
        let cut = cut.clamp(from, text.len());
        let read = ReadAt {
            offset: from as u64,
            now,
            written: now,
            fresh: false,
        };
        let bytes = &text[from..cut];
        if cut > from {
            wording().search(bytes, &mut hits);
            decoder.push(bytes, searched.then_some(&hits), read, &mut |seen| out.push(seen));
        }
        searched = !searched;
        from = cut;
    }
    decoder.file_end(now, &mut |seen| out.push(seen));
    out
}

fn told(seen: &[Seen]) -> Vec<String> {
    let of = |seen: &Seen| match &seen.said {
        Said::Event(event) => format!("{}@{} {event:?}", seen.at.unwrap(), seen.offset),
        Said::Cause(cause) => format!("cause {}: {}", cause.class, cause.message),
    };
    seen.iter().map(of).collect()
}

/// What decoding a text tells, each event cut down to its variant's name and its job's first letters.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let seen = decode(&mut decoder(&wording(), None), text.as_bytes(), &[]);
    let short: Vec<String> = told(&seen)
        .iter()
        .map(|told| match told.split_once(' ') {
            Some(("cause", cause)) => cause.to_owned(),
            Some((_, event)) => event.split([' ', '{']).next().unwrap().to_owned(),
            None => told.clone(),
        })
        .collect();
    assert_eq!(short, expected, "{text}");
}

fn line(logger: &str, message: &str) -> String {
    format!("2026-11-21 00:03:24,184 INFO  {logger:<60} [] - {message}\n")
}

fn graph(message: &str) -> String {
    line("org.apache.flink.runtime.executiongraph.ExecutionGraph", message)
}

fn banner() -> String {
    line(
        "org.apache.flink.runtime.entrypoint.ClusterEntrypoint",
        "Preconfiguration: ",
    )
}

#[test]
fn a_name_with_newlines_is_read_over_its_lines_and_an_exception_is_its_records_cause() {
    check(
        &[
            banner(),
            graph(&format!(
                "Job two\nlines ({J}) switched from state CREATED to RUNNING."
            )),
            graph(&format!("Job a ({K}) switched from state RUNNING to FAILING.")),
            "java.lang.RuntimeException: boom\n\tat a.B(C.java:1)\nCaused by: x.Y: z\n".to_owned(),
            line(
                "org.apache.flink.runtime.dispatcher.StandaloneDispatcher",
                &format!("Submitting job 'three\n\nlines' ({J})."),
            ),
        ]
        .concat(),
        &[
            "JobTransition",
            "JobTransition",
            "java.lang.RuntimeException: boom",
            "JobSubmitted",
        ],
    );
}

#[test]
fn look_alikes_are_not_believed() {
    let words = format!("Job a ({J}) switched from state RUNNING to FAILED.");
    check(
        &[
            banner(),
            line("com.acme.AuditTrail", &words),
            line("ExecutionGraph", &words),
            graph(&format!("Task of {words}")),
            graph(&format!("Job a ({J}) switched from state RUNNING to NOWHERE.")),
            line("com.acme.AuditTrail", &format!("two lines\n{words}")),
        ]
        .concat(),
        &[],
    );
}

#[test]
fn the_logging_context_of_another_job_refuses_a_line() {
    let mdc = |job: &str| {
        format!(
            "2026-11-21 00:03:24,184 INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph [{job}] - Job a ({J}) switched from state RUNNING to FAILED.\n"
        )
    };
    check(&(mdc(J) + &mdc(K)), &["JobTransition"]);
}

#[test]
fn a_line_or_record_that_is_too_long_is_skipped_counted_and_forgotten() {
    let words = graph(&format!("Job a ({J}) switched from state CREATED to RUNNING."));
    let long = "x".repeat(100_000);
    let text = [
        banner(),
        graph(&format!(
            "Job {long} ({J}) switched from state CREATED to RUNNING."
        )),
        words.clone(),
    ]
    .concat();
    for cuts in [vec![], vec![300, 5_000, 90_000]] {
        let mut decoder = decoder(&wording(), None);
        assert_eq!(decode(&mut decoder, text.as_bytes(), &cuts).len(), 1, "{cuts:?}");
        assert_eq!(decoder.tally().records(RecordResult::TooLong), 1, "{cuts:?}");
    }
    let trace = "\tat a.B(C.java:1)\n".repeat(10_000);
    let mut decoder = decoder(&wording(), None);
    let text = [banner(), graph("Job never ends"), trace, words].concat();
    assert_eq!(decode(&mut decoder, text.as_bytes(), &[400, 80_000]).len(), 1);
}

#[test]
fn a_log_that_cannot_show_transitions_is_known() {
    for (text, blind) in [
        (banner().repeat(9), None),
        (
            banner().replace("INFO ", "WARN ").repeat(9),
            Some(Blind::LevelAboveInfo),
        ),
        (
            "2026-11-21 00:03:24,184 INFO - Starting up now\n".repeat(9),
            Some(Blind::NoLogger),
        ),
        ("no header at all\n".repeat(9_000), Some(Blind::UnknownLayout)),
    ] {
        let mut decoder = decoder(&wording(), None);
        decode(&mut decoder, text.as_bytes(), &[]);
        assert_eq!(decoder.tally().blind(), blind, "{}", &text[..40]);
    }
    let mut chosen = decoder(&wording(), Some("%d{ISO8601} [%t] %-5p %c{1} - %m%n"));
    decode(&mut chosen, banner().repeat(9).as_bytes(), &[]);
    assert_eq!(
        chosen.tally().blind(),
        Some(Blind::UnknownLayout),
        "a pattern that is another log's"
    );
}

#[test]
fn a_pattern_without_loggers_is_refused() {
    let error = ChosenLayout::new(&wording().layouts, "%d %-5p %m%n").unwrap_err();
    assert!(error.contains("prints no logger"), "{error}");
}

#[test]
fn a_process_that_comes_back_with_another_layout_is_read_on() {
    let wording = wording();
    let mut decoder = decoder(&wording, None);
    let words = format!("Job a ({J}) switched from state CREATED to RUNNING.");
    let first = [banner().repeat(40), graph(&words)].concat();
    assert_eq!(decode(&mut decoder, first.as_bytes(), &[]).len(), 1);
    let json = |logger: &str, message: &str| {
        format!(
            "{{\"@timestamp\":\"2026-11-21T00:03:06.146Z\",\"ecs.version\":\"1.2.0\",\"log.level\":\"INFO\",\"message\":\"{message}\",\"log.logger\":\"{logger}\"}}\n"
        )
    };
    let second = json("org.apache.flink.runtime.executiongraph.ExecutionGraph", &words);
    assert_eq!(decode(&mut decoder, second.as_bytes(), &[]).len(), 1);
    assert_eq!(decoder.layout().as_deref(), Some("ecs"));
}

/// Lines of which random logs are made.
fn pieces() -> Vec<String> {
    vec![
        banner(),
        graph(&format!("Job a ({J}) switched from state CREATED to RUNNING.")),
        graph(&format!(
            "Job two\nlines\n ({K}) switched from state RUNNING to FAILING."
        )),
        "java.lang.RuntimeException: boom\n".to_owned(),
        "\tat a.B(C.java:1)\n".to_owned(),
        format!("Job b ({K}) switched from state RUNNING to FAILED.\n"),
        line(
            "com.acme.AuditTrail",
            &format!("Job a ({J}) switched from state RUNNING to FAILED."),
        ),
        line(
            "org.apache.flink.runtime.dispatcher.StandaloneDispatcher",
            &format!("Submitting job 'x\ny' ({J})."),
        ),
        line(
            "org.apache.flink.runtime.scheduler.adaptive.AdaptiveScheduler",
            "Restarting job.",
        ),
        graph("Job begins and never"),
        "\n".to_owned(),
        "x".repeat(5_000) + "\n",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn what_is_told_does_not_depend_on_how_the_bytes_were_cut(
        lines in prop::collection::vec(0..12_usize, 1..40),
        cuts in prop::collection::vec(0..12_000_usize, 0..40),
        sure in any::<bool>(),
    ) {
        let wording = wording();
        let pieces = pieces();
        // A layout is beyond doubt after 20 headers, and lines are then looked at where they lie.
        let text = banner().repeat(if sure { 25 } else { 1 }) + &lines.iter().map(|line| pieces[*line].as_str()).collect::<String>();
        let mut cuts = cuts;
        cuts.sort_unstable();
        let whole = decode(&mut decoder(&wording, None), text.as_bytes(), &[]);
        let cut = decode(&mut decoder(&wording, None), text.as_bytes(), &cuts);
        prop_assert_eq!(told(&whole), told(&cut));
        let bytewise: Vec<usize> = (0..text.len()).step_by(7).collect();
        prop_assert_eq!(told(&whole), told(&decode(&mut decoder(&wording, None), text.as_bytes(), &bytewise)));
    }

    #[test]
    fn no_bytes_make_it_panic(text in prop::collection::vec(any::<u8>(), 0..4000), cuts in prop::collection::vec(0..4000_usize, 0..9)) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        decode(&mut decoder(&wording(), None), &text, &cuts);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn what_stands_before_the_first_header_hides_nothing_behind_it(
        traces in prop_oneof![0..40_usize, 600..700_usize, 1_900..2_100_usize, 5_000..9_000_usize],
        cuts in prop::collection::vec(0..300_000_usize, 0..20),
    ) {
        let trace = "\tat com.acme.enrich.Enricher.process(Enricher.java:88)\n".repeat(traces);
        let words = [format!("Job a ({J}) switched from state CREATED to RUNNING."), format!("Job a ({J}) switched from state RUNNING to FINISHED.")];
        let text = [trace.as_str(), &graph(&words[0]), &graph(&words[1]), &banner().repeat(900)].concat();
        let mut cuts = cuts;
        cuts.sort_unstable();
        let whole = decode(&mut decoder(&wording(), None), text.as_bytes(), &[]);
        prop_assert_eq!(whole.len(), 2);
        prop_assert_eq!(told(&whole), told(&decode(&mut decoder(&wording(), None), text.as_bytes(), &cuts)));
    }
}
