//! YAML, as people save the platform's resources and the answers of the AWS command: read into the same values as JSON.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value};

/// Whether a line, at the beginning of a stream, begins a resource in YAML.
pub(super) fn begins(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"- ").unwrap_or(line);
    let keys: [&[u8]; 8] = [
        b"apiVersion:",
        b"kind:",
        b"metadata:",
        b"status:",
        b"items:",
        b"spec:",
        b"ApplicationDetail:",
        b"ApplicationVersionDetail:",
    ];
    line == b"---" || keys.iter().any(|key| line.starts_with(key))
}

/// Whether a line may stand before the first document: a comment or a directive.
pub(super) fn comes_before(line: &[u8]) -> bool {
    line.starts_with(b"#") || line.starts_with(b"%YAML ") || line.trim_ascii().is_empty()
}

/// Whether a line ends a document.
pub(super) fn ends(line: &[u8]) -> bool {
    line == b"---" || line == b"..."
}

/// All documents of a text; none where it is no YAML.
pub(super) fn read(text: &str) -> Option<Vec<Value>> {
    let documents = Yaml::load_from_str(text).ok()?;
    Some(documents.iter().map(value).collect())
}

/// Aliases are not followed: a few lines of them may stand for gigabytes.
fn value(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Boolean(flag)) => Value::Bool(*flag),
        Yaml::Value(Scalar::Integer(number)) => Value::from(*number),
        Yaml::Value(Scalar::FloatingPoint(number)) => Value::from(number.into_inner()),
        Yaml::Value(Scalar::String(text)) => Value::String(text.to_string()),
        Yaml::Sequence(items) => items.iter().map(value).collect(),
        Yaml::Mapping(entries) => {
            let entry = |(key, held): (&Yaml<'_>, &Yaml<'_>)| Some((key.as_str()?.to_owned(), value(held)));
            Value::Object(entries.iter().filter_map(entry).collect::<Map<_, _>>())
        }
        _ => Value::Null,
    }
}
