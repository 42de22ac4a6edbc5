//! The first line of a stack trace, which names the exception; the rest, most of many a record, is not unescaped.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::fields::Value;

/// The first line of a text, or of the first text of a list: a stack trace may be a list of lines.
pub(super) fn first_line(written: &RawValue) -> Value<'_> {
    match written.get() {
        "null" => Value::Absent,
        written => {
            let first = written.strip_prefix('[').unwrap_or(written).trim_ascii_start();
            first
                .strip_prefix('"')
                .and_then(line)
                .map_or(Value::Other, Value::Text)
        }
    }
}

/// Up to the end of the text that begins here, or to the first newline in it.
fn line(text: &str) -> Option<Cow<'_, str>> {
    let bytes = text.as_bytes();
    let (mut end, mut is_escaped) = (0, false);
    loop {
        end += memchr::memchr2(b'"', b'\\', &bytes[end..])?;
        if bytes[end] == b'"' || bytes[end + 1..].starts_with(b"n") {
            break;
        }
        is_escaped = true;
        end += 2;
    }
    let line = &text[..end];
    if !is_escaped {
        return Some(Cow::Borrowed(line));
    }
    let line: String = serde_json::from_str(&format!("\"{line}\"")).ok()?;
    Some(Cow::Owned(line.trim_end_matches('\r').to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::{Value, first_line};

    #[test]
    fn the_first_line_is_taken_out_of_whatever_stands_for_a_trace() {
        for (written, expected) in [
            (r#""a.B: boom""#, Some("a.B: boom")),
            (r#""a.B: boom\n\tat x""#, Some("a.B: boom")),
            (
                r#""a.B: \"so\" \\ \u00e9\r\n\tat \"""#,
                Some("a.B: \"so\" \\ \u{e9}"),
            ),
            (r#""a.B: \\name\nat""#, Some("a.B: \\name")),
            (r#"[ "a.B: boom\n", "\tat x"]"#, Some("a.B: boom")),
            (r#""\nat""#, Some("")),
            (r#""""#, Some("")),
            ("[]", None),
            ("[[\"a.B: boom\"]]", None),
            ("[1, \"a.B: boom\"]", None),
            ("{\"a\":\"b\"}", None),
            ("1", None),
        ] {
            let raw: &RawValue = serde_json::from_str(written).unwrap();
            let expected = expected.map_or(Value::Other, |text| Value::Text(text.into()));
            assert_eq!(first_line(raw), expected, "{written}");
        }
        let null: &RawValue = serde_json::from_str("null").unwrap();
        assert_eq!(first_line(null), Value::Absent);
    }
}
