//! Reading what is packed as if it were the text that was packed.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use flate2::{bufread, read};

use super::fs::{File, fill};

/// A gzip file (any number of members) read by uncompressed offset.
pub(super) struct Unpacker {
    file: Arc<dyn File>,
    /// None before the first byte is asked for.
    decoder: Option<Box<dyn Read + Send>>,
    /// Uncompressed bytes already taken from the decoder.
    at: u64,
    /// The damage met: a decoder that failed once may answer anything when asked again.
    damaged: Option<io::ErrorKind>,
}

/// What gzip begins with (RFC 1952, 2.3.1). No text does.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Layers of gzip looked through: `CloudWatch` Logs packs what it sends, Firehose may pack its objects once more, and whoever
/// stores them a third time.
const LAYERS: usize = 3;

/// Gives what is read as it is, or unpacked where it begins as gzip does, whatever it is called.
///
/// # Errors
/// Those of reading its first bytes; also where they are damaged.
pub fn unpacked<'a>(input: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
    let mut input: Box<dyn BufReadSend + 'a> = Box::new(BufReader::new(input));
    for _ in 0..LAYERS {
        if !input.fill_buf()?.starts_with(&MAGIC) {
            break;
        }
        input = Box::new(BufReader::new(bufread::MultiGzDecoder::new(input)));
    }
    Ok(Box::new(input))
}

trait BufReadSend: BufRead + Send {}

impl<R: BufRead + Send> BufReadSend for R {}

/// Whether a file begins as gzip does.
pub(super) fn is_packed(file: &dyn File) -> io::Result<bool> {
    let mut first = [0; MAGIC.len()];
    Ok(fill(file, &mut first, 0)? == first.len() && first == MAGIC)
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
            decoder: None,
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
            match self.decode(buffer) {
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

    fn decode(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.decoder.is_none() {
            let file = Arc::clone(&self.file);
            // It must be packed once at least: what is not is damaged, or not yet written.
            let outermost = read::MultiGzDecoder::new(Sequential { file, at: 0 });
            self.decoder = Some(unpacked(outermost)?);
        }
        self.decoder
            .as_mut()
            .map_or(Ok(0), |decoder| decoder.read(buffer))
    }

    /// Begins again, with what the file holds now.
    pub(super) fn rewind(&mut self) {
        self.decoder = None;
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
