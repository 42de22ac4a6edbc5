//! The small languages inside values: durations, time zones, addresses. Shared by the file and the flags.
//!
//! Every function returns the value, or what is wrong in words that say what would be right.

use std::net::SocketAddr;
use std::time::Duration;

use crate::model::retention::NameGlob;
use jiff::tz::{Offset, TimeZone};
use regex::Regex;

use super::suggest::did_you_mean;
use super::{LogFormat, ReadFrom};

/// Units of a duration, largest first, in milliseconds. Prometheus' units but the year, which has no fixed length.
const UNITS: [(&str, u64); 6] = [
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// The longest duration taken, milliseconds: 100 years of 365 days. Longer is a slip of the pen, or "never".
const LONGEST: u64 = 100 * 365 * 86_400_000;

/// Reads `90s`, `10m`, `24h`, `7d`, `1h30m`: whole numbers with a unit, added up; more than nothing.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("\"{text}\" is no duration; write for example \"90s\", \"10m\", \"24h\" or \"7d\"");
    let mut rest = text;
    let mut millis = 0_u64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let (_, size) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        millis = number
            .checked_mul(*size)
            .and_then(|part| millis.checked_add(part))
            .filter(|sum| *sum <= LONGEST)
            .ok_or_else(|| format!("\"{text}\" is longer than 100 years"))?;
        rest = tail;
    }
    match (text.is_empty(), millis) {
        (true, _) => Err(wrong()),
        (false, 0) => Err(format!("\"{text}\" must be longer than nothing")),
        _ => Ok(Duration::from_millis(millis)),
    }
}

/// Writes a duration as [`duration`] reads it: in the largest unit that needs no second one.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(LONGEST);
    UNITS
        .iter()
        // "24h" and "48h" say more to an operator than "1d" and "2d"; nobody sets weeks but in days.
        .filter(|(unit, size)| *unit != "w" && (*unit != "d" || millis >= 3 * size))
        .find(|(_, size)| millis % size == 0)
        .map_or_else(String::new, |(unit, size)| format!("{}{unit}", millis / size))
}

/// Reads a duration, or "never" as none.
pub fn keep(text: &str) -> Result<Option<Duration>, String> {
    match text {
        "never" => Ok(None),
        _ => duration(text)
            .map(Some)
            .map_err(|why| format!("{why}, or \"never\"")),
    }
}

/// Reads an IANA name (`Europe/Berlin`, `UTC`) or a fixed offset (`+05:30`).
pub fn zone(text: &str) -> Result<TimeZone, String> {
    if text.starts_with(['+', '-']) {
        return fixed_offset(text)
            .map(TimeZone::fixed)
            .ok_or_else(|| format!("\"{text}\" is no offset from UTC; write for example \"+05:30\""));
    }
    TimeZone::get(text).map_err(|_| {
        let known: Vec<String> = jiff::tz::db()
            .available()
            .map(|name| name.as_str().to_owned())
            .collect();
        let hint = did_you_mean(text, known.iter().map(String::as_str)).unwrap_or_else(|| {
            "; write an IANA name such as \"Europe/Berlin\", \"UTC\", or an offset such as \"+05:30\""
                .to_owned()
        });
        format!("unknown time zone \"{text}\"{hint}")
    })
}

fn fixed_offset(text: &str) -> Option<Offset> {
    let (sign, digits) = text.split_at(1);
    let (hours, minutes) = digits.split_once(':')?;
    let two_digits = |part: &str| {
        // `parse` alone would take "+5".
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<i32>().ok()).flatten()
    };
    let (hours, minutes) = (
        two_digits(hours)?,
        two_digits(minutes).filter(|minutes| *minutes < 60)?,
    );
    let seconds = (hours * 60 + minutes) * 60;
    Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()
}

/// Writes what [`zone`] reads; none for the machine's own zone where that has no name.
#[must_use]
pub fn show_zone(zone: &TimeZone) -> Option<String> {
    zone.iana_name().map(str::to_owned).or_else(|| {
        let seconds = zone.to_fixed_offset().ok()?.seconds();
        let sign = if seconds < 0 { '-' } else { '+' };
        let minutes = seconds.abs() / 60;
        Some(format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60))
    })
}

/// Reads `IP:PORT`, IPv6 in brackets.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let example = "write for example \"127.0.0.1:19249\"";
    text.parse().map_err(|_| match text.strip_prefix(':') {
        // The way of Go programs, which would open the port to everybody.
        Some(port) if port.parse::<u16>().is_ok() => {
            format!("\"{text}\" has no host; write \"0.0.0.0:{port}\" to listen on every interface")
        }
        _ => format!("\"{text}\" is no IP address with a port; {example}"),
    })
}

/// Reads `start` or `end`.
pub fn read_from(text: &str) -> Result<ReadFrom, String> {
    word(text, &ReadFrom::ALL, ReadFrom::name)
}

/// Reads `text` or `json`.
pub fn log_format(text: &str) -> Result<LogFormat, String> {
    word(text, &LogFormat::ALL, LogFormat::name)
}

/// The levels of the program's own log, least talkative first.
const LEVELS: [tracing::Level; 5] = [
    tracing::Level::ERROR,
    tracing::Level::WARN,
    tracing::Level::INFO,
    tracing::Level::DEBUG,
    tracing::Level::TRACE,
];

/// Reads `error`, `warn`, `info`, `debug` or `trace`.
pub fn log_level(text: &str) -> Result<tracing::Level, String> {
    word(text, &LEVELS, show_log_level)
}

/// Writes what [`log_level`] reads.
#[must_use]
pub fn show_log_level(level: tracing::Level) -> &'static str {
    match level {
        tracing::Level::ERROR => "error",
        tracing::Level::WARN => "warn",
        tracing::Level::INFO => "info",
        tracing::Level::DEBUG => "debug",
        tracing::Level::TRACE => "trace",
    }
}

fn word<T: Copy>(text: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T, String> {
    all.iter()
        .copied()
        .find(|value| name(*value) == text)
        .ok_or_else(|| {
            let names: Vec<String> = all.iter().map(|value| format!("\"{}\"", name(*value))).collect();
            format!("\"{text}\" is none of {}", names.join(", "))
        })
}

/// Reads a glob over job names.
pub fn glob(text: &str) -> Result<NameGlob, String> {
    match NameGlob::new(text) {
        _ if text.is_empty() => Err("must not be empty".to_owned()),
        Ok(glob) => Ok(glob),
        Err(error) => Err(format!("\"{text}\" is no glob: {}", error.kind())),
    }
}

/// Checks a regular expression that takes `cluster` from a path.
pub fn cluster_capture(text: &str) -> Result<String, String> {
    let regex = Regex::new(text).map_err(|error| {
        // The last line of the error says what is wrong; those before draw a caret under a text that is not there.
        let why = error.to_string();
        format!(
            "no regular expression: {}",
            why.lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ")
        )
    })?;
    if regex.capture_names().flatten().any(|name| name == "cluster") {
        Ok(text.to_owned())
    } else {
        Err("has no group `(?<cluster>…)` to take the cluster from".to_owned())
    }
}
