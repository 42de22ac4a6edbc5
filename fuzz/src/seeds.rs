//! Where fuzzing begins: what the program's own rules, layouts and tests hold.

use std::fs;
use std::path::{Path, PathBuf};

/// Job names that break out of anything that does not take care of them, in Flink's own layout.
pub const HOSTILE_NAMES: &str = "\
2026-03-02 09:00:00,004 INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph       [] - \
Job a\"}\\ 1\n<script>{} (0a1b2c3d4e5f60718293a4b5c6d7e8f9) switched from state CREATED to RUNNING.
2026-03-02 09:00:01,004 INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph       [] - \
Job b\u{1b}[31m\u{202e} (0a1b2c3d4e5f60718293a4b5c6d7e8f0) switched from state RUNNING to FAILING.
java.lang.RuntimeException: \u{fc}ber
";

/// The seeds of a target; `root` is the repository.
pub fn of(target: &str, root: &Path) -> Vec<Vec<u8>> {
    match target {
        "lines" | "layouts" => numbered(samples(root)),
        "patterns" => patterns(),
        "wrappers" => carried(root),
        "rules" => numbered(messages(root)),
        "wording_files" => texts(root, &["rules/parse", "rules/layouts"]),
        "pipeline" => logs(root),
        "http" => requests(),
        "configuration" => configurations(root),
        "store" => cells(),
        _ => Vec::new(),
    }
}

fn files(directory: PathBuf) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn texts(root: &Path, directories: &[&str]) -> Vec<Vec<u8>> {
    let files = directories
        .iter()
        .flat_map(|directory| files(root.join(directory)));
    files.map(|file| fs::read(file).unwrap()).collect()
}

/// The strings under `key` in any table of a directory's files.
fn strings(directory: PathBuf, key: &str) -> Vec<String> {
    let mut found = Vec::new();
    for file in files(directory) {
        let table: toml::Table = fs::read_to_string(file).unwrap().parse().unwrap();
        collect(&toml::Value::Table(table), key, &mut found);
    }
    found
}

fn collect(value: &toml::Value, key: &str, found: &mut Vec<String>) {
    match value {
        toml::Value::Table(table) => {
            for (name, value) in table {
                match value {
                    toml::Value::String(text) if name == key => found.push(text.clone()),
                    _ => collect(value, key, found),
                }
            }
        }
        toml::Value::Array(values) => values.iter().for_each(|value| collect(value, key, found)),
        _ => {}
    }
}

/// The samples of all layouts, and the lines of [`HOSTILE_NAMES`].
fn samples(root: &Path) -> Vec<String> {
    let mut lines = strings(root.join("rules/layouts"), "line");
    lines.push(HOSTILE_NAMES.to_owned());
    lines
}

/// The messages in the tests of all rules.
fn messages(root: &Path) -> Vec<String> {
    strings(root.join("rules/parse"), "message")
}

/// Each with a first byte to choose by, another for each.
fn numbered(texts: Vec<String>) -> Vec<Vec<u8>> {
    let numbers = (0..=u8::MAX).cycle();
    let number = |(number, text): (u8, String)| [&[number], text.as_bytes()].concat();
    numbers.zip(texts).map(number).collect()
}

/// A line as each wrapper carries it.
fn wrapped(line: &str) -> [String; 6] {
    let quoted = serde_json::to_string(line).unwrap();
    [
        format!("2026-11-21T00:03:24.184000001Z stdout F {line}\n"),
        format!(
            "2026-11-21T00:03:24.184Z stdout P {line}\n2026-11-21T00:03:24.184Z stderr F x\n2026-11-21T00:03:24.184Z stdout F y\n"
        ),
        format!("{{\"log\":{quoted},\"stream\":\"stdout\",\"time\":\"2026-11-21T00:03:24.184Z\"}}\n"),
        format!("{{\"date\":1798761600.1,\"log\":{quoted},\"kubernetes\":{{\"pod_name\":\"p\"}}}}\n"),
        format!("2026-11-21T00:03:24.184Z stream {line}\n"),
        format!("{{\n\"timestamp\": \"2026-11-21T00:03:24.184Z\",\n\"message\": {quoted}\n}}\n"),
    ]
}

fn carried(root: &Path) -> Vec<Vec<u8>> {
    let lines = samples(root);
    let some = lines.iter().step_by(9);
    some.flat_map(|line| wrapped(line))
        .map(String::into_bytes)
        .collect()
}

/// Logs behind four bytes that say how they are cut.
fn logs(root: &Path) -> Vec<Vec<u8>> {
    let header =
        "2026-11-21 00:03:24,184 INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph       [] - ";
    let said = messages(root)
        .chunks(3)
        .map(|three| three.join("\n"))
        .collect::<Vec<_>>();
    let mut logs: Vec<String> = samples(root);
    logs.extend(said.iter().map(|message| format!("{header}{message}\n")));
    logs.extend(wrapped(HOSTILE_NAMES.trim_end()));
    let cut = |log: String| [b"\x10\x03\x01\x00", log.as_bytes()].concat();
    logs.into_iter().map(cut).collect()
}

fn patterns() -> Vec<Vec<u8>> {
    [
        "%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n\n2026-11-21 00:03:24,184 INFO  a.B  - text",
        "%date{ISO8601} [%thread] %highlight(%-5level) %logger{36} -%kvp- %msg%n\n2026-11-21 00:03:24,184 [m] INFO a.B -- x",
        "%d{UNIX_MILLIS} %notEmpty{%X{flink-job-id} }%replace{%m}{x}{y}%n\n1795219404184 x",
        "%style{%d{ABSOLUTE}}{blue} %.-5p %c{1.} [%X] %m%xEx%n\n00:03:24,184 INFO o.a.f.B [{}] x",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn requests() -> Vec<Vec<u8>> {
    [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.1\r\nAccept-Encoding: gzip;q=0.1, *;q=0\r\n\r\n",
        "GET /api/v1/entities?state=RUNNING&cluster=a%20b&kind=flink_job HTTP/1.1\r\nHost: a\r\n\r\nGET /-/ready HTTP/1.0\r\n\r\n",
        "POST /-/reload HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        "HEAD /style.css HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET http://a/-/healthy HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YTpi\r\nExpect: 100-continue\r\n\r\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// The examples, the default, and each case of the table of bad ones.
fn configurations(root: &Path) -> Vec<Vec<u8>> {
    let mut texts = vec![
        fs::read(root.join("examples/flinktail.toml")).unwrap(),
        flinktail::config::document(&flinktail::config::Settings::default()).into_bytes(),
    ];
    let cases = fs::read_to_string(root.join("src/config/tests/bad.txt")).unwrap();
    let mut case = String::new();
    for line in cases.split_inclusive('\n') {
        if !line.starts_with("=> ") {
            case.push_str(line);
        } else if !case.is_empty() {
            texts.push(std::mem::take(&mut case).into_bytes());
        }
    }
    texts
}

/// Edits of the store's file; the first byte says which cell.
fn cells() -> Vec<Vec<u8>> {
    [
        "\0{}",
        "\u{1}0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "\u{3}{\"cluster\":\"a\",\"read_bytes\":1,\"lost_bytes\":{},\"rotations\":{},\"errors\":{},\"decoder\":{\"seen\":1,\"open\":{\"start\":0,\"stage\":\"Unread\"},\"layout\":\"log4j-stock\",\"wrappers\":[\"cri\"],\"last_time\":\"2026-03-02T09:00:00Z\"}}\n\u{4}abc",
        "\u{6}{}",
        "\u{7}NOWHERE\n\u{8}2026-03-02T09:00:00Z",
        "\u{b}-1\n\u{c}18446744073709551615",
        "\u{e}\u{0}\u{60}\u{0}\u{0}\u{0}\u{2}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
