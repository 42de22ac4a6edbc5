//! Results of CloudWatch Logs Insights: rows of the fields that the query asked for, all of them text; newest first as a
//! rule. The console saves them as CSV.

use std::sync::Arc;

use serde_json::Value;

use super::json::{field, read_time, text};
use super::{Around, Content, Inner, Opened};

/// `{"results":[[{"field":"@timestamp","value":"…"},…],…],"statistics":{…},"status":"Complete"}`.
pub(super) fn results(value: &Value, around: &Around) -> Option<Opened> {
    let rows = field(value, "results")?.as_array()?;
    let rows: Option<Vec<Vec<(&str, &str)>>> = rows.iter().map(cells).collect();
    let inner = rows?.into_iter().map(|cells| row(&cells, around));
    Some(Opened::Carries(inner.flatten().collect()))
}

fn cells(row: &Value) -> Option<Vec<(&str, &str)>> {
    let cell = |cell| {
        Some((
            text(cell, "field")?,
            field(cell, "value").and_then(Value::as_str).unwrap_or_default(),
        ))
    };
    row.as_array()?.iter().map(cell).collect()
}

/// One row. `@ptr` points at the event, and is another one in each query.
pub(super) fn row(cells: &[(&str, &str)], around: &Around) -> Option<Inner> {
    let cell = |name: &str| {
        cells
            .iter()
            .find(|(field, _)| *field == name)
            .map(|(_, value)| *value)
    };
    let message = cell("@message").or_else(|| cell("message"))?;
    let at = cell("@timestamp").or_else(|| cell("timestamp"));
    let at = at.and_then(|at| read_time(&Value::String(at.to_owned())));
    Some(Inner {
        around: around.event(at, cell("@eventId").map(Arc::from)),
        content: Content::Text(message.to_owned()),
    })
}
