//! From the bytes of one log to what its records say: scan, decode and rules put together.
//!
//! Whatever reads logs (the daemon, `replay`, tests, fuzzers, benches) calls this one pipeline: a [`LogDecoder`] for each
//! log, all sharing one [`Wording`]. It is told bytes and times, and answers with [`Seen`](crate::model::event::Seen)s.
//!
//! **Invariant.** What comes out depends on the bytes alone, not on how they were cut into reads.

mod beginnings;
mod decoder;
mod documents;
mod event_ids;
mod head;
mod input;
mod memory;
mod quiet;
mod recognise;
mod source;
mod tally;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use aho_corasick::BuildError;

use crate::decode::layout::Layout;
use crate::decode::layouts::Layouts;
use crate::rules::RuleSet;
use crate::scan::Scanner;
use beginnings::Beginnings;

pub use decoder::LogDecoder;
pub use event_ids::EventIds;
pub use head::read_head;
pub use input::{LogSettings, ReadAt};
pub use memory::Memory;
pub use source::SourceDecoder;
pub use tally::{Tally, Totals};

/// What logs may look like and what their lines mean: shared by all logs, never changed.
#[derive(Debug)]
pub struct Wording {
    /// What lines mean.
    pub rules: RuleSet,
    /// How lines look.
    pub layouts: Layouts,
    scanner: Scanner,
    /// For logs whose lines may be cut: finds cut lines too, since a cut may go through a literal.
    cut_scanner: Scanner,
    beginnings: Beginnings,
}

/// In what CRI writes before a line that is cut ([`crate::decode::wrapper::Wrapper::Cri`]). Docker's cut lines have no
/// mark, but are 16 KiB long: no statement of Flink's reaches a cut unless a name is of that length.
const CUT_MARKS: [&str; 2] = [" stdout P", " stderr P"];

impl Wording {
    /// Puts rules and layouts together. Fails only where the rules' literals are too many for any search (2³¹ bytes).
    pub fn new(rules: RuleSet, layouts: Layouts) -> Result<Self, BuildError> {
        let mut literals = rules.literals();
        literals.push(quiet::ERROR);
        let scanner = Scanner::new(&literals)?;
        let marked: Vec<&[u8]> = literals
            .iter()
            .map(AsRef::as_ref)
            .chain(CUT_MARKS.iter().map(|mark| mark.as_bytes()))
            .collect();
        let cut_scanner = Scanner::new(&marked)?;
        Ok(Self {
            rules,
            layouts,
            scanner,
            cut_scanner,
            beginnings: Beginnings::default(),
        })
    }

    /// Searches bytes for what a decoder will want to look at, so that several threads may do that and one the rest. For
    /// [`LogDecoder::push`]: places in the bytes, in order; `hits` is emptied first.
    pub fn search(&self, bytes: &[u8], hits: &mut Vec<u32>) {
        hits.clear();
        hits.extend(
            self.scanner
                .candidates(bytes)
                .filter_map(|hit| u32::try_from(hit).ok()),
        );
    }

    /// Looks into the first bytes of a file, so that neither [`read_head`] nor its decoder need do that.
    pub fn foresee(&self, bytes: &[u8]) {
        let _noted = self.beginnings.of(bytes, &self.layouts);
    }

    const fn scanner(&self, cuts: bool) -> &Scanner {
        if cuts { &self.cut_scanner } else { &self.scanner }
    }
}

/// A layout that a user chose for a log: by the id of a known one, or as the pattern of their own configuration.
#[derive(Debug, Clone)]
pub struct ChosenLayout(Arc<Layout>);

impl ChosenLayout {
    /// Finds or compiles a layout; the error says what is wrong with it and where.
    pub fn new(layouts: &Layouts, text: &str) -> Result<Self, String> {
        if let Some(id) = layouts.named(text) {
            return Ok(Self(layouts.shared(id)));
        }
        if !text.contains('%') {
            let ids: Vec<&str> = layouts.iter().map(|(_, layout)| layout.id()).collect();
            return Err(format!(
                "`{text}` is neither a known layout ({}) nor a pattern such as `%d %-5p %c - %m%n`",
                ids.join(", ")
            ));
        }
        match Layouts::from_pattern(text) {
            Ok(layout) if !layout.has_logger() => Err(format!(
                "the pattern `{text}` prints no logger (`%c`): without it Flink's lines cannot be told from those of jobs"
            )),
            Ok(layout) => Ok(Self(Arc::new(layout))),
            Err(error) => Err(format!(
                "column {} of the pattern `{text}`: {}",
                text[..error.offset.min(text.len())].chars().count() + 1,
                error.message
            )),
        }
    }
}
