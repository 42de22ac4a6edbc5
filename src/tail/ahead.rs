//! Reading a long file ahead: helpers on other cores read its next pieces and search them, while the caller looks at the
//! first. What was searched for is found without the caller; what it means is decided in order, by one thread.
//!
//! Pieces are hints in the way that a cache is: one that does not fit what is asked for is thrown away, and the file is
//! read as if there were no helpers. Each piece holds the bytes before it too, read in the same call, so that a
//! truncation between two pieces shows as it does between two reads.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::fs::{File, fill};
use super::identity::{FileId, Place};

/// Finds the places in bytes that the sink will want to look at, in order; empties the list first.
pub type Search = Arc<dyn Fn(&[u8], &mut Vec<u32>) + Send + Sync>;

/// Most helpers: the thread that they help has its own part of the work, and would not keep up with more.
const MOST_HELPERS: usize = 4;

/// How long a piece is waited for, before the file is read without helpers: a disk may be slow, or a helper have died.
const PATIENCE: Duration = Duration::from_secs(5);

/// A piece of a file: [`Place::ANCHOR`] bytes, and those that follow them.
struct Piece {
    file: Arc<dyn File>,
    /// Which plan of [`Ahead`] it is part of.
    plan: u64,
    /// Where its first byte lies in the file.
    start: u64,
    bytes: Vec<u8>,
    /// What was found in the bytes behind the anchor.
    hits: Vec<u32>,
    /// It was read whole, and holds no NUL: nothing in it is to be skipped.
    is_good: bool,
}

impl Piece {
    fn read(&mut self, search: &Search) {
        let got = fill(&*self.file, &mut self.bytes, self.start);
        self.is_good =
            got.is_ok_and(|got| got == self.bytes.len()) && memchr::memchr(0, &self.bytes).is_none();
        if self.is_good {
            search(&self.bytes[Place::ANCHOR..], &mut self.hits);
        }
    }
}

/// Pieces to be read, for whoever is free.
#[derive(Default)]
struct Queue {
    pieces: Mutex<(VecDeque<Piece>, bool)>,
    more: Condvar,
}

impl Queue {
    /// Nothing can be half done under this lock.
    fn lock(&self) -> MutexGuard<'_, (VecDeque<Piece>, bool)> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, piece: Piece) {
        self.lock().0.push_back(piece);
        self.more.notify_one();
    }

    /// The next piece, waited for; none once the queue is closed.
    fn wait(&self) -> Option<Piece> {
        let mut queue = self.lock();
        loop {
            if queue.1 {
                return None;
            }
            if let Some(piece) = queue.0.pop_front() {
                return Some(piece);
            }
            queue = self.more.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The helpers, and the pieces on their way.
pub(super) struct Ahead {
    queue: Arc<Queue>,
    done: Receiver<Piece>,
    search: Search,
    /// None once one of them did not answer: they are not asked again.
    helpers: usize,
    /// Grows by one when what was asked for is not wanted any more.
    plan: u64,
    /// Pieces read and not yet asked for, by where they begin.
    ready: BTreeMap<u64, Piece>,
    /// The file at hand, and where its next piece to be asked of the helpers begins.
    at: Option<(FileId, u64)>,
    /// Pieces asked of the helpers and not taken yet.
    under_way: usize,
    /// Buffers to be used again.
    spare: Vec<(Vec<u8>, Vec<u32>)>,
    /// What was found in the piece taken last.
    hits: Vec<u32>,
}

impl Ahead {
    /// Starts helpers, as many as make sense of `cores`; none where there is but one core, or no thread to be had.
    pub(super) fn start(cores: usize, search: &Search) -> Option<Self> {
        let queue = Arc::new(Queue::default());
        let (sender, done) = channel();
        let help = |_: &usize| help_in_thread(Arc::clone(&queue), sender.clone(), Arc::clone(search)).is_ok();
        let helpers = (1..cores.min(MOST_HELPERS + 1)).take_while(help).count();
        (helpers > 0).then(|| Self {
            queue,
            done,
            search: Arc::clone(search),
            helpers,
            plan: 0,
            ready: BTreeMap::new(),
            at: None,
            under_way: 0,
            spare: Vec::new(),
            hits: Vec::new(),
        })
    }

    /// Takes the piece of a file that begins at `start`, with its anchor, into `buffer`, and has those that follow it up
    /// to `end` read meanwhile. False where the caller is to read it: it was not read ahead, or is not as it should be.
    pub(super) fn take(
        &mut self,
        id: FileId,
        file: &Arc<dyn File>,
        start: u64,
        end: u64,
        buffer: &mut Vec<u8>,
    ) -> bool {
        if self.helpers == 0 {
            return false;
        }
        if !self.at.is_some_and(|(at, next)| at == id && next > start) {
            self.forget();
            self.at = Some((id, start));
        }
        let step = (buffer.len() - Place::ANCHOR) as u64;
        while let Some((_, next)) = &mut self.at
            && self.under_way < 2 * (self.helpers + 1)
            && *next + buffer.len() as u64 <= end
        {
            let (mut bytes, hits) = self.spare.pop().unwrap_or_default();
            bytes.resize(buffer.len(), 0);
            self.queue.push(Piece {
                file: Arc::clone(file),
                plan: self.plan,
                start: *next,
                bytes,
                hits,
                is_good: false,
            });
            *next += step;
            self.under_way += 1;
        }
        let Some(mut piece) = self.wait_for(start) else {
            self.forget();
            return false;
        };
        let is_good = piece.is_good && piece.bytes.len() == buffer.len();
        if is_good {
            std::mem::swap(buffer, &mut piece.bytes);
            std::mem::swap(&mut self.hits, &mut piece.hits);
        }
        self.put_back(piece);
        is_good
    }

    /// What was found in the piece taken last.
    pub(super) fn hits(&self) -> &[u32] {
        &self.hits
    }

    /// Lets go of what is not needed while nothing is to be caught up.
    pub(super) fn rest(&mut self) {
        self.forget();
        self.spare = Vec::new();
        self.hits = Vec::new();
    }

    /// A piece that was asked for; the caller helps until it is there.
    fn wait_for(&mut self, start: u64) -> Option<Piece> {
        loop {
            if let Some(piece) = self.ready.remove(&start) {
                return Some(piece);
            }
            if self.under_way == self.ready.len() {
                return None;
            }
            let mut next = self.done.try_recv().ok();
            if next.is_none() {
                let own = self.queue.lock().0.pop_front();
                next = own.map(|mut piece| {
                    piece.read(&self.search);
                    piece
                });
            }
            let Some(next) = next.or_else(|| self.done.recv_timeout(PATIENCE).ok()) else {
                self.helpers = 0;
                return None;
            };
            if next.plan == self.plan {
                self.ready.insert(next.start, next);
            } else {
                self.put_back(next);
            }
        }
    }

    /// Pieces that were asked for are not wanted any more.
    fn forget(&mut self) {
        let queued = std::mem::take(&mut self.queue.lock().0);
        let ready = std::mem::take(&mut self.ready).into_values();
        queued
            .into_iter()
            .chain(ready)
            .for_each(|piece| self.put_back(piece));
        self.at = None;
        self.plan += 1;
    }

    fn put_back(&mut self, piece: Piece) {
        self.under_way -= 1;
        self.spare.push((piece.bytes, piece.hits));
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.queue.lock().1 = true;
        self.queue.more.notify_all();
    }
}

fn help_in_thread(
    queue: Arc<Queue>,
    done: Sender<Piece>,
    search: Search,
) -> io::Result<thread::JoinHandle<()>> {
    thread::Builder::new()
        .name("read-ahead".to_owned())
        .spawn(move || {
            while let Some(mut piece) = queue.wait() {
                piece.read(&search);
                if done.send(piece).is_err() {
                    break;
                }
            }
        })
}
