//! Whether a file that just came is news: it may be a copy, or a packed copy, of one already read.

use std::io;

use jiff::Timestamp;

use super::file::Tracked;
use super::fs::fill;
use super::gz::is_damage;
use super::identity::{Compared, Content, Head, Place};
use super::log::Log;
use super::order::News;
use super::pass::Pass;
use super::sight::{Member, Sight};
use super::{Classify, HeadFacts};

/// Most bytes of a file's beginning that the decoder is asked about.
pub(super) const SAMPLE: usize = 32 << 10;

/// What a file just found is to those known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kin {
    /// News: to be read from its beginning.
    New,
    /// Its lines before this place were read from another file: to be read from there.
    Rest(Place),
    /// It begins as a file that is being read does, up to the place to which that was read: to be read from there.
    Alike(Place),
    /// Its bytes were read from another file; its end, as far as that is known.
    Known(Place),
    /// Not to be touched yet: asked again in a later pass.
    Unclear,
}

/// The first bytes of a file.
pub(super) struct Sample {
    /// At most [`Head::BYTES`].
    pub(super) first: Vec<u8>,
    pub(super) facts: HeadFacts,
    /// As many as could have been asked about: more will not tell more.
    pub(super) full: bool,
}

impl Sample {
    /// Reads a file's first bytes; of a packed one that is damaged or still being written, none.
    pub(super) fn read(content: &mut Content, classify: &Classify) -> io::Result<Self> {
        let mut first = vec![0; SAMPLE];
        let len = match content.fill(&mut first, 0) {
            Ok(len) => len,
            Err(error) if is_damage(&error) => 0,
            Err(error) => return Err(error),
        };
        first.truncate(len);
        let facts = classify(&first);
        first.truncate(usize::try_from(Head::BYTES).unwrap_or(len));
        first.shrink_to_fit();
        Ok(Self {
            first,
            facts,
            full: len == SAMPLE,
        })
    }

    /// Whether there is less of a file of that size than its directory said: it was cut since.
    pub(super) fn is_cut(&self, size: u64) -> bool {
        (self.first.len() as u64) < size.min(Head::BYTES)
    }

    /// When the content of a file that was last written then begins: by its first line that tells a time, if one does. What
    /// is empty is yet to be written.
    pub(super) fn begins(&self, mtime: Timestamp) -> Timestamp {
        let written = if self.first.is_empty() {
            Timestamp::MAX
        } else {
            mtime
        };
        self.facts.first_time.unwrap_or(written)
    }
}

impl Log {
    /// What a file with a rotation's name is to the files known, `news` among them. It may be a copy of one, made to cut
    /// or to delete that next, or a packed copy; what was read of one is not read again from the other.
    pub(super) fn kin(
        &mut self,
        member: &Member,
        content: &mut Content,
        sample: &Sample,
        news: &mut [News],
        sight: &Sight<'_>,
        pass: &mut Pass,
    ) -> io::Result<Kin> {
        // It was looked into before, and has not changed since.
        let settled = pass.once || self.later.contains_key(&member.stat.id);
        let kin = self.kin_by_bytes(member, content, sample, news, pass);
        match kin {
            // It cannot be unpacked to its end: it is still being packed, or was given up.
            Err(error) if is_damage(&error) => Ok(match settled {
                false => Kin::Unclear,
                true if sight.has_unpacked(member) => Kin::Known(Place::default()),
                true => Kin::New,
            }),
            kin => kin,
        }
    }

    fn kin_by_bytes(
        &mut self,
        member: &Member,
        content: &mut Content,
        sample: &Sample,
        news: &mut [News],
        pass: &mut Pass,
    ) -> io::Result<Kin> {
        let first = &sample.first;
        if content.is_packed() {
            // Less than a head cannot be told from what was read.
            if (first.len() as u64) < Head::BYTES {
                end_of(content)?;
            }
        }
        // It is written to, or its size is stale: where it ends is not known.
        let grows = !content.is_packed() && content.goes_on(member.stat.size)?;
        pass.soon |= grows;
        let there = |file: &&mut Tracked| !file.is_packed() && (file.missing.is_none() || file.is_held());
        let known = self.queue.iter_mut().chain(&mut self.done);
        let mut end = None;
        for file in known
            .chain(news.iter_mut().map(|news| &mut news.file))
            .filter(there)
        {
            let read = file.place.offset;
            let Ok((_, plain)) = file.hold(pass, &mut self.numbers) else {
                return Ok(Kin::Unclear);
            };
            if !begins_so(plain, first)? {
                continue;
            }
            let its_end = match end.take() {
                Some(end) => end,
                None if content.is_packed() => end_of(content)?,
                None => Place::read(content, member.stat.size)?,
            };
            if its_end.compare(plain)? == Compared::Same {
                // What is not read yet is read from the original, or from here once that is cut.
                let all_read = its_end.offset <= read && !grows;
                return Ok(if all_read {
                    Kin::Known(its_end)
                } else {
                    Kin::Unclear
                });
            }
            end = Some(its_end);
        }
        self.kin_to_read(content, first, pass)
    }

    /// Which of the places that reading has come to is in a file, and the furthest.
    fn kin_to_read(&mut self, content: &mut Content, first: &[u8], pass: &mut Pass) -> io::Result<Kin> {
        let queue = self
            .queue
            .iter()
            .enumerate()
            .map(|(at, file)| (&file.place, Some(at)));
        let read = self.done.iter().map(|file| &file.place);
        let read = read.chain(self.departed.iter().map(|(place, _)| place));
        let mut places: Vec<_> = queue.chain(read.map(|place| (place, None))).collect();
        places.retain(|(place, _)| place.offset > 0 && place.head.len > 0 && place.head.begins(first));
        places.sort_by_key(|(place, _)| std::cmp::Reverse(place.offset));
        for (place, at) in places {
            if place.compare(content)? != Compared::Same {
                continue;
            }
            let rest = place.clone().at_line_start();
            let Some(at) = at else {
                let is_all = !content.goes_on(place.offset)?;
                return Ok(if is_all {
                    Kin::Known(place.clone())
                } else {
                    Kin::Rest(rest)
                });
            };
            // Where its own file still holds it, and not what comes after it here, they only begin alike.
            let file = &mut self.queue[at];
            let is_shared = !file.is_packed() && file.verify(pass, &mut self.numbers) == Some(Compared::Same);
            let may_be_read = is_shared && rest.is_line_start();
            return Ok(if may_be_read {
                Kin::Alike(rest)
            } else {
                Kin::Unclear
            });
        }
        Ok(Kin::New)
    }
}

/// The place at the end of a packed file; an error if it is damaged.
pub(super) fn end_of(packed: &mut Content) -> io::Result<Place> {
    let mut place = Place::default();
    let mut bytes = vec![0; 64 << 10];
    loop {
        let got = packed.fill(&mut bytes, place.offset)?;
        if got == 0 {
            return Ok(place);
        }
        place.advance(&bytes[..got]);
    }
}

/// Whether a file begins with these bytes. A shorter one, as a log just made is, has no copy that does.
fn begins_so(content: &mut Content, first: &[u8]) -> io::Result<bool> {
    let mut bytes = vec![0; first.len()];
    Ok(content.fill(&mut bytes, 0)? == first.len() && bytes == first)
}

/// What a packed file says of its uncompressed size, for telling progress: modulo 2³², and of its last member only
/// (RFC 1952 §2.3.1).
pub(super) fn stated_size(packed: &Content) -> u64 {
    let mut trailer = [0; 4];
    let file = packed.file();
    let end = file.stat().map_or(0, |stat| stat.size);
    match fill(file, &mut trailer, end.saturating_sub(4)) {
        Ok(4) => u32::from_le_bytes(trailer).into(),
        Ok(_) | Err(_) => 0,
    }
}
