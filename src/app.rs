//! The daemon and the replay: which thread does what, in which order things start and stop.
//!
//! One thread reads, decodes and derives (`reader`); it owns the model and hands out views of it. A small runtime serves
//! HTTP and waits for signals. Nothing is locked between them but the pointer to the last view.

pub mod demo;
pub mod engine;
mod keeper;
mod kubernetes;
mod merge;
mod reader;
mod reload;
pub mod replay;
mod systemd;
mod watch;

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use crate::config::{self, Settings};
use crate::decode::layouts::Layouts;
use crate::line::HeadFacts;
use crate::pipeline::{ChosenLayout, LogSettings, Wording};
use crate::problem::Problem;
use crate::rules::RuleSet;
use crate::store::StoreError;
use crate::tail;

pub use reload::Load;
pub use watch::watch;

/// Why the program cannot begin, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Rules or layouts have problems: all of them.
    #[error("{}", .0.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"))]
    Wording(Vec<Problem>),
    /// A source, layout or directory that cannot be used.
    #[error("{0}")]
    Usage(String),
    /// An address that cannot be listened on.
    #[error("cannot listen on {address}: {error}; choose another with --web.listen-address")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// A state directory that cannot be used.
    #[error("{0}")]
    State(StoreError),
    /// The system refused something that the program cannot do without.
    #[error("{what}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        error: std::io::Error,
    },
}

impl AppError {
    /// Is it the user's input (exit code 2) rather than the circumstances (1)?
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        matches!(self, Self::Wording(_) | Self::Usage(_))
    }
}

/// Built-in rules and layouts, and a user's from a directory: `*.toml`, told apart by what they say.
pub fn wording(rules_dir: Option<&Path>) -> Result<Wording, AppError> {
    let (inputs, mut problems) = crate::cli::check::gather(rules_dir.map(Path::to_path_buf).as_slice());
    let of = |kind| {
        let inputs = inputs.iter().filter(move |input| input.kind == kind);
        inputs
            .map(|input| (input.file.clone(), input.text.clone()))
            .collect::<Vec<_>>()
    };
    problems.extend(
        inputs
            .iter()
            .filter(|input| input.kind == crate::cli::check::Kind::Config)
            .map(|input| Problem {
                file: input.file.clone(),
                line: 1,
                column: 1,
                message: "neither rules (`[[rule]]`) nor a layout (`id = …`)".to_owned(),
            }),
    );
    let rules = RuleSet::with_user(&of(crate::cli::check::Kind::Rules))
        .map_err(|found| problems.extend(found))
        .ok();
    let layouts = Layouts::builtin().and_then(|mut layouts| {
        layouts.add_user(&of(crate::cli::check::Kind::Layout))?;
        Ok(layouts)
    });
    let layouts = layouts.map_err(|found| problems.extend(found)).ok();
    match (rules, layouts) {
        (Some(rules), Some(layouts)) if problems.is_empty() => {
            Wording::new(rules, layouts).map_err(|error| AppError::Usage(error.to_string()))
        }
        _ => Err(AppError::Wording(problems)),
    }
}

/// Judges a layout for the configuration: known by its id in the user's directory or built in, or a pattern that compiles.
pub fn check_layout(text: &str, rules_dir: Option<&Path>) -> Result<(), String> {
    let wording = wording(rules_dir).map_err(|error| error.to_string())?;
    ChosenLayout::new(&wording.layouts, text).map(|_| ())
}

/// How the logs of one source are decoded.
#[derive(Debug, Clone)]
pub struct SourceSettings {
    /// The cluster that the user named.
    pub cluster: Option<Arc<str>>,
    /// For each of its logs' decoders.
    pub log: Arc<LogSettings>,
}

/// The sources as the tailer takes them, each path with its settings beside it at the same position.
pub fn sources(
    settings: &Settings,
    wording: &Wording,
) -> Result<(Vec<tail::Source>, Vec<SourceSettings>), AppError> {
    let machine = TimeZone::system();
    let reorder_window = SignedDuration::try_from(settings.reorder_window).unwrap_or(SignedDuration::MAX);
    let (mut sources, mut beside) = (Vec::new(), Vec::new());
    for source in &settings.sources {
        let chosen = source
            .layout
            .as_deref()
            .map(|text| ChosenLayout::new(&wording.layouts, text));
        let layout = chosen.transpose().map_err(AppError::Usage)?;
        let log = Arc::new(log_settings(
            source,
            &settings.limits,
            layout,
            &machine,
            reorder_window,
        ));
        for path in &source.paths {
            let found = tail::Source::new(path.as_ref(), source.cluster_from_path.as_deref());
            sources.push(found.map_err(|error| AppError::Usage(format!("{path}: {error}")))?);
            beside.push(SourceSettings {
                cluster: source.cluster.as_deref().map(Arc::from),
                log: Arc::clone(&log),
            });
        }
    }
    Ok((sources, beside))
}

fn log_settings(
    source: &config::Source,
    limits: &config::Limits,
    layout: Option<ChosenLayout>,
    machine: &TimeZone,
    reorder_window: SignedDuration,
) -> LogSettings {
    LogSettings {
        zone: source.timezone.clone().unwrap_or_else(|| machine.clone()),
        layout,
        line_bytes: limits.line_bytes,
        record_bytes: limits.record_bytes,
        reorder_window,
    }
}

/// Finds in bytes what these rules look for, on whichever core.
fn search(wording: &Arc<Wording>) -> tail::Search {
    let wording = Arc::clone(wording);
    Arc::new(move |place, bytes, hits| {
        wording.search(bytes, hits);
        if place == 0 {
            wording.foresee(bytes);
        }
    })
}

/// How many cores may search.
fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// What a file's first bytes tell the tailer. Files are ordered before it is known which source they belong to, so that
/// layouts and zones named by a source do not count here unless all sources agree.
fn classifier(wording: Arc<Wording>, beside: &[SourceSettings]) -> tail::Classify {
    let first = beside.first().map(|source| source.log.clone());
    // The tailer asks twice in a row about a file that is news: whose it is, and then where it belongs.
    let last: RefCell<Option<(Vec<u8>, HeadFacts)>> = RefCell::default();
    Box::new(move |head| {
        let mut last = last.borrow_mut();
        if let Some((_, facts)) = last.as_ref().filter(|(bytes, _)| bytes == head) {
            return *facts;
        }
        let zone = first.as_ref().map_or(TimeZone::UTC, |log| log.zone.clone());
        let layout = first.as_ref().and_then(|log| log.layout.as_ref());
        let facts = crate::pipeline::read_head(&wording, layout, &zone, head);
        *last = Some((head.to_owned(), facts));
        facts
    })
}
