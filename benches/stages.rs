//! What each stage of the data flow costs, by criterion: `cargo bench`. What the whole program reaches is measured from
//! outside, by `benches/report`.

// A bench that cannot be set up has nothing to measure.
#![allow(clippy::expect_used)]

use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flinktail::decode::clock::Clock;
use flinktail::decode::layouts::Layouts;
use flinktail::expose::{Format, Settings, ViewBuilder, scrape};
use flinktail::line::LogId;
use flinktail::model::event::Seen;
use flinktail::model::{Counters, Fleet, LogContext};
use flinktail::pipeline::{LogDecoder, LogSettings, ReadAt, Wording};
use flinktail::rules::RuleSet;
use flinktail::stats::ProgramStats;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What the reader gives the decoder at once, bytes.
const READ: usize = 256 * 1024;

fn wording() -> Arc<Wording> {
    let rules = RuleSet::builtin().expect("the built-in rules are good");
    let layouts = Layouts::builtin().expect("the built-in layouts are good");
    Arc::new(Wording::new(rules, layouts).expect("the literals are few"))
}

fn line(number: usize, logger: &str, message: &str) -> String {
    let (minute, second) = (number / 60 % 60, number % 60);
    format!(
        "2026-11-01 00:{minute:02}:{second:02},007 INFO  org.apache.flink.runtime.{logger:<40} [] - {message}\n"
    )
}

/// A log that says nothing of jobs' states.
fn uninteresting() -> String {
    let mut log = String::new();
    for number in 0.. {
        let message = format!(
            "Completed checkpoint {number} for job {number:032x} (556034132 bytes, checkpointDuration=22 ms)."
        );
        log += &line(number, "checkpoint.CheckpointCoordinator", &message);
        if log.len() > READ {
            break;
        }
    }
    log
}

/// `count` transitions of `jobs` jobs, each RUNNING and RESTARTING in turn.
fn transitions(count: usize, jobs: usize) -> String {
    (0..count)
        .map(|number| {
            let (from, to) = if (number / jobs).is_multiple_of(2) {
                ("CREATED", "RUNNING")
            } else {
                ("RUNNING", "RESTARTING")
            };
            let job = number % jobs;
            let message = format!("Job orders-{job} ({job:032x}) switched from state {from} to {to}.");
            line(number, "executiongraph.ExecutionGraph", &message)
        })
        .collect()
}

fn read_at() -> ReadAt {
    ReadAt {
        offset: 0,
        now: Timestamp::UNIX_EPOCH,
        written: Timestamp::UNIX_EPOCH,
        fresh: false,
    }
}

fn decoder(wording: &Arc<Wording>) -> LogDecoder {
    let settings = LogSettings {
        zone: TimeZone::UTC,
        layout: None,
        line_bytes: 1 << 20,
        record_bytes: 1 << 20,
        reorder_window: jiff::SignedDuration::ZERO,
    };
    LogDecoder::new(Arc::clone(wording), LogId(1), settings)
}

fn seen(wording: &Arc<Wording>, log: &str) -> Vec<Seen> {
    let mut seen = Vec::new();
    decoder(wording).push(log.as_bytes(), None, read_at(), &mut |said| seen.push(said));
    seen
}

fn fleet(seen: &[Seen]) -> Fleet {
    let mut fleet = Fleet::with_limit(usize::MAX);
    fleet.open_log(
        LogId(1),
        LogContext {
            cluster: Arc::from("bench"),
        },
    );
    for said in seen {
        fleet.apply(said, Timestamp::UNIX_EPOCH);
    }
    fleet
}

fn scan(criterion: &mut Criterion) {
    let (wording, log) = (wording(), uninteresting());
    let mut hits = Vec::new();
    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::Bytes(log.len() as u64));
    group.bench_function("uninteresting lines", |bench| {
        bench.iter(|| wording.search(log.as_bytes(), &mut hits));
    });
}

fn decode(criterion: &mut Criterion) {
    let wording = wording();
    let mut group = criterion.benchmark_group("decode");
    let quiet = uninteresting();
    let mut reader = decoder(&wording);
    reader.push(quiet.as_bytes(), None, read_at(), &mut |_| {});
    group.throughput(Throughput::Bytes(quiet.len() as u64));
    group.bench_function("uninteresting lines", |bench| {
        bench.iter(|| reader.push(quiet.as_bytes(), None, read_at(), &mut |_| {}));
    });
    let busy = transitions(1000, 100);
    group.throughput(Throughput::Elements(1000));
    group.bench_function("transitions", |bench| {
        bench.iter(|| reader.push(busy.as_bytes(), None, read_at(), &mut |_| {}));
    });
    let layout = wording
        .layouts
        .get(wording.layouts.named("log4j-stock").expect("a built-in layout"));
    let header = transitions(1, 1);
    let mut clock = Clock::new(TimeZone::UTC, Timestamp::UNIX_EPOCH);
    group.throughput(Throughput::Elements(1));
    group.bench_function("a header", |bench| {
        bench.iter(|| layout.is_header(header.as_bytes()));
    });
    group.bench_function("a record", |bench| {
        bench.iter(|| layout.decode(header.as_bytes(), &mut clock).is_some());
    });
}

fn match_rules(criterion: &mut Criterion) {
    let wording = wording();
    let layout = wording
        .layouts
        .get(wording.layouts.named("log4j-stock").expect("a built-in layout"));
    let mut clock = Clock::new(TimeZone::UTC, Timestamp::UNIX_EPOCH);
    let text = transitions(1, 1);
    let record = layout.decode(text.as_bytes(), &mut clock);
    let mut group = criterion.benchmark_group("match");
    group.bench_function("a transition", |bench| {
        bench.iter(|| record.as_ref().map(|record| wording.rules.event(record, false)));
    });
}

fn apply(criterion: &mut Criterion) {
    let seen = seen(&wording(), &transitions(10_000, 1000));
    let mut group = criterion.benchmark_group("apply");
    group.throughput(Throughput::Elements(seen.len() as u64));
    group.bench_function("transitions of 1,000 jobs", |bench| {
        bench.iter(|| fleet(&seen).len());
    });
}

fn render(criterion: &mut Criterion) {
    let fleet = fleet(&seen(&wording(), &transitions(10_000, 1000)));
    let view = || {
        let mut views = ViewBuilder::new(Settings::default());
        fleet.shared_jobs().for_each(|job| views.put(job));
        views.view(
            Counters::default(),
            ProgramStats::default(),
            Timestamp::UNIX_EPOCH,
        )
    };
    let mut group = criterion.benchmark_group("render");
    group.throughput(Throughput::Elements(fleet.len() as u64));
    group.bench_function("1,000 jobs that changed", |bench| bench.iter(view));
    group.bench_function("1,000 jobs that changed, and their page", |bench| {
        bench.iter(|| scrape::text(view(), Format::Text).len());
    });
}

criterion_group!(stages, scan, decode, match_rules, apply, render);
criterion_main!(stages);
