//! Reading logs that are complete: one at a time, at the caller's pace, so that several can be merged by time.

use std::collections::VecDeque;
use std::sync::Arc;

use super::file::Tracked;
use super::fs::Fs;
use super::identity::Place;
use super::log::Log;
use super::notice::Notice;
use super::pass::Pass;
use super::stdin::{Stdin, Taken};
use super::step::Step;
use super::{LogInfo, Read, Settings, Sink};
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

/// What a [`LogReader`] yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunk<'a> {
    /// More bytes of the file at hand.
    Bytes(Read<'a>),
    /// The file is over: a last line without newline is a line.
    FileEnd,
}

impl LogReader {
    /// `hold` keeps the file at hand open between chunks.
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

    /// The next piece, read into `buffer` (made a little larger than [`Settings::chunk`]); none at the end of the log.
    pub fn next_chunk<'b>(&mut self, buffer: &'b mut Vec<u8>) -> Option<Chunk<'b>> {
        buffer.resize(self.pass.settings.chunk + Place::ANCHOR, 0);
        match self.input {
            Input::Files(_) => self.next_of_files(buffer),
            Input::Stdin(_) => self.next_of_stdin(buffer),
        }
    }

    fn next_of_files<'b>(&mut self, buffer: &'b mut Vec<u8>) -> Option<Chunk<'b>> {
        let Input::Files(files) = &mut self.input else {
            return None;
        };
        loop {
            let file = files.front_mut()?;
            // A writer that never stops does not keep the reader from its end.
            let over = !file.is_packed() && file.place.offset >= file.backlog_end;
            let step = if over {
                Step::AtEnd
            } else {
                file.read(&mut self.pass, &mut self.log.numbers, buffer)
            };
            if !self.hold && !file.is_packed() {
                file.close();
            }
            match step {
                Step::Data(data) if data.range.is_empty() => {}
                Step::Data(data) => {
                    let (offset, mtime) = (data.offset, file.mtime);
                    let bytes = &buffer[data.range];
                    return Some(Chunk::Bytes(Read {
                        bytes,
                        offset,
                        mtime,
                        fresh: false,
                        hits: None,
                    }));
                }
                Step::AtEnd | Step::Wait | Step::Cut(_) | Step::Look => {
                    files.pop_front();
                    return Some(Chunk::FileEnd);
                }
            }
        }
    }

    fn next_of_stdin<'b>(&mut self, buffer: &'b mut Vec<u8>) -> Option<Chunk<'b>> {
        let Input::Stdin(input) = &mut self.input else {
            return None;
        };
        match input.as_ref()?.wait() {
            Taken::Bytes(bytes) => {
                let offset = self.log.numbers.read_bytes;
                self.log.numbers.read_bytes += bytes.len() as u64;
                *buffer = bytes;
                let mtime = jiff::Timestamp::UNIX_EPOCH;
                Some(Chunk::Bytes(Read {
                    bytes: buffer,
                    offset,
                    mtime,
                    fresh: false,
                    hits: None,
                }))
            }
            over => {
                if over == Taken::Failed {
                    self.log.numbers.failed(Op::Read);
                }
                *input = None;
                Some(Chunk::FileEnd)
            }
        }
    }

    /// Reads the whole log into `sink`.
    pub fn read_all(&mut self, sink: &mut dyn Sink) {
        let id = self.id();
        sink.open(id, self.info());
        let mut buffer = Vec::new();
        while let Some(chunk) = self.next_chunk(&mut buffer) {
            match chunk {
                Chunk::Bytes(read) => sink.bytes(id, &read),
                Chunk::FileEnd => sink.file_end(id),
            }
        }
    }
}
