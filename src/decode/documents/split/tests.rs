//! Any text, cut anywhere, gives the same pieces; damage costs what is damaged.

use proptest::prelude::*;

use super::{LONGEST, Piece, Splitter};

/// The pieces of a text that comes in reads of these lengths: `=` a value, `-` a line, `!` damage.
fn pieces(text: &[u8], cuts: &[usize]) -> Vec<String> {
    let (mut splitter, mut out, mut from) = (Splitter::default(), Vec::new(), 0);
    let mut take = |splitter: &mut Splitter, last| {
        while let Some((offset, piece)) = splitter.next(last) {
            let (mark, bytes) = match piece {
                Piece::Value(bytes) => ('=', bytes),
                Piece::Line(bytes) => ('-', bytes),
                // How much of it had come when it showed is not what it is about.
                Piece::Damaged(_) => ('!', &b""[..]),
            };
            assert!(
                text[usize::try_from(offset).unwrap()..].starts_with(bytes),
                "{mark} at {offset}"
            );
            out.push(format!("{mark}{}", String::from_utf8_lossy(bytes)));
        }
    };
    for cut in cuts.iter().copied().chain([text.len()]) {
        let to = cut.clamp(from, text.len());
        splitter.push(&text[from..to], from as u64);
        take(&mut splitter, false);
        from = to;
    }
    take(&mut splitter, true);
    out
}

const CASES: [(&str, &[&str]); 22] = [
    ("", &[]),
    ("{}", &["={}"]),
    ("{\"a\":1}\n{\"b\":[2]}\n", &["={\"a\":1}", "={\"b\":[2]}"]),
    ("{\"a\":1}{\"b\":2}[{}]", &["={\"a\":1}", "={\"b\":2}", "=[{}]"]),
    (
        "\u{feff}{\r\n  \"a\": {\r\n }\r\n}\r\n",
        &["={\r\n  \"a\": {\r\n }\r\n}"],
    ),
    ("{\"a\":\"}\\\"{\\\\\"}x", &["={\"a\":\"}\\\"{\\\\\"}", "-x"]),
    (
        "2026 INFO x {\"a\":1}\n  at y\n",
        &["-2026 INFO x {\"a\":1}", "-  at y"],
    ),
    (
        "[2026-03-02] INFO\n[INFO] x\n{x} y\n",
        &["-[2026-03-02] INFO", "-[INFO] x", "-{x} y"],
    ),
    (
        "{\"a\":1},\n{\"b\":2}\n]\nx\n",
        &["={\"a\":1}", "={\"b\":2}", "-]", "-x"],
    ),
    ("{\"a\":\"torn\n{\"b\":2}\n", &["!", "={\"b\":2}"]),
    ("{\"a\":1,\n{\"b\":2}\n", &["!", "={\"b\":2}"]),
    (
        "{\"a\":\"torn{\"b\":2}\n{\"c\":3}\n",
        &["!", "={\"b\":2}", "={\"c\":3}"],
    ),
    (
        "{\"Records\":[{\"a\":1},{\"b\":2},{\"c\":",
        &["!", "={\"a\":1}", "={\"b\":2}"],
    ),
    ("{\"a\":1", &["!"]),
    ("{\"a\"", &["!"]),
    ("{", &["-{"]),
    ("{\"a\":[1,2}}\n{\"b\":2}", &["!", "={\"b\":2}"]),
    ("{\"a\" 1}\nx\n", &["!", "-x"]),
    ("{\"a\":nul,\"b\":1e+5}", &["={\"a\":nul,\"b\":1e+5}"]),
    ("\n \n\t\n", &[]),
    (
        "[\n  {\"a\":1},\n  {\"b\":2}\n]\n",
        &["=[\n  {\"a\":1},\n  {\"b\":2}\n]"],
    ),
    ("x", &["-x"]),
];

#[test]
fn values_stand_alone_or_among_lines_and_damage_costs_what_is_damaged() {
    for (text, expected) in CASES {
        assert_eq!(pieces(text.as_bytes(), &[]), expected, "{text:?}");
    }
}

#[test]
fn a_message_of_a_megabyte_is_a_value() {
    let text = format!("{{\"message\":\"{}\"}}", "x\\n".repeat(1 << 19));
    assert_eq!(pieces(text.as_bytes(), &[]), [format!("={text}")]);
}

#[test]
fn a_document_without_end_is_opened_and_read_element_by_element() {
    let element = format!("{{\"message\":\"{}\"}}", "x".repeat(1 << 20));
    let text = format!(
        "{{\"events\":[{}],\"nextToken\":\"t\"}}\n{{}}\n",
        [&*element; 12].join(",")
    );
    let (mut splitter, mut found) = (Splitter::default(), Vec::new());
    for (index, bytes) in text.as_bytes().chunks(1 << 16).enumerate() {
        splitter.push(bytes, (index << 16) as u64);
        while let Some((_, piece)) = splitter.next(false) {
            match piece {
                Piece::Value(bytes) => found.push(bytes.len()),
                Piece::Line(_) | Piece::Damaged(_) => found.push(0),
            }
        }
        assert!(
            splitter.buffer.len() <= LONGEST + (2 << 20),
            "{}",
            splitter.buffer.len()
        );
    }
    assert_eq!(
        found.iter().filter(|len| **len == element.len()).count(),
        12,
        "{found:?}"
    );
    assert_eq!(found.last(), Some(&2));
}

#[test]
fn nesting_without_end_is_damage_and_ends() {
    for open in ["{\"a\":", "[{\"a\":", "[["] {
        let text = open.repeat(20_000) + "\n{\"b\":2}\n";
        assert_eq!(
            pieces(text.as_bytes(), &[]).last().unwrap(),
            "={\"b\":2}",
            "{open}"
        );
    }
}

#[test]
fn a_message_given_back_is_split_on_its_own() {
    let mut splitter = Splitter::default();
    splitter.push(b"time stream {\"a\":\n1}\nx\n", 0);
    assert_eq!(
        splitter.next(false),
        Some((0, Piece::Line(b"time stream {\"a\":")))
    );
    splitter.take_back(5);
    assert_eq!(splitter.next(false), Some((12, Piece::Value(b"{\"a\":\n1}"))));
    assert_eq!(splitter.next(false), Some((21, Piece::Line(b"x"))));
}

proptest! {
    #[test]
    fn reads_may_be_cut_anywhere(case in 0..CASES.len(), mut cuts in prop::collection::vec(0_usize..60, 0..8)) {
        cuts.sort_unstable();
        let text = CASES[case].0.as_bytes();
        prop_assert_eq!(pieces(text, &cuts), pieces(text, &[]), "{:?}", CASES[case].0);
    }

    #[test]
    fn rubbish_ends(text in "[{}\\[\\]\":,\\\\a1\n ]{0,80}") {
        pieces(text.as_bytes(), &[]);
    }
}
