//! What carries a log's lines: a container runtime, a collector, CloudWatch. One file below for each kind.
//!
//! A wrapper knows one physical line at a time. Which lines belong together, and what is inside of what, is put
//! together in [`super::form`]; which wrappers a log has is found out in [`super::peel`].

mod aws_json;
mod carrier;
mod cri;
mod docker;
mod prefix;

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A kind of wrapper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapper {
    /// The files of containerd and CRI-O.
    Cri,
    /// Docker's json-file driver.
    Docker,
    /// `aws logs tail --format json`.
    AwsJson,
    /// `aws logs tail` as it prints by default: time, stream, message.
    Stream,
    /// A time before each line: CloudWatch's export to S3, `aws logs tail --format short`, `kubectl logs --timestamps`.
    Timed,
    /// A JSON object with the line in one of its fields: CloudWatch agent, Fluent Bit, Vector, Filebeat.
    Carrier,
}

/// Which of a process's outputs a line was written to: a record never goes on in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output, or the only one there is.
    Out,
    /// Standard error.
    Err,
}

/// What one physical line carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The carried text without its newline.
    pub text: Cow<'a, [u8]>,
    /// The carrier's own time.
    pub at: Option<Timestamp>,
    /// Where it was written.
    pub stream: Stream,
    /// The carried line ends here; otherwise the next piece of the stream continues it.
    pub ends: bool,
}

impl<'a> Piece<'a> {
    /// A whole line of the only stream.
    const fn line(text: Cow<'a, [u8]>, at: Option<Timestamp>) -> Self {
        Self {
            text,
            at,
            stream: Stream::Out,
            ends: true,
        }
    }
}

impl Wrapper {
    /// Those whose lines are never anything else: looked for before layouts.
    pub(super) const STRICT: [Self; 2] = [Self::Cri, Self::Docker];

    /// Those that a layout's own line may look like: looked for where no layout reads the log. [`Self::Timed`] first:
    /// the date of a record's own time is no stream.
    pub(super) const LOOSE: [Self; 4] = [Self::AwsJson, Self::Timed, Self::Stream, Self::Carrier];

    /// The one of this name.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        Self::STRICT
            .into_iter()
            .chain(Self::LOOSE)
            .find(|wrapper| wrapper.id() == id)
    }

    /// The name under which it is reported.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Cri => "cri",
            Self::Docker => "docker-json-file",
            Self::AwsJson => "aws-logs-tail-json",
            Self::Stream => "aws-logs-tail",
            Self::Timed => "timestamped",
            Self::Carrier => "json-carrier",
        }
    }

    /// For people: who writes it.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Cri => "container log of containerd or CRI-O, as in /var/log/pods",
            Self::Docker => "container log of Docker's json-file driver",
            Self::AwsJson => "`aws logs tail --format json`",
            Self::Stream => "`aws logs tail`: time, stream, message",
            Self::Timed => {
                "a time before each line: CloudWatch's export to S3, `aws logs tail --format short`, `kubectl logs --timestamps`"
            }
            Self::Carrier => {
                "a JSON object with the line inside: CloudWatch agent, Fluent Bit, Vector, Filebeat"
            }
        }
    }

    /// Whether a carried line may be cut into several physical ones.
    #[must_use]
    pub const fn cuts(self) -> bool {
        matches!(self, Self::Cri | Self::Docker | Self::AwsJson)
    }

    /// What a physical line carries; `None` where it is no line of this wrapper. Looks up to the first newline.
    #[must_use]
    pub fn unwrap(self, line: &[u8]) -> Option<Piece<'_>> {
        let line = memchr::memchr(b'\n', line).map_or(line, |end| &line[..end]);
        match self {
            Self::Cri => cri::unwrap(line),
            Self::Docker => docker::unwrap(line),
            Self::AwsJson => aws_json::unwrap(line),
            Self::Stream => prefix::stream(line),
            Self::Timed => prefix::timed(line),
            Self::Carrier => carrier::unwrap(line),
        }
    }
}

/// The word before the first blank, and what follows the blank.
fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = memchr::memchr(b' ', text)?;
    Some((&text[..blank], &text[blank + 1..]))
}

/// An ISO 8601 time with a `T`; one without a zone is UTC, as all carriers mean it. `aws logs tail` prints it in green on a
/// terminal, and whoever saved that may have put a byte order mark before it.
pub(super) fn instant(text: &[u8]) -> Option<Timestamp> {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let text = text.strip_prefix(b"\x1b[32m").unwrap_or(text);
    let text = text.strip_suffix(b"\x1b[0m").unwrap_or(text);
    if text.get(10) != Some(&b'T') {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    text.parse().ok().or_else(|| {
        let local: DateTime = text.parse().ok()?;
        local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

#[cfg(test)]
mod tests;
