//! What carries a log's lines, and in which layout they are: found out from a piece of it.

use std::borrow::Cow;

use super::detect::Detected;
use super::layout::Layout;
use super::layouts::Layouts;
use super::wrapper::Wrapper;

/// Wrappers inside of wrappers that are looked through: a node's runtime, a collector, CloudWatch, and one to spare.
const DEEPEST: usize = 4;

/// How much of a log's beginning is tried first, bytes.
const FIRST: usize = 8 * 1024;

/// What a piece of a log shows.
#[derive(Debug)]
pub struct Peeled<'a> {
    /// What carries the lines, the outermost first.
    pub wrappers: Vec<Wrapper>,
    /// The carried lines; those of cut ones that could not be put together are left out.
    pub lines: Cow<'a, [u8]>,
    /// What they show.
    pub detected: Detected,
}

impl Layouts {
    /// Looks through wrappers until a layout reads the lines: the chosen one, where the user has named it.
    ///
    /// Where none does, the wrappers are those that are beyond doubt.
    #[must_use]
    pub fn peel<'a>(&self, sample: &'a [u8], chosen: Option<&Layout>) -> Peeled<'a> {
        self.peel_further(Cow::Borrowed(sample), chosen, DEEPEST)
    }

    /// The same for the beginning of a log, of which the first lines are enough where they leave nothing open.
    #[must_use]
    pub fn peel_beginning<'a>(&self, sample: &'a [u8], chosen: Option<&Layout>) -> Peeled<'a> {
        let first = &sample[..sample.len().min(FIRST)];
        let whole = memchr::memrchr(b'\n', first).map_or(0, |newline| newline + 1);
        let peeled = self.peel(&sample[..whole], chosen);
        if peeled.detected.is_plain() {
            return peeled;
        }
        self.peel(sample, chosen)
    }

    fn peel_further<'a>(&self, lines: Cow<'a, [u8]>, chosen: Option<&Layout>, depth: usize) -> Peeled<'a> {
        let inside = |wrapper: Wrapper| {
            let carried = unwrap_all(wrapper, &lines)?;
            let mut peeled = self.peel_further(Cow::Owned(carried), chosen, depth - 1);
            peeled.wrappers.insert(0, wrapper);
            Some(peeled)
        };
        if depth > 0
            && let Some(peeled) = Wrapper::STRICT.into_iter().find_map(&inside)
        {
            return peeled;
        }
        let detected = self.detect(&lines);
        if depth > 0
            && !is_read(&lines, &detected, chosen)
            && let Some(peeled) = Wrapper::LOOSE
                .into_iter()
                .filter_map(&inside)
                .find(|peeled| is_read(&peeled.lines, &peeled.detected, chosen))
        {
            return peeled;
        }
        Peeled {
            wrappers: Vec::new(),
            lines,
            detected,
        }
    }
}

/// Whether a layout reads these lines well enough to tell what Flink says.
fn is_read(lines: &[u8], detected: &Detected, chosen: Option<&Layout>) -> bool {
    match chosen {
        Some(layout) => lines
            .split(|byte| *byte == b'\n')
            .any(|line| layout.is_header(line)),
        None => detected.layout.is_some() && detected.blind.is_none(),
    }
}

/// What the lines carry, if enough of them are this wrapper's.
fn unwrap_all(wrapper: Wrapper, sample: &[u8]) -> Option<Vec<u8>> {
    let (mut carried, mut rest) = (Vec::with_capacity(sample.len()), sample);
    let (mut theirs, mut lines, mut ends) = (0, 0, 0);
    // Pieces of lines that have not ended, by stream.
    let mut begun = [Vec::new(), Vec::new()];
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        if line.trim_ascii().is_empty() {
            continue;
        }
        lines += 1;
        let Some(piece) = wrapper.unwrap(line) else {
            continue;
        };
        theirs += 1;
        ends += usize::from(piece.ends);
        let begun = &mut begun[piece.stream as usize];
        begun.extend_from_slice(&piece.text);
        if piece.ends {
            carried.append(begun);
            carried.push(b'\n');
        }
    }
    let plausible = match wrapper {
        // Every message takes a line for its time, one for each key, and two braces.
        Wrapper::AwsJson => ends * 2 < theirs,
        _ => true,
    };
    // Most of what follows a time before a message may be the lines of stack traces, which have none.
    let enough = match wrapper {
        Wrapper::Timed | Wrapper::Stream => theirs * 8 > lines,
        _ => theirs * 2 > lines,
    };
    // A collector writes Docker's keys too, but never the newline: every line would be a cut one.
    (plausible && enough && ends > 0).then_some(carried)
}
