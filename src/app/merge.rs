//! Old content of several logs in the order in which it happened.
//!
//! Inside one log the order is the position, whatever its timestamps do; between the logs of one cluster it is event time.
//! So each log has a queue, and the earliest front of a cluster goes first once every log of it that is still being read
//! has something to compare with. A log whose carrier keeps no order (CloudWatch, CloudTrail) is sorted as a whole when it
//! has been read to its end, and merged with all others of that sort, whatever their clusters: what they tell of an
//! application does not stay within one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use crate::line::LogId;
use crate::model::event::Seen;

/// Events queued of one log before its reading is held up for the others, so that memory does not grow with the logs.
const ENOUGH: usize = 4096;

/// The logs of all clusters whose old content is being read.
#[derive(Debug, Default)]
pub(super) struct Merge {
    groups: BTreeMap<Group, BTreeMap<LogId, Queue>>,
    of: BTreeMap<LogId, Group>,
}

/// Logs that wait for each other: those of one cluster; or, without one, those that go by time, with their clusters' others.
type Group = Option<Arc<str>>;

/// The front of a log's queue, as fronts are compared.
type Front = (Timestamp, LogId);

#[derive(Debug)]
struct Queue {
    /// Each with the time it counts as: never earlier than what stands before it in the same log.
    events: VecDeque<(Timestamp, Seen)>,
    reached: Timestamp,
    over: bool,
    /// It has told something: what it goes by is known.
    told: bool,
    /// Its carrier keeps no order.
    by_time: bool,
}

impl Queue {
    /// Whether nothing unread of the log can come before its front.
    fn is_comparable(&self) -> bool {
        self.over || (!self.by_time && !self.events.is_empty())
    }
}

impl Merge {
    /// A log whose old content is about to be read.
    pub(super) fn open(&mut self, log: LogId, cluster: Arc<str>) {
        let queue = Queue {
            events: VecDeque::new(),
            reached: Timestamp::MIN,
            over: false,
            told: false,
            by_time: false,
        };
        let group = Some(cluster);
        self.groups.entry(group.clone()).or_default().insert(log, queue);
        self.of.insert(log, group);
    }

    /// Whether old content of this log is still expected.
    pub(super) fn holds(&self, log: LogId) -> bool {
        self.queue(log).is_some_and(|queue| !queue.over)
    }

    /// Whether more of this log is of use now. Of every cluster one log always is: that which the others wait for.
    pub(super) fn wants(&self, log: LogId) -> bool {
        self.queue(log)
            .is_none_or(|queue| queue.by_time || queue.events.len() < ENOUGH)
    }

    /// Takes an event of a log that was opened.
    pub(super) fn push(&mut self, seen: Seen) {
        let by_time = seen.carrier.as_ref().is_some_and(|carrier| carrier.by_time);
        if by_time {
            self.join_those_by_time(seen.log);
        }
        if let Some(queue) = self.queue_mut(seen.log) {
            queue.told = true;
            queue.by_time |= by_time;
            queue.reached = match seen.at {
                Some(at) if queue.by_time => at,
                Some(at) => at.max(queue.reached),
                None => queue.reached,
            };
            queue.events.push_back((queue.reached, seen));
        }
    }

    fn join_those_by_time(&mut self, log: LogId) {
        let Some(group @ Some(_)) = self.of.get(&log).cloned() else {
            return;
        };
        let logs = self.groups.remove(&group).unwrap_or_default();
        self.of.extend(logs.keys().map(|log| (*log, None)));
        self.groups.entry(None).or_default().extend(logs);
    }

    /// Whether every event taken was given out.
    pub(super) fn is_empty(&self) -> bool {
        let mut queues = self.groups.values().flat_map(BTreeMap::values);
        queues.all(|queue| queue.events.is_empty())
    }

    /// No more old content comes from this log.
    pub(super) fn finish(&mut self, log: LogId) {
        if let Some(queue) = self.queue_mut(log) {
            queue.over = true;
            if queue.by_time {
                // Stable: what has the same time keeps its place.
                queue.events.make_contiguous().sort_by_key(|(at, _)| *at);
            }
        }
    }

    /// Gives out, in order, every event that nothing unread can come before.
    pub(super) fn drain(&mut self, mut apply: impl FnMut(Seen)) {
        let waits = self.groups.contains_key(&None) && self.is_any_undecided();
        for (group, logs) in &mut self.groups {
            if group.is_none() && waits {
                continue;
            }
            while logs.values().all(Queue::is_comparable) {
                let (Some((_, earliest)), next) = two_earliest(logs) else {
                    break;
                };
                let Some(Queue { events, .. }) = logs.get_mut(&earliest) else {
                    break;
                };
                // All that comes before the other logs' fronts, which stay as they are meanwhile.
                let is_first = |at| next.is_none_or(|next| (at, earliest) < next);
                while let Some((_, seen)) = events.pop_front() {
                    apply(seen);
                    if !events.front().is_some_and(|(at, _)| is_first(*at)) {
                        break;
                    }
                }
            }
        }
    }

    /// Whether a log that may yet turn out to go by time is still being read.
    fn is_any_undecided(&self) -> bool {
        let mut queues = self.groups.values().flat_map(BTreeMap::values);
        queues.any(|queue| !queue.told && !queue.over)
    }

    fn queue(&self, log: LogId) -> Option<&Queue> {
        self.groups.get(self.of.get(&log)?)?.get(&log)
    }

    fn queue_mut(&mut self, log: LogId) -> Option<&mut Queue> {
        self.groups.get_mut(self.of.get(&log)?)?.get_mut(&log)
    }
}

/// The earliest front, with its log, and the one that follows it.
fn two_earliest(logs: &BTreeMap<LogId, Queue>) -> (Option<Front>, Option<Front>) {
    let (mut first, mut second) = (None, None);
    for (log, queue) in logs {
        let Some(front) = queue.events.front().map(|(at, _)| (*at, *log)) else {
            continue;
        };
        if first.is_none_or(|first| front < first) {
            second = first.replace(front);
        } else if second.is_none_or(|second| front < second) {
            second = Some(front);
        }
    }
    (first, second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::{Carrier, Event, Said};

    fn seen(log: u32, second: Option<i64>, offset: u64) -> Seen {
        Seen {
            log: LogId(log),
            offset,
            at: second.map(|second| Timestamp::from_second(second).unwrap()),
            mdc_job: None,
            carrier: None,
            said: Said::Event(Event::GlobalFailure),
        }
    }

    fn drained(merge: &mut Merge) -> Vec<u64> {
        let mut out = Vec::new();
        merge.drain(|seen| out.push(seen.offset));
        out
    }

    #[test]
    fn logs_of_a_cluster_are_merged_by_time_and_each_keeps_its_own_order() {
        let mut merge = Merge::default();
        for log in [1, 2] {
            merge.open(LogId(log), Arc::from("c"));
        }
        merge.push(seen(1, Some(10), 100));
        merge.push(seen(1, Some(5), 101));
        merge.push(seen(1, None, 102));
        assert_eq!(
            drained(&mut merge),
            [0; 0],
            "the other log may hold something earlier"
        );
        merge.push(seen(2, Some(7), 200));
        assert_eq!(drained(&mut merge), [200]);
        merge.push(seen(2, Some(20), 201));
        assert_eq!(drained(&mut merge), [100, 101, 102]);
        merge.finish(LogId(1));
        assert_eq!(drained(&mut merge), [201]);
    }

    #[test]
    fn a_log_without_order_is_sorted_when_it_is_over() {
        let mut merge = Merge::default();
        merge.open(LogId(1), Arc::from("c"));
        let carrier = Some(Arc::new(Carrier {
            by_time: true,
            ..Carrier::default()
        }));
        for (second, offset) in [(Some(9), 1), (None, 2), (Some(3), 3), (Some(9), 4)] {
            let carrier = carrier.clone();
            merge.push(Seen {
                carrier,
                ..seen(1, second, offset)
            });
        }
        assert_eq!(drained(&mut merge), [0; 0], "something earlier may come");
        merge.finish(LogId(1));
        assert_eq!(drained(&mut merge), [3, 1, 2, 4]);
    }

    #[test]
    fn logs_that_go_by_time_are_merged_whatever_their_clusters() {
        let by_time = |log, second| Seen {
            carrier: Some(Arc::new(Carrier {
                by_time: true,
                ..Carrier::default()
            })),
            ..seen(log, Some(second), u64::from(log))
        };
        let mut merge = Merge::default();
        for (log, cluster) in [(1, "a"), (2, "b"), (3, "c")] {
            merge.open(LogId(log), Arc::from(cluster));
        }
        merge.push(by_time(1, 9));
        merge.finish(LogId(1));
        assert_eq!(
            drained(&mut merge),
            [0; 0],
            "the others may turn out to go by time"
        );
        merge.push(by_time(2, 3));
        merge.push(seen(3, Some(5), 3));
        merge.finish(LogId(2));
        assert_eq!(drained(&mut merge), [2, 1, 3]);
    }

    #[test]
    fn clusters_do_not_wait_for_each_other() {
        let mut merge = Merge::default();
        merge.open(LogId(1), Arc::from("a"));
        merge.open(LogId(2), Arc::from("b"));
        merge.push(seen(2, Some(1), 200));
        assert_eq!(drained(&mut merge), [200]);
    }

    #[test]
    fn a_log_far_ahead_of_the_others_is_held_up() {
        let mut merge = Merge::default();
        merge.open(LogId(1), Arc::from("a"));
        merge.open(LogId(2), Arc::from("a"));
        for second in 0..ENOUGH {
            assert!(merge.wants(LogId(1)));
            merge.push(seen(1, i64::try_from(second).ok(), 0));
        }
        assert!(!merge.wants(LogId(1)) && merge.wants(LogId(2)));
    }
}
