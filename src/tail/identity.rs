//! Which bytes a file holds: what stays true of it through renames, copies and reused inodes.
//!
//! An inode number alone lies (ext4 gives a deleted file's number to the next one at once), a head alone lies (two
//! files may begin alike), a size alone lies. A position is trusted when the bytes just before it are still there.

use std::io;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::birth::Birth;
use super::fs::{File, Stat, fill};
use super::gz::{Unpacker, is_packed};
use super::marks::{self, Marks};

/// Device and inode. The same file has one as long as it exists, whatever its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FileId {
    /// Device number.
    pub dev: u64,
    /// Inode number; 0 is no file's.
    pub ino: u64,
}

impl FileId {
    /// No file's: that of a position whose file is not found.
    pub(super) const NONE: Self = Self { dev: 0, ino: 0 };
}

/// Length and hash of a file's first bytes, up to [`Head::BYTES`]: it grows with a file that is still short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Head {
    /// Bytes hashed.
    pub len: u64,
    /// Their FNV-1a hash (64 bits): chosen because it can be carried on byte by byte and is the same in every release.
    pub hash: u64,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            len: 0,
            hash: FNV_OFFSET,
        }
    }
}

impl Head {
    /// Most bytes hashed.
    pub const BYTES: u64 = 1024;

    /// The head of a file that begins with `first`.
    #[must_use]
    pub fn of(first: &[u8]) -> Self {
        let mut head = Self::default();
        head.extend(0, first);
        head
    }

    /// Tells of `bytes` at `offset`. A read from the very beginning starts anew, one that leaves a gap adds nothing.
    fn extend(&mut self, offset: u64, bytes: &[u8]) {
        if offset == 0 {
            *self = Self::default();
        }
        if offset != self.len {
            return;
        }
        let most = usize::try_from(Self::BYTES - self.len).unwrap_or(0);
        let bytes = &bytes[..bytes.len().min(most)];
        self.hash = fnv_on(self.hash, bytes);
        self.len += bytes.len() as u64;
    }

    /// Whether a file that begins with `first` begins as this one did.
    #[must_use]
    pub fn begins(&self, first: &[u8]) -> bool {
        usize::try_from(self.len).is_ok_and(|len| first.len() >= len && Self::of(&first[..len]) == *self)
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a, 64 bits.
pub(super) fn fnv(bytes: &[u8]) -> u64 {
    fnv_on(FNV_OFFSET, bytes)
}

/// The hash of what has `hash` and of `bytes` after it.
pub(super) fn fnv_on(hash: u64, bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let next = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
    bytes.iter().fold(hash, next)
}

/// A point in a file's content, with what was before it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Place {
    /// Bytes before the point (uncompressed).
    pub offset: u64,
    /// How the file began.
    pub head: Head,
    /// The last bytes before the point, at most [`Place::ANCHOR`]. The one thing that tells a file that was cut and
    /// written anew to the same size or more from one that merely grew.
    pub anchor: Vec<u8>,
    /// Points before it.
    pub marks: Marks,
}

/// What comparing a place with a file found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// Head and anchor are where they should be: reading may go on at the place.
    Same,
    /// The file ends before the place, and what it holds is what was before it.
    Shorter,
    /// Other content, or nothing that would prove it to be the same.
    Different,
}

impl Place {
    /// Most bytes remembered before the point.
    pub const ANCHOR: usize = 256;

    /// Goes on over `bytes`, which follow the point.
    pub(super) fn advance(&mut self, bytes: &[u8]) {
        self.head.extend(self.offset, bytes);
        self.marks.advance(&self.anchor, self.offset, bytes);
        self.offset += bytes.len() as u64;
        let tail = &bytes[bytes.len().saturating_sub(Self::ANCHOR)..];
        let excess = (self.anchor.len() + tail.len()).saturating_sub(Self::ANCHOR);
        self.anchor.drain(..excess.min(self.anchor.len()));
        self.anchor.extend_from_slice(tail);
    }

    /// Goes on over a hole up to `offset`: as many NULs.
    pub(super) fn jump(&mut self, offset: u64) {
        const NULS: [u8; 4096] = [0; 4096];
        let hole = offset.saturating_sub(self.offset);
        let step = hole.min(NULS.len() as u64);
        self.advance(&NULS[..usize::try_from(step).unwrap_or(0)]);
        if self.offset < offset {
            self.offset = offset;
            self.marks = Marks::default();
        }
    }

    /// The place at `offset` of a file, its head and anchor read from it.
    pub(super) fn read(content: &mut Content, offset: u64) -> io::Result<Self> {
        let mut place = Self::default();
        // The head of a plain file is of bytes that were read; those of a packed one do not change.
        let head = if content.is_packed() {
            Head::BYTES
        } else {
            offset.min(Head::BYTES)
        };
        let mut bytes = vec![0; usize::try_from(head).unwrap_or(0)];
        let got = content.fill(&mut bytes, 0)?;
        place.head = Head::of(&bytes[..got]);
        bytes.resize(usize::try_from(offset.min(Self::ANCHOR as u64)).unwrap_or(0), 0);
        let start = offset - bytes.len() as u64;
        let got = content.fill(&mut bytes, start)?;
        place.offset = offset;
        bytes.truncate(got);
        place.anchor = bytes;
        Ok(place)
    }

    /// The beginning of the line that the point is in, if that is still known: where reading goes on once the file was
    /// left, and what there was of its last line was taken for a line.
    pub(super) fn at_line_start(mut self) -> Self {
        let is_all = self.anchor.len() as u64 == self.offset;
        let start = memchr::memrchr(b'\n', &self.anchor).map(|end| end + 1);
        if let Some(start) = start.or(is_all.then_some(0)) {
            self.offset -= (self.anchor.len() - start) as u64;
            self.anchor.truncate(start);
        }
        self
    }

    /// Whether anything tells the file in which it is.
    pub(super) const fn is_known(&self) -> bool {
        self.offset == 0 || self.head.len > 0
    }

    /// Whether the point is known to be where a line begins.
    pub(super) fn is_line_start(&self) -> bool {
        self.offset == 0 || self.anchor.ends_with(b"\n")
    }

    /// A place that was saved, whatever became of it meanwhile.
    pub(super) fn sane(mut self) -> Self {
        if self.anchor.len() > Self::ANCHOR || self.anchor.len() as u64 > self.offset {
            self.anchor.clear();
        }
        self
    }

    /// Whether `content` holds this place.
    pub(super) fn compare(&self, content: &mut Content) -> io::Result<Compared> {
        let mut bytes = vec![0; usize::try_from(self.head.len.min(Head::BYTES)).unwrap_or(0)];
        let got = content.fill(&mut bytes, 0)?;
        // Shorter than its own head was: nothing is left to compare with.
        // (And no file is longer than an `off_t` can say.)
        if !self.head.begins(&bytes[..got]) || i64::try_from(self.offset).is_err() {
            return Ok(Compared::Different);
        }
        bytes.resize(self.anchor.len(), 0);
        let got = content.fill(&mut bytes, self.offset.saturating_sub(self.anchor.len() as u64))?;
        match got {
            _ if got < self.anchor.len() => self.compare_shorter(content),
            _ if bytes == self.anchor => Ok(Compared::Same),
            _ => Ok(Compared::Different),
        }
    }

    /// The last mark that a file holds tells whether it is a copy made before all of this was written.
    fn compare_shorter(&self, content: &mut Content) -> io::Result<Compared> {
        let mut bytes = [0; marks::LENGTH];
        for mark in self.marks.within(self.offset) {
            if content.fill(&mut bytes, mark.offset - marks::LENGTH as u64)? < bytes.len() {
                continue;
            }
            return Ok(if mark.follows(&bytes) {
                Compared::Shorter
            } else {
                Compared::Different
            });
        }
        Ok(Compared::Different)
    }
}

/// How far one file has been read: plain data for a store to keep, and all that is needed to go on after a restart.
///
/// A log has one for each file of its family that is there, those read to their end included: only so can a file that
/// came while nobody looked be told from one already read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Position {
    /// The log's name, as in [`super::LogInfo::name`].
    pub log: String,
    /// The file's identity when last seen.
    pub id: FileId,
    /// When that file was made.
    pub born: Birth,
    /// How far it was read.
    pub place: Place,
    /// Its size when last seen, bytes: what is lost at least when the file is gone.
    pub size: u64,
    /// When it had last been written, as far as it was read.
    pub written: Timestamp,
    /// Read to its end, and another file follows it.
    pub done: bool,
}

impl Position {
    /// Whether a file may be the one that it is of, by what is known without opening it.
    pub(super) fn may_be_of(&self, stat: &Stat) -> bool {
        stat.may_be(self.id, self.born)
    }

    /// A position's key and path are one string; this is how a path is written as one: bytes that are no UTF-8 as `\xNN`.
    #[must_use]
    pub fn printable(path: &Path) -> String {
        use std::fmt::Write as _;
        use std::os::unix::ffi::OsStrExt as _;
        let mut text = String::new();
        for chunk in path.as_os_str().as_bytes().utf8_chunks() {
            text.push_str(chunk.valid());
            for byte in chunk.invalid() {
                // Writing to a String cannot fail.
                let _infallible = write!(text, "\\x{byte:02x}");
            }
        }
        text
    }
}

/// A file's uncompressed bytes.
pub(super) enum Content {
    /// As they are.
    Plain(Arc<dyn File>),
    /// Through gzip: cheap to go on, dear to go back.
    Gz(Box<Unpacker>),
}

impl Content {
    pub(super) fn new(file: Arc<dyn File>, gz: bool) -> Self {
        if gz {
            Self::Gz(Box::new(Unpacker::new(file)))
        } else {
            Self::Plain(file)
        }
    }

    /// Sees whether a file without `.gz` in its name is packed all the same, as objects of S3 are.
    pub(super) fn look_inside(&mut self) -> io::Result<()> {
        if let Self::Plain(file) = self
            && is_packed(&**file)?
        {
            *self = Self::new(Arc::clone(file), true);
        }
        Ok(())
    }

    /// Whether it comes through gzip.
    pub(super) const fn is_packed(&self) -> bool {
        matches!(self, Self::Gz(_))
    }

    /// The file itself.
    pub(super) fn file(&self) -> &dyn File {
        match self {
            Self::Plain(file) => &**file,
            Self::Gz(unpacker) => unpacker.file(),
        }
    }

    /// Where it ends: at `size` or, where that is what its size was some time ago, further on.
    pub(super) fn end(&mut self, size: u64) -> io::Result<u64> {
        let mut bytes = [0; 4096];
        let mut end = size;
        loop {
            match self.fill(&mut bytes, end)? {
                0 => return Ok(end),
                got => end += got as u64,
            }
        }
    }

    /// Whether it has a byte before `size`, and so is no shorter.
    pub(super) fn reaches(&mut self, size: u64) -> io::Result<bool> {
        Ok(size == 0 || self.goes_on(size - 1)?)
    }

    /// Whether it has a byte behind this offset, whatever its size is said to be.
    pub(super) fn goes_on(&mut self, offset: u64) -> io::Result<bool> {
        Ok(self.fill(&mut [0], offset)? > 0)
    }

    /// Reads until `buffer` is full or the content ends; returns how much came.
    pub(super) fn fill(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Self::Plain(file) => fill(&**file, buffer, offset),
            Self::Gz(unpacker) => unpacker.fill(buffer, offset),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Head, Place, Position};

    #[test]
    fn a_head_grown_in_pieces_is_the_head_of_the_whole() {
        let whole: Vec<u8> = (0..3000_u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
        for piece in [1, 7, 256, 1023, 1024, 1025, 3000] {
            let mut place = Place::default();
            whole.chunks(piece).for_each(|bytes| place.advance(bytes));
            assert_eq!(place.head, Head::of(&whole), "pieces of {piece}");
            assert_eq!(place.anchor, whole[3000 - Place::ANCHOR..], "pieces of {piece}");
            assert_eq!(place.offset, 3000);
        }
    }

    #[test]
    fn a_head_knows_its_file_when_that_has_grown_and_no_other() {
        let head = Head::of(b"2026-11-01 one");
        assert!(head.begins(b"2026-11-01 one\n2026-11-01 two\n"));
        assert!(!head.begins(b"2026-11-01 on"));
        assert!(!head.begins(b"2026-11-01 two"));
    }

    #[test]
    fn a_jump_over_a_hole_leaves_the_anchor_that_a_read_would_find() {
        for hole in [1_u64, 255, 256, 5000, 1 << 40] {
            let mut place = Place::default();
            place.advance(b"ab");
            place.jump(2 + hole);
            assert_eq!(place.offset, 2 + hole);
            let nuls = place.anchor.iter().rev().take_while(|byte| **byte == 0).count() as u64;
            assert_eq!(nuls, hole.min(256));
        }
    }

    #[test]
    fn a_path_that_is_no_utf8_is_printed_without_loss() {
        use std::os::unix::ffi::OsStrExt as _;
        let path = std::path::Path::new(std::ffi::OsStr::from_bytes(b"/log/a\xff\xfe.log"));
        assert_eq!(Position::printable(path), "/log/a\\xff\\xfe.log");
    }
}
