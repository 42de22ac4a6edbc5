//! Other people's text made safe for where it is shown: label values and HTML.

use std::borrow::Cow;
use std::fmt::{self, Write};

use crate::observe::is_unprintable;

/// Longest label value, bytes before escaping. Job names and paths come from outside and have no bound of their own.
pub const LABEL_BYTES: usize = 512;

/// Bytes that the mark of a cut takes: an ellipsis and 16 hexadecimal digits.
const MARK_BYTES: usize = '…'.len_utf8() + 16;

/// The value as it is, or cut to [`LABEL_BYTES`]: its beginning, `…`, and a hash of the whole, so that two long names
/// with one beginning stay two series.
#[must_use]
pub fn cut(value: &str) -> Cow<'_, str> {
    if value.len() <= LABEL_BYTES {
        return Cow::Borrowed(value);
    }
    let room = LABEL_BYTES - MARK_BYTES;
    let end = (0..=room)
        .rev()
        .find(|place| value.is_char_boundary(*place))
        .unwrap_or_default();
    Cow::Owned(format!("{}…{:016x}", &value[..end], fnv1a(value.as_bytes())))
}

/// FNV-1a, 64 bits: a hash that never changes between versions, since it names series.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Writes a label value: cut, then escaped as both text formats ask. NUL becomes U+FFFD: Prometheus' lexers take it for
/// the end of input in places.
pub fn write_label_value(out: &mut String, value: &str) {
    for character in cut(value).chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\0' => out.push(char::REPLACEMENT_CHARACTER),
            other => out.push(other),
        }
    }
}

/// Shows text inside HTML, between tags or in a quoted attribute. Characters that turn the direction of the text around
/// them (Unicode's bidirectional controls) and other control characters are shown as their code.
pub struct Html<'a>(pub &'a str);

impl fmt::Display for Html<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in cut(self.0).chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                sly if is_unprintable(sly) => write!(f, "\\u{:04x}", u32::from(sly))?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_values_escape_what_the_text_formats_ask_for() {
        for (value, expected) in [
            ("orders", "orders"),
            ("a\"} 1\nup{x=\"\\", "a\\\"} 1\\nup{x=\\\"\\\\"),
            ("nul\0", "nul\u{fffd}"),
            ("\u{202e}right", "\u{202e}right"),
        ] {
            let mut out = String::new();
            write_label_value(&mut out, value);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn a_long_value_is_cut_at_a_character_and_stays_distinct() {
        let long = |last: char| format!("{}{last}", "é".repeat(1_000_000));
        let (one, two) = (long('1'), long('2'));
        assert!(cut(&one).len() <= LABEL_BYTES, "{}", cut(&one).len());
        assert!(cut(&one).starts_with("éé") && cut(&one).contains('…'));
        assert_ne!(cut(&one), cut(&two));
        assert_eq!(cut(&"x".repeat(LABEL_BYTES)), "x".repeat(LABEL_BYTES));
    }

    #[test]
    fn html_shows_tags_and_turning_marks_as_text() {
        let shown = Html("<script>'&\"\u{202e}\n").to_string();
        assert_eq!(shown, "&lt;script&gt;&#39;&amp;&quot;\\u202e\\u000a");
    }
}
