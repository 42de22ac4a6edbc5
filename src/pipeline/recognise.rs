//! How a log's lines are read, as far as it has been read; its layout may change under a running process (`monitorInterval`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ChosenLayout;
use super::beginnings::Beginning;
use super::memory::Memory;
use super::tally::Tally;
use crate::decode::detect::Detected;
use crate::decode::form::Form;
use crate::decode::layout::Layout;
use crate::decode::layouts::Layouts;
use crate::decode::pattern::LastHeader;
use crate::decode::wrapper::Wrapper;

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

/// The form in use and how sure it is.
#[derive(Debug, Clone)]
pub(super) struct Recognised {
    form: Option<Arc<Form>>,
    /// The last header that was decoded with it.
    last_header: LastHeader,
    /// The layout that the user named: never doubted. What carries it is found out all the same.
    chosen: Option<Arc<Layout>>,
    loggers: Loggers,
    dateless: bool,
    /// Headers recognised since the file began.
    headers: usize,
    /// What the lines that come next were found to show.
    foreseen: Option<Box<Beginning>>,
}

impl Recognised {
    /// How much of a log is looked at to recognise its layout, and kept while it is not recognised, bytes.
    pub(super) const SAMPLE: usize = 32 * 1024;

    pub(super) fn new(chosen: Option<&ChosenLayout>) -> Self {
        Self {
            form: chosen.map(|chosen| Arc::new(Form::new(Vec::new(), Arc::clone(&chosen.0)))),
            last_header: LastHeader::default(),
            chosen: chosen.map(|chosen| Arc::clone(&chosen.0)),
            loggers: Loggers::Unseen,
            dateless: false,
            headers: 0,
            foreseen: None,
        }
    }

    /// Takes what was found out about the lines that come next.
    pub(super) fn foresee(&mut self, beginning: Option<Beginning>) {
        self.foreseen = beginning.map(Box::new);
    }

    /// Writes down what was recognised.
    pub(super) fn write(&self, memory: &mut Memory) {
        if let Some(form) = &self.form {
            memory.layout = Some(form.layout().id().to_owned());
            memory.wrappers = form
                .wrappers()
                .iter()
                .map(|wrapper| wrapper.id().to_owned())
                .collect();
        }
        memory.loggers = self.loggers;
        memory.dateless = self.dateless;
        memory.headers_in_file = self.headers;
    }

    /// Takes up what was recognised, unless the layout is not the same any more.
    pub(super) fn read(&mut self, memory: &Memory, layouts: &Layouts) {
        let Some(id) = memory.layout.as_deref() else {
            return;
        };
        let wrappers = memory.wrappers.iter().filter_map(|id| Wrapper::named(id));
        let wrappers = wrappers.collect();
        let form = match &self.chosen {
            Some(chosen) if chosen.id() == id => Some(Arc::new(Form::new(wrappers, Arc::clone(chosen)))),
            Some(_) => None,
            None => layouts.named(id).map(|id| layouts.form(id, wrappers)),
        };
        let Some(form) = form else { return };
        self.use_form(form);
        self.loggers = memory.loggers;
        self.dateless = memory.dateless;
        self.headers = memory.headers_in_file;
    }

    pub(super) fn form(&self) -> Option<&Arc<Form>> {
        self.form.as_ref()
    }

    fn use_form(&mut self, form: Arc<Form>) {
        self.form = Some(form);
        self.rest();
    }

    /// Forgets the header read last.
    pub(super) fn rest(&mut self) {
        self.last_header = LastHeader::default();
    }

    /// For [`Form::decode_after`].
    pub(super) const fn last_header(&mut self) -> &mut LastHeader {
        &mut self.last_header
    }

    /// The form, once it is not doubted while it goes on reading lines.
    pub(super) fn firm(&self) -> Option<&Arc<Form>> {
        self.form.as_ref().filter(|_| self.headers >= FIRM)
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

    /// The form to read these lines with: recognised anew where there is doubt.
    pub(super) fn recognise(
        &mut self,
        layouts: &Layouts,
        lines: &[u8],
        tally: &mut Tally,
    ) -> Option<Arc<Form>> {
        if self.is_in_doubt(lines) {
            let sample = sample_of(lines);
            let found = match (&self.form, self.foreseen.take()) {
                (None, Some(foreseen)) => *foreseen,
                (None, None) => layouts.peel_beginning(sample, None).into(),
                (Some(_), _) => layouts.peel(sample, self.chosen.as_deref()).into(),
            };
            match &self.chosen {
                Some(chosen) => {
                    let chosen = Arc::clone(chosen);
                    self.unwrap_chosen(chosen, found.wrappers, sample);
                    self.learn(&found.detected);
                }
                None => self.adopt(layouts, found, sample, tally),
            }
        }
        self.form.clone()
    }

    fn is_in_doubt(&self, lines: &[u8]) -> bool {
        let Some(form) = &self.form else { return true };
        if self.headers < FIRM {
            return true;
        }
        // Trying every layout costs a thousand times what a line does: not for each read that begins and ends in a trace.
        !form.is_header(lines) && form.last_header(lines, 0, lines.len()).is_none()
    }

    /// The user names the layout, not what carries it.
    fn unwrap_chosen(&mut self, layout: Arc<Layout>, wrappers: Vec<Wrapper>, sample: &[u8]) {
        let found = Form::new(wrappers, layout);
        let reads_more = |used: &Arc<Form>| headers(used, sample) < headers(&found, sample);
        if self.form.as_ref().is_none_or(reads_more) {
            self.use_form(Arc::new(found));
        }
    }

    fn adopt(&mut self, layouts: &Layouts, found: Beginning, sample: &[u8], tally: &mut Tally) {
        let Beginning { wrappers, detected } = found;
        let Some(id) = detected.layout else {
            if self.form.is_none() {
                tally.layout_told(detected.blind, detected.levels, 0);
            }
            return;
        };
        let found = layouts.form(id, wrappers);
        let better = match &self.form {
            None => true,
            Some(used) if used.is_same(&found) => false,
            // Flink's banner has lines without a time in its middle: where a read ends there, the log is still the same.
            Some(used) if self.headers > 0 && used.layout().has_time() && !found.layout().has_time() => false,
            // Several layouts read the same lines; only one that reads more, and most of them, takes over.
            Some(used) => {
                let sees_more = !used.layout().has_logger() && found.layout().has_logger();
                detected.headers * 2 >= detected.lines
                    && (headers(used, sample) < detected.headers || sees_more)
            }
        };
        let same = better || self.form.as_ref().is_some_and(|used| used.is_same(&found));
        if better {
            self.use_form(found);
            (self.loggers, self.headers) = (Loggers::Unseen, 0);
        }
        if same {
            self.learn(&detected);
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

/// Lines of the sample that begin a record.
fn headers(form: &Form, sample: &[u8]) -> usize {
    sample
        .split(|byte| *byte == b'\n')
        .filter(|line| form.is_header(line))
        .count()
}

/// The first lines, as many as fit the sample; at least one, or as much of it as fits.
pub(super) fn sample_of(lines: &[u8]) -> &[u8] {
    if lines.len() <= Recognised::SAMPLE {
        return lines;
    }
    let end = memchr::memrchr(b'\n', &lines[..Recognised::SAMPLE])
        .map_or(Recognised::SAMPLE, |newline| newline + 1);
    &lines[..end]
}
