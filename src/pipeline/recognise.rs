//! Which layout a log uses, as far as it has been read; it may change under a running process (`monitorInterval`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ChosenLayout;
use super::memory::Memory;
use super::tally::Tally;
use crate::decode::detect::Detected;
use crate::decode::layout::Layout;
use crate::decode::layouts::Layouts;

/// Headers after which a recognised layout is not doubted while it goes on reading lines.
const FIRM: usize = 20;

/// How much of a logger's name the log prints, as far as it has shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Loggers {
    #[default]
    Unseen,
    Shortened,
    /// One of Flink's was printed whole: a shortened one is somebody else's from then on.
    Whole,
}

/// The layout in use and how sure it is.
#[derive(Debug, Clone)]
pub(super) struct Recognised {
    layout: Option<Arc<Layout>>,
    /// The user named it: never doubted.
    chosen: bool,
    loggers: Loggers,
    dateless: bool,
    /// Headers recognised since the file began.
    headers: usize,
}

impl Recognised {
    /// How much of a log is looked at to recognise its layout, and kept while it is not recognised, bytes.
    pub(super) const SAMPLE: usize = 32 * 1024;

    pub(super) fn new(chosen: Option<&ChosenLayout>) -> Self {
        Self {
            layout: chosen.map(|chosen| Arc::clone(&chosen.0)),
            chosen: chosen.is_some(),
            loggers: Loggers::Unseen,
            dateless: false,
            headers: 0,
        }
    }

    /// Writes down what was recognised.
    pub(super) fn write(&self, memory: &mut Memory) {
        memory.layout = self.layout.as_ref().map(|layout| layout.id().to_owned());
        memory.loggers = self.loggers;
        memory.dateless = self.dateless;
        memory.headers_in_file = self.headers;
    }

    /// Takes up what was recognised, unless the layout is not the same any more.
    pub(super) fn read(&mut self, memory: &Memory, layouts: &Layouts) {
        let Some(id) = memory.layout.as_deref() else {
            return;
        };
        if !self.chosen {
            self.layout = layouts.named(id).map(|id| Arc::new(layouts.get(id).clone()));
        }
        if self.layout.as_ref().is_some_and(|layout| layout.id() == id) {
            self.loggers = memory.loggers;
            self.dateless = memory.dateless;
            self.headers = memory.headers_in_file;
        }
    }

    pub(super) fn layout(&self) -> Option<&Arc<Layout>> {
        self.layout.as_ref()
    }

    /// Times have no date: every header must be told to the clock.
    pub(super) const fn is_dateless(&self) -> bool {
        self.dateless
    }

    /// Whether loggers are shortened: an exact layout says so, else what was seen.
    pub(super) fn shortens(&self, layout: &Layout) -> bool {
        layout
            .shortens_loggers()
            .unwrap_or(self.loggers == Loggers::Shortened)
    }

    /// The next file may come from a process with another configuration.
    pub(super) const fn file_end(&mut self) {
        self.headers = 0;
    }

    /// The layout to read these lines with: recognised anew where there is doubt.
    pub(super) fn recognise(
        &mut self,
        layouts: &Layouts,
        lines: &[u8],
        tally: &mut Tally,
    ) -> Option<Arc<Layout>> {
        if self.is_in_doubt(lines) {
            let sample = whole_lines(lines);
            let detected = layouts.detect(sample);
            if self.chosen {
                self.learn(&detected);
            } else {
                self.adopt(layouts, &detected, sample, tally);
            }
        }
        self.layout.clone()
    }

    fn is_in_doubt(&self, lines: &[u8]) -> bool {
        let Some(layout) = &self.layout else { return true };
        if self.headers < FIRM {
            return true;
        }
        let last = lines[..lines.len().saturating_sub(1)]
            .rsplit(|byte| *byte == b'\n')
            .next();
        !layout.is_header(lines) && !last.is_some_and(|line| layout.is_header(line))
    }

    fn adopt(&mut self, layouts: &Layouts, detected: &Detected, sample: &[u8], tally: &mut Tally) {
        let Some(found) = detected.layout.map(|id| layouts.get(id)) else {
            if self.layout.is_none() {
                tally.layout_told(detected.blind, detected.levels, 0);
            }
            return;
        };
        let better = match &self.layout {
            None => true,
            Some(used) if used.id() == found.id() => false,
            // Flink's banner has lines without a time in its middle: where a read ends there, the log is still the same.
            Some(used) if self.headers > 0 && used.has_time() && !found.has_time() => false,
            // Several layouts read the same lines; only one that reads more, and most of them, takes over.
            Some(used) => {
                let read = sample
                    .split(|byte| *byte == b'\n')
                    .filter(|line| used.is_header(line))
                    .count();
                let sees_more = !used.has_logger() && found.has_logger();
                detected.headers * 2 >= detected.lines && (read < detected.headers || sees_more)
            }
        };
        if better {
            self.layout = Some(Arc::new(found.clone()));
            (self.loggers, self.headers) = (Loggers::Unseen, 0);
        }
        if self.layout.as_ref().is_some_and(|used| used.id() == found.id()) {
            self.learn(detected);
            tally.layout_told(detected.blind, detected.levels, detected.headers);
        }
    }

    fn learn(&mut self, detected: &Detected) {
        self.headers += detected.headers;
        match self.loggers {
            Loggers::Whole => {}
            _ if detected.whole => self.loggers = Loggers::Whole,
            _ if detected.shortened => self.loggers = Loggers::Shortened,
            Loggers::Unseen | Loggers::Shortened => {}
        }
        self.dateless |= detected.dateless;
    }
}

/// The first lines, as many as fit the sample; at least one.
fn whole_lines(lines: &[u8]) -> &[u8] {
    if lines.len() <= Recognised::SAMPLE {
        return lines;
    }
    let end = memchr::memrchr(b'\n', &lines[..Recognised::SAMPLE])
        .map_or(Recognised::SAMPLE, |newline| newline + 1);
    &lines[..end]
}
