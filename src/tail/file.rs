//! One file of a log: what is known of it, and how it is opened and found again. How it is read is in `step`.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::birth::Birth;
use super::fs::{Kind, Stat};
use super::gz::is_damage;
use super::identity::{Compared, Content, FileId, Place, Position};
use super::notice::Notice;
use super::pass::{Numbers, Pass, Retry};
use super::sight::{Member, open};
use super::step::Step;
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
    /// A `.gz`, by its name or its first bytes: complete once it can be unpacked to its end.
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
    pub(super) born: Birth,
    /// Where it was seen last.
    pub(super) path: Arc<Path>,
    pub(super) form: Form,
    pub(super) place: Place,
    /// Size and time of writing when last seen, by directory or descriptor.
    pub(super) size: u64,
    pub(super) mtime: Timestamp,
    /// Its size when its bytes were last found in order: what of it was certainly there to be read.
    pub(super) known: u64,
    /// When it had been written by then.
    pub(super) written: Timestamp,
    /// When its content begins; none where it was not looked into since that changed. See [`super::kin::Sample::begins`].
    pub(super) begins: Option<Timestamp>,
    /// Up to where it was there when following began; none once it was read as far as that. A packed file does not say for sure:
    /// it is read to its end.
    pub(super) expected: Option<u64>,
    /// Its place is that of another file, which begins alike: of itself nothing was read.
    pub(super) is_borrowed: bool,
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
    pub(super) checked: Option<(u64, Timestamp)>,
    /// The pass in which it first seemed cut.
    pub(super) doubted: Option<u64>,
    /// Opened anew since the last good read: its inode may have become another file's.
    pub(super) reopened: bool,
    pub(super) held: Option<Held>,
}

/// An open file.
pub(super) struct Held {
    pub(super) content: Content,
    _token: Arc<()>,
}

impl Tracked {
    /// A file at its beginning.
    pub(super) fn new(path: Arc<Path>, stat: &Stat, form: Form, now: Duration) -> Self {
        Self {
            id: stat.id,
            born: stat.born,
            path,
            form,
            place: Place::default(),
            size: stat.size,
            mtime: stat.mtime,
            known: 0,
            written: stat.mtime,
            begins: None,
            expected: None,
            is_borrowed: false,
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

    /// Whether a file is this one, by what is known without opening it. While this one is held, its inode is no other's.
    pub(super) fn is_at(&self, stat: &Stat) -> bool {
        stat.may_be(self.id, self.born) || self.is_held() && stat.id == self.id
    }

    pub(super) fn is_packed(&self) -> bool {
        self.form == Form::Packed
    }

    /// Whether it was read from. That it goes on where another file was left is not enough.
    pub(super) fn is_begun(&self) -> bool {
        self.place.offset > 0 && (self.known > 0 || self.is_packed())
    }

    /// A position whose file is not found.
    pub(super) fn homeless(path: Arc<Path>, position: Position, now: Duration) -> Self {
        let mut file = Self::without_file(path, position.size, Homeless::Restored, now);
        file.written = position.written;
        file.resume(position.place);
        file
    }

    fn without_file(path: Arc<Path>, size: u64, why: Homeless, now: Duration) -> Self {
        let stat = Stat {
            id: FileId::NONE,
            size,
            mtime: Timestamp::UNIX_EPOCH,
            born: Birth::UNKNOWN,
            kind: Kind::Regular,
            sparse: false,
        };
        let mut file = Self::new(path, &stat, Form::Plain, now);
        file.missing = Some(now);
        file.homeless = Some(why);
        file
    }

    /// Goes on at a place.
    pub(super) fn resume(&mut self, place: Place) {
        // NULs at the start of a line are a hole that was skipped.
        let last = place.anchor.iter().rev().find(|byte| **byte != 0);
        self.line_start = last.is_none_or(|byte| *byte == b'\n');
        self.place = place.sane();
    }

    /// Goes on in another file, which holds the same bytes.
    pub(super) fn move_to(&mut self, home: &Member) {
        let copy = matches!(self.homeless, Some(Homeless::Cut(_)));
        self.form = if copy && !home.name.gz {
            Form::Copy
        } else {
            Form::of(home.name.gz)
        };
        (self.id, self.born) = (home.stat.id, home.stat.born);
        self.homeless = None;
        self.close();
        self.seen(&home.path, &home.stat);
    }

    /// It is open, and read to its end.
    pub(super) fn is_drained(&mut self, pass: &mut Pass, numbers: &mut Numbers) -> bool {
        let offset = self.place.offset;
        offset > 0
            && self
                .hold(pass, numbers)
                .is_ok_and(|(stat, _)| stat.size == offset)
            && self.is_at_its_end()
    }

    /// Whether nothing follows its place. Its size may be said to be what it was when that was read last: network file
    /// systems keep sizes for a while.
    pub(super) fn is_at_its_end(&mut self) -> bool {
        let (is_packed, offset) = (self.is_packed(), self.place.offset);
        let content = self.held.as_mut().map(|held| &mut held.content);
        is_packed || content.is_none_or(|content| matches!(content.goes_on(offset), Ok(false)))
    }

    /// Whether a file of the same inode is this one. An inode that is not held may be another file's by now: then only what
    /// was read of it can tell.
    pub(super) fn is_continued_in(&self, member: &Member, pass: &Pass) -> io::Result<bool> {
        if self.is_held() || self.place.head.len == 0 || !self.is_at(&member.stat) {
            return Ok(self.is_held());
        }
        let mut content = open(member, pass)?;
        Ok(self.place.compare(&mut content)? == Compared::Same)
    }

    /// Whether a file may be a copy that was made while this one was still written to. Where that it was cut was not seen, the
    /// copy must not be younger.
    pub(super) fn may_have_copy(&self, member: &Member) -> bool {
        let was_cut = self.homeless == Some(Homeless::Cut(Lost::Truncated));
        !self.is_held() && member.name.rotated && (was_cut || member.stat.mtime <= self.written)
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
    pub(super) fn seen(&mut self, path: &Arc<Path>, stat: &Stat) {
        if self.path != *path {
            self.path = Arc::clone(path);
        }
        self.missing = None;
        self.size = stat.size;
        self.mtime = stat.mtime;
        self.born = stat.born.or(self.born);
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
                // Until it is known that nothing more can be had of it.
                return Err(
                    if self.homeless.is_none() && !self.is_packed() && self.is_settled() {
                        Step::AtEnd
                    } else {
                        Step::Wait
                    },
                );
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
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Step::Look),
                Err(error) => return Err(self.failed(pass, numbers, Op::Open, &error)),
            }
        }
        if (self.reopened || self.place.offset == 0)
            && let Some(Err(error)) = self.held.as_mut().map(|held| held.content.look_inside())
        {
            return Err(self.failed(pass, numbers, Op::Read, &error));
        }
        if self.held.as_ref().is_some_and(|held| held.content.is_packed()) {
            self.form = Form::Packed;
        }
        let stat = match self.held.as_ref().map(|held| held.content.file().stat()) {
            Some(Ok(stat)) => stat,
            Some(Err(error)) => return Err(self.failed(pass, numbers, Op::Stat, &error)),
            None => return Err(Step::Wait),
        };
        if stat.id != self.id {
            self.close();
            return Err(Step::Look);
        }
        if self.reopened && self.born.is_another(stat.born) {
            // Its inode is another file's by now.
            self.id = FileId::NONE;
            self.close();
            return Err(Step::Look);
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
        if self.id == FileId::NONE {
            return Some(Compared::Different);
        }
        match compared.ok()? {
            Ok(compared) => Some(compared),
            // What was packed is not any more: its inode is another file's.
            Err(error) => is_damage(&error).then_some(Compared::Different),
        }
    }

    /// Keeps what was opened to look into it.
    pub(super) fn keep(&mut self, content: Content, pass: &Pass) {
        self.held = Some(Held {
            content,
            _token: Arc::clone(&pass.token),
        });
    }

    pub(super) fn failed(
        &mut self,
        pass: &mut Pass,
        numbers: &mut Numbers,
        op: Op,
        error: &io::Error,
    ) -> Step {
        numbers.failed(op);
        pass.starved |= is_out_of_files(error);
        pass.notices.say(Notice::Failed {
            path: self.path.to_path_buf(),
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

    /// Begins anew; what it was is returned, in search of a file that still holds it.
    pub(super) fn begin_anew(&mut self, kind: Rotation, now: Duration) -> Self {
        let why = if kind == Rotation::Replace {
            Lost::RotatedAway
        } else {
            Lost::Truncated
        };
        let size = self.known.max(self.place.offset);
        let mut old = Self::without_file(Arc::clone(&self.path), size, Homeless::Cut(why), now);
        old.resume(std::mem::take(&mut self.place));
        old.written = self.written;
        old.is_borrowed = std::mem::take(&mut self.is_borrowed);
        old.begins = self.begins.take();
        old.expected = self.expected.take();
        // Whose inode it is by now, the next look tells.
        self.born = Birth::UNKNOWN;
        self.line_start = true;
        self.known = 0;
        self.checked = None;
        self.doubted = None;
        self.reopened = false;
        old
    }
}

/// Whether the process or the system has no descriptor left.
pub(super) fn is_out_of_files(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}
