//! JSON written by a pattern, such as `{"ts":"%d{ISO8601}","level":"%p","message":"%enc{%m}{JSON}"}%n`: the pattern itself
//! tells under which keys the fields stand.

use serde_json::Value;

use super::json::{Json, Slot};
use super::pattern::{PatternError, time_form};
use super::record::JOB_KEY;
use super::syntax::{Field, Kind, Node, parse};
use super::time::TimeForm;

/// The layout, if the pattern is an object; `None` if it is text.
pub(super) fn compile(pattern: &str) -> Result<Option<Json>, PatternError> {
    if !pattern.trim_start().starts_with('{') {
        return Ok(None);
    }
    let nodes = parse(pattern)?;
    let mut sketch = Sketch::default();
    sketch.add(&nodes);
    // A pattern may begin with a brace and be text all the same.
    let Ok(value) = serde_json::from_slice::<Value>(&sketch.json) else {
        return Ok(None);
    };
    let mut paths = Vec::new();
    walk(&value, &mut String::new(), &sketch.fields, &mut paths);
    let (mut form, mut zone) = (TimeForm::Any, None);
    for field in sketch.fields.iter().filter(|field| field.kind == Kind::Time) {
        (form, zone) = time_form(field)?;
    }
    let error = |message: &str| PatternError {
        offset: 0,
        message: message.to_owned(),
    };
    Json::new(paths, form, zone).map(Some).map_err(error)
}

/// The object that the pattern writes, with a placeholder for every converter.
#[derive(Default)]
struct Sketch<'p> {
    json: Vec<u8>,
    fields: Vec<&'p Field>,
    quoted: bool,
}

/// No pattern holds this character, which begins a placeholder; the converter's number follows.
const PLACEHOLDER: char = '\u{e000}';

impl<'p> Sketch<'p> {
    fn add(&mut self, nodes: &'p [Node]) {
        for node in nodes {
            match node {
                Node::Text(text) => self.text(text),
                Node::Group { inner, .. } => self.add(inner),
                Node::Field(field) if matches!(field.kind, Kind::Newline | Kind::Nothing) => {}
                Node::Field(field) => {
                    let placeholder = format!("{PLACEHOLDER}{} ", self.fields.len());
                    // `"time":%d{UNIX_MILLIS}` is a number, without quotes.
                    let text = if self.quoted {
                        placeholder
                    } else {
                        format!("\"{placeholder}\"")
                    };
                    self.json.extend_from_slice(text.as_bytes());
                    self.fields.push(field);
                }
            }
        }
    }

    fn text(&mut self, text: &[u8]) {
        self.json.extend_from_slice(text);
        self.quoted ^= memchr::memchr_iter(b'"', text).count() % 2 == 1;
    }
}

/// Collects the paths of strings that hold a converter.
fn walk(value: &Value, path: &mut String, fields: &[&Field], paths: &mut Vec<(Slot, String)>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let len = path.len();
                if len > 0 {
                    path.push('.');
                }
                path.push_str(key);
                walk(value, path, fields, paths);
                path.truncate(len);
            }
        }
        Value::String(text) => {
            let number = text
                .split(PLACEHOLDER)
                .nth(1)
                .and_then(|rest| rest.split(' ').next()?.parse().ok());
            let field = number.and_then(|number: usize| fields.get(number));
            paths.extend(
                field
                    .and_then(|field| slot(field))
                    .map(|slot| (slot, path.clone())),
            );
        }
        _ => {}
    }
}

fn slot(field: &Field) -> Option<Slot> {
    let asks_for_job = || {
        field
            .options
            .first()
            .is_some_and(|option| option.text.split(":-").next() == Some(JOB_KEY))
    };
    match field.kind {
        Kind::Time => Some(Slot::Time),
        Kind::Level => Some(Slot::Level),
        Kind::Logger => Some(Slot::Logger),
        Kind::Message => Some(Slot::Message),
        Kind::Throwable => Some(Slot::CauseText),
        Kind::Context if asks_for_job() => Some(Slot::Job),
        _ => None,
    }
}
