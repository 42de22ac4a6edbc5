//! What people should know of a log that tells less than it could, and what to do about it.

use std::sync::Arc;

use super::Engine;
use crate::stats::{Blind, RecordResult};

/// Records that are lost or mended, and what to do about the first of a log.
pub(super) const COMPLAINTS: [(RecordResult, &str); 2] = [
    (
        RecordResult::TooLong,
        "has lines or records longer than allowed, which are skipped: if they are Flink's own, raise `line_bytes` and \
         `record_bytes` in `[limits]`",
    ),
    (
        RecordResult::InvalidUtf8,
        "has records of jobs that are not UTF-8, shown with a mark in place of what cannot be read: let Flink write UTF-8 \
         (-Dfile.encoding=UTF-8, or the charset of its log4j or logback appender)",
    ),
];

impl Engine {
    /// What people should know of logs and were not told: the log's name, and what to do.
    #[must_use]
    pub fn take_advice(&mut self) -> Vec<(Arc<str>, &'static str)> {
        let mut news = Vec::new();
        for id in std::mem::take(&mut self.unadvised) {
            let Some(log) = self.logs.get_mut(&id) else {
                continue;
            };
            let tally = log.decoder.tally();
            let blind = tally.blind();
            if blind.is_some() && blind != log.told {
                news.extend(blind.map(|blind| (Arc::clone(&log.name), advice(blind))));
                log.told = blind;
            }
            for (index, (result, advice)) in COMPLAINTS.iter().enumerate() {
                if tally.records(*result) > 0 && !log.complained[index] {
                    news.push((Arc::clone(&log.name), *advice));
                    log.complained[index] = true;
                }
            }
        }
        news
    }
}

/// What to tell people of a log that cannot show transitions.
const fn advice(blind: Blind) -> &'static str {
    match blind {
        Blind::LevelAboveInfo => {
            "nothing at INFO is printed here, and Flink prints a job's transitions at INFO: set rootLogger.level (or \
             logger.org.apache.flink.runtime) to INFO in Flink's log4j configuration"
        }
        Blind::NoLogger => {
            "its layout prints no logger, so that Flink's lines cannot be told from others: add %c (log4j) or %logger \
             (logback) to the pattern in Flink's configuration"
        }
        Blind::UnknownLayout => {
            "no layout recognises its lines: give the pattern of Flink's log4j or logback configuration with --layout or \
             `layout =`, and see what `flinktail explain` makes of a line"
        }
        Blind::Encoding => "it is written in UTF-16 or UTF-32, which is not read: let Flink write UTF-8",
    }
}
