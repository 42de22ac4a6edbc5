//! The model, and a helper that applies to it what was read while more is decoded.
//!
//! In a log full of transitions applying them takes half as long as decoding them. So a large batch goes, with the model
//! itself, to a helper on another core. What is read meanwhile waits for it to come back, and whoever wants the model waits
//! too. Only one of the two ever has it: nothing is locked, and events are applied in the order in which they were read.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use jiff::Timestamp;

use crate::model::Fleet;
use crate::model::event::Seen;

/// Fewest events that are given away: for fewer, waking the helper takes longer than applying them.
const LARGE: usize = 256;

/// Most events that wait for the helper to come back: they are memory.
const MOST: usize = 4096;

/// The model, here or with the helper.
#[derive(Debug)]
pub(super) struct Applier {
    /// An empty one while the helper has the model.
    fleet: Fleet,
    /// Events taken, and not applied yet.
    batch: Vec<Seen>,
    /// When they were read.
    now: Timestamp,
    help: Help,
}

#[derive(Debug)]
enum Help {
    /// Asked for when it is first of use.
    NotYet,
    Idle(Helper),
    /// It has the model, of which so many evicted jobs waited when it left.
    Working(Helper, usize),
    /// None to be had, or of no use any more.
    None,
}

#[derive(Debug)]
struct Helper {
    give: Sender<Work>,
    back: Receiver<Work>,
    thread: JoinHandle<()>,
}

/// A model, what is to be applied to it, and when that was read.
type Work = (Fleet, Vec<Seen>, Timestamp);

impl Applier {
    pub(super) const fn new(fleet: Fleet) -> Self {
        Self {
            fleet,
            batch: Vec::new(),
            now: Timestamp::UNIX_EPOCH,
            help: Help::NotYet,
        }
    }

    /// Takes an event, for [`Self::apply`].
    pub(super) fn take(&mut self, seen: Seen) {
        self.batch.push(seen);
    }

    /// Applies what was taken, or has it applied as soon as may be. True where there was anything.
    pub(super) fn apply(&mut self, now: Timestamp) -> bool {
        self.now = now;
        if self.batch.is_empty() {
            return false;
        }
        if self.batch.len() < MOST && self.is_away() {
            return true;
        }
        self.come_back();
        if self.batch.len() >= LARGE && matches!(self.help, Help::NotYet) {
            self.help = Helper::start().map_or(Help::None, Help::Idle);
        }
        match std::mem::replace(&mut self.help, Help::None) {
            Help::Idle(helper) if self.batch.len() >= LARGE => {
                let evicted = self.fleet.evicted_waiting();
                let (fleet, batch) = (std::mem::take(&mut self.fleet), std::mem::take(&mut self.batch));
                // Where it has ended, whoever waits for the model finds out.
                let _unsent = helper.give.send((fleet, batch, now));
                self.help = Help::Working(helper, evicted);
            }
            help => {
                self.help = help;
                apply(&mut self.fleet, &mut self.batch, now);
            }
        }
        true
    }

    /// The model, once all is applied that was to be.
    pub(super) fn fleet(&mut self) -> &mut Fleet {
        self.come_back();
        apply(&mut self.fleet, &mut self.batch, self.now);
        &mut self.fleet
    }

    /// The model, where [`Self::fleet`] was asked for since anything was to be applied.
    pub(super) fn settled(&self) -> &Fleet {
        debug_assert!(!matches!(self.help, Help::Working(..)), "it is away");
        debug_assert!(self.batch.is_empty(), "something waits for it");
        &self.fleet
    }

    /// The model, which is given to no helper any more.
    pub(super) fn rest(&mut self) -> &mut Fleet {
        self.fleet();
        self.help = Help::None;
        self.batch = Vec::new();
        &mut self.fleet
    }

    /// Evicted jobs that wait to be kept, as far as is known without waiting for the helper.
    pub(super) const fn evicted_waiting(&self) -> usize {
        match self.help {
            Help::Working(_, evicted) => evicted,
            _ => self.fleet.evicted_waiting(),
        }
    }

    /// Whether the helper has the model still; it is taken back if not.
    fn is_away(&mut self) -> bool {
        match std::mem::replace(&mut self.help, Help::None) {
            Help::Working(helper, evicted) => match helper.back.try_recv() {
                Ok(work) => self.take_back(helper, work),
                // Where it has ended, whoever waits for the model finds out.
                Err(_) => self.help = Help::Working(helper, evicted),
            },
            help => self.help = help,
        }
        matches!(self.help, Help::Working(..))
    }

    fn come_back(&mut self) {
        match std::mem::replace(&mut self.help, Help::None) {
            Help::Working(helper, _) => {
                let (helper, work) = helper.wait();
                self.take_back(helper, work);
            }
            help => self.help = help,
        }
    }

    fn take_back(&mut self, helper: Helper, (fleet, spare, _): Work) {
        self.help = Help::Idle(helper);
        self.fleet = fleet;
        if self.batch.is_empty() {
            self.batch = spare;
        }
    }
}

/// Applies events and empties the batch. They stay where they are meanwhile: taking each out copies 140 bytes.
fn apply(fleet: &mut Fleet, batch: &mut Vec<Seen>, now: Timestamp) {
    for seen in &*batch {
        fleet.apply(seen, now);
    }
    batch.clear();
}

impl Helper {
    /// None where there is but one core, or no thread to be had.
    fn start() -> Option<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        (cores > 1).then(Self::spawn)?.ok()
    }

    fn spawn() -> io::Result<Self> {
        let ((give, given), (done, back)) = (channel::<Work>(), channel());
        let thread = thread::Builder::new().name("applier".to_owned()).spawn(move || {
            while let Ok((mut fleet, mut batch, now)) = given.recv() {
                apply(&mut fleet, &mut batch, now);
                if done.send((fleet, batch, now)).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { give, back, thread })
    }

    /// The model and an empty batch, when they are back.
    fn wait(self) -> (Self, Work) {
        let Ok(work) = self.back.recv() else {
            // It ended with the model in its hands: its end is this thread's, as if it had applied the events itself.
            let panic = self.thread.join().err();
            resume_unwind(panic.unwrap_or_else(|| Box::new("the applier ended early")))
        };
        (self, work)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::line::{JobId, LogId};
    use crate::model::LogContext;
    use crate::model::event::{Event, Said};
    use crate::model::flink_job::JobState;

    fn seen(number: u64) -> Seen {
        let (from, to) = [
            (JobState::Created, JobState::Running),
            (JobState::Running, JobState::Restarting),
        ][usize::from(number % 2 == 1)];
        Seen {
            log: LogId(1),
            offset: number,
            at: None,
            mdc_job: None,
            carrier: None,
            said: Said::Event(Event::JobTransition {
                job: JobId([(number / 2 % 7) as u8; 16]),
                name: "a".into(),
                from,
                to,
            }),
        }
    }

    #[test]
    fn with_help_or_without_the_same_is_applied_in_the_same_order() {
        let now = Timestamp::UNIX_EPOCH;
        let mut fleet = Fleet::with_limit(100);
        let cluster = Arc::from("c");
        fleet.open_log(LogId(1), LogContext { cluster });
        let mut applier = Applier::new(fleet.clone());
        assert!(!applier.apply(now));
        let mut number = 0;
        for batch in [3, 2 * LARGE, LARGE, 1, 5 * LARGE] {
            for _ in 0..batch {
                fleet.apply(&seen(number), now);
                applier.take(seen(number));
                number += 1;
            }
            assert!(applier.apply(now));
        }
        let jobs = |fleet: &Fleet| fleet.jobs().cloned().collect::<Vec<_>>();
        assert_eq!(jobs(applier.fleet()), jobs(&fleet));
        assert_eq!(applier.rest().counters(), fleet.counters());
    }
}
