//! The matcher behind [`super::Pattern`]: a list of parts, tried from left to right over bytes.
//!
//! Few parts leave a choice (how far does a thread's name go?). Each takes the least first and gives more as long as the
//! parts behind it do not fit; a budget bounds the work on hostile lines. Nothing is allocated.

use crate::decode::record::Level;
use crate::decode::time::{Printed, TimeForm};

/// One part of a pattern.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// Exactly this.
    Text(Box<[u8]>),
    /// At least so many blanks; `exact`: as many as fill the field before to `width`, and the `least` besides.
    Blanks { least: usize, width: usize, exact: bool },
    /// A time.
    Time(TimeForm),
    /// One of these words.
    Level(Box<[(Box<[u8]>, Level)]>),
    /// A word, ending before a blank or the byte that begins the text behind it.
    Logger { stop: Option<u8> },
    /// log4j's NDC: nothing (log4j 1), `[…]` (log4j 2), or a word.
    Stack,
    /// Anything, perhaps nothing: the logging context.
    Context(ContextKey),
    /// Digits, or nothing, or `?`.
    Number,
    /// Anything, perhaps nothing.
    Free,
    /// The so many parts that follow may be missing.
    Optional(usize),
}

/// What a context may hold. Values of other keys may look like ids of jobs: trace ids do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ContextKey {
    /// `flink-job-id`: it is asked for, or all keys are printed.
    All,
    /// `resource.namespace` of the Flink Kubernetes operator.
    Namespace,
    /// `resource.name` of the Flink Kubernetes operator.
    Name,
    /// Some other key.
    Other,
}

impl Part {
    /// Whether it fits nothing that begins with a blank: blanks before it need not be given back to it.
    fn begins_without_blank(&self) -> bool {
        match self {
            Self::Text(text) => text.first().is_some_and(|byte| *byte != b' '),
            Self::Time(TimeForm::Any) | Self::Level(_) | Self::Logger { .. } => true,
            _ => false,
        }
    }

    /// Whether a line must hold something for this part to fit.
    pub(super) const fn is_demanding(&self) -> bool {
        matches!(
            self,
            Self::Time(_) | Self::Level(_) | Self::Logger { .. } | Self::Number
        )
    }
}

/// A piece of the line: from its first byte to behind its last.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Span(usize, usize);

impl Span {
    pub(super) fn of(self, line: &[u8]) -> &[u8] {
        &line[self.0..self.1]
    }
}

/// What has been found so far; copied where a choice may be taken back.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Found<'a> {
    pub time: Option<Printed<'a>>,
    pub level: Option<Level>,
    pub logger: Span,
    pub context: Span,
    /// The operator's resource: namespace and name.
    pub resource: (Span, Span),
    /// Length of the last field, bytes: what padding fills up.
    pub(super) last_len: usize,
}

/// One attempt on one line.
pub(super) struct Run<'a> {
    line: &'a [u8],
    /// The parts must reach the end of the line.
    to_end: bool,
    /// Choices left to try.
    budget: usize,
    /// What was found does not hang on any byte of the line from here on.
    reach: usize,
}

/// Far more choices than any real line needs, and still microseconds.
const CHOICES: usize = 256;

/// No thread's name or logging context is longer, bytes.
const FREE_BYTES: usize = 1024;

impl<'a> Run<'a> {
    pub(super) const fn new(line: &'a [u8], to_end: bool) -> Self {
        Self {
            line,
            to_end,
            budget: CHOICES,
            reach: 0,
        }
    }

    /// Up to where bytes of the line had a say in what was found.
    pub(super) const fn reach(&self) -> usize {
        self.reach
    }

    fn looked_at(&mut self, until: usize) {
        self.reach = self.reach.max(until);
    }

    /// Matches `parts` from `at` on; the end of the last one.
    pub(super) fn go(&mut self, parts: &[Part], at: usize, found: &mut Found<'a>) -> Option<usize> {
        let mut at = at;
        let mut parts = parts;
        while let [part, behind @ ..] = parts {
            let rest = &self.line[at..];
            at += match part {
                Part::Text(text) if rest.starts_with(text) => {
                    self.looked_at(at + text.len());
                    text.len()
                }
                Part::Text(text) => {
                    let alike = rest.iter().zip(text).take_while(|(one, other)| one == other);
                    self.looked_at(at + alike.count() + 1);
                    return None;
                }
                Part::Time(form) => {
                    // How far it looked to tell where the time ends is not known.
                    self.looked_at(usize::MAX);
                    let (time, len) = form.read(rest)?;
                    found.time = Some(time);
                    found.last_len = len;
                    len
                }
                Part::Level(words) => {
                    let len = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
                    self.looked_at(at + len + 1);
                    found.level = Some(level(words, &rest[..len])?);
                    found.last_len = len;
                    len
                }
                Part::Logger { stop } => {
                    let end = memchr::memchr3(b' ', b'\t', stop.unwrap_or(b' '), rest);
                    let len = end.unwrap_or(rest.len());
                    self.looked_at(at + len + 1);
                    if len == 0 {
                        return None;
                    }
                    found.logger = Span(at, at + len);
                    found.last_len = len;
                    len
                }
                Part::Number => {
                    let len = match rest {
                        [b'?', ..] => 1,
                        _ => rest.iter().take_while(|byte| byte.is_ascii_digit()).count(),
                    };
                    self.looked_at(at + len + 1);
                    found.last_len = len;
                    len
                }
                Part::Blanks { least, width, exact } => {
                    let there = rest.iter().take_while(|byte| **byte == b' ').count();
                    self.looked_at(at + there + 1);
                    if *exact {
                        let fill = width.saturating_sub(found.last_len) + least;
                        (there >= *least).then_some(fill.min(there))?
                    } else if behind.first().is_none_or(Part::begins_without_blank) {
                        (there >= *least).then_some(there)?
                    } else {
                        return self.blanks(behind, at, (*least, there), found);
                    }
                }
                Part::Optional(len) => {
                    let before = *found;
                    if let Some(end) = self.go(behind, at, found) {
                        return Some(end);
                    }
                    *found = before;
                    parts = &behind[*len..];
                    continue;
                }
                Part::Stack if rest.first() == Some(&b'[') => return self.bracketed(behind, at, found),
                Part::Stack | Part::Context(_) | Part::Free => return self.free(part, behind, at, found),
            };
            parts = behind;
        }
        (!self.to_end || at == self.line.len()).then_some(at)
    }

    /// Takes all blanks, and gives back a few to what stands behind: an empty `%x` between two blanks, say.
    fn blanks(
        &mut self,
        behind: &[Part],
        at: usize,
        (least, there): (usize, usize),
        found: &mut Found<'a>,
    ) -> Option<usize> {
        const GIVEN_BACK: usize = 2;
        let before = *found;
        for taken in (least.max(there.saturating_sub(GIVEN_BACK))..=there).rev() {
            if let Some(end) = self.go(behind, at + taken, found) {
                return Some(end);
            }
            *found = before;
            self.spend()?;
        }
        None
    }

    /// `[…]` of the NDC, which may hold brackets itself.
    fn bracketed(&mut self, behind: &[Part], at: usize, found: &mut Found<'a>) -> Option<usize> {
        let before = *found;
        for close in memchr::memchr_iter(b']', &self.line[at..]) {
            let inner = Span(at, at + close + 1);
            let context = if close > 1 { inner } else { before.context };
            *found = Found {
                context,
                last_len: close + 1,
                ..before
            };
            if let Some(end) = self.go(behind, at + close + 1, found) {
                return Some(end);
            }
            self.spend()?;
        }
        self.looked_at(usize::MAX);
        None
    }

    /// The shortest text after which the parts behind it fit.
    fn free(&mut self, part: &Part, behind: &[Part], at: usize, found: &mut Found<'a>) -> Option<usize> {
        let rest = &self.line[at..];
        // Log4j 1's NDC is read as one word, and a `-` belongs to what follows: else messages would be cut at ` - `.
        let longest = match (part, rest.first()) {
            (Part::Stack, Some(b'-')) => 0,
            (Part::Stack, _) => memchr::memchr(b' ', rest).unwrap_or(rest.len()),
            _ => rest.len(),
        };
        let longest = longest.min(FREE_BYTES);
        let end = self.up_to(longest, part, behind, at, found);
        if end.is_none() {
            self.looked_at(at + longest + 1);
        }
        end
    }

    fn up_to(
        &mut self,
        longest: usize,
        part: &Part,
        behind: &[Part],
        at: usize,
        found: &mut Found<'a>,
    ) -> Option<usize> {
        let rest = &self.line[at..];
        let before = *found;
        let mut len = 0;
        while len <= longest {
            // Where text stands behind, only its places come into question.
            if let Some(Part::Text(text)) = behind.first()
                && longest > 0
            {
                let end = rest.len().min(longest + text.len());
                let Some(skip) = memchr::memmem::find(&rest[len..end], text) else {
                    self.looked_at(at + end);
                    return None;
                };
                len += skip;
            }
            *found = Found {
                last_len: len,
                ..before
            };
            // A pattern may print two contexts, one of them empty.
            if len > 0 && matches!(part, Part::Stack | Part::Context(ContextKey::All)) {
                found.context = Span(at, at + len);
            }
            match part {
                Part::Context(ContextKey::Namespace) => found.resource.0 = Span(at, at + len),
                Part::Context(ContextKey::Name) => found.resource.1 = Span(at, at + len),
                _ => {}
            }
            if let Some(end) = self.go(behind, at + len, found) {
                return Some(end);
            }
            self.spend()?;
            len += 1;
        }
        None
    }

    fn spend(&mut self) -> Option<()> {
        self.budget = self.budget.checked_sub(1)?;
        Some(())
    }
}

/// The level that a word stands for, whatever its case.
fn level(words: &[(Box<[u8]>, Level)], word: &[u8]) -> Option<Level> {
    let known = words.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
    known.map(|(_, level)| *level)
}
