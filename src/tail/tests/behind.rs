//! A log is behind until all that it held at the start was read, whatever becomes of its files meanwhile.

use super::packed::packed;
use super::*;

const LOG: LogId = LogId(1);

/// So much is read in a pass.
fn slow() -> Settings {
    Settings {
        log_budget: 2048,
        pass_budget: 2048,
        ..settings()
    }
}

fn rig(content: &[(&str, Vec<u8>)]) -> Rig {
    let rig = Rig::with(tempfile::tempdir().unwrap(), &["."], slow(), Arc::new(OsFs));
    for (name, bytes) in content {
        rig.write(name, bytes);
    }
    rig
}

/// One pass, then something happens, then passes until the log is not behind: by then all these lines were given.
#[track_caller]
fn check(mut rig: Rig, happens: impl FnOnce(&mut Rig), expected: &[String]) {
    rig.tailer.poll(rig.now, &mut rig.sink);
    happens(&mut rig);
    go_on(&mut rig);
    let given = rig.sink.lines.len();
    assert!(rig.sink.lines == expected, "{given} of {} lines", expected.len());
}

/// Passes until the log is not behind, which it is to be now.
#[track_caller]
fn go_on(rig: &mut Rig) {
    assert!(rig.tailer.is_behind(LOG), "more than a pass reads");
    for _ in 0..1000 {
        rig.now += Duration::from_millis(500);
        rig.tailer.poll(rig.now, &mut rig.sink);
        if !rig.tailer.is_behind(LOG) {
            return;
        }
    }
    panic!("it stays behind: {:?}", rig.tailer.backlog());
}

/// Stops, and starts again from the positions.
fn restart(rig: &mut Rig) {
    let positions = rig.tailer.positions();
    rig.tailer = tailer(rig.dir.path(), &["."], slow(), Arc::new(OsFs), positions);
    rig.sink = Recorder::default();
}

fn nothing(_: &mut Rig) {}

#[test]
fn files_and_archives_are_read_to_their_ends() {
    let long = text(0, 1000).into_bytes();
    check(rig(&[("x.log", long.clone())]), nothing, &lines(0, 1000));
    let files = [("x.log.1", long), ("x.log", text(1000, 1010).into())];
    check(rig(&files), nothing, &lines(0, 1010));
    // The end of the second says nothing of the first.
    let members = [packed(text(0, 1000)), packed(text(1000, 1010))].concat();
    let files = [("x.log.1.gz", members), ("x.log", Vec::new())];
    check(rig(&files), nothing, &lines(0, 1010));
}

#[test]
fn a_log_that_is_cut_is_behind_until_its_copy_was_read() {
    let cut = |rig: &mut Rig| {
        rig.copy("x.log", "x.log.1");
        rig.cut("x.log");
    };
    check(rig(&[("x.log", text(0, 1000).into())]), cut, &lines(0, 1000));
    // Where there is none, nothing is waited for.
    let mut lost = rig(&[("x.log", text(0, 1000).into())]);
    lost.tailer.poll(lost.now, &mut lost.sink);
    lost.cut("x.log");
    lost.settle();
    assert!(!lost.tailer.is_behind(LOG));
}

#[test]
fn an_archive_read_in_part_is_behind_after_a_restart_too() {
    let mut rig = rig(&[("x.log.1.gz", packed(text(0, 1000))), ("x.log", Vec::new())]);
    rig.tailer.poll(rig.now, &mut rig.sink);
    restart(&mut rig);
    rig.tailer.poll(rig.now, &mut rig.sink);
    go_on(&mut rig);
    assert_eq!(rig.sink.lines.last(), lines(0, 1000).last());
}

#[test]
fn what_was_copied_or_packed_while_it_was_down_is_expected_too() {
    for pack in [false, true] {
        let mut rig = rig(&[("x.log", text(0, 1000).into())]);
        rig.tailer.poll(rig.now, &mut rig.sink);
        if pack {
            gzip(&rig.path("x.log.1.gz"), text(0, 1000).as_bytes());
        } else {
            rig.copy("x.log", "x.log.1");
        }
        rig.cut("x.log");
        restart(&mut rig);
        rig.tailer.poll(rig.now, &mut rig.sink);
        go_on(&mut rig);
        assert_eq!(rig.sink.lines.last(), lines(0, 1000).last(), "packed: {pack}");
    }
}

#[test]
fn an_archive_that_ends_too_early_is_waited_for_and_then_left() {
    let mut half = packed(text(0, 1000));
    half.truncate(half.len() / 2);
    let mut rig = rig(&[("x.log.1.gz", half), ("x.log", text(1000, 1010).into())]);
    rig.poll();
    assert!(rig.tailer.is_behind(LOG), "it may be being packed");
    rig.wait(6);
    rig.settle();
    assert!(!rig.tailer.is_behind(LOG));
    assert_eq!(rig.sink.lines.last(), lines(0, 1010).last());
}

#[test]
fn holes_count_as_read() {
    let content = [
        text(0, 10).into_bytes(),
        vec![0; 50_000],
        text(10, 20).into_bytes(),
    ]
    .concat();
    let mut rig = rig(&[("x.log", content.clone())]);
    let mut before = 0;
    while rig.tailer.gone_over() < content.len() as u64 {
        rig.tailer.poll(rig.now, &mut rig.sink);
        assert!(rig.tailer.gone_over() > before, "it stands still");
        before = rig.tailer.gone_over();
    }
    rig.expect_lines(20);
}
