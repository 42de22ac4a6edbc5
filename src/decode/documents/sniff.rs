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
        let left = usize::try_from(ENOUGH.saturating_sub(self.read)).unwrap_or(usize::MAX);
        let (first, rest) = bytes.split_at(left.min(bytes.len()));
        self.walk(first);
        // What has begun by then may be one long document.
        if !self.found && self.walker.is_inside_json() {
            self.walk(rest);
        } else {
            self.read += rest.len() as u64;
        }
        // Frameworks print an object on one line; one over several is somebody's document.
        self.found |= self.walker.is_document();
        self.found
    }

    fn walk(&mut self, bytes: &[u8]) {
        let found = &mut self.found;
        self.walker.push(bytes, self.read, &mut |step| {
            *found |= matches!(step.leaf, Leaf::Carries(..) | Leaf::Document(..));
        });
        self.read += bytes.len() as u64;
    }

    /// Whether nothing was seen yet.
    #[must_use]
    pub const fn is_untouched(&self) -> bool {
        self.read == 0
    }

    /// Whether enough was seen to call it a log.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.read >= ENOUGH
    }
}
