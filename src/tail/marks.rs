//! What is remembered of a file's bytes on the way to a place, so that a copy that ends before the place can be told from
//! another file that begins alike.
//!
//! A mark lies at every 2ⁿ and 3·2ⁿ bytes from 1 KiB on, and is a hash of the bytes just before it: of a file of a gigabyte
//! there are forty.

use super::identity::{fnv, fnv_on};

/// Most bytes before a mark that its hash is of.
pub(super) const LENGTH: usize = 256;

/// How many a file can have, two for each power of two.
const MOST: usize = 2 * u64::BITS as usize;

/// The offset of the first mark.
const FIRST: u64 = 1024;

/// Bytes of a mark that is saved.
const SAVED: usize = 16;

/// A point before the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Mark {
    /// Bytes before it.
    pub(super) offset: u64,
    hash: u64,
}

impl Mark {
    /// Whether these bytes are those before it.
    pub(super) fn follows(&self, bytes: &[u8]) -> bool {
        bytes.len() == LENGTH && fnv(bytes) == self.hash
    }
}

/// The marks before a place, the first of them foremost.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Marks(Vec<Mark>);

impl Marks {
    /// Goes on over `bytes`, which begin at `offset` and follow `before`.
    pub(super) fn advance(&mut self, before: &[u8], offset: u64, bytes: &[u8]) {
        let end = offset + bytes.len() as u64;
        let mut next = after(offset);
        while next <= end {
            let inside = usize::try_from(next - offset).unwrap_or(bytes.len());
            let fresh = &bytes[inside.saturating_sub(LENGTH)..inside];
            if let Some(old) = before.len().checked_sub(LENGTH - fresh.len()) {
                let hash = fnv_on(fnv(&before[old..]), fresh);
                self.0.push(Mark { offset: next, hash });
            }
            next = after(next);
        }
    }

    /// Those within the first `size` bytes, the last first.
    pub(super) fn within(&self, size: u64) -> impl Iterator<Item = Mark> {
        let marks = self.0.iter().rev().copied();
        marks.filter(move |mark| mark.offset <= size)
    }

    /// As a row of a database has them: offset and hash of each, eight bytes with the lowest first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let numbers = self.0.iter().flat_map(|mark| [mark.offset, mark.hash]);
        numbers.flat_map(u64::to_le_bytes).collect()
    }

    /// Those that were saved so; none where that makes no sense.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let (marks, rest) = bytes.as_chunks::<SAVED>();
        if !rest.is_empty() || marks.len() > MOST {
            return Self::default();
        }
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .rev()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
        };
        let mark = |saved: &[u8; SAVED]| {
            let (offset, hash) = saved.split_at(SAVED / 2);
            let (offset, hash) = (number(offset), number(hash));
            Mark { offset, hash }
        };
        Self(marks.iter().map(mark).collect())
    }
}

/// The offset of the next mark.
fn after(offset: u64) -> u64 {
    if offset < FIRST {
        return FIRST;
    }
    let power = 1 << offset.ilog2();
    let half = power + power / 2;
    // Past the end of what a file can hold there is none.
    if offset < half {
        half
    } else {
        u64::saturating_mul(power, 2)
    }
}

#[cfg(test)]
mod tests {
    use super::{Marks, after};

    fn bytes(count: u32) -> Vec<u8> {
        (0..count).map(|i| u8::try_from(i % 251).unwrap()).collect()
    }

    fn offsets(marks: &Marks) -> Vec<u64> {
        marks.within(u64::MAX).map(|mark| mark.offset).collect()
    }

    #[test]
    fn marks_lie_at_every_power_of_two_and_in_the_middle_between() {
        let marks: Vec<u64> = std::iter::successors(Some(0), |offset| Some(after(*offset)))
            .take(7)
            .collect();
        assert_eq!(marks, [0, 1024, 1536, 2048, 3072, 4096, 6144]);
    }

    #[test]
    fn in_pieces_of_any_size_the_same_marks_are_made() {
        let whole = bytes(9000);
        let mut expected = Marks::default();
        expected.advance(&[], 0, &whole);
        assert_eq!(offsets(&expected), [8192, 6144, 4096, 3072, 2048, 1536, 1024]);
        for piece in [1, 7, 255, 256, 257, 4096, 9000] {
            let mut marks = Marks::default();
            let mut offset = 0;
            for next in whole.chunks(piece) {
                let before = &whole[..offset];
                marks.advance(&before[before.len().saturating_sub(256)..], offset as u64, next);
                offset += next.len();
            }
            assert_eq!(marks, expected, "pieces of {piece}");
        }
        for mark in expected.within(u64::MAX) {
            let end = usize::try_from(mark.offset).unwrap();
            assert!(mark.follows(&whole[end - 256..end]) && !mark.follows(&whole[end - 257..end - 1]));
        }
    }

    #[test]
    fn what_was_saved_is_what_is_restored() {
        for count in [0, 1024, 2048, 100_000] {
            let mut marks = Marks::default();
            marks.advance(&[], 0, &bytes(count));
            assert_eq!(Marks::of_bytes(&marks.to_bytes()), marks, "{count}");
        }
        assert_eq!(Marks::of_bytes(&[1; 15]), Marks::default());
        assert_eq!(Marks::of_bytes(&[1; 4096]), Marks::default());
    }
}
