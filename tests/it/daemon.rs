//! The real program, started, asked over HTTP and killed.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};

/// How long anything may take before it counts as hanging.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running `flinktail`; killed when dropped.
pub struct Daemon {
    child: Child,
    address: SocketAddr,
    said: Arc<Mutex<String>>,
}

/// One page of metrics: every series whose value is a whole number.
pub type Page = BTreeMap<String, u64>;

impl Daemon {
    /// Watches a directory on a free port, and waits until it listens.
    pub fn start(logs: &Path, state: &Path) -> Self {
        Self::spawn(Self::command(logs, state))
    }

    /// Starts the program with any arguments and environment.
    pub fn start_with(arguments: &[&str], environment: &[(&str, &Path)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flinktail"));
        command.args(arguments).envs(environment.iter().copied());
        command.args(["--web.listen-address", "127.0.0.1:0"]);
        Self::spawn(command)
    }

    /// How `flinktail watch` is started for a directory of logs and one of state.
    pub fn command(logs: &Path, state: &Path) -> Command {
        let mut command = Self::watch();
        command.arg(logs).arg("--state-dir").arg(state);
        command
    }

    /// `flinktail watch` on a free port, to be given more arguments.
    pub fn watch() -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flinktail"));
        command.arg("watch");
        command.args(["--web.listen-address", "127.0.0.1:0", "--timezone", "UTC"]);
        command
    }

    /// Starts a command and waits until it listens.
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let said = Arc::new(Mutex::new(String::new()));
        let address = loop {
            let mut line = String::new();
            let read = stderr.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "never listened: {}", said.lock().unwrap());
            said.lock().unwrap().push_str(&line);
            if let Some((_, rest)) = line.split_once("listening on http://") {
                let address = rest.split(' ').next().unwrap_or_default();
                break address
                    .parse()
                    .unwrap_or_else(|_| panic!("no address in {line:?}"));
            }
        };
        let hears = Arc::clone(&said);
        std::thread::spawn(move || {
            let mut line = String::new();
            while stderr.read_line(&mut line).is_ok_and(|read| read > 0) {
                hears.lock().unwrap().push_str(&std::mem::take(&mut line));
            }
        });
        Self { child, address, said }
    }

    /// What it has logged so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Waits until it has logged this.
    pub fn hear(&self, words: &str) {
        let began = Instant::now();
        while !self.said().contains(words) {
            assert!(
                began.elapsed() < PATIENCE,
                "never said {words:?}:\n{}",
                self.said()
            );
            std::thread::yield_now();
        }
    }

    /// Waits for its end.
    pub fn ended(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.id(), signal).unwrap();
    }

    /// The body of a page; none when it does not answer.
    pub fn get(&self, path: &str) -> Option<(u16, String)> {
        self.ask("GET", path)
    }

    /// Status and body of what is answered to a request; none when there is no answer.
    pub fn ask(&self, method: &str, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        .ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let answer = String::from_utf8(answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        Some((status, if chunked { joined(body)? } else { body.to_owned() }))
    }

    /// A scrape.
    pub fn scrape(&self) -> Page {
        let (status, text) = self.get("/metrics").expect("a running program answers");
        assert_eq!(status, 200);
        let series = text.lines().filter(|line| !line.starts_with('#'));
        let series = series.filter_map(|line| line.rsplit_once(' '));
        series
            .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
            .collect()
    }

    /// Scrapes until a page is as wanted, telling each page to `each`.
    pub fn scrape_until(&self, mut each: impl FnMut(&Page), wanted: impl Fn(&Page) -> bool) -> Page {
        let began = Instant::now();
        loop {
            let page = self.scrape();
            each(&page);
            if wanted(&page) {
                return page;
            }
            assert!(began.elapsed() < PATIENCE, "never as wanted:\n{}", summary(&page));
        }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub fn id(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; gives how long it took to end, well.
    pub fn stop(mut self) -> Duration {
        let began = Instant::now();
        self.signal(Signal::TERM);
        assert!(self.child.wait().unwrap().success());
        began.elapsed()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A chunked body, put together.
fn joined(mut body: &str) -> Option<String> {
    let mut whole = String::new();
    loop {
        let (length, rest) = body.split_once("\r\n")?;
        let length = usize::from_str_radix(length, 16).ok()?;
        if length == 0 {
            return Some(whole);
        }
        whole.push_str(rest.get(..length)?);
        body = rest.get(length + 2..)?;
    }
}

/// The counters of a page, for a message.
pub fn summary(page: &Page) -> String {
    let counters = page.iter().filter(|(series, value)| {
        **value != 0
            && (series.starts_with("flinktail_transitions") || series.starts_with("flinktail_source"))
    });
    let lines: Vec<String> = counters
        .map(|(series, value)| format!("  {series} {value}"))
        .collect();
    lines.join("\n")
}
