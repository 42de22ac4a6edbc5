//! Are these bytes the beginning of documents, or of a log's own lines?

use super::walk::{Leaf, Walker};

/// How much of a log is looked at, bytes; one that has shown no document by then is a log.
pub const ENOUGH: u64 = 32 * 1024;

/// Looks at the beginning of a log as it is read.
#[derive(Debug, Default)]
pub struct Sniffer {
    walker: Walker,
    read: u64,
    found: bool,
}

impl Sniffer {
    /// Takes the next bytes; true once a document was seen.
    pub fn push(&mut self, bytes: &[u8]) -> bool {
        let found = &mut self.found;
        self.walker.push(bytes, self.read, &mut |step| {
            *found |= matches!(step.leaf, Leaf::Carries(..) | Leaf::Document(..));
        });
        self.read += bytes.len() as u64;
        // Frameworks print an object on one line; one over several is somebody's document.
        self.found |= self.walker.is_document();
        self.found
    }

    /// Whether enough was seen to call it a log.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.read >= ENOUGH
    }
}
