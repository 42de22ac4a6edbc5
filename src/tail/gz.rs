//! Reading a `.gz` as if it were the file that was packed.

use std::io::{self, BufRead as _, BufReader, Read};
use std::sync::Arc;

use flate2::{bufread, read};

use super::fs::File;

/// A gzip file (any number of members) read by uncompressed offset.
pub(super) struct Unpacker {
    file: Arc<dyn File>,
    decoder: Layers,
    /// Uncompressed bytes already taken from the decoder.
    at: u64,
    /// The damage met: a decoder that failed once may answer anything when asked again.
    damaged: Option<io::ErrorKind>,
}

/// What gzip begins with (RFC 1952, 2.3.1). No text does.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// One layer of gzip, or two: CloudWatch Logs packs what it sends, and Firehose may pack its objects once more.
enum Layers {
    /// Not looked into; empty only while it becomes one of the others.
    Unknown(Option<Outer>),
    One(Outer),
    Two(Box<bufread::MultiGzDecoder<Outer>>),
}

type Outer = BufReader<read::MultiGzDecoder<Sequential>>;

impl Layers {
    fn new(file: &Arc<dyn File>) -> Self {
        let packed = Sequential {
            file: Arc::clone(file),
            at: 0,
        };
        Self::Unknown(Some(BufReader::new(read::MultiGzDecoder::new(packed))))
    }
}

impl Read for Layers {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let (content, is_packed) = match self {
                Self::One(content) => return content.read(buffer),
                Self::Two(content) => return content.read(buffer),
                Self::Unknown(content) => match content {
                    None => return Ok(0),
                    Some(begun) => {
                        let is_packed = begun.fill_buf()?.starts_with(&MAGIC);
                        (content.take(), is_packed)
                    }
                },
            };
            let Some(content) = content else { return Ok(0) };
            *self = if is_packed {
                Self::Two(Box::new(bufread::MultiGzDecoder::new(content)))
            } else {
                Self::One(content)
            };
        }
    }
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
            decoder: Layers::new(&file),
            file,
            at: 0,
            damaged: None,
        }
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
                Err(error) if got > 0 && is_damage(&error) => break,
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
        self.decoder = Layers::new(&self.file);
        self.at = 0;
        self.damaged = None;
    }
}

/// Whether the error is one of the packed data, not of reading it.
pub(super) fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::super::fs::{Fs as _, OsFs};
    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn members_joined_and_packed_once_more_are_read_as_one_text() {
        let members = [gzip(b"one\n"), gzip(b"two\n")].concat();
        for packed in [members.clone(), gzip(&members)] {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), packed).unwrap();
            let mut unpacker = Unpacker::new(OsFs.open(file.path()).unwrap());
            let mut text = [0; 16];
            for offset in [0, 4, 0] {
                let got = unpacker.fill(&mut text, offset).unwrap();
                let start = usize::try_from(offset).unwrap();
                assert_eq!(text[..got], b"one\ntwo\n"[start..]);
            }
        }
    }
}
