//! How the bytes came changes nothing: the recorded runs cut into any reads, and grown and rotated as Flink did it.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use flinktail::app::engine::Engine;
use flinktail::app::{SourceSettings, wording};
use flinktail::expose::api;
use flinktail::line::LogId;
use flinktail::model::event::Seen;
use flinktail::pipeline::{self, LogDecoder, LogSettings, ReadAt, Wording};
use flinktail::tail::{self, Tailer};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::Value;

use crate::runs::{self, Run, unpack};

static WORDING: LazyLock<Arc<Wording>> = LazyLock::new(|| Arc::new(wording(None).unwrap()));

/// A run's files, oldest content first, and how Flink numbers what it rotates.
struct Story {
    name: String,
    files: Vec<String>,
    numbering: Numbering,
    zone: TimeZone,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbering {
    /// Up to 1.11 `.1` is the newest (the shell's `rotateFiles`): all files are renamed at each rotation.
    NewestFirst,
    /// From 1.12 on `.1` is the oldest (log4j 2, `fileIndex = nomax`).
    OldestFirst,
}

impl Story {
    fn of(run: &Run) -> Self {
        let minor = run.truth.flink_version.split('.').nth(1).unwrap();
        let old = run.truth.flink_version.starts_with("1.") && minor.parse::<u32>().unwrap() < 12;
        let mut files: Vec<(String, String)> = run.logs.iter().map(|log| unpack(log)).collect();
        // `jobmanager.log.gz` sorts after `jobmanager.log.1.gz`, and is the newest of all.
        let current = files.pop().unwrap();
        if old {
            files.reverse();
        }
        files.push(current);
        Self {
            name: run.name.clone(),
            files: files.into_iter().map(|(_, text)| text).collect(),
            numbering: if old {
                Numbering::NewestFirst
            } else {
                Numbering::OldestFirst
            },
            zone: TimeZone::get(&run.truth.time_zone).unwrap(),
        }
    }

    fn settings(&self) -> LogSettings {
        LogSettings {
            zone: self.zone.clone(),
            layout: None,
            line_bytes: 1 << 20,
            record_bytes: 1 << 20,
            reorder_window: jiff::SignedDuration::ZERO,
        }
    }

    /// What the records say when the files are read in pieces of these sizes, over and over.
    fn told(&self, sizes: &[usize]) -> Vec<Seen> {
        let mut decoder = LogDecoder::new(Arc::clone(&WORDING), LogId(0), self.settings());
        let mut told = Vec::new();
        let mut sizes = sizes.iter().cycle();
        for file in &self.files {
            let mut offset = 0;
            while offset < file.len() {
                let size = (*sizes.next().unwrap()).min(file.len() - offset);
                let at = ReadAt {
                    offset: offset as u64,
                    now: now(),
                    written: now(),
                    fresh: false,
                };
                decoder.push(&file.as_bytes()[offset..offset + size], None, at, &mut |seen| {
                    told.push(seen);
                });
                offset += size;
            }
            decoder.file_end(now(), &mut |seen| told.push(seen));
        }
        told
    }
}

/// Later than all records, so that a reading clock that slips into a history shows.
fn now() -> Timestamp {
    "2027-01-01T00:00:00Z".parse().unwrap()
}

static STORIES: LazyLock<Vec<Story>> = LazyLock::new(|| runs::all().iter().map(Story::of).collect());

/// What the records of each story say when each file is read at once.
static WHOLE: LazyLock<Vec<Vec<Seen>>> =
    LazyLock::new(|| STORIES.iter().map(|story| story.told(&[usize::MAX])).collect());

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    let size = prop_oneof![1_usize..80, 80_usize..4_000, 4_000_usize..200_000];
    prop::collection::vec(size, 1..24)
}

/// A story with a decoder for what the tailer reads of it.
struct Follower {
    tailer: Tailer,
    engine: Engine,
    clock: Duration,
    ready: bool,
}

impl Follower {
    fn new(story: &Story, directory: &Path) -> Self {
        let zone = story.zone.clone();
        let classify: tail::Classify = Box::new(move |head| pipeline::read_head(&WORDING, None, &zone, head));
        let beside = SourceSettings {
            cluster: None,
            log: story.settings().into(),
        };
        let source = tail::Source::new(directory.as_ref() as &OsStr, None).unwrap();
        let settings = tail::Settings::default();
        Self {
            tailer: Tailer::new(Arc::new(tail::fs::OsFs), vec![source], classify, settings, vec![]),
            engine: Engine::new(Arc::clone(&WORDING), vec![beside], 10_000),
            clock: Duration::ZERO,
            ready: false,
        }
    }

    /// One pass at a later time, as the daemon does it.
    fn poll(&mut self, later: Duration) -> bool {
        self.clock += later;
        self.engine.set_now(now());
        let outcome = self.tailer.poll(self.clock, &mut self.engine);
        if !self.ready && !outcome.more {
            self.engine.caught_up();
            self.ready = true;
        }
        outcome.more
    }

    /// Reads all there is; two passes without a hint, since one may only notice that a file came to its end.
    fn jobs(mut self) -> String {
        for _ in 0..2 {
            while self.poll(Duration::from_secs(2)) {}
        }
        api::entities_json(self.engine.fleet())
    }
}

/// Grows the files in pieces, with so many passes after each piece, and rotates them as Flink did.
fn follow(story: &Story, sizes: &[usize], passes: &[u32]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let current = directory.path().join("jobmanager.log");
    let mut follower = Follower::new(story, directory.path());
    let (mut sizes, mut passes) = (sizes.iter().cycle(), passes.iter().cycle());
    for (rotated, text) in story.files.iter().enumerate() {
        if rotated > 0 {
            rotate(directory.path(), rotated, story.numbering);
        }
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&current)
            .unwrap();
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let (piece, left) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
            file.write_all(piece).unwrap();
            rest = left;
            for _ in 0..*passes.next().unwrap() {
                follower.poll(Duration::from_millis(700));
            }
        }
    }
    follower.jobs()
}

/// Renames the current file out of the way, the `rotated`th time.
fn rotate(directory: &Path, rotated: usize, numbering: Numbering) {
    let name = |number: usize| directory.join(format!("jobmanager.log.{number}"));
    let freed = match numbering {
        Numbering::OldestFirst => name(rotated),
        Numbering::NewestFirst => {
            for number in (1..rotated).rev() {
                fs::rename(name(number), name(number + 1)).unwrap();
            }
            name(1)
        }
    };
    fs::rename(directory.join("jobmanager.log"), freed).unwrap();
}

/// The finished files, read as `replay` reads them: found in the folder and put in order.
fn replayed(story: &Story) -> String {
    let directory = tempfile::tempdir().unwrap();
    let last = story.files.len() - 1;
    for (index, text) in story.files.iter().enumerate() {
        let name = match (index == last, story.numbering) {
            (true, _) => "jobmanager.log".to_owned(),
            (false, Numbering::OldestFirst) => format!("jobmanager.log.{}", index + 1),
            (false, Numbering::NewestFirst) => format!("jobmanager.log.{}", last - index),
        };
        fs::write(directory.path().join(name), text).unwrap();
    }
    Follower::new(story, directory.path()).jobs()
}

/// The first job that two documents tell differently: as in the one, as in the other.
fn difference(one: &str, other: &str) -> Option<(Value, Value)> {
    let [one, other] = [one, other].map(|text| serde_json::from_str::<Value>(text).unwrap());
    let (one, other) = (
        one["entities"].as_array().unwrap(),
        other["entities"].as_array().unwrap(),
    );
    let first = one.iter().zip(other).find(|(one, other)| one != other);
    let shorter = one.len().min(other.len());
    let surplus = || [one.get(shorter), other.get(shorter)].map(|job| job.cloned().unwrap_or_default());
    first
        .map(|(one, other)| (one.clone(), other.clone()))
        .or_else(|| (one.len() != other.len()).then(|| surplus().into()))
}

static REPLAYED: LazyLock<Vec<String>> = LazyLock::new(|| STORIES.iter().map(replayed).collect());

#[test]
fn following_flinks_own_files_gives_the_same_histories_as_replaying_them() {
    for (story, replayed) in STORIES.iter().zip(REPLAYED.iter()) {
        assert!(replayed.contains("\"history\":[{"), "{}: no job", story.name);
        let followed = follow(story, &[30_000, 500], &[1, 2]);
        assert_eq!(difference(&followed, replayed), None, "{}", story.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_of_the_bytes_into_reads_says_the_same(index in 0_usize..7, sizes in sizes()) {
        let index = index % STORIES.len();
        let told = STORIES[index].told(&sizes);
        let whole = &WHOLE[index];
        let first = told.iter().zip(whole).find(|(told, whole)| told != whole);
        prop_assert!(first.is_none(), "{}: {:#?}", STORIES[index].name, first);
        prop_assert_eq!(told.len(), whole.len(), "{}", &STORIES[index].name);
    }

    #[test]
    fn any_interleaving_of_appends_and_passes_ends_in_the_same_model(
        index in 0_usize..7,
        sizes in sizes(),
        passes in prop::collection::vec(0_u32..3, 1..12),
    ) {
        let index = index % STORIES.len();
        let followed = follow(&STORIES[index], &sizes, &passes);
        prop_assert_eq!(difference(&followed, &REPLAYED[index]), None, "{}", &STORIES[index].name);
    }
}
