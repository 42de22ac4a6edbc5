//! What helpers found out about the beginnings of logs that are about to be decoded: to recognise a layout costs as much as to
//! search a hundred times as many bytes. What is noted is what the decoder would find: it asks by the bytes themselves.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::recognise::whole_lines;
use crate::decode::detect::Detected;
use crate::decode::documents::sniff::{ENOUGH, Sniffer};
use crate::decode::layouts::Layouts;
use crate::decode::peel::Peeled;
use crate::decode::wrapper::Wrapper;

/// Beginnings that are kept: of more files than are read ahead at once there are none that will be asked for.
const MOST: usize = 8;

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

/// The last that were noted and not taken, by the bytes that were looked at.
#[derive(Debug, Default)]
pub(super) struct Beginnings(Mutex<VecDeque<(Vec<u8>, Beginning)>>);

impl Beginnings {
    /// Looks at the first bytes of a log, if they are enough to tell and no documents.
    pub(super) fn note(&self, bytes: &[u8], layouts: &Layouts) {
        let Some(sample) = sample(bytes) else { return };
        if Sniffer::default().push(bytes) {
            return;
        }
        let beginning = layouts.peel_beginning(sample, None).into();
        let mut known = self.lock();
        known.truncate(MOST - 1);
        known.push_front((sample.to_vec(), beginning));
    }

    /// What was noted of a log that begins so.
    pub(super) fn take(&self, bytes: &[u8]) -> Option<Beginning> {
        let sample = sample(bytes)?;
        let mut known = self.lock();
        let index = known.iter().position(|(noted, _)| noted == sample)?;
        known.remove(index).map(|(_, beginning)| beginning)
    }

    /// Nothing can be half done under this lock.
    fn lock(&self) -> MutexGuard<'_, VecDeque<(Vec<u8>, Beginning)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes by which a decoder that is given these recognises a layout; none of fewer than tell that they are no documents.
fn sample(bytes: &[u8]) -> Option<&[u8]> {
    let lines = &bytes[..=memchr::memrchr(b'\n', bytes)?];
    (bytes.len() as u64 >= ENOUGH).then(|| whole_lines(lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(line: &str) -> Vec<u8> {
        line.repeat(1 + usize::try_from(ENOUGH).unwrap() / line.len())
            .into_bytes()
    }

    #[test]
    fn what_was_noted_is_given_once_and_for_the_same_bytes_alone() {
        let layouts = Layouts::builtin().unwrap();
        let beginnings = Beginnings::default();
        let line = "2026-11-21 00:03:24,184 INFO  org.apache.flink.runtime.jobmaster.JobMaster [] - text\n";
        let (one, other) = (log(line), log(&line.replace("INFO", "WARN")));
        beginnings.note(&one, &layouts);
        assert!(beginnings.take(&other).is_none());
        let taken = beginnings.take(&one).unwrap();
        assert_eq!(taken.detected.layout, layouts.peel(&one, None).detected.layout);
        assert!(beginnings.take(&one).is_none());
    }

    #[test]
    fn neither_documents_nor_a_few_lines_are_noted() {
        let layouts = Layouts::builtin().unwrap();
        let beginnings = Beginnings::default();
        let document = log(
            r#"{"messageType":"DATA_MESSAGE","applicationARN":"arn:aws:kinesisanalytics:eu-west-1:111122223333:application/a","message":"text"}"#,
        );
        for bytes in [&b"a line\n"[..], &document, b""] {
            beginnings.note(bytes, &layouts);
            assert!(beginnings.take(bytes).is_none());
        }
    }

    #[test]
    fn no_more_is_kept_than_is_of_use() {
        let layouts = Layouts::builtin().unwrap();
        let beginnings = Beginnings::default();
        let logs: Vec<Vec<u8>> = (0..=MOST).map(|n| log(&format!("line {n}\n"))).collect();
        for log in &logs {
            beginnings.note(log, &layouts);
        }
        assert!(beginnings.take(&logs[0]).is_none());
        assert!(logs[1..].iter().all(|log| beginnings.take(log).is_some()));
    }
}
