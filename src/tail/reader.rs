//! Reading logs that are complete: one at a time, at the caller's pace, so that several can be merged by time.

use std::collections::VecDeque;
use std::sync::Arc;

use super::ahead::Ahead;
use super::file::Tracked;
use super::fs::Fs;
use super::log::Log;
use super::notice::Notice;
use super::pass::Pass;
use super::stdin::{Stdin, Taken};
use super::step::Step;
use super::{LogInfo, Read, Search, Settings, Sink};
use crate::line::LogId;
use crate::stats::{Op, SourceStats};

/// A log to be read once, from the oldest of its files to the end that the newest had when it was found.
pub struct LogReader {
    log: Log,
    input: Input,
    pass: Pass,
    hold: bool,
}

enum Input {
    Files(VecDeque<Tracked>),
    Stdin(Option<Stdin>),
}

/// What readers use in turn.
pub struct Aids {
    buffer: Vec<u8>,
    ahead: Option<Ahead>,
}

impl Aids {
    /// Long files are read ahead on as many cores, and what `search` finds is given along with the bytes.
    #[must_use]
    pub fn new(cores: usize, search: &Search) -> Self {
        Self {
            buffer: Vec::new(),
            ahead: Ahead::start(cores, search, Settings::default().buffer_len()),
        }
    }
}

/// What came of a reader's turn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Turn {
    /// Bytes given.
    pub bytes: u64,
    /// Files read to their end.
    pub files: u64,
    /// The log was read to its end.
    pub over: bool,
}

impl LogReader {
    /// `hold` keeps the file at hand open between turns.
    pub(super) fn files(mut log: Log, fs: Arc<dyn Fs>, settings: Settings, hold: bool) -> Self {
        let input = Input::Files(std::mem::take(&mut log.queue));
        Self {
            log,
            input,
            pass: Self::pass(fs, settings),
            hold,
        }
    }

    pub(super) fn stdin(log: Log, stdin: Stdin, fs: Arc<dyn Fs>, settings: Settings) -> Self {
        Self {
            log,
            input: Input::Stdin(Some(stdin)),
            pass: Self::pass(fs, settings),
            hold: true,
        }
    }

    fn pass(fs: Arc<dyn Fs>, settings: Settings) -> Pass {
        Pass {
            once: true,
            ..Pass::new(fs, settings)
        }
    }

    /// The log's id.
    #[must_use]
    pub const fn id(&self) -> LogId {
        self.log.id
    }

    /// What is known of the log.
    #[must_use]
    pub const fn info(&self) -> &LogInfo {
        &self.log.info
    }

    /// Its numbers, as far as reading makes them.
    #[must_use]
    pub fn stats(&self) -> SourceStats {
        let lag_bytes = match &self.input {
            Input::Files(files) => files.iter().map(Tracked::lag).sum(),
            Input::Stdin(_) => 0,
        };
        SourceStats {
            lag_bytes,
            ..self.log.stats()
        }
    }

    /// Notices not yet taken.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.pass.notices.take()
    }

    /// Reads on into `sink` until that wants no more of the log for now, or the turn has had about `most` bytes.
    pub fn read(&mut self, most: u64, aids: &mut Aids, sink: &mut dyn Sink) -> Turn {
        aids.buffer.resize(self.pass.settings.buffer_len(), 0);
        match self.input {
            Input::Files(_) => self.read_files(most, aids, sink),
            Input::Stdin(_) => self.read_stdin(sink),
        }
    }

    fn read_files(&mut self, most: u64, aids: &mut Aids, sink: &mut dyn Sink) -> Turn {
        let (mut turn, id) = (Turn::default(), self.id());
        let Input::Files(files) = &mut self.input else {
            return turn;
        };
        std::mem::swap(&mut self.pass.ahead, &mut aids.ahead);
        while let Some(file) = files.front_mut()
            && turn.bytes < most
            && sink.wants(id)
        {
            self.pass.left = most - turn.bytes;
            // A writer that never stops does not keep the reader from its end.
            let over = !file.is_packed() && file.expected.is_none_or(|end| file.place.offset >= end);
            let step = if over {
                Step::AtEnd
            } else {
                file.read(&mut self.pass, &mut self.log.numbers, &mut aids.buffer)
            };
            match step {
                Step::Data(data) if data.range.is_empty() => {}
                Step::Data(data) => {
                    turn.bytes += data.range.len() as u64;
                    let read = Read {
                        bytes: &aids.buffer[data.range],
                        offset: data.offset,
                        mtime: file.mtime,
                        fresh: false,
                        hits: self
                            .pass
                            .ahead
                            .as_ref()
                            .filter(|_| data.searched)
                            .map(Ahead::hits),
                    };
                    sink.bytes(id, &read);
                }
                Step::AtEnd | Step::Wait | Step::Cut(_) | Step::Look => {
                    files.pop_front();
                    turn.files += 1;
                    sink.file_end(id);
                }
            }
        }
        std::mem::swap(&mut self.pass.ahead, &mut aids.ahead);
        match files.front_mut() {
            Some(file) if !self.hold && !file.is_packed() => file.close(),
            Some(_) => {}
            None => turn.over = true,
        }
        turn
    }

    /// Waits for what comes next, which may be long: others have their turns between two pieces.
    fn read_stdin(&mut self, sink: &mut dyn Sink) -> Turn {
        let id = self.id();
        let over = Turn {
            over: true,
            ..Turn::default()
        };
        let Input::Stdin(Some(stdin)) = &self.input else {
            return over;
        };
        match stdin.wait() {
            Taken::Bytes(bytes) => {
                let offset = self.log.numbers.read_bytes;
                self.log.numbers.read_bytes += bytes.len() as u64;
                let read = Read {
                    bytes: &bytes,
                    offset,
                    mtime: jiff::Timestamp::UNIX_EPOCH,
                    fresh: false,
                    hits: None,
                };
                sink.bytes(id, &read);
                Turn {
                    bytes: bytes.len() as u64,
                    ..Turn::default()
                }
            }
            ended => {
                if ended == Taken::Failed {
                    self.log.numbers.failed(Op::Read);
                }
                self.input = Input::Stdin(None);
                sink.file_end(id);
                Turn { files: 1, ..over }
            }
        }
    }
}
