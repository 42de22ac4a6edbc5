//! Going on from saved positions: T03, T04, T13, T57.

use super::*;

#[test]
fn t03_rotated_while_down_and_the_pattern_matches_only_the_current_name() {
    for given in ["x.log", "*.log", "."] {
        let mut rig = Rig::new(&[given]);
        rig.append("x.log", text(0, 10));
        rig.append("x.log.1", text(900, 901));
        rig.poll();
        let read = rig.sink.lines.len();
        rig.append("x.log", text(10, 20));
        rig.rename("x.log", "x.log.3");
        rig.append("x.log.2", text(20, 30));
        rig.append("x.log", text(30, 40));
        rig.restart(&[given]);
        rig.poll();
        assert_eq!(rig.sink.lines, lines(10, 40), "{given}, after {read} lines");
        assert!(rig.stats().lost_bytes.is_empty());
    }
}

#[test]
fn a_restart_at_every_point_loses_and_repeats_nothing() {
    let mut rig = Rig::new(&["."]);
    let mut got = Vec::new();
    for n in 0..30 {
        rig.append("x.log", text(n, n + 1));
        if n % 7 == 3 {
            rig.rename("x.log", &format!("x.log.{n}"));
        }
        if n % 2 == 0 {
            rig.settle();
        }
        got.append(&mut rig.sink.lines);
        rig.restart(&["."]);
    }
    rig.settle();
    got.append(&mut rig.sink.lines);
    assert_eq!(got, lines(0, 30));
}

#[test]
fn t04_rotated_out_of_reach_while_down_is_counted_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let budget = Settings {
        log_budget: 4096,
        pass_budget: 4096,
        ..settings()
    };
    let mut rig = Rig::with(dir, &["x.log"], budget, Arc::new(OsFs));
    rig.append("x.log", text(0, 1000));
    rig.tailer.poll(Duration::ZERO, &mut rig.sink);
    let unread = rig.stats().lag_bytes;
    assert!(unread > 0);
    rig.remove("x.log");
    rig.append("x.log.1", text(1000, 1010));
    rig.append("x.log", text(1010, 1020));
    rig.restart(&["x.log"]);
    rig.settle();
    assert_eq!(rig.sink.lines, lines(1000, 1020));
    assert_eq!(rig.lost(Lost::RotatedAway), unread);
    rig.expect_notice(|notice| matches!(notice, Notice::Gap(_)));
}

#[test]
fn truncated_while_down_goes_on_in_the_copy() {
    for copied in [true, false] {
        let mut rig = Rig::new(&["x.log"]);
        rig.append("x.log", text(0, 50));
        rig.poll();
        rig.append("x.log", text(50, 70));
        if copied {
            fs::copy(rig.path("x.log"), rig.path("x.log.1")).unwrap();
        }
        rig.write("x.log", text(70, 80));
        rig.restart(&["x.log"]);
        rig.settle();
        let expected = if copied { lines(50, 80) } else { lines(70, 80) };
        assert_eq!(rig.sink.lines, expected, "copied: {copied}");
        assert_eq!(rig.rotations(Rotation::Truncate), 1);
    }
}

#[test]
fn t13_read_to_its_end_and_packed_while_down_is_not_read_again() {
    let mut rig = Rig::new(&["."]);
    rig.append("x.log", text(0, 50));
    rig.poll();
    rig.rename("x.log", "x.log.1");
    rig.append("x.log", text(50, 60));
    rig.poll();
    rig.remove("x.log.1");
    gzip(&rig.path("x.log.1.gz"), text(0, 50).as_bytes());
    rig.append("x.log", text(60, 70));
    rig.restart(&["."]);
    rig.settle();
    assert_eq!(rig.sink.lines, lines(60, 70));
}

#[test]
fn a_position_in_the_middle_of_a_line_goes_on_there() {
    let mut rig = Rig::new(&["x.log"]);
    rig.append("x.log", "T1 one\nT2 t");
    rig.poll();
    rig.append("x.log", "wo\n");
    rig.restart(&["x.log"]);
    rig.poll();
    rig.expect(&["wo"]);
}

#[test]
fn positions_wait_for_a_directory_that_is_not_there_yet() {
    let mut rig = Rig::new(&["logs/x.log"]);
    fs::create_dir(rig.path("logs")).unwrap();
    rig.append("logs/x.log", text(0, 10));
    rig.poll();
    rig.rename("logs", "unmounted");
    rig.restart(&["logs/x.log"]);
    rig.poll();
    assert_eq!(rig.tailer.positions().len(), 1);
    rig.rename("unmounted", "logs");
    rig.append("logs/x.log", text(10, 20));
    rig.settle();
    assert_eq!(rig.sink.lines, lines(10, 20));
}

#[test]
fn a_log_that_was_deleted_while_down_is_gone_after_a_minute_and_may_come_back() {
    let mut rig = Rig::new(&["."]);
    rig.append("x.log", text(0, 10));
    rig.append("y.log", text(10, 20));
    rig.settle();
    rig.remove("x.log");
    let known = |log: &str, id| {
        let numbers = SourceStats::default();
        (
            Position::printable(&rig.path(log)),
            Known {
                id: LogId(id),
                numbers,
            },
        )
    };
    let known = [known("x.log", 7), known("y.log", 8)];
    rig.restart(&["."]);
    rig.tailer.remember(known.into());
    rig.now = Duration::ZERO;
    for (seconds, gone) in [(0, 0), (59, 0), (60, 1), (600, 1)] {
        rig.tailer.poll(Duration::from_secs(seconds), &mut rig.sink);
        assert_eq!(rig.sink.gone, gone, "after {seconds} s");
    }
    rig.now = Duration::from_secs(600);
    rig.append("x.log", text(20, 30));
    rig.settle();
    assert_eq!(rig.sink.lines, lines(20, 30));
    assert!(rig.sink.partial.contains_key(&LogId(7)), "under its id");
}

#[test]
fn a_saved_position_that_makes_no_sense_is_survived() {
    let mut rig = Rig::new(&["x.log"]);
    rig.append("x.log", text(0, 10));
    rig.poll();
    let good = rig.tailer.positions();
    let spoil: [fn(&mut Position); 4] = [
        |position| position.place.offset = 3,
        |position| position.place.offset = u64::MAX,
        |position| position.place.head.len = u64::MAX,
        |position| position.place.anchor = vec![0; 5000],
    ];
    for (n, spoil) in (0..).zip(spoil) {
        let mut positions = good.clone();
        spoil(&mut positions[0]);
        rig.tailer = tailer(rig.dir.path(), &["x.log"], settings(), Arc::new(OsFs), positions);
        rig.sink = Recorder::default();
        rig.settle();
        rig.append("x.log", text(10 + n, 11 + n));
        rig.settle();
        assert_eq!(rig.sink.lines.last(), lines(10 + n, 11 + n).last(), "{n}");
    }
}

#[test]
fn an_empty_file_has_no_claim_to_another_logs_file_that_has_its_inode_after_a_restart() {
    let mut rig = Rig::new(&["."]);
    rig.append("x.log.1", text(0, 10));
    rig.append("x.log", "");
    rig.poll();
    rig.rename("x.log", "a.log");
    rig.append("a.log", text(10, 20));
    rig.append("x.log", text(20, 30));
    rig.restart(&["."]);
    rig.settle();
    rig.sink.lines.sort();
    assert_eq!(rig.sink.lines, lines(10, 30));
}

#[test]
fn t08_a_shorter_file_that_begins_alike_is_no_copy_of_one_that_was_deleted_while_down() {
    let at = |seconds| std::time::UNIX_EPOCH + Duration::from_secs(seconds);
    // Longer than the head by which files are known: what comes after tells. And so long that the last mark lies in it
    // too: when it was written tells.
    for (alike, written) in [(40, at(1_000_000)), (100, at(3_000_000))] {
        let mut rig = Rig::new(&["."]);
        rig.append("x.log", text(0, alike));
        rig.append("x.log", text(100, 200));
        rig.date("x.log", at(2_000_000));
        rig.settle();
        rig.sink.lines.clear();
        rig.remove("x.log");
        rig.append("x.log.1", text(0, alike));
        rig.append("x.log.1", text(200, 220));
        rig.date("x.log.1", written);
        rig.restart(&["."]);
        rig.settle();
        let expected = [lines(0, alike), lines(200, 220)].concat();
        assert_eq!(rig.sink.lines, expected, "{alike} lines alike");
    }
}

#[test]
fn t05_a_copy_made_before_the_last_lines_were_read_is_not_read_again_after_a_restart() {
    for copied in [30, 60, 99] {
        let mut rig = Rig::new(&["."]);
        rig.append("x.log", text(0, copied));
        fs::copy(rig.path("x.log"), rig.path("copy")).unwrap();
        rig.append("x.log", text(copied, 100));
        rig.settle();
        rig.rename("copy", "x.log.1");
        rig.write("x.log", text(100, 110));
        rig.restart(&["."]);
        rig.settle();
        assert_eq!(rig.sink.lines, lines(100, 110), "copied at line {copied}");
    }
}

#[test]
fn t57_positions_of_files_that_are_gone_are_dropped() {
    let mut rig = Rig::new(&["."]);
    rig.append("x.log.1", text(0, 10));
    rig.append("x.log", text(10, 20));
    rig.poll();
    assert_eq!(rig.tailer.positions().len(), 2);
    rig.remove("x.log.1");
    rig.poll();
    rig.wait(61);
    assert_eq!(rig.tailer.positions().len(), 1);
}

#[test]
fn predecessors_that_were_not_asked_for_stay_unread_after_a_restart() {
    let mut rig = Rig::new(&["x.log"]);
    rig.append("x.log.1", text(0, 10));
    rig.append("x.log", text(10, 20));
    rig.poll();
    rig.restart(&["x.log"]);
    rig.rename("x.log.1", "x.log.2");
    rig.settle();
    rig.expect(&[]);
}
