//! What is written is what is read, whatever happens in between: T45, T47 to T52.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, iter};

use jiff::Timestamp;

mod entities;
mod failing;
mod views;

use self::entities::fleet_of_every_kind;
use super::schema::{self, FILE};
use super::{Bounds, DirLock, Found, LogState, Progress, Saved, Store, StoreError, Unwritten, stories};
use crate::line::{JobId, LogId};
use crate::model::event::{Cause, Event, RestartReason, Said, Seen};
use crate::model::flink_job::JobState;
use crate::model::{Fleet, LogContext};
use crate::pipeline::Memory;
use crate::stats::{Lost, Op, Rotation, SourceStats};
use crate::tail::Position;
use crate::tail::birth::Birth;
use crate::tail::identity::{FileId, Place};
use crate::tail::marks::Marks;

const LOG: LogId = LogId(3);

const PAGE: usize = schema::PAGE as usize;

fn second(at: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + at).unwrap()
}

fn tell(fleet: &mut Fleet, at: i64, said: Said) {
    let seen = Seen {
        log: LOG,
        offset: u64::try_from(at).unwrap(),
        at: Some(second(at)),
        mdc_job: None,
        carrier: None,
        said,
    };
    fleet.apply(&seen, second(at));
}

fn transition(fleet: &mut Fleet, at: i64, job: u8, from: JobState, to: JobState) {
    let event = Event::JobTransition {
        job: JobId([job; 16]),
        name: "or\nders \"x\"".into(),
        from,
        to,
    };
    tell(fleet, at, Said::Event(event));
}

fn fleet(limit: usize) -> Fleet {
    let mut fleet = Fleet::with_limit(limit);
    let cluster = Arc::from("prod/1");
    fleet.open_log(LOG, LogContext { cluster });
    fleet
}

/// A fleet that has something in every place where something can be.
fn full_fleet() -> Fleet {
    use JobState::{Canceled, Cancelling, Created, Failed, Failing, Restarting, Running};
    let mut fleet = fleet(100);
    let begin = Event::ProcessStarted {
        entrypoint: "E".to_owned(),
        version: "1.20.1".to_owned(),
    };
    tell(&mut fleet, 0, Said::Event(begin));
    transition(&mut fleet, 1, 1, Created, Running);
    transition(&mut fleet, 2, 1, Running, Restarting);
    transition(&mut fleet, 3, 1, Restarting, Running);
    transition(&mut fleet, 4, 2, Created, Running);
    transition(&mut fleet, 5, 2, Running, Failing);
    let cause = Cause {
        class: "java.lang.RuntimeException".to_owned(),
        message: "über".to_owned(),
    };
    tell(&mut fleet, 5, Said::Cause(cause.clone()));
    transition(&mut fleet, 6, 2, Failing, Failed);
    let graph = Event::GraphCreated {
        job: JobId([3; 16]),
        graph: JobId([9; 16]),
    };
    transition(&mut fleet, 7, 3, Created, Running);
    tell(&mut fleet, 7, Said::Event(graph));
    let adaptive = Some(JobId([3; 16]));
    tell(&mut fleet, 8, Said::Event(Event::AdaptiveSeen { job: adaptive }));
    transition(&mut fleet, 9, 3, Running, Cancelling);
    transition(&mut fleet, 10, 3, Cancelling, Canceled);
    let restart = Event::AdaptiveRestart {
        reason: RestartReason::Rescale,
        job: None,
    };
    tell(&mut fleet, 11, Said::Event(restart));
    tell(&mut fleet, 11, Said::Cause(cause.clone()));
    tell(&mut fleet, 12, Said::Event(Event::GlobalFailure));
    tell(&mut fleet, 12, Said::Cause(cause));
    fleet
}

fn progress(offset: u64) -> Progress {
    let numbers = SourceStats {
        name: "/log/x.log".into(),
        cluster: "prod/1".into(),
        read_bytes: offset,
        lost_bytes: [(Lost::Truncated, 7)].into(),
        rotations: [(Rotation::Rename, 2)].into(),
        errors: [(Op::Read, 1)].into(),
        ..SourceStats::default()
    };
    let mut memory = Memory::default();
    memory.carry = b"2026 \xff a record that may go on\n".to_vec();
    let position = |dev, done| Position {
        log: "/log/x.log".to_owned(),
        id: FileId { dev, ino: u64::MAX },
        born: Birth::of_nanoseconds(7),
        place: Place {
            offset,
            head: crate::tail::identity::Head::of(b"a head"),
            anchor: vec![0xff, 0, 10],
            marks: Marks::of_bytes(&[1; 32]),
        },
        size: offset + 1,
        written: second(5),
        done,
    };
    Progress {
        logs: vec![LogState {
            id: LOG,
            numbers,
            memory,
        }],
        positions: vec![position(1, true), position(2, false)],
        rule_matches: [("a".to_owned(), offset), ("b".to_owned(), 0)].into(),
        unknown_states: 5,
        unpublished: offset > 5,
        failures: [(
            "/log/closed".to_owned(),
            [(Op::List, 2), (Op::Stat, offset)].into(),
        )]
        .into(),
    }
}

/// What a store gives must be what was put in.
fn expect(saved: &Saved, fleet: &Fleet, progress: &Progress) {
    let kept: Vec<_> = saved.left.jobs.iter().collect();
    assert_eq!(kept, fleet.jobs().collect::<Vec<_>>());
    let left = &saved.left;
    assert!(left.applications.iter().eq(fleet.applications()));
    assert!(left.platform_jobs.iter().eq(fleet.platform_jobs()));
    assert!(left.deployments.iter().eq(fleet.deployments()));
    assert_eq!(&saved.left.processes, fleet.processes());
    assert_eq!(&saved.left.counters, fleet.counters());
    let mut kept = saved.progress.clone();
    for log in &mut kept.logs {
        // Counted by the decoder, and shown from there.
        log.numbers.records = Default::default();
    }
    assert_eq!(&kept, progress);
}

fn open(dir: &Path) -> (Store, Saved) {
    let (store, saved, found) = Store::open(dir).unwrap();
    assert!(!matches!(found, Found::Damaged(..)), "{found:?}");
    (store, saved)
}

#[test]
fn what_is_committed_is_what_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, saved) = open(dir.path());
    assert_eq!((saved.left.jobs.len(), saved.progress), (0, Progress::default()));
    let mut fleet = full_fleet();
    store.commit(&mut fleet, &progress(10), second(20)).unwrap();
    expect(&open(dir.path()).1, &fleet, &progress(10));
    transition(&mut fleet, 30, 1, JobState::Running, JobState::Finished);
    let mut later = progress(11);
    later.positions.remove(0);
    store.commit(&mut fleet, &later, second(31)).unwrap();
    let (mut store, saved) = open(dir.path());
    expect(&saved, &fleet, &later);
    let mut restored = Fleet::restore(100, saved.left);
    for fleet in [&mut fleet, &mut restored] {
        transition(fleet, 40, 3, JobState::Created, JobState::Running);
        transition(fleet, 41, 1, JobState::Created, JobState::Running);
    }
    assert_eq!(
        fleet.jobs().collect::<Vec<_>>(),
        restored.jobs().collect::<Vec<_>>()
    );
    store.commit(&mut restored, &later, second(42)).unwrap();
    expect(&open(dir.path()).1, &fleet, &later);
}

#[test]
fn files_are_for_their_owner_alone_and_links_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let _lock = DirLock::take(&state).unwrap();
    let (mut store, _) = open(&state);
    store.commit(&mut full_fleet(), &progress(1), second(1)).unwrap();
    assert_eq!(fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o700);
    for file in fs::read_dir(&state).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?}", file.file_name());
    }
    let other = dir.path().join("other");
    fs::create_dir(&other).unwrap();
    std::os::unix::fs::symlink(state.join(FILE), other.join(FILE)).unwrap();
    assert!(Store::open(&other).is_err());
}

/// What a kill leaves of a commit: every beginning of the write-ahead log, since that is written from front to back and
/// the database itself only once all of it is on the disk.
#[test]
fn t45_killed_at_any_byte_of_a_commit_the_old_or_the_new_state_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let mut fleet = full_fleet();
    let (mut store, _) = open(dir.path());
    store.commit(&mut fleet, &progress(1), second(1)).unwrap();
    drop(store);
    let (mut store, old) = open(dir.path());
    transition(&mut fleet, 30, 1, JobState::Running, JobState::Restarting);
    store.commit(&mut fleet, &progress(2), second(2)).unwrap();
    let database = fs::read(dir.path().join(FILE)).unwrap();
    let log = fs::read(dir.path().join(format!("{FILE}-wal"))).unwrap();
    assert!(log.len() > PAGE);
    let mut states = Vec::new();
    for end in (0..log.len()).step_by(509).chain([log.len() - 1, log.len()]) {
        let crashed = tempfile::tempdir().unwrap();
        fs::write(crashed.path().join(FILE), &database).unwrap();
        fs::write(crashed.path().join(format!("{FILE}-wal")), &log[..end]).unwrap();
        let saved = open(crashed.path()).1;
        let offset = saved.progress.positions[0].place.offset;
        match offset {
            1 => assert_eq!(saved.left.jobs, old.left.jobs),
            _ => expect(&saved, &fleet, &progress(2)),
        }
        states.push(offset);
    }
    assert!(
        states.is_sorted() && states[0] == 1 && states.ends_with(&[2]),
        "{states:?}"
    );
}

#[test]
fn t50_what_a_full_disk_refuses_is_written_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(dir.path());
    let mut fleet = full_fleet();
    store.commit(&mut fleet, &progress(1), second(1)).unwrap();
    // The way in which SQLite itself is told that there is no more room.
    let pages: i64 = store
        .connection
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    store
        .connection
        .pragma_update(None, "max_page_count", pages)
        .unwrap();
    for at in 0..2_000 {
        let (from, to) = (JobState::Running, JobState::Restarting);
        let (from, to) = if at % 2 == 0 { (from, to) } else { (to, from) };
        transition(&mut fleet, 100 + at, 1, from, to);
    }
    let full = store.commit(&mut fleet, &progress(2), second(2));
    assert!(
        matches!(&full, Err(error) if error.to_string().contains("full")),
        "{full:?}"
    );
    drop(store);
    assert_eq!(open(dir.path()).1.progress.positions, progress(1).positions);
    let (mut store, _) = Store::reopen(dir.path(), &mut Unwritten::default()).unwrap();
    store.commit(&mut fleet, &progress(3), second(3)).unwrap();
    expect(&open(dir.path()).1, &fleet, &progress(3));
}

#[test]
fn t47_a_damaged_store_is_set_aside_and_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    let (mut store, _) = open(dir.path());
    store.commit(&mut full_fleet(), &progress(1), second(1)).unwrap();
    drop(store);
    let whole = fs::read(&path).unwrap();
    let index: u32 = rusqlite::Connection::open(&path)
        .unwrap()
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'job_stretch_written'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let with_bad_page = |page: usize| {
        let mut bytes = whole.clone();
        bytes[page * PAGE..][..PAGE].fill(0xa5);
        bytes
    };
    let mut asides = 0;
    let damages: [(&str, Vec<u8>); 5] = [
        ("all NUL", vec![0; whole.len()]),
        (
            "text",
            b"this is no database, and it is longer than its header is".repeat(4),
        ),
        ("half of it", whole[..whole.len() / 2].to_vec()),
        ("a bad page", with_bad_page(whole.len() / 2 / PAGE)),
        (
            "a bad page of an index, which nothing reads",
            with_bad_page(index as usize - 1),
        ),
    ];
    for (what, bytes) in damages {
        fs::write(&path, &bytes).unwrap();
        let (mut store, saved, found) = Store::open(dir.path()).unwrap();
        let Found::Damaged(aside, _) = found else {
            panic!("{what}: {found:?}")
        };
        asides += 1;
        assert!(aside.to_string_lossy().ends_with(&format!(".corrupt-{asides}")));
        assert!(fs::read(aside).unwrap() == bytes, "{what}: kept as it was");
        assert_eq!(saved.left.jobs.len(), 0, "{what}");
        store.commit(&mut full_fleet(), &progress(1), second(1)).unwrap();
        drop(store);
        assert_eq!(open(dir.path()).1.left.jobs.len(), 3, "{what}");
    }
    // A row that makes no sense is damage too, though every page is fine.
    let spoil = rusqlite::Connection::open(&path).unwrap();
    spoil.execute("UPDATE job SET row = '{}'", []).unwrap();
    drop(spoil);
    assert!(matches!(Store::open(dir.path()).unwrap().2, Found::Damaged(..)));
    fs::write(&path, []).unwrap();
    assert_eq!(
        Store::open(dir.path()).unwrap().2,
        Found::New,
        "killed before its first commit"
    );
}

#[test]
fn t48_a_store_of_a_later_release_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let path = dir.path().join(FILE);
    let later = rusqlite::Connection::open(&path).unwrap();
    later.pragma_update(None, "user_version", 99).unwrap();
    drop(later);
    let before = fs::read(&path).unwrap();
    assert!(matches!(
        Store::open(dir.path()),
        Err(StoreError::Newer { version: 99 })
    ));
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// `BLESS=1` writes the database of the present version where there is none yet; one that was released never changes.
#[test]
fn t49_a_store_of_every_version_is_read() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store");
    for version in 1..=schema::VERSION {
        let dir = tempfile::tempdir().unwrap();
        let fixture = kept.join(format!("v{version}.db"));
        if std::env::var_os("BLESS").is_some() && !fixture.exists() {
            let (mut store, _) = open(dir.path());
            store
                .commit(&mut fleet_of_every_kind(), &progress(10), second(20))
                .unwrap();
            let into = fixture.to_str().unwrap();
            store.connection.execute("VACUUM INTO ?", [into]).unwrap();
        }
        fs::copy(&fixture, dir.path().join(FILE)).unwrap();
        let saved = open(dir.path()).1;
        let of_log = saved.left.jobs.iter().filter(|job| &*job.cluster == "prod/1");
        let jobs: Vec<_> = of_log.map(|job| (job.id.0[0], job.state)).collect();
        let states = [JobState::Running, JobState::Failed, JobState::Cancelling];
        assert_eq!(jobs, [(1, states[0]), (2, states[1]), (3, states[2])]);
        let first = saved
            .left
            .jobs
            .iter()
            .position(|job| &*job.cluster == "prod/1")
            .unwrap();
        let jobs = &saved.left.jobs[first..];
        assert_eq!(jobs[1].failure.as_ref().unwrap().cause.message, "über");
        assert_eq!(jobs[0].history.len(), 3);
        let others = &saved.left;
        let others = [
            others.applications.len(),
            others.platform_jobs.len(),
            others.deployments.len(),
        ];
        assert_eq!(others, if version == 1 { [0; 3] } else { [1; 3] });
        assert_eq!(
            saved.left.processes[&(LOG, Arc::from("prod/1"))]
                .version
                .as_deref(),
            Some("1.20.1")
        );
        let mut positions = progress(10).positions;
        if version < 3 {
            for position in &mut positions {
                position.place.marks = Marks::default();
                position.written = Timestamp::UNIX_EPOCH;
            }
        }
        if version < 4 {
            for position in &mut positions {
                position.born = Birth::UNKNOWN;
            }
        }
        assert_eq!(saved.progress.positions, positions);
        assert_eq!(saved.progress.logs[0].memory, progress(10).logs[0].memory);
        let running = saved.left.counters.entered[JobState::Running as usize];
        assert_eq!(running, if version == 1 { 4 } else { 5 });
    }
}

#[test]
fn t51_a_directory_deleted_under_it_is_noticed_and_all_is_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let (mut store, _) = open(&state);
    let mut fleet = full_fleet();
    store.commit(&mut fleet, &progress(1), second(1)).unwrap();
    fs::remove_dir_all(&state).unwrap();
    let gone = store.commit(&mut fleet, &progress(2), second(2));
    assert!(matches!(gone, Err(StoreError::Gone)), "{gone:?}");
    let (mut store, found) = Store::reopen(&state, &mut Unwritten::default()).unwrap();
    assert_eq!(found, Found::New);
    store.commit(&mut fleet, &progress(3), second(3)).unwrap();
    expect(&open(&state).1, &fleet, &progress(3));
}

#[test]
fn t51_another_directory_put_in_its_place_is_noticed_and_all_is_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let [state, backup] = ["state", "backup"].map(|name| dir.path().join(name));
    let mut fleet = full_fleet();
    for at in [&backup, &state] {
        let (mut store, _) = open(at);
        store.commit(&mut fleet, &progress(1), second(1)).unwrap();
    }
    let (mut store, _) = open(&state);
    fs::rename(&state, dir.path().join("away")).unwrap();
    fs::rename(&backup, &state).unwrap();
    transition(&mut fleet, 30, 1, JobState::Running, JobState::Restarting);
    let gone = store.commit(&mut fleet, &progress(2), second(2));
    assert!(matches!(gone, Err(StoreError::Gone)), "{gone:?}");
    let (mut store, _) = Store::reopen(&state, &mut Unwritten::default()).unwrap();
    store.commit(&mut fleet, &progress(3), second(3)).unwrap();
    expect(&open(&state).1, &fleet, &progress(3));
}

#[test]
fn t52_a_second_instance_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let lock = DirLock::take(dir.path()).unwrap();
    let refused = DirLock::take(dir.path()).unwrap_err().to_string();
    assert!(refused.contains("in use by another flinktail"), "{refused}");
    drop(lock);
    DirLock::take(dir.path()).unwrap();
}

#[test]
fn a_job_that_returns_after_its_eviction_goes_on_from_its_counters() {
    use JobState::{Created, Finished, Running};
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(dir.path());
    let mut fleet = fleet(1);
    let mut at = 0;
    let mut live = |fleet: &mut Fleet, job| {
        transition(fleet, at, job, Created, Running);
        transition(fleet, at + 1, job, Running, Finished);
        at += 2;
    };
    // Committed after each life, and after several.
    for (lives, commit) in [(1_u64, true), (2, true), (3, false), (4, false), (5, true)] {
        live(&mut fleet, 1);
        if commit {
            store
                .commit(&mut fleet, &Progress::default(), second(100))
                .unwrap();
            let job = fleet.jobs().next().unwrap();
            assert_eq!(job.entered[Finished as usize], lives, "{lives}");
            assert_eq!(job.entries(), 2 * lives, "{lives}");
        }
        if lives < 3 {
            live(&mut fleet, 2);
            store
                .commit(&mut fleet, &Progress::default(), second(100))
                .unwrap();
        }
    }
    assert_eq!(open(dir.path()).1.left.jobs.len(), 1);
    let told = stories(dir.path(), Some("or\nders \"x\"")).unwrap();
    assert_eq!(
        told.jobs.iter().map(|job| job.history.len()).collect::<Vec<_>>(),
        [10, 4]
    );
    assert_eq!(stories(dir.path(), Some("0202")).unwrap().jobs.len(), 1);
    assert!(stories(dir.path(), Some("3")).unwrap().is_empty());
}

#[test]
fn history_is_bounded_by_age_and_by_size_and_jobs_survive_it() {
    let day = 86_400;
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(dir.path());
    let mut fleet = fleet(10);
    for at in 0..40 {
        let (from, to) = [
            (JobState::Running, JobState::Restarting),
            (JobState::Restarting, JobState::Running),
        ][usize::try_from(at % 2).unwrap()];
        transition(&mut fleet, at * day, 1, from, to);
        store
            .commit(&mut fleet, &Progress::default(), second(at * day))
            .unwrap();
    }
    let bounds = |days: u64, bytes| Bounds {
        age: Some(Duration::from_secs(days * 86_400)),
        bytes,
    };
    let kept = || {
        let job = stories(dir.path(), None).unwrap().jobs.remove(0);
        assert_eq!(job.entries(), 40);
        job.history.len()
    };
    assert!(
        !store
            .tidy(bounds(100, 1 << 30), iter::empty(), second(40 * day))
            .unwrap()
    );
    assert_eq!(kept(), 40);
    store
        .tidy(bounds(10, 1 << 30), iter::empty(), second(40 * day))
        .unwrap();
    assert_eq!(kept(), 10);
    store
        .tidy(bounds(100, 1), iter::empty(), second(40 * day))
        .unwrap();
    assert_eq!(kept(), 1, "the last entry says that the job was born");
    let saved = open(dir.path()).1;
    assert_eq!(saved.left.jobs[0].state, JobState::Running);
    assert_eq!(saved.left.jobs[0].restarts_for(RestartReason::Failure), 20);
}
