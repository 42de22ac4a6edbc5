//! Wording in Flink's own words with typed holes, and its matcher.
//!
//! `Job {name} ({job}) switched from state {from} to {to}.` matches from the start of a message to the end of a line
//! (`\n`, `\r\n` or the end of the text), or anywhere with `{...}` at its end.
//!
//! | hole | takes |
//! | --- | --- |
//! | `{name}` `{text}` | as little as possible, newlines too |
//! | `{'name'}` | the same, without the quotes where it stands in quotes (1.14 and later quote names, 1.13 does not) |
//! | `{*}` `{entrypoint}` `{version}` | as little as possible of the line |
//! | `{job}` `{graph}` `{hex}` | 32 lower-case hexadecimal digits |
//! | `{from}` `{to}` `{state}` `{word}` … | letters, digits and `_`, at least one |
//! | `{number}` | digits, at least one |
//!
//! At most one hole is lazy (one that takes as little as possible), and fixed text follows it: a match is one search for
//! that text with a bounded check at each place found, linear in the message, whatever a user puts into a job's name.

use memchr::memmem::Finder;

use super::event::{Captures, Field};

mod syntax;

use syntax::Kind;
pub use syntax::TemplateError;

/// A compiled template.
#[derive(Debug)]
pub struct Template {
    /// What the message begins with.
    head: Vec<Part>,
    lazy: Option<Lazy>,
    /// What follows the lazy hole and the fixed text after it.
    tail: Vec<Part>,
    /// Ends in `{...}`: anything may follow.
    open: bool,
}

/// The hole whose length only what follows can tell.
#[derive(Debug)]
struct Lazy {
    field: Option<Field>,
    span: Span,
    until: Finder<'static>,
}

/// What a lazy hole may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    /// A part of one line.
    Line,
    /// A job's name may hold newlines.
    Lines,
    /// The same, perhaps in quotes that do not belong to it.
    Quoted,
}

impl Span {
    /// Without the quotes around it.
    fn trim(self, text: &[u8]) -> &[u8] {
        match text {
            [b'\'', inner @ .., b'\''] if self == Self::Quoted => inner,
            _ => text,
        }
    }
}

/// A part whose length needs no search.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Fixed(Box<[u8]>),
    /// 32 lower-case hexadecimal digits.
    Hex(Option<Field>),
    /// One or more of `[A-Za-z0-9_]`.
    Word(Option<Field>),
    /// One or more digits.
    Number,
}

/// How well a message fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It has the wording.
    Whole,
    /// It begins like the wording and may become whole with more lines: a job's name may hold newlines.
    Begun,
    /// It has other wording.
    No,
}

impl Template {
    /// Reads a template.
    pub fn compile(text: &str) -> Result<Self, TemplateError> {
        let mut template = Self {
            head: Vec::new(),
            lazy: None,
            tail: Vec::new(),
            open: false,
        };
        let mut tokens = syntax::read(text)?.into_iter();
        while let Some(token) = tokens.next() {
            let parts = if template.lazy.is_some() {
                &mut template.tail
            } else {
                &mut template.head
            };
            match token.kind {
                Kind::Part(part) => parts.push(part),
                Kind::Lazy(field, span) => {
                    let until = tokens.next().map(|next| next.kind);
                    if let Some(Kind::Part(Part::Fixed(until))) = until {
                        template.lazy = Some(Lazy {
                            field,
                            span,
                            until: Finder::new(&until).into_owned(),
                        });
                    }
                }
                Kind::Rest => template.open = true,
            }
        }
        Ok(template)
    }

    /// Its fixed texts, in order; every message that fits holds all of them.
    pub fn fixed(&self) -> impl Iterator<Item = &[u8]> {
        fn fixed(part: &Part) -> Option<&[u8]> {
            if let Part::Fixed(text) = part {
                Some(text)
            } else {
                None
            }
        }
        let head = self.head.iter().filter_map(fixed);
        head.chain(self.lazy.iter().map(|lazy| lazy.until.needle()))
            .chain(self.tail.iter().filter_map(fixed))
    }

    /// The fields that its holes capture.
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        let parts = self.head.iter().chain(&self.tail).filter_map(Part::field);
        parts.chain(self.lazy.iter().filter_map(|lazy| lazy.field))
    }

    /// Compares a message. `captures` is meaningful only after [`Fit::Whole`].
    pub fn fit<'t>(&self, message: &'t [u8], captures: &mut Captures<'t>) -> Fit {
        let Some(at) = run(&self.head, message, 0, captures) else {
            return Fit::No;
        };
        let Some(lazy) = &self.lazy else {
            return if self.ends(message, at) {
                Fit::Whole
            } else {
                Fit::No
            };
        };
        let line_end = || memchr::memchr(b'\n', &message[at..]).map_or(message.len(), |end| at + end);
        let limit = if lazy.span == Span::Line {
            line_end()
        } else {
            message.len()
        };
        let mut from = at;
        while let Some(found) = lazy.until.find(&message[from..limit]) {
            let start = from + found;
            let end = run(&self.tail, message, start + lazy.until.needle().len(), captures);
            if end.is_some_and(|end| self.ends(message, end)) {
                if let Some(field) = lazy.field {
                    captures.set(field, lazy.span.trim(&message[at..start]));
                }
                return Fit::Whole;
            }
            from = start + 1;
        }
        // Without fixed text before the name every message would look like the beginning of this one.
        if lazy.span != Span::Line && !self.head.is_empty() {
            Fit::Begun
        } else {
            Fit::No
        }
    }

    /// True at the end of a line (`\r\n` too) or of the message.
    fn ends(&self, message: &[u8], at: usize) -> bool {
        self.open || matches!(&message[at..], [] | [b'\n', ..] | [b'\r'] | [b'\r', b'\n', ..])
    }
}

/// Fits the parts one after the other from `at`; returns where they end.
fn run<'t>(parts: &[Part], text: &'t [u8], mut at: usize, captures: &mut Captures<'t>) -> Option<usize> {
    for part in parts {
        let rest = &text[at..];
        let len = part.len(rest)?;
        if let Some(field) = part.field() {
            captures.set(field, &rest[..len]);
        }
        at += len;
    }
    Some(at)
}

impl Part {
    /// How many bytes of the start of `text` it takes; none when it does not fit.
    fn len(&self, text: &[u8]) -> Option<usize> {
        match self {
            Self::Fixed(fixed) => text.starts_with(fixed).then_some(fixed.len()),
            Self::Hex(_) => {
                // No early exit: so the compiler compares all 32 at once.
                let hex = |all, byte: &u8| all & matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                let digits: &[u8; 32] = text.first_chunk()?;
                digits.iter().fold(true, hex).then_some(32)
            }
            Self::Word(_) => count(text, |byte| WORD[usize::from(byte)]),
            Self::Number => count(text, |byte| byte.is_ascii_digit()),
        }
    }

    const fn field(&self) -> Option<Field> {
        match self {
            Self::Hex(field) | Self::Word(field) => *field,
            Self::Fixed(_) | Self::Number => None,
        }
    }

    /// True when the hole is greedy and would take `byte`, so that fixed text beginning with it could never follow.
    fn takes(&self, byte: u8) -> bool {
        match self {
            Self::Word(_) => WORD[usize::from(byte)],
            Self::Number => byte.is_ascii_digit(),
            Self::Fixed(_) | Self::Hex(_) => false,
        }
    }
}

/// How many bytes of the start fit; none where not one does.
fn count(text: &[u8], fits: impl Fn(u8) -> bool) -> Option<usize> {
    let count = text.iter().position(|byte| !fits(*byte)).unwrap_or(text.len());
    (count > 0).then_some(count)
}

/// Which bytes a word holds. A transition has two words: a table takes a third of the instructions that comparing does.
const WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_';
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests;
