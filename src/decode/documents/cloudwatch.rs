//! Events of CloudWatch Logs: single, as pages of `filter-log-events` and `get-log-events`, as subscriptions deliver them,
//! and as Live Tail shows them (API model of 2014-03-28).

use std::sync::Arc;

use serde_json::Value;

use super::json::{field, text, time};
use super::{Around, Content, Inner, Opened, Refused, event_id};

/// `{"events":[…],"searchedLogStreams":[],"nextToken":…}`, `{"events":[…],"nextForwardToken":…}`.
pub(super) fn log_events(value: &Value, around: &Around) -> Option<Opened> {
    let events = field(value, "events")?.as_array()?;
    let pages = [
        "searchedLogStreams",
        "nextToken",
        "nextForwardToken",
        "nextBackwardToken",
    ];
    let is_page = pages.iter().any(|key| field(value, key).is_some());
    if !is_page && !events.iter().all(is_event) {
        return None;
    }
    Some(carried(events, around))
}

/// `{"messageType":"DATA_MESSAGE","owner","logGroup","logStream","subscriptionFilters":[],"logEvents":[…]}`.
pub(super) fn subscription(value: &Value, around: &Around) -> Option<Opened> {
    let kind = text(value, "messageType")?;
    let events = field(value, "logEvents");
    if kind.eq_ignore_ascii_case("CONTROL_MESSAGE") {
        return Some(Opened::Silent(
            "CloudWatch checks whether the destination is there".to_owned(),
        ));
    }
    if !kind.eq_ignore_ascii_case("DATA_MESSAGE") {
        return None;
    }
    let Some(events) = events.and_then(Value::as_array) else {
        return Some(Opened::Refused(Refused::Broken("no logEvents".to_owned())));
    };
    let around = Around {
        group: text(value, "logGroup")
            .map(Arc::from)
            .or_else(|| around.group.clone()),
        ..around.clone()
    };
    Some(carried(events, &around))
}

/// `{"sessionMetadata":{"sampled":false},"sessionResults":[…]}`, maybe below `sessionUpdate`, and `sessionStart`.
pub(super) fn live_tail(value: &Value, around: &Around) -> Option<Opened> {
    if field(value, "sessionStart").is_some() {
        return Some(Opened::Silent("the session begins".to_owned()));
    }
    let update = field(value, "sessionUpdate").unwrap_or(value);
    Some(carried(field(update, "sessionResults")?.as_array()?, around))
}

/// One event: `timestamp`, `message`, and what tells it from a collector's object.
pub(super) fn log_event(value: &Value, around: &Around) -> Option<Opened> {
    if !is_event(value) {
        return None;
    }
    let marks = [
        "eventId",
        "ingestionTime",
        "logStreamName",
        "logGroupIdentifier",
        "id",
    ];
    marks
        .iter()
        .any(|key| field(value, key).is_some())
        .then(|| event(value, around))
}

fn is_event(value: &Value) -> bool {
    field(value, "message").is_some_and(Value::is_string) && field(value, "timestamp").is_some()
}

fn carried(events: &[Value], around: &Around) -> Opened {
    let mut inner = Vec::with_capacity(events.len());
    for value in events {
        match event(value, around) {
            Opened::Carries(one) => inner.extend(one),
            // Said of the element itself, when it is opened alone.
            _ => inner.push(Inner {
                around: around.clone(),
                content: Content::Value(value.clone()),
            }),
        }
    }
    Opened::Carries(inner)
}

fn event(value: &Value, around: &Around) -> Opened {
    let Some(message) = field(value, "message").and_then(Value::as_str) else {
        return Opened::Refused(Refused::Broken("the event has no message".to_owned()));
    };
    let id = text(value, "eventId")
        .or_else(|| text(value, "id"))
        .map(Arc::from);
    let id = id.or_else(|| without_id(value, message));
    let mut around = around.event(time(value, "timestamp"), id);
    if let Some(group) = text(value, "logGroupIdentifier") {
        // The ARN of the group, or its name; the account may stand before it.
        around.group = group.rsplit(':').next().map(Arc::from);
    }
    Opened::Carries(vec![Inner {
        around,
        content: Content::Text(message.to_owned()),
    }])
}

/// `get-log-events` gives no ids; an event that two pages share has the same two times and the same text.
fn without_id(value: &Value, message: &str) -> Option<Arc<str>> {
    let (at, ingested) = (field(value, "timestamp")?, field(value, "ingestionTime")?);
    Some(Arc::from(format!("{at} {ingested} {:016x}", event_id(message))))
}
