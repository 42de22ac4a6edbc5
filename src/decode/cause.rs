//! The exception that follows a record: its first line, read as class and message.

use crate::model::event::Cause;

impl Cause {
    /// Reads the first line of a Java stack trace, as `java.lang.RuntimeException: text` or the class alone.
    ///
    /// A class has a package and, after its last dot, a name that starts with an upper-case letter or is nested (`$`);
    /// frames (`\tat …`), `Caused by: …`, `... 12 more` and free text are no such line.
    #[must_use]
    pub fn parse(first_line: &[u8]) -> Option<Self> {
        if !Self::may_begin(first_line) {
            return None;
        }
        let line = first_line.strip_suffix(b"\r").unwrap_or(first_line);
        let class_end = line
            .iter()
            .position(|byte| !is_class_byte(*byte))
            .unwrap_or(line.len());
        let (class, rest) = line.split_at(class_end);
        if !is_class(class) {
            return None;
        }
        let message = match rest {
            [] => rest,
            [b':', b' ', message @ ..] => message,
            // `getMessage()` may be empty; `Throwable.toString` then prints the colon and a blank that editors trim.
            [b':'] => &[],
            _ => return None,
        };
        Some(Self::bounded(class, message))
    }

    /// Whether a text may begin one: most often it is the next record, whose time comes first.
    #[must_use]
    pub fn may_begin(text: &[u8]) -> bool {
        let first = text.first();
        first.is_some_and(|first| !first.is_ascii_digit() && is_class_byte(*first))
    }

    /// A cause told in two fields; `None` where the class is none. Keeps the first line of the message.
    #[must_use]
    pub fn of(class: &[u8], message: &[u8]) -> Option<Self> {
        let end = memchr::memchr2(b'\n', b'\r', message).unwrap_or(message.len());
        (!class.is_empty()).then(|| Self::bounded(class, &message[..end]))
    }

    fn bounded(class: &[u8], message: &[u8]) -> Self {
        Self {
            class: lossy(class, Self::CLASS_BYTES),
            message: lossy(message, Self::MESSAGE_BYTES),
        }
    }
}

/// Identifiers may hold any letter of Unicode: every byte of UTF-8 beyond ASCII passes.
const fn is_class_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$') || byte >= 0x80
}

fn is_class(class: &[u8]) -> bool {
    let Some(last_dot) = memchr::memrchr(b'.', class) else {
        return false;
    };
    let name = &class[last_dot + 1..];
    let segment_ok = |segment: &[u8]| segment.first().is_some_and(|first| !first.is_ascii_digit());
    class.split(|byte| *byte == b'.').all(segment_ok)
        && (name[0].is_ascii_uppercase() || memchr::memchr(b'$', name).is_some())
}

/// The text as UTF-8, cut at a character's end so that it has at most `limit` bytes.
fn lossy(bytes: &[u8], limit: usize) -> String {
    // Replacement characters are three bytes long, so that cutting first would not be enough.
    let mut text = String::from_utf8_lossy(&bytes[..bytes.len().min(limit)]).into_owned();
    while text.len() > limit {
        text.pop();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Cause;

    fn check(line: &str, expected: Option<(&str, &str)>) {
        let read = Cause::parse(line.as_bytes());
        let read = read
            .as_ref()
            .map(|cause| (cause.class.as_str(), cause.message.as_str()));
        assert_eq!(read, expected, "{line:?}");
    }

    #[test]
    fn the_first_line_of_a_stack_trace_is_class_and_message() {
        check(
            "java.lang.RuntimeException: lab: failure #1",
            Some(("java.lang.RuntimeException", "lab: failure #1")),
        );
        check(
            "java.lang.NullPointerException\r",
            Some(("java.lang.NullPointerException", "")),
        );
        check("lab.LabJob$Faulty: x", Some(("lab.LabJob$Faulty", "x")));
        check("java.io.IOException:", Some(("java.io.IOException", "")));
        check(
            "org.apache.flink.util.FlinkExpectedException: The TaskExecutor is shutting down.",
            Some((
                "org.apache.flink.util.FlinkExpectedException",
                "The TaskExecutor is shutting down.",
            )),
        );
    }

    #[test]
    fn what_is_no_first_line_is_refused() {
        for line in [
            "",
            "\tat lab.LabJob$Faulty.map(LabJob.java:84)",
            "Caused by: java.lang.RuntimeException: x",
            "\t... 12 more",
            "RuntimeException: no package",
            "org.apache.flink: lower case",
            "see example.Com for more",
            "..Foo: x",
            "1.2.Three",
            "java.lang.RuntimeException text",
        ] {
            check(line, None);
        }
    }

    #[test]
    fn both_parts_are_bounded_and_stay_whole_characters() {
        let long = format!("a.{}: {}", "B".repeat(1000), "ü".repeat(2000));
        let cause = Cause::parse(long.as_bytes()).unwrap();
        assert_eq!(cause.class.len(), Cause::CLASS_BYTES);
        assert_eq!(cause.message, "ü".repeat(Cause::MESSAGE_BYTES / 2));
        assert!(Cause::of(b"a.B", &[0xff; 5000]).unwrap().message.len() <= Cause::MESSAGE_BYTES);
    }
}
