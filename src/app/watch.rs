//! The daemon: HTTP first, then one thread that reads, decodes, derives and publishes ([`super::reader`]).

use std::io;
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::AppError;
use super::reader::{Reader, nothing_yet};
use super::reload::{Load, Plan, Reloader};
use crate::config::{self, Settings};
use crate::expose::web::{Door, Doors};
use crate::expose::{self, Limits, Reloads, Site, Telemetry};
use crate::observe;
use crate::pipeline::Wording;

/// Runs until a signal, or, with `once`, until everything that is there has been read. `load` reads the configuration:
/// now, and again whenever it is asked for.
pub fn watch(settings: Settings, wording: Wording, load: Load, once: bool) -> Result<(), AppError> {
    let serving = Serving::start().map_err(|error| AppError::System {
        what: "cannot start the runtime",
        error,
    })?;
    let runtime = &serving.runtime;
    let stop = CancellationToken::new();
    // First of all: a signal that comes while the store is read ends the program as well as a later one.
    let signals = {
        let _context = runtime.enter();
        signals(stop.clone())
    };
    runtime.spawn(signals);
    let doors = doors(&settings)?;
    let listeners = listen(&settings, if doors.is_tls() { "https" } else { "http" })?;
    let telemetry = Telemetry::new(observe::now());
    let telemetry =
        telemetry.map_err(|error| AppError::Usage(format!("the program's own metrics: {error}")))?;
    let telemetry = Arc::new(telemetry);
    let started = settings.clone();
    let (published, view) = watch::channel(Arc::new(nothing_yet(&settings)));
    let (plans, handed_over) = std::sync::mpsc::channel();
    let reader = Reader::new(
        Plan::new(settings, wording)?,
        published,
        handed_over,
        stop.clone(),
    )?;
    let reloader = Reloader {
        load: Arc::new(load),
        started: started.clone(),
        plans,
        waker: reader.waker(),
        telemetry: Arc::clone(&telemetry),
    };
    let (reloads, requests) = mpsc::channel(1);
    runtime.spawn(reloader.serve(requests));
    runtime.spawn(hangups(reloads.clone()));
    let site = Site {
        view,
        telemetry,
        doors,
        reloads: started.enable_lifecycle.then_some(reloads),
    };
    let limits = Limits {
        connections: started.limits.connections,
        ..Limits::default()
    };
    let served = runtime.spawn(expose::serve(listeners, site, limits, stop.clone()));
    // On this thread, which has read rules and store: what that took and gave back is of use to it, and to no other.
    let ended = catch_unwind(AssertUnwindSafe(|| reader.run(runtime, once)));
    stop.cancel();
    if let Ok(Err(error)) = runtime.block_on(served) {
        warn!(%error, "the HTTP server ended with an error");
    }
    serving.end();
    ended.map_err(|_| AppError::System {
        what: "reading ended early; this is a bug in flinktail, please report it",
        error: io::Error::other("panic"),
    })
}

/// A thread for all that waits for others: connections, signals, reloads. One is enough, since what takes long is done beside it.
struct Serving {
    runtime: Handle,
    end: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Serving {
    fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel();
        let thread = thread::Builder::new().name("serving".to_owned()).spawn(move || {
            let _ended = runtime.block_on(ended);
            // Whoever still waits for a pipe or a disk does not hold up the end.
            runtime.shutdown_timeout(Duration::from_secs(1));
        })?;
        Ok(Self {
            runtime: handle,
            end,
            thread,
        })
    }

    fn end(self) {
        drop(self.end);
        // Its end is what is waited for, however it came.
        let _ended = self.thread.join();
    }
}

/// Who may come in, as the web configuration file says.
fn doors(settings: &Settings) -> Result<Doors, AppError> {
    let Some(path) = settings.web_config_file.clone() else {
        return Ok(Doors::open());
    };
    let load = move || {
        let file = path.display();
        let settings = config::web_file::load(&path).map_err(|error| error.to_string())?;
        // What only the certificates themselves can tell.
        Door::new(&settings).map_err(|why| format!("{file}: tls_server_config: {why}"))?;
        Ok(settings)
    };
    Doors::from_file(Box::new(load)).map_err(AppError::Usage)
}

/// Binds before any file is read, so that a port that is taken is told at once and Prometheus is let in from the start.
fn listen(settings: &Settings, scheme: &str) -> Result<Vec<TcpListener>, AppError> {
    let bind = |address: &std::net::SocketAddr| {
        let listener = TcpListener::bind(address).map_err(|error| AppError::Listen {
            address: *address,
            error,
        })?;
        let bound = listener.local_addr().unwrap_or(*address);
        info!("listening on {scheme}://{bound} (page at /, metrics at /metrics)");
        if !address.ip().is_loopback() {
            warn!(
                "{bound} can be reached from other machines; everybody there can read the names and states of all jobs"
            );
        }
        Ok(listener)
    };
    settings.listen_addresses.iter().map(bind).collect()
}

/// Asks for the signals at once, and waits for them when it is run.
fn signals(stop: CancellationToken) -> impl Future<Output = ()> + Send + 'static {
    let asked = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    async move {
        let (Ok(mut terminate), Ok(mut interrupt)) = asked else {
            warn!("signals cannot be received; stop the program with SIGKILL");
            return;
        };
        tokio::select! {
            _ = terminate.recv() => info!("SIGTERM: stopping"),
            _ = interrupt.recv() => info!("SIGINT: stopping"),
        }
        stop.cancel();
        // A second one means that the first was not quick enough.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(i32::from(crate::cli::FAILED));
    }
}

/// Has the configuration read again at each SIGHUP.
async fn hangups(reloads: Reloads) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else {
        warn!("SIGHUP cannot be received; restart the program to have its configuration read again");
        return;
    };
    while hangup.recv().await.is_some() {
        info!("SIGHUP: reading the configuration again");
        let (tell, told) = oneshot::channel();
        if reloads.send(tell).await.is_err() {
            return;
        }
        // The next one is read after this one: what comes of it was logged where it was done.
        let _done = told.await;
    }
}
