//! Files cut, copied to be cut, and written anew: T05 to T09, T20.

use std::fs;
use std::io::{Seek, SeekFrom, Write};

use super::*;

#[test]
fn t05_copytruncate_with_nothing_unread() {
    let happens = |rig: &mut Rig| {
        rig.copy("x.log", "x.log.1");
        rig.cut("x.log");
        rig.settle();
        rig.append("x.log", text(10, 20));
    };
    let rig = check(".", "x.log", happens, 20, Some(Rotation::Truncate));
    assert!(rig.stats().lost_bytes.is_empty());
}

#[test]
fn t06_copytruncate_with_a_megabyte_unread_is_completed_from_the_copy() {
    for pause in [false, true] {
        let mut rig = Rig::new(&["x.log"]);
        rig.append("x.log", text(0, 50));
        rig.append("x.log", "T1000050 torn");
        rig.poll();
        rig.append("x.log", format!(" line\n{}", text(51, 30_000)));
        rig.copy("x.log", "x.log.1");
        rig.cut("x.log");
        if pause {
            rig.settle();
        }
        rig.append("x.log", text(30_000, 30_010));
        rig.settle();
        let mut expected = lines(0, 30_010);
        expected[50] = "T1000050 torn line".into();
        assert_eq!(rig.sink.lines, expected, "a pass between: {pause}");
        assert_eq!(rig.rotations(Rotation::Truncate), 1);
        assert!(rig.stats().lost_bytes.is_empty());
    }
}

#[test]
fn t06_the_copy_is_left_alone_while_the_original_is_there() {
    let mut rig = Rig::reading(&["."], "x.log", 50);
    rig.append("x.log", text(50, 100));
    // A copy under way: only a part has been written.
    let whole = fs::read(rig.path("x.log")).unwrap();
    rig.write("x.log.1", &whole[..1500]);
    rig.settle();
    rig.write("x.log.1", &whole);
    rig.settle();
    rig.expect_lines(100);
    rig.cut("x.log");
    rig.append("x.log", text(100, 110));
    rig.settle();
    rig.expect_lines(110);
}

#[test]
fn t06_one_copy_overwritten_at_each_truncation() {
    let mut rig = Rig::new(&["x.log*"]);
    for round in 0..5 {
        rig.append("x.log", text(round * 100, round * 100 + 40));
        rig.settle();
        rig.append("x.log", text(round * 100 + 40, round * 100 + 100));
        rig.copy("x.log", "x.log.1");
        rig.cut("x.log");
    }
    rig.settle();
    rig.expect_lines(500);
    assert_eq!(rig.rotations(Rotation::Truncate), 5);
}

#[test]
fn t06_a_copy_shorter_than_what_was_read_is_not_read_again() {
    let mut rig = Rig::new(&["."]);
    rig.append("x.log", text(0, 50));
    rig.copy("x.log", "copy");
    rig.append("x.log", text(50, 60));
    rig.settle();
    rig.rename("copy", "x.log.1");
    rig.write("x.log", text(60, 62));
    rig.settle();
    rig.expect_lines(62);
}

#[test]
fn t06_a_copy_of_a_small_part_of_what_was_read_is_not_read_again() {
    let mut rig = Rig::new(&["."]);
    rig.append("x.log", text(0, 50));
    rig.copy("x.log", "copy");
    rig.append("x.log", text(50, 2000));
    rig.settle();
    rig.rename("copy", "x.log.1");
    rig.write("x.log", text(2000, 2002));
    rig.settle();
    rig.expect_lines(2002);
}

#[test]
fn t06_cut_before_it_was_begun_and_renamed_at_once_its_copy_is_read_first() {
    let settings = Settings {
        period: Duration::from_secs(3600),
        log_budget: 4096,
        ..settings()
    };
    let mut rig = Rig::with(tempfile::tempdir().unwrap(), &["."], settings, Arc::new(OsFs));
    rig.append("x.log.1", text(0, 1000));
    rig.append("x.log", text(1000, 1010));
    rig.tailer.poll(Duration::ZERO, &mut rig.sink);
    // None of this is seen before the file is to be read.
    fs::copy(rig.path("x.log"), rig.path("x.log.2")).unwrap();
    rig.write("x.log", text(1010, 1020));
    rig.rename("x.log", "x.log.3");
    rig.append("x.log", text(1020, 1030));
    rig.settle();
    assert_eq!(rig.sink.lines, lines(0, 1030));
}

#[test]
fn t06_what_was_seen_and_destroyed_unread_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let budget = Settings {
        log_budget: 4096,
        pass_budget: 4096,
        ..settings()
    };
    let mut rig = Rig::with(dir, &["x.log"], budget, Arc::new(OsFs));
    rig.append("x.log", text(0, 1000));
    rig.now += Duration::from_millis(10);
    assert!(rig.tailer.poll(rig.now, &mut rig.sink).more);
    let (read, size) = (
        rig.stats().read_bytes,
        fs::metadata(rig.path("x.log")).unwrap().len(),
    );
    rig.write("x.log", text(1000, 1010));
    rig.settle();
    assert_eq!(rig.lost(Lost::Truncated), size - read);
    assert_eq!(rig.sink.lines.last(), lines(1009, 1010).last());
    assert_eq!(
        rig.sink.cuts, 1,
        "the line at hand is not joined with what came after"
    );
}

#[test]
fn t07_truncated_and_written_anew_to_more_than_was_read() {
    let happens = |rig: &mut Rig| rig.write("x.log", text(10, 30));
    check("x.log", "x.log", happens, 30, Some(Rotation::Truncate));
}

#[test]
fn t08_same_size_same_first_kilobyte_another_body() {
    let mut rig = Rig::new(&["x.log"]);
    let banner = "T1 banner\n".repeat(200);
    rig.append("x.log", format!("{banner}{}", text(0, 10)));
    rig.poll();
    rig.write("x.log", format!("{banner}{}", text(10, 20)));
    // The clock of the file system may be too coarse for two writes in a row; a writer's are further apart.
    rig.date(
        "x.log",
        std::time::UNIX_EPOCH + Duration::from_secs(4_000_000_000),
    );
    rig.settle();
    let numbered = rig.numbered();
    assert_eq!(numbered, lines(0, 20));
    assert_eq!(rig.rotations(Rotation::Truncate), 1);
}

#[test]
fn t09_a_hole_of_500_megabytes_is_not_read() {
    let mut rig = Rig::reading(&["x.log"], "x.log", 10);
    // copytruncate under a writer without O_APPEND, which goes on at its own offset.
    let mut file = fs::OpenOptions::new()
        .write(true)
        .open(rig.path("x.log"))
        .unwrap();
    file.set_len(0).unwrap();
    file.seek(SeekFrom::Start(500 << 20)).unwrap();
    file.write_all(text(10, 20).as_bytes()).unwrap();
    rig.settle();
    rig.expect_lines(20);
    assert!(
        rig.stats().read_bytes < 1 << 20,
        "{} bytes read",
        rig.stats().read_bytes
    );
    assert!(rig.sink.longest < 4096);
}

#[test]
fn t09_nuls_at_the_start_of_a_line_are_skipped_where_there_is_no_hole() {
    let mut rig = Rig::new(&["x.log"]);
    let mut bytes = vec![0; 10_000];
    bytes.extend(text(0, 3).into_bytes());
    bytes.extend([0; 5000]);
    bytes.extend(text(3, 5).into_bytes());
    rig.append("x.log", bytes);
    rig.poll();
    rig.expect_lines(5);
}

#[test]
fn t20_overwritten_instead_of_rotated() {
    // 1.11's File appender with append = false opens the file once more at shutdown: a few lines are left.
    let happens = |rig: &mut Rig| rig.write("x.log", text(10, 13));
    check("x.log", "x.log", happens, 13, Some(Rotation::Truncate));
}
