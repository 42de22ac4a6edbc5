//! Whether a file that just came is news: it may be a copy, or a packed copy, of one already read.

use std::io;

use super::Classify;
use super::HeadFacts;
use super::fs::fill;
use super::gz::is_damage;
use super::identity::{Compared, Content, Head, Place};

/// Most bytes of a file's beginning that the decoder is asked about.
pub(super) const SAMPLE: usize = 32 << 10;

/// What a file just found is to those known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kin {
    /// News: to be read from its beginning.
    New,
    /// Its bytes were read from another file; its end, as far as that is known.
    Known(Place),
    /// Not to be touched yet: asked again in a later pass.
    Unclear,
    /// Not to be told, because the file to compare it with was cut meanwhile.
    Cut,
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
}

/// Whether a packed file is one that was `read` to its end under another name. `first` are its first bytes.
pub(super) fn of_packed<'a>(
    packed: &mut Content,
    first: &[u8],
    read: impl Iterator<Item = &'a Place>,
) -> io::Result<Kin> {
    let alike: Vec<&Place> = read
        .filter(|place| place.head.len > 0 && place.head.begins(first))
        .collect();
    if alike.is_empty() {
        return Ok(Kin::New);
    }
    match end_of(packed) {
        Ok(end)
            if alike
                .iter()
                .any(|place| place.offset == end.offset && place.anchor == end.anchor) =>
        {
            Ok(Kin::Known(end))
        }
        Ok(_) => Ok(Kin::New),
        // Begins like a file that was read, and ends too early: it is still being packed.
        Err(error) if is_damage(&error) => Ok(Kin::Unclear),
        Err(error) => Err(error),
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

/// Whether a packed file cannot be unpacked to its end.
pub(super) fn is_cut_short(packed: &mut Content) -> io::Result<bool> {
    match end_of(packed) {
        Ok(_) => Ok(false),
        Err(error) if is_damage(&error) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Whether a plain file of `size` bytes is a copy of what the log's current file, read up to `place`, holds or held.
/// Such a copy is left alone: what it holds is read from the current file, or from it once that is cut.
pub(super) fn of_copy(
    copy: &mut Content,
    size: u64,
    current: &mut Content,
    place: &Place,
) -> io::Result<Kin> {
    let end = Place::read(copy, size)?;
    if end.compare(current)? == Compared::Same {
        return Ok(Kin::Unclear);
    }
    // Only if the current file was not cut since it was last read, the difference says something.
    Ok(if place.compare(current)? == Compared::Same {
        Kin::New
    } else {
        Kin::Cut
    })
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
