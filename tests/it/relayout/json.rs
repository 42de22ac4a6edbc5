//! JSON layouts: log4j's JsonLayout, the templates that come with its JsonTemplateLayout, and patterns that write JSON.
//! Keys stand in the order in which log4j writes them.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use super::{Record, text::THREAD};

/// A JSON string.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn instant(record: &Record) -> String {
    let (second, nano) = (record.at.as_second(), record.at.subsec_nanosecond());
    format!(r#"{{"epochSecond":{second},"nanoOfSecond":{nano}}}"#)
}

/// `"key":{"flink-job-id":"…"},`, nothing where the context is empty.
fn context(key: &str, record: &Record) -> String {
    record.context_job().map_or_else(String::new, |job| {
        format!(r#""{key}":{{"flink-job-id":"{job}"}},"#)
    })
}

/// The fields that both of log4j's own layouts begin with.
fn log4j_head(record: &Record) -> String {
    let (logger, message) = (quoted(record.logger), quoted(record.message));
    let (instant, level) = (instant(record), record.level);
    format!(
        r#""instant":{instant},"thread":"{THREAD}","level":"{level}","loggerName":{logger},"message":{message}"#
    )
}

/// `JsonLayout` with `compact`, `eventEol`, `properties` and `stacktraceAsString`
pub(super) fn json_layout(record: &Record) -> String {
    let mut out = format!("{{{},", log4j_head(record));
    if let Some(thrown) = record.thrown() {
        let (class, message, trace) = (quoted(thrown.class), quoted(thrown.message), quoted(thrown.trace));
        write!(out, r#""thrown":{{"commonElementCount":0,"localizedMessage":{message},"message":{message},"name":{class},"extendedStackTrace":{trace}}},"#).unwrap();
    }
    let context = context("contextMap", record);
    out += if context.is_empty() {
        r#""contextMap":{},"#
    } else {
        &context
    };
    out + r#""endOfBatch":false,"loggerFqcn":"org.apache.logging.slf4j.Log4jLogger","threadId":66,"threadPriority":5}"#
}

/// `JsonTemplateLayout` with `JsonLayout.json`
pub(super) fn template_json(record: &Record) -> String {
    let mut out = format!("{{{},", log4j_head(record));
    if let Some(thrown) = record.thrown() {
        let (class, message) = (quoted(thrown.class), quoted(thrown.message));
        let frames: Vec<String> = thrown.trace.lines().filter_map(frame).collect();
        let frames = frames.join(",");
        write!(
            out,
            r#""thrown":{{"message":{message},"name":{class},"extendedStackTrace":[{frames}]}},"#
        )
        .unwrap();
    }
    out += &context("contextMap", record);
    out + r#""endOfBatch":false,"loggerFqcn":"org.apache.logging.slf4j.Log4jLogger","threadId":66,"threadPriority":5}"#
}

/// One frame of a stack trace as an object.
fn frame(line: &str) -> Option<String> {
    let (method, place) = line.strip_prefix("\tat ")?.split_once('(')?;
    let (class, method) = method.rsplit_once('.')?;
    let (file, number) = place.split_once(')')?.0.split_once(':')?;
    let number: u32 = number.parse().ok()?;
    let (class, method, file) = (quoted(class), quoted(method), quoted(file));
    Some(format!(
        r#"{{"class":{class},"method":{method},"file":{file},"line":{number}}}"#
    ))
}

/// `JsonTemplateLayout` with `EcsLayout.json`
pub(super) fn template_ecs(record: &Record) -> String {
    let (at, level) = (
        record.time("%Y-%m-%dT%H:%M:%S.%3fZ", &TimeZone::UTC),
        record.level,
    );
    let (logger, message) = (quoted(record.logger), quoted(record.message));
    let mut out = format!(
        r#"{{"@timestamp":"{at}","ecs.version":"1.2.0","log.level":"{level}","message":{message},"process.thread.name":"{THREAD}","log.logger":{logger}"#
    );
    if let Some(job) = record.context_job() {
        write!(out, r#","flink-job-id":"{job}""#).unwrap();
    }
    if let Some(thrown) = record.thrown() {
        let (class, message, trace) = (quoted(thrown.class), quoted(thrown.message), quoted(thrown.trace));
        write!(
            out,
            r#","error.type":{class},"error.message":{message},"error.stack_trace":{trace}"#
        )
        .unwrap();
    }
    out + "}"
}

/// `JsonTemplateLayout` with `GelfLayout.json`: level is syslog's number, time is in seconds
pub(super) fn template_gelf(record: &Record) -> String {
    let at = format!("{}.{:03}", record.at.as_second(), record.at.subsec_millisecond());
    let level = match record.level {
        "ERROR" => 3,
        "WARN" => 4,
        "INFO" => 6,
        _ => 7,
    };
    let (logger, message) = (quoted(record.logger), quoted(record.message));
    let mut out = format!(r#"{{"version":"1.1","host":"jobmanager","short_message":{message}"#);
    if let Some(thrown) = record.thrown() {
        write!(out, r#","full_message":{}"#, quoted(thrown.trace)).unwrap();
    }
    write!(
        out,
        r#","timestamp":{at},"level":{level},"_logger":{logger},"_thread":"{THREAD}""#
    )
    .unwrap();
    if let Some(job) = record.context_job() {
        write!(out, r#","_flink-job-id":"{job}""#).unwrap();
    }
    out + "}"
}

/// `JsonTemplateLayout` with `LogstashJsonEventLayoutV1.json`
pub(super) fn template_logstash(record: &Record) -> String {
    let mut out = format!("{{{}", context("mdc", record));
    if let Some(thrown) = record.thrown() {
        let (class, message, trace) = (quoted(thrown.class), quoted(thrown.message), quoted(thrown.trace));
        write!(
            out,
            r#""exception":{{"exception_class":{class},"exception_message":{message},"stacktrace":{trace}}},"#
        )
        .unwrap();
    }
    let (at, level) = (
        record.time("%Y-%m-%dT%H:%M:%S.%3f+0000", &TimeZone::UTC),
        record.level,
    );
    let (logger, message) = (quoted(record.logger), quoted(record.message));
    out + &format!(
        r#""@version":1,"source_host":"vm","message":{message},"thread_name":"{THREAD}","@timestamp":"{at}","level":"{level}","logger_name":{logger}}}"#
    )
}

/// `JsonTemplateLayout` with `GcpLayout.json`: the trace stands in the message too
pub(super) fn template_gcp(record: &Record) -> String {
    let (second, nano) = (record.at.as_second(), record.at.subsec_nanosecond());
    let severity = if record.level == "WARN" {
        "WARNING"
    } else {
        record.level
    };
    let (logger, message) = (quoted(record.logger), quoted(&record.body()));
    let labels = context("logging.googleapis.com/labels", record);
    let exception = record
        .thrown
        .map_or_else(String::new, |trace| format!(r#""exception":{},"#, quoted(trace)));
    format!(
        r#"{{"timestampSeconds":{second},"timestampNanos":{nano},"severity":"{severity}","message":{message},{labels}"logging.googleapis.com/trace_sampled":true,{exception}"thread":"{THREAD}","logger":{logger}}}"#
    )
}

/// `{"ts":"%d{ISO8601_OFFSET_DATE_TIME_HHMM}","level":"%p","logger":"%c","thread":"%enc{%t}{JSON}","message":"%enc{%m}{JSON}","exception":"%enc{%ex}{JSON}"}%n`
pub(super) fn by_pattern(record: &Record) -> String {
    let (at, level) = (
        record.time("%Y-%m-%dT%H:%M:%S,%3f+0000", &TimeZone::UTC),
        record.level,
    );
    let (logger, message) = (quoted(record.logger), quoted(record.message));
    let exception = quoted(record.thrown.unwrap_or(""));
    format!(
        r#"{{"ts":"{at}","level":"{level}","logger":{logger},"thread":"{THREAD}","message":{message},"exception":{exception}}}"#
    )
}

/// `{"time":"%d{yyyy-MM-dd HH:mm:ss.SSS}","severity":"%p","class":"%c{1}","msg":"%enc{%m}{JSON}"}%n`
pub(super) fn by_pattern_zoneless(record: &Record) -> String {
    let (at, level) = (record.time("%Y-%m-%d %H:%M:%S.%3f", &TimeZone::UTC), record.level);
    let class = record.logger.rsplit('.').next().unwrap_or(record.logger);
    format!(
        r#"{{"time":"{at}","severity":"{level}","class":"{class}","msg":{}}}"#,
        quoted(record.message)
    )
}
