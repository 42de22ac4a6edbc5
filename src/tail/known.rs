//! What is known of a directory's files before it is looked into.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use super::identity::Position;
use super::log::Log;
use super::tailer::Tailer;
use crate::line::LogId;

/// Stems and paths are given out as they are held: of thousands of logs a second copy of each would be much, though it is for
/// a moment.
pub(super) struct Known<'a> {
    dir: &'a Path,
    families: Option<&'a BTreeMap<Arc<OsStr>, LogId>>,
    logs: &'a BTreeMap<LogId, Box<Log>>,
    restored: &'a BTreeMap<String, Vec<Position>>,
}

impl Tailer {
    pub(super) fn known<'a>(&'a self, dir: &'a Path) -> Known<'a> {
        Known {
            dir,
            families: self.families.get(dir),
            logs: &self.logs,
            restored: &self.restored,
        }
    }
}

impl Known<'_> {
    /// Whether a family is looked at whether or not a name is meant: one that is read, or has positions.
    pub(super) fn is_followed(&self, stem: &OsStr) -> bool {
        let is_read = self.families.is_some_and(|families| families.contains_key(stem));
        let is_saved = || {
            let name = Position::printable(&self.dir.join(stem));
            self.restored.contains_key(&name)
        };
        is_read || !self.restored.is_empty() && is_saved()
    }

    /// A stem and the path of a file, as they are held if the family is read.
    pub(super) fn held(&self, stem: &OsStr, path: &Path) -> (Arc<OsStr>, Arc<Path>) {
        let family = self.families.and_then(|families| families.get_key_value(stem));
        let log = family.and_then(|(_, id)| self.logs.get(id));
        let file = log.and_then(|log| log.files().find(|file| *file.path == *path));
        (
            family.map_or_else(|| stem.into(), |(stem, _)| Arc::clone(stem)),
            file.map_or_else(|| path.into(), |file| Arc::clone(&file.path)),
        )
    }
}
