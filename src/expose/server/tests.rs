//! The server on real sockets.

mod tls;

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::expose::{Settings, ViewBuilder};
use crate::model::Counters;
use crate::model::test_jobs::job;
use crate::stats::ProgramStats;

/// Runs a test beside a server of `jobs` jobs that everybody may ask.
fn beside_server<F: Future<Output = ()>>(limits: Limits, jobs: u32, test: impl FnOnce(SocketAddr) -> F) {
    beside(Doors::open(), limits, jobs, |address, _| test(address));
}

/// The same for a test that chooses who may come in, and may publish.
fn beside<F: Future<Output = ()>>(
    doors: Doors,
    limits: Limits,
    jobs: u32,
    test: impl FnOnce(SocketAddr, watch::Sender<Arc<View>>) -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut builder = ViewBuilder::new(Settings::default());
    for number in 0..jobs {
        let mut job = job("orders");
        job.id.0[..4].copy_from_slice(&number.to_be_bytes());
        builder.put(&Arc::new(job));
    }
    let view = builder.view(Counters::default(), ProgramStats::default(), observe::now());
    let (publish, view) = watch::channel(Arc::new(view));
    let site = Site {
        view,
        telemetry: Arc::new(Telemetry::new(observe::now()).unwrap()),
        doors,
        reloads: None,
    };
    runtime.block_on(async {
        let stop = CancellationToken::new();
        let server = tokio::spawn(serve(vec![listener], site, limits, stop.clone()));
        test(address, publish.clone()).await;
        stop.cancel();
        server.await.unwrap().unwrap();
        drop(publish);
    });
}

async fn send(stream: &mut TcpStream, request: &str) {
    stream.write_all(request.as_bytes()).await.unwrap();
}

/// Reads until `end` was read.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        assert_ne!(
            stream.read_buf(&mut read).await.unwrap(),
            0,
            "{}",
            String::from_utf8_lossy(&read)
        );
    }
    String::from_utf8(read).unwrap()
}

const SCRAPE: &str = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n";

/// Reads an answer that says how long it is.
async fn read_page(stream: &mut TcpStream) -> String {
    let mut page = Vec::new();
    while !is_whole(&page) {
        let read = stream.read_buf(&mut page).await.unwrap();
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&page));
    }
    String::from_utf8(page).unwrap()
}

/// Whether head and body are there, and nothing else.
fn is_whole(answer: &[u8]) -> bool {
    let Some(head) = memchr::memmem::find(answer, b"\r\n\r\n") else {
        return false;
    };
    let text = str::from_utf8(&answer[..head]).unwrap();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    answer.len() == head + 4 + length.unwrap().parse::<usize>().unwrap()
}

#[test]
fn scrapes_follow_each_other_on_one_connection_and_are_counted() {
    beside_server(Limits::default(), 3, async |address| {
        let mut client = TcpStream::connect(address).await.unwrap();
        for round in 0..3 {
            send(&mut client, SCRAPE).await;
            let page = read_page(&mut client).await;
            assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
            let counted =
                format!("flinktail_http_requests_total{{handler=\"metrics\",code=\"200\"}} {round}\n");
            assert!(page.contains(&counted), "{page}");
        }
    });
}

#[test]
fn a_client_that_takes_nothing_delays_neither_another_nor_the_stop() {
    let limits = Limits {
        stop: Duration::from_millis(50),
        ..Limits::default()
    };
    let mut still_open = None;
    // More than the buffers of a loopback connection hold.
    beside_server(limits, 5_000, async |address| {
        let mut slow = TcpStream::connect(address).await.unwrap();
        send(&mut slow, SCRAPE).await;
        let mut fast = TcpStream::connect(address).await.unwrap();
        send(&mut fast, SCRAPE).await;
        assert!(read_page(&mut fast).await.len() > 10_000_000);
        still_open = Some(slow);
    });
    assert!(still_open.is_some());
}

#[test]
fn a_crowd_of_clients_that_never_finish_asking_does_not_keep_a_scrape_out() {
    let limits = Limits {
        connections: 4,
        ..Limits::default()
    };
    beside_server(limits, 1, async |address| {
        let mut crowd = Vec::new();
        for _ in 0..20 {
            let mut client = TcpStream::connect(address).await.unwrap();
            send(&mut client, "GET /metrics HTTP/1.1\r\nx: ").await;
            crowd.push(client);
        }
        let mut client = TcpStream::connect(address).await.unwrap();
        send(&mut client, SCRAPE).await;
        assert!(read_page(&mut client).await.contains("flink_job_state"));
    });
}

#[test]
fn heads_that_are_too_long_or_too_slow_or_ambiguous_are_refused() {
    let limits = Limits {
        header: Duration::from_millis(100),
        ..Limits::default()
    };
    beside_server(limits, 1, async |address| {
        let long = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(1_000_000));
        let both =
            "POST /metrics HTTP/1.1\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
        for (request, expected) in [
            (long.as_str(), "HTTP/1.1 431"),
            (both, "HTTP/1.1 4"),
            ("GET /metrics\r\n\r\n", "HTTP/1.1 400"),
            ("GET / HTTP/1.1\r\nx: slow", ""),
        ] {
            let mut client = TcpStream::connect(address).await.unwrap();
            // The server may refuse before everything was sent.
            client.write_all(request.as_bytes()).await.ok();
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.ok();
            let answer = String::from_utf8_lossy(&answer).into_owned();
            assert!(
                answer.starts_with(expected) && (expected.is_empty() == answer.is_empty()),
                "{request:.40}: {answer}"
            );
        }
    });
}

#[test]
fn reload_is_for_those_who_post_where_it_is_allowed() {
    beside_server(Limits::default(), 1, async |address| {
        for (request, expected) in [
            ("POST /-/reload HTTP/1.1\r\nhost: x\r\n", "HTTP/1.1 403"),
            ("GET /-/reload HTTP/1.1\r\nhost: x\r\n", "HTTP/1.1 405"),
            (
                "POST /-/reload HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n",
                "HTTP/1.1 413",
            ),
            ("DELETE /metrics HTTP/1.1\r\nhost: x\r\n", "HTTP/1.1 405"),
        ] {
            let mut client = TcpStream::connect(address).await.unwrap();
            send(&mut client, &format!("{request}connection: close\r\n\r\n")).await;
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with(expected), "{request}: {answer}");
        }
    });
}

#[test]
fn t63_ten_thousand_requests_at_once_on_one_connection_are_answered_one_after_the_other() {
    beside_server(Limits::default(), 1, async |address| {
        let mut client = TcpStream::connect(address).await.unwrap();
        let (mut taking, mut giving) = client.split();
        let request = "GET /-/healthy HTTP/1.1\r\nhost: x\r\n\r\n";
        let many = request.repeat(9_999) + &request.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
        let mut answers = Vec::new();
        let (sent, taken) = tokio::join!(
            giving.write_all(many.as_bytes()),
            taking.read_to_end(&mut answers)
        );
        assert!(sent.is_ok() && taken.is_ok());
        let answers = String::from_utf8(answers).unwrap();
        assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 10_000);
    });
}

#[test]
fn t63_who_has_said_all_and_closes_that_side_is_answered() {
    beside_server(Limits::default(), 1, async |address| {
        let mut client = TcpStream::connect(address).await.unwrap();
        send(&mut client, SCRAPE).await;
        client.shutdown().await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(is_whole(answer.as_bytes()), "{answer}");
    });
}

const FOLLOW: &str = "GET /events HTTP/1.1\r\nhost: x\r\n\r\n";

/// A page that is open, past the head of its stream of events.
async fn open_page(address: SocketAddr) -> TcpStream {
    let mut page = TcpStream::connect(address).await.unwrap();
    send(&mut page, FOLLOW).await;
    let head = read_until(&mut page, "retry: 2000\n\n\r\n").await;
    assert!(head.contains("content-type: text/event-stream\r\n"), "{head}");
    page
}

#[test]
fn an_open_page_is_told_of_what_is_published_and_does_not_delay_the_stop() {
    let mut still_open = None;
    beside(Doors::open(), Limits::default(), 1, async |address, publish| {
        let mut page = open_page(address).await;
        for _ in 0..2 {
            publish.send_modify(|_| {});
            read_until(&mut page, "event: view\ndata: changed\n\n\r\n").await;
        }
        still_open = Some(page);
    });
    assert!(still_open.is_some());
}

#[test]
fn open_pages_make_room_for_a_scrape() {
    let limits = Limits {
        connections: 3,
        ..Limits::default()
    };
    beside_server(limits, 1, async |address| {
        let mut pages = Vec::new();
        for _ in 0..3 {
            pages.push(open_page(address).await);
        }
        let mut client = TcpStream::connect(address).await.unwrap();
        send(&mut client, SCRAPE).await;
        read_page(&mut client).await;
        assert_eq!(
            pages[0].read(&mut [0; 64]).await.unwrap(),
            0,
            "the oldest page gave way"
        );
    });
}
