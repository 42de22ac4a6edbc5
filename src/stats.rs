//! The program's own counters as plain data: counted where things happen, published as one snapshot, named by the catalogue.
//!
//! Nothing here is atomic or locked: the thread that reads logs owns them and hands out copies.

mod counts;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::line::LogId;

pub use counts::Counts;

/// What became of a record that was looked at; the `result` label of `flinktail_records_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordResult {
    /// A rule matched and the model was told.
    Event,
    /// Decoded, and no rule has anything to say about it.
    Ignored,
    /// The words of a rule from another logger, or with another job's id in its logging context.
    Refused,
    /// No layout recognises the line and it continues no record.
    Unparsed,
    /// Longer than the limit on lines or records; the rest was skipped.
    TooLong,
    /// Not UTF-8; decoded lossily and looked at all the same.
    InvalidUtf8,
    /// JSON that broke off or is none; what is whole inside of it was looked at.
    Damaged,
    /// An event with the id of one that was told before, by the same or another carrier.
    Duplicate,
}

impl RecordResult {
    /// All results, in the order shown.
    pub const ALL: [Self; 8] = [
        Self::Event,
        Self::Ignored,
        Self::Refused,
        Self::Unparsed,
        Self::TooLong,
        Self::InvalidUtf8,
        Self::Damaged,
        Self::Duplicate,
    ];

    /// The label's value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Ignored => "ignored",
            Self::Refused => "refused",
            Self::Unparsed => "unparsed",
            Self::TooLong => "too_long",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::Damaged => "damaged",
            Self::Duplicate => "duplicate",
        }
    }
}

/// How a file was replaced; the `kind` label of `flinktail_source_rotations_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rotation {
    /// Renamed, and a new file took its name.
    Rename,
    /// Cut short in place (copytruncate, `append = false`).
    Truncate,
    /// Deleted or overwritten by another file.
    Replace,
}

impl Rotation {
    /// All kinds, in the order shown.
    pub const ALL: [Self; 3] = [Self::Rename, Self::Truncate, Self::Replace];

    /// The label's value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rename => "rename",
            Self::Truncate => "truncate",
            Self::Replace => "replace",
        }
    }
}

/// Why bytes were never read; the `reason` label of `flinktail_source_lost_bytes_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lost {
    /// Cut away by a truncation before they were read, and no copy continues at the same bytes.
    Truncated,
    /// The file was deleted with unread bytes, or rotated out of reach.
    RotatedAway,
}

impl Lost {
    /// All reasons, in the order shown.
    pub const ALL: [Self; 2] = [Self::Truncated, Self::RotatedAway];

    /// The label's value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::RotatedAway => "rotated_away",
        }
    }
}

/// Which operation on a file failed; the `op` label of `flinktail_source_errors_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// Listing the directory.
    List,
    /// Asking for a file's size and identity.
    Stat,
    /// Opening.
    Open,
    /// Reading.
    Read,
    /// Unpacking a `.gz`.
    Unpack,
}

impl Op {
    /// All operations, in the order shown.
    pub const ALL: [Self; 5] = [Self::List, Self::Stat, Self::Open, Self::Read, Self::Unpack];

    /// The label's value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Stat => "stat",
            Self::Open => "open",
            Self::Read => "read",
            Self::Unpack => "unpack",
        }
    }
}

/// Why a log cannot show transitions: the commonest support case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Blind {
    /// Nothing at INFO or below is printed; transitions are INFO.
    LevelAboveInfo,
    /// The layout prints no logger, so Flink's lines cannot be told from users'.
    NoLogger,
    /// No layout recognises the lines.
    UnknownLayout,
    /// UTF-16 or UTF-32: not read.
    Encoding,
}

impl Blind {
    /// All reasons, in the order shown.
    pub const ALL: [Self; 4] = [
        Self::LevelAboveInfo,
        Self::NoLogger,
        Self::UnknownLayout,
        Self::Encoding,
    ];

    /// The label's value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LevelAboveInfo => "level_above_info",
            Self::NoLogger => "no_logger",
            Self::UnknownLayout => "unknown_layout",
            Self::Encoding => "encoding",
        }
    }
}

/// One log's numbers; the `source` label is the path of its rotation family's current file, `-` for standard input.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceStats {
    /// The `source` label.
    pub name: Arc<str>,
    /// The `cluster` that its jobs carry.
    pub cluster: Arc<str>,
    /// Id of the layout recognised, none before the first lines.
    pub layout: Option<Arc<str>>,
    /// Bytes read (uncompressed).
    pub read_bytes: u64,
    /// Bytes known to be there and not read yet.
    pub lag_bytes: u64,
    /// Bytes destroyed unread, by reason.
    pub lost_bytes: Counts<Lost>,
    /// Rotations seen, by kind.
    pub rotations: Counts<Rotation>,
    /// Failed operations.
    pub errors: Counts<Op>,
    /// Records looked at, by what became of them in the order of [`RecordResult::ALL`].
    pub records: [u64; RecordResult::ALL.len()],
    /// Event time of the last record looked at.
    pub last_line: Option<Timestamp>,
    /// Reading time less event time of the last record read while following, seconds; none before one was.
    pub clock_skew: Option<f64>,
    /// Why this log cannot show transitions.
    pub blind: Option<Blind>,
}

impl SourceStats {
    /// Those of a path that is no log: all that there is to say of it is what failed.
    #[must_use]
    pub fn of_failures(path: &str, errors: &Counts<Op>) -> Self {
        Self {
            name: Arc::from(path),
            errors: errors.clone(),
            ..Self::default()
        }
    }
}

/// What the whole program says of itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProgramStats {
    /// Every log, in the order of their names.
    pub sources: Vec<Arc<SourceStats>>,
    /// Names of all logs ever opened, also of those that are gone: what an entry of history names its log by.
    pub log_names: Arc<BTreeMap<LogId, Arc<str>>>,
    /// Matches by rule id; every rule of the set is here, from 0 on.
    pub rule_matches: BTreeMap<String, u64>,
    /// State words outside Flink's closed set.
    pub unknown_states: u64,
    /// Files closed because more were open than may be, since the process began.
    pub files_closed: u64,
    /// True once everything that was there at the start has been read.
    pub ready: bool,
    /// Bytes that were there at the start, and how many of them have been read.
    pub backlog: Backlog,
    /// The store; none where there is no state directory.
    pub store: Option<StoreStats>,
}

/// How the store was found at the start; the `result` label of `flinktail_store_load_result`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadResult {
    /// There was none.
    New,
    /// As it was left.
    Loaded,
    /// Damaged: set aside, and begun anew.
    Damaged,
    /// Written by a later release: left alone, and not used.
    Newer,
    /// It could not be opened.
    Failed,
}

impl LoadResult {
    /// All results, in the order shown.
    pub const ALL: [Self; 5] = [Self::New, Self::Loaded, Self::Damaged, Self::Newer, Self::Failed];

    /// The label's value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Loaded => "loaded",
            Self::Damaged => "damaged",
            Self::Newer => "newer",
            Self::Failed => "failed",
        }
    }
}

/// The store's numbers; they start with the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreStats {
    /// What is shown is on the disk.
    pub up: bool,
    /// How it was found.
    pub load: LoadResult,
    /// Commits.
    pub commits: u64,
    /// Failed commits and failed tries to open it.
    pub errors: u64,
    /// When the last commit reached the disk.
    pub last_success: Option<Timestamp>,
    /// Bytes of the database in use.
    pub bytes: u64,
}

/// Progress of the catch-up at the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Bytes there when the program began, and in files that came while a log was behind: they may hold what was there.
    pub total_bytes: u64,
    /// Of these, read so far.
    pub read_bytes: u64,
    /// The files of these.
    pub total_files: u64,
    /// Of these, read to their end.
    pub read_files: u64,
}
