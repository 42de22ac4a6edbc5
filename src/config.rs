//! Configuration: one TOML file and the flags, validated into [`Settings`] before anything starts.
//!
//! [`keys`] is the one table of everything that can be set. The reader, `print config` and `docs/configuration.md` all
//! follow it, so that a key cannot be accepted without being documented. All problems of a file are told at once.

mod keys;
mod read;
mod show;
mod suggest;
pub mod value;
pub mod web_file;

#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::model::retention::{Retention, Thresholds};
use crate::problem::Problem;

pub use read::parse;
pub use show::{document, documentation};

/// The port that `watch` listens on when it is told nothing: Flink's own reporter has 9249.
pub const PORT: u16 = 19249;

/// Says whether the id or pattern of a layout is good, else why not. Configuration knows no layouts itself; the directory
/// is that of the user's rules and layouts, where there is one.
pub type LayoutCheck<'a> = &'a dyn Fn(&str, Option<&Path>) -> Result<(), String>;

/// Everything that can be set, validated. `Default` is what holds without a file or a flag.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What to read.
    pub sources: Vec<Source>,
    /// Where reading starts in files that have no saved position.
    pub read_from: ReadFrom,
    /// Time between two passes over the files; none lets the tailer choose: short where the file system tells no
    /// changes, long where it does.
    pub poll_interval: Option<Duration>,
    /// How long events of carriers that keep no order wait for earlier ones while they are followed.
    pub reorder_window: Duration,
    /// Where HTTP listens; never empty, never the same address twice.
    pub listen_addresses: Vec<SocketAddr>,
    /// TLS, users and headers of HTTP: a file of [`web_file`].
    pub web_config_file: Option<PathBuf>,
    /// Whether HTTP may ask for the configuration to be read again.
    pub enable_lifecycle: bool,
    /// Where positions and entities are kept; none keeps them in memory.
    pub state_dir: Option<PathBuf>,
    /// How long history is kept there; none keeps it for ever.
    pub history_age: Option<Duration>,
    /// How large the database may grow before the oldest history goes, bytes.
    pub history_bytes: u64,
    /// Rule and layout files that add to or override those built in.
    pub rules_dir: Option<PathBuf>,
    /// How talkative the program's own log is.
    pub log_level: tracing::Level,
    /// How the program's own log looks.
    pub log_format: LogFormat,
    /// How long ended entities stay on `/metrics`.
    pub retention: Retention,
    /// From when on a transient state is stuck.
    pub thresholds: Thresholds,
    /// Bounds on what the program takes in.
    pub limits: Limits,
}

impl Settings {
    /// Listens on these addresses instead, if there are any.
    pub fn listen_on(&mut self, addresses: &[SocketAddr]) {
        if !addresses.is_empty() {
            self.listen_addresses = addresses.to_vec();
            self.listen_addresses.sort_unstable();
            self.listen_addresses.dedup();
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sources: Vec::new(),
            read_from: ReadFrom::Start,
            poll_interval: None,
            reorder_window: Duration::from_secs(5),
            // Loopback: what a log tells is not for everybody on the network until the operator says so.
            listen_addresses: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, PORT))],
            web_config_file: None,
            enable_lifecycle: false,
            state_dir: None,
            history_age: Some(Duration::from_secs(30 * 86_400)),
            history_bytes: 1 << 30,
            rules_dir: None,
            log_level: tracing::Level::INFO,
            log_format: LogFormat::Text,
            retention: Retention::default(),
            thresholds: Thresholds::default(),
            limits: Limits::default(),
        }
    }
}

/// Files that are read alike.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Source {
    /// Files, directories, globs, or `-` for standard input; never empty.
    pub paths: Vec<String>,
    /// The cluster of all its jobs; none takes it from the path.
    pub cluster: Option<String>,
    /// Regular expression over the path whose group `cluster` is the cluster; valid, and has that group.
    pub cluster_from_path: Option<String>,
    /// Zone of times that are printed without one; none is the machine's.
    pub timezone: Option<TimeZone>,
    /// Id or pattern of the layout, checked; none recognises it by itself.
    pub layout: Option<String>,
}

/// Where reading starts in a file that has no saved position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFrom {
    /// At its beginning: the state of every job is derived from what the logs still hold.
    Start,
    /// At its end: only what is written from now on.
    End,
}

impl ReadFrom {
    /// Both, the default first.
    pub const ALL: [Self; 2] = [Self::Start, Self::End];

    /// As written in the file and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::End => "end",
        }
    }
}

/// How the program's own log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// Both, the default first.
    pub const ALL: [Self; 2] = [Self::Text, Self::Json];

    /// As written in the file and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// Bounds on what the program takes in, so that no log and no client can exhaust it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entities known at a time; ended ones make room first.
    pub entities: usize,
    /// Longest line looked at, bytes; the rest of a longer one is skipped and counted.
    pub line_bytes: usize,
    /// Longest record over several lines, bytes; at least `line_bytes`.
    pub record_bytes: usize,
    /// Log files held open at a time.
    pub open_files: usize,
    /// HTTP connections served at a time.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entities: 100_000,
            line_bytes: 1 << 20,
            record_bytes: 1 << 20,
            open_files: 48,
            connections: 64,
        }
    }
}

/// Why there are no settings. Every kind is exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot read the configuration: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file has problems: all of them, in its order, one a line.
    #[error("{}", .0.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"))]
    Problems(Vec<Problem>),
    /// A flag that only the rest of the program could judge.
    #[error("{0}")]
    Flag(String),
}

/// Largest file of any configuration that is read, bytes: people write some KiB, and what is larger was named by mistake.
const MOST: u64 = 1 << 20;

/// The text of a file that people write.
pub fn read_text(path: &Path) -> std::io::Result<String> {
    let length = std::fs::metadata(path)?.len();
    if length > MOST {
        let why = format!("{length} bytes are too many for this; the most are {MOST}");
        return Err(std::io::Error::other(why));
    }
    std::fs::read_to_string(path)
}

/// Reads and validates a file.
pub fn load(path: &Path, layout: LayoutCheck<'_>) -> Result<Settings, ConfigError> {
    let text = read_text(path).map_err(|error| ConfigError::Read {
        path: path.to_owned(),
        error,
    })?;
    parse(&path.display().to_string(), &text, layout).map_err(ConfigError::Problems)
}
