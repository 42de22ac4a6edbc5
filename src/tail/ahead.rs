//! Reading ahead: helpers on other cores read the next pieces of files and search them, while the caller looks at the
//! first. What was searched for is found without the caller; what it means is decided in order, by one thread.
//!
//! Pieces are hints in the way that a cache is: one that does not fit what is asked for is thrown away, and the file is
//! read as if there were no helpers. Each piece holds the bytes before it too, read in the same call, so that a
//! truncation between two pieces shows as it does between two reads.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::fs::{File, Fs, fill};
use super::identity::{FileId, Place};

/// Finds the places in bytes that the sink will want to look at, in order; empties the list first. The number is that of the
/// first byte in its file.
pub type Search = Arc<dyn Fn(u64, &[u8], &mut Vec<u32>) + Send + Sync>;

/// Most helpers: the thread that they help has its own part of the work, and would not keep up with more.
const MOST_HELPERS: usize = 4;

/// How long a piece is waited for, before the file is read without helpers: a disk may be slow, or a helper have died.
const PATIENCE: Duration = Duration::from_secs(5);

/// A piece of a file: the bytes before its place, and those that follow it.
struct Piece {
    file: Arc<dyn File>,
    /// Which [`Plan`] it is part of.
    plan: u64,
    place: u64,
    /// How many bytes before the place it holds.
    anchor: usize,
    /// How many bytes the anchor and the piece are.
    len: usize,
    /// How long a buffer is to be: as the caller's.
    room: usize,
    /// Empty before somebody reads the piece.
    buffer: Buffer,
    /// It was read whole, and holds no NUL: nothing in it is to be skipped.
    is_good: bool,
}

/// Where a piece is read into, and what was found in it behind the anchor.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    hits: Vec<u32>,
    /// Who read into it last.
    reader: Reader,
}

/// One of those that read pieces, of whom each has a core's cache: the caller is the first.
type Reader = usize;

const CALLER: Reader = 0;

impl Piece {
    fn read(&mut self, search: &Search) {
        let Buffer { bytes, hits, .. } = &mut self.buffer;
        bytes.resize(self.room, 0);
        let bytes = &mut bytes[..self.len];
        let got = fill(&*self.file, bytes, self.place - self.anchor as u64);
        self.is_good = got.is_ok_and(|got| got == self.len) && memchr::memchr(0, bytes).is_none();
        if self.is_good {
            search(self.place, &bytes[self.anchor..], hits);
        }
    }
}

/// Pieces to be read, for whoever is free.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Default)]
struct State {
    pieces: VecDeque<Piece>,
    /// Buffers to be used again.
    spare: Vec<Buffer>,
    /// How many helpers have nothing to read.
    waiting: usize,
    is_closed: bool,
}

impl State {
    /// The next piece, to be read by `reader`: into a buffer that it read into before, if there is one. Another's would first
    /// have to leave the cache of another core, with every piece.
    fn next(&mut self, reader: Reader) -> Option<Piece> {
        let mut piece = self.pieces.pop_front()?;
        let own = self.spare.iter().rposition(|spare| spare.reader == reader);
        let buffer = match own {
            Some(own) => Some(self.spare.swap_remove(own)),
            None => self.spare.pop(),
        };
        piece.buffer = buffer.unwrap_or_default();
        piece.buffer.reader = reader;
        Some(piece)
    }
}

impl Queue {
    /// Nothing can be half done under this lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, piece: Piece) {
        let mut state = self.lock();
        state.pieces.push_back(piece);
        // Waking somebody takes a system call, even if nobody is there.
        if state.waiting > 0 {
            self.more.notify_one();
        }
    }

    /// The next piece, waited for; none once the queue is closed.
    fn wait(&self, reader: Reader) -> Option<Piece> {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return None;
            }
            if let Some(piece) = state.next(reader) {
                return Some(piece);
            }
            state.waiting += 1;
            state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
    }
}

/// A file of which pieces are read ahead.
struct Plan {
    /// Tells its pieces from those of a plan that was given up.
    number: u64,
    file: Arc<dyn File>,
    /// Where its pieces begin that were asked of the helpers and not taken yet, in order.
    asked: VecDeque<u64>,
    /// Where the next one begins.
    next: u64,
    /// Up to where it is read.
    end: u64,
}

/// A file that is read when its turn comes: from where, and up to where.
pub(super) struct Upcoming {
    pub(super) id: FileId,
    pub(super) file: Arc<dyn File>,
    pub(super) place: u64,
    pub(super) end: u64,
}

/// The helpers, and the pieces on their way.
pub(super) struct Ahead {
    queue: Arc<Queue>,
    done: Receiver<Piece>,
    search: Search,
    /// None once one of them did not answer: they are not asked again.
    helpers: usize,
    plans: BTreeMap<FileId, Plan>,
    /// That of the next plan.
    number: u64,
    /// Read next, where there is room for more than the file at hand.
    upcoming: VecDeque<Upcoming>,
    /// Pieces read and not yet asked for, by plan and place.
    ready: BTreeMap<(u64, u64), Piece>,
    /// Pieces asked of the helpers and not taken yet.
    under_way: usize,
    /// What was found in the piece taken last.
    hits: Vec<u32>,
    /// Who read that: the caller has its buffer.
    reader: Reader,
}

impl Ahead {
    /// Starts helpers, as many as make sense of `cores`; none where there is but one core, or no thread to be had. `room` is
    /// how long the caller's buffer is: those of the pieces are made at once, while the system's allocator still gives such a
    /// buffer pages of its own, which go back when it is let go of. Later ones lie in the heap: it was 1 MiB larger for good.
    pub(super) fn start(cores: usize, search: &Search, room: usize) -> Option<Self> {
        let queue = Arc::new(Queue::default());
        let (sender, done) = channel();
        let help = |reader: &Reader| {
            help_in_thread(*reader, Arc::clone(&queue), sender.clone(), Arc::clone(search)).is_ok()
        };
        let helpers = (1..cores.min(MOST_HELPERS + 1)).take_while(help).count();
        if helpers == 0 {
            return None;
        }
        let buffer = |number| Buffer {
            bytes: vec![0; room],
            hits: Vec::new(),
            reader: number % (helpers + 1),
        };
        queue.lock().spare = (0..most_pieces(helpers)).map(buffer).collect();
        Some(Self {
            queue,
            done,
            search: Arc::clone(search),
            helpers,
            plans: BTreeMap::new(),
            number: 0,
            upcoming: VecDeque::new(),
            ready: BTreeMap::new(),
            under_way: 0,
            hits: Vec::new(),
            reader: CALLER,
        })
    }

    /// Has the first bytes of files searched that are about to be looked at one by one, as many as the search wants to see of a
    /// beginning: what it makes of them it need not make of them again. What cannot be read is the caller's to find out.
    pub(super) fn foresee(&self, fs: &dyn Fs, paths: &[&Path], len: usize) {
        let (next, search) = (AtomicUsize::new(0), &self.search);
        let look = || {
            let (mut bytes, mut hits) = (vec![0; len], Vec::new());
            while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Ok(file) = fs.open(path)
                    && let Ok(got) = fill(&*file, &mut bytes, 0)
                {
                    search(0, &bytes[..got], &mut hits);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.helpers {
                // Where there is no thread to be had, the others look at more.
                let _beside = thread::Builder::new().spawn_scoped(scope, look);
            }
            look();
        });
    }

    /// Says which files are read after the one at hand, in this order.
    pub(super) fn expect(&mut self, upcoming: VecDeque<Upcoming>) {
        self.upcoming = upcoming;
    }

    /// Takes the piece of a file at `place`, `len` bytes with the `anchor` before it, into `buffer`, and has those that
    /// follow it up to `end` read meanwhile. False where the caller is to read it: it was not read ahead, or is not as it
    /// should be.
    pub(super) fn take(
        &mut self,
        id: FileId,
        file: &Arc<dyn File>,
        (place, anchor, len): (u64, usize, usize),
        end: u64,
        buffer: &mut Vec<u8>,
    ) -> bool {
        if self.helpers == 0 {
            return false;
        }
        let room = buffer.len();
        let is_asked = |plan: &Plan| plan.asked.front() == Some(&place);
        if !self.plans.get(&id).is_some_and(is_asked) {
            // What is all that is left is read sooner than a helper is told of it.
            if end <= place + len as u64 {
                self.ask_of_upcoming(room);
                return false;
            }
            if self.plans.contains_key(&id) || self.under_way >= self.most_pieces() {
                self.forget();
            }
            self.begin(id, file, place);
        }
        self.ask(id, end, room);
        self.ask_of_upcoming(room);
        let Some(mut piece) = self.wait_for(id, place) else {
            self.forget();
            return false;
        };
        let is_good = piece.is_good && (piece.anchor, piece.len) == (anchor, anchor + len);
        if is_good {
            let Buffer { bytes, hits, reader } = &mut piece.buffer;
            std::mem::swap(buffer, bytes);
            std::mem::swap(&mut self.hits, hits);
            std::mem::swap(&mut self.reader, reader);
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
        self.upcoming.clear();
        self.queue.lock().spare = Vec::new();
        self.hits = Vec::new();
    }

    /// How many pieces are under way at most: more files than that need not be expected.
    pub(super) const fn most_pieces(&self) -> usize {
        most_pieces(self.helpers)
    }

    fn begin(&mut self, id: FileId, file: &Arc<dyn File>, place: u64) {
        self.number += 1;
        let plan = Plan {
            number: self.number,
            file: Arc::clone(file),
            asked: VecDeque::new(),
            next: place,
            end: place,
        };
        self.plans.insert(id, plan);
    }

    /// Has the next pieces of a file read, up to `end`, each as long as fits into `room`.
    fn ask(&mut self, id: FileId, end: u64, room: usize) {
        let most = self.most_pieces();
        let Some(plan) = self.plans.get_mut(&id) else {
            return;
        };
        plan.end = end;
        while self.under_way < most && plan.next < plan.end {
            let anchor = usize::try_from(plan.next).map_or(Place::ANCHOR, |next| next.min(Place::ANCHOR));
            let left = usize::try_from(plan.end - plan.next).unwrap_or(usize::MAX);
            let len = left.min(room - Place::ANCHOR);
            self.queue.push(Piece {
                file: Arc::clone(&plan.file),
                plan: plan.number,
                place: plan.next,
                anchor,
                len: anchor + len,
                room,
                buffer: Buffer::default(),
                is_good: false,
            });
            plan.asked.push_back(plan.next);
            plan.next += len as u64;
            self.under_way += 1;
        }
    }

    /// Has what is read after the file at hand read, as far as there is room.
    fn ask_of_upcoming(&mut self, room: usize) {
        while self.under_way < self.most_pieces()
            && let Some(next) = self.upcoming.pop_front()
        {
            if !self.plans.contains_key(&next.id) {
                self.begin(next.id, &next.file, next.place);
            }
            self.ask(next.id, next.end, room);
            if self.under_way >= self.most_pieces() {
                self.upcoming.push_front(next);
            }
        }
    }

    /// A piece that was asked for; the caller helps until it is there.
    fn wait_for(&mut self, id: FileId, place: u64) -> Option<Piece> {
        let plan = self.plans.get_mut(&id)?;
        let key = (
            plan.number,
            plan.asked.pop_front().filter(|asked| *asked == place)?,
        );
        if plan.asked.is_empty() && plan.next >= plan.end {
            self.plans.remove(&id);
        }
        loop {
            if let Some(piece) = self.ready.remove(&key) {
                return Some(piece);
            }
            let mut next = self.done.try_recv().ok();
            if next.is_none() {
                let own = self.queue.lock().next(CALLER);
                next = own.map(|mut piece| {
                    piece.read(&self.search);
                    piece
                });
            }
            let Some(next) = next.or_else(|| self.done.recv_timeout(PATIENCE).ok()) else {
                self.helpers = 0;
                return None;
            };
            let is_wanted = |plan: &Plan| plan.number == next.plan;
            if (next.plan, next.place) == key || self.plans.values().any(is_wanted) {
                self.ready.insert((next.plan, next.place), next);
            } else {
                self.put_back(next);
            }
        }
    }

    /// Pieces that were asked for are not wanted any more.
    fn forget(&mut self) {
        let queued = std::mem::take(&mut self.queue.lock().pieces);
        let ready = std::mem::take(&mut self.ready).into_values();
        // Those that are still being read are put back when they come; who waits for none does not hear of them.
        let done: Vec<Piece> = self.done.try_iter().collect();
        let pieces = queued.into_iter().chain(ready).chain(done);
        pieces.for_each(|piece| self.put_back(piece));
        self.plans.clear();
    }

    fn put_back(&mut self, piece: Piece) {
        self.under_way -= 1;
        // One that nobody read has none.
        if !piece.buffer.bytes.is_empty() {
            self.queue.lock().spare.push(piece.buffer);
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.queue.lock().is_closed = true;
        self.queue.more.notify_all();
    }
}

const fn most_pieces(helpers: usize) -> usize {
    2 * (helpers + 1)
}

fn help_in_thread(
    reader: Reader,
    queue: Arc<Queue>,
    done: Sender<Piece>,
    search: Search,
) -> io::Result<thread::JoinHandle<()>> {
    thread::Builder::new()
        .name("read-ahead".to_owned())
        .spawn(move || {
            while let Some(mut piece) = queue.wait(reader) {
                piece.read(&search);
                if done.send(piece).is_err() {
                    break;
                }
            }
        })
}

#[cfg(test)]
mod tests {
    use super::super::fs::{Fs as _, OsFs};
    use super::*;

    const CHUNK: usize = 4 << 10;
    const SIZE: usize = 16 * CHUNK;

    /// Takes the next piece of a file that nothing is known of.
    fn take(ahead: &mut Ahead, ino: u64, file: &Arc<dyn File>, place: usize, end: usize) -> bool {
        let mut buffer = vec![0; CHUNK + Place::ANCHOR];
        let anchor = Place::ANCHOR.min(place);
        let piece = (place as u64, anchor, CHUNK);
        ahead.take(FileId { dev: 1, ino }, file, piece, end as u64, &mut buffer)
    }

    #[test]
    fn helpers_go_on_after_pieces_that_nobody_took() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, vec![b'x'; SIZE]).unwrap();
        let file = OsFs.open(&path).unwrap();
        let search: Search = Arc::new(|_, _, hits| hits.clear());
        let mut ahead = Ahead::start(2, &search, CHUNK + Place::ANCHOR).unwrap();
        let upcoming = Upcoming {
            id: FileId { dev: 1, ino: 1 },
            file: Arc::clone(&file),
            place: 0,
            end: SIZE as u64,
        };
        ahead.expect([upcoming].into());
        // While the last piece of one log is read, the next log's are read ahead: all that there may be.
        assert!(!take(&mut ahead, 0, &file, 0, CHUNK));
        let are_read = |state: &State| state.pieces.is_empty() && state.waiting > 0;
        let began = std::time::Instant::now();
        while !are_read(&ahead.queue.lock()) {
            assert!(began.elapsed() < 12 * PATIENCE);
            thread::yield_now();
        }
        // Then it is another's turn.
        for place in (0..SIZE - CHUNK).step_by(CHUNK) {
            assert!(take(&mut ahead, 2, &file, place, SIZE), "{place}");
        }
    }
}
