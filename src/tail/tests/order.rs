//! Files are read in the order in which they were written, whatever happened to them while they waited for their turn.

use super::*;

/// Reads a little in each pass, so that files wait, and closes them meanwhile, so that their inodes may be given away.
fn rig() -> Rig {
    let little = Settings {
        log_budget: 4096,
        pass_budget: 4096,
        open_files: 1,
        ..settings()
    };
    Rig::with(tempfile::tempdir().unwrap(), &["."], little, Arc::new(OsFs))
}

fn pass(rig: &mut Rig) {
    rig.now += Duration::from_millis(10);
    rig.tailer.poll(rig.now, &mut rig.sink);
    rig.expect_all_changes_told();
}

#[test]
fn what_was_written_anew_while_it_waited_keeps_its_turn() {
    let mut rig = rig();
    rig.append("x.log", text(0, 200));
    pass(&mut rig);
    rig.rename("x.log", "x.log.3");
    rig.append("x.log", text(500, 530));
    pass(&mut rig);
    rig.write("x.log", text(200, 230));
    rig.rename("x.log", "x.log.2");
    rig.append("x.log.1", text(230, 260));
    rig.append("x.log", text(260, 300));
    rig.settle();
    rig.expect_lines(300);
}

#[test]
fn what_got_the_inode_of_one_that_waited_does_not_get_its_turn() {
    let mut rig = rig();
    let elsewhere = tempfile::tempdir_in(rig.dir.path()).unwrap();
    let away = elsewhere.path().join("x");
    rig.append("x.log.3", text(0, 200));
    rig.append("x.log.2", text(500, 530));
    rig.append("x.log.1", text(200, 230));
    rig.append("x.log", text(230, 260));
    pass(&mut rig);
    fs::rename(rig.path("x.log.2"), &away).unwrap();
    pass(&mut rig);
    rig.rename("x.log", "x.log.2");
    fs::write(&away, text(260, 290)).unwrap();
    fs::rename(&away, rig.path("x.log")).unwrap();
    rig.settle();
    rig.expect_lines(290);
}

#[test]
fn what_begins_like_the_file_being_read_does_not_wait_for_its_end() {
    let banner = "that with which every file begins .....\n".repeat(30);
    for read in [banner.len(), 100] {
        let mut rig = rig();
        rig.append("x.log", &banner[..read]);
        pass(&mut rig);
        rig.append("x.log", &banner[read..]);
        rig.append("x.log", text(10, 20));
        rig.append("x.log.1", banner.clone() + &text(0, 10));
        rig.settle();
        assert_eq!(rig.numbered(), lines(0, 20), "{read} bytes read");
    }
}
