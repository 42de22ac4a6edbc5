//! Which layout a piece of a log is recognised as.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::{Detected, Levels, Plain, Rank};
use crate::decode::layouts::Layouts;
use crate::decode::record::Level;
use crate::stats::Blind;

static LAYOUTS: LazyLock<Layouts> = LazyLock::new(|| Layouts::builtin().unwrap());

const WHOLE: &[&str] = &[
    "org.apache.flink.runtime.entrypoint.ClusterEntrypoint",
    "org.apache.flink.runtime.executiongraph.ExecutionGraph",
    "akka.remote.Remoting",
];
const MESSAGES: &[&str] = &[
    "Loading configuration - with a dash",
    "Job x switched from state CREATED to RUNNING.",
    " blank first",
];

/// Lines of many layouts, and of none: `C` is the logger, `M` the message.
const FORMS: [&str; 13] = [
    "2026-11-21 00:03:06,146 INFO  C [] - M",
    "2026-11-21 00:03:06,146 INFO  C - M",
    "2026-11-21 00:03:06,146 INFO C M",
    "2026-11-21 00:03:06,146 [main] INFO  C - M",
    "2026-11-21 00:03:06,146 INFO  [main] C - M",
    "[2026-11-21 00:03:06,146] [INFO] [main] C: M",
    "2026-11-21 00:03:06,146 INFO C: M",
    "2026-11-21 00:03:06,146 INFO  M",
    "00:03:06.146 [main] INFO  C -- M",
    "INFO  [] - M",
    "{\"ts\":\"2026-11-21T00:03:06Z\",\"level\":\"INFO\",\"logger\":\"C\",\"message\":\"M\"}",
    "\tat C.run(Task.java:575)",
    "M",
];

/// A log whose lines follow `form`, in which `C` is the logger and `M` the message.
fn log(form: &str, loggers: &[&str]) -> String {
    let line = |(logger, message): (&&str, &&str)| form.replace('C', logger).replace('M', message) + "\n";
    loggers
        .iter()
        .cycle()
        .zip(MESSAGES.iter().cycle())
        .take(12)
        .map(line)
        .collect()
}

fn detect(text: &[u8]) -> (String, Detected) {
    let layouts = Layouts::builtin().unwrap();
    let detected = LAYOUTS.detect(text);
    (
        detected
            .layout
            .map_or("none", |id| layouts.get(id).id())
            .to_owned(),
        detected,
    )
}

#[test]
fn the_layout_is_recognised_among_its_neighbours() {
    const T: &str = "2026-11-21 00:03:06,146";
    let short = ["o.a.f.r.e.ClusterEntrypoint", "o.a.f.r.e.ExecutionGraph"];
    let names = ["ClusterEntrypoint", "ExecutionGraph", "Dispatcher"];
    let cut = [
        "e.flink.runtime.executiongraph.ExecutionGraph",
        "pache.flink.runtime.entrypoint.ClusterEntrypoint",
    ];
    for (form, loggers, layout, shortened) in [
        ("T INFO  C    [] - M", WHOLE, "log4j-stock", false),
        ("T INFO  C - M", &names, "log4j-stock", true),
        ("T INFO  C - M", &cut, "log4j-stock", true),
        ("T INFO C M", WHOLE, "bare", false),
        ("T INFO C M", &names, "bare", true),
        ("T [main] INFO  C - M", &short, "thread-level", true),
        ("T [main] INFO  C  - M", WHOLE, "thread-level", false),
        ("T INFO  [main] C - M", WHOLE, "level-thread", false),
        ("[T] [INFO] [main] C: M", WHOLE, "bracketed", false),
        ("T INFO C: M", &names, "colon", true),
        ("T INFO  C:12 - M", &names, "line-number", true),
        (
            "00:03:06.146 [main] INFO  C -- M",
            &short,
            "logback-default",
            true,
        ),
        ("12 [main] INFO C  - M", WHOLE, "ttcc", false),
        (
            "{\"ts\":\"T\",\"level\":\"INFO\",\"logger\":\"C\",\"message\":\"M\"}",
            WHOLE,
            "json-any",
            false,
        ),
    ] {
        let text = log(&form.replace('T', T), loggers);
        let (id, detected) = detect(text.as_bytes());
        assert_eq!(
            (id.as_str(), detected.shortened, detected.blind),
            (layout, shortened, None),
            "{text}"
        );
        assert_eq!((detected.headers, detected.lines), (12, 12), "{text}");
        assert_eq!(detected.dateless, form.starts_with("00:"), "{text}");
    }
}

#[test]
fn a_log_without_loggers_is_blind_and_its_messages_words_are_none() {
    for form in [
        "2026-11-21 00:03:06,146 INFO  M",
        "00:03:06.146 [main] WARN - M",
        "2026-11-21 00:03:06,146 INFO  - M",
    ] {
        let (id, detected) = detect(log(form, WHOLE).as_bytes());
        assert!(id.starts_with("no-logger"), "{form}: {id}");
        assert_eq!(detected.blind, Some(Blind::NoLogger), "{form}");
    }
    let (_, json) = detect(br#"{"time":"2026-11-21T00:00:00Z","level":"INFO","message":"m"}"#);
    assert_eq!(json.blind, Some(Blind::NoLogger));
}

#[test]
fn one_header_among_stack_traces_is_enough() {
    let trace = "\tat org.apache.flink.runtime.taskmanager.Task.run(Task.java:575)\n".repeat(200);
    let text = format!(
        "{trace}2026-11-21 00:03:06,146 INFO  {} [] - Job x\n{trace}",
        WHOLE[1]
    );
    let (id, detected) = detect(text.as_bytes());
    assert_eq!(
        (id.as_str(), detected.headers, detected.lines),
        ("log4j-stock", 1, 401)
    );
}

#[test]
fn what_cannot_be_read_is_said_so() {
    let wide: Vec<u8> = "2026-11-21 INFO a.B - m\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let marked: Vec<u8> = [&[0xFF, 0xFE], wide.as_slice()].concat();
    for (text, blind) in [
        (&b""[..], None),
        (b"\n \n", None),
        (b"some words\nand more\n", Some(Blind::UnknownLayout)),
        (&wide, Some(Blind::Encoding)),
        (&marked, Some(Blind::Encoding)),
        (
            &[0xC3, 0x28, 0x0A, 0x00, 0x9F, 0x92, 0x96, 0x41, 0x42],
            Some(Blind::UnknownLayout),
        ),
    ] {
        let (id, detected) = detect(text);
        assert_eq!((id.as_str(), detected.blind), ("none", blind), "{text:?}");
    }
}

#[test]
fn levels_above_info_alone_show_no_transitions() {
    for (levels, above) in [
        (&[][..], false),
        (&[Level::Warn, Level::Error], true),
        (&[Level::Error], true),
        (&[Level::Warn, Level::Info], false),
        (&[Level::Debug], false),
    ] {
        let mut seen = Levels::default();
        for level in levels {
            seen.add(*level);
        }
        assert_eq!(seen.above_info(), above, "{levels:?}");
        assert!(levels.iter().all(|level| seen.has(*level)));
    }
}

proptest! {
    #[test]
    fn no_sample_makes_it_panic(bytes in any::<Vec<u8>>(), text in "([0-9]{2,4}[-:, ]|INFO |\\[|\\]|- |\n|a\\.B){0,30}") {
        prop_assert!(LAYOUTS.detect(&bytes).headers <= bytes.len());
        prop_assert!(LAYOUTS.detect(text.as_bytes()).headers <= text.len());
    }

    #[test]
    fn trying_fewer_layouts_gives_the_answer_that_all_of_them_give(
        forms in prop::collection::vec(0..FORMS.len(), 1..4),
        picks in prop::collection::vec((0..24_usize, 0..3_usize), 1..30),
    ) {
        // Most lines have the first form: only where one reads nearly all of them is anything left out.
        let line = |(pick, word): &(usize, usize)| {
            let form = FORMS[forms[pick.saturating_sub(20).min(forms.len() - 1)]];
            form.replace('C', WHOLE[*word]).replace('M', MESSAGES[*word])
        };
        let text: Vec<String> = picks.iter().map(line).collect();
        let lines: Vec<Plain<'_>> = text.iter().map(|line| Plain::of(line.as_bytes())).collect();
        let all = (Rank::default(), lines.len());
        prop_assert_eq!(LAYOUTS.detect(text.join("\n").as_bytes()), LAYOUTS.detect_above(all, &lines));
    }
}

#[test]
fn the_beginning_of_flinks_banner_is_not_a_log_without_loggers() {
    const HEAD: &str = "2026-11-20 23:48:15,973 INFO  org.apache.flink.runtime.entrypoint.ClusterEntrypoint        [] - ----\n";
    const SHELL: &str = "INFO  [] - Loading configuration property: jobmanager.bind-host, 127.0.0.1\n";
    let text = HEAD.repeat(3) + "\n\nRESOURCE_PARAMS extraction logs:\n" + &SHELL.repeat(40);
    for end in [HEAD.len() * 3, text.len()] {
        let (layout, detected) = detect(&text.as_bytes()[..end]);
        assert_eq!(
            (layout.as_str(), detected.blind),
            ("log4j-stock", None),
            "{end} bytes"
        );
    }
}

#[test]
fn the_first_lines_of_a_plain_log_tell_what_all_of_it_tells() {
    let line = "2026-11-21 00:03:24,184 INFO  org.apache.flink.runtime.jobmaster.JobMaster [] - text\n";
    let log = [line, line, "\tat a.B.c(B.java:1)\n"].concat().repeat(100);
    let users = log.replace("org.apache.flink", "com.acme");
    let all = LAYOUTS.peel(log.as_bytes(), None).detected;
    let first = LAYOUTS.peel_beginning(log.as_bytes(), None).detected;
    assert!(first.headers < all.headers, "it stops early");
    assert_eq!((first.layout, first.whole), (all.layout, all.whole));
    let of_users = LAYOUTS.peel_beginning(users.as_bytes(), None).detected;
    assert_eq!(
        of_users.headers, all.headers,
        "how Flink's loggers are printed is open"
    );
}
