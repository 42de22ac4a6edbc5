//! `flinktail_store_*`: whether what is shown would survive a crash. Absent without a state directory.

use crate::expose::catalog::{Family, Fill, Kind, Stability};
use crate::stats::LoadResult;

/// The families, in the order of the page.
pub static FAMILIES: &[Family] = &[
    Family {
        name: "flinktail_store_up",
        kind: Kind::Gauge,
        unit: None,
        labels: &[],
        help: "1 while what is shown is also on the disk, 0 while it is shown from memory alone.",
        moves: "To 0 when the state directory cannot be written, back to 1 with the next commit; tried again by itself. Absent without a state directory.",
        bound: "1",
        query: "flinktail_store_up == 0",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            if let Some(store) = &view.stats().store {
                samples.add(&[], store.up);
            }
        }),
    },
    Family {
        name: "flinktail_store_commits_total",
        kind: Kind::Counter,
        unit: None,
        labels: &[],
        help: "Commits to the store.",
        moves: "From 0 with the process; at most 20 a second.",
        bound: "1",
        query: "rate(flinktail_store_commits_total[5m])",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            if let Some(store) = &view.stats().store {
                samples.add(&[], store.commits);
            }
        }),
    },
    Family {
        name: "flinktail_store_errors_total",
        kind: Kind::Counter,
        unit: None,
        labels: &[],
        help: "Commits, and attempts to open the store, that failed.",
        moves: "From 0 with the process.",
        bound: "1",
        query: "increase(flinktail_store_errors_total[10m]) > 0",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            if let Some(store) = &view.stats().store {
                samples.add(&[], store.errors);
            }
        }),
    },
    Family {
        name: "flinktail_store_last_success_timestamp_seconds",
        kind: Kind::Gauge,
        unit: Some("seconds"),
        labels: &[],
        help: "When the last commit reached the disk, in Unix seconds.",
        moves: "With every commit; at least every 10 s. Absent before the first one.",
        bound: "1",
        query: "time() - flinktail_store_last_success_timestamp_seconds > 300",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            if let Some(at) = view.stats().store.as_ref().and_then(|store| store.last_success) {
                samples.add(&[], at);
            }
        }),
    },
    Family {
        name: "flinktail_store_size_bytes",
        kind: Kind::Gauge,
        unit: Some("bytes"),
        labels: &[],
        help: "Bytes of the database in use, without its write-ahead log.",
        moves: "Grows with history; the oldest is removed beyond history_age and history_bytes.",
        bound: "1",
        query: "flinktail_store_size_bytes",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            if let Some(store) = &view.stats().store {
                samples.add(&[], store.bytes);
            }
        }),
    },
    Family {
        name: "flinktail_store_load_result",
        kind: Kind::Gauge,
        unit: None,
        labels: &["result"],
        help: "1 for how the store was found at the start: new, loaded, damaged, newer or failed.",
        moves: "Never after the start. All results are always there.",
        bound: "5",
        query: "flinktail_store_load_result{result=~\"damaged|newer|failed\"} == 1",
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Program(|view, samples| {
            if let Some(store) = &view.stats().store {
                for result in LoadResult::ALL {
                    samples.add(&[result.name()], store.load == result);
                }
            }
        }),
    },
];
