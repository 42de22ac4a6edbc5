//! What the tailing faults (T19 to T59) mean for the bytes of one log.

use super::*;

const RUNS: &str = "switched from state CREATED to RUNNING.";

fn job(name: &str) -> String {
    graph(&format!("Job {name} ({J}) {RUNS}"))
}

/// How many events these bytes tell, cut into two reads at every place beside the end of a line.
#[track_caller]
fn check_cuts(text: &[u8], events: usize) {
    let at_ends =
        (1..text.len()).filter(|cut| text[cut - 1..=*cut].iter().any(|byte| b"\r\n".contains(byte)));
    for cut in at_ends {
        let seen = decode(&mut decoder(&wording(), None), text, &[cut]);
        assert_eq!(seen.len(), events, "cut at {cut}");
    }
}

fn names(seen: &[Seen]) -> Vec<String> {
    let name = |seen: &Seen| match &seen.said {
        Said::Event(Event::JobTransition { name, .. }) => Some(name.to_string()),
        _ => None,
    };
    seen.iter().filter_map(name).collect()
}

#[test]
fn t19_a_cri_line_cut_by_rotation_is_joined_with_nothing_else() {
    let cri = |tag: &str, text: &str| format!("2026-03-02T09:00:00.004123456Z {tag} {text}\n");
    let (whole, other) = (job("a"), job("b"));
    let (whole, other) = (whole.trim_end(), other.trim_end());
    let (head, rest) = whole.split_at(100);
    let mut decoder = decoder(&wording(), None);
    let old = [cri("stdout F", banner().trim_end()), cri("stdout P", head)].concat();
    assert_eq!(decode(&mut decoder, old.as_bytes(), &[]), []);
    let new = [
        cri("stdout F", other),
        cri("stdout P", head),
        cri("stderr F", rest),
        cri("stdout F", rest),
    ];
    let seen = decode(&mut decoder, new.concat().as_bytes(), &[]);
    assert_eq!(names(&seen), ["b", "a"], "joined within its stream only");
}

#[test]
fn t21_a_line_written_byte_by_byte_is_told_with_its_newline_and_once() {
    let text = [banner(), job("a"), job("b")].concat();
    let mut decoder = decoder(&wording(), None);
    let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    let mut told = Vec::new();
    for (at, byte) in text.bytes().enumerate() {
        let read = ReadAt {
            offset: at as u64,
            now,
            written: now,
            fresh: true,
        };
        decoder.push(&[byte], None, read, &mut |seen| told.push(seen));
        let whole = text[..=at].matches("RUNNING.\n").count();
        assert_eq!(told.len(), whole, "after {at} bytes");
    }
    assert_eq!(names(&told), ["a", "b"]);
}

#[test]
fn t24_a_line_across_any_boundary_of_a_buffer_is_told_once() {
    let text = [banner(), job("a"), job("b")].concat();
    for buffer in 1..=text.len() {
        let cuts: Vec<usize> = (0..text.len()).step_by(buffer).collect();
        let seen = decode(&mut decoder(&wording(), None), text.as_bytes(), &cuts);
        assert_eq!(names(&seen), ["a", "b"], "buffers of {buffer} bytes");
    }
}

#[test]
fn t28_ten_megabytes_of_noise_tell_nothing_are_not_held_and_are_counted() {
    let mut decoder = decoder(&wording(), None);
    let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    let noise = |n: u32| n.wrapping_mul(2_654_435_761).to_be_bytes()[1];
    let noise: Vec<u8> = (0..10 << 20).map(noise).collect();
    let mut offset = 0;
    for bytes in noise.chunks(256 << 10) {
        let read = ReadAt {
            offset,
            now,
            written: now,
            fresh: false,
        };
        decoder.push(bytes, None, read, &mut |seen| panic!("told of {seen:?}"));
        offset += bytes.len() as u64;
        let held = decoder.memory().carry.len();
        assert!(held <= 32 << 10, "{held} bytes held back");
    }
    assert!(decoder.tally().records(RecordResult::Unparsed) > 0);
    assert_eq!(decoder.tally().blind(), Some(Blind::UnknownLayout));
}

#[test]
fn t23_of_a_line_without_end_no_more_is_held_than_a_line_may_have() {
    let mut decoder = decoder(&wording(), None);
    let most = decoder.settings().line_bytes;
    let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    let (mut offset, mut told) = (0, Vec::new());
    let mut push = |bytes: &[u8]| {
        let read = ReadAt {
            offset,
            now,
            written: now,
            fresh: false,
        };
        offset += bytes.len() as u64;
        decoder.push(bytes, None, read, &mut |seen| told.push(seen));
        let held = decoder.memory().carry.len();
        assert!(held <= most + 2048, "{held} bytes held back");
    };
    push(banner().as_bytes());
    (0..3 * most / 1024).for_each(|_| push(&[b'x'; 1024]));
    push(["\n", &job("a"), &job("b")].concat().as_bytes());
    assert_eq!(names(&told), ["a", "b"]);
    assert_eq!(decoder.tally().records(RecordResult::TooLong), 1);
}

#[test]
fn t25_bytes_that_are_no_utf8_are_shown_with_a_mark_and_counted() {
    let text = [banner(), job("a?b"), line("com.acme.A", "noise ?")]
        .concat()
        .into_bytes();
    let broken: Vec<u8> = text
        .into_iter()
        .map(|byte| if byte == b'?' { 0xff } else { byte })
        .collect();
    let mut decoder = decoder(&wording(), None);
    let seen = decode(&mut decoder, &broken, &[]);
    assert_eq!(names(&seen), ["a\u{fffd}b"]);
    assert!(decoder.tally().records(RecordResult::InvalidUtf8) >= 1);
}

#[test]
fn t26_a_carriage_return_before_the_newline_is_no_part_of_the_line() {
    let text = [banner(), job("a"), job("b")].concat().replace('\n', "\r\n");
    check_cuts(text.as_bytes(), 2);
    assert_eq!(
        names(&decode(&mut decoder(&wording(), None), text.as_bytes(), &[])),
        ["a", "b"]
    );
}

#[test]
fn t27_a_byte_order_mark_is_skipped_and_utf_16_is_told() {
    let text = [job("a"), job("b")].concat();
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    assert_eq!(
        names(&decode(&mut decoder(&wording(), None), &marked, &[])),
        ["a", "b"]
    );
    let units: Vec<u16> = std::iter::once(0xfeff).chain(text.encode_utf16()).collect();
    let wide: [Vec<u8>; 2] = [
        units.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
        units.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
    ];
    for bytes in wide {
        let mut decoder = decoder(&wording(), None);
        assert_eq!(decode(&mut decoder, &bytes, &[]), [], "no garbage");
        assert_eq!(decoder.tally().blind(), Some(Blind::Encoding));
    }
}

#[test]
fn t29_fifty_thousand_lines_of_stack_trace_hold_up_nothing() {
    let trace = "\tat org.apache.flink.Frame.call(Frame.java:42)\n".repeat(50_000);
    let failing = graph(&format!("Job a ({J}) switched from state RUNNING to FAILING."));
    let mut decoder = decoder(&wording(), None);
    let cuts: Vec<usize> = (0..trace.len()).step_by(8192).collect();
    let text = [banner(), failing, "a.B: boom\n".to_owned(), trace, job("b")].concat();
    let mut longest = 0;
    let mut told = Vec::new();
    let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    for (from, to) in cuts.iter().zip(cuts.iter().skip(1).chain([&text.len()])) {
        let read = ReadAt {
            offset: *from as u64,
            now,
            written: now,
            fresh: false,
        };
        decoder.push(&text.as_bytes()[*from..*to], None, read, &mut |seen| {
            told.push(seen);
        });
        longest = longest.max(decoder.memory().carry.len());
    }
    assert_eq!(told.len(), 3, "the transition, its cause, and what follows");
    assert!(longest <= 2 * 8192, "{longest} bytes held back");
}

#[test]
fn t30_colours_tabs_and_trailing_blanks_hide_nothing() {
    let plain = job("a");
    let coloured = plain
        .replace("INFO ", "\x1b[32mINFO \x1b[0m")
        .replace(" [] ", " \x1b[36m[]\x1b[m ");
    let whole = format!("\x1b[1m{}\x1b[0m\n", plain.trim_end());
    for text in [coloured, whole] {
        let text = [banner(), text].concat();
        let seen = decode(&mut decoder(&wording(), None), text.as_bytes(), &[]);
        assert_eq!(names(&seen), ["a"], "{text:?}");
    }
    // Flink prints nothing after the words: what has more is another statement.
    let mut decoder = decoder(&wording(), None);
    let text = [banner(), plain.replace(".\n", ".  \t\n"), job("b")].concat();
    assert_eq!(names(&decode(&mut decoder, text.as_bytes(), &[])), ["b"]);
}

#[test]
fn t58_the_hour_that_comes_twice_reorders_and_drops_nothing() {
    let settings = LogSettings {
        zone: TimeZone::get("Europe/Berlin").unwrap(),
        layout: None,
        line_bytes: 4096,
        record_bytes: 4096,
        reorder_window: jiff::SignedDuration::ZERO,
    };
    let at = |time: &str, from: &str, to: &str| {
        graph(&format!("Job a ({J}) switched from state {from} to {to}."))
            .replace("2026-11-21 00:03:24,184", time)
    };
    // Summer time ends on 2026-10-25 at 03:00, which is 02:00 again.
    let text = [
        at("2026-10-25 02:59:59,000", "CREATED", "RUNNING"),
        at("2026-10-25 02:00:01,000", "RUNNING", "RESTARTING"),
        at("2026-10-25 02:00:02,000", "RESTARTING", "RUNNING"),
    ];
    let mut decoder = LogDecoder::new(wording(), LogId(1), settings);
    let seen = decode(&mut decoder, text.concat().as_bytes(), &[]);
    let times: Vec<String> = seen.iter().map(|seen| seen.at.unwrap().to_string()).collect();
    assert_eq!(
        times,
        [
            "2026-10-25T00:59:59Z",
            "2026-10-25T01:00:01Z",
            "2026-10-25T01:00:02Z"
        ]
    );
}

#[test]
fn t59_a_clock_that_jumps_moves_no_event_and_shows_as_skew() {
    let text = [banner(), job("a"), job("b"), job("c")].concat();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut decoder = decoder(&wording(), None);
    let mut seen = Vec::new();
    let mut offset = 0;
    // A year ahead, then an hour behind what it was.
    for (line, now) in lines.iter().zip([
        "2026-11-21T00:03:25Z",
        "2027-11-21T00:03:25Z",
        "2026-11-20T23:03:25Z",
        "2026-11-21T09:03:24.184Z",
    ]) {
        let now: Timestamp = now.parse().unwrap();
        let read = ReadAt {
            offset,
            now,
            written: now,
            fresh: true,
        };
        decoder.push(line.as_bytes(), None, read, &mut |event| seen.push(event));
        offset += line.len() as u64;
    }
    assert_eq!(names(&seen), ["a", "b", "c"]);
    let times: Vec<String> = seen.iter().map(|seen| seen.at.unwrap().to_string()).collect();
    assert_eq!(times, ["2026-11-21T00:03:24.184Z"; 3]);
    let mut stats = crate::stats::SourceStats::default();
    decoder.tally().fill(&mut stats);
    assert_eq!(
        stats.clock_skew,
        Some(9.0 * 3600.0),
        "as of a log from a zone nine hours away"
    );
}
