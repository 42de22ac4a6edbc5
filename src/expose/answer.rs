//! From a request to its answer: no sockets, no clock, so that every route is tested as a function.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::page::Which;
use super::query::Filter;
use super::scrape;
use super::view::View;
use super::{Telemetry, accept, api, page, vvp};

/// Where the jobs of the Ververica Platform are, in the platform's own shape.
const VVP_JOBS: &str = "/api/v1/vvp/jobs";

/// What can be asked for. No path is ever made from a request: these are all there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `/`, `/entity`, `/sources`, `/rules`: the pages for people.
    Page(Which),
    /// `/assets/…`: what they are made of, by its place among [`page::ASSETS`].
    Asset(usize),
    /// `/events`: tells pages that are open of what changed.
    Events,
    /// `/metrics`.
    Metrics,
    /// `/api/v1/entities`.
    Entities,
    /// `/api/v1/vvp/jobs` and `/api/v1/vvp/jobs/ID`.
    VvpJobs,
    /// `/-/healthy`: 200 while the process answers.
    Healthy,
    /// `/-/ready`: 200 once the backlog has been read.
    Ready,
    /// `/-/reload`: POST has the configuration read again.
    Reload,
    /// Anything else.
    Other,
}

impl Route {
    /// One route for each name.
    pub const ALL: [Self; 10] = [
        Self::Page(Which::Fleet),
        Self::Asset(0),
        Self::Events,
        Self::Metrics,
        Self::Entities,
        Self::VvpJobs,
        Self::Healthy,
        Self::Ready,
        Self::Reload,
        Self::Other,
    ];

    /// The route of a path.
    #[must_use]
    pub fn of(path: &str) -> Self {
        match path {
            "/" => Self::Page(Which::Fleet),
            "/entity" => Self::Page(Which::Entity),
            "/sources" => Self::Page(Which::Sources),
            "/rules" => Self::Page(Which::Rules),
            "/events" => Self::Events,
            "/metrics" => Self::Metrics,
            "/api/v1/entities" => Self::Entities,
            _ if path
                .strip_prefix(VVP_JOBS)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) =>
            {
                Self::VvpJobs
            }
            "/-/healthy" => Self::Healthy,
            "/-/ready" => Self::Ready,
            "/-/reload" => Self::Reload,
            _ => page::ASSETS
                .iter()
                .position(|(known, ..)| *known == path)
                .map_or(Self::Other, Self::Asset),
        }
    }

    /// The `handler` label of `flinktail_http_requests_total`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Page(_) => "page",
            Self::Asset(_) => "assets",
            Self::Events => "events",
            Self::Metrics => "metrics",
            Self::Entities => "entities",
            Self::VvpJobs => "vvp_jobs",
            Self::Healthy => "healthy",
            Self::Ready => "ready",
            Self::Reload => "reload",
            Self::Other => "other",
        }
    }
}

/// An answer's body: whole, or made piece by piece as the client takes it.
pub enum Content {
    /// All of it; none once it was handed over.
    Whole(Option<Bytes>),
    /// Made on demand, never empty pieces; how many bytes are still to come where that is known.
    Pieces(Box<dyn Iterator<Item = String> + Send>, Option<u64>),
    /// Sent as it comes, until nobody sends any more.
    Live(mpsc::Receiver<Bytes>),
}

impl Content {
    fn pieces(pieces: impl Iterator<Item = String> + Send + 'static, length: Option<u64>) -> Self {
        Self::Pieces(Box::new(pieces), length)
    }
}

impl<T: Into<Bytes>> From<T> for Content {
    fn from(whole: T) -> Self {
        Self::Whole(Some(whole.into()))
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole(_) => "Whole",
            Self::Pieces(..) => "Pieces",
            Self::Live(_) => "Live",
        })
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = match self.get_mut() {
            Self::Whole(whole) => whole.take(),
            Self::Pieces(pieces, length) => {
                let piece = next_frame(pieces);
                let sent = piece.as_ref().map_or(0, |piece| piece.len() as u64);
                *length = length.map(|length| length.saturating_sub(sent));
                piece.map(Bytes::from)
            }
            Self::Live(events) => ready!(events.poll_recv(cx)),
        };
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => SizeHint::with_exact(whole.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Pieces(_, Some(length)) => SizeHint::with_exact(*length),
            Self::Pieces(_, None) | Self::Live(_) => SizeHint::default(),
        }
    }
}

/// Joins small pieces, so that the connection is not handed one job at a time.
fn next_frame(pieces: &mut impl Iterator<Item = String>) -> Option<String> {
    let mut frame = pieces.next()?;
    while frame.len() < scrape::PIECE {
        let Some(piece) = pieces.next() else { break };
        frame.push_str(&piece);
    }
    Some(frame)
}

/// Answers a request from what was published; `now` is for the ages on the page.
#[must_use]
pub fn answer(request: &Parts, view: &Arc<View>, telemetry: &Telemetry, now: Timestamp) -> Response<Content> {
    let mut response = refused(request, &[Method::GET, Method::HEAD])
        .unwrap_or_else(|| route(request, view, telemetry, now));
    protect(&mut response);
    response
}

/// The refusal of a request that comes with a body, or with a method that is not for its path.
#[must_use]
pub fn refused(request: &Parts, methods: &[Method]) -> Option<Response<Content>> {
    let mut refusal = if has_body(&request.headers) {
        let mut refusal = text(
            StatusCode::PAYLOAD_TOO_LARGE,
            "flinktail takes no request bodies\n",
        );
        // What was sent of the body is never read.
        set(&mut refusal, header::CONNECTION, "close");
        refusal
    } else if methods.contains(&request.method) {
        return None;
    } else {
        let (words, allowed) = if methods.contains(&Method::GET) {
            ("flinktail can only be read\n", "GET, HEAD")
        } else {
            ("this has something done: POST it\n", "POST")
        };
        let mut refusal = text(StatusCode::METHOD_NOT_ALLOWED, words);
        set(&mut refusal, header::ALLOW, allowed);
        refusal
    };
    protect(&mut refusal);
    Some(refusal)
}

/// The answer to whoever does not say that they are a user.
#[must_use]
pub fn forbidden() -> Response<Content> {
    let mut refusal = text(StatusCode::UNAUTHORIZED, "a user and a password are needed\n");
    set(
        &mut refusal,
        header::WWW_AUTHENTICATE,
        "Basic realm=\"flinktail\", charset=\"UTF-8\"",
    );
    protect(&mut refusal);
    refusal
}

/// The answer to a wish to have the configuration read again.
#[must_use]
pub fn reloaded(status: StatusCode, what: &str) -> Response<Content> {
    let mut told = text(status, format!("{what}\n"));
    protect(&mut told);
    told
}

/// Headers that keep a browser from making more of an answer than it is.
fn protect(response: &mut Response<Content>) {
    set(response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(response, header::CACHE_CONTROL, "no-store");
    set(response, header::REFERRER_POLICY, "no-referrer");
    set(response, header::CONTENT_SECURITY_POLICY, page::POLICY);
}

fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING)
        || headers
            .get(header::CONTENT_LENGTH)
            .is_some_and(|length| length.as_bytes() != b"0")
}

fn route(request: &Parts, view: &Arc<View>, telemetry: &Telemetry, now: Timestamp) -> Response<Content> {
    match Route::of(request.uri.path()) {
        Route::Page(which) => {
            let (html, found) = page::html(which, view, request.uri.query().unwrap_or_default(), now);
            let mut response = whole("text/html; charset=utf-8", html);
            if !found {
                *response.status_mut() = StatusCode::NOT_FOUND;
            }
            response
        }
        Route::Asset(place) => {
            let (_, content_type, content) = page::ASSETS[place];
            whole(content_type, content)
        }
        // The server puts the events behind this head.
        Route::Events => whole("text/event-stream", ""),
        Route::Metrics => metrics(&request.headers, view, telemetry),
        Route::Entities => match Filter::parse(request.uri.query().unwrap_or_default()) {
            Ok(filter) => whole(
                "application/json",
                Content::pieces(api::entities(Arc::clone(view), filter), None),
            ),
            Err(problem) => text(StatusCode::BAD_REQUEST, problem + "\n"),
        },
        Route::VvpJobs => vvp_jobs(request.uri.path(), view),
        Route::Healthy => text(StatusCode::OK, "healthy\n"),
        Route::Ready => ready(view),
        // To be read it is nothing: the server answers those who post.
        Route::Reload | Route::Other => text(
            StatusCode::NOT_FOUND,
            "there is / and /metrics, /api/v1/entities, /api/v1/vvp/jobs, /-/healthy, /-/ready\n",
        ),
    }
}

fn vvp_jobs(path: &str, view: &View) -> Response<Content> {
    let id = path[VVP_JOBS.len()..].trim_start_matches('/');
    if id.is_empty() {
        return whole("application/json", vvp::list(view));
    }
    match vvp::job(view, id) {
        Some(job) => whole("application/json", job),
        None => text(
            StatusCode::NOT_FOUND,
            "no job of the Ververica Platform has this id\n",
        ),
    }
}

fn metrics(headers: &HeaderMap, view: &Arc<View>, telemetry: &Telemetry) -> Response<Content> {
    let format = accept::format(&list(headers, header::ACCEPT));
    let tail = telemetry.text(format) + format.end();
    let compressed = accept::gzip(&list(headers, header::ACCEPT_ENCODING))
        .then(|| scrape::gzip(view, format, &tail))
        .flatten();
    let mut response = if let Some(bytes) = compressed {
        let mut response = whole(format.content_type(), bytes);
        set(&mut response, header::CONTENT_ENCODING, "gzip");
        response
    } else {
        let (length, pieces) = scrape::page(view, format);
        let length = length + tail.len() as u64;
        let pieces = pieces.chain(std::iter::once(tail));
        whole(format.content_type(), Content::pieces(pieces, Some(length)))
    };
    set(&mut response, header::VARY, "Accept, Accept-Encoding");
    response
}

/// A header that may come in several lines, as one list.
fn list(headers: &HeaderMap, name: HeaderName) -> String {
    let values: Vec<&str> = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    values.join(",")
}

fn ready(view: &View) -> Response<Content> {
    let backlog = view.stats().backlog;
    if view.stats().ready {
        return text(StatusCode::OK, "ready\n");
    }
    let progress = format!(
        "reading what was there at the start: {} of {} files, {} of {} bytes\n",
        backlog.read_files, backlog.total_files, backlog.read_bytes, backlog.total_bytes
    );
    text(StatusCode::SERVICE_UNAVAILABLE, progress)
}

fn whole(content_type: &'static str, content: impl Into<Content>) -> Response<Content> {
    let mut response = Response::new(content.into());
    set(&mut response, header::CONTENT_TYPE, content_type);
    response
}

fn text(status: StatusCode, words: impl Into<Bytes>) -> Response<Content> {
    let mut response = whole("text/plain; charset=utf-8", words.into());
    *response.status_mut() = status;
    response
}

fn set(response: &mut Response<Content>, name: HeaderName, value: &'static str) {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests;
