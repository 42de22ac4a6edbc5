//! Records that come whole: out of a document, one line of JSON each. Nothing can continue them, so nothing is held back,
//! and each is read once.

use super::{LogDecoder, Open, Stage};
use crate::model::event::Seen;
use crate::pipeline::input::ReadAt;

impl LogDecoder {
    /// Takes a record that is a whole line of a JSON layout known beyond doubt. False where it is to be pushed as any line.
    pub(in crate::pipeline) fn take_whole(
        &mut self,
        text: &[u8],
        read: ReadAt,
        out: &mut dyn FnMut(Seen),
    ) -> bool {
        let json = self.recognised.firm().filter(|form| form.layout().is_json());
        let Some(form) = json.cloned() else { return false };
        if self.is_waiting() || text.len() >= self.settings.line_bytes {
            return false;
        }
        self.begin_read(read);
        // The clock moves for what is of interest alone, as it does where lines come one after another.
        let is_of_interest = self.is_of_interest(text);
        let mut clock = self.clock.clone();
        let Some(record) = form.decode(text, &mut clock) else {
            return false;
        };
        self.file_cut();
        self.open = Some(Open {
            start: None,
            stage: Stage::Done,
        });
        self.tally.sampled(&record, read.now, read.fresh);
        if is_of_interest {
            self.clock = clock;
            self.ask(record, 0, &form, out);
        }
        true
    }

    /// Whether the record at hand wants more than was read: it says nothing, or not all, before its end.
    pub(in crate::pipeline) const fn is_waiting(&self) -> bool {
        matches!(
            self.open,
            Some(Open {
                stage: Stage::Waiting(_) | Stage::CauseNext { .. },
                ..
            })
        )
    }
}
