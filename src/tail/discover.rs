//! From the paths, directories and patterns given to the directories to look into.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use regex::Regex;

use super::fs::{Entry, Fs, Kind};
use crate::stats::Op;

/// One path, directory, pattern, or standard input, as the user gave it.
#[derive(Debug, Clone)]
pub struct Source {
    given: PathBuf,
    spec: Spec,
    capture: Option<Regex>,
}

#[derive(Debug, Clone)]
enum Spec {
    Stdin,
    Path(PathBuf),
    Glob { base: PathBuf, parts: Vec<Part> },
}

/// One component of a pattern.
#[derive(Debug, Clone)]
enum Part {
    Literal(OsString),
    Wild(GlobMatcher),
    /// `**`: any number of directories, none included.
    Deep,
}

/// Why a source cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadSource {
    /// The pattern is no glob.
    #[error("{0}")]
    Glob(#[from] globset::Error),
    /// The capture is no regular expression.
    #[error("{0}")]
    Capture(#[from] regex::Error),
    /// The capture takes nothing.
    #[error("the expression has no group named `cluster`; write for example `/logs/(?<cluster>[^/]+)/`")]
    NoCluster,
}

impl Source {
    /// `path` as given on the command line or in the configuration: `-`, a path, or a pattern with `* ? [ {`. `cluster`
    /// is a regular expression with a group `(?<cluster>…)`, searched in the path of each file.
    ///
    /// # Errors
    /// When the pattern or the expression cannot be compiled.
    pub fn new(path: &OsStr, cluster: Option<&str>) -> Result<Self, BadSource> {
        let capture = cluster.map(Regex::new).transpose()?;
        if capture
            .as_ref()
            .is_some_and(|regex| !regex.capture_names().flatten().any(|name| name == "cluster"))
        {
            return Err(BadSource::NoCluster);
        }
        // Without `/./` and doubled slashes, so that one file has one path.
        let given: PathBuf = Path::new(path).components().collect();
        let spec = match path.as_bytes() {
            b"-" => Spec::Stdin,
            bytes if bytes.iter().any(|byte| b"*?[{".contains(byte)) => Self::glob(bytes)?,
            _ => Spec::Path(given.clone()),
        };
        Ok(Self { given, spec, capture })
    }

    fn glob(pattern: &[u8]) -> Result<Spec, BadSource> {
        let absolute = pattern.starts_with(b"/");
        let mut base = PathBuf::from(if absolute { "/" } else { "" });
        let mut parts = Vec::new();
        for component in pattern
            .split(|byte| *byte == b'/')
            .filter(|component| !component.is_empty())
        {
            let text = OsStr::from_bytes(component);
            let wild = component.iter().any(|byte| b"*?[{".contains(byte));
            match component {
                b"**" => parts.push(Part::Deep),
                _ if wild => {
                    let glob = GlobBuilder::new(&text.to_string_lossy())
                        .literal_separator(true)
                        .build()?;
                    parts.push(Part::Wild(glob.compile_matcher()));
                }
                _ if parts.is_empty() => base.push(text),
                _ => parts.push(Part::Literal(text.into())),
            }
        }
        Ok(Spec::Glob { base, parts })
    }

    /// Whether it is standard input.
    #[must_use]
    pub const fn is_stdin(&self) -> bool {
        matches!(self.spec, Spec::Stdin)
    }

    /// As given, for telling people about it.
    pub(super) fn given(&self) -> &Path {
        &self.given
    }

    /// What the source's expression takes from a path: `NAMESPACE/CLUSTER` where it takes both.
    pub(super) fn captured(&self, path: &Path) -> Option<String> {
        let text = path.to_string_lossy();
        let found = self.capture.as_ref()?.captures(&text)?;
        let named = |group| {
            found
                .name(group)
                .map(|part| part.as_str())
                .filter(|part| !part.is_empty())
        };
        let cluster = named("cluster")?;
        Some(match named("namespace") {
            Some(namespace) => format!("{namespace}/{cluster}"),
            None => cluster.to_owned(),
        })
    }

    /// The directories that it means now.
    pub(super) fn targets(&self, index: usize, fs: &dyn Fs) -> Found {
        let mut found = Found::default();
        match &self.spec {
            Spec::Stdin => {}
            Spec::Path(path) => found.path(path, index, fs, Vec::new()),
            Spec::Glob { base, parts } => found.walk(base, parts, index, fs, &[], 0),
        }
        found
    }
}

/// A directory to look into, and for which of its files.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) dir: PathBuf,
    pub(super) source: usize,
    pub(super) select: Select,
    /// Directory names that wildcards matched.
    pub(super) matched: Vec<String>,
}

/// Which files of a directory are meant.
#[derive(Debug, Clone)]
pub(super) enum Select {
    /// Those that have a log's name.
    Logs,
    /// That one.
    File(OsString),
    /// Those whose name matches.
    Glob(GlobMatcher),
}

/// What a source leads to.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) targets: Vec<Target>,
    /// Directories walked through on the way: something new may appear in them.
    pub(super) walked: BTreeSet<PathBuf>,
    /// What could not be asked.
    pub(super) failed: Vec<(PathBuf, Op, io::Error)>,
}

/// Deepest that `**` goes: enough for any tree of logs, and an end to one that contains itself.
const DEEPEST: usize = 32;

impl Found {
    fn path(&mut self, path: &Path, source: usize, fs: &dyn Fs, matched: Vec<String>) {
        let directory = match fs.stat(path) {
            Ok(stat) => stat.kind == Kind::Directory,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    self.failed.push((path.to_owned(), Op::Stat, error));
                }
                false
            }
        };
        match (directory, path.file_name()) {
            (false, Some(name)) => {
                let parent = path.parent().unwrap_or(Path::new(""));
                let select = Select::File(name.to_owned());
                self.targets.push(Target {
                    dir: here(parent),
                    source,
                    select,
                    matched,
                });
            }
            _ => self.targets.push(Target {
                dir: here(path),
                source,
                select: Select::Logs,
                matched,
            }),
        }
    }

    fn walk(
        &mut self,
        dir: &Path,
        parts: &[Part],
        source: usize,
        fs: &dyn Fs,
        matched: &[String],
        depth: usize,
    ) {
        let Some((part, rest)) = parts.split_first() else {
            return;
        };
        match part {
            Part::Literal(name) if rest.is_empty() => {
                if fs.stat(&dir.join(name)).is_ok() {
                    self.path(&dir.join(name), source, fs, matched.to_vec());
                }
            }
            Part::Literal(name) => self.walk(&dir.join(name), rest, source, fs, matched, depth),
            Part::Wild(glob) => {
                if rest.is_empty() {
                    let select = Select::Glob(glob.clone());
                    self.targets.push(Target {
                        dir: here(dir),
                        source,
                        select,
                        matched: matched.to_vec(),
                    });
                }
                for (path, name) in self.directories(dir, fs, true) {
                    if glob.is_match(&name) {
                        let matched = and(matched, &name);
                        if rest.is_empty() {
                            self.path(&path, source, fs, matched);
                        } else {
                            self.walk(&path, rest, source, fs, &matched, depth);
                        }
                    }
                }
            }
            Part::Deep => {
                if rest.is_empty() {
                    let select = Select::Logs;
                    self.targets.push(Target {
                        dir: here(dir),
                        source,
                        select,
                        matched: matched.to_vec(),
                    });
                } else {
                    self.walk(dir, rest, source, fs, matched, depth);
                }
                if depth < DEEPEST {
                    // Symlinks are not followed below `**`: they may lead back up.
                    for (path, name) in self.directories(dir, fs, false) {
                        self.walk(&path, parts, source, fs, &and(matched, &name), depth + 1);
                    }
                }
            }
        }
    }

    /// The directories in a directory, in the order of their names.
    fn directories(&mut self, dir: &Path, fs: &dyn Fs, links: bool) -> Vec<(PathBuf, OsString)> {
        let entries = match fs.list(&here(dir)) {
            Ok(entries) => entries,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    self.failed.push((here(dir), Op::List, error));
                }
                return Vec::new();
            }
        };
        self.walked.insert(here(dir));
        let is_directory = |entry: &Entry| match entry.kind {
            Some(kind) => kind == Kind::Directory,
            None => {
                links
                    && fs
                        .stat(&dir.join(&entry.name))
                        .is_ok_and(|stat| stat.kind == Kind::Directory)
            }
        };
        let mut found: Vec<_> = entries
            .into_iter()
            .filter(|entry| !entry.name.as_bytes().starts_with(b".") && is_directory(entry))
            .map(|entry| (dir.join(&entry.name), entry.name))
            .collect();
        found.sort();
        found
    }
}

/// The path of a directory; an empty one is where the program runs.
fn here(dir: &Path) -> PathBuf {
    if dir.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        dir.to_owned()
    }
}

fn and(matched: &[String], name: &OsStr) -> Vec<String> {
    matched
        .iter()
        .cloned()
        .chain([name.to_string_lossy().into_owned()])
        .collect()
}
