//! Which layout does a log use, and can it show transitions at all?
//!
//! Layouts are tried on a sample of lines. Several fit as a rule: to `%d %p %c %m` a line of `%d %p %c - %m` is one
//! whose message begins with `- `. So, of those that read about as many lines as the best, the most demanding is taken.
//! Trying a layout costs as much as reading the sample, and there are dozens: those that cannot be chosen are not tried.

use super::layout::{Layout, Plain, Rank};
use super::layouts::{LayoutId, Layouts};
use super::record::Level;
use crate::stats::Blind;

/// What the sample of a log shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detected {
    /// The layout; none where none is recognised.
    pub layout: Option<LayoutId>,
    /// Loggers are printed shortened, or as class names alone.
    pub shortened: bool,
    /// A logger of Flink's is printed whole.
    pub whole: bool,
    /// Times have no date: [`Layout::pass`] must be told every line.
    pub dateless: bool,
    /// The levels seen.
    pub levels: Levels,
    /// Lines that begin a record.
    pub headers: usize,
    /// Lines looked at, blank ones apart.
    pub lines: usize,
    /// Why this log cannot show transitions, as far as its layout tells.
    pub blind: Option<Blind>,
}

impl Detected {
    /// Headers that leave no doubt.
    const MANY: usize = 20;

    /// Whether more of the log would hardly tell more: many records of Flink's, in a layout that shows all there is.
    pub(super) const fn is_plain(&self) -> bool {
        self.headers >= Self::MANY
            && self.headers * 2 > self.lines
            && self.whole
            && !self.dateless
            && self.levels.has(Level::Info)
            && self.blind.is_none()
    }
}

/// A set of levels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Levels(u8);

impl Levels {
    /// Adds one.
    pub const fn add(&mut self, level: Level) {
        self.0 |= 1 << level as u8;
    }

    /// Both together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether one is in it.
    #[must_use]
    pub const fn has(self, level: Level) -> bool {
        self.0 >> level as u8 & 1 == 1
    }

    /// Some level was seen, and none as low as INFO: a log of any length that stays so does not print transitions.
    #[must_use]
    pub const fn above_info(self) -> bool {
        self.0 != 0 && self.0.trailing_zeros() > Level::Info as u32
    }
}

/// What one layout makes of the sample.
#[derive(Debug, Default)]
struct Tally {
    headers: usize,
    /// Headers with a logger that looks like one.
    plausible: usize,
    /// Headers with a logger of Flink's, whole.
    whole: usize,
    /// Headers with a logger that looks shortened.
    shortened: usize,
    dateless: bool,
    levels: Levels,
}

impl Tally {
    /// None where more lines than `spare` begin no record.
    fn of(layout: &Layout, lines: &[Plain<'_>], mut spare: usize) -> Option<Self> {
        let mut tally = Self::default();
        for line in lines {
            let Some(glance) = layout.glance(line) else {
                spare = spare.checked_sub(1)?;
                continue;
            };
            tally.headers += 1;
            tally.dateless |= glance.dateless;
            if let Some(level) = glance.level {
                tally.levels.add(level);
            }
            let look = Look::of(&glance.logger);
            tally.plausible += usize::from(look != Look::None);
            tally.whole += usize::from(look == Look::Whole);
            tally.shortened += usize::from(look == Look::Shortened);
        }
        Some(tally)
    }

    /// A layout that takes the first words of messages for loggers reads the lines of one that prints none.
    const fn has_loggers(&self) -> bool {
        self.plausible * 2 >= self.headers && self.plausible > 0
    }
}

impl Layouts {
    /// Recognises the layout of a log by a piece of it: whole lines, best its first 64 KiB.
    ///
    /// One header is enough where the layout prints a time; stack traces may be most of a log. The same piece always
    /// gives the same answer.
    #[must_use]
    pub fn detect(&self, sample: &[u8]) -> Detected {
        // Parted once for all layouts: there are dozens.
        let lines: Vec<Plain<'_>> = lines(sample).map(Plain::of).collect();
        if is_wide(sample) {
            return unknown(lines.len(), Blind::Encoding);
        }
        self.detect_above(self.bar(&lines), &lines)
    }

    /// Recognises it among the layouts that pass a bar.
    fn detect_above(&self, (rank, spare): Bar, lines: &[Plain<'_>]) -> Detected {
        let count = lines.len();
        let tallies: Vec<Candidate<'_>> = self
            .iter()
            .filter(|(_, layout)| layout.rank() >= rank)
            .filter_map(|(id, layout)| Some((id, layout, Tally::of(layout, lines, spare)?)))
            .filter(|(_, layout, tally)| {
                tally.headers > 0 && (layout.has_time() || tally.headers * 2 >= count)
            })
            .collect();
        let with_loggers = best(tallies.iter().filter(|(_, _, tally)| tally.has_loggers()));
        // Flink's banner has lines without a time in its middle; they do not make a log one without times.
        let timed = with_loggers.is_some_and(|(_, layout, _)| layout.has_time());
        let most = tallies
            .iter()
            .filter(|(_, layout, _)| !timed || layout.has_time())
            .map(|(_, _, tally)| tally.headers)
            .max()
            .unwrap_or(0);
        // A few lines that only look as if they had a logger must not hide that the log has none.
        let chosen = match with_loggers {
            Some(found) if found.2.headers * 2 >= most => Some(found),
            _ => best(
                tallies
                    .iter()
                    .filter(|(_, layout, _)| !layout.has_logger() || layout.is_json()),
            ),
        };
        let Some((id, _, tally)) = chosen else {
            return unknown(count, Blind::UnknownLayout);
        };
        Detected {
            layout: Some(*id),
            shortened: tally.shortened > tally.whole,
            whole: tally.whole > 0,
            dateless: tally.dateless,
            levels: tally.levels,
            headers: tally.headers,
            lines: count,
            blind: (!tally.has_loggers()).then_some(Blind::NoLogger),
        }
    }

    /// Which layouts are worth being tried. Nearly every log has one that reads all lines that any can read, times and loggers
    /// too: what cannot be chosen beside it is left out, so that the answer is that of trying all, at a fraction of the cost.
    fn bar(&self, lines: &[Plain<'_>]) -> Bar {
        /// Lines by which such a layout is found.
        const FEW: usize = 6;
        let all = (Rank::default(), lines.len());
        let few = &lines[..lines.len().min(FEW)];
        let headers = |layout: &Layout, lines: &[Plain<'_>]| {
            let tally = Tally::of(layout, lines, lines.len())?;
            (layout.has_time() && tally.has_loggers()).then_some(tally.headers)
        };
        let layouts = || self.iter().map(|(_, layout)| layout);
        let Some(good) = layouts().max_by_key(|layout| (headers(layout, few), layout.rank())) else {
            return all;
        };
        let Some(read) = headers(good, lines) else {
            return all;
        };
        let unread: Vec<&Plain<'_>> = lines.iter().filter(|line| good.glance(line).is_none()).collect();
        let beyond = |layout: &Layout| unread.iter().filter(|line| layout.glance(line).is_some()).count();
        let beyond = layouts().map(beyond).max().unwrap_or(0);
        // No layout reads more than `most`. With nine tenths of that it is among those that `best` weighs, and so are only
        // those with nine tenths of what it reads; where it reads as much as any, none of a lower rank matters.
        let most = read + beyond;
        if read * 10 < most * 9 {
            return all;
        }
        let rank = if beyond == 0 { good.rank() } else { all.0 };
        (rank, lines.len() - read * 9 / 10)
    }
}

/// The lowest rank of layouts that are tried, and how many lines they may leave unread.
type Bar = (Rank, usize);

type Candidate<'l> = (LayoutId, &'l Layout, Tally);

/// Of the highest rank, of those that read nearly as many lines as any; between equals the first.
fn best<'c, 'l>(candidates: impl Iterator<Item = &'c Candidate<'l>> + Clone) -> Option<&'c Candidate<'l>> {
    let most = candidates.clone().map(|(_, _, tally)| tally.headers).max()?;
    candidates
        .filter(|(_, _, tally)| tally.headers * 10 >= most * 9)
        .max_by_key(|(id, layout, tally)| (layout.rank(), tally.headers, std::cmp::Reverse(*id)))
}

/// What cannot be read, as far as there is anything to be read.
fn unknown(lines: usize, blind: Blind) -> Detected {
    Detected {
        lines,
        blind: (lines > 0).then_some(blind),
        ..Detected::default()
    }
}

fn lines(sample: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = sample;
    let every = std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(line)
    });
    every.filter(|line| !line.trim_ascii().is_empty())
}

/// UTF-16 or UTF-32: a byte order mark, or NUL in a quarter of the bytes, where text has none.
fn is_wide(sample: &[u8]) -> bool {
    let marked = sample.starts_with(&[0xFF, 0xFE]) || sample.starts_with(&[0xFE, 0xFF]);
    let zeros = memchr::memchr_iter(0, sample).count();
    marked || (zeros > 0 && zeros * 4 >= sample.len())
}

/// What a logger's name looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Like none: the first word of a message, perhaps.
    None,
    /// Whole name of a class of Flink's.
    Whole,
    /// Package letters (`o.a.f.…`) or a class name alone.
    Shortened,
    /// A name with dots that tells neither.
    Dotted,
}

impl Look {
    fn of(logger: &[u8]) -> Self {
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$' | b'-');
        if !logger.iter().all(is_name) || !logger.last().is_some_and(u8::is_ascii_alphanumeric) {
            return Self::None;
        }
        if logger.starts_with(b"org.apache.flink.") {
            return Self::Whole;
        }
        match memchr::memchr(b'.', logger) {
            // `o.a.f.…`; `%c{-2}` and `%.30c` cut from the left, but leave packages and a class.
            Some(1) => Self::Shortened,
            Some(0) => Self::None,
            Some(_) if is_cut_left(logger) => Self::Shortened,
            Some(_) => Self::Dotted,
            None if is_camel(logger) => Self::Shortened,
            None => Self::None,
        }
    }
}

/// Ends as the name of a class of Flink's runtime does, and does not begin as one.
fn is_cut_left(logger: &[u8]) -> bool {
    const PACKAGES: [&[u8]; 4] = [b"entrypoint.", b"executiongraph.", b"jobmaster.", b"dispatcher."];
    PACKAGES
        .iter()
        .any(|package| memchr::memmem::find(logger, package).is_some())
}

/// `ExecutionGraph`, not `Starting`: two capitals at least, each followed by a small letter somewhere.
fn is_camel(word: &[u8]) -> bool {
    let humps = word
        .windows(2)
        .filter(|pair| !pair[0].is_ascii_uppercase() && pair[1].is_ascii_uppercase())
        .count();
    word[0].is_ascii_uppercase() && humps > 0
}

#[cfg(test)]
mod tests;
