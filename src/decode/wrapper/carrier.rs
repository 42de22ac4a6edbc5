//! JSON objects of collectors, with the line that they collected in one of their fields.
//!
//! Keys as their programs write them by default: Fluent Bit `log` and `date`, Vector `message` and `timestamp`,
//! Filebeat `message` and `@timestamp`, journald `MESSAGE`, OpenTelemetry `body`, Elastic `event.original`.

use std::sync::LazyLock;

use super::Piece;
use crate::decode::json::Json;

const TEXT: [&str; 9] = [
    "message",
    "log",
    "MESSAGE",
    "event.original",
    "event.message",
    "record.message",
    "body",
    "line",
    "msg",
];
const TIME: [&str; 5] = ["@timestamp", "timestamp", "time", "date", "ts"];

static OBJECT: LazyLock<Json> = LazyLock::new(|| Json::carrier(&TEXT, &TIME));

pub(super) fn unwrap(line: &[u8]) -> Option<Piece<'_>> {
    let (text, at) = OBJECT.carried(line)?;
    Some(Piece::line(text, at))
}
