//! Old content of several logs in the order in which it happened.
//!
//! Inside one log the order is the position, whatever its timestamps do; between the logs of one cluster it is event time.
//! So each log has a queue, and the earliest front of a cluster goes first once every log of it that is still being read
//! has something to compare with. A log whose carrier keeps no order (CloudWatch, CloudTrail) is sorted as a whole when it
//! has been read to its end, and merged with all others of that sort, whatever their clusters: what they tell of an
//! application does not stay within one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use crate::line::LogId;
use crate::model::event::Seen;

/// Events queued of one log before its reading is held up for the others, so that memory does not grow with the logs.
const ENOUGH: usize = 4096;

/// The logs of all clusters whose old content is being read.
#[derive(Debug, Default)]
pub(super) struct Merge {
    groups: BTreeMap<Name, Group>,
    of: BTreeMap<LogId, Name>,
    /// The logs whose queues are not over: asked for with each read and each pass, of which there are many.
    unfinished: BTreeSet<LogId>,
    /// Those of them that have told nothing yet: they may turn out to go by time.
    undecided: BTreeSet<LogId>,
    /// Events taken and not given out.
    waiting: usize,
    /// The groups to which something happened since they were drained.
    changed: BTreeSet<Name>,
}

/// What logs that wait for each other have in common: their cluster; or none, of those that go by time, with their
/// clusters' others.
type Name = Option<Arc<str>>;

/// Logs that wait for each other. Thousands may: an event costs no look at each of them.
#[derive(Debug, Default)]
struct Group {
    queues: BTreeMap<LogId, Queue>,
    /// The logs that the others wait for: something unread of them may come before all fronts.
    awaited: BTreeSet<LogId>,
    /// The first event of each of the others, the earliest first.
    fronts: BTreeSet<(Timestamp, LogId)>,
}

impl Group {
    /// Puts a log to those that are waited for, or its front to the fronts, after its queue has changed.
    fn place(&mut self, log: LogId) {
        let Some(queue) = self.queues.get_mut(&log) else {
            return;
        };
        let is_comparable = queue.is_comparable();
        let front = queue.events.front().filter(|_| is_comparable).map(|(at, _)| *at);
        if front != queue.front {
            if let Some(at) = queue.front {
                self.fronts.remove(&(at, log));
            }
            self.fronts.extend(front.map(|at| (at, log)));
            queue.front = front;
        }
        if queue.over && queue.events.is_empty() {
            // Of thousands of logs, for what is remembered of the jobs of the next.
            queue.events = VecDeque::new();
        }
        if is_comparable {
            self.awaited.remove(&log);
        } else {
            self.awaited.insert(log);
        }
    }

    /// Takes in the logs of another.
    fn join(&mut self, other: Self) {
        self.queues.extend(other.queues);
        self.awaited.extend(other.awaited);
        self.fronts.extend(other.fronts);
    }

    /// Gives out, in order, the events that nothing unread can come before: at most so many. Gives how many of those are left.
    fn drain(&mut self, mut most: usize, apply: &mut impl FnMut(Seen)) -> usize {
        while most > 0
            && self.awaited.is_empty()
            && let Some((_, log)) = self.fronts.pop_first()
            && let Some(queue) = self.queues.get_mut(&log)
        {
            queue.front = None;
            let events = queue.events.iter().take(most);
            let count = match self.fronts.first() {
                Some(next) => events.take_while(|(at, _)| (*at, log) < *next).count(),
                None => events.count(),
            };
            queue.events.drain(..count).for_each(|(_, seen)| apply(seen));
            most -= count;
            self.place(log);
        }
        most
    }

    /// Whether there is an event that nothing unread can come before.
    fn is_ready(&self) -> bool {
        self.awaited.is_empty() && !self.fronts.is_empty()
    }
}

#[derive(Debug)]
struct Queue {
    /// Each with the time it counts as: never earlier than what stands before it in the same log.
    events: VecDeque<(Timestamp, Seen)>,
    /// Under which time it stands among the fronts of its group.
    front: Option<Timestamp>,
    reached: Timestamp,
    over: bool,
    /// Its carrier keeps no order.
    by_time: bool,
}

impl Queue {
    /// Whether nothing unread of the log can come before its front.
    fn is_comparable(&self) -> bool {
        self.over || (!self.by_time && !self.events.is_empty())
    }

    /// Puts in order what came in none.
    fn sort(&mut self) {
        if self.by_time {
            // Stable: what has the same time keeps its place.
            self.events.make_contiguous().sort_by_key(|(at, _)| *at);
        }
    }

    /// Takes note of when an event that comes next counts as.
    fn reach(&mut self, seen: &Seen) {
        self.by_time |= seen.carrier.as_ref().is_some_and(|carrier| carrier.by_time);
        self.reached = match seen.at {
            Some(at) if self.by_time => at,
            Some(at) => at.max(self.reached),
            None => self.reached,
        };
    }
}

impl Merge {
    /// A log whose old content is about to be read.
    pub(super) fn open(&mut self, log: LogId, cluster: Arc<str>) {
        let queue = Queue {
            events: VecDeque::new(),
            front: None,
            reached: Timestamp::MIN,
            over: false,
            by_time: false,
        };
        let name = Some(cluster);
        self.of.insert(log, name.clone());
        self.groups.entry(name).or_default().queues.insert(log, queue);
        self.unfinished.insert(log);
        self.undecided.insert(log);
        self.place(log);
    }

    /// Whether this log was opened here.
    pub(super) fn holds(&self, log: LogId) -> bool {
        self.of.contains_key(&log)
    }

    /// The logs whose old content is still expected.
    pub(super) const fn unfinished(&self) -> &BTreeSet<LogId> {
        &self.unfinished
    }

    /// Whether more of this log is of use now. Of every cluster one log always is: that which the others wait for.
    pub(super) fn wants(&self, log: LogId) -> bool {
        self.queue(log)
            .is_none_or(|queue| queue.by_time || queue.events.len() < ENOUGH)
    }

    /// Takes the events of a log that was opened, as many as `read` gives, and be it over: what it gains meanwhile has its turn
    /// after what is old. Those of a log that waits for no other are given out at once. What the others change is looked at once,
    /// behind the last: a log full of transitions gives thousands.
    ///
    /// Gives how many events [`Self::drain`] may give out next: more than came, so that they do not gather, yet not at once all that
    /// waited for this log, while helpers wait for whoever drains. All where no more of this log is wanted.
    pub(super) fn take(
        &mut self,
        log: LogId,
        read: impl FnOnce(&mut dyn FnMut(Seen)),
        apply: &mut impl FnMut(Seen),
    ) -> usize {
        const AT_ONCE: usize = 64;
        let Some(group) = self.of.get(&log).and_then(|name| self.groups.get_mut(name)) else {
            return 0;
        };
        let is_alone = group.queues.len() == 1;
        let Some(queue) = group.queues.get_mut(&log) else {
            return 0;
        };
        let (was_by_time, before) = (queue.by_time, queue.events.len());
        let mut told = false;
        read(&mut |seen| {
            told = true;
            queue.reach(&seen);
            if is_alone && !queue.by_time && queue.events.is_empty() {
                apply(seen);
            } else {
                if queue.events.capacity() == 0 {
                    // Of thousands of quiet logs each has one that waits for the others: no room for the four that it would get.
                    queue.events.reserve_exact(1);
                }
                queue.events.push_back((queue.reached, seen));
            }
        });
        let came = queue.events.len() - before;
        self.waiting += came;
        if told {
            self.undecided.remove(&log);
        }
        if queue.over && came > 0 {
            queue.sort();
        }
        if queue.by_time && !was_by_time {
            self.join_those_by_time(log);
        }
        self.place(log);
        if self.wants(log) {
            2 * came + AT_ONCE
        } else {
            usize::MAX
        }
    }

    fn join_those_by_time(&mut self, log: LogId) {
        let Some(name @ Some(_)) = self.of.get(&log).cloned() else {
            return;
        };
        let group = self.groups.remove(&name).unwrap_or_default();
        self.of.extend(group.queues.keys().map(|log| (*log, None)));
        self.groups.entry(None).or_default().join(group);
    }

    /// Whether every event taken was given out.
    pub(super) const fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// No more old content comes from this log.
    pub(super) fn finish(&mut self, log: LogId) {
        self.undecided.remove(&log);
        if self.unfinished.remove(&log)
            && let Some(queue) = self.queue_mut(log)
        {
            queue.over = true;
            queue.sort();
            self.place(log);
        }
    }

    /// Gives out, in order, events that nothing unread can come before: at most so many, or somewhat fewer. What is left is
    /// given out by later calls.
    pub(super) fn drain(&mut self, mut most: usize, mut apply: impl FnMut(Seen)) {
        let waits = !self.undecided.is_empty();
        for name in std::mem::take(&mut self.changed) {
            if name.is_none() && waits {
                self.changed.insert(name);
            } else if let Some(group) = self.groups.get_mut(&name) {
                let left = group.drain(most, &mut apply);
                self.waiting -= most - left;
                most = left;
                if group.is_ready() {
                    self.changed.insert(name);
                }
            }
        }
    }

    fn queue(&self, log: LogId) -> Option<&Queue> {
        self.groups.get(self.of.get(&log)?)?.queues.get(&log)
    }

    fn queue_mut(&mut self, log: LogId) -> Option<&mut Queue> {
        self.groups.get_mut(self.of.get(&log)?)?.queues.get_mut(&log)
    }

    /// Puts a log where it belongs after its queue has changed.
    fn place(&mut self, log: LogId) {
        let Some(name) = self.of.get(&log) else { return };
        if let Some(group) = self.groups.get_mut(name) {
            group.place(log);
            if !self.changed.contains(name) {
                self.changed.insert(name.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    /// A merge, and what it gave out.
    #[derive(Default)]
    struct Rig {
        merge: Merge,
        out: Vec<(LogId, u64)>,
    }

    impl Rig {
        fn open(&mut self, log: u32, cluster: &str) {
            self.merge.open(LogId(log), Arc::from(cluster));
        }

        fn push(&mut self, seen: Seen) -> usize {
            let out = &mut self.out;
            let mut apply = |seen: Seen| out.push((seen.log, seen.offset));
            self.merge.take(seen.log, |take| take(seen), &mut apply)
        }

        fn finish(&mut self, log: u32) {
            self.merge.finish(LogId(log));
        }

        fn drain(&mut self, most: usize) {
            let out = &mut self.out;
            self.merge.drain(most, |seen| out.push((seen.log, seen.offset)));
        }

        fn drained(&mut self) -> Vec<u64> {
            self.drain(usize::MAX);
            self.out.drain(..).map(|(_, offset)| offset).collect()
        }
    }

    #[test]
    fn logs_of_a_cluster_are_merged_by_time_and_each_keeps_its_own_order() {
        let mut merge = Rig::default();
        for log in [1, 2] {
            merge.open(log, "c");
        }
        merge.push(seen(1, Some(10), 100));
        merge.push(seen(1, Some(5), 101));
        merge.push(seen(1, None, 102));
        assert_eq!(
            merge.drained(),
            [0; 0],
            "the other log may hold something earlier"
        );
        merge.push(seen(2, Some(7), 200));
        assert_eq!(merge.drained(), [200]);
        merge.push(seen(2, Some(20), 201));
        assert_eq!(merge.drained(), [100, 101, 102]);
        merge.finish(1);
        assert_eq!(merge.drained(), [201]);
    }

    #[test]
    fn a_log_without_order_is_sorted_when_it_is_over() {
        let mut merge = Rig::default();
        merge.open(1, "c");
        let by_time = |second, offset| Seen {
            carrier: Some(Arc::new(Carrier {
                by_time: true,
                ..Carrier::default()
            })),
            ..seen(1, second, offset)
        };
        for (second, offset) in [(Some(9), 1), (None, 2), (Some(3), 3), (Some(9), 4)] {
            merge.push(by_time(second, offset));
        }
        assert_eq!(merge.drained(), [0; 0], "something earlier may come");
        merge.finish(1);
        merge.push(by_time(Some(5), 5));
        assert_eq!(merge.drained(), [3, 5, 1, 2, 4], "it goes on as it is");
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
        let mut merge = Rig::default();
        for (log, cluster) in [(1, "a"), (2, "b"), (3, "c")] {
            merge.open(log, cluster);
        }
        merge.push(by_time(1, 9));
        merge.finish(1);
        assert_eq!(merge.drained(), [0; 0], "the others may turn out to go by time");
        merge.push(by_time(2, 3));
        merge.push(seen(3, Some(5), 3));
        merge.finish(2);
        assert_eq!(
            merge.drained(),
            [3, 2, 1],
            "one that does not waits for none of them"
        );
    }

    #[test]
    fn clusters_do_not_wait_for_each_other() {
        let mut merge = Rig::default();
        merge.open(1, "a");
        merge.open(2, "b");
        merge.push(seen(2, Some(1), 200));
        assert_eq!(merge.drained(), [200]);
    }

    #[test]
    fn a_log_far_ahead_of_the_others_is_held_up() {
        let mut merge = Rig::default();
        merge.open(1, "a");
        merge.open(2, "a");
        for second in 0..ENOUGH {
            assert!(merge.merge.wants(LogId(1)));
            merge.push(seen(1, i64::try_from(second).ok(), 0));
        }
        assert!(!merge.merge.wants(LogId(1)) && merge.merge.wants(LogId(2)));
    }

    #[test]
    fn what_waited_for_a_log_is_given_out_in_parts_and_whole_where_no_more_of_it_is_wanted() {
        let mut rig = Rig::default();
        for log in 1..=3 {
            rig.open(log, "a");
        }
        for (log, second) in (1..=2).flat_map(|log| (0..1000).map(move |second| (log, second))) {
            rig.push(seen(log, Some(second), 0));
        }
        for event in 0..ENOUGH {
            let most = rig.push(seen(3, Some(2000), 0));
            if event + 1 < ENOUGH {
                assert!((2..ENOUGH).contains(&most));
            } else {
                assert_eq!(
                    most,
                    usize::MAX,
                    "nothing is read any more that would give out the rest"
                );
            }
        }
        rig.drain(70);
        assert_eq!(rig.out.len(), 70);
        rig.drain(usize::MAX);
        assert_eq!(
            rig.out.len(),
            1999,
            "the last of log 1 or 2 waits for what comes of it"
        );
    }

    proptest! {
        #[test]
        fn however_logs_are_read_their_events_come_in_one_order(
            times in prop::collection::vec(prop::collection::vec(0_i64..20, 0..12), 1..6),
            turns in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..5), 0..80),
        ) {
            const NEWS: u64 = 1000;
            let mut expected = Vec::new();
            let mut unread = Vec::new();
            let mut merge = Rig::default();
            for (log, seconds) in (1..).zip(&times) {
                merge.open(log, "c");
                let events = (0_u64..).zip(seconds).map(|(offset, second)| seen(log, Some(*second), offset));
                unread.push(events.collect::<VecDeque<_>>());
                let mut reached = 0;
                for (offset, second) in (0_u64..).zip(seconds) {
                    reached = reached.max(*second);
                    expected.push((reached, log, offset));
                }
            }
            expected.sort_unstable();
            let mut gained = 0;
            for (turn, most) in turns {
                let index = turn.index(unread.len());
                let log = u32::try_from(index + 1).unwrap();
                if let Some(event) = unread[index].pop_front() {
                    merge.push(event);
                } else if merge.merge.unfinished().contains(&LogId(log)) {
                    merge.finish(log);
                } else {
                    merge.push(seen(log, Some(20), NEWS));
                    gained += 1;
                }
                merge.drain(most);
            }
            for (log, rest) in (1..).zip(unread) {
                for event in rest {
                    merge.push(event);
                }
                merge.finish(log);
            }
            prop_assert_eq!(merge.merge.is_empty(), merge.out.len() == expected.len() + gained);
            merge.drain(usize::MAX);
            prop_assert!(merge.merge.is_empty());
            let expected: Vec<_> = expected.into_iter().map(|(_, log, offset)| (LogId(log), offset)).collect();
            let news = merge.out.split_off(expected.len());
            prop_assert_eq!(merge.out, expected);
            prop_assert!(news.len() == gained && news.iter().all(|(_, offset)| *offset == NEWS));
        }
    }
}
