//! The next step in reading a file: more bytes, its end for now, or the discovery that it is not what it was.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::ahead::Upcoming;
use super::file::{Held, SETTLED, Tracked};
use super::fs::Stat;
use super::gz::is_damage;
use super::identity::{Compared, Content, FileId, Place};
use super::notice::Notice;
use super::pass::{Numbers, Pass, Retry};
use crate::stats::{Op, Rotation};

/// Bytes for which helpers are told of a file before its turn comes: of fewer they would hear too late.
const MUCH: u64 = 32 << 10;

/// Bytes in the buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Data {
    /// Where in the buffer; empty when only NULs were skipped.
    pub(super) range: Range<usize>,
    pub(super) offset: u64,
    pub(super) fresh: bool,
    /// The bytes were searched; [`super::ahead::Ahead::hits`].
    pub(super) searched: bool,
    /// Bytes gone over, skipped ones included.
    pub(super) taken: usize,
}

/// What became of a try to read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Data(Data),
    /// Read to where it ends now.
    AtEnd,
    /// Not now: an error, or a doubt.
    Wait,
    /// Other content than was read.
    Cut(Rotation),
    /// Its directory is to be looked at first: its name leads to another file, or what it held before may be in a copy.
    Look,
}

impl Tracked {
    /// Reads on, at most what `buffer` holds beside [`Place::ANCHOR`] bytes; where it is shorter than what there is, it is
    /// made as long as it ever is.
    pub(super) fn read(&mut self, pass: &mut Pass, numbers: &mut Numbers, buffer: &mut Vec<u8>) -> Step {
        if self.retry.waits(pass.now) {
            return Step::Wait;
        }
        let stat = match self.hold(pass, numbers) {
            Ok((stat, _)) => stat,
            Err(step) => return step,
        };
        let changed = self.checked != Some((stat.size, stat.mtime));
        self.size = stat.size;
        self.mtime = stat.mtime;
        if self.is_packed() || self.to_next_boundary(stat.size) > room_of(buffer) as u64 {
            buffer.resize(pass.settings.buffer_len(), 0);
        }
        let got = if self.is_packed() {
            self.read_packed(pass, numbers, buffer, changed)
        } else if changed || self.lag() > 0 {
            self.read_plain(pass, numbers, buffer, &stat)
        } else {
            Ok(Step::AtEnd)
        };
        match got {
            Ok(step) => {
                if matches!(step, Step::Data(_)) {
                    self.is_borrowed = false;
                    self.quiet = pass.now;
                    self.retry = Retry::default();
                }
                step
            }
            Err(error) => self.failed(pass, numbers, Op::Read, &error),
        }
    }

    fn fill(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match &mut self.held {
            Some(held) => held.content.fill(buffer, offset),
            None => Ok(0),
        }
    }

    /// Fills the buffer with what helpers have read: the anchor and what follows it.
    fn take_ahead(&mut self, pass: &mut Pass, buffer: &mut Vec<u8>, size: u64, len: usize) -> bool {
        let chunk = pass.settings.chunk;
        if room_of(buffer) < chunk {
            return false;
        }
        let end = self.end_of_turn(size, pass.left, chunk as u64);
        let piece = (self.place.offset, self.place.anchor.len(), len);
        match (&mut pass.ahead, &self.held) {
            (
                Some(ahead),
                Some(Held {
                    content: Content::Plain(file),
                    ..
                }),
            ) => ahead.take(self.id, file, piece, end, buffer),
            _ => false,
        }
    }

    /// Up to where it is read, in steps of `chunk` bytes, before it is another log's turn.
    fn end_of_turn(&self, size: u64, left: u64, chunk: u64) -> u64 {
        let turn = left.div_ceil(chunk).saturating_mul(chunk);
        self.place
            .offset
            .saturating_add(self.to_next_boundary(size).min(turn))
    }

    /// What is read of it when its turn comes, where that is much.
    pub(super) fn upcoming(&mut self, pass: &mut Pass, numbers: &mut Numbers) -> Option<Upcoming> {
        if self.is_packed() || self.lag() < MUCH || self.retry.waits(pass.now) {
            return None;
        }
        let (left, chunk) = (pass.settings.log_budget as u64, pass.settings.chunk as u64);
        let (stat, content) = self.hold(pass, numbers).ok()?;
        let Content::Plain(file) = content else {
            return None;
        };
        let file = Arc::clone(file);
        Some(Upcoming {
            id: self.id,
            file,
            place: self.place.offset,
            end: self.end_of_turn(stat.size, left, chunk),
        })
    }

    fn read_plain(
        &mut self,
        pass: &mut Pass,
        numbers: &mut Numbers,
        buffer: &mut Vec<u8>,
        stat: &Stat,
    ) -> io::Result<Step> {
        // The bytes before the place and those after it come in one read, so that no truncation fits between them.
        let anchor = self.place.anchor.len();
        let len = most(room_of(buffer), self.to_next_boundary(stat.size));
        let want = anchor + len;
        let searched = self.take_ahead(pass, buffer, stat.size, len);
        let got = if searched {
            want
        } else {
            self.fill(&mut buffer[..want], self.place.offset - anchor as u64)?
        };
        if got < anchor {
            return Ok(self.doubt(pass));
        }
        if buffer[..anchor] != self.place.anchor || self.place.offset == 0 && !self.begins_as_known()? {
            return Ok(Step::Cut(self.kind_of_cut()));
        }
        if got > 0 && self.place.offset == 0 && self.place.head.len == 0 {
            // Since it was empty it may have been copied and cut, and renamed: what is there by now is put in order first.
            // And with its head known, a cut after this shows.
            return Ok(Step::Look);
        }
        self.reopened = false;
        if stat.size < self.place.offset {
            // The size is stale (a network file system's cache): the bytes are there.
            pass.soon = true;
            return Ok(Step::Wait);
        }
        self.doubted = None;
        self.known = stat.size;
        self.written = stat.mtime;
        if got == anchor {
            self.checked = Some((stat.size, stat.mtime));
            return Ok(Step::AtEnd);
        }
        let data = self.take(&buffer[anchor..got], anchor, searched);
        numbers.read_bytes += data.taken as u64;
        if data.range.is_empty()
            && stat.sparse
            && let Some(held) = &self.held
        {
            let next = held
                .content
                .file()
                .next_data(self.place.offset)?
                .unwrap_or(stat.size);
            self.place.jump(next.min(stat.size));
        }
        Ok(Step::Data(data))
    }

    fn read_packed(
        &mut self,
        pass: &mut Pass,
        numbers: &mut Numbers,
        buffer: &mut [u8],
        changed: bool,
    ) -> io::Result<Step> {
        if changed {
            if let Some(Held {
                content: Content::Gz(unpacker),
                ..
            }) = &mut self.held
            {
                unpacker.rewind();
            }
            self.quiet = pass.now;
            self.settle();
        }
        if (changed || self.reopened) && self.place.offset > 0 && self.is_another()? {
            // Its inode is another file's by now: where its bytes went, the directory tells.
            self.id = FileId::NONE;
            self.close();
            return Ok(Step::Look);
        }
        self.reopened = false;
        let most = room_of(buffer);
        match self.fill(&mut buffer[..most], self.place.offset) {
            Ok(0) => Ok(Step::AtEnd),
            Ok(got) => {
                let data = self.take(&buffer[..got], 0, false);
                numbers.read_bytes += data.taken as u64;
                Ok(Step::Data(data))
            }
            Err(error) if !is_damage(&error) => Err(error),
            Err(_) if !pass.once && pass.now < self.quiet + SETTLED => Ok(Step::Wait),
            Err(_) => {
                pass.notices.say(Notice::Damaged(self.path.to_path_buf()));
                numbers.failed(Op::Unpack);
                Ok(Step::AtEnd)
            }
        }
    }

    /// Whether a packed file does not hold what was read of it, as far as it can be unpacked.
    fn is_another(&mut self) -> io::Result<bool> {
        let Some(held) = &mut self.held else {
            return Ok(false);
        };
        match self.place.compare(&mut held.content) {
            Ok(compared) => Ok(compared != Compared::Same),
            Err(error) if is_damage(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether it still begins as it did when it was found. Asked after its first bytes were read, so that a truncation
    /// before or in between shows.
    fn begins_as_known(&mut self) -> io::Result<bool> {
        match &mut self.held {
            Some(held) if self.place.head.len > 0 => {
                Ok(self.place.compare(&mut held.content)? == Compared::Same)
            }
            _ => Ok(true),
        }
    }

    /// How far one read may go: not over the line between what was there at the start and what came since.
    fn to_next_boundary(&self, size: u64) -> u64 {
        let offset = self.place.offset;
        let end = match self.expected {
            Some(end) if offset < end => end.min(size),
            _ => size,
        };
        end.saturating_sub(offset)
    }

    /// Goes over `bytes`, which begin at `start` of the buffer and at the place. Those that were searched have no NULs.
    fn take(&mut self, bytes: &[u8], start: usize, searched: bool) -> Data {
        let (nuls, len) = if searched {
            (0, bytes.len())
        } else {
            segment(bytes, self.line_start)
        };
        // A packed file cannot be read again from the middle at no cost: its inner NULs are given as they are.
        let len = if self.is_packed() { bytes.len() - nuls } else { len };
        let offset = self.place.offset + nuls as u64;
        // When a packed file was written is not when it is read.
        let fresh = !self.is_packed() && self.expected.is_none_or(|end| self.place.offset >= end);
        self.place.advance(&bytes[..nuls + len]);
        if len > 0 {
            self.line_start = bytes[nuls + len - 1] == b'\n';
        }
        let range = start + nuls..start + nuls + len;
        Data {
            range,
            offset,
            fresh,
            searched,
            taken: nuls + len,
        }
    }

    /// The file seems shorter than what was read of it. Network file systems say so for a moment of files that are not:
    /// it must still be so in a later pass.
    fn doubt(&mut self, pass: &mut Pass) -> Step {
        match self.doubted {
            Some(first) if first < pass.number => Step::Cut(self.kind_of_cut()),
            Some(_) => Step::Wait,
            None => {
                self.doubted = Some(pass.number);
                pass.soon = true;
                Step::Wait
            }
        }
    }

    /// While it was held open, its inode could not become another file's.
    fn kind_of_cut(&mut self) -> Rotation {
        let place = Place {
            anchor: Vec::new(),
            ..self.place.clone()
        };
        let same_head = self
            .held
            .as_mut()
            .and_then(|held| place.compare(&mut held.content).ok());
        match same_head {
            Some(Compared::Same | Compared::Shorter) => Rotation::Truncate,
            _ if self.reopened => Rotation::Replace,
            _ => Rotation::Truncate,
        }
    }
}

/// How much a buffer takes of what follows the place.
const fn room_of(buffer: &[u8]) -> usize {
    buffer.len() - Place::ANCHOR
}

fn most(buffer: usize, wanted: u64) -> usize {
    usize::try_from(wanted).map_or(buffer, |wanted| wanted.min(buffer))
}

/// How many NULs to skip, and how many bytes to give after them.
///
/// A line never begins with NULs of its own: they are the hole that a writer without `O_APPEND` leaves when its file is
/// truncated under it, or blocks never written before a power loss.
fn segment(bytes: &[u8], line_start: bool) -> (usize, usize) {
    let nuls = if line_start {
        bytes.iter().take_while(|byte| **byte == 0).count()
    } else {
        0
    };
    let rest = &bytes[nuls..];
    // One byte is found faster than two, and hardly a file has any.
    let hole = memchr::memchr(0, rest).and_then(|_| memchr::memmem::find(rest, b"\n\0"));
    (nuls, hole.map_or(rest.len(), |at| at + 1))
}
