//! The file system as the tailer sees it: five calls, so that tests can put a faulty one in its place.

use std::ffi::OsString;
use std::fs::File as StdFile;
use std::io;
use std::os::unix::fs::{DirEntryExt, FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rustix::fs::{Mode, OFlags, SeekFrom};

use super::birth::Birth;
use super::identity::FileId;

/// What a name leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file: the only kind that is ever opened.
    Regular,
    /// A directory.
    Directory,
    /// A FIFO, socket or device: opening one can block or act on hardware.
    Other,
}

/// What is known of a file without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Device and inode.
    pub id: FileId,
    /// Length, bytes.
    pub size: u64,
    /// When its content was last written.
    pub mtime: Timestamp,
    /// When it was made.
    pub born: Birth,
    /// What it is.
    pub kind: Kind,
    /// Some of its length has no blocks on disk: reads there yield NULs.
    pub sparse: bool,
}

impl Stat {
    /// Whether this may be the file that had this inode and was made then.
    pub(super) fn may_be(&self, id: FileId, born: Birth) -> bool {
        self.id == id && !self.born.is_another(born)
    }
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name, without its directory.
    pub name: OsString,
    /// Inode of the name itself (of the link, for a symlink).
    pub ino: u64,
    /// What it is; none where the directory does not tell, or for a symlink.
    pub kind: Option<Kind>,
}

/// An open file. Reading it never moves a shared cursor.
pub trait File: Send + Sync {
    /// Size and identity of what is open, whatever its name leads to by now.
    fn stat(&self) -> io::Result<Stat>;
    /// Reads at `offset`; fewer bytes than asked for may come, none at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Where data goes on, from `offset`; none when only a hole is left. Where holes cannot be told, `offset` itself.
    fn next_data(&self, offset: u64) -> io::Result<Option<u64>>;
}

/// A file system.
pub trait Fs: Send + Sync {
    /// Every name in a directory, in no order.
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>>;
    /// Follows symlinks.
    fn stat(&self, path: &Path) -> io::Result<Stat>;
    /// Opens a regular file for reading; refuses everything else without blocking.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>>;
}

/// The machine's file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsFs;

impl Fs for OsFs {
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        std::fs::read_dir(dir)?
            .map(|entry| {
                let entry = entry?;
                let kind = entry.file_type().ok().and_then(|kind| match kind {
                    kind if kind.is_symlink() => None,
                    kind if kind.is_file() => Some(Kind::Regular),
                    kind if kind.is_dir() => Some(Kind::Directory),
                    _ => Some(Kind::Other),
                });
                Ok(Entry {
                    name: entry.file_name(),
                    ino: entry.ino(),
                    kind,
                })
            })
            .collect()
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        std::fs::metadata(path).map(|meta| stat_of(&meta))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        // Asked before opening, since opening a device can act on it, and again after, since the name may lead
        // elsewhere by then. `NONBLOCK` keeps a FIFO that slipped in from blocking; it means nothing to a file.
        regular(self.stat(path)?.kind)?;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        let file = OsFile(StdFile::from(rustix::fs::open(path, flags, Mode::empty())?));
        regular(file.stat()?.kind)?;
        Ok(Arc::new(file))
    }
}

fn regular(kind: Kind) -> io::Result<()> {
    match kind {
        Kind::Regular => Ok(()),
        Kind::Directory | Kind::Other => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
        }
    }
}

struct OsFile(StdFile);

impl File for OsFile {
    fn stat(&self) -> io::Result<Stat> {
        self.0.metadata().map(|meta| stat_of(&meta))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        match rustix::fs::seek(&self.0, SeekFrom::Data(offset)) {
            Ok(found) => Ok(Some(found)),
            Err(rustix::io::Errno::NXIO) => Ok(None),
            Err(_) => Ok(Some(offset)),
        }
    }
}

/// Unit of `st_blocks`, whatever the file system's own block size (POSIX leaves it open; Linux and macOS agree).
const BLOCK: u64 = 512;

fn stat_of(meta: &std::fs::Metadata) -> Stat {
    let kind = match meta.file_type() {
        kind if kind.is_file() => Kind::Regular,
        kind if kind.is_dir() => Kind::Directory,
        _ => Kind::Other,
    };
    let nanoseconds = i32::try_from(meta.mtime_nsec()).unwrap_or(0);
    // Comes with the same call.
    let made = meta
        .created()
        .ok()
        .and_then(|made| Timestamp::try_from(made).ok());
    Stat {
        id: FileId {
            dev: meta.dev(),
            ino: meta.ino(),
        },
        size: meta.size(),
        mtime: Timestamp::new(meta.mtime(), nanoseconds).unwrap_or(Timestamp::UNIX_EPOCH),
        born: made.map_or(Birth::UNKNOWN, Birth::at),
        kind,
        sparse: meta.blocks().saturating_mul(BLOCK) < meta.size(),
    }
}

/// Reads until `buffer` is full or the file ends; returns how much came.
pub(super) fn fill(file: &dyn File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read_at(&mut buffer[got..], offset + got as u64) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}
