//! The real program, started, asked over HTTP and killed.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

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
    /// Starts `flinktail watch` on a free port and waits until it listens.
    pub fn start(logs: &Path, state: &Path) -> Self {
        Self::spawn(Self::command(logs, state))
    }

    /// The same with any arguments and environment.
    pub fn start_with(arguments: &[&str], environment: &[(&str, &Path)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flinktail"));
        command
            .args(arguments)
            .args(["--web.listen-address", "127.0.0.1:0"])
            .envs(environment.iter().copied());
        Self::spawn(command)
    }

    /// How `flinktail watch` is started.
    pub fn command(logs: &Path, state: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flinktail"));
        command.arg("watch").arg(logs).arg("--state-dir").arg(state);
        command.args(["--web.listen-address", "127.0.0.1:0", "--timezone", "UTC"]);
        command
    }

    /// Runs a command that starts it, and waits until it listens.
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("http://") {
            line.clear();
            assert_ne!(
                stderr.read_line(&mut line).unwrap(),
                0,
                "it ended before it listened"
            );
        }
        let address = line
            .split("http://")
            .nth(1)
            .and_then(|rest| rest.split(' ').next());
        let address = address
            .unwrap_or_else(|| panic!("no address in {line:?}"))
            .parse()
            .unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let hearing = Arc::clone(&said);
        // It must not wait for a reader.
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                hearing.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        Self { child, address, said }
    }

    /// Waits until it has written these words to its log; gives all that it wrote since it listens.
    pub fn said(&self, words: &str) -> String {
        let began = Instant::now();
        loop {
            let said = self.said.lock().unwrap().clone();
            if said.contains(words) {
                return said;
            }
            assert!(began.elapsed() < PATIENCE, "never said {words:?}:\n{said}");
            std::thread::yield_now();
        }
    }

    /// Sends a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.id(), signal).unwrap();
    }

    /// Waits for its end.
    pub fn ended(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// The body of a page; none when it does not answer.
    pub fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
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
        rustix::process::kill_process(self.id(), rustix::process::Signal::TERM).unwrap();
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
