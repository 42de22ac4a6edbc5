//! gzip, and base64 of it: how subscriptions reach Kinesis (`Data`, `data`) and Lambda (`awslogs.data`).

use std::io::Read;

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::json::{field, text};
use super::{Around, Content, Inner, Opened, Refused};

/// Most bytes unpacked of one value: a megabyte of zeros packs into a kilobyte.
const MOST: u64 = 64 << 20;

/// How base64 of gzip begins: the magic number and its one method.
const GZIP: &str = "H4sI";

pub(super) fn base64(value: &Value, around: &Around) -> Option<Opened> {
    if let Some(records) = field(value, "Records")
        .or_else(|| field(value, "records"))
        .and_then(Value::as_array)
    {
        let packed = |record: &Value| data(record).is_some();
        return (!records.is_empty() && records.iter().all(packed)).then(|| {
            let inner = |record: &Value| Inner {
                around: around.clone(),
                content: Content::Value(record.clone()),
            };
            Opened::Carries(records.iter().map(inner).collect())
        });
    }
    let data = data(field(value, "awslogs").unwrap_or(value))?;
    Some(match decoded(data).and_then(|bytes| unpacked(&bytes)) {
        Some(bytes) => Opened::Stream(bytes),
        None => Opened::Refused(Refused::Broken("its data is no gzip in base64".to_owned())),
    })
}

fn data(record: &Value) -> Option<&str> {
    let record = field(record, "kinesis").unwrap_or(record);
    text(record, "data").filter(|data| data.starts_with(GZIP))
}

/// Unpacks any number of gzip members.
fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    MultiGzDecoder::new(bytes).take(MOST).read_to_end(&mut out).ok()?;
    Some(out)
}

/// Base64 (RFC 4648) of either alphabet, line breaks left out.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0);
    for byte in text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=')
    {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held & 0xFF) as u8);
        }
    }
    Some(out)
}
