//! One line of each wrapper, as its program writes it, and lines that are none.

use super::{Piece, Stream, Wrapper};

/// Text, time, stream, and whether the line ends there.
type Carried<'a> = Option<(&'a str, Option<&'a str>, Stream, bool)>;

#[track_caller]
fn check(wrapper: Wrapper, line: &str, expected: Carried<'_>) {
    let expected = expected.map(|(text, at, stream, ends)| Piece {
        text: text.as_bytes().into(),
        at: at.map(|at| at.parse().unwrap()),
        stream,
        ends,
    });
    assert_eq!(wrapper.unwrap(line.as_bytes()), expected, "{line}");
}

const NANOS: Option<&str> = Some("2026-03-02T09:00:00.004123456Z");
const MILLIS: Option<&str> = Some("2026-03-02T09:00:00.004Z");

#[test]
fn cri_lines_say_stream_and_whether_they_are_cut() {
    let check = |line: &str, expected: Carried<'_>| check(Wrapper::Cri, line, expected);
    let time = "2026-03-02T09:00:00.004123456Z";
    check(
        &format!("{time} stdout F a  text\nnext"),
        Some(("a  text", NANOS, Stream::Out, true)),
    );
    check(
        &format!("{time} stderr P:x cut"),
        Some(("cut", NANOS, Stream::Err, false)),
    );
    check(&format!("{time} stdout F "), Some(("", NANOS, Stream::Out, true)));
    check(&format!("{time} stdout F"), Some(("", NANOS, Stream::Out, true)));
    check(
        "2026-03-02T11:00:00.004123456+02:00 stdout F a",
        Some(("a", NANOS, Stream::Out, true)),
    );
    for none in ["", "stdout F a", "yesterday stdout F a"] {
        check(none, None);
    }
    for none in ["stdin F a", "stdout X a", "stdout"] {
        check(&format!("{time} {none}"), None);
    }
}

#[test]
fn docker_lines_that_are_cut_have_no_newline() {
    let check = |line: &str, expected: Carried<'_>| check(Wrapper::Docker, line, expected);
    check(
        r#"{"log":"a \"b\"\n","stream":"stdout","attrs":{"tag":"x"},"time":"2026-03-02T09:00:00.004123456Z"}"#,
        Some((r#"a "b""#, NANOS, Stream::Out, true)),
    );
    check(
        r#"{"log":"cut","stream":"stderr","time":"2026-03-02T09:00:00.004123456Z"}"#,
        Some(("cut", NANOS, Stream::Err, false)),
    );
    for none in [
        r#"{"log":"a\n","stream":"stdin","time":"2026-03-02T09:00:00Z"}"#,
        r#"{"log":"a\n","stream":"stdout","time":"now"}"#,
        r#"{"log":1,"stream":"stdout","time":"2026-03-02T09:00:00Z"}"#,
        r#"{"log":"a\n","stream":"stdout","time":"2026-03-02"#,
    ] {
        check(none, None);
    }
}

#[test]
fn a_time_before_each_line_is_the_carriers() {
    check(
        Wrapper::Timed,
        "2026-03-02T09:00:00.004Z a text",
        Some(("a text", MILLIS, Stream::Out, true)),
    );
    check(
        Wrapper::Timed,
        "2026-03-02T09:00:00 short has no zone",
        Some((
            "short has no zone",
            Some("2026-03-02T09:00:00Z"),
            Stream::Out,
            true,
        )),
    );
    check(Wrapper::Timed, "2026-03-02 09:00:00,004 INFO  a.B - c", None);
    for time in [
        "2026-03-02T09:00:00.004000+00:00",
        "\x1b[32m2026-03-02T09:00:00.004000+00:00\x1b[0m",
    ] {
        check(
            Wrapper::Stream,
            &format!("{time} the-stream a text"),
            Some(("a text", MILLIS, Stream::Out, true)),
        );
    }
    check(Wrapper::Stream, "2026-03-02T09:00:00.004Z alone", None);
}

#[test]
fn a_message_that_is_printed_over_lines_ends_with_its_brace() {
    let check = |line: &str, expected: Carried<'_>| check(Wrapper::AwsJson, line, expected);
    let time = "2026-03-02T09:00:00.004000+00:00";
    check(&format!("{time} stream "), Some(("", MILLIS, Stream::Out, false)));
    check(&format!("{time} stream"), Some(("", MILLIS, Stream::Out, false)));
    check(
        &format!("{time} stream no JSON"),
        Some(("no JSON", MILLIS, Stream::Out, true)),
    );
    check("{", Some(("{", None, Stream::Out, false)));
    check(
        r#"    "a": "b","#,
        Some((r#"    "a": "b","#, None, Stream::Out, false)),
    );
    check("}", Some(("}", None, Stream::Out, true)));
    check("\tat a.B", None);
}

#[test]
fn collectors_carry_the_line_in_a_field() {
    let check = |line: &str, expected: Carried<'_>| check(Wrapper::Carrier, line, expected);
    for line in [
        r#"{"date":1772442000.004,"log":"a\tb\n","kubernetes":{"pod_name":"x"}}"#,
        r#"{"message":"a\tb","source_type":"file","timestamp":"2026-03-02T09:00:00.004Z"}"#,
        r#"{"@timestamp":"2026-03-02T09:00:00.004Z","log":{"offset":1},"message":"a\tb"}"#,
        r#"{"timestamp":1772442000004,"event":{"original":"a\tb"}}"#,
    ] {
        check(line, Some(("a\tb", MILLIS, Stream::Out, true)));
    }
    check(r#"{"log":"no time"}"#, Some(("no time", None, Stream::Out, true)));
    for none in [r#"{"log":1}"#, r#"{"logs":"a"}"#, "[]", "a", r#"{"log":"torn"#] {
        check(none, None);
    }
}
