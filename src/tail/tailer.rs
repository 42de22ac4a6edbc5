//! The tailer: one pass after another, and how much of each log is read in one. What it looks at is in `look`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::ahead::Ahead;
use super::discover::{Source, Target};
use super::fs::Fs;
use super::identity::{FileId, Place, Position};
use super::log::{Log, Progress, Stage};
use super::look::Trouble;
use super::notice::Notice;
use super::pass::{Numbers, Pass};
use super::reader::LogReader;
use super::stdin::{Stdin, Taken};
use super::wake::Hints;
use super::{Classify, LogInfo, Read, STDIN, Search, Settings, Sink};
use crate::line::LogId;
use crate::stats::{Counts, Op, SourceStats};

/// What one pass came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// There is more to be read now.
    pub more: bool,
    /// When to come back at the latest, from now; a hint may make it earlier.
    pub wait: Duration,
}

/// How soon to look again at what was in doubt or under way.
const SOON: Duration = Duration::from_millis(50);

/// Follows the logs of its sources.
pub struct Tailer {
    pub(super) sources: Vec<Source>,
    pub(super) classify: Classify,
    pub(super) pass: Pass,
    pub(super) logs: BTreeMap<LogId, Box<Log>>,
    /// The logs of each directory, by what the names of their files share.
    pub(super) families: BTreeMap<Arc<Path>, BTreeMap<Arc<OsStr>, LogId>>,
    /// Which log reads a file; may name one that does so no more.
    pub(super) owners: HashMap<FileId, LogId>,
    /// Saved positions of logs not yet found, by log.
    pub(super) restored: BTreeMap<String, Vec<Position>>,
    pub(super) targets: BTreeMap<PathBuf, Vec<Target>>,
    /// Directories that patterns lead through.
    pub(super) walked: BTreeSet<PathBuf>,
    pub(super) hints: Hints,
    /// Logs that have, or may have, something to be read.
    pub(super) ready: BTreeSet<LogId>,
    /// Logs whose numbers or positions may have changed since last asked.
    pub(super) touched: BTreeSet<LogId>,
    /// The log served last: the next pass begins after it.
    served: LogId,
    pub(super) next_look: Duration,
    /// The first look is over.
    pub(super) begun: bool,
    /// What failed of paths that are no logs, by the path as it is shown.
    pub(super) troubles: BTreeMap<String, Trouble>,
    buffer: Vec<u8>,
    pub(super) stdin: Option<(Log, Option<Stdin>)>,
    /// Logs that no source means any more, with their positions.
    pub(super) closed: Vec<Log>,
    /// Logs of an earlier run that were not found yet.
    pub(super) known: BTreeMap<String, Known>,
    /// Those of them that the sink was not yet told of to be gone.
    pub(super) absent: BTreeSet<LogId>,
    /// Since when they are looked for.
    pub(super) looked_for: Option<Duration>,
    next_id: u32,
    /// Files closed because too many were open.
    pub(super) files_closed: u64,
}

/// What a log was in an earlier run.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Its id, which it keeps.
    pub id: LogId,
    /// Its numbers: bytes read and lost, rotations and errors are counted on from here.
    pub numbers: SourceStats,
}

impl Tailer {
    /// A tailer of these sources that goes on from saved positions. Reads nothing yet.
    #[must_use]
    pub fn new(
        fs: Arc<dyn Fs>,
        sources: Vec<Source>,
        classify: Classify,
        settings: Settings,
        positions: Vec<Position>,
    ) -> Self {
        let mut restored: BTreeMap<String, Vec<Position>> = BTreeMap::new();
        for position in positions {
            restored.entry(position.log.clone()).or_default().push(position);
        }
        Self {
            sources,
            classify,
            buffer: vec![0; settings.buffer_len()],
            pass: Pass::new(fs, settings),
            logs: BTreeMap::new(),
            families: BTreeMap::new(),
            owners: HashMap::new(),
            restored,
            targets: BTreeMap::new(),
            walked: BTreeSet::new(),
            hints: Hints {
                all: true,
                ..Hints::default()
            },
            ready: BTreeSet::new(),
            touched: BTreeSet::new(),
            served: LogId(0),
            next_look: Duration::ZERO,
            begun: false,
            troubles: BTreeMap::new(),
            stdin: None,
            closed: Vec::new(),
            known: BTreeMap::new(),
            absent: BTreeSet::new(),
            looked_for: None,
            next_id: 0,
            files_closed: 0,
        }
    }

    /// Tells what logs were in an earlier run, by their names; to be called before anything else.
    pub fn remember(&mut self, known: BTreeMap<String, Known>) {
        self.next_id = known.values().map(|known| known.id.0).max().unwrap_or(0);
        self.absent = known.values().map(|known| known.id).collect();
        self.known = known;
    }

    /// Tells what [`Self::failures`] were in an earlier run: they are counted on from there.
    pub fn remember_failures(&mut self, failures: BTreeMap<String, Counts<Op>>) {
        let before = failures
            .into_iter()
            .map(|(path, errors)| (path, Trouble::before(errors)));
        self.troubles = before.collect();
    }

    /// Reads standard input where a source is `-`.
    pub fn attach_stdin(&mut self, stdin: Stdin) {
        if let Some(source) = self.sources.iter().position(Source::is_stdin) {
            let info = LogInfo {
                name: STDIN.into(),
                path: Path::new(STDIN).into(),
                cluster: None,
                source,
            };
            let mut log = self.new_log(info, Path::new("").into(), OsStr::new("").into());
            log.stage = Stage::Followed;
            self.stdin = Some((log, Some(stdin)));
        }
    }

    /// Whether standard input has come to its end; false where it is not read.
    #[must_use]
    pub fn is_stdin_over(&self) -> bool {
        self.stdin.as_ref().is_some_and(|(_, stdin)| stdin.is_none())
    }

    /// Whether standard input is read and has not come to its end.
    #[must_use]
    pub const fn reads_stdin(&self) -> bool {
        matches!(self.stdin, Some((_, Some(_))))
    }

    /// Reads files ahead on as many cores, and gives what `search` finds along with the bytes.
    pub fn read_ahead(&mut self, cores: usize, search: &Search) {
        self.pass.ahead = Ahead::start(cores, search, self.pass.settings.buffer_len());
    }

    /// Changes how often everything is looked at without a hint.
    pub fn set_period(&mut self, period: Duration) {
        self.pass.settings.period = period;
    }

    /// Takes in what [`super::wake::Waker::take`] gave.
    pub fn hint(&mut self, hints: Hints) {
        self.hints.all |= hints.all;
        self.hints.dirs.extend(hints.dirs);
        self.hints.files.extend(hints.files);
    }

    /// Directories whose changes are worth a hint.
    #[must_use]
    pub fn dirs(&self) -> BTreeSet<PathBuf> {
        self.targets.keys().chain(&self.walked).cloned().collect()
    }

    /// One pass: looks where it is time or where a hint points, and reads what is there, within the budgets. `now` is
    /// monotonic, from any beginning.
    pub fn poll(&mut self, now: Duration, sink: &mut dyn Sink) -> Outcome {
        self.pass.begin(now);
        self.look_around(sink);
        self.close_some();
        let more = self.read(sink) | self.read_stdin(sink);
        if !more {
            self.rest();
        }
        if self.pass.soon {
            // What is in doubt, or moved while it was looked at, is looked at again without a hint.
            self.next_look = self.next_look.min(now + SOON);
        }
        Outcome {
            more,
            wait: if more {
                Duration::ZERO
            } else {
                self.next_look.saturating_sub(now)
            },
        }
    }

    /// Lets go of what is of use while there is much to read. What is written to quiet logs fits into a short buffer.
    fn rest(&mut self) {
        const SHORT: usize = 16 << 10;
        if let Some(ahead) = &mut self.pass.ahead {
            ahead.rest();
        }
        self.buffer
            .truncate(SHORT.min(self.pass.settings.chunk) + Place::ANCHOR);
        self.buffer.shrink_to_fit();
    }

    /// Readers of everything that is there now, in the order of the logs' names, each to be read to its end.
    #[must_use]
    pub fn into_readers(mut self) -> (Vec<LogReader>, Vec<Notice>) {
        self.pass.once = true;
        self.pass.begin(Duration::ZERO);
        self.look_around(&mut Nobody);
        let mut logs: Vec<Log> = self
            .logs
            .into_values()
            .map(|log| *log)
            .filter(|log| log.stage == Stage::Followed)
            .collect();
        logs.sort_by(|a, b| a.info.name.cmp(&b.info.name));
        let Pass {
            fs,
            settings,
            mut notices,
            ..
        } = self.pass;
        let hold = logs.len() <= settings.open_files;
        let of = |log| LogReader::files(log, Arc::clone(&fs), settings.clone(), hold);
        let mut readers: Vec<LogReader> = logs.into_iter().map(of).collect();
        if let Some((log, Some(stdin))) = self.stdin {
            readers.push(LogReader::stdin(log, stdin, fs, settings));
        }
        (readers, notices.take())
    }

    /// A log, with the id and the numbers that it had in an earlier run.
    pub(super) fn new_log(&mut self, info: LogInfo, dir: Arc<Path>, stem: Arc<OsStr>) -> Log {
        let Some(known) = self.known.remove(&*info.name) else {
            self.next_id += 1;
            return Log::new(LogId(self.next_id), info, dir, stem);
        };
        self.absent.remove(&known.id);
        let mut log = Log::new(known.id, info, dir, stem);
        log.numbers = Numbers::of(known.numbers);
        log
    }

    /// Reads from every log that has something, each in turn. Returns whether there is more.
    fn read(&mut self, sink: &mut dyn Sink) -> bool {
        let mut left = self.pass.settings.pass_budget;
        let after: Vec<LogId> = self
            .ready
            .range(LogId(self.served.0.saturating_add(1))..)
            .copied()
            .collect();
        let before: Vec<LogId> = self.ready.range(..=self.served).copied().collect();
        let turns: Vec<LogId> = after.into_iter().chain(before).collect();
        for (turn, id) in turns.iter().enumerate() {
            if left == 0 {
                break;
            }
            if !sink.wants(*id) {
                continue;
            }
            self.served = *id;
            self.expect(&turns[turn + 1..], sink);
            left = left.saturating_sub(self.read_log(*id, left, sink));
        }
        !self.ready.is_empty()
    }

    /// Tells the helpers what is read after the log at hand, where there are any.
    fn expect(&mut self, turns: &[LogId], sink: &dyn Sink) {
        let Some(mut ahead) = self.pass.ahead.take() else {
            return;
        };
        let next = turns
            .iter()
            .filter(|id| sink.wants(**id))
            .take(ahead.most_pieces());
        let next = next.filter_map(|id| self.logs.get_mut(id)?.upcoming(&mut self.pass));
        ahead.expect(next.collect());
        self.pass.ahead = Some(ahead);
    }

    /// Reads one log; returns how many bytes.
    fn read_log(&mut self, id: LogId, most: usize, sink: &mut dyn Sink) -> usize {
        /// How often its directory is looked at within one pass because its files moved under it.
        const LOOKS: usize = 8;
        let mut read = 0;
        for _ in 0..LOOKS {
            let Some(log) = self.logs.get_mut(&id) else { break };
            self.touched.insert(id);
            let budget = log.turn((most - read).min(self.pass.settings.log_budget));
            self.pass.left = if self.ready.len() > 1 {
                budget as u64
            } else {
                u64::MAX
            };
            let (progress, taken) = log.advance(&mut self.pass, budget, &mut self.buffer, sink);
            read = (read + taken).min(most);
            let (dir, stem) = (Arc::clone(&log.dir), Arc::clone(&log.stem));
            self.close_some();
            match progress {
                Progress::Look => self.look(&dir, Some(&stem), sink),
                Progress::More => return read,
                Progress::Idle => {
                    self.ready.remove(&id);
                    return read;
                }
            }
        }
        // Its files move faster than they can be looked at, or its directory cannot be listed.
        self.ready.remove(&id);
        self.pass.soon = true;
        read
    }

    /// Closes the files used longest ago when too many are open, as far as they can be opened again.
    fn close_some(&mut self) {
        let open = self.open_files();
        let most = if std::mem::take(&mut self.pass.starved) {
            open / 2
        } else {
            self.pass.settings.open_files
        };
        if open <= most {
            return;
        }
        let files = self.logs.values_mut().flat_map(|log| log.files_mut());
        let mut open: Vec<_> = files.filter(|file| file.may_close()).collect();
        open.sort_by_key(|file| std::cmp::Reverse(file.used));
        // Half of them at once, so that this is not done for each file of many.
        for file in open.into_iter().skip(most / 2) {
            file.close();
            self.files_closed += 1;
        }
    }

    fn read_stdin(&mut self, sink: &mut dyn Sink) -> bool {
        let Some((log, input)) = &mut self.stdin else {
            return false;
        };
        if log.sighted && !sink.wants(log.id) {
            return false;
        }
        self.touched.insert(log.id);
        if !log.sighted {
            log.sighted = true;
            sink.open(log.id, &log.info);
        }
        let mut left = self.pass.settings.log_budget;
        while let Some(stdin) = input.as_ref() {
            match stdin.take() {
                Taken::Bytes(bytes) => {
                    let offset = log.numbers.read_bytes;
                    log.numbers.read_bytes += bytes.len() as u64;
                    let mtime = Timestamp::UNIX_EPOCH;
                    sink.bytes(
                        log.id,
                        &Read {
                            bytes: &bytes,
                            offset,
                            mtime,
                            fresh: true,
                            hits: None,
                        },
                    );
                    left = left.saturating_sub(bytes.len());
                    if left == 0 {
                        return true;
                    }
                }
                Taken::Nothing => return false,
                over => {
                    if over == Taken::Failed {
                        log.numbers.failed(Op::Read);
                    }
                    *input = None;
                    sink.file_end(log.id);
                }
            }
        }
        false
    }
}

/// Hears nothing: readers are asked, not told.
struct Nobody;

impl Sink for Nobody {
    fn open(&mut self, _: LogId, _: &LogInfo) {}
    fn bytes(&mut self, _: LogId, _: &Read<'_>) {}
    fn file_end(&mut self, _: LogId) {}
    fn file_cut(&mut self, _: LogId) {}
    fn gone(&mut self, _: LogId) {}
}
