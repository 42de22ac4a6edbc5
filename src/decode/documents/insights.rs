//! Results of CloudWatch Logs Insights: rows of the fields that the query asked for, all of them text; newest first as a
//! rule. The console saves them as CSV.

use serde_json::Value;

use super::json::{field, read_time, text};
use super::{Around, Content, Inner, Opened, event_id};

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
        around: around.event(at, cell("@eventId").map(event_id)),
        content: Content::Text(message.to_owned()),
    })
}

/// The columns of a CSV file, if a line is the header of one.
pub(super) fn columns(line: &[u8]) -> Option<Vec<String>> {
    // Every line of a log is asked about, while it may be such a file.
    memchr::memmem::find(line, b"@message")?;
    let columns = cells_of_line(line)?;
    columns
        .iter()
        .any(|column| column == "@message")
        .then_some(columns)
}

/// The cells of a line (RFC 4180); none where a quoted cell does not end on it. Messages of managed Flink have their
/// newlines escaped.
pub(super) fn cells_of_line(line: &[u8]) -> Option<Vec<String>> {
    let text = std::str::from_utf8(line).ok()?.trim_start_matches('\u{feff}');
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, quoted) {
            ('"', true) if letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            ('"', _) => quoted = !quoted,
            (',', false) => cells.push(std::mem::take(&mut cell)),
            _ => cell.push(letter),
        }
    }
    cells.push(cell);
    (!quoted).then_some(cells)
}
