//! What the service manager is told (`sd_notify(3)`): ready, what is being done, that reading goes on, the end.
//!
//! Without `NOTIFY_SOCKET` nobody wants to know, and nothing is sent.

use std::ffi::{OsStr, OsString};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::{Duration, Instant};

use tracing::warn;

/// How much longer the manager is asked to wait for a start that reads a long backlog; asked for again and again.
const MORE_TIME: Duration = Duration::from_secs(60);

/// How often it is told how far that has come.
const TELL: Duration = Duration::from_secs(5);

/// The service manager, if there is one.
pub(super) struct Manager {
    socket: Option<(UnixDatagram, SocketAddr)>,
    /// How often it wants to hear that reading goes on.
    watchdog: Option<Duration>,
    last_turn: Option<Instant>,
    last_told: Option<Instant>,
}

impl Manager {
    /// As the environment says.
    pub(super) fn from_env() -> Self {
        let own = std::process::id().to_string();
        let is_mine = std::env::var("WATCHDOG_PID").map_or(true, |pid| pid == own);
        let micros = std::env::var("WATCHDOG_USEC")
            .ok()
            .and_then(|text| text.parse().ok());
        Self::new(
            std::env::var_os("NOTIFY_SOCKET"),
            micros.filter(|_| is_mine).map(Duration::from_micros),
        )
    }

    fn new(address: Option<OsString>, watchdog: Option<Duration>) -> Self {
        let socket = address.filter(|address| !address.is_empty()).and_then(|address| {
            let connected = UnixDatagram::unbound().and_then(|socket| {
                // A manager that does not take its messages must not hold up the reading of logs.
                socket.set_nonblocking(true)?;
                Ok((socket, resolve(&address)?))
            });
            connected
                .inspect_err(
                    |error| warn!(%error, "NOTIFY_SOCKET cannot be used; the service manager is not told"),
                )
                .ok()
        });
        Self {
            // Twice as often as asked for, as `sd_watchdog_enabled(3)` advises.
            watchdog: watchdog.map(|every| every / 2),
            socket,
            last_turn: None,
            last_told: None,
        }
    }

    /// How long the reading thread may sleep at most.
    pub(super) fn longest_wait(&self) -> Duration {
        self.watchdog.unwrap_or(Duration::MAX)
    }

    /// The reading thread has gone round once more.
    pub(super) fn turned(&mut self) {
        let Some(every) = self.watchdog else { return };
        let now = Instant::now();
        if self.last_turn.is_none_or(|last| now - last >= every / 2) {
            self.last_turn = Some(now);
            self.send("WATCHDOG=1");
        }
    }

    /// How far a start has come that takes long.
    pub(super) fn catching_up(&mut self, read: u64, total: u64) {
        let now = Instant::now();
        if self.last_told.is_none_or(|last| now - last >= TELL) {
            self.last_told = Some(now);
            let more = MORE_TIME.as_micros();
            self.send(&format!(
                "STATUS=catching up: {read} of {total} bytes read\nEXTEND_TIMEOUT_USEC={more}"
            ));
        }
    }

    /// Everything that was there has been read.
    pub(super) fn ready(&self, jobs: usize) {
        self.send(&format!(
            "READY=1\nSTATUS=following; {jobs} jobs known at the start"
        ));
    }

    /// The end has begun.
    pub(super) fn stopping(&self) {
        self.send("STOPPING=1\nSTATUS=stopping");
    }

    fn send(&self, message: &str) {
        if let Some((socket, address)) = &self.socket {
            // One that is lost is followed by others.
            let _lost = socket.send_to_addr(message.as_bytes(), address);
        }
    }
}

/// A path, or `@` and a name of the abstract namespace.
fn resolve(address: &OsStr) -> std::io::Result<SocketAddr> {
    match address.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn the_manager_hears_of_readiness_of_each_turn_and_of_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let mut told = Manager::new(Some(path.into()), Some(Duration::from_secs(30)));
        assert_eq!(told.longest_wait(), Duration::from_secs(15));
        told.turned();
        told.turned();
        told.catching_up(1, 2);
        told.ready(3);
        told.stopping();
        assert_eq!(heard(&manager), "WATCHDOG=1");
        assert_eq!(
            heard(&manager),
            "STATUS=catching up: 1 of 2 bytes read\nEXTEND_TIMEOUT_USEC=60000000"
        );
        assert!(heard(&manager).starts_with("READY=1\n"));
        assert!(heard(&manager).starts_with("STOPPING=1\n"));
    }

    #[test]
    fn an_abstract_name_will_do_and_without_a_manager_nothing_is_sent() {
        let name = format!("flinktail-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        Manager::new(Some(format!("@{name}").into()), None).ready(0);
        assert!(heard(&manager).starts_with("READY=1"));
        for nobody in [None, Some(OsString::new()), Some("/nowhere/notify".into())] {
            let mut told = Manager::new(nobody, None);
            told.turned();
            told.ready(0);
            assert_eq!(told.longest_wait(), Duration::MAX);
        }
    }
}
