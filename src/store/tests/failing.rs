//! What a store that fails could not write, and the one that is opened after it.

use super::*;

#[test]
fn t51_jobs_evicted_and_back_in_commits_that_fail_keep_their_counters_and_are_given_them_once() {
    use JobState::{Created, Finished, Restarting, Running};
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(dir.path());
    let mut fleet = fleet(1);
    let restarts = |fleet: &Fleet| fleet.jobs().next().unwrap().restarts.iter().sum::<u64>();
    for (job, at) in [(1, 0), (2, 10)] {
        transition(&mut fleet, at + 1, job, Created, Running);
        transition(&mut fleet, at + 2, job, Running, Restarting);
        transition(&mut fleet, at + 3, job, Restarting, Running);
        transition(&mut fleet, at + 4, job, Running, Finished);
        store.commit(&mut fleet, &progress(1), second(at)).unwrap();
    }
    // Job 1 was evicted with one restart; it comes back, and job 2 is evicted.
    transition(&mut fleet, 21, 1, Created, Running);
    let other = rusqlite::Connection::open(dir.path().join(FILE)).unwrap();
    for at in 21..23 {
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        store.commit(&mut fleet, &progress(1), second(at)).unwrap_err();
        other.execute_batch("ROLLBACK").unwrap();
        store = Store::reopen(dir.path(), &mut store.into_unwritten()).unwrap().0;
    }
    store.commit(&mut fleet, &progress(1), second(23)).unwrap();
    assert_eq!(restarts(&fleet), 1, "job 1");
    transition(&mut fleet, 24, 1, Running, Finished);
    store.commit(&mut fleet, &progress(1), second(24)).unwrap();
    transition(&mut fleet, 25, 2, Created, Running);
    store.commit(&mut fleet, &progress(1), second(25)).unwrap();
    assert_eq!(restarts(&fleet), 1, "job 2");
}

#[test]
fn what_cannot_be_written_is_read_whatever_its_directory_is_called() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("a?mode=rw#c %41 \"ü\"");
    let (mut store, _) = open(&state);
    let mut fleet = full_fleet();
    store.commit(&mut fleet, &progress(1), second(1)).unwrap();
    // As a kill leaves it: what was committed is in the log.
    let copy = dir.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for name in [FILE.to_owned(), format!("{FILE}-wal")] {
        fs::copy(state.join(&name), copy.join(&name)).unwrap();
    }
    drop(store);
    for dir in [state, copy] {
        expect(&Store::read_alone(&dir).unwrap(), &fleet, &progress(1));
    }
}
