//! Several long logs, read ahead by helpers while others have their turn.

use super::*;

const LOGS: usize = 6;

/// More than a turn of each log, in pieces that are read ahead.
fn long() -> Settings {
    Settings {
        chunk: 8 << 10,
        log_budget: 32 << 10,
        pass_budget: 64 << 10,
        ..settings()
    }
}

/// With a name of its own: numbers would be taken for the files of one log.
fn name(log: usize) -> String {
    format!("{}.log", ["a", "b", "c", "d", "e", "f"][log])
}

fn line(log: usize, number: usize) -> String {
    format!("T{number} what log {log} says in its line {number}")
}

fn content(log: usize, lines: usize) -> String {
    (0..lines).map(|number| line(log, number) + "\n").collect()
}

fn rig(lines: usize) -> Rig {
    let rig = Rig::with(tempfile::tempdir().unwrap(), &["*.log"], long(), Arc::new(OsFs));
    for log in 0..LOGS {
        rig.append(&name(log), content(log, lines));
    }
    rig
}

/// What was given of one log.
fn given(rig: &Rig, log: usize) -> Vec<&String> {
    let whose = format!("log {log} ");
    rig.sink
        .lines
        .iter()
        .filter(|line| line.contains(&whose))
        .collect()
}

#[test]
fn every_line_of_several_long_logs_is_given_once_and_in_order() {
    let lines = 3000;
    let mut rig = rig(lines);
    rig.poll();
    for log in 0..LOGS {
        let expected: Vec<String> = (0..lines).map(|number| line(log, number)).collect();
        assert_eq!(given(&rig, log), expected.iter().collect::<Vec<_>>());
    }
    assert_eq!(rig.sink.lines.len(), LOGS * lines);
}

#[test]
fn of_a_log_that_is_cut_before_its_turn_comes_nothing_is_given_that_is_gone() {
    let mut rig = rig(3000);
    // The first logs have their turn; others are read ahead.
    rig.now += Duration::from_millis(10);
    assert!(rig.tailer.poll(rig.now, &mut rig.sink).more);
    let waiting: Vec<usize> = (0..LOGS).filter(|log| given(&rig, *log).is_empty()).collect();
    assert!(!waiting.is_empty());
    for log in &waiting {
        rig.cut(&name(*log));
        rig.append(&name(*log), format!("T9 now log {log} is short\n"));
    }
    rig.settle();
    for log in waiting {
        assert_eq!(given(&rig, log), [&format!("T9 now log {log} is short")]);
    }
}

#[test]
fn what_a_log_gains_while_it_waits_is_read_with_the_rest() {
    let mut rig = rig(2000);
    rig.now += Duration::from_millis(10);
    assert!(rig.tailer.poll(rig.now, &mut rig.sink).more);
    for log in 0..LOGS {
        rig.append(&name(log), format!("T9 log {log} goes on\n"));
    }
    rig.settle();
    for log in 0..LOGS {
        assert_eq!(given(&rig, log).len(), 2001);
        assert_eq!(given(&rig, log)[2000], &format!("T9 log {log} goes on"));
    }
}

#[test]
fn a_log_that_is_a_little_longer_than_a_turn_is_read_in_one() {
    for (over, is_read) in [(0, true), (4 << 10, true), (12 << 10, false)] {
        let dir = tempfile::tempdir().unwrap();
        let lines = (long().log_budget + over) / content(0, 1000).len().div_ceil(1000);
        for log in 0..LOGS {
            std::fs::write(dir.path().join(name(log)), content(log, lines)).unwrap();
        }
        let mut rig = Rig::with(dir, &["*.log"], long(), Arc::new(OsFs));
        rig.now += Duration::from_millis(10);
        assert!(rig.tailer.poll(rig.now, &mut rig.sink).more);
        assert_eq!(rig.tailer.logs(), LOGS);
        assert_eq!(given(&rig, 0).len() == lines, is_read, "{over} more");
        assert!(given(&rig, LOGS - 1).is_empty(), "it is not its turn");
    }
}
