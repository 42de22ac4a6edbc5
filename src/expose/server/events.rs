//! Server-sent events: tells pages that are open when to look again. They carry no content: a page fetches itself anew,
//! so that there is one way of showing things, and a page filtered to ten rows costs ten rows.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::super::View;
use super::super::answer::Content;

/// Views may be published twenty times a second; no eye needs more than this.
const GAP: Duration = Duration::from_secs(1);

/// How soon a browser that lost the stream asks again, milliseconds.
const HELLO: &[u8] = b"retry: 2000\n\n";
const CHANGED: &[u8] = b"event: view\ndata: changed\n\n";

/// An event each time that something was published since the last; ends with the server.
///
/// `view` must never have been marked as seen: the first event then comes at once, for what was published after the page
/// was made and before it began to follow.
pub(super) fn follow(mut view: watch::Receiver<Arc<View>>, stop: CancellationToken) -> Content {
    // A client that takes nothing holds up only its own next event.
    let (events, taken) = mpsc::channel(1);
    tokio::spawn(stop.run_until_cancelled_owned(async move {
        let mut event = HELLO;
        while events.send(Bytes::from_static(event)).await.is_ok() {
            tokio::time::sleep(GAP).await;
            if view.changed().await.is_err() {
                break;
            }
            event = CHANGED;
        }
    }));
    Content::Live(taken)
}
