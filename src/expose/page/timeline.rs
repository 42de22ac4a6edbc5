//! The states of an entity over time, to scale, as SVG: one lane for each state, so that no colour has to tell anything.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::choice::Choice;
use super::words::{moment, span};
use crate::expose::entity::{Entered, Entity};
use crate::expose::escape::Html;
use crate::expose::render::put;
use crate::model::flink_job::Class;

/// Units of the drawing; its width on the screen is the page's.
const WIDTH: f64 = 1000.0;
/// Left of it stand the states' names.
const LEFT: f64 = 130.0;
const LANE: usize = 24;
/// The least that is drawn of a state, or a restart of a second would be invisible within a day.
const LEAST: f64 = 1.5;

/// How much of the past is drawn, as in the address.
const RANGES: [(&str, &str, u64); 5] = [
    ("", "everything kept", 0),
    ("15m", "15 minutes", 900),
    ("1h", "1 hour", 3600),
    ("24h", "24 hours", 86_400),
    ("7d", "7 days", 604_800),
];

/// A state from its beginning to its end, Unix milliseconds.
struct Stretch<'a> {
    entered: &'a Entered,
    from: i64,
    to: i64,
}

/// The colour of a state entered: a class of the style sheet.
pub(super) fn colour(entered: &Entered) -> &'static str {
    match entered.class {
        Class::Terminal if entered.to == "FAILED" => "failed",
        Class::Terminal => "ended",
        Class::Transient => "transient",
        Class::Steady => "steady",
        Class::Unknown => "unknown",
    }
}

/// Draws what the address asks for.
pub(super) fn draw(
    out: &mut String,
    entity: &dyn Entity,
    history: &[Entered],
    choice: &Choice,
    now: Timestamp,
) {
    out.push_str("<h2 id=\"timeline\">Timeline</h2>\n<p class=\"ranges\">");
    let (_, _, seconds) = RANGES
        .into_iter()
        .find(|(name, ..)| *name == choice.get("range").unwrap_or_default())
        .unwrap_or(RANGES[0]);
    for (name, title, length) in RANGES {
        let current = if length == seconds {
            " aria-current=\"true\""
        } else {
            ""
        };
        let address = choice.with("range", name);
        put(
            out,
            format_args!("<a href=\"{}\"{current}>{title}</a> ", Html(&address)),
        );
    }
    out.push_str("</p>\n");
    let end = end(entity, history, now);
    let all = stretches(history, end);
    let Some(first) = all.first() else {
        out.push_str("<p>Nothing to draw: the log gives no times.</p>\n");
        return;
    };
    let start = match i64::try_from(seconds * 1000) {
        Ok(length) if length > 0 => end - length,
        _ => first.from,
    };
    let states = distinct(&all);
    let shown: Vec<_> = all.into_iter().filter(|stretch| stretch.to >= start).collect();
    // In the order of the whole history, or lanes would change places as time goes on.
    let present = distinct(&shown);
    let lanes: Vec<_> = states
        .into_iter()
        .filter(|state| present.contains(state))
        .collect();
    svg(out, &lanes, &shown, start, end.max(start + 1));
}

/// The states entered, in the order in which each was entered first.
fn distinct<'a>(stretches: &[Stretch<'a>]) -> Vec<&'a str> {
    let mut found = Vec::new();
    for stretch in stretches {
        if !found.contains(&stretch.entered.to) {
            found.push(stretch.entered.to);
        }
    }
    found
}

/// Where the drawing ends: now; of what has ended, a twentieth of its life after its end.
fn end(entity: &dyn Entity, history: &[Entered], now: Timestamp) -> i64 {
    let (now, since) = (now.as_millisecond(), entity.since().as_millisecond());
    if entity.class() != Class::Terminal {
        return now;
    }
    let born = history.iter().find_map(|entered| entered.at);
    let life = born.map_or(0, |born| since - born.as_millisecond());
    (since + life / 20 + 1000).min(now).max(since)
}

fn stretches(history: &[Entered], end: i64) -> Vec<Stretch<'_>> {
    let mut found: Vec<Stretch<'_>> = Vec::new();
    for entered in history.iter().filter(|entered| !entered.late) {
        let Some(at) = entered.at else { continue };
        // A clock that was set back must not draw a state of less than no time.
        let from = found
            .last()
            .map_or(i64::MIN, |before| before.from)
            .max(at.as_millisecond());
        if let Some(before) = found.last_mut() {
            before.to = from;
        }
        let to = end.max(from);
        found.push(Stretch { entered, from, to });
    }
    found
}

fn svg(out: &mut String, lanes: &[&str], shown: &[Stretch<'_>], start: i64, end: i64) {
    let scale = (WIDTH - LEFT) / (end - start) as f64;
    let place = |at: i64| LEFT + (at.max(start) - start) as f64 * scale;
    let mut lasted: BTreeMap<&str, i64> = BTreeMap::new();
    for stretch in shown {
        *lasted.entry(stretch.entered.to).or_default() += stretch.to - stretch.from.max(start);
    }
    let height = lanes.len() * LANE;
    put(
        out,
        format_args!(
            "<div class=\"timeline\"><svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-labelledby=\"timeline timeline-words\">\n\
            <desc id=\"timeline-words\">From {} to {} UTC: {}</desc>\n",
            height + 24,
            in_words(start),
            in_words(end),
            summary(lanes, &lasted),
        ),
    );
    for (at, word) in ticks(start, end) {
        let x = place(at);
        put(
            out,
            format_args!(
                "<line class=\"tick\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"0\" y2=\"{height}\"/>\
                <text class=\"axis\" x=\"{x:.1}\" y=\"{}\">{word}</text>\n",
                height + 16
            ),
        );
    }
    for (row, state) in lanes.iter().enumerate() {
        let y = row * LANE;
        put(
            out,
            format_args!(
                "<text class=\"lane\" x=\"{}\" y=\"{}\">{state}</text>\
                <line class=\"rail\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{2}\" y2=\"{2}\"/>\n",
                LEFT - 10.0,
                y + LANE / 2 + 4,
                y + LANE / 2,
            ),
        );
    }
    for stretch in shown {
        let row = lanes
            .iter()
            .position(|lane| *lane == stretch.entered.to)
            .unwrap_or(0);
        let x = place(stretch.from);
        let width = (place(stretch.to) - x).max(LEAST);
        let length = u64::try_from(stretch.to - stretch.from).unwrap_or_default();
        put(
            out,
            format_args!(
                "<rect class=\"{}\" x=\"{:.2}\" y=\"{}\" width=\"{width:.2}\" height=\"{}\"><title>{}, {} from {}</title></rect>\n",
                colour(stretch.entered),
                x.min(WIDTH - width),
                row * LANE + 4,
                LANE - 8,
                stretch.entered.to,
                span(Duration::from_millis(length)),
                in_words(stretch.from),
            ),
        );
    }
    out.push_str("</svg></div>\n");
}

/// What the drawing shows, for those who do not see it.
fn summary(lanes: &[&str], lasted: &BTreeMap<&str, i64>) -> String {
    let words = lanes.iter().map(|state| {
        let milliseconds = lasted.get(state).copied().unwrap_or_default();
        let lasted = Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default());
        format!("{state} for {}", span(lasted))
    });
    words.collect::<Vec<_>>().join(", ")
}

fn in_words(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds).map_or_else(|_| String::new(), moment)
}

/// Round moments, at most eight, each with its word.
fn ticks(start: i64, end: i64) -> Vec<(i64, String)> {
    const SECOND: i64 = 1000;
    const MINUTE: i64 = 60 * SECOND;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    const STEPS: [i64; 19] = [
        SECOND,
        5 * SECOND,
        10 * SECOND,
        30 * SECOND,
        MINUTE,
        2 * MINUTE,
        5 * MINUTE,
        10 * MINUTE,
        15 * MINUTE,
        30 * MINUTE,
        HOUR,
        2 * HOUR,
        4 * HOUR,
        8 * HOUR,
        12 * HOUR,
        DAY,
        2 * DAY,
        7 * DAY,
        30 * DAY,
    ];
    let fits = |step: &i64| (end - start) / step <= 7;
    let years = (end - start) / (365 * DAY) / 7 + 1;
    let step = STEPS.into_iter().find(fits).unwrap_or(years * 365 * DAY);
    let format = match step {
        ..MINUTE => "%H:%M:%S",
        MINUTE..DAY => "%H:%M",
        _ => "%b %d",
    };
    let first = start.div_euclid(step) * step + step;
    let mut found = Vec::new();
    let mut at = first;
    // The last one's word would stand out of the drawing.
    while at < end - step / 5 {
        if let Ok(moment) = Timestamp::from_millisecond(at) {
            // At midnight the day says more than its first minute.
            let format = if step < DAY && at.rem_euclid(DAY) == 0 {
                "%b %d"
            } else {
                format
            };
            found.push((at, moment.strftime(format).to_string()));
        }
        at += step;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_few_ticks_at_round_moments_for_any_length() {
        let start = 1_772_442_000_004;
        for length in [
            1,
            999,
            60_000,
            3_600_000,
            86_400_000,
            86_400_000 * 400,
            86_400_000 * 365 * 5000,
        ] {
            let found = ticks(start, start + length);
            assert!(found.len() <= 8, "{length}: {found:?}");
            assert!(
                found.iter().all(|(at, _)| (start..start + length).contains(at)),
                "{length}"
            );
        }
        let hour: Vec<_> = ticks(start, start + 3_600_000)
            .into_iter()
            .map(|(_, word)| word)
            .collect();
        assert_eq!(hour, ["09:10", "09:20", "09:30", "09:40", "09:50"]);
    }
}
