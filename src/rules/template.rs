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

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// Where, in bytes from the start of the template.
    pub offset: usize,
    /// What.
    pub message: String,
}

impl Template {
    /// Reads a template. The first error ends the reading: what follows it cannot be understood.
    pub fn compile(text: &str) -> Result<Self, TemplateError> {
        let mut template = Self {
            head: Vec::new(),
            lazy: None,
            tail: Vec::new(),
            open: false,
        };
        let mut pending: Option<(usize, Option<Field>, Span)> = None;
        let mut seen = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let error = |message: String| Err(TemplateError { offset: at, message });
            if template.open {
                return error("nothing can follow `{...}`".into());
            }
            let rest = &text[at..];
            if !rest.starts_with('{') {
                let fixed = &rest[..rest.find('{').unwrap_or(rest.len())];
                if let Some(bad) = fixed.find(|c: char| c.is_control() || c == '}') {
                    return Err(TemplateError {
                        offset: at + bad,
                        message: "fixed text holds neither `}` nor control characters".into(),
                    });
                }
                if let Some((_, field, span)) = pending.take() {
                    let until = Finder::new(fixed).into_owned();
                    template.lazy = Some(Lazy { field, span, until });
                } else if template
                    .parts()
                    .last()
                    .is_some_and(|part| part.swallows(fixed.as_bytes()[0]))
                {
                    return error("the hole before this text would take its first character too".into());
                } else {
                    template.parts().push(Part::Fixed(fixed.as_bytes().into()));
                }
                at += fixed.len();
                continue;
            }
            let Some(end) = rest.find('}') else {
                return error("`{` without `}`".into());
            };
            let hole = Hole::parse(&rest[1..end]);
            if pending.is_some()
                || template
                    .parts()
                    .last()
                    .is_some_and(|part| !matches!(part, Part::Fixed(_)))
            {
                return error("two holes need fixed text between them".into());
            }
            if let Some(field) = hole.as_ref().and_then(Hole::field) {
                if seen.contains(&field) {
                    return error(format!("`{{{}}}` stands here a second time", field.name()));
                }
                seen.push(field);
            }
            match hole {
                Some(Hole::Part(part)) => template.parts().push(part),
                Some(Hole::Lazy(..)) if template.lazy.is_some() => {
                    return error(
                        "a second hole of unknown length; a template has at most one, use `regex`".into(),
                    );
                }
                Some(Hole::Lazy(field, span)) => pending = Some((at, field, span)),
                Some(Hole::Rest) => template.open = true,
                None => {
                    return error(format!(
                        "unknown hole `{}`; known are {{*}}, {{...}}, {{text}}, {{'name'}}, {{word}}, {{number}}, {{hex}}, {}",
                        &rest[..=end],
                        Field::ALL.map(|field| format!("{{{}}}", field.name())).join(", ")
                    ));
                }
            }
            at += end + 1;
        }
        match pending {
            Some((offset, ..)) => Err(TemplateError {
                offset,
                message: "fixed text must follow this hole, else its end is unknown".into(),
            }),
            None if template.fixed().next().is_none() => Err(TemplateError {
                offset: 0,
                message: "a template needs fixed text".into(),
            }),
            None => Ok(template),
        }
    }

    /// Where the next part goes while compiling.
    const fn parts(&mut self) -> &mut Vec<Part> {
        if self.lazy.is_some() {
            &mut self.tail
        } else {
            &mut self.head
        }
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
        let count = |fits: fn(u8) -> bool| text.iter().take_while(|byte| fits(**byte)).count();
        match self {
            Self::Fixed(fixed) => text.starts_with(fixed).then_some(fixed.len()),
            Self::Hex(_) => {
                // No early exit: so the compiler compares all 32 at once.
                let hex = |all, byte: &u8| all & matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                text.get(..32)?.iter().fold(true, hex).then_some(32)
            }
            Self::Word(_) => Some(count(is_word)).filter(|len| *len > 0),
            Self::Number => Some(count(|byte| byte.is_ascii_digit())).filter(|len| *len > 0),
        }
    }

    const fn field(&self) -> Option<Field> {
        match self {
            Self::Hex(field) | Self::Word(field) => *field,
            Self::Fixed(_) | Self::Number => None,
        }
    }

    /// True when the hole is greedy and would take `byte`, so that fixed text beginning with it could never follow.
    fn swallows(&self, byte: u8) -> bool {
        match self {
            Self::Word(_) => is_word(byte),
            Self::Number => byte.is_ascii_digit(),
            Self::Fixed(_) | Self::Hex(_) => false,
        }
    }
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// What stands between braces.
enum Hole {
    Part(Part),
    Lazy(Option<Field>, Span),
    Rest,
}

impl Hole {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "*" => Self::Lazy(None, Span::Line),
            "..." => Self::Rest,
            "'name'" => Self::Lazy(Some(Field::Name), Span::Quoted),
            "text" => Self::Lazy(None, Span::Lines),
            "word" => Self::Part(Part::Word(None)),
            "number" => Self::Part(Part::Number),
            "hex" => Self::Part(Part::Hex(None)),
            _ => match Field::parse(name)? {
                field @ Field::Name => Self::Lazy(Some(field), Span::Lines),
                field @ (Field::Entrypoint | Field::Version) => Self::Lazy(Some(field), Span::Line),
                field @ (Field::Job | Field::Graph) => Self::Part(Part::Hex(Some(field))),
                field @ (Field::From | Field::To | Field::State | Field::Reason | Field::By | Field::Why) => {
                    Self::Part(Part::Word(Some(field)))
                }
            },
        })
    }

    const fn field(&self) -> Option<Field> {
        match self {
            Self::Part(part) => part.field(),
            Self::Lazy(field, _) => *field,
            Self::Rest => None,
        }
    }
}

#[cfg(test)]
mod tests;
