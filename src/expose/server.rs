//! The HTTP server: hyper with bounds on everything that a client can make large or slow.
//!
//! A connection has [`Limits::header`] for each request's head (idle time included), [`Limits::write`] for taking an
//! answer, and 16 KiB for its head. When all connections are in use, a new one takes the place of the one that has
//! waited longest without a complete request, so that a crowd of slow clients cannot keep Prometheus out.

mod events;
mod stream;

use std::any::Any;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use self::stream::WriteDeadline;
use super::answer::{Content, Route, answer};
use super::{Telemetry, View};
use crate::observe;

/// Bounds on what clients may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// From the end of one answer, or the connection's beginning, to the end of the next request's head.
    pub header: Duration,
    /// From the first wait for the client while it takes an answer to its last byte.
    pub write: Duration,
    /// For answers under way when the server stops.
    pub stop: Duration,
}

/// Longest request head, bytes.
const HEAD_BYTES: usize = 16 * 1024;

impl Default for Limits {
    /// A header time of 12 s: more than the usual scrape interval of 10 s, so that the server does not hang up just as
    /// Prometheus asks again.
    fn default() -> Self {
        Self {
            connections: 64,
            header: Duration::from_secs(12),
            write: Duration::from_secs(30),
            stop: Duration::from_secs(5),
        }
    }
}

/// What is served.
#[derive(Debug)]
pub struct Site {
    /// What was last published.
    pub view: watch::Receiver<Arc<View>>,
    /// The server's own metrics.
    pub telemetry: Telemetry,
}

/// Serves until `stop`, then lets answers under way end.
///
/// `listener` is bound and listening already, so that clients are let in before the first view is worth anything.
///
/// # Errors
/// If the runtime cannot take over the listener; nothing after that ends the server but `stop`.
pub async fn serve(
    listener: std::net::TcpListener,
    site: Arc<Site>,
    limits: Limits,
    stop: CancellationToken,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let mut connections = Connections::new(limits.connections);
    let tasks = TaskTracker::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, _)) => {
                // An answer's last piece must not wait 40 ms for the client to acknowledge the one before.
                if let Err(error) = stream.set_nodelay(true) {
                    debug!(%error, "answers may be late");
                }
                // All connections at work on answers: refused at once, which a client understands better than silence.
                let Some(place) = connections.admit() else {
                    continue;
                };
                tasks.spawn(converse(stream, Arc::clone(&site), limits, place, stop.clone()));
            }
            Err(error) => {
                // Out of file descriptors, mostly: asking again at once would only burn the processor.
                warn!(%error, "cannot accept a connection; waiting 100 ms");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(limits.stop, tasks.wait()).await.is_err() {
        debug!("some clients were still taking answers and were cut off");
    }
    connections.cut_all();
    Ok(())
}

/// One connection's place among [`Limits::connections`].
#[derive(Debug, Clone, Default)]
struct Place {
    /// Answers under way.
    answering: Arc<AtomicUsize>,
    /// Tells the connection to end at once.
    cut: CancellationToken,
}

/// The places in use, oldest first.
#[derive(Debug)]
struct Connections {
    limit: usize,
    open: VecDeque<Place>,
}

impl Connections {
    const fn new(limit: usize) -> Self {
        Self {
            limit,
            open: VecDeque::new(),
        }
    }

    /// A place for a new connection; where all are taken, that of the oldest which only waits. None if all are at work.
    fn admit(&mut self) -> Option<Place> {
        // A connection that has ended cancels its own token.
        self.open.retain(|place| !place.cut.is_cancelled());
        if self.open.len() >= self.limit {
            let waiting = self
                .open
                .iter()
                .position(|place| place.answering.load(Ordering::Relaxed) == 0)?;
            self.open.remove(waiting)?.cut.cancel();
        }
        let place = Place::default();
        self.open.push_back(place.clone());
        Some(place)
    }

    fn cut_all(&self) {
        for place in &self.open {
            place.cut.cancel();
        }
    }
}

/// Answers the requests of one connection, one after the other.
async fn converse(stream: TcpStream, site: Arc<Site>, limits: Limits, place: Place, stop: CancellationToken) {
    let _ended = place.cut.clone().drop_guard();
    let stream = TokioIo::new(WriteDeadline::new(stream, limits.write));
    let service = service_fn(|request| {
        respond(
            request,
            Arc::clone(&site),
            Arc::clone(&place.answering),
            stop.clone(),
        )
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(stream, service)
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = place.cut.cancelled() => return,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = place.cut.cancelled() => return,
            }
        }
    };
    if let Err(error) = ended {
        // Clients that hang up, are slow or talk nonsense: theirs to mend, not ours to warn of.
        debug!(%error, "a connection ended early");
    }
}

/// Makes an answer on a thread where compressing a large page delays nobody else.
async fn respond(
    request: Request<Incoming>,
    site: Arc<Site>,
    answering: Arc<AtomicUsize>,
    stop: CancellationToken,
) -> Result<Response<Held>, Infallible> {
    let (parts, _unread) = request.into_parts();
    let route = Route::of(parts.uri.path());
    let busy = Busy::new(answering);
    let timer = (route == Route::Metrics).then(|| site.telemetry.time_scrape());
    let making = {
        let site = Arc::clone(&site);
        tokio::task::spawn_blocking(move || {
            let view = Arc::clone(&site.view.borrow());
            answer(&parts, &view, &site.telemetry, observe::now())
        })
    };
    let response = making.await.unwrap_or_else(|_| {
        let mut failed = Response::new(Content::from("the answer could not be made\n"));
        *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        failed
    });
    site.telemetry.answered(route, response.status().as_u16());
    if route == Route::Events && response.status() == StatusCode::OK {
        // Not busy: a page that follows makes room when all connections are in use, and comes back by itself.
        return Ok(response.map(|_| Held {
            content: events::follow(site.view.clone(), stop),
            _until_sent: Box::new(()),
        }));
    }
    Ok(response.map(|content| Held {
        content,
        _until_sent: Box::new((busy, timer)),
    }))
}

/// Counts an answer as under way while it lives.
struct Busy(Arc<AtomicUsize>);

impl Busy {
    fn new(answering: Arc<AtomicUsize>) -> Self {
        answering.fetch_add(1, Ordering::Relaxed);
        Self(answering)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A body with what must live until its last byte was handed to the connection.
struct Held {
    content: Content,
    _until_sent: Box<dyn Any + Send>,
}

impl Body for Held {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.content).poll_frame(cx)
    }

    fn size_hint(&self) -> SizeHint {
        self.content.size_hint()
    }
}

#[cfg(test)]
mod tests;
