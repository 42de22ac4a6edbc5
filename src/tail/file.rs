//! One file of a log: how far it was read, and the next step in reading it.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::fs::{Kind, Stat};
use super::gz::is_damage;
use super::identity::{Compared, Content, FileId, Place, Position};
use super::notice::Notice;
use super::pass::{Numbers, Pass, Retry};
use super::sight::Member;
use crate::stats::{Lost, Op, Rotation};

/// How long a packed file that ends too early must stand still before it counts as damaged and not as being written.
pub(super) const SETTLED: Duration = Duration::from_secs(5);

/// Why the position of a file has no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Homeless {
    /// Its file was cut or overwritten: what was unread may be in a copy.
    Cut(Lost),
    /// Its file was not found after a restart.
    Restored,
}

/// Whether a file may grow, and how to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Somebody may write to it.
    Plain,
    /// A plain copy made at a truncation: complete.
    Copy,
    /// A `.gz`: complete once it can be unpacked to its end.
    Packed,
}

impl Form {
    pub(super) const fn of(gz: bool) -> Self {
        if gz { Self::Packed } else { Self::Plain }
    }
}

/// A file of a log.
pub(super) struct Tracked {
    pub(super) id: FileId,
    /// Where it was seen last.
    pub(super) path: PathBuf,
    pub(super) form: Form,
    pub(super) place: Place,
    /// Size and time of writing when last seen, by directory or descriptor.
    pub(super) size: u64,
    pub(super) mtime: Timestamp,
    /// Its size when its bytes were last found in order: what of it was certainly there to be read.
    pub(super) known: u64,
    /// The offset up to which it was there when following began.
    pub(super) backlog_end: u64,
    /// Bytes before the place to be given again.
    pub(super) context: u64,
    /// The last byte given was a newline, or none was given.
    pub(super) line_start: bool,
    /// Since when no name leads to it.
    pub(super) missing: Option<Duration>,
    pub(super) homeless: Option<Homeless>,
    /// When it last yielded bytes, or was first seen.
    pub(super) quiet: Duration,
    pub(super) retry: Retry,
    /// The pass of the last read, for choosing what to close.
    pub(super) used: u64,
    /// Size and time at which the bytes before the place were last found in order.
    checked: Option<(u64, Timestamp)>,
    /// The pass in which it first seemed cut.
    doubted: Option<u64>,
    /// Opened anew since the last good read: its inode may have become another file's.
    reopened: bool,
    held: Option<Held>,
}

struct Held {
    content: Content,
    _token: Arc<()>,
}

/// Bytes in the buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Data {
    /// Where in the buffer; empty when only NULs were skipped.
    pub(super) range: Range<usize>,
    pub(super) offset: u64,
    pub(super) fresh: bool,
    pub(super) context: bool,
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
    /// The name leads to another file.
    Moved,
}

impl Tracked {
    /// A file at its beginning.
    pub(super) fn new(path: PathBuf, stat: &Stat, form: Form, now: Duration) -> Self {
        Self {
            id: stat.id,
            path,
            form,
            place: Place::default(),
            size: stat.size,
            mtime: stat.mtime,
            known: 0,
            backlog_end: 0,
            context: 0,
            line_start: true,
            missing: None,
            homeless: None,
            quiet: now,
            retry: Retry::default(),
            used: 0,
            checked: None,
            doubted: None,
            reopened: false,
            held: None,
        }
    }

    pub(super) fn is_packed(&self) -> bool {
        self.form == Form::Packed
    }

    /// A position whose file is not found.
    pub(super) fn homeless(path: PathBuf, position: Position, now: Duration) -> Self {
        let mut file = Self::without_file(path, position.size, Homeless::Restored, now);
        file.resume(position.place, position.back);
        file
    }

    fn without_file(path: PathBuf, size: u64, why: Homeless, now: Duration) -> Self {
        let stat = Stat {
            id: FileId::NONE,
            size,
            mtime: Timestamp::UNIX_EPOCH,
            kind: Kind::Regular,
            sparse: false,
        };
        let mut file = Self::new(path, &stat, Form::Plain, now);
        file.missing = Some(now);
        file.homeless = Some(why);
        file
    }

    /// Goes on at a place, and gives the `back` bytes before it again first.
    pub(super) fn resume(&mut self, place: Place, back: u64) {
        self.context = back.min(place.offset);
        self.line_start = place.anchor.last().is_none_or(|byte| *byte == b'\n');
        self.place = place;
    }

    /// Goes on in another file, which holds the same bytes.
    pub(super) fn move_to(&mut self, home: &Member) {
        let copy = matches!(self.homeless, Some(Homeless::Cut(_)));
        self.form = if copy && !home.name.gz {
            Form::Copy
        } else {
            Form::of(home.name.gz)
        };
        self.id = home.stat.id;
        self.homeless = None;
        self.close();
        self.seen(home.path.clone(), &home.stat);
    }

    /// It is open, and read to its end.
    pub(super) fn is_drained(&mut self, pass: &mut Pass, numbers: &mut Numbers) -> bool {
        let offset = self.place.offset;
        offset > 0
            && self
                .hold(pass, numbers)
                .is_ok_and(|(stat, _)| stat.size == offset)
    }

    /// Bytes known and not read. A packed file's are not known.
    pub(super) fn lag(&self) -> u64 {
        if self.is_packed() {
            0
        } else {
            self.size.saturating_sub(self.place.offset)
        }
    }

    pub(super) const fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Closes it; it is opened again by its path when needed.
    pub(super) fn close(&mut self) {
        self.held = None;
    }

    /// Closing it would lose nothing.
    pub(super) const fn may_close(&self) -> bool {
        self.held.is_some() && self.missing.is_none()
    }

    /// Nothing is known to have changed since it was read to its end.
    pub(super) fn is_settled(&self) -> bool {
        self.checked == Some((self.size, self.mtime)) && self.lag() == 0
    }

    /// Takes over what the directory says of it.
    pub(super) fn seen(&mut self, path: PathBuf, stat: &Stat) {
        self.path = path;
        self.missing = None;
        self.size = stat.size;
        self.mtime = stat.mtime;
    }

    /// Remembers that all is in order as it stands.
    pub(super) fn settle(&mut self) {
        self.checked = Some((self.size, self.mtime));
    }

    /// Opens it if need be; its content, and what the system says of the open file.
    pub(super) fn hold(
        &mut self,
        pass: &mut Pass,
        numbers: &mut Numbers,
    ) -> Result<(Stat, &mut Content), Step> {
        if self.held.is_none() {
            if self.missing.is_some() {
                return Err(if self.homeless.is_some() {
                    Step::Wait
                } else {
                    Step::AtEnd
                });
            }
            match pass.fs.open(&self.path) {
                Ok(file) => {
                    let content = Content::new(file, self.is_packed());
                    self.held = Some(Held {
                        content,
                        _token: Arc::clone(&pass.token),
                    });
                    self.reopened = true;
                    self.checked = None;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Step::Moved),
                Err(error) => return Err(self.failed(pass, numbers, Op::Open, &error)),
            }
        }
        let stat = match self.held.as_ref().map(|held| held.content.file().stat()) {
            Some(Ok(stat)) => stat,
            Some(Err(error)) => return Err(self.failed(pass, numbers, Op::Stat, &error)),
            None => return Err(Step::Wait),
        };
        if stat.id != self.id {
            self.held = None;
            return Err(Step::Moved);
        }
        self.used = pass.number;
        match &mut self.held {
            Some(held) => Ok((stat, &mut held.content)),
            None => Err(Step::Wait),
        }
    }

    /// Whether it still holds what was read of it; none when that cannot be asked now.
    pub(super) fn verify(&mut self, pass: &mut Pass, numbers: &mut Numbers) -> Option<Compared> {
        let place = std::mem::take(&mut self.place);
        let compared = self
            .hold(pass, numbers)
            .map(|(_, content)| place.compare(content));
        self.place = place;
        compared.ok()?.ok()
    }

    /// Keeps what was opened to look into it.
    pub(super) fn keep(&mut self, content: Content, pass: &Pass) {
        self.held = Some(Held {
            content,
            _token: Arc::clone(&pass.token),
        });
    }

    fn failed(&mut self, pass: &mut Pass, numbers: &mut Numbers, op: Op, error: &io::Error) -> Step {
        numbers.failed(op);
        pass.starved |= is_out_of_files(error);
        pass.notices.say(Notice::Failed {
            path: self.path.clone(),
            op,
            error: error.to_string(),
        });
        self.retry.failed(pass.now);
        // A handle that failed once (ESTALE) may fail for ever; the next try opens anew if there is a name.
        if self.may_close() {
            self.close();
        }
        Step::Wait
    }

    /// Reads on, at most what `buffer` holds beside [`Place::ANCHOR`] bytes.
    pub(super) fn read(&mut self, pass: &mut Pass, numbers: &mut Numbers, buffer: &mut [u8]) -> Step {
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
        let got = if self.context > 0 {
            self.read_context(pass, numbers, buffer)
        } else if self.is_packed() {
            self.read_packed(pass, numbers, buffer, changed)
        } else if changed || self.lag() > 0 {
            self.read_plain(pass, numbers, buffer, &stat)
        } else {
            Ok(Step::AtEnd)
        };
        match got {
            Ok(step) => {
                if matches!(step, Step::Data(_)) {
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

    /// Gives again what the position asked for. What cannot be had is done without.
    fn read_context(
        &mut self,
        pass: &mut Pass,
        numbers: &mut Numbers,
        buffer: &mut [u8],
    ) -> io::Result<Step> {
        let offset = self.place.offset.saturating_sub(self.context);
        let most = most(buffer.len() - Place::ANCHOR, self.place.offset - offset);
        let got = self.fill(&mut buffer[..most], offset)?;
        if got < most {
            self.context = 0;
            return Ok(self.read(pass, numbers, buffer));
        }
        self.context = self.place.offset - offset - got as u64;
        Ok(Step::Data(Data {
            range: 0..got,
            offset,
            fresh: false,
            context: true,
            taken: got,
        }))
    }

    fn read_plain(
        &mut self,
        pass: &mut Pass,
        numbers: &mut Numbers,
        buffer: &mut [u8],
        stat: &Stat,
    ) -> io::Result<Step> {
        // The bytes before the place and those after it come in one read, so that no truncation fits between them.
        let anchor = self.place.anchor.len();
        let want = anchor + most(buffer.len() - Place::ANCHOR, self.to_next_boundary(stat.size));
        let got = self.fill(&mut buffer[..want], self.place.offset - anchor as u64)?;
        if got < anchor {
            return Ok(self.doubt(pass));
        }
        if buffer[..anchor] != self.place.anchor {
            return Ok(Step::Cut(self.kind_of_cut()));
        }
        self.reopened = false;
        if stat.size < self.place.offset {
            // The size is stale (a network file system's cache): the bytes are there.
            pass.soon = true;
            return Ok(Step::Wait);
        }
        self.doubted = None;
        self.known = stat.size;
        if got == anchor {
            self.checked = Some((stat.size, stat.mtime));
            return Ok(Step::AtEnd);
        }
        let data = self.take(&buffer[anchor..got], anchor);
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
        let most = buffer.len() - Place::ANCHOR;
        match self.fill(&mut buffer[..most], self.place.offset) {
            Ok(0) => Ok(Step::AtEnd),
            Ok(got) => {
                let data = self.take(&buffer[..got], 0);
                numbers.read_bytes += data.taken as u64;
                Ok(Step::Data(data))
            }
            Err(error) if !is_damage(&error) => Err(error),
            Err(_) if !pass.once && pass.now < self.quiet + SETTLED => Ok(Step::Wait),
            Err(_) => {
                pass.notices.say(Notice::Damaged(self.path.clone()));
                numbers.failed(Op::Unpack);
                Ok(Step::AtEnd)
            }
        }
    }

    /// How far one read may go: not over the line between what was there at the start and what came since.
    fn to_next_boundary(&self, size: u64) -> u64 {
        let offset = self.place.offset;
        let end = if offset < self.backlog_end {
            self.backlog_end.min(size)
        } else {
            size
        };
        end.saturating_sub(offset)
    }

    /// Goes over `bytes`, which begin at `start` of the buffer and at the place.
    fn take(&mut self, bytes: &[u8], start: usize) -> Data {
        let (nuls, len) = segment(bytes, self.line_start);
        // A packed file cannot be read again from the middle at no cost: its inner NULs are given as they are.
        let len = if self.is_packed() { bytes.len() - nuls } else { len };
        let offset = self.place.offset + nuls as u64;
        // When a packed file was written is not when it is read.
        let fresh = !self.is_packed() && self.place.offset >= self.backlog_end;
        self.place.advance(&bytes[..nuls + len]);
        if len > 0 {
            self.line_start = bytes[nuls + len - 1] == b'\n';
        }
        let range = start + nuls..start + nuls + len;
        Data {
            range,
            offset,
            fresh,
            context: false,
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

    /// Begins anew; what it was is returned, in search of a file that still holds it.
    pub(super) fn cut(&mut self, kind: Rotation) -> Self {
        let why = if kind == Rotation::Replace {
            Lost::RotatedAway
        } else {
            Lost::Truncated
        };
        let size = self.known.max(self.place.offset);
        let mut old = Self::without_file(self.path.clone(), size, Homeless::Cut(why), self.quiet);
        old.resume(std::mem::take(&mut self.place), std::mem::take(&mut self.context));
        old.backlog_end = std::mem::take(&mut self.backlog_end);
        self.line_start = true;
        self.known = 0;
        self.checked = None;
        self.doubted = None;
        self.reopened = false;
        old
    }
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
    (
        nuls,
        memchr::memmem::find(rest, b"\n\0").map_or(rest.len(), |at| at + 1),
    )
}

fn is_out_of_files(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}
