//! The progress bar of a long read: nothing where nobody looks, nothing while it would only flash.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::stats::Backlog;

/// A read that is over before this shows no bar.
const APPEARS_AFTER: Duration = Duration::from_secs(1);

/// How far reading has come, drawn on standard error when that is a terminal. Removed from the screen when dropped.
#[derive(Debug)]
pub struct Progress {
    terminal: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// For standard error as it is.
    #[must_use]
    pub fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            bar: None,
        }
    }

    /// Shows how far reading has come; `elapsed` is the time since it began. Cheap enough for every pass.
    pub fn show(&mut self, backlog: &Backlog, elapsed: Duration) {
        if !self.terminal || elapsed < APPEARS_AFTER {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| bar(elapsed));
        bar.set_length(backlog.total_bytes);
        bar.set_position(backlog.read_bytes);
        bar.set_message(format!(
            "file {} of {}",
            (backlog.read_files + 1).min(backlog.total_files),
            backlog.total_files
        ));
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(elapsed: Duration) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_elapsed(elapsed);
    // A template that does not parse would leave indicatif's own, which shows bytes as plain numbers.
    let template = "{wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left, {msg}";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(terminal: bool, millis: u64, shown: bool) {
        let mut progress = Progress { terminal, bar: None };
        let backlog = Backlog {
            total_bytes: 100,
            read_bytes: 40,
            total_files: 3,
            read_files: 1,
        };
        progress.show(&backlog, Duration::from_millis(millis));
        assert_eq!(progress.bar.is_some(), shown);
        if let Some(bar) = &progress.bar {
            assert_eq!(
                (bar.position(), bar.length(), bar.message().as_str()),
                (40, Some(100), "file 2 of 3")
            );
        }
    }

    #[test]
    fn nothing_is_drawn_where_nobody_looks() {
        check(false, 5_000, false);
    }

    #[test]
    fn nothing_is_drawn_in_the_first_second() {
        check(true, 999, false);
    }

    #[test]
    fn a_long_read_shows_bytes_and_files() {
        check(true, 1_000, true);
    }
}
