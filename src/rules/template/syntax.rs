//! How templates are written: text and holes, and which orders of them have one meaning only.

use crate::rules::event::Field;

use super::{Part, Span};

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// Where, in bytes from the start of the template.
    pub offset: usize,
    /// What.
    pub message: String,
}

/// A stretch of text or a hole.
#[derive(Debug)]
pub struct Token {
    /// Where it begins, in bytes from the start of the template.
    offset: usize,
    /// What it is.
    pub kind: Kind,
}

/// What a [`Token`] is.
#[derive(Debug)]
pub enum Kind {
    /// Fixed text, or a hole whose length needs no search.
    Part(Part),
    /// A hole that ends where the fixed text after it begins.
    Lazy(Option<Field>, Span),
    /// `{...}`
    Rest,
}

/// Reads a template; a lazy hole is always followed by fixed text. The first error ends the reading: what follows it
/// cannot be understood.
pub fn read(text: &str) -> Result<Vec<Token>, TemplateError> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let (kind, len) = token(&text[at..]).map_err(|(offset, message)| TemplateError {
            offset: at + offset,
            message,
        })?;
        let token = Token { offset: at, kind };
        check_place(&tokens, &token).map_err(|message| TemplateError { offset: at, message })?;
        tokens.push(token);
        at += len;
    }
    match tokens.last() {
        Some(Token {
            offset,
            kind: Kind::Lazy(..),
        }) => Err(TemplateError {
            offset: *offset,
            message: "fixed text must follow this hole, else its end is unknown".into(),
        }),
        _ if !tokens.iter().any(Token::is_fixed) => Err(TemplateError {
            offset: 0,
            message: "a template needs fixed text".into(),
        }),
        _ => Ok(tokens),
    }
}

/// The token at the start of `text` and its length; else where something is wrong, and what.
fn token(text: &str) -> Result<(Kind, usize), (usize, String)> {
    if !text.starts_with('{') {
        let fixed = &text[..text.find('{').unwrap_or(text.len())];
        return match fixed.find(|c: char| c.is_control() || c == '}') {
            Some(bad) => Err((bad, "fixed text holds neither `}` nor control characters".into())),
            None => Ok((Kind::Part(Part::Fixed(fixed.as_bytes().into())), fixed.len())),
        };
    }
    let end = text.find('}').ok_or_else(|| (0, "`{` without `}`".into()))?;
    if let Some(kind) = hole(&text[1..end]) {
        return Ok((kind, end + 1));
    }
    let fields = Field::ALL.map(|field| format!("{{{}}}", field.name())).join(", ");
    let own = "{*}, {...}, {text}, {'name'}, {word}, {number}, {hex}";
    Err((
        0,
        format!("unknown hole `{}`; known are {own}, {fields}", &text[..=end]),
    ))
}

fn hole(name: &str) -> Option<Kind> {
    Some(match name {
        "*" => Kind::Lazy(None, Span::Line),
        "..." => Kind::Rest,
        "text" => Kind::Lazy(None, Span::Lines),
        "'name'" => Kind::Lazy(Some(Field::Name), Span::Quoted),
        "word" => Kind::Part(Part::Word(None)),
        "number" => Kind::Part(Part::Number),
        "hex" => Kind::Part(Part::Hex(None)),
        _ => match Field::parse(name)? {
            field @ Field::Name => Kind::Lazy(Some(field), Span::Lines),
            field @ (Field::Entrypoint | Field::Version) => Kind::Lazy(Some(field), Span::Line),
            field @ (Field::Job | Field::Graph) => Kind::Part(Part::Hex(Some(field))),
            field @ (Field::From | Field::To | Field::State | Field::Reason | Field::By | Field::Why) => {
                Kind::Part(Part::Word(Some(field)))
            }
        },
    })
}

/// May `token` follow these?
fn check_place(before: &[Token], token: &Token) -> Result<(), String> {
    match (before.last().map(|last| &last.kind), &token.kind) {
        (Some(Kind::Rest), _) => return Err("nothing can follow `{...}`".into()),
        (Some(Kind::Part(hole)), Kind::Part(Part::Fixed(fixed)))
            if fixed.first().is_some_and(|first| hole.takes(*first)) =>
        {
            return Err("the hole before this text would take its first character too".into());
        }
        (Some(_), _) if !before.last().is_some_and(Token::is_fixed) && !token.is_fixed() => {
            return Err("two holes need fixed text between them".into());
        }
        _ => {}
    }
    if matches!(token.kind, Kind::Lazy(..)) && before.iter().any(|token| matches!(token.kind, Kind::Lazy(..)))
    {
        return Err("a second hole of unknown length; a template has at most one, use `regex`".into());
    }
    match token.field() {
        Some(field) if before.iter().any(|token| token.field() == Some(field)) => {
            Err(format!("`{{{}}}` stands here a second time", field.name()))
        }
        _ => Ok(()),
    }
}

impl Token {
    const fn is_fixed(&self) -> bool {
        matches!(self.kind, Kind::Part(Part::Fixed(_)))
    }

    const fn field(&self) -> Option<Field> {
        match &self.kind {
            Kind::Part(part) => part.field(),
            Kind::Lazy(field, _) => *field,
            Kind::Rest => None,
        }
    }
}
