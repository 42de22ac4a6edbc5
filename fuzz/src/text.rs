//! From bytes to records: lines, layouts, wrappers.

use std::sync::{Arc, LazyLock};

use flinktail::decode::clock::Clock;
use flinktail::decode::form::Form;
use flinktail::decode::layout::Layout;
use flinktail::decode::layouts::Layouts;
use flinktail::decode::wrapper::Wrapper;
use flinktail::scan::Scanner;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{choice, wording};

/// All wrappers, by the names under which they are reported.
const WRAPPERS: [&str; 6] = [
    "cri",
    "docker-json-file",
    "aws-logs-tail-json",
    "aws-logs-tail",
    "timestamped",
    "json-carrier",
];

fn clock() -> Clock {
    Clock::new(TimeZone::UTC, Timestamp::UNIX_EPOCH)
}

/// Lines are found where they are, alone or carried, and every line with a literal is found.
pub fn lines(data: &[u8]) {
    static SCANNER: LazyLock<Scanner> =
        LazyLock::new(|| Scanner::new(&["tch", "job", "Job ", " P", "sta"]).unwrap());
    static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
        let layout = Arc::new(Layouts::from_pattern("%d %-5p %c %x - %m%n").unwrap());
        let carried = WRAPPERS.map(|id| Form::new(vec![Wrapper::named(id).unwrap()], Arc::clone(&layout)));
        [Form::new(vec![], layout)].into_iter().chain(carried).collect()
    });
    let (form, buf) = choice(data);
    let line_of = |at: usize| buf[..at].split(|byte| *byte == b'\n').count() - 1;
    let found: Vec<usize> = SCANNER.candidates(buf).map(line_of).collect();
    let expected: Vec<usize> = buf
        .split(|byte| *byte == b'\n')
        .enumerate()
        .filter(|(_, line)| SCANNER.next(line, 0).is_some())
        .map(|(number, _)| number)
        .collect();
    assert_eq!(found, expected);

    let form = &FORMS[form % FORMS.len()];
    let mut start = 0;
    while let Some(end) = form.line_end(buf, start).filter(|end| *end < buf.len()) {
        assert!(end > start, "a line has at least its newline");
        assert_eq!(buf[end - 1], b'\n');
        assert!(form.line_start(buf, end - 1, start) >= start);
        start = end;
    }
    let whole = form.whole(buf, 0);
    assert!(whole <= buf.len());
    assert!(
        form.last_header(buf, 0, buf.len())
            .is_none_or(|header| header < buf.len())
    );
}

/// Every built-in layout reads a line, whatever it holds, and agrees with itself on whether it is a header.
pub fn layouts(data: &[u8]) {
    static LAYOUTS: LazyLock<Vec<Layout>> = LazyLock::new(|| {
        wording()
            .layouts
            .iter()
            .map(|(_, layout)| layout.clone())
            .collect()
    });
    let (layout, text) = choice(data);
    read(&LAYOUTS[layout % LAYOUTS.len()], text);
    let detected = wording().layouts.detect(text);
    assert!(detected.headers <= detected.lines);
}

/// A pattern of somebody's configuration up to the first newline, and a line that it reads.
pub fn patterns(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (pattern, rest) = data.split_at(at);
    let pattern = String::from_utf8_lossy(pattern);
    match Layouts::from_pattern(&pattern) {
        Ok(layout) => read(&layout, rest.get(1..).unwrap_or_default()),
        Err(error) => assert!(error.offset <= pattern.len() && !error.message.is_empty()),
    }
}

fn read(layout: &Layout, text: &[u8]) {
    layout.pass(text, &mut clock());
    let record = layout.decode(text, &mut clock());
    assert!(
        record.is_none() || layout.is_header(text),
        "only a header is decoded: {record:?}"
    );
}

/// Every wrapper takes a line or does not; what it takes is what the log's form then reads.
pub fn wrappers(data: &[u8]) {
    for wrapper in WRAPPERS.map(|id| Wrapper::named(id).unwrap()) {
        if let Some(piece) = wrapper.unwrap(data) {
            assert!(piece.ends || wrapper.cuts());
        }
    }
    let peeled = wording().layouts.peel(data, None);
    if let Some(id) = peeled.detected.layout {
        let layout = Arc::new(wording().layouts.get(id).clone());
        let form = Form::new(peeled.wrappers, layout);
        let mut start = 0;
        while start < data.len() {
            let end = form.line_end(data, start).unwrap_or(data.len());
            let record = form.decode(&data[start..], &mut clock());
            assert!(
                record.is_none() || form.is_header(&data[start..end]),
                "{record:?}"
            );
            start = end;
        }
    }
}
