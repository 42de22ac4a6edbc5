//! When a file came to be: what tells two files apart that had one inode after the other, and begin alike.

use jiff::Timestamp;

/// When a file came to be, as far as its file system tells: ext4, XFS, Btrfs, overlayfs and tmpfs do (`statx`), NFS 3 and
/// most of FUSE do not.
///
/// Unequal ones are those of two files. Equal ones prove nothing: kernels before 6.13 stamp files by a clock that ticks
/// every 1 to 10 ms, and within a tick an inode may be freed and given anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Birth {
    /// Since 1970; 0 where it is not told. Eight bytes, since there is one for every file that is followed.
    nanoseconds: i64,
}

impl Birth {
    /// Not told.
    pub const UNKNOWN: Self = Self { nanoseconds: 0 };

    /// That of a file made then.
    #[must_use]
    pub fn at(made: Timestamp) -> Self {
        Self::of_nanoseconds(i64::try_from(made.as_nanosecond()).unwrap_or_default())
    }

    /// As it was saved: nanoseconds since 1970, or 0.
    #[must_use]
    pub const fn of_nanoseconds(nanoseconds: i64) -> Self {
        Self { nanoseconds }
    }

    /// As it is saved.
    #[must_use]
    pub const fn nanoseconds(self) -> i64 {
        self.nanoseconds
    }

    /// Whether it is certainly another file's.
    #[must_use]
    pub fn is_another(self, than: Self) -> bool {
        self != Self::UNKNOWN && than != Self::UNKNOWN && self != than
    }

    /// What is told, by this or else by what was told before.
    #[must_use]
    pub fn or(self, before: Self) -> Self {
        if self == Self::UNKNOWN { before } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::Birth;

    #[test]
    fn only_two_that_are_told_can_be_those_of_two_files() {
        let [early, late] = [5, 6].map(Birth::of_nanoseconds);
        for (one, other, is_another) in [
            (early, late, true),
            (early, early, false),
            (early, Birth::UNKNOWN, false),
            (Birth::UNKNOWN, late, false),
            (Birth::UNKNOWN, Birth::UNKNOWN, false),
        ] {
            assert_eq!(one.is_another(other), is_another, "{one:?} {other:?}");
            assert_eq!(other.is_another(one), is_another, "{other:?} {one:?}");
        }
        assert_eq!(Birth::UNKNOWN.or(early), early);
        assert_eq!(late.or(early), late);
    }
}
