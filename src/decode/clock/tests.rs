//! Civil times to instants: zones, folds, gaps and missing dates.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Clock;
use crate::decode::time::TimeForm;

/// Resolves lines in turn, of a log in `zone` that is read at `read_at`.
fn check(zone: &str, read_at: &str, lines: &[(&str, &str)]) {
    let mut clock = Clock::new(TimeZone::get(zone).unwrap(), read_at.parse().unwrap());
    for (text, expected) in lines {
        let (printed, _) = TimeForm::Any.read(text.as_bytes()).unwrap();
        let at = clock.resolve(&printed, None).unwrap();
        assert_eq!(at, expected.parse::<Timestamp>().unwrap(), "{text} in {zone}");
        assert_eq!(clock.resolve(&printed, None), Some(at), "{text} asked twice");
    }
}

#[test]
fn local_times_are_of_the_sources_zone_and_printed_offsets_win() {
    check(
        "Europe/Berlin",
        "2026-11-21T00:00:00Z",
        &[
            ("2026-07-01 12:00:00,000", "2026-07-01T10:00:00Z"),
            ("2026-12-01 12:00:00,000", "2026-12-01T11:00:00Z"),
            ("2026-12-01 12:59:59,999", "2026-12-01T11:59:59.999Z"),
            ("2026-12-01T12:00:00Z", "2026-12-01T12:00:00Z"),
            ("2026-07-01 12:00:00 America/New_York", "2026-07-01T16:00:00Z"),
        ],
    );
}

#[test]
fn a_repeated_hour_does_not_run_backwards() {
    // 2026-10-25, 03:00 CEST (01:00Z) becomes 02:00 CET.
    check(
        "Europe/Berlin",
        "2026-11-21T00:00:00Z",
        &[
            ("2026-10-25 01:59:00", "2026-10-24T23:59:00Z"),
            ("2026-10-25 02:10:00", "2026-10-25T00:10:00Z"),
            ("2026-10-25 02:09:59", "2026-10-25T00:09:59Z"),
            ("2026-10-25 02:29:00", "2026-10-25T00:29:00Z"),
            ("2026-10-25 02:05:00", "2026-10-25T01:05:00Z"),
            ("2026-10-25 02:29:00", "2026-10-25T01:29:00Z"),
            ("2026-10-25 03:00:00", "2026-10-25T02:00:00Z"),
        ],
    );
}

#[test]
fn a_skipped_hour_and_changes_of_half_an_hour_are_no_trouble() {
    check(
        "Europe/Berlin",
        "2026-11-21T00:00:00Z",
        &[
            ("2026-03-29 01:59:59", "2026-03-29T00:59:59Z"),
            ("2026-03-29 02:30:00", "2026-03-29T01:30:00Z"),
            ("2026-03-29 03:30:00", "2026-03-29T01:30:00Z"),
        ],
    );
    // Lord Howe goes back by half an hour, at 02:00 on 2026-04-05: 01:30 to 02:00 comes twice.
    check(
        "Australia/Lord_Howe",
        "2026-11-21T00:00:00Z",
        &[
            ("2026-04-05 01:10:00", "2026-04-04T14:10:00Z"),
            ("2026-04-05 01:45:00", "2026-04-04T14:45:00Z"),
            ("2026-04-05 01:35:00", "2026-04-04T15:05:00Z"),
            ("2026-04-05 02:00:00", "2026-04-04T15:30:00Z"),
        ],
    );
}

#[test]
fn a_time_without_date_is_dated_by_the_reading_and_by_midnights() {
    check(
        "UTC",
        "2026-11-21T12:00:00Z",
        &[
            ("12:30:00.000", "2026-11-20T12:30:00Z"),
            ("23:59:59.900", "2026-11-20T23:59:59.9Z"),
            ("00:00:00.100", "2026-11-21T00:00:00.1Z"),
            ("23:59:59.999", "2026-11-20T23:59:59.999Z"),
            ("00:00:00.200", "2026-11-21T00:00:00.2Z"),
            ("14:00:00.000", "2026-11-21T14:00:00Z"),
            ("13:59:59.000", "2026-11-21T13:59:59Z"),
            ("09:00:00.000", "2026-11-22T09:00:00Z"),
        ],
    );
}

#[test]
fn fresh_lines_after_long_silence_can_be_dated_anew() {
    let printed = TimeForm::Any.read(b"10:00:00").unwrap().0;
    let mut clock = Clock::new(TimeZone::UTC, "2026-11-21T12:00:00Z".parse().unwrap());
    assert_eq!(
        clock.resolve(&printed, None).unwrap().to_string(),
        "2026-11-21T10:00:00Z"
    );
    clock.set_read_at("2026-11-25T10:00:01Z".parse().unwrap());
    clock.anchor_day();
    assert_eq!(
        clock.resolve(&printed, None).unwrap().to_string(),
        "2026-11-25T10:00:00Z"
    );
    assert_eq!(clock.last().unwrap().to_string(), "2026-11-25T10:00:00Z");
}
