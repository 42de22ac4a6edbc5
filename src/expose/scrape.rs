//! The page of metrics: families one after the other, never interleaved, as a stream of pieces or compressed.

use std::io::{self, Write};
use std::sync::Arc;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use hyper::body::Bytes;

use super::catalog::Fill;
use super::families::{application, deployment, job, platform_job, program, source, store};
use super::render::{Format, write_family};
use super::view::{RenderedJob, View};

/// A piece is sent once it holds this much, bytes: a slow reader of 100,000 jobs costs one piece, not 400 MiB.
pub const PIECE: usize = 64 * 1024;

/// The families of a view as a stream of pieces, without the process's own and without the end of the page.
#[derive(Debug)]
pub struct Pieces {
    view: Arc<View>,
    format: Format,
    /// Place among the families of jobs, then of the other entities, of the program, of the sources and of the store.
    family: usize,
    /// Place among the view's jobs.
    job: usize,
}

impl Pieces {
    /// From the beginning.
    #[must_use]
    pub const fn new(view: Arc<View>, format: Format) -> Self {
        Self {
            view,
            format,
            family: 0,
            job: 0,
        }
    }

    /// Writes one job's samples, or the whole of a family that is not of jobs; false at the end.
    fn step(&mut self, out: &mut String) -> bool {
        if let Some(family) = job::FAMILIES.get(self.family) {
            if self.job == 0 && self.shown().any(|job| job.has_samples(self.family)) {
                self.format.write_header(family, out);
            }
            if let Some(job) = self.view.jobs().get(self.job) {
                if self.view.shows(job) {
                    job.write_samples(self.family, out);
                }
                self.job += 1;
            } else {
                (self.family, self.job) = (self.family + 1, 0);
            }
            return true;
        }
        let place = self.family - job::FAMILIES.len();
        let mut families = application::FAMILIES
            .iter()
            .chain(platform_job::FAMILIES)
            .chain(deployment::FAMILIES)
            .chain(program::FAMILIES)
            .chain(source::FAMILIES)
            .chain(store::FAMILIES);
        let Some(family) = families.nth(place) else {
            return false;
        };
        if let Fill::Program(fill) = family.fill {
            write_family(self.format, family, out, |samples| fill(&self.view, samples));
        }
        self.family += 1;
        true
    }

    fn shown(&self) -> impl Iterator<Item = &Arc<RenderedJob>> {
        self.view.jobs().iter().filter(|job| self.view.shows(job))
    }
}

impl Iterator for Pieces {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        // With room for the samples that go beyond: growing would copy it, and cost fresh pages for each.
        let mut piece = String::with_capacity(PIECE + PIECE / 4);
        while piece.len() < PIECE && self.step(&mut piece) {}
        (!piece.is_empty()).then_some(piece)
    }
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
