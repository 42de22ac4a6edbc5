//! What happens to the bytes of all logs: a decoder for each, the merge of what is old, and the model.

mod advice;
mod applier;
mod ledger;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use self::advice::COMPLAINTS;
use self::applier::Applier;
use self::ledger::Ledger;
use super::merge::Merge;
use super::{SourceSettings, kubernetes};
use crate::line::LogId;
use crate::model::event::{EndReason, Event, Said, Seen};
use crate::model::{Fleet, LogContext};
use crate::pipeline::{EventIds, Memory, ReadAt, SourceDecoder, Totals, Wording};
use crate::stats::{Blind, SourceStats};
use crate::store::{LogState, Progress, Saved};
use crate::tail;

/// See [`Engine::default_cluster`].
const DEFAULT_CLUSTER: &str = "default";

/// Evicted jobs that may wait to be kept before nothing more is read: they are memory too.
const MOST_EVICTED: usize = 4096;

/// Decoders, merge and model, fed by the tailer.
#[derive(Debug)]
pub struct Engine {
    wording: Arc<Wording>,
    sources: Vec<SourceSettings>,
    logs: BTreeMap<LogId, Box<Log>>,
    merge: Merge,
    applier: Applier,
    /// When the bytes at hand were read; set before each pass.
    now: Timestamp,
    /// Old content is still being read.
    catching_up: bool,
    /// Nothing was ever published of what it knows; see [`Self::is_unpublished`].
    unpublished: bool,
    /// What is not shown yet.
    news: News,
    /// The cluster of logs for which neither the user nor the path names one.
    default_cluster: Arc<str>,
    /// What the decoders of an earlier run remembered of logs not yet opened.
    memories: BTreeMap<LogId, Memory>,
    /// The numbers that these logs had then, and those that no source means any more.
    numbers: BTreeMap<LogId, SourceStats>,
    /// Names of all logs, those of earlier runs and those that are gone included.
    names: Arc<BTreeMap<LogId, Arc<str>>>,
    /// Counted in earlier runs and under earlier rules: matches by rule, and unknown state words.
    before: (BTreeMap<String, u64>, u64),
    /// Counted since, by all decoders.
    totals: Totals,
    ledger: Ledger,
    /// Ids of events, shared by the decoders of all logs.
    ids: EventIds,
    /// The logs that consist of documents: time alone may have them tell something.
    documents: BTreeSet<LogId>,
    /// The logs that were read since people were last told of them.
    unadvised: BTreeSet<LogId>,
}

/// What happened since the last view was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    /// Nothing.
    None,
    /// Bytes were read.
    Read,
    /// The model was told something.
    Changed,
}

#[derive(Debug)]
struct Log {
    name: Arc<str>,
    cluster: Arc<str>,
    /// The user or the path names the cluster: they know better than what carries a record.
    named: bool,
    decoder: SourceDecoder,
    /// The reason that people were told of.
    told: Option<Blind>,
    /// Which of [`COMPLAINTS`] people were told of.
    complained: [bool; COMPLAINTS.len()],
}

impl Engine {
    /// Nothing read yet; keeps at most `limit` jobs.
    #[must_use]
    pub fn new(wording: Arc<Wording>, sources: Vec<SourceSettings>, limit: usize) -> Self {
        Self {
            wording,
            sources,
            logs: BTreeMap::new(),
            merge: Merge::default(),
            applier: Applier::new(Fleet::with_limit(limit)),
            now: Timestamp::UNIX_EPOCH,
            catching_up: true,
            unpublished: true,
            news: News::None,
            default_cluster: Arc::from(DEFAULT_CLUSTER),
            memories: BTreeMap::new(),
            numbers: BTreeMap::new(),
            names: Arc::default(),
            before: (BTreeMap::new(), 0),
            totals: Totals::default(),
            ledger: Ledger::default(),
            ids: EventIds::default(),
            documents: BTreeSet::new(),
            unadvised: BTreeSet::new(),
        }
    }

    /// Goes on from what was saved; to be called before anything is read.
    pub fn restore(&mut self, saved: Saved) {
        let Progress {
            logs,
            rule_matches,
            unknown_states,
            unpublished,
            ..
        } = saved.progress;
        self.unpublished = unpublished || logs.is_empty();
        let limit = self.applier.fleet().limit();
        self.applier = Applier::new(Fleet::restore(limit, saved.left));
        let names = logs.iter().map(|log| (log.id, Arc::clone(&log.numbers.name)));
        self.names = Arc::new(names.collect());
        for LogState { id, numbers, memory } in logs {
            self.numbers.insert(id, numbers);
            self.memories.insert(id, memory);
        }
        self.before = (rule_matches, unknown_states);
    }

    /// The jobs. To be asked for after [`Self::settle`], where anything was read since.
    #[must_use]
    pub fn fleet(&self) -> &Fleet {
        self.applier.settled()
    }

    /// Waits until all is applied that was read and can be.
    pub fn settle(&mut self) {
        self.applier.fleet();
    }

    /// The jobs, for the store to take and give back what was evicted.
    pub fn fleet_mut(&mut self) -> &mut Fleet {
        self.applier.fleet()
    }

    /// Whether the jobs stand for all that was read. While old content of several logs is merged, some of what was read
    /// waits for the others.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        !self.catching_up || self.merge.is_empty()
    }

    /// Whether all that it knows was read by runs that were begun with nothing and did not come to the end of what was there: states
    /// of some moment long ago, which nobody has seen.
    #[must_use]
    pub const fn is_unpublished(&self) -> bool {
        self.unpublished
    }

    /// Whether so many jobs were evicted that they should be kept before more is read.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.applier.evicted_waiting() >= MOST_EVICTED && self.is_settled()
    }

    /// The jobs, once nothing more is read.
    #[must_use]
    pub fn into_fleet(mut self) -> Fleet {
        std::mem::take(self.applier.rest())
    }

    /// The logs of earlier runs that were not found in this one, or that no source means any more.
    pub fn absent(&self) -> impl Iterator<Item = LogId> {
        self.memories.keys().copied()
    }

    /// Says what time it is for what is read next.
    pub const fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// What happened since [`Self::shown`].
    #[must_use]
    pub const fn news(&self) -> News {
        self.news
    }

    /// All that happened was shown.
    pub const fn shown(&mut self) {
        self.news = News::None;
    }

    /// The logs whose old content is still expected.
    #[must_use]
    pub const fn unfinished(&self) -> &BTreeSet<LogId> {
        self.merge.unfinished()
    }

    /// Goes on with other rules and other sources. To be called when old content has been read.
    ///
    /// Each log that is kept gets a decoder that remembers what the one before knew, down to half a line.
    pub fn change(
        &mut self,
        wording: Arc<Wording>,
        sources: Vec<SourceSettings>,
        limit: usize,
        changes: &[tail::Change],
    ) {
        // Matches of rules belong to the program, not to a decoder: they are counted on.
        self.before = (self.all_rule_matches(), self.unknown_states());
        self.totals = Totals::default();
        (self.wording, self.sources) = (wording, sources);
        self.applier.fleet().set_limit(limit);
        for change in changes {
            match change {
                tail::Change::Kept(id, info) => self.reopen(*id, info),
                tail::Change::Closed(id, numbers) => {
                    self.process_ends(*id, EndReason::Unwatched);
                    if let Some(log) = self.logs.remove(id) {
                        self.documents.remove(id);
                        let (mut numbers, cluster) = (SourceStats::clone(numbers), log.cluster);
                        numbers.cluster = cluster;
                        self.numbers.insert(*id, numbers);
                        self.memories.insert(*id, log.decoder.memory());
                    }
                }
            }
        }
    }

    /// A log goes on under the settings of the source that it belongs to now.
    fn reopen(&mut self, id: LogId, info: &tail::LogInfo) {
        let Some((cluster, named)) = self.cluster(info) else {
            return;
        };
        if self.logs.get(&id).is_some_and(|log| log.cluster != cluster) {
            self.process_ends(id, EndReason::Unwatched);
            let cluster = Arc::clone(&cluster);
            self.applier.fleet().open_log(id, LogContext { cluster });
        }
        if let (Some(log), Some(source)) = (self.logs.get_mut(&id), self.sources.get(info.source)) {
            let memory = log.decoder.memory();
            let (wording, settings, ids) = (&self.wording, &source.log, &self.ids);
            log.decoder = SourceDecoder::new(Arc::clone(wording), id, settings.clone(), ids.clone());
            log.decoder.remember(memory);
            (log.cluster, log.named) = (cluster, named);
            self.after_decoding(id);
        }
    }

    /// The cluster that a log's jobs carry, and whether user or path name it; none for a log of no source.
    fn cluster(&self, info: &tail::LogInfo) -> Option<(Arc<str>, bool)> {
        let named = self.sources.get(info.source)?.cluster.clone();
        let cluster = named
            .or_else(|| info.cluster.as_deref().map(Arc::from))
            .or_else(|| kubernetes::pod(&info.path).map(Arc::from));
        let named = cluster.is_some();
        Some((
            cluster.unwrap_or_else(|| Arc::clone(&self.default_cluster)),
            named,
        ))
    }

    /// Opens a log; what it holds is old until [`Self::finish`].
    pub fn open(&mut self, log: LogId, info: &tail::LogInfo) {
        let (Some((cluster, named)), Some(source)) = (self.cluster(info), self.sources.get(info.source))
        else {
            return;
        };
        self.applier.fleet().open_log(
            log,
            LogContext {
                cluster: Arc::clone(&cluster),
            },
        );
        if self.catching_up {
            self.merge.open(log, Arc::clone(&cluster));
        }
        let mut decoder = SourceDecoder::new(
            Arc::clone(&self.wording),
            log,
            source.log.clone(),
            self.ids.clone(),
        );
        self.numbers.remove(&log);
        if let Some(memory) = self.memories.remove(&log) {
            let is_stdin = &*info.name == tail::STDIN;
            decoder.remember(if is_stdin { memory.without_bytes() } else { memory });
        }
        let name = Arc::clone(&info.name);
        Arc::make_mut(&mut self.names).insert(log, Arc::clone(&name));
        let opened = Log {
            name,
            cluster,
            named,
            decoder,
            told: None,
            complained: [false; COMPLAINTS.len()],
        };
        self.logs.insert(log, Box::new(opened));
        // What it remembers of an earlier run counts as if it had just been read.
        self.after_decoding(log);
    }

    /// Whether more of a log is of use now.
    #[must_use]
    pub fn wants(&self, log: LogId) -> bool {
        !self.is_crowded() && (!self.catching_up || self.merge.wants(log))
    }

    /// More bytes of a log.
    pub fn bytes(&mut self, log: LogId, read: &tail::Read<'_>) {
        let at = ReadAt {
            offset: read.offset,
            now: self.now,
            // Standard input has no file that could tell.
            written: if read.mtime == Timestamp::UNIX_EPOCH {
                self.now
            } else {
                read.mtime
            },
            fresh: read.fresh,
        };
        self.news = self.news.max(News::Read);
        self.decode(log, |decoder, out| {
            decoder.push(read.bytes, read.hits, at, out);
        });
    }

    /// The file at hand of a log is left.
    pub fn file_end(&mut self, log: LogId) {
        let now = self.now;
        self.decode(log, |decoder, out| decoder.file_end(now, out));
    }

    /// A log's old content has been read to its end.
    pub fn finish(&mut self, log: LogId) {
        let now = self.now;
        self.decode(log, |decoder, out| decoder.pass(now, out));
        self.merge.finish(log);
        if self.unfinished().is_empty() {
            self.end_merge();
        } else {
            self.drain(usize::MAX);
        }
    }

    /// All old content has been read: from here on events are applied as they are read.
    pub fn caught_up(&mut self) {
        for log in self.unfinished().clone() {
            self.merge.finish(log);
        }
        self.end_merge();
        (self.catching_up, self.unpublished) = (false, false);
        self.merge = Merge::default();
    }

    /// Applies what is left on this thread: nothing is read beside it any more, and what a helper asks for in its stead lies in
    /// a heap of its own, while the room that the queues had is of no use to it.
    fn end_merge(&mut self) {
        let (fleet, now, news) = (self.applier.rest(), self.now, &mut self.news);
        self.merge.drain(usize::MAX, |seen| {
            fleet.apply(&seen, now);
            *news = News::Changed;
        });
    }

    /// Takes the events that have waited for the reordering window.
    pub fn pass(&mut self) {
        let now = self.now;
        for log in self.documents.clone() {
            self.decode(log, |decoder, out| decoder.pass(now, out));
        }
    }

    /// Whether events wait for the reordering window.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        let mut logs = self.documents.iter().filter_map(|id| self.logs.get(id));
        logs.any(|log| log.decoder.is_waiting())
    }

    /// Has a log's decoder tell. While old content is read, of this log or of those that it waits for, that goes through the
    /// merge, and so does what the log has gained since: it comes after what is old.
    fn decode(&mut self, log: LogId, read: impl FnOnce(&mut SourceDecoder, &mut dyn FnMut(Seen))) {
        let Some(entry) = self.logs.get_mut(&log) else {
            return;
        };
        let named = entry.named;
        let place = |seen: &mut Seen| {
            if named {
                place_in_the_logs_cluster(seen);
            }
        };
        if self.merge.holds(log) {
            let read = |take: &mut dyn FnMut(Seen)| {
                read(&mut entry.decoder, &mut |mut seen| {
                    place(&mut seen);
                    take(seen);
                });
            };
            let most = self.merge.take(log, read, &mut |seen| self.applier.take(seen));
            self.drain(most);
        } else {
            let (fleet, now, news) = (self.applier.fleet(), self.now, &mut self.news);
            read(&mut entry.decoder, &mut |mut seen| {
                place(&mut seen);
                fleet.apply(&seen, now);
                *news = News::Changed;
            });
        }
        self.after_decoding(log);
    }

    /// What is to be remembered of a log whose decoder was at work.
    fn after_decoding(&mut self, id: LogId) {
        let Some(log) = self.logs.get_mut(&id) else {
            return;
        };
        log.decoder.give(&mut self.totals);
        if log.decoder.is_documents() {
            self.documents.insert(id);
        }
        self.unadvised.insert(id);
        self.ledger.touch(id);
    }

    /// What lived in this log is UNKNOWN since the last that was seen of it, by its own clock: what is written to it later,
    /// should it come back, is not older than that.
    fn process_ends(&mut self, log: LogId, why: EndReason) {
        let read = self.logs.get(&log);
        let read = read.and_then(|log| log.decoder.tally().last_line);
        let before = self.memories.get(&log).and_then(Memory::last_line);
        let at = read.or(before).unwrap_or(self.now);
        let seen = Seen {
            log,
            offset: 0,
            at: Some(at),
            mdc_job: None,
            carrier: None,
            said: Said::Event(Event::ProcessEnding { why }),
        };
        if self.logs.contains_key(&log) {
            self.decode(log, |_, out| out(seen));
        } else {
            self.applier.fleet().apply(&seen, self.now);
            self.news = News::Changed;
        }
    }

    fn drain(&mut self, most: usize) {
        self.merge.drain(most, |seen| self.applier.take(seen));
        if self.applier.apply(self.now) {
            self.news = News::Changed;
        }
    }
}

impl tail::Sink for Engine {
    fn open(&mut self, log: LogId, info: &tail::LogInfo) {
        Self::open(self, log, info);
    }

    fn wants(&self, log: LogId) -> bool {
        Self::wants(self, log)
    }

    fn bytes(&mut self, log: LogId, read: &tail::Read<'_>) {
        Self::bytes(self, log, read);
    }

    fn file_end(&mut self, log: LogId) {
        Self::file_end(self, log);
    }

    fn file_cut(&mut self, id: LogId) {
        if let Some(log) = self.logs.get_mut(&id) {
            log.decoder.file_cut();
        }
        self.after_decoding(id);
    }

    fn gone(&mut self, log: LogId) {
        self.process_ends(log, EndReason::LogGone);
    }
}

/// A record whose carrier says nothing of its cluster: that of the log counts.
fn place_in_the_logs_cluster(seen: &mut Seen) {
    if let Some(carrier) = &mut seen.carrier
        && carrier.cluster.is_some()
    {
        Arc::make_mut(carrier).cluster = None;
    }
}
