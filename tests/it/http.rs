//! What hostile and slow clients do to the real program: nothing that a scrape or the reading of logs would notice.
//! T63 and T64.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::crash::entered;
use crate::crash::writer::Writer;
use crate::daemon::{Daemon, PATIENCE, Page};
use crate::random::Random;

/// A connection on which something hostile was said; what becomes of it is the server's business.
fn say(daemon: &Daemon, words: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(daemon.address()).unwrap();
    stream
        .set_write_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    // The server may hang up before all was said.
    let _cut = stream.write_all(words);
    stream
}

/// What hostile clients say, by a name for it. Each is a client of its own and stays connected.
fn hostilities() -> Vec<(&'static str, Vec<u8>)> {
    let mut random = Random(7);
    let mut noise = |length: usize| {
        (0..length)
            .map(|_| random.below(256).try_into().unwrap())
            .collect::<Vec<u8>>()
    };
    let mut said = vec![
        (
            "one header of 1 MB",
            format!("GET / HTTP/1.1\r\nx: {}", "x".repeat(1 << 20)).into_bytes(),
        ),
        (
            "100,000 headers",
            format!("GET / HTTP/1.1\r\n{}", "a: b\r\n".repeat(100_000)).into_bytes(),
        ),
        (
            "a path of 1 MB",
            format!("GET /{} HTTP/1.1\r\n", "a/".repeat(1 << 19)).into_bytes(),
        ),
        (
            "10,000 requests at once",
            "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n"
                .repeat(10_000)
                .into_bytes(),
        ),
        (
            "both lengths",
            b"POST / HTTP/1.1\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_vec(),
        ),
        (
            "a body",
            b"GET / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nffffffff\r\n".to_vec(),
        ),
        ("HTTP/0.9", b"GET /metrics\r\n".to_vec()),
        ("TLS", vec![22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]),
        ("nothing", Vec::new()),
    ];
    said.extend((0..30).map(|length| ("noise", noise(length * 977))));
    said
}

/// Does something while a client holds on that has said half of a request: what waited for such clients would come only
/// once this one was cut. On a slow machine the server may cut it first, after its time for a header: then once more.
fn beside_a_slow_client<T>(daemon: &Daemon, beside: &str, mut act: impl FnMut() -> T) -> T {
    let began = Instant::now();
    loop {
        let slow = say(daemon, HALF);
        let done = act();
        if holds_on(&slow) {
            return done;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "clients are waited for beside {beside}"
        );
    }
}

/// The beginning of a request.
const HALF: &[u8] = b"GET /metrics HTTP/1.1\r\nx: ";

/// Whether the server neither answered a client nor cut it.
fn holds_on(client: &TcpStream) -> bool {
    client.set_nonblocking(true).unwrap();
    let peeked = client.peek(&mut [0]);
    peeked.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

/// Scrapes, without waiting for anybody.
fn scrape(daemon: &Daemon, beside: &str) -> Page {
    beside_a_slow_client(daemon, beside, || daemon.scrape())
}

/// Writes a transition and waits until it is shown, which waits for nobody.
fn transition(daemon: &Daemon, writer: &mut Writer, beside: &str) {
    beside_a_slow_client(daemon, beside, || {
        let before = writer.truth.restarting;
        while writer.truth.restarting == before {
            writer.append();
        }
        writer.finish();
        let shown = |page: &Page| page[&entered("RESTARTING")] == writer.truth.restarting;
        daemon.scrape_until(|_| {}, shown)
    });
}

fn started(dir: &Path) -> (Daemon, Writer) {
    let logs = dir.join("logs");
    let mut writer = Writer::new(&logs, 1);
    writer.append();
    writer.finish();
    (Daemon::start(&logs, &dir.join("state")), writer)
}

#[test]
fn t63_beside_hostile_clients_scrapes_are_answered_lines_are_read_and_memory_is_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let (daemon, mut writer) = started(dir.path());
    let before = scrape(&daemon, "nobody")["process_resident_memory_bytes"];
    // Slow ones first: each says a little of its request, and no more.
    let mut crowd: Vec<TcpStream> = (0..200).map(|_| say(&daemon, HALF)).collect();
    let page = scrape(&daemon, "200 slow clients");
    assert!(page["flinktail_http_connections_dropped_total{reason=\"displaced\"}"] > 0);
    for (what, words) in hostilities() {
        crowd.push(say(&daemon, &words));
        scrape(&daemon, what);
        transition(&daemon, &mut writer, what);
    }
    let after = scrape(&daemon, "all of them")["process_resident_memory_bytes"];
    assert!(after < before + (32 << 20), "from {before} to {after} bytes");
    drop(crowd);
    daemon.stop();
}

#[test]
fn t64_clients_that_take_their_answers_slowly_delay_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let (daemon, mut writer) = started(dir.path());
    let slow: Vec<TcpStream> = (0..50)
        .map(|_| {
            let mut stream = say(&daemon, b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n");
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.read_exact(&mut [0]).unwrap();
            stream
        })
        .collect();
    scrape(&daemon, "50 slow scrapes");
    transition(&daemon, &mut writer, "50 slow scrapes");
    drop(slow);
}

#[test]
fn t63_paths_and_methods_that_are_not_there_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (daemon, _) = started(dir.path());
    for (request, expected) in [
        ("GET //..//etc/passwd HTTP/1.1", "HTTP/1.1 404"),
        ("GET /%2e%2e/metrics HTTP/1.1", "HTTP/1.1 404"),
        ("DELETE /metrics HTTP/1.1", "HTTP/1.1 405"),
        ("CONNECT example:80 HTTP/1.1", "HTTP/1.1 405"),
        ("GET /metrics", "HTTP/1.1 400"),
        ("GET / HTTP/1.1\r\ncontent-length: 9", "HTTP/1.1 413"),
    ] {
        let mut stream = say(
            &daemon,
            format!("{request}\r\nconnection: close\r\n\r\n").as_bytes(),
        );
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with(expected), "{request}: {answer}");
    }
}
