//! Lines of defence behind which others stand: each alone, where no other would hold. T10 to T13, T36, T38.

use super::faulty::Faulty;
use super::*;
use crate::tail::fs::Kind;
use crate::tail::wake::Hints;

/// One pass that reads no more than this of a log.
fn little() -> Settings {
    Settings {
        log_budget: 1024,
        pass_budget: 1024,
        ..settings()
    }
}

fn rig(settings: Settings) -> Rig {
    Rig::with(tempfile::tempdir().unwrap(), &["."], settings, Arc::new(OsFs))
}

fn pass(rig: &mut Rig) {
    rig.now += Duration::from_millis(10);
    rig.tailer.poll(rig.now, &mut rig.sink);
}

#[test]
fn t01_what_was_written_last_waits_for_its_writer_though_it_begins_with_an_older_time() {
    let mut rig = rig(little());
    let long_ago = std::time::UNIX_EPOCH + Duration::from_secs(1);
    for (name, from, to) in [("x.log.1", 0, 100), ("x.log", 100, 110)] {
        rig.append(name, text(from, to));
        rig.date(name, long_ago + Duration::from_secs(to.into()));
    }
    pass(&mut rig);
    rig.rename("x.log", "x.log.2");
    // Rotated before it was seen, and still written to.
    rig.append(
        "x.log.3",
        "T999 a banner\n".to_owned() + &text(110, 120) + "T1000120 line",
    );
    rig.settle();
    rig.append("x.log.3", " 000000120 ................\n");
    rig.append("x.log", text(121, 130));
    rig.settle();
    assert_eq!(rig.numbered(), lines(0, 130));
}

#[test]
fn t02_between_a_rename_and_the_next_file_those_written_within_one_tick_go_by_what_they_begin_with() {
    for (older, newer) in [("x.log.3", "x.log.2"), ("x.log.2", "x.log.3")] {
        let mut rig = rig(little());
        let long_ago = std::time::UNIX_EPOCH + Duration::from_secs(1);
        rig.append("x.log", text(0, 10));
        rig.date("x.log", long_ago);
        pass(&mut rig);
        rig.rename("x.log", "x.log.4");
        let at_once = long_ago + Duration::from_secs(1);
        for (name, from, to) in [(older, 10, 20), (newer, 20, 30)] {
            rig.append(name, text(from, to));
            rig.date(name, at_once);
        }
        pass(&mut rig);
        rig.append("x.log", text(30, 40));
        rig.settle();
        assert_eq!(rig.numbered(), lines(0, 40), "{older} is the older one");
    }
}

#[test]
fn t10_a_file_that_took_the_name_of_one_that_was_closed_is_not_taken_for_it() {
    let mut rig = rig(Settings {
        open_files: 0,
        period: Duration::from_secs(3600),
        ..settings()
    });
    rig.append("x.log", text(0, 10));
    rig.poll();
    // It holds what was read, and goes on otherwise: its bytes do not tell.
    rig.append("x.log.2", text(0, 10));
    rig.append("x.log.2", text(20, 30));
    rig.append("x.log", text(10, 20));
    rig.rename("x.log", "x.log.1");
    rig.rename("x.log.2", "x.log");
    rig.tailer.hint(Hints {
        files: [rig.path("x.log")].into(),
        ..Hints::default()
    });
    rig.settle();
    assert_eq!(
        rig.sink.lines,
        [lines(0, 20), lines(0, 10), lines(20, 30)].concat()
    );
}

#[test]
fn t10_a_packed_file_that_was_overwritten_while_it_was_read_is_another_file() {
    let mut rig = rig(little());
    gzip(&rig.path("x.log.1.gz"), text(0, 100).as_bytes());
    rig.append("x.log", text(900, 910));
    pass(&mut rig);
    let read = rig.sink.lines.len();
    assert!(read > 0 && read < 100, "{read}");
    gzip(&rig.path("x.log.1.gz"), text(100, 300).as_bytes());
    rig.settle();
    rig.wait(6);
    rig.wait(6);
    let mut after: Vec<_> = rig.sink.lines.split_off(read);
    after.sort();
    assert_eq!(after, [lines(100, 300), lines(900, 910)].concat());
}

#[test]
fn t11_what_waits_for_its_turn_is_held_so_that_it_may_be_deleted() {
    let mut rig = rig(little());
    rig.append("x.log", text(0, 200));
    pass(&mut rig);
    rig.rename("x.log", "x.log.1");
    rig.append("x.log", text(200, 210));
    pass(&mut rig);
    rig.remove("x.log");
    rig.settle();
    rig.expect_lines(210);
}

#[test]
fn t11_what_was_deleted_is_not_closed_to_make_room_for_others() {
    let mut rig = rig(Settings {
        open_files: 1,
        ..settings()
    });
    rig.append("x.log", text(0, 10));
    rig.poll();
    let mut held = rig.open("x.log");
    rig.remove("x.log");
    rig.poll();
    rig.append("y.log", text(10, 20));
    rig.poll();
    held.write_all(text(20, 30).as_bytes()).unwrap();
    rig.poll();
    rig.expect_lines(30);
}

#[test]
fn t12_a_packed_file_that_is_read_while_it_is_being_written_is_read_to_its_end() {
    let mut rig = rig(settings());
    gzip(&rig.path("whole"), text(0, 5000).as_bytes());
    let whole = fs::read(rig.path("whole")).unwrap();
    rig.append("x.log", text(5000, 5010));
    rig.poll();
    for part in [whole.len() / 2, whole.len() - 1, whole.len()] {
        rig.write("x.log.1.gz", &whole[..part]);
        rig.wait(1);
    }
    rig.wait(6);
    rig.sink.lines.sort();
    rig.expect_lines(5010);
    assert_eq!(rig.errors(Op::Unpack), 0);
}

#[test]
fn t12_a_packed_file_that_rested_at_its_first_bytes_is_read_once_it_is_whole() {
    let mut rig = rig(settings());
    gzip(&rig.path("whole"), text(0, 100).as_bytes());
    let whole = fs::read(rig.path("whole")).unwrap();
    rig.append("x.log", text(100, 110));
    rig.write("x.log.1.gz", &whole[..5]);
    rig.poll();
    // As long as it takes to be given up as one that is being packed.
    rig.wait(6);
    rig.write("x.log.1.gz", &whole);
    rig.wait(6);
    rig.sink.lines.sort();
    rig.expect_lines(110);
    assert_eq!(rig.errors(Op::Unpack), 0);
}

#[test]
fn t12_a_torn_packed_copy_of_what_was_read_and_deleted_is_not_read_again() {
    let mut rig = Rig::reading(&["."], "x.log", 2000);
    gzip(&rig.path("whole"), text(0, 2000).as_bytes());
    let whole = fs::read(rig.path("whole")).unwrap();
    rig.remove("x.log");
    rig.append("x.log", text(2000, 2010));
    rig.write("x.log.1.gz", &whole[..whole.len() / 2]);
    rig.wait(1);
    rig.write("x.log.1.gz", &whole);
    rig.wait(6);
    rig.wait(6);
    rig.expect_lines(2010);
}

#[test]
fn t13_packed_a_minute_after_it_was_deleted_it_is_not_read_again() {
    let mut rig = Rig::reading(&["."], "x.log", 10);
    rig.remove("x.log");
    rig.wait(1);
    rig.wait(61);
    assert_eq!(rig.sink.gone, 1);
    gzip(&rig.path("x.log.1.gz"), text(0, 10).as_bytes());
    rig.append("x.log", text(10, 20));
    rig.wait(6);
    rig.expect_lines(20);
}

#[test]
fn t36_a_name_that_leads_elsewhere_once_it_was_asked_after_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let [name, file, fifo] = ["x.log", "file", "fifo"].map(|name| dir.path().join(name));
    let (cwd, mode) = (rustix::fs::CWD, rustix::fs::Mode::from_raw_mode(0o600));
    fs::write(&file, "").unwrap();
    rustix::fs::mknodat(cwd, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    fs::hard_link(&file, &name).unwrap();
    let swapped = || {
        // As fast as it goes: now and then one comes between two calls of the reader.
        for other in [&fifo, &file].into_iter().cycle().take(20_000) {
            let next = dir.path().join("next");
            fs::hard_link(other, &next).unwrap();
            fs::rename(&next, &name).unwrap();
            // Of two names of one file a rename leaves both.
            let _gone = fs::remove_file(&next);
        }
    };
    std::thread::scope(|scope| {
        let swapping = scope.spawn(swapped);
        while !swapping.is_finished() {
            if let Ok(opened) = OsFs.open(&name) {
                assert_eq!(opened.stat().unwrap().kind, Kind::Regular);
            }
        }
    });
}

#[test]
fn t38_where_the_system_has_no_descriptor_left_some_are_given_back() {
    let few = Faulty::new();
    few.limit_open(4);
    let mut rig = Rig::with(tempfile::tempdir().unwrap(), &["."], settings(), few);
    for file in 0..10 {
        rig.append(&format!("{file}-x.log"), text(file, file + 1));
    }
    (0..20).for_each(|_| rig.wait(10));
    rig.sink.lines.sort();
    rig.expect_lines(10);
    rig.expect_notice(|notice| matches!(notice, Notice::Failed { .. }));
}
