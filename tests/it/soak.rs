//! T67: a log of 20,000 lines a second under every kind of rotation, for as long as asked (`tests/soak --minutes N`; some
//! seconds in the suite). Counters are exact in the end, and neither memory nor descriptors have grown.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::crash::writer::{Truth, Writer};
use crate::crash::{NeverFalls, expect, read_bytes, rotated};
use crate::daemon::{Daemon, Page};

/// How long it takes in the suite.
const SECONDS: u64 = 4;

/// The writer's beat: this many lines, of which some are transitions, at each.
const BEAT: Duration = Duration::from_millis(10);
const LINES: usize = 200;

/// Time between two rotations.
const ROTATE: Duration = Duration::from_millis(1500);

/// Rotated files kept.
const KEPT: u64 = 40;

/// Every kind of rotation, in turn.
#[derive(Clone, Copy)]
enum Kind {
    Rename,
    CopyTruncate,
    Delete,
    RenameDated,
    RenamePacked,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::Rename,
        Self::CopyTruncate,
        Self::Delete,
        Self::RenameDated,
        Self::RenamePacked,
    ];
}

/// Makes room for `log.1`; what is older than all that is kept goes.
fn shift(log: &Path) {
    for number in (1..=KEPT).rev() {
        for packed in ["", ".gz"] {
            let name = |number| PathBuf::from(format!("{}{packed}", rotated(log, number).display()));
            // Most of them are not there.
            let _absent = if number == KEPT {
                fs::remove_file(name(number))
            } else {
                fs::rename(name(number), name(number + 1))
            };
        }
    }
}

fn rotate(writer: &mut Writer, kind: Kind, turn: usize, opened: &dyn Fn()) {
    writer.finish();
    let log = writer.log().to_owned();
    match kind {
        Kind::CopyTruncate => {
            shift(&log);
            fs::copy(&log, rotated(&log, 1)).unwrap();
            return writer.truncate();
        }
        Kind::Delete => {
            // Where the program is so far behind that it never saw the file, its bytes could not be read by anybody.
            opened();
            fs::remove_file(&log).unwrap();
        }
        Kind::Rename => {
            shift(&log);
            fs::rename(&log, rotated(&log, 1)).unwrap();
        }
        Kind::RenameDated => {
            let dated = format!("{}.2026-03-02-{:06}", log.display(), turn);
            fs::rename(&log, dated).unwrap();
            // Of these one is kept.
            let before = format!(
                "{}.2026-03-02-{:06}",
                log.display(),
                turn.saturating_sub(Kind::ALL.len())
            );
            let _first = fs::remove_file(before);
        }
        Kind::RenamePacked => {
            shift(&log);
            let first = rotated(&log, 1);
            fs::rename(&log, &first).unwrap();
            writer.reopen();
            let packed = fs::File::create(format!("{}.gz", first.display())).unwrap();
            let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
            packed.write_all(&fs::read(&first).unwrap()).unwrap();
            packed.finish().unwrap();
            return fs::remove_file(first).unwrap();
        }
    }
    writer.reopen();
}

/// A writer at work.
type Writing = JoinHandle<(Truth, usize)>;

/// Writes and rotates until told to stop; gives what was written, and how many lines.
fn write_on(mut writer: Writer, daemon: Arc<Daemon>, stopped: Receiver<()>) -> Writing {
    std::thread::spawn(move || {
        let (began, mut beats, mut turn, mut before) = (Instant::now(), 0_u32, 0, 0);
        loop {
            let next = began + BEAT * beats;
            let wait = next.saturating_duration_since(Instant::now());
            if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                writer.finish();
                return (writer.truth, beats as usize * LINES);
            }
            beats += 1;
            writer.append_with_noise(LINES);
            if began.elapsed() >= ROTATE * u32::try_from(turn + 1).unwrap() {
                // Files are read in order: with more read than was written before this one, it is open.
                let opened = || {
                    daemon.scrape_until(|_| {}, |page| read_bytes(page) > before);
                };
                rotate(&mut writer, Kind::ALL[turn % Kind::ALL.len()], turn, &opened);
                before = writer.truth.bytes;
                turn += 1;
            }
        }
    })
}

/// Memory and descriptors at one moment.
#[derive(Debug, Clone, Copy)]
struct Sample {
    bytes: u64,
    descriptors: u64,
}

impl Sample {
    fn of(page: &Page) -> Self {
        Self {
            bytes: page["process_resident_memory_bytes"],
            descriptors: page["process_open_fds"],
        }
    }
}

/// The middle one of a part of the samples.
fn median(samples: &[Sample], of: fn(&Sample) -> u64) -> u64 {
    let mut values: Vec<u64> = samples.iter().map(of).collect();
    values.sort_unstable();
    values[values.len() / 2]
}

fn start() -> (tempfile::TempDir, Arc<Daemon>, Sender<()>, Writing) {
    let dir = tempfile::tempdir().unwrap();
    let (logs, state) = (dir.path().join("logs"), dir.path().join("state"));
    let writer = Writer::new(&logs, 11);
    let daemon = Arc::new(Daemon::start(&logs, &state));
    let (stop, stopped) = channel();
    let writing = write_on(writer, Arc::clone(&daemon), stopped);
    (dir, daemon, stop, writing)
}

#[test]
fn t67_under_load_and_every_rotation_counters_are_exact_and_nothing_grows() {
    let seconds = std::env::var("FLINKTAIL_SOAK_SECONDS").map_or(SECONDS, |seconds| seconds.parse().unwrap());
    let (_dir, daemon, stop, writing) = start();
    let (began, length) = (Instant::now(), Duration::from_secs(seconds));
    let every = (length / 120).max(Duration::from_millis(100));
    let (mut falls, mut samples, (_never, ticks)) = (NeverFalls::default(), Vec::new(), channel::<()>());
    while began.elapsed() < length {
        let page = daemon.scrape();
        falls.check(&page);
        samples.push(Sample::of(&page));
        if samples.len() % 10 == 0 {
            println!("{:?}: {:?}", began.elapsed(), samples.last());
        }
        // Nobody sends: this is the wait between two samples.
        let _waited = ticks.recv_timeout(every);
    }
    stop.send(()).unwrap();
    let (truth, lines) = writing.join().unwrap();
    let page = daemon.scrape_until(|page| falls.check(page), |page| read_bytes(page) >= truth.bytes);
    println!("{lines} lines in {:?}: {truth:?}", began.elapsed());
    expect(&page, &truth);
    let (early, late) = samples[samples.len() / 3..].split_at(samples.len() / 3);
    let (before, after) = (median(early, |s| s.bytes), median(late, |s| s.bytes));
    println!("resident: {before}, then {after} bytes");
    assert!(
        after < before + before / 10 + (4 << 20),
        "memory grew from {before} to {after} bytes"
    );
    let most = late.iter().map(|sample| sample.descriptors).max().unwrap();
    let few = median(early, |s| s.descriptors);
    assert!(most <= few + 32, "descriptors grew from {few} to {most}");
}
