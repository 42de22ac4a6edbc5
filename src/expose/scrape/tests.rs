//! Pages against a strict reader of both text formats, with names as hostile as they come.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::expose::catalog::{Kind, families};
use crate::expose::{Settings, Telemetry, ViewBuilder};
use crate::model::flink_job::JobState;
use crate::model::retention::{NameGlob, Override};
use crate::model::test_jobs::{self, job};
use crate::model::{Counters, Job};
use crate::stats::{LoadResult, ProgramStats, SourceStats, StoreStats};

fn view(jobs: &[Job], now: &str) -> View {
    let mut builder = ViewBuilder::new(Settings::default());
    for job in jobs {
        builder.put(&Arc::new(job.clone()));
    }
    builder.put_others(&test_jobs::fleet());
    let source = SourceStats {
        name: jobs
            .first()
            .and_then(|job| job.name.as_deref())
            .unwrap_or("-")
            .into(),
        clock_skew: Some(-0.5),
        ..SourceStats::default()
    };
    let stats = ProgramStats {
        sources: vec![Arc::new(source)],
        rule_matches: [("job_transition".to_owned(), 3)].into(),
        store: Some(StoreStats {
            up: true,
            load: LoadResult::New,
            commits: 1,
            errors: 0,
            last_success: Some(now.parse().unwrap()),
            bytes: 4096,
        }),
        ..ProgramStats::default()
    };
    builder.view(Counters::default(), stats, now.parse().unwrap())
}

/// The whole page as it is served.
fn page(jobs: &[Job], format: Format) -> String {
    let telemetry = Telemetry::new("2026-03-02T09:00:00Z".parse().unwrap()).unwrap();
    let view = Arc::new(view(jobs, "2026-03-02T09:30:00Z"));
    let pieces: String = Pieces::new(Arc::clone(&view), format).collect();
    for scrape in ["first", "second"] {
        let (length, page) = super::page(&view, format);
        assert_eq!(page.collect::<String>(), pieces, "{scrape}");
        assert_eq!(length, pieces.len() as u64, "what a client is told beforehand");
    }
    pieces + &telemetry.text(format) + format.end()
}

/// A sample as a strict reader sees it.
#[derive(Debug)]
struct Sample {
    name: String,
    labels: Vec<(String, String)>,
}

/// Reads a page as strictly as OpenMetrics 1.0 asks (the classic text format being a subset here but for its headers):
/// every family has HELP and TYPE once, before its samples; families do not interleave; no series comes twice; the
/// page ends in `# EOF`. Panics with the line at fault.
fn strictly_read(page: &str, format: Format) -> Vec<Sample> {
    let body = page
        .strip_suffix(format.end())
        .unwrap_or_else(|| panic!("no end: {page}"));
    let mut samples = Vec::new();
    let (mut seen, mut series) = (BTreeSet::new(), BTreeSet::new());
    let (mut family, mut kind) = (String::new(), String::new());
    for line in body.strip_suffix('\n').unwrap().split('\n') {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split(' ').next().unwrap().to_owned();
            assert!(seen.insert(family.clone()), "family twice: {line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, of) = rest.split_once(' ').unwrap();
            assert_eq!(name, family, "{line}");
            of.clone_into(&mut kind);
        } else if let Some(rest) = line.strip_prefix("# UNIT ") {
            let (name, unit) = rest.split_once(' ').unwrap();
            assert!(
                format == Format::OpenMetrics && name == family && name.ends_with(&format!("_{unit}")),
                "{line}"
            );
        } else {
            let sample = read_sample(line);
            let stem = match (kind.as_str(), format) {
                ("counter", Format::OpenMetrics) => sample
                    .name
                    .strip_suffix("_total")
                    .unwrap_or_else(|| panic!("{line}")),
                ("histogram", _) => sample.name.rsplit_once('_').unwrap().0,
                _ => &sample.name,
            };
            assert_eq!(stem, family, "outside its family: {line}");
            assert!(series.insert(format!("{sample:?}")), "series twice: {line}");
            samples.push(sample);
        }
    }
    samples
}

fn read_sample(line: &str) -> Sample {
    let name_end = line
        .find(['{', ' '])
        .unwrap_or_else(|| panic!("no value: {line}"));
    let (name, mut rest) = line.split_at(name_end);
    assert!(
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
        "{line}"
    );
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = rest
                .split_once("=\"")
                .unwrap_or_else(|| panic!("no label: {line}"));
            let (value, after) = read_value(after);
            labels.push((label.to_owned(), value));
            rest = &after[1..];
            match after.as_bytes()[0] {
                b',' => {}
                b'}' => break,
                _ => panic!("neither , nor }}: {line}"),
            }
        }
    }
    let value = rest
        .strip_prefix(' ')
        .unwrap_or_else(|| panic!("no space: {line}"));
    assert!(value.parse::<f64>().is_ok() && !value.contains(' '), "{line}");
    Sample {
        name: name.to_owned(),
        labels,
    }
}

/// A label's value up to its closing quote, unescaped, and what follows the quote.
fn read_value(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            '"' => return (value, &text[place + 1..]),
            '\\' => value.push(match characters.next().unwrap().1 {
                'n' => '\n',
                same @ ('\\' | '"') => same,
                other => panic!("no escape: \\{other}"),
            }),
            other => value.push(other),
        }
    }
    panic!("no closing quote: {text}");
}

/// Both pages of a job and a source of this name are read, and give the name back (cut where it is long).
fn check(name: &str) {
    for format in [Format::Text, Format::OpenMetrics] {
        let samples = strictly_read(&page(&[job(name)], format), format);
        let shown = crate::expose::escape::cut(name).replace('\0', "\u{fffd}");
        let named = |label: &str| {
            let mut values = samples
                .iter()
                .flat_map(|sample| &sample.labels)
                .filter(|(name, _)| name == label);
            assert!(values.all(|(_, value)| *value == shown), "{name:?}");
        };
        named("job_name");
        named("source");
        assert_eq!(
            samples
                .iter()
                .filter(|sample| sample.name == "flink_job_state")
                .count(),
            JobState::ALL.len()
        );
    }
}

#[test]
fn hostile_names_do_not_break_the_page() {
    for name in [
        "",
        "orders",
        "a\"} 1\nup{x=\"\\",
        "\\",
        "\"",
        "\n",
        "\r\n",
        "\0",
        "\u{202e}",
        "<script>",
        "# EOF\n",
        "é\u{2028}",
    ] {
        check(name);
    }
    check(&"long\n".repeat(200_000));
}

proptest! {
    #[test]
    fn no_name_breaks_the_page(name in any::<String>()) {
        check(&name);
    }
}

#[test]
fn every_family_is_on_the_page_under_its_type_but_those_that_need_a_setting() {
    for (format, counter) in [
        (Format::Text, "_total counter"),
        (Format::OpenMetrics, " counter"),
    ] {
        let page = page(&[job("orders")], format);
        for family in families() {
            let name = if format == Format::Text {
                family.name
            } else {
                family.openmetrics_name()
            };
            let expected = format!("# TYPE {name} {}\n", family.kind.name());
            let optional = [
                "flink_job_stuck_after_seconds",
                "flinktail_source_last_line_timestamp_seconds",
            ];
            assert_eq!(
                page.contains(&expected),
                !optional.contains(&family.name),
                "{expected}"
            );
            assert!(
                family.kind != Kind::Counter || expected.trim_end().ends_with(counter),
                "{expected}"
            );
        }
    }
}

#[test]
fn an_ended_job_leaves_with_all_its_series_and_stays_held() {
    let mut ended = job("batch");
    ended.state = JobState::Finished;
    for (now, shown) in [
        ("2026-03-02T10:00:00Z", true),
        ("2026-03-02T10:00:00.004Z", false),
    ] {
        let view = view(std::slice::from_ref(&ended), now);
        assert_eq!(view.jobs().len(), 1);
        let page = text(view, Format::Text);
        assert_eq!(page.contains("job_name=\"batch\""), shown, "{now}");
        assert_eq!(
            page.contains("# TYPE flink_job_state "),
            shown,
            "{now}: headers without samples"
        );
        assert!(
            page.contains("flinktail_entities{kind=\"flink_job\"} 1\n"),
            "{now}"
        );
    }
}

#[test]
fn settings_decide_on_transitions_and_overridden_thresholds() {
    let mut settings = Settings {
        transitions_per_job: false,
        ..Settings::default()
    };
    let slow = [(JobState::Restarting, std::time::Duration::from_millis(90_500))].into();
    settings.thresholds.overrides.push(Override {
        job_name: NameGlob::new("slow").unwrap(),
        by_state: slow,
    });
    let mut builder = ViewBuilder::new(settings);
    builder.put(&Arc::new(job("slow")));
    let now = "2026-03-02T09:30:00Z".parse().unwrap();
    let page = text(
        builder.view(Counters::default(), ProgramStats::default(), now),
        Format::Text,
    );
    assert!(!page.contains("flink_job_state_transitions_total"), "{page}");
    assert!(
        page.contains("job_name=\"slow\",state=\"RESTARTING\"} 90.5\n"),
        "{page}"
    );
    assert!(
        page.contains("flinktail_stuck_after_seconds{entity=\"flink_job\",state=\"RESTARTING\"} 600\n"),
        "{page}"
    );
}

#[test]
fn a_job_removed_by_the_model_vanishes() {
    let mut builder = ViewBuilder::new(Settings::default());
    let orders = job("orders");
    builder.put(&Arc::new(orders.clone()));
    builder.retain(|_, id| id != orders.id);
    let now = "2026-03-02T09:30:00Z".parse().unwrap();
    let page = text(
        builder.view(Counters::default(), ProgramStats::default(), now),
        Format::Text,
    );
    assert!(!page.contains("flink_job_state{"), "{page}");
}

#[test]
fn what_thousands_of_logs_say_is_not_held_between_scrapes() {
    let named = |number: usize| {
        let name = Arc::from(format!("log-{number}"));
        Arc::new(SourceStats {
            name,
            ..SourceStats::default()
        })
    };
    for (logs, is_held) in [(1, true), (1000, false)] {
        let mut builder = ViewBuilder::new(Settings::default());
        builder.put(&Arc::new(job("orders")));
        let stats = ProgramStats {
            sources: (0..logs).map(named).collect(),
            ..ProgramStats::default()
        };
        let now = "2026-03-02T09:30:00Z".parse().unwrap();
        let view = Arc::new(builder.view(Counters::default(), stats, now));
        let whole: String = Pieces::new(Arc::clone(&view), Format::Text).collect();
        let (length, page) = super::page(&view, Format::Text);
        assert_eq!((length, page.collect::<String>()), (whole.len() as u64, whole));
        let held = view
            .measured(Format::Text)
            .get()
            .map(|measured| measured.others.is_some());
        assert_eq!(held, Some(is_held), "{logs}");
    }
}
