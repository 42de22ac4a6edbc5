//! What is packed is read as what was packed, whether or not its name says so.

use std::io::Read as _;

use super::super::stdin::Stdin;
use super::super::unpacked;
use super::faulty::Faulty;
use super::*;

pub(super) fn packed(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_ref()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_packed_object_without_a_telling_name_is_read_once() {
    let mut rig = Rig::new(&["*"]);
    rig.write("orders-1", packed(text(0, 2000)));
    rig.poll();
    assert_eq!(rig.sink.lines, lines(0, 2000));
    // A copy that begins as an empty file.
    rig.write("orders-2", "");
    rig.poll();
    rig.append("orders-2", packed(text(2000, 2010)));
    rig.settle();
    assert_eq!(rig.sink.lines, lines(0, 2010));
    rig.restart(&["*"]);
    rig.settle();
    rig.expect(&[]);
    // Another member behind the first.
    rig.append("orders-2", packed(text(2010, 2020)));
    rig.settle();
    assert_eq!(rig.sink.lines, lines(2010, 2020));
}

#[test]
fn one_that_was_read_in_part_goes_on_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let slow = Settings {
        log_budget: 512,
        pass_budget: 512,
        ..settings()
    };
    fs::write(dir.path().join("orders"), packed(text(0, 500))).unwrap();
    let mut rig = Rig::with(dir, &["orders"], slow, Arc::new(OsFs));
    for _ in 0..5 {
        rig.tailer.poll(rig.now, &mut rig.sink);
    }
    let read = rig.sink.next.values().sum::<u64>();
    assert!(read > 0 && read < text(0, 500).len() as u64, "{read}");
    rig.restart(&["orders"]);
    rig.settle();
    let rest = &text(0, 500)[usize::try_from(read).unwrap()..];
    assert_eq!(rig.sink.lines, rest.lines().collect::<Vec<_>>());
}

#[test]
fn a_replay_reads_packed_files_of_any_name() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("b"), packed(text(0, 10))).unwrap();
    fs::write(dir.path().join("c.log"), packed(text(10, 20))).unwrap();
    assert_eq!(replay(dir.path(), &["b"]), lines(0, 10));
    assert_eq!(replay(dir.path(), &["c.log"]), lines(10, 20));
}

#[test]
fn standard_input_may_be_packed() {
    let sources = vec![source("-", None)];
    let mut tailer = Tailer::new(Arc::new(OsFs), sources, classify(), settings(), Vec::new());
    let input = [packed(text(0, 10)), packed(text(10, 20))].concat();
    let stdin = Stdin::start(std::io::Cursor::new(input), || {});
    tailer.attach_stdin(stdin.unwrap());
    let (mut readers, _) = tailer.into_readers();
    let mut sink = Recorder::default();
    read_all(&mut readers[0], &mut sink);
    assert_eq!(sink.lines, lines(0, 20));
}

#[test]
fn layers_of_packing_are_looked_through_and_no_further_than_that() {
    let mut layers = text(0, 2).into_bytes();
    for layer in 0..5 {
        let mut read = Vec::new();
        unpacked(&*layers).unwrap().read_to_end(&mut read).unwrap();
        assert_eq!(read == text(0, 2).as_bytes(), layer <= 3, "{layer} layers");
        layers = packed(&layers);
    }
}

#[test]
fn a_log_that_is_empty_does_not_have_all_unpacked_that_was_packed_before_it() {
    let noise = |line: u64| format!("T{line} {:x}\n", line.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let text: String = (0..40_000).map(noise).collect();
    let slow = Settings {
        log_budget: 512,
        pass_budget: 512,
        ..settings()
    };
    let (dir, fs) = (tempfile::tempdir().unwrap(), Faulty::new());
    let mut rig = Rig::with(dir, &["."], slow, fs.clone());
    gzip(&rig.path("x.log.1.gz"), text.as_bytes());
    rig.write("x.log", "");
    rig.tailer.poll(rig.now, &mut rig.sink);
    let size = fs::metadata(rig.path("x.log.1.gz")).unwrap().len();
    assert!((fs.bytes() as u64) < size / 2, "{} of {size}", fs.bytes());
}

#[test]
fn t10_a_log_with_the_inode_of_a_packed_file_that_is_gone_is_read() {
    let mut rig = Rig::new(&["."]);
    gzip(&rig.path("x.log.1.gz"), text(0, 10).as_bytes());
    rig.append("x.log", text(10, 20));
    rig.settle();
    // Overwriting it in place and giving it another name does what a file system does that gives a number anew.
    rig.write("x.log.1.gz", text(20, 30));
    rig.rename("x.log.1.gz", "x.log.2");
    rig.settle();
    let mut read = rig.sink.lines.clone();
    read.sort();
    assert_eq!(read, lines(0, 30));
}
