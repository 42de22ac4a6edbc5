//! Text layouts: each function writes what the pattern above it says.

use jiff::tz::{Offset, TimeZone};

use super::Record;

/// Threads are not in the stock layout; brackets and blanks in their names are usual.
pub(super) const THREAD: &str = "Source: ticker -> [sink] (1/1)#0";

const DATE: &str = "%Y-%m-%d %H:%M:%S,%3f";

/// `%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n`
#[cfg(test)]
pub(super) fn stock(record: &Record) -> String {
    stock_in(record, &TimeZone::UTC)
}

/// The stock pattern, on a machine in another zone.
pub(super) fn in_kolkata(record: &Record) -> String {
    stock_in(record, &TimeZone::get("Asia/Kolkata").unwrap())
}

fn stock_in(record: &Record, zone: &TimeZone) -> String {
    let (at, logger) = (record.time(DATE, zone), record.padded_logger());
    format!(
        "{at} {:<5} {logger} {} - {}",
        record.level,
        record.ndc,
        record.body()
    )
}

/// Flink's `logback.xml`: `%d{yyyy-MM-dd HH:mm:ss.SSS} [%thread] %-5level %logger{60} %X{sourceThread} - %msg%n`
pub(super) fn logback(record: &Record) -> String {
    let at = record.time("%Y-%m-%d %H:%M:%S.%3f", &TimeZone::UTC);
    format!(
        "{at} [{THREAD}] {:<5} {}  - {}",
        record.level,
        shortened_to(record.logger, 60),
        record.body()
    )
}

/// `%d{ISO8601} [%t] %-5level %logger{36} - %msg%n`
pub(super) fn thread(record: &Record) -> String {
    let at = record.time("%Y-%m-%dT%H:%M:%S,%3f", &TimeZone::UTC);
    format!(
        "{at} [{THREAD}] {:<5} {} - {}",
        record.level,
        record.logger,
        record.body()
    )
}

/// `%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c [%X{flink-job-id}] - %m%n`
pub(super) fn context(record: &Record) -> String {
    let (at, logger) = (record.time(DATE, &TimeZone::UTC), record.padded_logger());
    format!(
        "{at} {:<5} {logger} [{}] - {}",
        record.level,
        record.context_job().unwrap_or(""),
        record.body()
    )
}

/// `[%d] [%p] [%t] %c{1.}: %m%n`
pub(super) fn short_logger(record: &Record) -> String {
    let at = record.time(DATE, &TimeZone::UTC);
    format!(
        "[{at}] [{}] [{THREAD}] {}: {}",
        record.level,
        initials(record.logger),
        record.body()
    )
}

/// `%style{%d{yyyy-MM-dd HH:mm:ss,SSS}}{dim} %highlight{%-5p}{…} %style{%-60c}{cyan} %x - %m%n`
pub(super) fn colours(record: &Record) -> String {
    let (at, logger) = (record.time(DATE, &TimeZone::UTC), record.padded_logger());
    let colour = match record.level {
        "ERROR" => 31,
        "WARN" => 33,
        _ => 32,
    };
    let (level, ndc, body) = (record.level, record.ndc, record.body());
    format!("\x1b[2m{at}\x1b[m \x1b[{colour}m{level:<5}\x1b[m \x1b[36m{logger}\x1b[m {ndc} - {body}")
}

/// `%d{UNIX_MILLIS} %p %c %m%n`
pub(super) fn epoch(record: &Record) -> String {
    format!(
        "{} {} {} {}",
        record.at.as_millisecond(),
        record.level,
        record.logger,
        record.body()
    )
}

/// `%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %p %c{1} %m%n`, in a zone two hours east
pub(super) fn offset(record: &Record) -> String {
    let zone = TimeZone::fixed(Offset::constant(2));
    let at = record.time("%Y-%m-%dT%H:%M:%S.%3f%:z", &zone);
    format!("{at} {} {} {}", record.level, class(record.logger), record.body())
}

/// `%d{HH:mm:ss.SSS} [%t] %-5p %c{1.} - %m%n`
pub(super) fn time_only(record: &Record) -> String {
    let at = record.time("%H:%M:%S.%3f", &TimeZone::UTC);
    format!(
        "{at} [{THREAD}] {:<5} {} - {}",
        record.level,
        initials(record.logger),
        record.body()
    )
}

/// A pattern that nobody would guess.
pub(super) const ODD_PATTERN: &str = "%-5p|%t|%d{yyyyMMdd-HHmmss.SSS}|%c{1} >> %m%n";

/// [`ODD_PATTERN`]
pub(super) fn odd(record: &Record) -> String {
    let at = record.time("%Y%m%d-%H%M%S.%3f", &TimeZone::UTC);
    format!(
        "{:<5}|{THREAD}|{at}|{} >> {}",
        record.level,
        class(record.logger),
        record.body()
    )
}

/// `%c{1}`
fn class(logger: &str) -> &str {
    logger.rsplit('.').next().unwrap_or(logger)
}

/// `%c{1.}`
fn initials(logger: &str) -> String {
    shortened_to(logger, 0)
}

/// logback's `%logger{width}`: packages become their initial, from the left, until the whole fits.
fn shortened_to(logger: &str, width: usize) -> String {
    let mut parts: Vec<&str> = logger.split('.').collect();
    for i in 0..parts.len().saturating_sub(1) {
        if parts.iter().map(|part| part.len() + 1).sum::<usize>() <= width + 1 {
            break;
        }
        parts[i] = parts[i].get(..1).unwrap_or(parts[i]);
    }
    parts.join(".")
}
