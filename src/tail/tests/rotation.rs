//! Rotation by names: T01 to T04, T10 to T18, T43.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;

use super::*;

#[test]
fn t01_rename_create_while_the_writer_holds_the_old_file() {
    let happens = |rig: &mut Rig| {
        let mut held = rig.open("x.log");
        rig.rename("x.log", "x.log.1");
        rig.append("x.log", "");
        rig.poll();
        held.write_all(text(10, 110).as_bytes()).unwrap();
        rig.poll();
        rig.append("x.log", text(110, 120));
    };
    let rig = check("x.log", "x.log", happens, 120, Some(Rotation::Rename));
    assert_eq!(rig.sink.ends, 1);
}

#[test]
fn t01_the_old_file_is_read_to_its_end_before_the_new_one() {
    let happens = |rig: &mut Rig| {
        let mut held = rig.open("x.log");
        rig.rename("x.log", "x.log.1");
        held.write_all(text(10, 20).as_bytes()).unwrap();
        rig.append("x.log", text(20, 30));
    };
    check("x.log", "x.log", happens, 30, Some(Rotation::Rename));
}

#[test]
fn t01_lines_that_reach_the_old_file_after_it_was_left_still_count_once() {
    let happens = |rig: &mut Rig| {
        let mut held = rig.open("x.log");
        rig.rename("x.log", "x.log.1");
        rig.append("x.log", text(10, 20));
        rig.poll();
        held.write_all(text(20, 30).as_bytes()).unwrap();
        rig.poll();
        rig.append("x.log", text(30, 40));
    };
    check("x.log", "x.log", happens, 40, None);
}

#[test]
fn t02_three_renames_between_two_passes_whichever_way_the_numbers_count() {
    for newest_is_1 in [true, false] {
        let mut rig = Rig::reading(&["x.log"], "x.log", 10);
        for rotation in 1..=3 {
            rig.append("x.log", text(rotation * 10, rotation * 10 + 5));
            if newest_is_1 {
                for n in (1..rotation).rev() {
                    rig.rename(&format!("x.log.{n}"), &format!("x.log.{}", n + 1));
                }
                rig.rename("x.log", "x.log.1");
            } else {
                rig.rename("x.log", &format!("x.log.{rotation}"));
            }
            rig.append("x.log", text(rotation * 10 + 5, rotation * 10 + 10));
        }
        rig.poll();
        assert_eq!(rig.sink.lines, lines(0, 40), "newest is .1: {newest_is_1}");
        assert_eq!(rig.rotations(Rotation::Rename), 3);
    }
}

#[test]
fn t02_files_that_begin_alike_are_read_in_the_order_in_which_they_were_written() {
    let mut rig = Rig::new(&["x.log"]);
    let banner = "T5 the same banner for every process\n".repeat(40);
    rig.append("x.log", format!("{banner}{}", text(0, 5)));
    rig.poll();
    for rotation in 1..=3 {
        rig.rename("x.log", &format!("x.log.{rotation}"));
        rig.append(
            "x.log",
            format!("{banner}{}", text(rotation * 5, rotation * 5 + 5)),
        );
        rig.poll();
    }
    let numbered = rig.numbered();
    assert_eq!(numbered, lines(0, 20));
    assert_eq!(rig.sink.lines.len(), 20 + 4 * 40);
}

#[test]
fn t10_deleted_and_created_anew_under_the_same_name() {
    let happens = |rig: &mut Rig| {
        rig.remove("x.log");
        rig.append("x.log", text(10, 30));
    };
    check("x.log", "x.log", happens, 30, Some(Rotation::Replace));
}

#[test]
fn t10_another_file_under_the_same_inode_while_it_was_closed() {
    // Whether an inode is reused is up to the file system; overwriting in place looks the same to one that reopens.
    let dir = tempfile::tempdir().unwrap();
    let closing = Settings {
        open_files: 0,
        ..settings()
    };
    let mut rig = Rig::with(dir, &["x.log"], closing, Arc::new(OsFs));
    rig.append("x.log", text(0, 10));
    rig.poll();
    rig.write("x.log", text(10, 30));
    rig.settle();
    rig.expect_lines(30);
    assert_eq!(rig.rotations(Rotation::Replace), 1);
}

#[test]
fn t11_what_was_written_to_a_file_found_empty_is_read_though_it_was_deleted_since() {
    let mut rig = Rig::new(&["x.log"]);
    rig.append("x.log", "");
    rig.poll();
    rig.append("x.log", text(0, 10));
    rig.remove("x.log");
    rig.settle();
    rig.expect_lines(10);
}

#[test]
fn t11_deleted_while_open_is_read_on_and_let_go_after_a_minute() {
    let mut rig = Rig::reading(&["x.log"], "x.log", 10);
    let mut held = rig.open("x.log");
    rig.remove("x.log");
    for n in 1..=10 {
        rig.wait(1);
        held.write_all(text(n * 10, n * 10 + 10).as_bytes()).unwrap();
    }
    rig.wait(1);
    rig.expect_lines(110);
    assert_eq!(rig.sink.gone, 0);
    assert_eq!(rig.tailer.open_files(), 1);
    rig.wait(61);
    assert_eq!((rig.sink.gone, rig.sink.ends), (1, 1));
    assert_eq!(rig.tailer.open_files(), 0, "the descriptor is closed");
    rig.wait(61);
    assert!(
        rig.tailer.positions().is_empty(),
        "T57: nothing is kept of a file that is gone"
    );
    // It may come back.
    rig.append("x.log", text(110, 120));
    rig.poll();
    rig.expect_lines(120);
    assert_eq!(rig.sink.opened.len(), 1);
}

#[test]
fn t12_packed_at_once_while_the_plain_file_was_not_read_to_its_end() {
    let mut rig = Rig::reading(&["."], "x.log", 10);
    rig.append("x.log", text(10, 20));
    gzip(&rig.path("x.log.1.gz"), text(0, 20).as_bytes());
    rig.remove("x.log");
    rig.append("x.log", text(20, 30));
    for _ in 0..3 {
        rig.wait(6);
    }
    rig.expect_lines(30);
    assert!(rig.stats().lost_bytes.is_empty());
}

#[test]
fn t12_a_packed_file_is_not_read_while_it_is_being_packed() {
    let mut rig = Rig::reading(&["."], "x.log", 2000);
    rig.rename("x.log", "x.log.1");
    rig.append("x.log", text(2000, 2010));
    rig.poll();
    gzip(&rig.path("whole"), text(0, 2000).as_bytes());
    let whole = fs::read(rig.path("whole")).unwrap();
    for part in [1, 10, whole.len() / 2, whole.len() - 1] {
        rig.write("x.log.1.gz", &whole[..part]);
        rig.wait(1);
    }
    rig.write("x.log.1.gz", &whole);
    rig.remove("x.log.1");
    rig.wait(6);
    rig.wait(6);
    rig.expect_lines(2010);
}

#[test]
fn t12_a_packed_file_of_the_same_length_and_beginning_is_another_file() {
    let mut rig = Rig::new(&["."]);
    let banner = "T1 banner\n".repeat(200);
    rig.append("x.log", format!("{banner}{}", text(0, 10)));
    rig.poll();
    rig.rename("x.log", "x.log.1");
    rig.append("x.log", text(20, 30));
    rig.poll();
    gzip(
        &rig.path("x.log.2.gz"),
        format!("{banner}{}", text(10, 20)).as_bytes(),
    );
    rig.wait(6);
    rig.wait(6);
    let mut numbered = rig.numbered();
    numbered.sort();
    assert_eq!(numbered, lines(0, 30));
}

#[test]
fn t13_the_rest_is_read_from_the_packed_file_when_only_that_is_left() {
    let mut rig = Rig::reading(&["x.log"], "x.log", 10);
    rig.remove("x.log");
    gzip(&rig.path("x.log.2.gz"), text(0, 40).as_bytes());
    rig.append("x.log", text(40, 50));
    rig.restart(&["x.log"]);
    rig.settle();
    assert_eq!(rig.sink.lines, lines(10, 50));
    assert!(rig.stats().lost_bytes.is_empty());
}

#[test]
fn t14_names_that_change_places_take_their_files_along() {
    let mut rig = Rig::new(&["."]);
    for (n, name) in [(0, "a.log"), (10, "b.log"), (20, "c.log")] {
        rig.append(name, text(n, n + 10));
    }
    rig.poll();
    rig.rename("c.log", "tmp");
    rig.rename("b.log", "c.log");
    rig.rename("a.log", "b.log");
    rig.rename("tmp", "a.log");
    rig.settle();
    rig.append("b.log", text(30, 31));
    rig.settle();
    rig.expect_lines(31);
}

#[test]
fn t15_a_symlink_swapped_to_the_next_file() {
    let mut rig = Rig::new(&["current.log"]);
    rig.append("app-1.log", text(0, 10));
    symlink("app-1.log", rig.path("current.log")).unwrap();
    rig.poll();
    rig.append("app-1.log", text(10, 20));
    rig.append("app-2.log", text(20, 30));
    symlink("app-2.log", rig.path("new")).unwrap();
    rig.rename("new", "current.log");
    rig.poll();
    rig.expect_lines(30);
}

#[test]
fn t16_a_directory_swapped_by_its_link() {
    let mut rig = Rig::new(&["logs/x.log"]);
    for (dir, link) in [("v1", "logs"), ("v2", "next")] {
        fs::create_dir(rig.path(dir)).unwrap();
        symlink(dir, rig.path(link)).unwrap();
    }
    rig.append("v1/x.log", text(0, 10));
    rig.poll();
    rig.append("v1/x.log", text(10, 20));
    rig.append("v2/x.log", text(20, 30));
    rig.rename("next", "logs");
    rig.settle();
    rig.expect_lines(30);
    assert_eq!(rig.sink.opened.len(), 1);
}

#[test]
fn t17_a_hard_link_moved_to_the_next_file() {
    let mut rig = Rig::new(&["current.log"]);
    rig.append("app-1", text(0, 10));
    fs::hard_link(rig.path("app-1"), rig.path("current.log")).unwrap();
    rig.poll();
    rig.append("app-1", text(10, 20));
    rig.append("app-2", text(20, 30));
    fs::hard_link(rig.path("app-2"), rig.path("new")).unwrap();
    rig.rename("new", "current.log");
    rig.poll();
    rig.expect_lines(30);
}

#[test]
fn t18_a_rename_taken_back() {
    let happens = |rig: &mut Rig| {
        rig.rename("0.log", "0.log.20261101-120000");
        rig.poll();
        rig.rename("0.log.20261101-120000", "0.log");
        rig.append("0.log", text(10, 20));
    };
    let rig = check(".", "0.log", happens, 20, None);
    assert_eq!(rig.sink.opened.len(), 1);
}

#[test]
fn t18_a_file_that_gets_its_name_back_from_its_successor_goes_on_where_it_was_left() {
    let happens = |rig: &mut Rig| {
        rig.rename("0.log", "0.log.20261101-120000");
        rig.append("0.log", text(10, 20));
        rig.settle();
        rig.rename("0.log.20261101-120000", "0.log");
        rig.append("0.log", text(20, 30));
    };
    check(".", "0.log", happens, 30, None);
}

#[test]
fn t18_a_container_that_restarts_goes_on_in_the_next_number() {
    let happens = |rig: &mut Rig| {
        rig.append("9.log", text(10, 12));
        rig.append("10.log", text(12, 20));
    };
    let rig = check(".", "9.log", happens, 20, None);
    assert_eq!(rig.sink.opened.len(), 1);
    assert_eq!(&*rig.sink.opened[0].name, rig.path("*.log").to_str().unwrap());
    assert!(rig.stats().rotations.is_empty(), "no name was taken");
}

#[test]
fn t18_a_container_that_died_in_the_middle_of_a_line_writes_no_more_of_it() {
    let mut rig = Rig::reading(&["."], "1.log", 10);
    rig.append("1.log", "T1 half");
    rig.append("2.log", "T2 next\n");
    rig.settle();
    assert_eq!(rig.sink.lines[10..], ["T1 half", "T2 next"]);
}

#[test]
fn t18_what_kubelet_rotates_belongs_to_its_container_though_nobody_saw_it_before() {
    let happens = |rig: &mut Rig| {
        rig.append("0.log", text(10, 20));
        rig.rename("0.log", "0.log.20261101-120000");
        rig.append("0.log", text(20, 30));
        rig.rename("0.log", "0.log.20261101-120005");
        rig.append("0.log", text(30, 40));
    };
    let rig = check(".", "0.log", happens, 40, None);
    assert_eq!(rig.sink.opened.len(), 1);
}

#[test]
fn t43_a_copy_put_in_place_of_a_file_read_to_its_end_goes_on() {
    let happens = |rig: &mut Rig| {
        rig.copy("x.log", "up");
        rig.append("up", text(10, 60));
        rig.rename("up", "x.log");
    };
    check("x.log", "x.log", happens, 60, None);
}

#[test]
fn t43_what_was_not_read_of_a_file_is_read_before_the_copy_put_in_its_place() {
    let mut rig = Rig::reading(&["x.log"], "x.log", 10);
    rig.copy("x.log", "up");
    rig.append("x.log", text(10, 20));
    rig.append("up", text(20, 30));
    rig.rename("up", "x.log");
    rig.settle();
    // That the copy goes on where the file was read does not tell that it holds what came there since.
    assert_eq!(rig.sink.lines[..20], lines(0, 20));
    assert_eq!(rig.sink.lines[rig.sink.lines.len() - 10..], lines(20, 30));
}

#[test]
fn a_file_left_half_read_by_the_budget_is_read_on_whatever_becomes_of_its_name() {
    type Take = fn(&Rig);
    let ways: [(&str, Take); 3] = [
        ("deleted", |rig| rig.remove("x.log")),
        ("renamed", |rig| rig.rename("x.log", "x.log.1")),
        ("packed", |rig| {
            gzip(&rig.path("x.log.1.gz"), text(0, 100).as_bytes());
            rig.remove("x.log");
        }),
    ];
    for (way, take) in ways {
        let few = Settings {
            log_budget: 1024,
            ..settings()
        };
        let mut rig = Rig::with(tempfile::tempdir().unwrap(), &["x.log"], few, Arc::new(OsFs));
        rig.append("x.log", text(0, 100));
        // One pass, which the budget ends.
        assert!(rig.tailer.poll(rig.now, &mut rig.sink).more, "{way}");
        take(&rig);
        rig.append("x.log", text(100, 200));
        rig.settle();
        assert!(
            rig.sink.lines == lines(0, 200),
            "{way}: {} lines",
            rig.sink.lines.len()
        );
        assert!(rig.stats().lost_bytes.is_empty(), "{way}");
    }
}
