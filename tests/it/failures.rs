//! What fails of paths that are no logs is counted on over a restart, like every number of a source.

use std::fs;

use rustix::process::Signal;

use crate::crash::NeverFalls;
use crate::daemon::{Daemon, Page};

#[test]
fn failures_of_a_directory_that_cannot_be_listed_are_counted_on_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (closed, state) = (dir.path().join("closed"), dir.path().join("state"));
    fs::write(&closed, "a file where a directory should be").unwrap();
    let start = || {
        let mut command = Daemon::watch();
        command.arg(closed.join("x.log")).arg("--state-dir").arg(&state);
        Daemon::spawn(command)
    };
    let series = format!(
        "flinktail_source_errors_total{{source=\"{}\",cluster=\"\",op=\"list\"}}",
        closed.display()
    );
    let failed = |page: &Page| page.get(&series).copied().unwrap_or(0);
    let mut falls = NeverFalls::default();
    for run in 1..=3 {
        let daemon = start();
        daemon.scrape_until(|page| falls.check(page), |page| failed(page) >= run);
        daemon.signal(Signal::KILL);
    }
}
