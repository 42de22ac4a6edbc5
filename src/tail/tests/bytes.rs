//! Lines and bytes: T21 to T24, packed files, standard input, replay.

use super::*;
use crate::tail::stdin::Stdin;

#[test]
fn t21_a_line_written_byte_by_byte_is_one_line() {
    let mut rig = Rig::new(&["x.log"]);
    for byte in text(0, 2).bytes() {
        rig.append("x.log", [byte]);
        rig.poll();
    }
    assert_eq!(rig.sink.lines, lines(0, 2));
}

#[test]
fn t22_a_last_line_without_newline_is_a_line_once_the_file_is_left() {
    let mut rig = Rig::new(&["x.log"]);
    rig.append("x.log", "T1 one\nT2 tw");
    rig.poll();
    rig.expect(&["T1 one"]);
    rig.rename("x.log", "x.log.1");
    rig.append("x.log", "T3 three\n");
    rig.poll();
    rig.expect(&["T1 one", "T2 tw", "T3 three"]);
}

#[test]
fn t22_an_empty_successor_is_waited_for_no_longer_than_the_grace() {
    let mut rig = Rig::new(&["x.log"]);
    rig.append("x.log", "T1 one\nT2 tw");
    rig.poll();
    rig.rename("x.log", "x.log.1");
    rig.append("x.log", "");
    rig.poll();
    rig.expect(&["T1 one"]);
    rig.wait(61);
    rig.expect(&["T1 one", "T2 tw"]);
}

#[test]
fn t23_an_endless_line_is_handed_on_in_bounded_pieces() {
    let mut rig = Rig::new(&["x.log"]);
    rig.append("x.log", vec![b'x'; 3 << 20]);
    rig.append("x.log", "\nT1 after\n");
    rig.poll();
    assert_eq!(rig.sink.lines.last().unwrap(), "T1 after");
    assert!(rig.sink.longest <= 4096);
}

#[test]
fn t24_a_line_across_every_boundary_of_the_buffer() {
    for shift in 0..60 {
        let dir = tempfile::tempdir().unwrap();
        let small = Settings {
            chunk: 64,
            ..settings()
        };
        let mut rig = Rig::with(dir, &["x.log"], small, Arc::new(OsFs));
        rig.append("x.log", format!("T{}\n{}", "0".repeat(shift), text(0, 20)));
        rig.poll();
        assert_eq!(rig.sink.lines[1..], lines(0, 20), "shifted by {shift}");
    }
}

#[test]
fn old_content_is_told_from_what_is_written_while_following() {
    let mut rig = Rig::new(&["x.log"]);
    rig.append("x.log", text(0, 10));
    rig.poll();
    assert_eq!(rig.sink.fresh, 0);
    rig.append("x.log", text(10, 11));
    rig.poll();
    assert_eq!(rig.sink.fresh, 1);
}

#[test]
fn progress_counts_what_was_there_at_the_start() {
    let mut rig = Rig::new(&["."]);
    rig.append("x.log.1", text(0, 10));
    rig.append("x.log", text(10, 20));
    gzip(&rig.path("y.log.1.gz"), text(0, 10).as_bytes());
    rig.append("y.log", text(10, 20));
    rig.poll();
    rig.append("x.log", text(20, 30));
    rig.poll();
    let backlog = rig.tailer.backlog();
    assert_eq!(backlog.total_bytes, text(0, 20).len() as u64 * 2);
    assert_eq!(backlog.read_bytes, backlog.total_bytes);
    assert_eq!((backlog.total_files, backlog.read_files), (4, 4));
}

#[test]
fn a_damaged_packed_file_gives_what_it_can_and_does_not_stop_the_log() {
    let mut rig = Rig::new(&["."]);
    gzip(&rig.path("x.log.1.gz"), text(0, 5000).as_bytes());
    let whole = fs::read(rig.path("x.log.1.gz")).unwrap();
    rig.write("x.log.1.gz", &whole[..whole.len() / 2]);
    rig.append("x.log", text(5000, 5010));
    rig.poll();
    rig.wait(6);
    rig.settle();
    let read = rig.sink.lines.len();
    assert!(read > 100 && read < 5010, "{read}");
    assert_eq!(rig.sink.lines[read - 10..], lines(5000, 5010));
    assert_eq!(rig.errors(Op::Unpack), 1);
    rig.expect_notice(|notice| matches!(notice, Notice::Damaged(_)));
}

#[test]
fn t28_random_bytes_under_a_packed_name_are_told_and_skipped() {
    let mut rig = Rig::new(&["x.log*"]);
    rig.write(
        "x.log.1.gz",
        (0..20_000_u32)
            .map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3])
            .collect::<Vec<_>>(),
    );
    rig.append("x.log", text(0, 10));
    rig.poll();
    // Once for telling whether it is still being packed, once for reading it.
    rig.wait(6);
    rig.wait(6);
    assert_eq!(rig.sink.lines, lines(0, 10));
    assert_eq!(rig.errors(Op::Unpack), 1);
}

#[test]
fn replay_reads_each_log_once_in_the_order_of_its_content() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, from, to| fs::write(dir.path().join(name), text(from, to)).unwrap();
    put("x.log.2", 0, 10);
    put("x.log.1", 20, 30);
    put("x.log", 30, 40);
    gzip(&dir.path().join("x.log.3.gz"), text(10, 20).as_bytes());
    gzip(&dir.path().join("x.log.1.gz"), text(20, 30).as_bytes());
    fs::hard_link(dir.path().join("x.log"), dir.path().join("y.log")).unwrap();
    std::os::unix::fs::symlink("x.log", dir.path().join("z.log")).unwrap();
    assert_eq!(replay(dir.path(), &["."]), lines(0, 40));
    assert_eq!(replay(dir.path(), &["*.log*", "x.log", "x.log.1"]), lines(0, 40));
    assert_eq!(replay(dir.path(), &["x.log.1", "x.log.1.gz"]), lines(20, 30));
    assert_eq!(replay(dir.path(), &["x.log"]), lines(30, 40));
}

#[test]
fn replay_lets_several_logs_be_merged() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.log"), text(0, 300)).unwrap();
    fs::write(dir.path().join("b.log"), text(300, 600)).unwrap();
    let (mut readers, _) = tailer(dir.path(), &["."], settings(), Arc::new(OsFs), Vec::new()).into_readers();
    let (mut aids, mut sink) = (aids(), Recorder::default());
    for reader in &readers {
        sink.open(reader.id(), reader.info());
    }
    // A piece of each in turn.
    while !readers.is_empty() {
        readers.retain_mut(|reader| !reader.read(1, &mut aids, &mut sink).over);
    }
    let place = |line: &str| sink.lines.iter().position(|read| read == line).unwrap();
    assert!(place(&lines(300, 301)[0]) < place(&lines(299, 300)[0]), "in turn");
    sink.lines.sort_unstable();
    assert_eq!(sink.lines, lines(0, 600));
}

#[test]
fn standard_input_is_a_log_that_ends() {
    let sources = vec![source("-", None)];
    let mut tailer = Tailer::new(Arc::new(OsFs), sources, classify(), settings(), Vec::new());
    let (woken, wait) = std::sync::mpsc::channel();
    let input = std::io::Cursor::new(format!("{}T9 torn", text(0, 5000)));
    let stdin = Stdin::start(input, move || {
        let _closed = woken.send(());
    });
    tailer.attach_stdin(stdin.unwrap());
    let mut sink = Recorder::default();
    while !tailer.is_stdin_over() {
        tailer.poll(Duration::ZERO, &mut sink);
        let _ended = wait.recv();
    }
    let mut expected = lines(0, 5000);
    expected.push("T9 torn".into());
    assert_eq!(sink.lines, expected);
    assert_eq!(&*sink.opened[0].name, "-");
}
