//! What comes from outside and is no log: HTTP, the configuration, the store's file.

use std::convert::Infallible;
use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use flinktail::config;
use flinktail::expose::answer::answer;
use flinktail::expose::{Settings, Telemetry, View, ViewBuilder};
use flinktail::model::Fleet;
use flinktail::pipeline::ChosenLayout;
use flinktail::stats::ProgramStats;
use flinktail::store::{Store, StoreError, stories};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{choice, log};

/// What a client sends on one connection: each request has an answer, and none of them is beyond what is served.
pub fn http(data: &[u8]) {
    static SITE: LazyLock<(Arc<View>, Telemetry)> = LazyLock::new(|| {
        let fleet = log::fleet(&log::told(
            super::seeds::HOSTILE_NAMES.as_bytes(),
            &[usize::MAX],
            false,
        ));
        let mut views = ViewBuilder::new(Settings::default());
        fleet.shared_jobs().for_each(|job| views.put(job));
        let view = views.view(fleet.counters().clone(), ProgramStats::default(), log::now());
        (Arc::new(view), Telemetry::new(log::now()).unwrap())
    });
    let (view, telemetry) = &*SITE;
    let service = service_fn(|request: Request<Incoming>| async {
        let (parts, _unread) = request.into_parts();
        Ok::<_, Infallible>(answer(&parts, view, telemetry, log::now()))
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let answers = runtime.block_on(async {
        let (mut client, server) = tokio::io::duplex(1 << 20);
        client.write_all(data).await.unwrap();
        client.shutdown().await.unwrap();
        // Clients that talk nonsense: theirs to mend.
        let _ended = http1::Builder::new()
            .max_buf_size(16 << 10)
            .serve_connection(TokioIo::new(server), service)
            .await;
        let mut answers = Vec::new();
        client.read_to_end(&mut answers).await.unwrap();
        answers
    });
    assert!(
        answers.is_empty() || answers.starts_with(b"HTTP/1."),
        "{answers:?}"
    );
}

/// A configuration file: its problems have a place in it, or it says the same after it was printed.
pub fn configuration(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let layouts =
        |layout: &str, _: Option<&Path>| ChosenLayout::new(&super::wording().layouts, layout).map(|_| ());
    match config::parse("f.toml", &text, &layouts) {
        Ok(settings) => {
            let printed = config::document(&settings);
            let again = config::parse("printed.toml", &printed, &layouts);
            assert_eq!(again.as_ref(), Ok(&settings), "{printed}");
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            let lines = text.lines().count() + 1;
            for problem in problems {
                assert!((1..=lines).contains(&problem.line), "{problem} of {lines} lines");
            }
        }
    }
}

/// What the store keeps in cells of its own.
const CELLS: [&str; 14] = [
    "job SET row",
    "job SET id",
    "job SET entries",
    "log SET row",
    "log SET carry",
    "log SET id",
    "log_process SET row",
    "state_entry SET to_state",
    "state_entry SET at",
    "state_entry SET number",
    "file_position SET anchor",
    "file_position SET byte_offset",
    "counter SET value",
    "counter SET name",
];

/// A store that somebody or something else wrote to, each line of the input in one cell or place of the file: it is read
/// or it is set aside, and what is read can be written.
pub fn store(data: &[u8]) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("flinktail.db");
    fs::write(&path, include_bytes!("../../tests/store/v1.db")).unwrap();
    for edit in data.split(|byte| *byte == b'\n').take(8) {
        let (cell, value) = choice(edit);
        match CELLS.get(cell % 16) {
            Some(cell) => set(&path, cell, value),
            None => overwrite(&path, value),
        }
    }
    match Store::open(dir.path()) {
        Ok((mut store, saved, _)) => {
            for kept in &saved.progress.logs {
                let mut decoder = log::decoder();
                decoder.remember(kept.memory.clone());
                decoder.push(
                    super::seeds::HOSTILE_NAMES.as_bytes(),
                    None,
                    log::at(0),
                    &mut |_| {},
                );
            }
            let mut fleet = Fleet::restore(4, saved.left);
            store.commit(&mut fleet, &saved.progress, log::now()).unwrap();
            drop(store);
            stories(dir.path(), None).unwrap();
        }
        Err(StoreError::Newer { .. }) => {}
        Err(error) => panic!("neither read nor set aside: {error}"),
    }
}

fn set(path: &Path, cell: &str, value: &[u8]) {
    let database = rusqlite::Connection::open(path).unwrap();
    // SQLite may refuse it: a second row of one key, say.
    let _refused = match str::from_utf8(value) {
        Ok(text) => database.execute(&format!("UPDATE {cell} = ?"), [text]),
        Err(_) => database.execute(&format!("UPDATE {cell} = ?"), [value]),
    };
}

/// Overwrites bytes of the file: two for the place, the rest for what is there then.
fn overwrite(path: &Path, input: &[u8]) {
    let Some((place, bytes)) = input.split_first_chunk() else {
        return;
    };
    let mut file = fs::read(path).unwrap();
    let place = usize::from(u16::from_be_bytes(*place)) % file.len();
    let end = file.len().min(place + bytes.len());
    file[place..end].copy_from_slice(&bytes[..end - place]);
    fs::write(path, file).unwrap();
}
