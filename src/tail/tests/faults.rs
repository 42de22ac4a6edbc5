//! What is to come of it when files fail: T32, T42, T44.

use super::faulty::Faulty;
use super::*;

#[test]
fn t32_t44_whatever_fails_is_counted_told_and_taken_up_again() {
    for op in [Op::List, Op::Stat, Op::Open, Op::Read] {
        for (given, early) in [("x.log", true), (".", true), ("x.log", false), (".", false)] {
            let (mut rig, fs) = Rig::faulty(&[given]);
            rig.append("x.log", text(0, 10));
            if early {
                fs.fail(Some(op));
            }
            rig.settle();
            fs.fail(Some(op));
            rig.append("x.log", text(10, 20));
            for _ in 0..3 {
                rig.wait(5);
            }
            let case = format!("{op:?} {given} early: {early}");
            // A file already open is not opened again, and may be read although its directory cannot be listed.
            if early || op != Op::Open {
                assert!(rig.errors(op) > 0, "{case}");
                rig.expect_notice(|notice| matches!(notice, Notice::Failed { .. }));
            }
            fs.fail(None);
            rig.wait(120);
            rig.wait(120);
            rig.settle();
            assert_eq!(rig.sink.lines, lines(0, 20), "{case}");
            assert_eq!(rig.stats_of_log().lost_bytes.len(), 0, "{case}");
        }
    }
}

#[test]
fn t44_files_that_cannot_be_asked_after_are_not_taken_for_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    let closing = Settings {
        open_files: 0,
        ..settings()
    };
    let mut rig = Rig::with(dir, &["."], closing, fs.clone());
    rig.append("x.log", text(0, 10));
    rig.settle();
    rig.append("x.log", text(10, 20));
    for op in [Op::Stat, Op::List, Op::Open] {
        fs.fail(Some(op));
        rig.wait(100);
        rig.wait(100);
    }
    fs.fail(None);
    rig.wait(100);
    assert_eq!(rig.sink.lines, lines(0, 20));
    assert!(rig.stats_of_log().lost_bytes.is_empty());
    assert_eq!(rig.sink.gone, 0);
}

#[test]
fn t44_a_link_that_cannot_be_asked_after_is_not_taken_for_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    let closing = Settings {
        open_files: 0,
        ..settings()
    };
    let mut rig = Rig::with(dir, &["."], closing, fs.clone());
    // Its directory does not show the inode of what it leads to: nothing else tells that it is there.
    std::fs::create_dir(rig.path("elsewhere")).unwrap();
    rig.append("elsewhere/x", text(0, 10));
    std::os::unix::fs::symlink("elsewhere/x", rig.path("x.log")).unwrap();
    rig.settle();
    rig.append("elsewhere/x", text(10, 20));
    fs.fail_of("x.log", Op::Stat);
    rig.wait(100);
    rig.wait(100);
    assert_eq!(rig.sink.gone, 0);
    fs.fail(None);
    rig.wait(100);
    rig.expect_lines(20);
    assert!(rig.stats_of_log().lost_bytes.is_empty());
}

#[test]
fn t44_a_file_that_was_renamed_and_cannot_be_asked_after_is_read_before_its_successor() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    let closing = Settings {
        open_files: 0,
        ..settings()
    };
    let mut rig = Rig::with(dir, &["."], closing, fs.clone());
    rig.append("x.log", text(0, 10));
    rig.settle();
    rig.append("x.log", text(10, 20));
    // No name of the log's family: only by its inode is it found.
    rig.rename("x.log", "moved");
    rig.append("x.log", text(20, 30));
    fs.fail_of("moved", Op::Stat);
    rig.wait(1);
    rig.wait(10);
    rig.expect_lines(10);
    fs.fail(None);
    rig.settle();
    rig.expect_lines(30);
    assert!(rig.stats_of_log().lost_bytes.is_empty());
}

#[test]
fn t44_positions_are_kept_while_their_files_cannot_be_read() {
    for op in [Op::List, Op::Stat, Op::Open, Op::Read] {
        let (mut rig, fs) = Rig::faulty(&["."]);
        rig.append("x.log.1", text(0, 10));
        rig.append("x.log", text(10, 20));
        rig.settle();
        let positions = rig.tailer.positions();
        rig.append("x.log", text(20, 30));
        fs.fail(Some(op));
        rig.tailer = tailer(rig.dir.path(), &["."], settings(), fs.clone(), positions.clone());
        rig.sink = Recorder::default();
        rig.wait(100);
        assert_eq!(rig.tailer.positions().len(), positions.len(), "{op:?}");
        fs.fail(None);
        rig.wait(100);
        assert_eq!(rig.sink.lines, lines(20, 30), "{op:?}");
    }
}

#[test]
fn t44_a_handle_that_fails_for_ever_is_given_up_for_a_new_one() {
    let (mut rig, fs) = Rig::faulty(&["x.log"]);
    rig.append("x.log", text(0, 10));
    rig.poll();
    // As a server of NFS does that was started anew (ESTALE).
    fs.revoke();
    rig.append("x.log", text(10, 20));
    rig.wait(2);
    rig.wait(2);
    rig.expect_lines(20);
    assert_eq!(rig.errors(Op::Read), 1);
}

#[test]
fn t44_what_fails_is_tried_again_ever_more_seldom() {
    for op in [Op::Read, Op::List] {
        let (mut rig, fs) = Rig::faulty(&["x.log"]);
        rig.append("x.log", text(0, 10));
        rig.poll();
        rig.append("x.log", text(10, 20));
        fs.fail(Some(op));
        (0..50).for_each(|_| rig.poll());
        assert_eq!(rig.errors(op), 1, "{op:?} within half a second");
        (0..60).for_each(|_| rig.wait(1));
        assert_eq!(rig.errors(op), 6, "{op:?} after 1, 3, 7, 15 and 31 seconds");
    }
}

#[test]
fn t44_what_was_cut_waits_for_a_copy_that_cannot_be_opened_yet() {
    let (mut rig, fs) = Rig::faulty(&["."]);
    rig.append("x.log", text(0, 10));
    rig.poll();
    rig.append("x.log", text(10, 20));
    rig.copy("x.log", "x.log.1");
    rig.cut("x.log");
    rig.append("x.log", text(20, 30));
    fs.fail_of("x.log.1", Op::Open);
    rig.settle();
    rig.expect_lines(10);
    fs.fail(None);
    rig.wait(6);
    rig.expect_lines(30);
    assert!(rig.stats().lost_bytes.is_empty());
}

#[test]
fn t42_a_size_that_is_stale_for_a_moment_is_no_truncation() {
    let (mut rig, fs) = Rig::faulty(&["x.log"]);
    rig.append("x.log", text(0, 10));
    rig.poll();
    fs.limit_sizes(100);
    rig.settle();
    fs.limit_sizes(u64::MAX);
    rig.append("x.log", text(10, 20));
    rig.settle();
    assert_eq!(rig.sink.lines, lines(0, 20));
    assert!(rig.stats().rotations.is_empty());
}

#[test]
fn t42_bytes_that_are_missing_for_a_moment_are_no_truncation() {
    let (mut rig, fs) = Rig::faulty(&["x.log"]);
    rig.append("x.log", text(0, 10));
    rig.poll();
    // A client of a network file system reads no further than the size that it believes in.
    fs.limit_sizes(100);
    fs.limit_reads(100);
    rig.poll();
    fs.limit_sizes(u64::MAX);
    fs.limit_reads(u64::MAX);
    rig.append("x.log", text(10, 20));
    rig.settle();
    rig.expect_lines(20);
    assert!(rig.stats().rotations.is_empty());
}

#[test]
fn t42_a_file_whose_size_is_stale_is_not_left_for_its_successor() {
    let (mut rig, fs) = Rig::faulty(&["x.log"]);
    rig.append("x.log", text(0, 10));
    rig.poll();
    rig.append("x.log", text(10, 20));
    rig.rename("x.log", "x.log.1");
    rig.append("x.log", text(20, 30));
    fs.limit_sizes(100);
    rig.settle();
    fs.limit_sizes(u64::MAX);
    rig.settle();
    rig.expect_lines(30);
}

#[test]
fn t44_a_file_whose_size_is_stale_is_not_left_before_its_end() {
    let (mut rig, fs) = Rig::faulty(&["."]);
    rig.append("x.log", text(0, 10));
    rig.settle();
    let size = std::fs::metadata(rig.path("x.log")).unwrap().len();
    rig.append("x.log", text(10, 20));
    fs.limit_sizes(size);
    rig.rename("x.log", "x.log.1");
    rig.append("x.log", text(20, 30));
    rig.settle();
    assert_eq!(rig.sink.lines, lines(0, 10));
    fs.limit_sizes(u64::MAX);
    rig.settle();
    assert_eq!(rig.sink.lines, lines(0, 30));
}

#[test]
fn t44_what_was_not_asked_for_is_passed_over_to_its_end_although_its_size_is_stale() {
    let (mut rig, fs) = Rig::faulty(&["x.log"]);
    rig.append("x.log.1", text(0, 10));
    rig.append("x.log", text(10, 20));
    fs.limit_sizes(100);
    rig.settle();
    fs.limit_sizes(u64::MAX);
    rig.settle();
    assert_eq!(rig.sink.lines, lines(10, 20));
}

impl Rig {
    fn stats_of_log(&self) -> SourceStats {
        self.tailer
            .stats()
            .into_iter()
            .find(|(id, _)| id.is_some())
            .unwrap()
            .1
    }
}
