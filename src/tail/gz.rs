//! Reading a `.gz` as if it were the file that was packed.

use std::io::{self, Read};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::fs::File;

/// A gzip file (any number of members) read by uncompressed offset.
pub(super) struct Unpacker {
    file: Arc<dyn File>,
    decoder: MultiGzDecoder<Sequential>,
    /// Uncompressed bytes already taken from the decoder.
    at: u64,
    /// The damage met: a decoder that failed once may answer anything when asked again.
    damaged: Option<io::ErrorKind>,
}

struct Sequential {
    file: Arc<dyn File>,
    at: u64,
}

impl Read for Sequential {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.file.read_at(buffer, self.at)?;
        self.at += got as u64;
        Ok(got)
    }
}

impl Unpacker {
    pub(super) fn new(file: Arc<dyn File>) -> Self {
        Self {
            decoder: Self::decoder(&file),
            file,
            at: 0,
            damaged: None,
        }
    }

    fn decoder(file: &Arc<dyn File>) -> MultiGzDecoder<Sequential> {
        MultiGzDecoder::new(Sequential {
            file: Arc::clone(file),
            at: 0,
        })
    }

    pub(super) fn file(&self) -> &dyn File {
        &*self.file
    }

    /// Reads at an uncompressed offset: unpacks from the beginning again when that lies behind.
    pub(super) fn fill(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset < self.at {
            self.rewind();
        }
        while self.at < offset {
            let mut skipped = [0; 8192];
            let most =
                usize::try_from(offset - self.at).map_or(skipped.len(), |left| left.min(skipped.len()));
            if self.take(&mut skipped[..most])? == 0 {
                return Ok(0);
            }
        }
        let mut got = 0;
        while got < buffer.len() {
            match self.take(&mut buffer[got..]) {
                Ok(0) => break,
                Ok(n) => got += n,
                // What came before the damage is good; the error comes again at the next call.
                Err(_) if got > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(got)
    }

    fn take(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(kind) = self.damaged {
            return Err(kind.into());
        }
        loop {
            match self.decoder.read(buffer) {
                Ok(got) => {
                    self.at += got as u64;
                    return Ok(got);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.damaged = is_damage(&error).then(|| error.kind());
                    return Err(error);
                }
            }
        }
    }

    /// Begins again, with what the file holds now.
    pub(super) fn rewind(&mut self) {
        self.decoder = Self::decoder(&self.file);
        self.at = 0;
        self.damaged = None;
    }
}

/// Whether the error is one of the packed data, not of reading it.
pub(super) fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}
