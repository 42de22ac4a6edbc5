//! The HTTP server: hyper with bounds on everything that a client can make large or slow.
//!
//! A connection has [`Limits::header`] for each request's head (idle time included), [`Limits::write`] for taking an
//! answer, and 16 KiB for its head. When all connections are in use, a new one takes the place of the one that has
//! waited longest without a complete request, so that a crowd of slow clients cannot keep Prometheus out.
//!
//! Who may ask, and over what, is [`super::web`]'s to say.

mod crowd;
mod events;
mod stream;

use std::any::Any;
use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use self::crowd::{Crowd, Place};
use self::stream::WriteDeadline;
use super::answer::{Content, Route, answer, forbidden, refused, reloaded};
use super::telemetry::Dropped;
use super::web::{Door, Doors};
use super::{Telemetry, View};
use crate::observe::{self, RateLimited};

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
            stop: Duration::from_secs(2),
        }
    }
}

/// Asks for the configuration to be read again; what is sent back is what came of it, in words.
pub type Reloads = mpsc::Sender<oneshot::Sender<Result<String, String>>>;

/// What is served.
pub struct Site {
    /// What was last published.
    pub view: watch::Receiver<Arc<View>>,
    /// The server's own metrics.
    pub telemetry: Arc<Telemetry>,
    /// Who may come in.
    pub doors: Doors,
    /// What `POST /-/reload` asks; none where it is not allowed.
    pub reloads: Option<Reloads>,
}

impl Site {
    /// The door for whoever comes now.
    async fn door(&self) -> Arc<Door> {
        let (door, is_good) = self.doors.current().await;
        self.telemetry.web_config_read(is_good);
        door
    }
}

/// What every connection needs.
struct Server {
    site: Site,
    limits: Limits,
    crowd: Crowd,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Serves until `stop`, then lets answers under way end.
///
/// The listeners are bound and listening already, so that clients are let in before the first view is worth anything.
///
/// # Errors
/// If the runtime cannot take over a listener; nothing after that ends the server but `stop`.
pub async fn serve(
    listeners: Vec<std::net::TcpListener>,
    site: Site,
    limits: Limits,
    stop: CancellationToken,
) -> io::Result<()> {
    let taken = listeners.into_iter().map(|listener| {
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    });
    let taken = taken.collect::<io::Result<Vec<_>>>()?;
    let server = Arc::new(Server {
        site,
        limits,
        crowd: Crowd::new(limits.connections),
        stop,
        tasks: TaskTracker::new(),
    });
    let accepting = TaskTracker::new();
    for listener in taken {
        accepting.spawn(accept(listener, Arc::clone(&server)));
    }
    accepting.close();
    accepting.wait().await;
    server.tasks.close();
    if tokio::time::timeout(limits.stop, server.tasks.wait())
        .await
        .is_err()
    {
        debug!("some clients were still taking answers and were cut off");
    }
    server.crowd.cut_all();
    Ok(())
}

/// Takes in whoever connects to one address.
async fn accept(listener: TcpListener, server: Arc<Server>) {
    let mut complaint = RateLimited::new(Duration::from_secs(60));
    while let Some(accepted) = server.stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, _)) => {
                // An answer's last piece must not wait 40 ms for the client to acknowledge the one before.
                if let Err(error) = stream.set_nodelay(true) {
                    debug!(%error, "answers may be late");
                }
                let (place, dropped) = server.crowd.admit();
                if let Some(dropped) = dropped {
                    server.site.telemetry.dropped(dropped);
                }
                // All connections at work on answers: refused at once, which a client understands better than silence.
                if let Some(place) = place {
                    server.tasks.spawn(receive(stream, Arc::clone(&server), place));
                }
            }
            Err(error) => {
                // Out of file descriptors, mostly: asking again at once would only burn the processor.
                if let Some(held_back) = complaint.allow(observe::now()) {
                    warn!(%error, held_back, "cannot accept a connection; trying again every 100 ms");
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Speaks TLS with a client where that is wanted, then answers.
async fn receive(stream: TcpStream, server: Arc<Server>, place: Place) {
    let _ended = place.cut.clone().drop_guard();
    let stream = WriteDeadline::new(stream, server.limits.write);
    let door = server.site.door().await;
    let Some((acceptor, allowed)) = door.tls() else {
        return converse(stream, &server, &place).await;
    };
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(server.limits.header, acceptor.accept(stream)) => shaken,
        () = place.cut.cancelled() => return,
        () = server.stop.cancelled() => return,
    };
    match shaken {
        Ok(Ok(stream)) if allowed.admits(stream.get_ref().1.peer_certificates()) => {
            converse(stream, &server, &place).await;
        }
        Ok(Ok(_)) => {
            debug!("a client's certificate is for none of client_allowed_sans");
            server.site.telemetry.dropped(Dropped::Handshake);
        }
        Ok(Err(error)) => {
            debug!(%error, "no TLS with a client");
            server.site.telemetry.dropped(Dropped::Handshake);
        }
        Err(_elapsed) => server.site.telemetry.dropped(Dropped::Handshake),
    }
}

/// Answers the requests of one connection, one after the other.
async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, server: &Arc<Server>, place: &Place) {
    let service = service_fn(|request| respond(request, Arc::clone(server), Arc::clone(&place.answering)));
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(server.limits.header)
            .max_buf_size(HEAD_BYTES)
            // Whoever has said all that they want to say may close that side and take the answer all the same.
            .half_close(true)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = place.cut.cancelled() => return,
        () = server.stop.cancelled() => {
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

/// Makes an answer for whoever may have one.
async fn respond(
    request: Request<Incoming>,
    server: Arc<Server>,
    answering: Arc<AtomicUsize>,
) -> Result<Response<Held>, Infallible> {
    let (parts, _unread) = request.into_parts();
    let route = Route::of(parts.uri.path());
    let timer = (route == Route::Metrics).then(|| server.site.telemetry.time_scrape());
    let mut held: Box<dyn Any + Send> = Box::new((Busy::new(answering), timer));
    let door = server.site.door().await;
    let mut response = if !door.admits(&parts.headers).await {
        forbidden()
    } else if route == Route::Reload {
        reload(&parts, server.site.reloads.as_ref()).await
    } else {
        made(parts, &server).await
    };
    if route == Route::Events && response.status() == StatusCode::OK {
        // Not busy: a page that follows makes room when all connections are in use, and comes back by itself.
        let follow = events::follow(server.site.view.clone(), server.stop.clone());
        (response, held) = (response.map(|_| follow), Box::new(()));
    }
    door.dress(response.headers_mut());
    server.site.telemetry.answered(route, response.status().as_u16());
    Ok(response.map(|content| Held {
        content,
        _until_sent: held,
    }))
}

/// Asks for the configuration to be read again, and waits for what comes of it.
async fn reload(request: &Parts, reloads: Option<&Reloads>) -> Response<Content> {
    if let Some(refusal) = refused(request, &[Method::POST]) {
        return refusal;
    }
    let Some(reloads) = reloads else {
        return reloaded(
            StatusCode::FORBIDDEN,
            "not allowed; start with --web.enable-lifecycle",
        );
    };
    let (tell, told) = oneshot::channel();
    let sent = reloads.send(tell).await;
    match (sent, told.await) {
        (Ok(()), Ok(Ok(what))) => reloaded(StatusCode::OK, &what),
        (Ok(()), Ok(Err(why))) => reloaded(StatusCode::INTERNAL_SERVER_ERROR, &why),
        _ => reloaded(StatusCode::SERVICE_UNAVAILABLE, "the program is stopping"),
    }
}

/// An answer, made on a thread where compressing a large page delays nobody else.
async fn made(parts: Parts, server: &Arc<Server>) -> Response<Content> {
    let server = Arc::clone(server);
    let making = tokio::task::spawn_blocking(move || {
        let view = Arc::clone(&server.site.view.borrow());
        answer(&parts, &view, &server.site.telemetry, observe::now())
    });
    making.await.unwrap_or_else(|_| {
        let mut failed = Response::new(Content::from("the answer could not be made\n"));
        *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        failed
    })
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
