//! Standard input as a log: `kubectl logs -f … | flinktail watch -`. It may be packed.

use std::io::{ErrorKind, Read};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use super::gz::unpacked;

/// Most bytes in one chunk.
const CHUNK: usize = 64 << 10;
/// Most chunks waiting: the writer blocks when nobody reads them, as it would on a pipe.
const WAITING: usize = 16;

/// A stream read by a thread of its own, since reading from a pipe blocks.
#[derive(Debug)]
pub struct Stdin {
    chunks: Receiver<Chunk>,
}

#[derive(Debug)]
enum Chunk {
    Bytes(Vec<u8>),
    Failed,
}

/// What a try to take from it gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Bytes(Vec<u8>),
    /// Nothing now.
    Nothing,
    /// Reading failed: nothing more will come.
    Failed,
    /// The writer closed it.
    End,
}

impl Stdin {
    /// Starts reading. `woken` is called after each chunk and at the end, from the reading thread.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(
        input: impl Read + Send + 'static,
        woken: impl Fn() + Send + 'static,
    ) -> std::io::Result<Self> {
        let (sender, chunks) = sync_channel(WAITING);
        thread::Builder::new().name("stdin".into()).spawn(move || {
            forward(input, &sender, &woken);
            drop(sender);
            woken();
        })?;
        Ok(Self { chunks })
    }

    pub(super) fn take(&self) -> Taken {
        match self.chunks.try_recv() {
            Ok(Chunk::Bytes(bytes)) => Taken::Bytes(bytes),
            Ok(Chunk::Failed) => Taken::Failed,
            Err(TryRecvError::Empty) => Taken::Nothing,
            Err(TryRecvError::Disconnected) => Taken::End,
        }
    }

    /// As [`Stdin::take`], but waits for bytes to come.
    pub(super) fn wait(&self) -> Taken {
        match self.chunks.recv() {
            Ok(Chunk::Bytes(bytes)) => Taken::Bytes(bytes),
            Ok(Chunk::Failed) => Taken::Failed,
            Err(_) => Taken::End,
        }
    }
}

fn forward(input: impl Read + Send, sender: &SyncSender<Chunk>, woken: &impl Fn()) {
    let Ok(mut input) = unpacked(input) else {
        // An error means that the other end is gone.
        let _unheard = sender.send(Chunk::Failed);
        return;
    };
    let mut buffer = vec![0; CHUNK];
    loop {
        let chunk = match input.read(&mut buffer) {
            Ok(0) => return,
            Ok(got) => Chunk::Bytes(buffer[..got].to_vec()),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => Chunk::Failed,
        };
        let over = matches!(chunk, Chunk::Failed);
        // An error means that the other end is gone: the program is ending.
        if sender.send(chunk).is_err() || over {
            return;
        }
        woken();
    }
}
