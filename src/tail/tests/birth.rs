//! Files that had one inode after the other and begin alike are told apart by when they were made: T10.

use super::faulty::Faulty;
use super::*;
use crate::tail::birth::Birth;

/// What every file of a log begins with: more than the head by which files are known.
fn banner() -> String {
    "T999 a banner, the same in each file\n".repeat(40)
}

/// One pass reads little of a log.
fn rig(fs: &Arc<Faulty>) -> Rig {
    let little = Settings {
        log_budget: 1024,
        pass_budget: 1024,
        ..settings()
    };
    Rig::with(tempfile::tempdir().unwrap(), &["."], little, fs.clone())
}

/// Writes the banner and lines, last at a time that tells the order.
fn write(rig: &Rig, name: &str, from: u32, to: u32) {
    rig.write(name, banner() + &text(from, to));
    let at = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000 + u64::from(to));
    rig.date(name, at);
}

/// One file is being read and two wait; then the first of these is deleted, and the second rotated.
fn two_wait(fs: &Arc<Faulty>, born: Birth) -> Rig {
    let mut rig = rig(fs);
    fs.tell_birth(born);
    write(&rig, "x.log.1", 0, 100);
    write(&rig, "x.log.2", 100, 101);
    write(&rig, "x.log", 101, 110);
    rig.now += Duration::from_millis(10);
    rig.tailer.poll(rig.now, &mut rig.sink);
    assert!(rig.numbered().len() < 100, "two wait");
    rig.rename("x.log", "x.log.3");
    rig
}

#[test]
fn t10_one_that_has_the_inode_and_the_beginning_of_one_that_waited_is_told_by_its_birth() {
    let fs = Faulty::new();
    let mut rig = two_wait(&fs, Birth::of_nanoseconds(1));
    // The last but one has the inode of what was deleted.
    write(&rig, "x.log.2", 110, 120);
    rig.rename("x.log.2", "x.log.4");
    write(&rig, "x.log", 120, 130);
    fs.tell_birth_of(&rig.path("x.log.4"), Birth::of_nanoseconds(2));
    rig.settle();
    assert_eq!(rig.numbered(), [lines(0, 100), lines(101, 130)].concat());
}

#[test]
fn t10_where_no_birth_is_told_what_has_the_name_of_the_log_is_read_last() {
    let fs = Faulty::new();
    let mut rig = two_wait(&fs, Birth::UNKNOWN);
    write(&rig, "x.log.2", 110, 120);
    rig.rename("x.log.2", "x.log");
    rig.settle();
    assert_eq!(rig.numbered(), [lines(0, 100), lines(101, 120)].concat());
}

#[test]
fn t10_a_birth_that_is_told_at_times_makes_no_other_file() {
    let fs = Faulty::new();
    let mut rig = rig(&fs);
    for count in 1..=12 {
        let is_told = count % 3 == 0;
        fs.tell_birth(Birth::of_nanoseconds(i64::from(is_told)));
        rig.append("x.log", text(count - 1, count));
        rig.settle();
        if count % 4 == 0 {
            let before = std::mem::take(&mut rig.sink.lines);
            rig.restart_on(&["."], fs.clone());
            rig.sink.lines = before;
        }
    }
    rig.settle();
    rig.expect_lines(12);
    assert!(rig.stats().rotations.is_empty());
}
