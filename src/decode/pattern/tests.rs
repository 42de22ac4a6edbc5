//! Pattern strings from real configurations, each with a line.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::Pattern;
use crate::decode::clock::Clock;
use crate::decode::layout::Layout;

const JOB: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";

/// Reads a line, and shows what was read as `level logger [job] message`; `-` where it is no header.
fn read(pattern: &str, line: &str) -> String {
    let layout = Layout::from_pattern(pattern).unwrap();
    let mut clock = Clock::new(TimeZone::UTC, Timestamp::UNIX_EPOCH);
    let text = line.replace("JOB", JOB);
    assert_eq!(
        layout.is_header(text.as_bytes()),
        layout.decode(text.as_bytes(), &mut clock).is_some()
    );
    layout
        .decode(text.as_bytes(), &mut clock)
        .map_or("-".to_owned(), |record| {
            let level = record.level.map_or(String::new(), |level| format!("{level:?} "));
            let job = record.mdc_job.map_or("", |_| "[job] ");
            let cause = record.cause.map_or(String::new(), |cause| {
                format!(" ({}: {})", cause.class, cause.message)
            });
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            format!(
                "{level}{} {job}{}{cause}",
                text(&record.logger),
                text(&record.message)
            )
        })
}

#[test]
#[rustfmt::skip]
fn patterns_as_users_have_them_read_their_lines() {
    const T: &str = "2026-11-21 00:03:24,184";
    for (pattern, line, expected) in [
        ("%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n", "T INFO  a.B                [] - m", "Info a.B m"),
        ("%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n", "T ERROR a.B                  - m", "Error a.B m"),
        ("%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n", "T INFO  a.B                  -  - m", "Info a.B  - m"),
        ("%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n", "T INFO  a.B [JOB] - m", "Info a.B [job] m"),
        ("%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n", "T INFO  a.B msg with - m", "-"),
        ("%d{yyyy-MM-dd HH:mm:ss.SSS} [%thread] %-5level %logger{60} %X{sourceThread} - %msg%n", "2026-11-21 00:03:24.184 [x-1] INFO  a.B akka://flink - m", "Info a.B m"),
        ("%d{ISO8601} [%t] %-5p %c{1} - %m%n", "T [main] WARN  B - m", "Warn B m"),
        ("%d [%X{flink-job-id}] %p %c %m%n", "T [JOB] INFO a.B m", "Info a.B [job] m"),
        ("%d [%X{traceId}] %p %c %m%n", "T [JOB] INFO a.B m", "Info a.B m"),
        ("%d %p %c %X - %m%n", "T INFO a.B {a=b c, flink-job-id=JOB} - m", "Info a.B [job] m"),
        ("%d %p %c %mdc{flink-job-id:-none} - %m%n", "T INFO a.B none - m", "Info a.B m"),
        ("%d %p %c %X{flink-job-id,user} - %m%n", "T INFO a.B {flink-job-id=JOB, user=x} - m", "Info a.B [job] m"),
        ("%d %p %c - %m (%F:%L)%n", "T INFO a.B - x (y) z (B.java:12)", "Info a.B x (y) z"),
        ("%d %p %c - %m (%F:%L)%n", "T INFO a.B - x (A.java:1) (B.java:12)", "Info a.B x (A.java:1)"),
        ("%d %p %c - %m (%F:%L)%n", "T INFO a.B - two\nlines (B.java:12)\n\tat x", "Info a.B two\nlines"),
        ("%d %p - %m [%c]%n", "T INFO - m [x] [a.B]", "Info a.B m [x]"),
        ("%d %p %c - %m [%X{flink-job-id}]%n", "T INFO a.B - m [JOB]", "Info a.B [job] m"),
        ("%d %p %c - %m %ex%n", "T INFO a.B - m ", "Info a.B m"),
        ("%d %p %c - %m %ex%n", "T INFO a.B - m java.io.IOException: a b.C: d\n\tat x", "Info a.B m (java.io.IOException: a b.C: d)"),
        ("%d %p %c - %m%throwable{separator(|)}%n", "T INFO a.B - m java.io.IOException: x|\tat y", "Info a.B m (java.io.IOException: x|\tat y)"),
        ("%d %p %c - %m%n%xwEx", "T INFO a.B - m\njava.io.IOException", "Info a.B m\njava.io.IOException"),
        ("%d %p{length=1} %c - %m%n", "T W a.B - m", "Warn a.B m"),
        ("%d %p{WARN=Attention, lowerCase=true} %c - %m%n", "T Attention a.B - m", "Warn a.B m"),
        ("%d %p{lowerCase=true} %c - %m%n", "T info a.B - m", "Info a.B m"),
        ("%d %.-1level %c - %m%n", "T E a.B - m", "Error a.B m"),
        ("%d %highlight(%-5level) %cyan(%logger{36}) - %msg%n", "\x1b[32mT\x1b[m INFO  a.B - m", "Info a.B m"),
        ("%d %-30(%level [%t]) %c - %m%n", "T INFO [main]                   a.B - m", "Info a.B m"),
        ("%d %p %c{1.}:%L - %m%n", "T INFO a.B:? - m", "Info a.B m"),
        ("%d %p %l - %m%n", "T INFO a.B.c(B.java:1) - m", "Info  m"),
        ("%d %p %20.30c: %m%n", "T INFO                  a.B: m", "Info a.B m"),
        ("%r [%t] %p %c %x - %m%n", "12 [main] INFO a.B  - m", "Info a.B m"),
        ("${env:PREFIX:-x}|%d|%pid|%p|%c|%m%n", "any|T|17|INFO|a.B|m", "Info a.B m"),
        ("100%% \\(%d\\)\\t%p %c %m%n", "100% (T)\tINFO a.B m", "Info a.B m"),
        ("%d %p %c%notEmpty{ [%x]} - %m%n", "T INFO a.B - m", "Info a.B m"),
        ("%d %p %c%notEmpty{ [%X]} - %m%n", "T INFO a.B [{flink-job-id=JOB}] - m", "Info a.B [job] m"),
        ("%d %p %equals{[%marker]}{[]}{} %c - %m%n", "T INFO  a.B - m", "Info a.B m"),
        ("%style{%d{HH:mm:ss,SSS}}{dim} %p %c - %enc{%m}{CRLF}%n", "\x1b[2m00:03:24,184\x1b[m INFO a.B - m", "Info a.B m"),
        ("%d %p %c - %replace{%m}{[\\r\\n]+}{ }%n", "T INFO a.B - m", "Info a.B m"),
        ("%d %p [%t] %sn %u %tid %c - %maxLen{%m}{200}%n", "T INFO [a b] 7 u-1 9 a.B - m", "Info a.B m"),
        ("%p %m (%c)\\n", "INFO m (x) (a.B)", "Info a.B m (x)"),
        ("%d %5p %pid --- [%15.15t] %-40.40logger{39} : %m%n", "T  INFO 1 --- [           main] a.B                   : m", "Info a.B m"),
        ("%d %-5p %m%n", "T INFO   two blanks", "Info   two blanks"),
        ("{\"ts\":\"%d\",\"l\":{\"v\":\"%p\",\"c\":\"%c\"},\"m\":\"%enc{%m}{JSON}\",\"j\":\"%X{flink-job-id}\",\"e\":\"%ex\"}%n", "{\"ts\":\"T\",\"l\":{\"v\":\"INFO\",\"c\":\"a.B\"},\"m\":\"a\\nb\",\"j\":\"JOB\",\"e\":\"\"}", "Info a.B [job] a\nb"),
        ("{\"ts\":%d{UNIX_MILLIS},\"l\":\"%p\",\"c\":\"%c\",\"m\":\"%m\"}%n", "{\"ts\":1795219404184,\"l\":\"INFO\",\"c\":\"a.B\",\"m\":\"x\"}", "Info a.B x"),
        ("{%d} %p %c %m%n", "{T} INFO a.B m", "Info a.B m"),
    ] {
        let line = line.replacen('T', T, usize::from(!pattern.contains("UNIX")));
        assert_eq!(read(pattern, &line), expected, "{pattern}\n{line}");
    }
}

#[test]
fn a_zone_in_the_pattern_wins_over_the_sources() {
    for (pattern, expected) in [
        (
            "%d{yyyy-MM-dd HH:mm:ss,SSS}{UTC} %p %c %m%n",
            "2026-11-21T00:03:24.184Z",
        ),
        (
            "%d{yyyy-MM-dd HH:mm:ss,SSS, Asia/Kolkata} %p %c %m%n",
            "2026-11-20T18:33:24.184Z",
        ),
        (
            "%d{\"yyyy-MM-dd HH:mm:ss,SSS\", GMT+1} %p %c %m%n",
            "2026-11-20T23:03:24.184Z",
        ),
        (
            "%d{yyyy-MM-dd HH:mm:ss,SSS} %p %c %m%n",
            "2026-11-21T05:03:24.184Z",
        ),
    ] {
        let layout = Layout::from_pattern(pattern).unwrap();
        let mut clock = Clock::new(TimeZone::get("America/New_York").unwrap(), Timestamp::UNIX_EPOCH);
        let record = layout
            .decode(b"2026-11-21 00:03:24,184 INFO a.B m", &mut clock)
            .unwrap();
        assert_eq!(record.at.unwrap().to_string(), expected, "{pattern}");
    }
}

#[test]
fn what_cannot_be_understood_is_refused_with_its_place() {
    for (pattern, offset, words) in [
        ("%d %q %m%n", 3, "unknown converter `%q`"),
        ("%d %p %c", 0, "no message"),
        ("%c %m%n", 0, "neither time nor level"),
        ("%d %p %m %m%n", 9, "twice"),
        ("%d %p%n%m%n", 5, "no message (`%m`) on the first line"),
        ("%d{JJ} %p %m%n", 3, "no part of a date"),
        ("%d{HH:mm:ss}{Mars} %p %m%n", 13, "no time zone"),
        ("%d %p %m%", 8, "lone"),
        ("%d %p{ %m%n", 5, "never closed"),
        ("%d %(%p %m%n", 5, "never closed"),
        ("%d %notEmpty{%m}%n", 13, "optional"),
        ("%d %style %m%n", 3, "missing"),
        ("%99999p %d %m%n", 1, "wider"),
        ("%style{%q}{red} %d %m", 7, "unknown converter"),
    ] {
        let error = Layout::from_pattern(pattern).unwrap_err();
        assert_eq!(error.offset, offset, "{pattern}: {error}");
        assert!(error.message.contains(words), "{pattern}: {error}");
    }
}

#[test]
fn a_pattern_says_how_much_of_a_logger_it_prints() {
    for (converter, shortens) in [
        ("%c", Some(false)),
        ("%-60c", Some(false)),
        ("%c{1}", Some(true)),
        ("%c{1.}", Some(true)),
        ("%c{-2}", Some(true)),
        ("%.30c", Some(true)),
        ("%logger{0}", Some(true)),
        ("%logger{36}", None),
        ("%t", None),
    ] {
        let pattern = Pattern::compile(&format!("%d %p {converter} - %m%n")).unwrap();
        assert_eq!(pattern.shortens_loggers(), shortens, "{converter}");
        assert_eq!(pattern.has_logger(), converter != "%t", "{converter}");
    }
}

proptest! {
    #[test]
    fn no_pattern_and_no_line_makes_it_panic(pattern in "\\PC{0,40}", line in any::<Vec<u8>>()) {
        for pattern in [pattern.clone(), format!("%d {pattern} %m"), format!("%p%m{pattern}%n"), format!("{{\"{pattern}\":\"%m\"}}")] {
            if let Ok(layout) = Layout::from_pattern(&pattern) {
                layout.decode(&line, &mut Clock::new(TimeZone::UTC, Timestamp::UNIX_EPOCH));
            }
        }
    }

    #[test]
    fn converters_in_any_order_never_panic(
        parts in prop::collection::vec(prop::sample::select(vec![
            "%d", "%p", "%-5p", "%c", "%t", "%x", "%X", "%m", "%ex", "%L", "%notEmpty{ %x}", " ", " - ", "[", "]", "%20c", "{", "\"",
        ]), 0..12),
        line in "[ \\[\\]\\-0-9:,a-z.\\n\\x1bINFO]{0,60}",
    ) {
        if let Ok(layout) = Layout::from_pattern(&parts.concat()) {
            layout.decode(line.as_bytes(), &mut Clock::new(TimeZone::UTC, Timestamp::UNIX_EPOCH));
        }
    }

    #[test]
    fn the_stock_pattern_gives_back_what_was_printed(
        logger in "[a-z]{1,8}(\\.[a-z]{1,8}){0,4}\\.[A-Z][A-Za-z$]{0,40}",
        message in "[^\\x1b]*",
        ndc in prop::sample::select(vec!["", "[]", "[a, b]"]),
    ) {
        let pattern = Layout::from_pattern("%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n").unwrap();
        let message = message.trim_end_matches(['\r', '\n']);
        let text = format!("2026-11-21 00:03:24,184 INFO  {logger:<60} {ndc} - {message}");
        let mut clock = Clock::new(TimeZone::UTC, Timestamp::UNIX_EPOCH);
        let record = pattern.decode(text.as_bytes(), &mut clock).unwrap();
        prop_assert_eq!(&*record.logger, logger.as_bytes());
        prop_assert_eq!(String::from_utf8_lossy(&record.message), message);
    }
}
