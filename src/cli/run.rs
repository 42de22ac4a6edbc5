//! Carries a command out. Whatever goes wrong ends here, in words on standard error and an exit code.

use std::io::{self, IsTerminal as _, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser as _;
use jiff::tz::TimeZone;

use super::args::{
    CheckArgs, Cli, Command, DemoArgs, ExplainArgs, HistoryArgs, LogArgs, Print, ReplayArgs, WatchArgs,
};
use super::check::{self, Checked, Kind};
use super::explain::{Reading, explain};
use super::{FAILED, FINE, USAGE, print, replay};
use crate::app::{self, AppError};
use crate::config::{self, ConfigError};
use crate::decode::layouts::{self, Layouts};
use crate::expose::scrape;
use crate::expose::{self, Format, ViewBuilder, api, catalog};
use crate::model::Fleet;
use crate::model::retention::Retention;
use crate::observe;
use crate::rules::{self, RuleSet};
use crate::store::{self, StoreError};
use crate::tail;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error("{0}")]
    Config(#[from] ConfigError),
    #[error("{0}")]
    App(#[from] AppError),
    #[error("{}: {error}", dir.display())]
    Store { dir: PathBuf, error: StoreError },
    #[error("nothing has this name or begins its id so: {0}")]
    Nothing(String),
    #[error("{what}: {error}")]
    Io { what: String, error: io::Error },
}

impl RunError {
    const fn code(&self) -> u8 {
        match self {
            Self::Config(_) => USAGE,
            Self::App(error) if error.is_usage() => USAGE,
            Self::App(_) | Self::Store { .. } | Self::Nothing(_) | Self::Io { .. } => FAILED,
        }
    }
}

/// Reads the command line, does what it says, and gives the exit code.
#[must_use]
pub fn run() -> u8 {
    let cli = Cli::parse();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let done = match &cli.command {
        Command::Watch(args) => watch(args.clone(), cli.log.clone()),
        Command::Demo(args) => demo(args, &cli.log),
        Command::Replay(args) => replay_logs(args, &cli.log, &mut out),
        Command::History(args) => history(args, &mut out),
        Command::Explain(args) => explain_lines(args, &mut out),
        Command::Check(args) => check_files(args, &mut out),
        Command::Print(what) => print_out(what, &mut out),
    };
    let done = done.and_then(|code| match out.flush() {
        Ok(()) => Ok(code),
        Err(error) => Err(writing(error)),
    });
    match done {
        Ok(code) => code,
        // Whoever reads the output may stop when they have seen enough (`| head`).
        Err(RunError::Io { error, .. }) if error.kind() == io::ErrorKind::BrokenPipe => FINE,
        Err(error) => {
            // Nothing can be done when standard error is closed too.
            let said = observe::printable(&error.to_string());
            let _unheard = writeln!(io::stderr(), "flinktail: {said}");
            error.code()
        }
    }
}

fn writing(error: io::Error) -> RunError {
    RunError::Io {
        what: "standard output".to_owned(),
        error,
    }
}

fn start_log(settings: &config::Settings) -> Result<(), RunError> {
    let format = match settings.log_format {
        config::LogFormat::Text => observe::LogFormat::Text,
        config::LogFormat::Json => observe::LogFormat::Json,
    };
    observe::init(format, settings.log_level.as_str()).map_err(|why| ConfigError::Flag(why).into())
}

fn watch(args: WatchArgs, log: LogArgs) -> Result<u8, RunError> {
    let settings = args.settings(&log, &app::check_layout)?;
    start_log(&settings)?;
    let wording = app::wording(settings.rules_dir.as_deref())?;
    let once = args.once;
    let load = move || {
        let settings = args
            .settings(&log, &app::check_layout)
            .map_err(|error| error.to_string())?;
        let wording = app::wording(settings.rules_dir.as_deref()).map_err(|error| error.to_string())?;
        Ok((settings, wording))
    };
    app::watch(settings, wording, Box::new(load), once)?;
    Ok(FINE)
}

fn demo(args: &DemoArgs, log: &LogArgs) -> Result<u8, RunError> {
    let settings = args.settings(log);
    start_log(&settings)?;
    app::demo::demo(args.dir.as_deref(), settings, app::wording(None)?)?;
    Ok(FINE)
}

fn replay_logs(args: &ReplayArgs, log: &LogArgs, out: &mut impl Write) -> Result<u8, RunError> {
    let settings = args.settings(log, &app::check_layout)?;
    let wording = Arc::new(app::wording(settings.rules_dir.as_deref())?);
    let replayed = app::replay::replay(&settings, wording)?;
    for notice in &replayed.notices {
        let _unheard = writeln!(io::stderr(), "flinktail: {}", observe::printable(notice));
    }
    let written = if args.json {
        writeln!(out, "{}", api::entities_json(&replayed.fleet))
    } else if args.metrics {
        let mut views = ViewBuilder::new(expose::Settings {
            retention: Retention::forever(),
            ..expose::Settings::default()
        });
        for job in replayed.fleet.shared_jobs() {
            views.put(job);
        }
        views.put_others(&replayed.fleet);
        let view = views.view(replayed.fleet.counters().clone(), replayed.stats, observe::now());
        out.write_all(scrape::text(view, Format::Text).as_bytes())
    } else {
        replay::story_of_fleet(&replayed.fleet, out, io::stdout().is_terminal())
    };
    written.map_err(writing)?;
    Ok(if replayed.missing { FAILED } else { FINE })
}

fn history(args: &HistoryArgs, out: &mut impl Write) -> Result<u8, RunError> {
    let dir = args.dir(&app::check_layout)?;
    let left = store::stories(&dir, args.job.as_deref());
    let left = left.map_err(|error| RunError::Store { dir, error })?;
    match &args.job {
        Some(wanted) if left.is_empty() => return Err(RunError::Nothing(wanted.clone())),
        _ => {}
    }
    let fleet = Fleet::restore(usize::MAX, left);
    let written = if args.json {
        writeln!(out, "{}", api::entities_json(&fleet))
    } else {
        replay::story_of_fleet(&fleet, out, io::stdout().is_terminal())
    };
    written.map_err(writing)?;
    Ok(FINE)
}

fn explain_lines(args: &ExplainArgs, out: &mut impl Write) -> Result<u8, RunError> {
    let reading = &args.reading;
    let wording = app::wording(reading.rules.as_deref())?;
    if let Some(layout) = &reading.layout {
        let judged = app::check_layout(layout, reading.rules.as_deref());
        judged.map_err(|why| ConfigError::Flag(format!("--layout: {why}")))?;
    }
    let mut text = Vec::new();
    let read = if args.file == Path::new("-") {
        tail::unpacked(io::stdin())
    } else {
        std::fs::File::open(&args.file).and_then(tail::unpacked)
    };
    let read = read.and_then(|mut input| input.read_to_end(&mut text));
    read.map_err(|error| RunError::Io {
        what: args.file.display().to_string(),
        error,
    })?;
    let reading = Reading {
        wording: &wording,
        layout: reading.layout.as_deref(),
        zone: reading.timezone.clone().unwrap_or_else(TimeZone::system),
        now: observe::now(),
    };
    explain(&text, &reading, out).map_err(writing)?;
    Ok(FINE)
}

fn check_files(args: &CheckArgs, out: &mut impl Write) -> Result<u8, RunError> {
    let (inputs, mut problems) = check::gather(&args.paths);
    let of = |kind| {
        let inputs = inputs.iter().filter(move |input| input.kind == kind);
        inputs
            .map(|input| (input.file.clone(), input.text.clone()))
            .collect::<Vec<_>>()
    };
    let (own_rules, own_layouts, configs) = (of(Kind::Rules), of(Kind::Layout), of(Kind::Config));
    let mut checked = Checked {
        configs: configs.len(),
        ..Checked::default()
    };
    match RuleSet::with_user(&own_rules) {
        Ok(set) => checked.rules = set.rules().len(),
        Err(found) => problems.extend(found),
    }
    let layouts = Layouts::builtin().and_then(|mut layouts| {
        layouts.add_user(&own_layouts)?;
        let failed = layouts.verify();
        if failed.is_empty() {
            Ok(layouts)
        } else {
            Err(failed)
        }
    });
    match layouts {
        Ok(layouts) => checked.layouts = layouts.iter().count(),
        Err(found) => problems.extend(found),
    }
    let texts = rules::BUILTIN
        .iter()
        .chain(layouts::BUILTIN)
        .map(|(_, text)| *text);
    let texts = texts.chain(
        own_rules
            .iter()
            .chain(&own_layouts)
            .map(|(_, text)| text.as_str()),
    );
    checked.tests = texts
        .map(|text| text.matches("[[rule.test]]").count() + text.matches("[[sample]]").count())
        .sum();
    for (file, text) in &configs {
        if let Err(found) = config::parse(file, text, &app::check_layout) {
            problems.extend(found);
        }
    }
    let fine = check::report(checked, &problems, out).map_err(writing)?;
    Ok(if fine { FINE } else { USAGE })
}

fn print_out(what: &Print, out: &mut impl Write) -> Result<u8, RunError> {
    let written = match what {
        Print::Rules { dir } => {
            let files: Vec<(&str, &str)> = rules::BUILTIN.iter().chain(layouts::BUILTIN).copied().collect();
            print::files(&files, dir.as_deref(), out)
        }
        Print::Config { config, .. } => {
            let text = print::config(config.as_deref(), &app::check_layout)?;
            out.write_all(text.as_bytes())
        }
        Print::Metrics => out.write_all(catalog::markdown().as_bytes()),
        Print::Completions { shell } => print::completions(*shell, out),
        Print::Man { dir } => print::man(dir.as_deref(), out),
    };
    written.map_err(writing)?;
    Ok(FINE)
}
