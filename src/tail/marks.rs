//! What is remembered of a file's bytes on the way to a place, so that a copy that ends before the place can be told from
//! another file that begins alike.
//!
//! A mark lies at every 2ⁿ and 3·2ⁿ bytes from 1 KiB on, and is a hash of the bytes just before it. The last few are kept: a
//! copy made while its file was being written ends shortly before what was read of that by then.

use super::identity::{fnv, fnv_on};

/// Most bytes before a mark that its hash is of.
pub(super) const LENGTH: usize = 256;

/// How many are kept: with them, a copy of a quarter of what was read is known.
const KEPT: usize = 5;

/// The offset of the first mark.
const FIRST: u64 = 1024;

/// Bytes of a mark that is saved.
const SAVED: usize = 16;

/// A point before the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Mark {
    /// Bytes before it; 0 where there is no mark.
    pub(super) offset: u64,
    hash: u64,
}

impl Mark {
    /// Whether these bytes are those before it.
    pub(super) fn follows(&self, bytes: &[u8]) -> bool {
        bytes.len() == LENGTH && fnv(bytes) == self.hash
    }
}

/// The last marks before a place, the first of them foremost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Marks([Mark; KEPT]);

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
                self.0.rotate_left(1);
                self.0[KEPT - 1] = Mark { offset: next, hash };
            }
            next = after(next);
        }
    }

    /// Those within the first `size` bytes, the last first.
    pub(super) fn within(&self, size: u64) -> impl Iterator<Item = Mark> {
        let marks = self.0.into_iter().rev();
        marks.filter(move |mark| mark.offset > 0 && mark.offset <= size)
    }

    /// As a row of a database has them: offset and hash of each, eight bytes with the lowest first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let kept = self.0.iter().filter(|mark| mark.offset > 0);
        kept.flat_map(|mark| [mark.offset, mark.hash])
            .flat_map(u64::to_le_bytes)
            .collect()
    }

    /// Those that were saved so; none where that makes no sense.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let (numbers, rest) = bytes.as_chunks();
        let numbers: Vec<u64> = numbers.iter().copied().map(u64::from_le_bytes).collect();
        let mut marks = Self::default();
        if rest.is_empty() && bytes.len() <= KEPT * SAVED {
            for (mark, saved) in marks.0.iter_mut().rev().zip(numbers.chunks_exact(2).rev()) {
                *mark = Mark {
                    offset: saved[0],
                    hash: saved[1],
                };
            }
        }
        marks
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
        assert_eq!(offsets(&expected), [8192, 6144, 4096, 3072, 2048]);
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
