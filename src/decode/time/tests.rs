//! Times as printed, by every known form.

use jiff::Timestamp;

use super::{Printed, TimeForm, Zone};
use crate::decode::clock::Clock;

/// Reads as UTC on 21 November 2026; with it, what is left of the text.
fn read(form: &TimeForm, text: &str) -> Option<(String, String)> {
    let (printed, len) = form.read(text.as_bytes())?;
    let read_at: Timestamp = "2026-11-21T23:00:00Z".parse().unwrap();
    let at = Clock::new(jiff::tz::TimeZone::UTC, read_at)
        .resolve(&printed, None)
        .unwrap();
    Some((at.to_string(), text[len..].to_owned()))
}

#[test]
fn a_form_is_told_by_its_look() {
    for (text, at, rest) in [
        (
            "2026-11-21 00:03:06,146 INFO",
            "2026-11-21T00:03:06.146Z",
            " INFO",
        ),
        (
            "2026-11-21T00:03:06.146Z INFO",
            "2026-11-21T00:03:06.146Z",
            " INFO",
        ),
        ("2026-11-21T00:03:06,146+0530 x", "2026-11-20T18:33:06.146Z", " x"),
        ("2026-11-21T00:03:06.146+05:30]", "2026-11-20T18:33:06.146Z", "]"),
        ("2026-11-21T00:03:06-08 x", "2026-11-21T08:03:06Z", " x"),
        (
            "2026-11-21 00:03:06.146 +0100 INFO",
            "2026-11-20T23:03:06.146Z",
            " INFO",
        ),
        (
            "2026-11-21 00:03:06,146 UTC INFO",
            "2026-11-21T00:03:06.146Z",
            " INFO",
        ),
        (
            "2026-07-21 00:03:06,146 CEST INFO",
            "2026-07-21T00:03:06.146Z",
            " INFO",
        ),
        (
            "2026-07-21 00:03:06,146 Europe/Berlin INFO",
            "2026-07-20T22:03:06.146Z",
            " INFO",
        ),
        ("2026-11-21 00:03:06,146 a/b", "2026-11-21T00:03:06.146Z", " a/b"),
        ("2026-11-21 00:03:06 - msg", "2026-11-21T00:03:06Z", " - msg"),
        (
            "2026-11-21 00:03:06 -12.5 degrees",
            "2026-11-21T00:03:06Z",
            " -12.5 degrees",
        ),
        (
            "2026-11-21 00:03:06 Zookeeper",
            "2026-11-21T00:03:06Z",
            " Zookeeper",
        ),
        ("2026-11-21 00:03:06:146 x", "2026-11-21T00:03:06.146Z", " x"),
        ("2026-11-21 00:03:60 x", "2026-11-21T00:03:59Z", " x"),
        (
            "2026-11-21T00:03:06.1234567891Z",
            "2026-11-21T00:03:06.123456789Z",
            "",
        ),
        ("2026/11/21 00:03:06.146 x", "2026-11-21T00:03:06.146Z", " x"),
        ("26/11/21 00:03:06 INFO", "2026-11-21T00:03:06Z", " INFO"),
        ("21 Nov 2026 00:03:06,146 x", "2026-11-21T00:03:06.146Z", " x"),
        ("1/November/2026 00:03:06 x", "2026-11-01T00:03:06Z", " x"),
        ("20261121T000306,146 x", "2026-11-21T00:03:06.146Z", " x"),
        ("20261121000306146 x", "2026-11-21T00:03:06.146Z", " x"),
        ("1795219386146 x", "2026-11-21T00:03:06.146Z", " x"),
        ("1795219386 x", "2026-11-21T00:03:06Z", " x"),
        ("1795219386.5 x", "2026-11-21T00:03:06.5Z", " x"),
        ("00:03:06.146 x", "2026-11-21T00:03:06.146Z", " x"),
    ] {
        assert_eq!(
            read(&TimeForm::Any, text),
            Some((at.to_owned(), rest.to_owned())),
            "{text:?}"
        );
    }
}

#[test]
fn what_is_no_time_is_refused() {
    for text in [
        "",
        "x",
        "12",
        "123",
        "2026",
        "2026-13-01 00:00:00",
        "2026-02-29 00:00:00",
        "2026-11-21",
        "2026-11-21 24:00:00",
        "2026-11-21 00:03",
        "03/04/2026 00:00:00",
        "12:30 noon",
        "20261301000000000",
        "12345678901",
        "1 Foo 2026 00:00:00",
        "99999999999999999999",
        "\u{fc}",
    ] {
        assert_eq!(read(&TimeForm::Any, text), None, "{text:?}");
    }
}

#[test]
fn letters_are_those_of_java() {
    for (format, text, at) in [
        (
            "yyyy-MM-dd HH:mm:ss,SSS",
            "2026-11-21 00:03:06,146",
            "2026-11-21T00:03:06.146Z",
        ),
        (
            "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
            "2026-11-21T00:03:06.146+01:00",
            "2026-11-20T23:03:06.146Z",
        ),
        (
            "yyyy-MM-dd'T'HH:mm:ss.SSSSSSX",
            "2026-11-21T00:03:06.146789Z",
            "2026-11-21T00:03:06.146789Z",
        ),
        (
            "yyyyMMddHHmmssSSS",
            "20261121000306146",
            "2026-11-21T00:03:06.146Z",
        ),
        (
            "dd.MM.yyyy HH:mm:ss",
            "21.11.2026 00:03:06",
            "2026-11-21T00:03:06Z",
        ),
        (
            "MM/dd/yyyy hh:mm:ss.SSS a",
            "11/21/2026 12:03:06.146 PM",
            "2026-11-21T12:03:06.146Z",
        ),
        (
            "MM/dd/yyyy hh:mm:ss a",
            "11/21/2026 12:03:06 AM",
            "2026-11-21T00:03:06Z",
        ),
        (
            "EEE MMM d HH:mm:ss zzz yyyy",
            "Sat Nov 21 00:03:06 GMT 2026",
            "2026-11-21T00:03:06Z",
        ),
        (
            "d MMMM yyyy, H:m:s",
            "1 November 2026, 0:3:6",
            "2026-11-01T00:03:06Z",
        ),
        (
            "yyyy-MM-dd HH:mm:ss z",
            "2026-11-21 00:03:06 GMT+01:00",
            "2026-11-20T23:03:06Z",
        ),
        ("MM-dd HH:mm:ss", "11-21 00:03:06", "2026-11-21T00:03:06Z"),
        ("MM-dd HH:mm:ss", "12-31 00:03:06", "2025-12-31T00:03:06Z"),
        ("MM-dd HH:mm:ss", "02-29 00:03:06", "2024-02-29T00:03:06Z"),
        ("yy'y' ''HH:mm", "26y '00:03", "2026-11-21T00:03:00Z"),
        ("ISO8601", "2026-11-21 00:03:06,146", "2026-11-21T00:03:06.146Z"),
        (
            "ISO8601_OFFSET_DATE_TIME_HHCMM",
            "2026-11-21T00:03:06,146+01:00",
            "2026-11-20T23:03:06.146Z",
        ),
        ("UNIX_MILLIS", "1795219386146", "2026-11-21T00:03:06.146Z"),
        (
            "US_MONTH_DAY_YEAR4_TIME",
            "21/11/2026 00:03:06.146",
            "2026-11-21T00:03:06.146Z",
        ),
    ] {
        let form = TimeForm::compile(format).unwrap();
        assert_eq!(
            read(&form, text),
            Some((at.to_owned(), String::new())),
            "{format} {text}"
        );
        assert_eq!(read(&form, "x"), None, "{format}");
    }
}

#[test]
fn a_form_that_makes_no_sense_is_refused_where_it_does_not() {
    for (format, offset) in [
        ("yyyy-MM-dd", 0),
        ("HH:mm:ss JJ", 9),
        ("HH 'open", 3),
        ("nonsense", 1),
        ("FOO", 0),
    ] {
        assert_eq!(TimeForm::compile(format).unwrap_err().offset, offset, "{format}");
    }
}

#[test]
fn a_printed_zone_is_kept_as_printed() {
    let zone = |text: &'static str| match TimeForm::Any.read(text.as_bytes()) {
        Some((Printed::Civil { zone, .. }, _)) => zone,
        other => panic!("{other:?}"),
    };
    assert_eq!(zone("2026-11-21 00:03:06 INFO"), Zone::Unprinted);
    assert_eq!(zone("2026-11-21 00:03:06 PST x"), Zone::Named("PST"));
    assert_eq!(
        zone("2026-11-21 00:03:06 GMT x"),
        Zone::Offset(jiff::tz::Offset::UTC)
    );
}
