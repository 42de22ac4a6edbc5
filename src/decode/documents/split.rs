//! A stream of bytes in pieces: JSON values, and the lines between them.
//!
//! A value stands alone on a line, over many (pretty-printed), after what a line begins with, or directly after another
//! without anything between (Firehose). It is scanned once, byte by byte, and held until it is whole. One that breaks
//! off or grows too long is given up, and what is inside or behind it is tried on its own: the next `{"`. So a damaged
//! file loses what is damaged, and an envelope without end is read element by element in bounded memory.

use serde::{Deserialize, Serialize};

/// Deepest nesting taken; what is deeper is damage. `serde_json` itself refuses at 128.
const DEEPEST: usize = 100;

/// Longest value taken whole, bytes. CloudWatch's events are at most 1 MiB each and its pages 1 MiB, but the AWS command
/// joins pages into one document; a larger one is opened while it is read.
pub(super) const LONGEST: usize = 8 << 20;

/// One piece of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A whole object or array, as written.
    Value(&'a [u8]),
    /// A line, or the rest of one, that begins no value; without its newline.
    Line(&'a [u8]),
    /// An object or array that broke off, or is too long to be taken whole: from its beginning to where that showed.
    Damaged(&'a [u8]),
}

/// What the next byte may belong to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Between {
    /// At the start of a line.
    #[default]
    Lines,
    /// Behind a value, on its line.
    Behind,
    /// Behind damage: only what looks like an object counts, up to the end of the line.
    Damage,
}

/// What JSON's grammar wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wants {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
}

/// A value begun and not yet whole.
#[derive(Debug, Clone)]
struct Open {
    /// Closing brackets that are due, the innermost last.
    due: Vec<u8>,
    wants: Wants,
    in_text: bool,
}

/// What begins at the start of a line or behind a value.
enum Met {
    Value,
    /// From where to where in the buffer.
    Line(usize, usize),
}

/// How far an open value could be scanned.
enum Scanned {
    Whole,
    More,
    Broken,
}

/// Splits one stream.
#[derive(Debug, Clone, Default)]
pub struct Splitter {
    buffer: Vec<u8>,
    /// Start of what has not been given out.
    start: usize,
    /// How far it was scanned.
    at: usize,
    open: Option<Open>,
    between: Between,
    /// End of the damage told last: what is tried again inside of it is not told once more.
    told: usize,
    /// End of the line given out last.
    line_end: usize,
    /// Offset of the buffer's first byte in the stream.
    base: u64,
}

/// What a splitter holds back, for another one to go on from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    text: String,
    between: Between,
}

impl Splitter {
    /// Takes more bytes; `offset` is where the first of them lies.
    pub fn push(&mut self, bytes: &[u8], offset: u64) {
        self.buffer.drain(..self.start);
        self.at = self.at.saturating_sub(self.start);
        self.told = self.told.saturating_sub(self.start);
        self.start = 0;
        self.base = offset.saturating_sub(self.buffer.len() as u64);
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether a value has begun and is not whole.
    #[must_use]
    pub const fn is_inside(&self) -> bool {
        self.open.is_some()
    }

    /// Whether something is held back for its rest.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.buffer[self.start..].trim_ascii().is_empty()
    }

    /// Whether the value that has begun goes over several lines.
    #[must_use]
    pub fn is_over_lines(&self) -> bool {
        self.is_inside() && memchr::memchr(b'\n', &self.buffer[self.start..self.at]).is_some()
    }

    /// What is held back, and how to go on with it. JSON is UTF-8; what is not becomes U+FFFD, as it would when read.
    #[must_use]
    pub fn held(&self) -> Held {
        Held {
            text: String::from_utf8_lossy(&self.buffer[self.start..]).into_owned(),
            between: self.between,
        }
    }

    /// What is held back, as it came.
    #[must_use]
    pub fn into_held(mut self) -> Vec<u8> {
        self.buffer.split_off(self.start)
    }

    /// Goes on from what another splitter held back.
    #[must_use]
    pub fn of(held: Held) -> Self {
        Self {
            buffer: held.text.into_bytes(),
            between: held.between,
            ..Self::default()
        }
    }

    /// Where the bytes that are not given out begin.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    /// Takes the last `bytes` of the line just given out back: a value may begin there.
    pub fn take_back(&mut self, bytes: usize) {
        self.start = self.line_end.saturating_sub(bytes);
        self.at = self.start;
        self.between = Between::Behind;
    }

    /// The next piece and where it begins in the stream; none until more bytes come. `last`: none will come.
    pub fn next(&mut self, last: bool) -> Option<(u64, Piece<'_>)> {
        let base = self.base;
        let piece = move |at: usize, piece| Some((base + at as u64, piece));
        loop {
            if self.open.is_some() {
                match self.scan() {
                    Scanned::Whole => {
                        let start = std::mem::replace(&mut self.start, self.at);
                        (self.open, self.between) = (None, Between::Behind);
                        return piece(start, Piece::Value(&self.buffer[start..self.start]));
                    }
                    Scanned::More if !last && self.at - self.start <= LONGEST => return None,
                    Scanned::More | Scanned::Broken => {
                        let start = self.start;
                        // The bracket itself is left behind; what is inside may stand alone.
                        (self.start, self.open, self.between) = (start + 1, None, Between::Damage);
                        if start >= self.told {
                            self.told = self.at;
                            return piece(start, Piece::Damaged(&self.buffer[start..self.told]));
                        }
                    }
                }
            }
            match self.between {
                Between::Damage => self.recover(last)?,
                Between::Lines | Between::Behind => {
                    if let Met::Line(start, end) = self.line(last)? {
                        return piece(start, Piece::Line(&self.buffer[start..end]));
                    }
                }
            }
        }
    }

    /// The next line, where what comes is known to be lines, whatever they look like.
    pub fn next_line(&mut self, last: bool) -> Option<(u64, Piece<'_>)> {
        let (start, end) = self.take_line(last)?;
        Some((self.base + start as u64, Piece::Line(&self.buffer[start..end])))
    }

    /// Looks for the next object behind a bracket that led nowhere, up to the end of the line on which that showed.
    fn recover(&mut self, last: bool) -> Option<()> {
        loop {
            let from = self.told.max(self.start).min(self.buffer.len());
            let end = memchr::memchr(b'\n', &self.buffer[from..]).map(|at| from + at);
            let region = &self.buffer[self.start..end.unwrap_or(self.buffer.len())];
            let Some(found) = memchr::memchr(b'{', region) else {
                self.start = end.unwrap_or(self.buffer.len());
                self.at = self.start;
                end?;
                self.between = Between::Lines;
                return Some(());
            };
            self.start += found;
            match is_plausible(&self.buffer[self.start..], last) {
                Some(true) => {
                    self.begin();
                    return Some(());
                }
                Some(false) => self.start += 1,
                None => return None,
            }
        }
    }

    /// Begins a value, or gives the line that begins none.
    fn line(&mut self, last: bool) -> Option<Met> {
        // Blanks are given out with the line that they indent.
        let mut begins = self.start;
        while let Some(byte) = self.buffer.get(begins) {
            match byte {
                b'\n' => {
                    self.between = Between::Lines;
                    self.start = begins + 1;
                }
                b' ' | b'\t' | b'\r' | 0xEF | 0xBB | 0xBF => {}
                // What is left of an opened array, and the commas of a list printed one element a line.
                b',' | b']' | b'}' if self.between == Between::Behind => self.start = begins + 1,
                _ => break,
            }
            begins += 1;
        }
        let rest = &self.buffer[begins..];
        if is_plausible(rest, last).or_else(|| rest.is_empty().then_some(false))? {
            self.start = begins;
            self.begin();
            return Some(Met::Value);
        }
        let (start, end) = self.take_line(last)?;
        Some(Met::Line(start, end))
    }

    /// Gives the next line, whatever it begins with: from where to where in the buffer.
    fn take_line(&mut self, last: bool) -> Option<(usize, usize)> {
        let rest = &self.buffer[self.start..];
        let end = match memchr::memchr(b'\n', rest) {
            Some(newline) => newline,
            // Nobody needs the whole of a line that long.
            None if (last || rest.len() > LONGEST) && !rest.is_empty() => rest.len(),
            None => return None,
        };
        let start = self.start;
        self.start = (start + end + 1).min(self.buffer.len());
        self.at = self.start;
        self.between = Between::Lines;
        let line = &self.buffer[start..start + end];
        self.line_end = start + line.strip_suffix(b"\r").unwrap_or(line).len();
        Some((start, self.line_end))
    }

    fn begin(&mut self) {
        self.at = self.start;
        self.open = Some(Open {
            due: Vec::new(),
            wants: Wants::Value,
            in_text: false,
        });
    }

    /// Scans the open value further.
    fn scan(&mut self) -> Scanned {
        let Some(open) = &mut self.open else {
            return Scanned::More;
        };
        let bytes = &self.buffer[..];
        loop {
            if open.in_text {
                let Some(found) = memchr::memchr3(b'"', b'\\', b'\n', &bytes[self.at..]) else {
                    self.at = bytes.len();
                    return Scanned::More;
                };
                self.at += found;
                match bytes[self.at] {
                    b'"' => open.in_text = false,
                    b'\\' if self.at + 1 >= bytes.len() => return Scanned::More,
                    b'\\' => self.at += 1,
                    // A newline inside of a text is written `\n`.
                    _ => return Scanned::Broken,
                }
                self.at += 1;
                continue;
            }
            let Some(byte) = bytes.get(self.at) else {
                return Scanned::More;
            };
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') && !open.takes(*byte) {
                return Scanned::Broken;
            }
            self.at += 1;
            if open.due.is_empty() {
                return Scanned::Whole;
            }
        }
    }
}

impl Open {
    /// Takes a byte outside of texts; false where the grammar has no place for it.
    fn takes(&mut self, byte: u8) -> bool {
        use Wants::{Colon, CommaOrEnd, Key, KeyOrEnd, Value, ValueOrEnd};
        self.wants = match (self.wants, byte) {
            (Value | ValueOrEnd, b'{') if self.due.len() < DEEPEST => {
                self.due.push(b'}');
                KeyOrEnd
            }
            (Value | ValueOrEnd, b'[') if self.due.len() < DEEPEST => {
                self.due.push(b']');
                ValueOrEnd
            }
            (Value | ValueOrEnd, b'"') => {
                self.in_text = true;
                CommaOrEnd
            }
            (Key | KeyOrEnd, b'"') => {
                self.in_text = true;
                Colon
            }
            (CommaOrEnd, b',') if self.due.last() == Some(&b'}') => Key,
            (Colon, b':') | (CommaOrEnd, b',') => Value,
            (KeyOrEnd | ValueOrEnd | CommaOrEnd, b'}' | b']') if self.due.last() == Some(&byte) => {
                self.due.pop();
                CommaOrEnd
            }
            // Numbers, true, false, null; whether they are whole is for who reads the value.
            (Value | ValueOrEnd | CommaOrEnd, b'0'..=b'9' | b'a'..=b'z' | b'E' | b'+' | b'-' | b'.') => {
                CommaOrEnd
            }
            _ => return false,
        };
        true
    }
}

/// Whether a value begins here: `{` before a key or its end, `[` before an element that is no number (a log line may
/// begin with a time in brackets) or its end. None where that cannot be told yet.
fn is_plausible(bytes: &[u8], last: bool) -> Option<bool> {
    let open = *bytes.first()?;
    if !matches!(open, b'{' | b'[') {
        return Some(false);
    }
    let next = bytes[1..].iter().find(|byte| !byte.is_ascii_whitespace());
    match (next, open) {
        (Some(next), b'{') => Some(matches!(next, b'"' | b'}')),
        (Some(next), _) => Some(matches!(next, b'{' | b'[' | b']')),
        (None, _) => last.then_some(false),
    }
}

#[cfg(test)]
mod tests;
