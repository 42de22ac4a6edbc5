//! A log through the whole pipeline, into the model and out as JSON.

use std::collections::BTreeSet;
use std::sync::Arc;

use flinktail::expose::api;
use flinktail::line::LogId;
use flinktail::model::event::Seen;
use flinktail::model::{Fleet, LogContext};
use flinktail::pipeline::{LogDecoder, LogSettings, Memory, ReadAt, read_head};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::wording;

/// The first bytes say how the rest is cut into reads, over and over: two small sizes and two large ones.
const SIZES: usize = 4;

/// Longest line and record: short, so that inputs reach past it.
const LONGEST: usize = 1024;

/// What a log says does not depend on how it was cut into reads nor on restarts between them; the model takes all of it,
/// and what it then tells is JSON.
pub fn pipeline(data: &[u8]) {
    let (sizes, text) = data.split_at(SIZES.min(data.len()));
    let unit = |place| if place < SIZES / 2 { 1 } else { 64 };
    let sizes: Vec<usize> = sizes
        .iter()
        .enumerate()
        .map(|(place, size)| unit(place) * (1 + usize::from(*size)))
        .collect();
    let whole = told(text, &[usize::MAX], false);
    for restart in [false, true] {
        let cut = told(text, &sizes, restart);
        assert!(
            cut == whole || !is_steady(text, &sizes),
            "cut into {sizes:?}, restarted: {restart}: {cut:?}, not {whole:?}"
        );
    }
    let _first = read_head(wording(), None, &TimeZone::UTC, text);
    let fleet = fleet(&whole);
    let json = api::entities_json(&fleet);
    let read: Result<serde_json::Value, _> = serde_json::from_str(&json);
    assert!(read.is_ok(), "{read:?}: {json}");
}

/// The model that was told all of this.
pub fn fleet(told: &[Seen]) -> Fleet {
    let mut fleet = Fleet::with_limit(4);
    let cluster = Arc::from("fuzz");
    fleet.open_log(LogId(0), LogContext { cluster });
    for seen in told {
        fleet.apply(seen, now());
    }
    fleet
}

/// What a log says that is read in pieces of these sizes.
pub fn told(text: &[u8], sizes: &[usize], restart: bool) -> Vec<Seen> {
    let mut decoder = decoder();
    let mut told = Vec::new();
    for (offset, piece) in pieces(text, sizes) {
        decoder.push(piece, None, at(offset), &mut |seen| told.push(seen));
        if restart {
            decoder = restarted(&decoder);
        }
    }
    decoder.file_end(now(), &mut |seen| told.push(seen));
    told
}

/// A text cut into these sizes, over and over; each piece with its offset.
fn pieces<'t>(text: &'t [u8], sizes: &[usize]) -> impl Iterator<Item = (usize, &'t [u8])> {
    let mut sizes = sizes.iter().cycle();
    let mut offset = 0;
    std::iter::from_fn(move || {
        let rest = &text[offset..];
        let size = (*sizes.next()?).min(rest.len());
        let from = offset;
        offset += size;
        (size > 0).then(|| (from, &rest[..size]))
    })
}

/// A read of old content at this place.
pub fn at(offset: usize) -> ReadAt {
    ReadAt {
        offset: offset as u64,
        now: now(),
        written: now(),
        fresh: false,
    }
}

/// Whether the log is read in one and the same form however much of it is looked at: where layouts are mixed, the first
/// read decides which of them it is.
fn is_steady(text: &[u8], sizes: &[usize]) -> bool {
    let whole = forms(text, &[usize::MAX]);
    whole.len() == 1 && whole == forms(text, sizes)
}

/// Every form that a log which is read in pieces of these sizes is taken to have.
fn forms(text: &[u8], sizes: &[usize]) -> BTreeSet<[String; 4]> {
    let mut decoder = decoder();
    let mut forms = BTreeSet::new();
    for (offset, piece) in pieces(text, sizes) {
        decoder.push(piece, None, at(offset), &mut |_| {});
        let memory = serde_json::to_value(decoder.memory()).unwrap();
        if decoder.layout().is_some() {
            forms.insert(["layout", "wrappers", "loggers", "dateless"].map(|key| memory[key].to_string()));
        }
    }
    forms
}

/// A decoder that was told what another remembered, as a store keeps it.
fn restarted(decoder: &LogDecoder) -> LogDecoder {
    let memory = decoder.memory();
    let mut kept: Memory = serde_json::from_str(&serde_json::to_string(&memory).unwrap()).unwrap();
    kept.carry = memory.carry;
    let mut next = self::decoder();
    next.remember(kept);
    next
}

/// A decoder that knows nothing yet.
pub fn decoder() -> LogDecoder {
    let settings = LogSettings {
        zone: TimeZone::UTC,
        layout: None,
        line_bytes: LONGEST,
        record_bytes: LONGEST,
        reorder_window: jiff::SignedDuration::ZERO,
    };
    LogDecoder::new(Arc::clone(wording()), LogId(0), settings)
}

/// Any moment: later than the times in the seeds.
pub fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}
