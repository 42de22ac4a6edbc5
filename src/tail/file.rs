//! One file of a log: how far it was read, and the next step in reading it.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::Settings;
use super::fs::{Fs, Stat};
use super::gz::is_damage;
use super::identity::{Compared, Content, FileId, Place};
use super::notice::{Notice, Notices};
use crate::stats::{Lost, Op, Rotation};

/// What one pass lends to everything that it touches.
pub(super) struct Pass<'a> {
    pub(super) fs: &'a dyn Fs,
    pub(super) settings: &'a Settings,
    pub(super) notices: &'a mut Notices,
    /// A copy is held for each open file, so that its count is theirs.
    pub(super) token: &'a Arc<()>,
    /// Monotonic time.
    pub(super) now: Duration,
    /// Grows by one with each pass: what must be seen twice must be seen in two of them.
    pub(super) number: u64,
    /// Files are complete: nothing is waited for.
    pub(super) once: bool,
    /// Set when something is to be looked at again soon, without a hint.
    pub(super) soon: bool,
    /// Set when the process has no descriptor left.
    pub(super) starved: bool,
}

/// What a log counts; see [`crate::stats::SourceStats`] for the meanings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) read_bytes: u64,
    pub(super) lost_bytes: BTreeMap<Lost, u64>,
    pub(super) rotations: BTreeMap<Rotation, u64>,
    pub(super) errors: BTreeMap<Op, u64>,
}

impl Numbers {
    pub(super) fn failed(&mut self, op: Op) {
        *self.errors.entry(op).or_default() += 1;
    }

    pub(super) fn rotated(&mut self, kind: Rotation) {
        *self.rotations.entry(kind).or_default() += 1;
    }

    pub(super) fn lost(&mut self, why: Lost, bytes: u64) {
        if bytes > 0 {
            *self.lost_bytes.entry(why).or_default() += bytes;
        }
    }
}

/// When to try again after failures: 1 s, doubled each time, at most a minute.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Retry {
    failures: u32,
    at: Duration,
}

impl Retry {
    pub(super) fn waits(&self, now: Duration) -> bool {
        now < self.at
    }

    pub(super) fn failed(&mut self, now: Duration) {
        const LONGEST: Duration = Duration::from_secs(60);
        self.at = now + LONGEST.min(Duration::from_secs(1) * 2_u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
    }
}

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

/// A file of a log.
pub(super) struct Tracked {
    pub(super) id: FileId,
    /// Where it was seen last.
    pub(super) path: PathBuf,
    pub(super) gz: bool,
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
    /// Nobody will write to it any more: a packed file, or a copy made at a truncation.
    pub(super) closed: bool,
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
    pub(super) fn new(path: PathBuf, stat: &Stat, gz: bool, now: Duration) -> Self {
        Self {
            id: stat.id,
            path,
            gz,
            place: Place::default(),
            size: stat.size,
            mtime: stat.mtime,
            known: 0,
            backlog_end: 0,
            context: 0,
            line_start: true,
            closed: gz,
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

    /// Bytes known and not read. A packed file's are not known.
    pub(super) fn lag(&self) -> u64 {
        if self.gz {
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
        pass: &mut Pass<'_>,
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
                    let content = Content::new(file, self.gz);
                    self.held = Some(Held {
                        content,
                        _token: Arc::clone(pass.token),
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
    pub(super) fn verify(&mut self, pass: &mut Pass<'_>, numbers: &mut Numbers) -> Option<Compared> {
        let place = std::mem::take(&mut self.place);
        let compared = self
            .hold(pass, numbers)
            .map(|(_, content)| place.compare(content));
        self.place = place;
        compared.ok()?.ok()
    }

    /// Keeps what was opened to look into it.
    pub(super) fn keep(&mut self, content: Content, pass: &Pass<'_>) {
        self.held = Some(Held {
            content,
            _token: Arc::clone(pass.token),
        });
    }

    fn failed(&mut self, pass: &mut Pass<'_>, numbers: &mut Numbers, op: Op, error: &io::Error) -> Step {
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
    pub(super) fn read(&mut self, pass: &mut Pass<'_>, numbers: &mut Numbers, buffer: &mut [u8]) -> Step {
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
        } else if self.gz {
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
        pass: &mut Pass<'_>,
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
        pass: &mut Pass<'_>,
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
        pass: &mut Pass<'_>,
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
        let len = if self.gz { bytes.len() - nuls } else { len };
        let offset = self.place.offset + nuls as u64;
        // When a packed file was written is not when it is read.
        let fresh = !self.gz && self.place.offset >= self.backlog_end;
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
    fn doubt(&mut self, pass: &mut Pass<'_>) -> Step {
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
        let stat = Stat {
            id: FileId::NONE,
            size: self.known.max(self.place.offset),
            mtime: self.mtime,
            kind: super::fs::Kind::Regular,
            sparse: false,
        };
        let mut old = Self::new(self.path.clone(), &stat, false, self.quiet);
        old.place = std::mem::take(&mut self.place);
        old.backlog_end = std::mem::take(&mut self.backlog_end);
        old.line_start = std::mem::replace(&mut self.line_start, true);
        old.context = std::mem::take(&mut self.context);
        old.missing = Some(Duration::ZERO);
        old.homeless = Some(Homeless::Cut(why));
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
