//! How times, durations and other people's words are shown on a terminal.

use jiff::{SignedDuration, Timestamp};

/// Characters of a name or message shown; the rest is an ellipsis. The JSON has them whole.
const LONGEST: usize = 160;

/// Words that somebody else chose (a job's name, an exception's message) made harmless and short: no control character
/// reaches the terminal, no bidirectional mark reorders the line, nothing is longer than a line or two.
pub(super) fn printable(text: &str) -> String {
    let mut out = String::new();
    for (count, char) in text.chars().enumerate() {
        if count == LONGEST {
            out.push('…');
            break;
        }
        if char.is_control() || reorders(char) {
            out.extend(char.escape_default());
        } else {
            out.push(char);
        }
    }
    out
}

/// Marks that move or hide what stands beside them: bidirectional controls, line and paragraph separators, zero width.
const fn reorders(char: char) -> bool {
    matches!(char, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A time in UTC to the millisecond, `2026-03-02 09:00:00.004`.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

/// A duration as its two largest units, `3d 4h`, `1m 12s`, `1.250s`, `7ms`; a negative one has a minus sign.
pub(super) fn duration(duration: SignedDuration) -> String {
    let millis = duration.as_millis();
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    let (seconds, rest) = (millis / 1000, millis % 1000);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match () {
        () if days > 0 => format!("{sign}{days}d {}h", hours % 24),
        () if hours > 0 => format!("{sign}{hours}h {}m", minutes % 60),
        () if minutes > 0 => format!("{sign}{minutes}m {}s", seconds % 60),
        () if seconds > 0 => format!("{sign}{seconds}.{rest:03}s"),
        () => format!("{sign}{rest}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_stays_on_its_line_and_keeps_its_order() {
        for (name, expected) in [
            ("orders", "orders"),
            ("a\nb\tc", "a\\nb\\tc"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("x\u{202e}y", "x\\u{202e}y"),
            ("Zürich ✓", "Zürich ✓"),
        ] {
            assert_eq!(printable(name), expected, "{name:?}");
        }
        assert_eq!(printable(&"x".repeat(100_000)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn a_duration_has_at_most_two_units() {
        for (millis, expected) in [
            (0, "0ms"),
            (7, "7ms"),
            (1_250, "1.250s"),
            (72_900, "1m 12s"),
            (3_600_000, "1h 0m"),
            (273_600_000, "3d 4h"),
            (-1_500, "-1.500s"),
        ] {
            assert_eq!(
                duration(SignedDuration::from_millis(millis)),
                expected,
                "{millis}"
            );
        }
    }

    #[test]
    fn a_moment_has_milliseconds() {
        let at: Timestamp = "2026-03-02T09:00:00.004Z".parse().unwrap();
        assert_eq!(moment(at), "2026-03-02 09:00:00.004");
    }
}
