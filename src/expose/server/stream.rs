//! A stream that gives up on a client which does not take its answer. hyper bounds how long a request may take to
//! arrive, but not how long an answer may take to leave.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// Passes everything on; fails a write once the client has kept one answer waiting for too long in all.
///
/// The time runs from the first write that has to wait, and writes that succeed in between do not stop it (a client that
/// takes one byte a second is no better than one that takes none). The next bytes from the client do: a new request.
#[derive(Debug)]
pub struct WriteDeadline<S> {
    stream: S,
    limit: Duration,
    running: Option<Pin<Box<Sleep>>>,
}

impl<S> WriteDeadline<S> {
    /// `limit` is for each answer.
    pub const fn new(stream: S, limit: Duration) -> Self {
        Self {
            stream,
            limit,
            running: None,
        }
    }

    /// `written` unless it has to wait and the time is up.
    fn bounded<T>(&mut self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_pending() {
            let limit = self.limit;
            let deadline = self
                .running
                .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + limit)));
            ready!(deadline.as_mut().poll(cx));
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the client does not take its answer",
            )));
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteDeadline<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.running = None;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteDeadline<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.bounded(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.bounded(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.bounded(flushed, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.bounded(closed, cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    fn run<F: Future>(test: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
            .block_on(test)
    }

    #[test]
    fn a_client_that_takes_nothing_is_given_up() {
        run(async {
            let (stream, _client) = duplex(64);
            let mut stream = WriteDeadline::new(stream, Duration::from_millis(20));
            let failed = stream.write_all(&[b'x'; 1_000]).await.unwrap_err();
            assert_eq!(failed.kind(), io::ErrorKind::TimedOut);
        });
    }

    #[test]
    fn a_new_request_begins_the_time_anew() {
        run(async {
            let (stream, mut client) = duplex(64);
            let mut stream = WriteDeadline::new(stream, Duration::from_secs(3600));
            let (written, taken) = tokio::join!(stream.write_all(&[b'x'; 1_000]), async {
                let mut taken = [0; 1_000];
                client.read_exact(&mut taken).await
            });
            assert!(written.is_ok() && taken.is_ok() && stream.running.is_some());
            client.write_all(b"again").await.unwrap();
            stream.read_exact(&mut [0; 5]).await.unwrap();
            assert!(stream.running.is_none());
        });
    }
}
