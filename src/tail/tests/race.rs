//! A writer that never waits, against passes that never wait: no order of steps is arranged.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// Writes lines and rotates after each batch by `rotate`, which is given the current file and the rotation's number.
fn race(rotations: u32, rotate: impl Fn(&Path, u32) + Send + 'static) -> (Vec<String>, u32, SourceStats) {
    const BATCH: u32 = 200;
    let mut rig = Rig::new(&["x.log"]);
    let path = rig.path("x.log");
    rig.append("x.log", "");
    rig.poll();
    let over = Arc::new(AtomicBool::new(false));
    let said = Arc::clone(&over);
    let writer = std::thread::spawn(move || {
        for rotation in 0..rotations {
            for part in 0..10 {
                let from = rotation * BATCH + part * (BATCH / 10);
                append(&path, text(from, from + BATCH / 10).as_bytes());
            }
            rotate(&path, rotation);
        }
        said.store(true, Ordering::Release);
    });
    while !over.load(Ordering::Acquire) {
        rig.poll();
    }
    writer.join().unwrap();
    for _ in 0..5 {
        rig.wait(10);
    }
    let stats = rig.stats();
    (rig.sink.lines, rotations * BATCH, stats)
}

#[test]
fn t02_renames_as_fast_as_they_go() {
    let (got, written, stats) = race(200, |path, rotation| {
        fs::rename(path, path.with_extension(format!("log.{}", rotation + 1))).unwrap();
        append(path, b"");
    });
    assert_eq!(got.len(), written as usize);
    assert!(got == lines(0, written), "out of order");
    assert_eq!(stats.rotations.get(&Rotation::Rename), Some(&200));
    assert!(stats.lost_bytes.is_empty());
}

#[test]
fn t02_renames_that_shift_every_number_as_fast_as_they_go() {
    let (got, written, stats) = race(60, |path, rotation| {
        for n in (1..=rotation).rev() {
            let name = |n| path.with_extension(format!("log.{n}"));
            fs::rename(name(n), name(n + 1)).unwrap();
        }
        fs::rename(path, path.with_extension("log.1")).unwrap();
        append(path, b"");
    });
    assert_eq!(got.len(), written as usize);
    assert!(got == lines(0, written), "out of order");
    assert!(stats.lost_bytes.is_empty());
}

#[test]
fn t06_copytruncates_as_fast_as_they_go() {
    let (mut got, written, stats) = race(200, |path, rotation| {
        fs::copy(path, path.with_extension(format!("log.{}", rotation + 1))).unwrap();
        fs::OpenOptions::new()
            .write(true)
            .open(path)
            .unwrap()
            .set_len(0)
            .unwrap();
    });
    // A copy made and left behind between a look at the directory and the read that follows comes late: only that each
    // line comes once holds at any speed.
    got.sort();
    assert_eq!(got.len(), written as usize);
    assert!(got == lines(0, written));
    assert!(stats.lost_bytes.is_empty());
}
