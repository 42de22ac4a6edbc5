//! What was found out about the beginnings of logs that are about to be decoded: to recognise a layout costs as much as to
//! search a hundred times as many bytes. A file's beginning is asked about when it is found, to put it in order, and again when
//! it is decoded; helpers may have looked at it before both. What is noted is what the decoder would find.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::decode::detect::Detected;
use crate::decode::documents::sniff::{ENOUGH, Sniffer};
use crate::decode::layouts::Layouts;
use crate::decode::peel::Peeled;
use crate::decode::wrapper::Wrapper;

/// Beginnings that are kept: those of files that are found at once. Some are never asked for again.
const MOST: usize = 1024;

/// What the beginning of a log shows, which does not consist of documents.
#[derive(Debug, Clone)]
pub(super) struct Beginning {
    /// What carries the lines, the outermost first.
    pub(super) wrappers: Vec<Wrapper>,
    /// What they show.
    pub(super) detected: Detected,
}

impl From<Peeled<'_>> for Beginning {
    fn from(peeled: Peeled<'_>) -> Self {
        let Peeled {
            wrappers, detected, ..
        } = peeled;
        Self { wrappers, detected }
    }
}

/// Those that were looked at and not taken, by a hash of their bytes.
#[derive(Debug, Default)]
pub(super) struct Beginnings(Mutex<HashMap<u64, Beginning>>);

impl Beginnings {
    /// Looks at the first bytes of a log, unless that was done; none where they are too few to tell, or documents.
    pub(super) fn of(&self, bytes: &[u8], layouts: &Layouts) -> Option<Beginning> {
        let (key, first) = key(bytes)?;
        if let Some(known) = self.lock().get(&key) {
            return Some(known.clone());
        }
        if Sniffer::default().push(first) {
            return None;
        }
        let beginning = Beginning::from(layouts.peel_beginning(whole_lines(first), None));
        let mut known = self.lock();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(key, beginning.clone());
        Some(beginning)
    }

    /// What was found out about a log that begins so, once.
    pub(super) fn take(&self, bytes: &[u8]) -> Option<Beginning> {
        let (key, _) = key(bytes)?;
        self.lock().remove(&key)
    }

    /// Nothing can be half done under this lock.
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Beginning>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lines of a piece that end in it. A line that is no header only because it is torn costs detection dear.
pub(super) fn whole_lines(bytes: &[u8]) -> &[u8] {
    memchr::memrchr(b'\n', bytes).map_or(bytes, |newline| &bytes[..=newline])
}

/// The bytes that tell what a log is, and their hash; none of fewer. They are a prefix of what anybody asks with, so that all
/// who ask about a file mean the same.
fn key(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let first = bytes.get(..usize::try_from(ENOUGH).ok()?)?;
    let mut hasher = DefaultHasher::new();
    hasher.write(first);
    Some((hasher.finish(), first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(line: &str) -> Vec<u8> {
        line.repeat(1 + usize::try_from(ENOUGH).unwrap() / line.len())
            .into_bytes()
    }

    #[test]
    fn what_was_found_out_is_given_for_the_same_bytes_alone_and_taken_once() {
        let layouts = Layouts::builtin().unwrap();
        let beginnings = Beginnings::default();
        let line = "2026-11-21 00:03:24,184 INFO  org.apache.flink.runtime.jobmaster.JobMaster [] - text\n";
        let (one, other) = (log(line), log(&line.replace("INFO", "WARN")));
        for bytes in [&one[..], &[&one[..], line.as_bytes()].concat()] {
            let found = beginnings.of(bytes, &layouts).unwrap();
            assert_eq!(found.detected.layout, layouts.peel(&one, None).detected.layout);
        }
        assert!(beginnings.take(&other).is_none());
        assert!(beginnings.take(&one).is_some());
        assert!(beginnings.take(&one).is_none());
    }

    #[test]
    fn neither_documents_nor_a_few_lines_tell() {
        let layouts = Layouts::builtin().unwrap();
        let beginnings = Beginnings::default();
        let document = log(
            r#"{"messageType":"DATA_MESSAGE","applicationARN":"arn:aws:kinesisanalytics:eu-west-1:111122223333:application/a","message":"text"}"#,
        );
        for bytes in [&b"a line\n"[..], &document, b""] {
            assert!(beginnings.of(bytes, &layouts).is_none());
            assert!(beginnings.take(bytes).is_none());
        }
    }

    #[test]
    fn no_more_is_kept_than_is_of_use() {
        let layouts = Layouts::builtin().unwrap();
        let beginnings = Beginnings::default();
        for n in 0..=MOST {
            beginnings.of(&log(&format!("{n:01000}\n")), &layouts);
        }
        assert!(beginnings.lock().len() <= MOST);
    }
}
