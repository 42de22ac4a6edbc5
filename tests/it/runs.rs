//! The recorded runs of `tests/corpora`: their logs and what Flink's REST API said. Their README explains each field.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde::Deserialize;

/// One recorded cluster.
pub struct Run {
    /// The directory's name.
    pub name: String,
    /// What REST said.
    pub truth: Truth,
    /// The packed logs, by name.
    pub logs: Vec<PathBuf>,
}

/// `truth.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Truth {
    pub flink_version: String,
    pub mode: Mode,
    pub time_zone: String,
    pub jobmanagers: BTreeMap<String, Vec<Process>>,
    pub jobs: BTreeMap<String, Told>,
    pub phantoms: BTreeMap<String, String>,
}

/// How the cluster was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Session,
    Rotation,
    Ha,
    Application,
    Reactive,
}

/// One JobManager process.
#[derive(Debug, Clone, Deserialize)]
pub struct Process {
    pub how: String,
}

/// What REST told of one job.
#[derive(Debug, Clone, Deserialize)]
pub struct Told {
    pub name: String,
    pub scenario: String,
    /// Each state with the epoch milliseconds at which it was entered.
    pub states: Vec<(String, i64)>,
    #[serde(rename = "final")]
    pub last: Option<String>,
    pub num_restarts: Option<u64>,
    /// Indexes of `states` whose time is only a poll's.
    #[serde(default)]
    pub approximate: Vec<usize>,
    pub scheduler: Option<String>,
    #[serde(default)]
    pub unlogged: bool,
}

/// Every run, by name.
pub fn all() -> Vec<Run> {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpora");
    let mut runs: Vec<Run> = entries(&corpora)
        .iter()
        .filter(|path| path.is_dir())
        .map(|path| load(path))
        .collect();
    runs.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!runs.is_empty(), "no runs in {}", corpora.display());
    runs
}

fn load(directory: &Path) -> Run {
    let truth = fs::read_to_string(directory.join("truth.json")).unwrap();
    let mut logs: Vec<PathBuf> = entries(directory)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "gz"))
        .collect();
    logs.sort();
    Run {
        name: directory.file_name().unwrap().to_string_lossy().into_owned(),
        truth: serde_json::from_str(&truth).unwrap(),
        logs,
    }
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect()
}

/// A packed log's name without `.gz`, and its text.
pub fn unpack(log: &Path) -> (String, String) {
    let mut text = String::new();
    GzDecoder::new(File::open(log).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    (log.file_stem().unwrap().to_string_lossy().into_owned(), text)
}
