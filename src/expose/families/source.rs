//! `flinktail_source_*` and `flinktail_records_total`: what was read, by log. `cluster` is that of the log: it joins a log to
//! its jobs, but for jobs whose cluster each record names itself.

use crate::expose::catalog::{Family, Fill, Kind, Stability};
use crate::stats::{Blind, Lost, Op, RecordResult, Rotation};

/// The families, in the order of the page.
pub static FAMILIES: &[Family] = &[
    Family {
        name: "flinktail_source_read_bytes_total",
        kind: Kind::Counter,
        unit: Some("bytes"),
        labels: &["source", "cluster"],
        help: "Bytes read from a log, after unpacking.",
        moves: "From 0, with every read.",
        bound: "1 per source",
        query: "sum by (source) (rate(flinktail_source_read_bytes_total[5m]))",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Source(|source, samples| {
            samples.add(&[&source.name, &source.cluster], source.read_bytes);
        }),
    },
    Family {
        name: "flinktail_source_lag_bytes",
        kind: Kind::Gauge,
        unit: Some("bytes"),
        labels: &["source", "cluster"],
        help: "Bytes known to be in a log and not read yet.",
        moves: "With every look at the file; near 0 while following.",
        bound: "1 per source",
        query: "max by (source) (flinktail_source_lag_bytes) > 64 * 1024 * 1024",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Source(|source, samples| {
            samples.add(&[&source.name, &source.cluster], source.lag_bytes);
        }),
    },
    Family {
        name: "flinktail_source_lost_bytes_total",
        kind: Kind::Counter,
        unit: Some("bytes"),
        labels: &["source", "cluster", "reason"],
        help: "Bytes destroyed before they could be read: truncated, or rotated_away.",
        moves: "From 0. Any rise may hide a transition.",
        bound: "2 per source",
        query: "sum by (source) (increase(flinktail_source_lost_bytes_total[10m])) > 0",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Source(|source, samples| {
            for reason in Lost::ALL {
                let count = source.lost_bytes.get(&reason).copied().unwrap_or_default();
                samples.add(&[&source.name, &source.cluster, reason.name()], count);
            }
        }),
    },
    Family {
        name: "flinktail_source_rotations_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["source", "cluster", "kind"],
        help: "Times that a log's file was replaced: rename, truncate or replace.",
        moves: "From 0, when a rotation is seen.",
        bound: "3 per source",
        query: "sum by (source, kind) (increase(flinktail_source_rotations_total[1h]))",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Source(|source, samples| {
            for kind in Rotation::ALL {
                let count = source.rotations.get(&kind).copied().unwrap_or_default();
                samples.add(&[&source.name, &source.cluster, kind.name()], count);
            }
        }),
    },
    Family {
        name: "flinktail_source_last_line_timestamp_seconds",
        kind: Kind::Gauge,
        unit: Some("seconds"),
        labels: &["source", "cluster"],
        help: "When the newest record looked at in a log was written, in Unix seconds.",
        moves: "With the records looked at; a running job's checkpoint lines are its heartbeat. Absent before the first record with a time.",
        bound: "1 per source",
        query: "time() - flinktail_source_last_line_timestamp_seconds > 1800",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Source(|source, samples| {
            if let Some(at) = source.last_line {
                samples.add(&[&source.name, &source.cluster], at);
            }
        }),
    },
    Family {
        name: "flinktail_source_clock_skew_seconds",
        kind: Kind::Gauge,
        unit: Some("seconds"),
        labels: &["source", "cluster"],
        help: "Time of reading less the time that a log gives, for its newest record.",
        moves: "With records read while following; near 0. Whole hours mean a wrong time zone. Absent before the first such record.",
        bound: "1 per source",
        query: "abs(flinktail_source_clock_skew_seconds) > 300",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Source(|source, samples| {
            if let Some(skew) = source.clock_skew {
                samples.add(&[&source.name, &source.cluster], skew);
            }
        }),
    },
    Family {
        name: "flinktail_source_errors_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["source", "cluster", "op"],
        help: "Operations on a log's files that failed: list, stat, open, read or unpack.",
        moves: "From 0, with every failure; each is tried again.",
        bound: "5 per source",
        query: "sum by (source, op) (increase(flinktail_source_errors_total[15m])) > 0",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Source(|source, samples| {
            for op in Op::ALL {
                samples.add(
                    &[&source.name, &source.cluster, op.name()],
                    source.errors.get(&op).copied().unwrap_or_default(),
                );
            }
        }),
    },
    Family {
        name: "flinktail_source_blind",
        kind: Kind::Gauge,
        unit: None,
        labels: &["source", "cluster", "reason"],
        help: "1 where a log cannot show transitions: level_above_info, no_logger, unknown_layout or encoding.",
        moves: "To 1 when enough of the log was seen to tell, back to 0 when a transition could be read. All reasons are always there.",
        bound: "4 per source",
        query: "flinktail_source_blind == 1",
        stability: Stability::Experimental,
        since: "0.1.0",
        fill: Fill::Source(|source, samples| {
            for reason in Blind::ALL {
                samples.add(
                    &[&source.name, &source.cluster, reason.name()],
                    source.blind == Some(reason),
                );
            }
        }),
    },
    Family {
        name: "flinktail_records_total",
        kind: Kind::Counter,
        unit: None,
        labels: &["source", "result"],
        help: "Records looked at, by what became of them: event, ignored, refused, unparsed, too_long, invalid_utf8, damaged or duplicate.",
        moves: "From 0. Lines that hold no word of any rule are not looked at, those of a managed log included, but for a thin sample that shows a changed layout.",
        bound: "8 per source",
        query: "sum by (source) (rate(flinktail_records_total{result=\"unparsed\"}[30m])) / sum by (source) (rate(flinktail_records_total[30m])) > 0.5",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Source(|source, samples| {
            for (result, count) in RecordResult::ALL.into_iter().zip(source.records) {
                samples.add(&[&source.name, result.name()], count);
            }
        }),
    },
];
