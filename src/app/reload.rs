//! The configuration while running: read again when asked (SIGHUP, `POST /-/reload`), and applied between two passes.
//!
//! Everything that can fail happens before the reading thread hears of it. A configuration with mistakes is told of in
//! the log and in a metric, and changes nothing.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tracing::{error, info, warn};

use super::{AppError, SourceSettings, sources};
use crate::config::Settings;
use crate::expose::Telemetry;
use crate::observe;
use crate::pipeline::Wording;
use crate::tail;
use crate::tail::wake::Waker;

/// Reads the configuration: flags, file and rules; or says all that is wrong with it.
pub type Load = Box<dyn Fn() -> Result<(Settings, Wording), String> + Send + Sync>;

/// A configuration made ready to be applied: nothing about it can fail any more.
pub(super) struct Plan {
    pub(super) settings: Settings,
    pub(super) wording: Arc<Wording>,
    /// The sources as the tailer takes them.
    pub(super) sources: Vec<tail::Source>,
    /// How the logs of each are decoded.
    pub(super) beside: Vec<SourceSettings>,
}

impl Plan {
    pub(super) fn new(mut settings: Settings, wording: Wording) -> Result<Self, AppError> {
        let paths = settings.sources.iter_mut().flat_map(|source| &mut source.paths);
        paths.filter(|path| *path != "-").for_each(make_absolute);
        let (sources, beside) = sources(&settings, &wording)?;
        Ok(Self {
            settings,
            wording: Arc::new(wording),
            sources,
            beside,
        })
    }
}

/// What is known of a log is kept under its path: the same from wherever the program is started. Links stay as they are,
/// since what they lead to may change.
fn make_absolute(path: &mut String) {
    let Ok(absolute) = std::path::absolute(&*path) else {
        return;
    };
    let Some(absolute) = absolute.to_str() else { return };
    // Below a directory whose own name would be read as a pattern it stays as it was written.
    let patterns = |text: &str| text.matches(['*', '?', '[', '{']).count();
    if patterns(absolute) == patterns(path) {
        absolute.clone_into(path);
    }
}

/// A plan on its way to the reading thread, and whom to tell that it was taken.
pub(super) type Handover = (Plan, oneshot::Sender<Taken>);

/// What the reading thread did with a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It holds.
    Applied,
    /// It will hold once what was there at the start has been read.
    Deferred,
}

/// Reads the configuration again for whoever asks, until nobody is left who could.
pub(super) struct Reloader {
    pub(super) load: Arc<Load>,
    /// As the program was started: what is not applied while running stays so.
    pub(super) started: Settings,
    pub(super) plans: std::sync::mpsc::Sender<Handover>,
    pub(super) waker: Waker,
    pub(super) telemetry: Arc<Telemetry>,
}

impl Reloader {
    pub(super) async fn serve(self, mut requests: mpsc::Receiver<oneshot::Sender<Result<String, String>>>) {
        while let Some(tell) = requests.recv().await {
            let told = self.reload().await;
            match &told {
                Ok(what) => info!("{what}"),
                Err(why) => {
                    why.lines().for_each(|problem| error!("{problem}"));
                    error!("the configuration was not taken; that of before stays in force");
                }
            }
            // Who asked may have hung up.
            let _unheard = tell.send(told);
        }
    }

    async fn reload(&self) -> Result<String, String> {
        let load = Arc::clone(&self.load);
        let read = tokio::task::spawn_blocking(move || {
            let (settings, wording) = load()?;
            Plan::new(settings, wording).map_err(|error| error.to_string())
        });
        let read = read.await.unwrap_or_else(|error| Err(error.to_string()));
        let plan = read.inspect_err(|_| self.telemetry.config_refused())?;
        self.telemetry.config_accepted(observe::now());
        for what in needs_restart(&self.started, &plan.settings) {
            warn!("{what} is not changed while running: restart flinktail for it");
        }
        let (tell, told) = oneshot::channel();
        let sent = self.plans.send((plan, tell));
        self.waker.wake();
        match (sent, told.await) {
            (Ok(()), Ok(Taken::Applied)) => Ok("the configuration was read again and is in force".to_owned()),
            (Ok(()), Ok(Taken::Deferred)) => Ok(
                "the configuration was read again; it is in force once what was there at the start has been read"
                    .to_owned(),
            ),
            _ => Err("the program is stopping".to_owned()),
        }
    }
}

/// The keys whose values differ and are taken up at the start only.
fn needs_restart(started: &Settings, now: &Settings) -> Vec<&'static str> {
    let reads_stdin = |settings: &Settings| {
        let mut paths = settings.sources.iter().flat_map(|source| &source.paths);
        paths.any(|path| path == "-")
    };
    let differs = [
        (
            started.listen_addresses != now.listen_addresses,
            "web.listen_address",
        ),
        (started.web_config_file != now.web_config_file, "web.config_file"),
        (
            started.enable_lifecycle != now.enable_lifecycle,
            "web.enable_lifecycle",
        ),
        (started.state_dir != now.state_dir, "state.dir"),
        (started.log_level != now.log_level, "log.level"),
        (started.log_format != now.log_format, "log.format"),
        (
            started.limits.connections != now.limits.connections,
            "limits.connections",
        ),
        (
            !reads_stdin(started) && reads_stdin(now),
            "source.path = \"-\" (standard input)",
        ),
    ];
    differs
        .into_iter()
        .filter_map(|(differs, key)| differs.then_some(key))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{self, LogFormat};

    #[test]
    fn what_is_taken_up_at_the_start_asks_for_a_restart_and_nothing_else_does() {
        let check = |key: Option<&str>, change: fn(&mut Settings)| {
            let mut now = Settings::default();
            change(&mut now);
            assert_eq!(needs_restart(&Settings::default(), &now), Vec::from_iter(key));
        };
        check(Some("web.listen_address"), |now| now.listen_addresses.clear());
        check(Some("web.config_file"), |now| {
            now.web_config_file = Some("w".into());
        });
        check(Some("web.enable_lifecycle"), |now| now.enable_lifecycle ^= true);
        check(Some("state.dir"), |now| now.state_dir = Some("s".into()));
        check(Some("log.level"), |now| now.log_level = tracing::Level::TRACE);
        check(Some("log.format"), |now| now.log_format = LogFormat::Json);
        check(Some("limits.connections"), |now| now.limits.connections += 1);
        check(Some("source.path = \"-\" (standard input)"), |now| {
            now.sources = vec![config::Source {
                paths: vec!["-".to_owned()],
                ..config::Source::default()
            }];
        });
        check(None, |now| now.limits.entities += 1);
        check(None, |now| now.thresholds.by_state.clear());
    }

    #[test]
    fn t16_a_link_in_a_path_is_followed_whenever_it_is_looked_at_and_not_once() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("current");
        std::os::unix::fs::symlink("v1", &link).unwrap();
        std::fs::create_dir(dir.path().join("v1")).unwrap();
        std::fs::write(link.join("x.log"), "").unwrap();
        let mut path = link.join("x.log").to_str().unwrap().to_owned();
        let given = path.clone();
        make_absolute(&mut path);
        assert_eq!(path, given);
    }

    #[test]
    fn a_path_is_the_same_from_wherever_the_program_is_started() {
        let here = std::env::current_dir().unwrap();
        for (given, expected) in [
            ("log", here.join("log")),
            ("./log/*.log", here.join("log/*.log")),
            ("/var/log//flink/./x.log", "/var/log/flink/x.log".into()),
        ] {
            let mut path = given.to_owned();
            make_absolute(&mut path);
            assert_eq!(Path::new(&path), expected, "{given}");
        }
    }
}
