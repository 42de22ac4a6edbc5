//! One log that consists of documents: what they tell, in order, each event once.
//!
//! The records inside of them go to the same line decoder as those of any log, which knows layouts and rules. While a log
//! is followed, events of carriers that keep no order wait for the reordering window and are then taken by their time;
//! old content is told as it stands, and sorted by whoever merges the logs.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::decoder::LogDecoder;
use super::event_ids::EventIds;
use super::input::ReadAt;
use super::quiet::{Like, Words};
use crate::decode::documents::{self, Around, Leaf, Opened, Refused, Step, Told, Walker, event_id};
use crate::decode::form::physical_end;
use crate::line::Offset;
use crate::model::arn::ApplicationArn;
use crate::model::event::{Carrier, Said, Seen};
use crate::stats::RecordResult;

/// Ids of one log that a store keeps; the newest count.
const IDS: usize = 4096;

/// Longest line that is waited for as a whole, bytes.
const HELD: usize = 1 << 20;

/// Events that wait for the window at most; beyond it the earliest is taken.
const WAITING: usize = 1 << 16;

/// The decoder of a log of documents.
#[derive(Debug)]
pub(super) struct Documents {
    walker: Walker,
    lines: Feed,
    ids: EventIds,
    /// Those of this log, the oldest first.
    told: VecDeque<u64>,
    window: SignedDuration,
    waiting: BTreeMap<(Timestamp, u64), Waiting>,
    /// Events that ever waited: what orders those of one moment.
    waited: u64,
    /// When bytes came last.
    fed: Option<Timestamp>,
    /// What lines look like that need not be opened: that of a record which stood alone, and nothing has begun since but,
    /// held by the walker, a line that is to be taken as a whole.
    like: Option<Like>,
    /// The document opened last was a record of an application's log, and stood alone.
    is_record: bool,
}

/// An event that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    at: Timestamp,
    since: Timestamp,
    offset: Offset,
    group: Option<String>,
    ids: Vec<String>,
    text: String,
}

/// What is remembered of a log of documents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct DocumentsMemory {
    walker: documents::Memory,
    told: VecDeque<u64>,
    waiting: Vec<Waiting>,
}

impl DocumentsMemory {
    /// Without what the next bytes would continue.
    pub(super) fn without_bytes(self) -> Self {
        Self {
            walker: documents::Memory::default(),
            ..self
        }
    }
}

/// Where something stands, and when it was read.
#[derive(Clone, Copy)]
struct Place<'a> {
    around: &'a Around,
    offset: Offset,
    read: ReadAt,
}

/// How lines reach the line decoder.
#[derive(Debug, Default)]
struct Feed {
    /// Bytes given to it so far: its own offsets.
    given: Offset,
    /// The last carrier made, which the next record is likely to share.
    carrier: Option<Arc<Carrier>>,
}

impl Documents {
    pub(super) fn new(ids: EventIds, window: SignedDuration) -> Self {
        Self {
            walker: Walker::default(),
            lines: Feed::default(),
            ids,
            told: VecDeque::new(),
            window,
            waiting: BTreeMap::new(),
            waited: 0,
            fed: None,
            like: None,
            is_record: false,
        }
    }

    pub(super) fn memory(&self) -> DocumentsMemory {
        DocumentsMemory {
            walker: self.walker.memory(),
            told: self.told.clone(),
            waiting: self.waiting.values().cloned().collect(),
        }
    }

    pub(super) fn remember(&mut self, memory: DocumentsMemory) {
        self.walker = Walker::of(memory.walker);
        self.ids
            .add(memory.told.iter().copied().collect::<Vec<_>>().as_slice());
        self.told = memory.told;
        for waiting in memory.waiting {
            self.wait(waiting);
        }
    }

    /// Whether events wait for the window.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes more bytes; `hits` as [`super::Wording::search`] gives them, where they were searched.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        hits: Option<&[u32]>,
        read: ReadAt,
        lines: &mut LogDecoder,
        out: &mut dyn FnMut(Seen),
    ) {
        self.fed = Some(read.now);
        let wording = lines.wording();
        let mut words = Words::new(bytes, hits, &wording);
        let mut at = self.complete(bytes, read, lines, out);
        loop {
            if let Some(like) = &self.like {
                at = like.pass(bytes, at, &mut words);
            }
            if at == bytes.len() {
                break;
            }
            let end = physical_end(bytes, at);
            self.line(&bytes[at..end], read.offset + at as Offset, read, lines, out);
            at = end;
        }
    }

    /// Takes the rest of a line whose beginning is held; gives how many bytes that is.
    fn complete(
        &mut self,
        bytes: &[u8],
        read: ReadAt,
        lines: &mut LogDecoder,
        out: &mut dyn FnMut(Seen),
    ) -> usize {
        if self.like.is_none() {
            return 0;
        }
        let mut line = self.walker.take_held();
        if line.is_empty() {
            return 0;
        }
        let end = physical_end(bytes, 0);
        let offset = read.offset.saturating_sub(line.len() as Offset);
        line.extend_from_slice(&bytes[..end]);
        self.line(&line, offset, read, lines, out);
        end
    }

    /// Takes a line, or a part of one.
    fn line(
        &mut self,
        line: &[u8],
        offset: Offset,
        read: ReadAt,
        lines: &mut LogDecoder,
        out: &mut dyn FnMut(Seen),
    ) {
        let text = line.trim_ascii_end();
        let is_whole = line.ends_with(b"\n");
        if let Some(like) = &self.like {
            // What could be an object already is not waited for.
            if !is_whole && !text.ends_with(b"}") && line.len() < HELD {
                self.walker.hold(line, offset);
                return;
            }
            if like.fits(text) && self.alike(text, offset, read, lines, out) {
                return;
            }
        }
        let is_alone = self.walker.is_between();
        self.is_record = false;
        self.walk(read, lines, out, |walker, step| walker.push(line, offset, step));
        // What follows a record that waits for its end is opened.
        let is_over = is_whole && is_alone && self.walker.is_between() && !lines.is_waiting();
        self.like = (self.is_record && is_over).then(|| Like::of(text)).flatten();
    }

    /// Takes a line that looks like the record before; false where it is no such record after all.
    fn alike(
        &mut self,
        text: &[u8],
        offset: Offset,
        read: ReadAt,
        lines: &mut LogDecoder,
        out: &mut dyn FnMut(Seen),
    ) -> bool {
        let last = self.lines.carrier.as_ref();
        let last = last.and_then(|carrier| carrier.application.as_ref());
        let Some((around, object, application)) = Walker::record(text, last) else {
            return false;
        };
        let place = Place {
            around: &around,
            offset: offset + (text.len() - object.len()) as Offset,
            read,
        };
        let is_taken = self.record(object, Some(application), place, true, lines, out);
        self.make_room(read, lines, out);
        is_taken
    }

    /// The file is left: nothing continues what is held back, and nothing comes before what waits.
    pub(super) fn end(&mut self, read: ReadAt, lines: &mut LogDecoder, out: &mut dyn FnMut(Seen)) {
        self.walk(read, lines, out, Walker::end);
        self.release(None, read, lines, out);
    }

    /// What followed is gone.
    pub(super) fn cut(&mut self) {
        self.walker = Walker::default();
        self.like = None;
    }

    /// Time has passed: takes what has waited long enough.
    pub(super) fn pass(&mut self, read: ReadAt, lines: &mut LogDecoder, out: &mut dyn FnMut(Seen)) {
        if self
            .fed
            .is_none_or(|fed| read.now.duration_since(fed) >= self.window)
        {
            self.fed = Some(read.now);
            self.walk(read, lines, out, Walker::rest);
        }
        self.release(Some(read.now), read, lines, out);
    }

    fn walk(
        &mut self,
        read: ReadAt,
        lines: &mut LogDecoder,
        out: &mut dyn FnMut(Seen),
        go: impl FnOnce(&mut Walker, documents::Out<'_>),
    ) {
        let mut walker = std::mem::take(&mut self.walker);
        go(&mut walker, &mut |step| self.step(step, read, lines, out));
        self.walker = walker;
        self.make_room(read, lines, out);
    }

    fn make_room(&mut self, read: ReadAt, lines: &mut LogDecoder, out: &mut dyn FnMut(Seen)) {
        while self.waiting.len() > WAITING {
            self.release_first(read, lines, out);
        }
    }

    /// Takes those that have waited for the window, the earliest first; without a time all of them.
    fn release(
        &mut self,
        now: Option<Timestamp>,
        read: ReadAt,
        lines: &mut LogDecoder,
        out: &mut dyn FnMut(Seen),
    ) {
        let due = |waiting: &Waiting| now.is_none_or(|now| now.duration_since(waiting.since) >= self.window);
        // What is earlier than one that is due can wait no longer either: it would come too late.
        let Some(last) = self
            .waiting
            .iter()
            .rev()
            .find(|(_, waiting)| due(waiting))
            .map(|(key, _)| *key)
        else {
            return;
        };
        while self
            .waiting
            .first_key_value()
            .is_some_and(|(key, _)| *key <= last)
        {
            self.release_first(read, lines, out);
        }
    }

    fn release_first(&mut self, read: ReadAt, lines: &mut LogDecoder, out: &mut dyn FnMut(Seen)) {
        let Some((_, waiting)) = self.waiting.pop_first() else {
            return;
        };
        let around = Around {
            at: Some(waiting.at),
            by_time: true,
            group: waiting.group.as_deref().map(Arc::from),
            ids: waiting.ids.into_iter().map(Arc::from).collect(),
        };
        let read = ReadAt { fresh: false, ..read };
        Walker::document(&waiting.text, &around, waiting.offset, &mut |step| {
            self.step(step, read, lines, out);
        });
    }

    fn wait(&mut self, waiting: Waiting) {
        self.waiting.insert((waiting.at, self.waited), waiting);
        self.waited += 1;
    }

    fn step(&mut self, step: Step<'_>, read: ReadAt, lines: &mut LogDecoder, out: &mut dyn FnMut(Seen)) {
        let place = Place {
            around: step.around,
            offset: step.offset,
            read,
        };
        match step.leaf {
            Leaf::Carries(..) => {}
            Leaf::Damaged(_) => lines.count(RecordResult::Damaged),
            Leaf::Text(text) => {
                self.record(text, None, place, false, lines, out);
            }
            Leaf::Document(_, Opened::Record(application), text) => {
                self.is_record = step.depth == 0 && application.is_some();
                self.record(text, application, place, false, lines, out);
            }
            Leaf::Document(_, Opened::Tells(told), text) => self.tell(told, text, place, lines, out),
            Leaf::Document(_, Opened::Refused(why), _) => {
                if matches!(why, Refused::UnknownState(_)) {
                    lines.count_unknown_state();
                }
                lines.count(RecordResult::Refused);
            }
            Leaf::Document(..) => lines.count(RecordResult::Ignored),
        }
    }

    /// Lets an event wait, if it goes by time (`at`) and is not to be told at once.
    fn waits(&mut self, at: Option<Timestamp>, text: &[u8], place: Place<'_>) -> bool {
        let Some(at) = at.filter(|_| place.read.fresh && self.window > SignedDuration::ZERO) else {
            return false;
        };
        self.wait(Waiting {
            at,
            since: place.read.now,
            offset: place.offset,
            group: place.around.group.as_deref().map(str::to_owned),
            ids: place.around.ids.iter().map(ToString::to_string).collect(),
            text: String::from_utf8_lossy(text).into_owned(),
        });
        true
    }

    fn is_known(&self, ids: &[u64], lines: &mut LogDecoder) -> bool {
        let known = self.ids.knows_any(ids);
        if known {
            lines.count(RecordResult::Duplicate);
        }
        known
    }

    fn know(&mut self, ids: &[u64]) {
        self.ids.add(ids);
        self.told.extend(ids);
        let excess = self.told.len().saturating_sub(IDS);
        self.told.drain(..excess);
    }

    /// A record of a log: layouts and rules read it. False where it is to be taken whole or not at all (`whole`), and is
    /// no whole record of the layout in use.
    fn record(
        &mut self,
        text: &[u8],
        application: Option<ApplicationArn>,
        place: Place<'_>,
        whole: bool,
        lines: &mut LogDecoder,
        out: &mut dyn FnMut(Seen),
    ) -> bool {
        let Place { around, offset, read } = place;
        let ids = hashes(&around.ids);
        if self.is_known(&ids, lines) {
            return true;
        }
        let at = around.at.filter(|_| around.by_time && lines.is_of_interest(text));
        if self.waits(at, text, place) {
            return true;
        }
        let is_managed = application.is_some();
        let cluster = application
            .as_ref()
            .map(|application| Arc::from(application.name()));
        let carrier = self.lines.carrier(Carrier {
            by_time: around.by_time,
            cluster: cluster.or_else(|| around.group.clone()),
            application,
            deployment: None,
        });
        if is_managed && lines.layout().is_none() {
            // Its layout has no time and is believed where most lines have it: those of others must not outweigh it.
            lines.file_cut();
        }
        let mut tells = false;
        let mut told = |seen: Seen| {
            tells = true;
            let deployment = seen.carrier.and_then(|carrier| carrier.deployment.clone());
            let carrier = match deployment {
                None => Arc::clone(&carrier),
                deployment => Arc::new(Carrier {
                    deployment,
                    ..Carrier::clone(&carrier)
                }),
            };
            out(Seen {
                offset,
                at: seen.at.or(around.at),
                carrier: Some(carrier),
                ..seen
            });
        };
        let is_taken = lines.take_whole(text, read, &mut told);
        if !is_taken && !whole {
            for bytes in [text, b"\n"] {
                let read = ReadAt {
                    offset: self.lines.given,
                    ..read
                };
                lines.push(bytes, None, read, &mut told);
                self.lines.given += bytes.len() as Offset;
            }
        }
        if tells {
            self.know(&ids);
        }
        is_taken || !whole
    }

    /// A document that tells something itself.
    fn tell(
        &mut self,
        told: Told,
        text: &[u8],
        place: Place<'_>,
        lines: &mut LogDecoder,
        out: &mut dyn FnMut(Seen),
    ) {
        let ids = hashes(&told.ids(place.around));
        if self.is_known(&ids, lines) || self.waits(told.at.filter(|_| told.by_time), text, place) {
            return;
        }
        let carrier = self.lines.carrier(Carrier {
            by_time: told.by_time,
            cluster: told.cluster,
            application: told.application,
            deployment: None,
        });
        lines.count(RecordResult::Event);
        out(Seen {
            log: lines.log(),
            offset: place.offset,
            at: told.at,
            mdc_job: None,
            carrier: Some(carrier),
            said: Said::Event(told.event),
        });
        self.know(&ids);
    }
}

fn hashes(ids: &[Arc<str>]) -> Vec<u64> {
    ids.iter().map(|id| event_id(id)).collect()
}

impl Feed {
    fn carrier(&mut self, carrier: Carrier) -> Arc<Carrier> {
        match &self.carrier {
            Some(last) if **last == carrier => Arc::clone(last),
            _ => {
                let carrier = Arc::new(carrier);
                self.carrier = Some(Arc::clone(&carrier));
                carrier
            }
        }
    }
}
