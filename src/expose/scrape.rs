//! The page of metrics: families one after the other, never interleaved, as a stream of pieces or compressed.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use hyper::body::Bytes;

use super::catalog::{Family, Fill, families};
use super::families::job::FAMILIES;
use super::render::{Format, Samples};
use super::view::View;

/// A piece is sent once it holds this much, bytes: a slow reader of 100,000 jobs costs one piece, not 400 MiB.
pub const PIECE: usize = 64 * 1024;

/// How many families of jobs there are.
const JOB_FAMILIES: usize = FAMILIES.len();

/// Families of a view as a stream of pieces, without the process's own and without the end of the page.
#[derive(Debug)]
pub struct Pieces {
    view: Arc<View>,
    format: Format,
    /// Places in the catalogue, which begins with the families of jobs: those that are still to come.
    families: Range<usize>,
    /// Place among the jobs or logs that the family is told of.
    subject: usize,
    /// The family's header was written.
    headed: bool,
}

impl Pieces {
    /// All families, from the beginning.
    #[must_use]
    pub const fn new(view: Arc<View>, format: Format) -> Self {
        Self::of(view, format, 0..usize::MAX)
    }

    const fn of(view: Arc<View>, format: Format, families: Range<usize>) -> Self {
        Self {
            view,
            format,
            families,
            subject: 0,
            headed: false,
        }
    }

    /// The family at hand.
    fn family(&self) -> Option<&'static Family> {
        let at_hand = self.families.clone().next()?;
        families().nth(at_hand)
    }

    const fn leave_family(&mut self) {
        self.families.start += 1;
        (self.subject, self.headed) = (0, false);
    }

    /// Writes samples of a family until the piece is full or the family ends; true at its end.
    fn write(&mut self, family: &Family, out: &mut String) -> bool {
        let view = Arc::clone(&self.view);
        match family.fill {
            Fill::Job(_) => {
                while out.len() < PIECE {
                    let Some(job) = view.jobs().get(self.subject) else {
                        return true;
                    };
                    self.subject += 1;
                    if view.shows(job) {
                        let place = self.families.start;
                        self.add(family, out, |out| job.write_samples(place, out));
                    }
                }
                false
            }
            Fill::Source(fill) => {
                while out.len() < PIECE {
                    let Some(source) = view.stats().sources.get(self.subject) else {
                        return true;
                    };
                    self.subject += 1;
                    self.add(family, out, |out| fill(source, &mut Samples::new(family, out)));
                }
                false
            }
            Fill::Program(fill) => {
                self.add(family, out, |out| fill(&view, &mut Samples::new(family, out)));
                true
            }
            // At the end of the page, as it is at that moment.
            Fill::Registry => true,
        }
    }

    /// Adds samples, under the family's header where they are its first; nothing at all where there are none.
    fn add(&mut self, family: &Family, out: &mut String, write: impl FnOnce(&mut String)) {
        let start = out.len();
        if !self.headed {
            self.format.write_header(family, out);
        }
        let samples = out.len();
        write(out);
        if out.len() == samples {
            out.truncate(start);
        } else {
            self.headed = true;
        }
    }
}

impl Iterator for Pieces {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        // With room for the samples that go beyond: growing would copy it, and cost fresh pages for each.
        let mut piece = String::with_capacity(PIECE + PIECE / 4);
        while piece.len() < PIECE
            && let Some(family) = self.family()
        {
            if self.write(family, &mut piece) {
                self.leave_family();
            }
        }
        (!piece.is_empty()).then_some(piece)
    }
}

/// What is found out about the page of a view by its first scrape.
#[derive(Debug)]
pub struct Measured {
    /// Bytes of all families. A client that is told so beforehand takes a large page in half the time that one in chunks takes
    /// it (Python's, which is not the only one to put chunks together at the end).
    length: u64,
    /// The families that are not of jobs, where they are short: without thousands of logs they are most of what there is to
    /// render. Those of jobs are rendered already.
    others: Option<String>,
}

impl Measured {
    fn new(view: &Arc<View>, format: Format) -> Self {
        let mut length = view.length_of_jobs(format);
        let mut others = Some(String::new());
        for piece in Pieces::of(Arc::clone(view), format, JOB_FAMILIES..usize::MAX) {
            length += piece.len() as u64;
            others = others
                .filter(|text| text.len() + piece.len() <= PIECE)
                .map(|text| text + &piece);
        }
        Self { length, others }
    }
}

/// The families of a view in pieces, and how many bytes they are in all.
pub fn page(view: &Arc<View>, format: Format) -> (u64, impl Iterator<Item = String> + use<>) {
    let measured = view.measured(format).get_or_init(|| Measured::new(view, format));
    let others = measured.others.clone();
    let end = others.as_ref().map_or(usize::MAX, |_| JOB_FAMILIES);
    let pieces = Pieces::of(Arc::clone(view), format, 0..end);
    (measured.length, pieces.chain(others))
}

/// The families of a view, compressed: the part of a gzip stream that is the same for every scrape of that view.
#[derive(Debug)]
pub struct Deflated {
    pub(super) blocks: Vec<u8>,
    crc: Crc,
}

/// Fast: a page of metrics repeats itself so much that trying harder gains little.
const LEVEL: Compression = Compression::fast();

impl Deflated {
    fn new(pieces: Pieces) -> io::Result<Self> {
        let mut encoder = DeflateEncoder::new(Vec::new(), LEVEL);
        let mut crc = Crc::new();
        for piece in pieces {
            encoder.write_all(piece.as_bytes())?;
            crc.update(piece.as_bytes());
        }
        // A flush ends on a byte's boundary without the mark of the last block, so that other blocks may follow.
        encoder.flush()?;
        Ok(Self {
            blocks: std::mem::take(encoder.get_mut()),
            crc,
        })
    }

    /// The whole gzip stream (RFC 1952, one member) of the cached part and `tail`.
    fn gzip(&self, tail: &[u8]) -> io::Result<Vec<u8>> {
        // Magic, deflate, no flags, no time, no hint, unknown system.
        const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
        let mut out = Vec::with_capacity(HEADER.len() + self.blocks.len() + tail.len());
        out.extend_from_slice(&HEADER);
        out.extend_from_slice(&self.blocks);
        let mut encoder = DeflateEncoder::new(out, LEVEL);
        encoder.write_all(tail)?;
        let mut out = encoder.finish()?;
        let mut crc = Crc::new();
        crc.combine(&self.crc);
        crc.update(tail);
        out.extend_from_slice(&crc.sum().to_le_bytes());
        out.extend_from_slice(&crc.amount().to_le_bytes());
        Ok(out)
    }
}

/// The page compressed: the view's part at most once per view, `tail` afresh.
///
/// None if the compressor failed, which it does not on memory; the caller then sends the page as it is.
#[must_use]
pub fn gzip(view: &Arc<View>, format: Format, tail: &str) -> Option<Bytes> {
    let deflated = view
        .deflated(format)
        .get_or_init(|| Deflated::new(Pieces::new(Arc::clone(view), format)).ok());
    deflated.as_ref()?.gzip(tail.as_bytes()).ok().map(Bytes::from)
}

/// The page in one string: for a replay's `--metrics`, and for tests.
#[must_use]
pub fn text(view: View, format: Format) -> String {
    let mut page: String = Pieces::new(Arc::new(view), format).collect();
    page.push_str(format.end());
    page
}

#[cfg(test)]
mod tests;
