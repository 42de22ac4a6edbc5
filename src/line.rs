//! The words that edge and core share: which log a byte came from, and where in it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One log: a rotation family (`x.log`, `x.log.1`, `x.log.2.gz` …) or standard input.
///
/// Numbers are given by the edge when it first sees a family and belong to it for as long as it is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LogId(pub u32);

/// Where a line began: bytes from the start of the (uncompressed) file that held it.
pub type Offset = u64;

/// The 128-bit id that Flink gives a job, printed as 32 lower-case hexadecimal digits.
///
/// Application mode before 1.16 with high availability uses `000…0` for every job, so an id is unique only within
/// one cluster (`ApplicationDispatcherBootstrap.ZERO_JOB_ID`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobId(pub [u8; 16]);

impl JobId {
    /// Reads exactly 32 lower-case hexadecimal digits; anything else is no job id.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        // Every transition's id is read. Without an exit in the loops the compiler does 16 digits at once: 74 instructions
        // an id; 213 by a table (callgrind).
        let digits: &[u8; 32] = text.try_into().ok()?;
        let (mut nibbles, mut all) = ([0; 32], 0);
        for (nibble, byte) in nibbles.iter_mut().zip(digits) {
            *nibble = nibble_of(*byte);
            all |= *nibble;
        }
        let mut id = [0; 16];
        for (byte, [high, low]) in id.iter_mut().zip(nibbles.as_chunks().0) {
            *byte = high << 4 | low;
        }
        (all < NO_DIGIT).then_some(Self(id))
    }
}

impl TryFrom<String> for JobId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(text.as_bytes()).ok_or("no job id")
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.to_string()
    }
}

/// The value of a byte that is no digit.
const NO_DIGIT: u8 = 1 << 4;

/// The value of a lower-case hexadecimal digit.
const fn nibble_of(byte: u8) -> u8 {
    let (digit, letter) = (byte.wrapping_sub(b'0'), byte.wrapping_sub(b'a'));
    if digit < 10 {
        digit
    } else if letter < 6 {
        10 + letter
    } else {
        NO_DIGIT
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Who wrote a file, as far as its first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// A JobManager, or any process that prints transitions of jobs.
    JobManager,
    /// A TaskManager: prints nothing of interest.
    TaskManager,
    /// Cannot be told (yet).
    Unknown,
}

/// What a decoder can tell from a file's first bytes, for whoever puts files in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadFacts {
    /// Time of the first record that has one: what files are ordered by.
    pub first_time: Option<Timestamp>,
    /// Who wrote it.
    pub writer: Writer,
}

#[cfg(test)]
mod tests {
    use super::JobId;

    #[test]
    fn a_job_id_is_32_lower_case_hex_digits_and_prints_as_read() {
        let text = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
        assert_eq!(JobId::parse(text.as_bytes()).unwrap().to_string(), text);
        for bad in [
            "",
            "0a1b",
            "0A1B2C3D4E5F60718293A4B5C6D7E8F9",
            "0a1b2c3d4e5f60718293a4b5c6d7e8f90",
            "zz1b2c3d4e5f60718293a4b5c6d7e8f9",
        ] {
            assert_eq!(JobId::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
