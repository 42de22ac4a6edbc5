//! Looking into JSON values whose writers differ in letter case (`applicationStatus`, `ApplicationStatus`) and in how they
//! write numbers and times.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::{Around, Content, Inner, Opened};
use crate::decode::json::{broken_instant, instant};

/// The value of a key, in any letter case where it is not there as written. Null is nothing.
pub(super) fn field<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    let object = value.as_object()?;
    let any_case = || {
        let found = object.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
        found.map(|(_, value)| value)
    };
    object.get(key).or_else(any_case).filter(|value| !value.is_null())
}

/// The text of a key; an empty one is nothing.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    field(value, key)?.as_str().filter(|text| !text.is_empty())
}

/// A whole number, written as one or as text.
pub(super) fn number(value: &Value, key: &str) -> Option<u64> {
    match field(value, key)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A time: ISO 8601 as text, UTC where it names no zone, or since the epoch as a number.
pub(super) fn time(value: &Value, key: &str) -> Option<Timestamp> {
    read_time(field(value, key)?)
}

pub(super) fn read_time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(whole) => instant(whole, 0),
            None => broken_instant(number.as_f64()?),
        },
        Value::String(text) => {
            let text = text.trim();
            let local = || {
                let local: DateTime = text.parse().ok()?;
                local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
            };
            let since_epoch = || instant(text.parse().ok()?, 0);
            text.parse().ok().or_else(local).or_else(since_epoch)
        }
        _ => None,
    }
}

/// The elements of a list under a key, each a document of its own.
pub(super) fn elements(value: &Value, key: &str, around: &Around) -> Option<Opened> {
    list(field(value, key)?, around)
}

/// The one document under a key.
pub(super) fn only(document: &Value, around: &Around) -> Opened {
    Opened::Carries(vec![Inner {
        around: around.clone(),
        content: Content::Value(document.clone()),
    }])
}

/// A list of documents.
pub(super) fn list(value: &Value, around: &Around) -> Option<Opened> {
    let inner = |element: &Value| Inner {
        around: around.clone(),
        content: Content::Value(element.clone()),
    };
    Some(Opened::Carries(value.as_array()?.iter().map(inner).collect()))
}
