//! How the pages say times, ages, sizes and states.

use std::time::Duration;

use jiff::Timestamp;

use crate::expose::entity::Entity;
use crate::model::flink_job::Class;
use crate::model::retention::Thresholds;

/// How much an entity wants somebody's eyes; the first is the most urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Attention {
    Stuck,
    Failed,
    Transient,
    Unknown,
    Steady,
    Ended,
}

impl Attention {
    pub(super) const ALL: [Self; 6] = [
        Self::Stuck,
        Self::Failed,
        Self::Transient,
        Self::Unknown,
        Self::Steady,
        Self::Ended,
    ];

    pub(super) fn of(entity: &dyn Entity, thresholds: &Thresholds, now: Timestamp) -> Self {
        match entity.class() {
            Class::Transient if is_stuck(entity, thresholds, now) => Self::Stuck,
            Class::Transient => Self::Transient,
            Class::Terminal if entity.state() == "FAILED" => Self::Failed,
            Class::Unknown => Self::Unknown,
            Class::Steady => Self::Steady,
            Class::Terminal => Self::Ended,
        }
    }

    /// In the style sheet, and in the page's address.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::Failed => "failed",
            Self::Transient => "transient",
            Self::Unknown => "unknown",
            Self::Steady => "steady",
            Self::Ended => "ended",
        }
    }

    /// For people.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Stuck => "Stuck",
            Self::Failed => "Failed",
            Self::Transient => "In transition",
            Self::Unknown => "Unknown",
            Self::Steady => "Running",
            Self::Ended => "Ended",
        }
    }
}

fn is_stuck(entity: &dyn Entity, thresholds: &Thresholds, now: Timestamp) -> bool {
    let lasted = Duration::try_from(now.duration_since(entity.since()));
    // A state entered in the future (clocks differ) is not stuck.
    let limit = entity.may_last(thresholds);
    limit
        .zip(lasted.ok())
        .is_some_and(|(limit, lasted)| lasted > limit)
}

/// A state as word and colour.
pub(super) fn badge(attention: Attention, state: &str) -> String {
    let mark = if attention == Attention::Stuck {
        " <strong>stuck</strong>"
    } else {
        ""
    };
    format!("<span class=\"state {}\">{state}{mark}</span>", attention.name())
}

/// `2026-03-02 09:00:00`, UTC.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The same to the millisecond.
pub(super) fn exact_moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S.%3f").to_string()
}

/// A moment for people and programs.
pub(super) fn time(at: Timestamp) -> String {
    format!("<time datetime=\"{at:.3}\">{}</time>", moment(at))
}

/// How long ago, in its two largest units.
pub(super) fn age(since: Timestamp, now: Timestamp) -> String {
    match Duration::try_from(now.duration_since(since)) {
        Ok(lasted) => span(lasted),
        Err(_) => "in the future".to_owned(),
    }
}

/// A span in its two largest units; milliseconds below a second.
pub(super) fn span(lasted: Duration) -> String {
    let seconds = lasted.as_secs();
    match seconds {
        0 => format!("{} ms", lasted.as_millis()),
        1..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// `1 job`, `12,345 jobs`.
pub(super) fn count(number: u64, one: &str) -> String {
    format!("{} {one}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// `12,345`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1.5 MiB`.
pub(super) fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (number as f64, 0);
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        (value, unit) = (value / 1024.0, unit + 1);
    }
    if unit == 0 {
        format!("{number} B")
    } else {
        format!("{value:.1} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_spans_are_short_and_exact_enough() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(grouped(number), expected);
        }
        for (number, expected) in [(1023, "1023 B"), (1536, "1.5 KiB"), (u64::MAX, "16777216.0 TiB")] {
            assert_eq!(bytes(number), expected);
        }
        for (milliseconds, expected) in [
            (8, "8 ms"),
            (59_999, "59 s"),
            (61_000, "1 min 1 s"),
            (3_600_000, "1 h 0 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(span(Duration::from_millis(milliseconds)), expected);
        }
        assert_eq!(
            (count(1, "log"), count(2, "log")),
            ("1 log".to_owned(), "2 logs".to_owned())
        );
    }
}
