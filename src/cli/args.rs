//! The command line as clap sees it. What flags and a file have in common ends in [`Settings`].

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use jiff::tz::TimeZone;

use crate::config::{self, ConfigError, LayoutCheck, LogFormat, ReadFrom, Settings, Source, value};
use crate::model::retention::Retention;

/// The true status of every Apache Flink job, derived from its logs, as Prometheus metrics.
#[derive(Debug, Parser)]
#[command(
    name = "flinktail",
    version,
    after_help = "Example:\n  flinktail watch /opt/flink/log\n\nExit codes: 0 fine, 1 failed, 2 usage or configuration."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// The program's own log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Follow logs and serve metrics, page and API.
    Watch(WatchArgs),
    /// Show it all at work on a made-up fleet that writes real log files.
    Demo(DemoArgs),
    /// Read logs to their end and tell the story of every job.
    Replay(ReplayArgs),
    /// Tell the story of every job, and of what runs jobs, from the store of a daemon, running or not.
    History(HistoryArgs),
    /// Show what is made of a line, step by step, or why nothing is.
    Explain(ExplainArgs),
    /// Tell all problems of configurations, rules and layouts.
    Check(CheckArgs),
    /// Print what is built in, or what holds.
    #[command(subcommand)]
    Print(Print),
}

/// The program's own log, on standard error.
#[derive(Debug, Clone, Default, Args)]
pub struct LogArgs {
    /// Least important messages still written: error, warn, info, debug or trace [default: info].
    #[arg(long = "log.level", value_name = "LEVEL", global = true, value_parser = value::log_level)]
    pub level: Option<tracing::Level>,
    /// Lines for people (text) or one JSON object a line (json) [default: text].
    #[arg(long = "log.format", value_name = "FORMAT", global = true, value_parser = value::log_format)]
    pub format: Option<LogFormat>,
}

impl LogArgs {
    /// What is given here wins over what is there.
    pub fn apply(&self, settings: &mut Settings) {
        settings.log_level = self.level.unwrap_or(settings.log_level);
        settings.log_format = self.format.unwrap_or(settings.log_format);
    }
}

/// How lines are read; the same for all commands that read some.
#[derive(Debug, Clone, Default, Args)]
pub struct ReadingArgs {
    /// Zone of times printed without one, such as Europe/Berlin, UTC or +05:30 [default: the machine's].
    #[arg(long, value_name = "ZONE", value_parser = value::zone, allow_hyphen_values = true)]
    pub timezone: Option<TimeZone>,
    /// How lines look: the id of a layout, or a log4j or logback pattern [default: recognised].
    #[arg(long, value_name = "ID|PATTERN")]
    pub layout: Option<String>,
    /// Directory of rules and layouts that add to or override those built in.
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
}

impl ReadingArgs {
    /// Judges the layout and lets what is given here win over what is there, for every source.
    fn apply(
        &self,
        cluster: Option<&str>,
        settings: &mut Settings,
        layout: LayoutCheck<'_>,
    ) -> Result<(), ConfigError> {
        for source in &mut settings.sources {
            if let Some(cluster) = cluster {
                source.cluster = Some(cluster.to_owned());
                source.cluster_from_path = None;
            }
            source.timezone = self.timezone.clone().or(source.timezone.take());
            source.layout = self.layout.clone().or(source.layout.take());
        }
        settings.rules_dir = self.rules.clone().or(settings.rules_dir.take());
        if let Some(text) = &self.layout {
            let judged = layout(text, settings.rules_dir.as_deref());
            judged.map_err(|why| ConfigError::Flag(format!("--layout: {why}")))?;
        }
        Ok(())
    }
}

/// `flinktail watch`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  flinktail watch /opt/flink/log\n  flinktail watch '/var/log/flink/*/jobmanager.log' --state-dir /var/lib/flinktail\n  kubectl logs -f deploy/jobmanager | flinktail watch - --cluster prod-1"
)]
pub struct WatchArgs {
    /// Files, globs, directories with JobManager logs, or - for standard input; they replace the configuration's sources.
    #[arg(value_name = "PATH|GLOB|DIR|-")]
    pub paths: Vec<String>,
    /// Configuration file (TOML); flags win over it.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Directory where positions, entities and history are kept [default: in memory].
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Where to listen; may be given several times [default: 127.0.0.1:19249].
    #[arg(long = "web.listen-address", value_name = "IP:PORT", value_parser = value::listen_address)]
    pub listen_addresses: Vec<SocketAddr>,
    /// TLS, users and headers of HTTP: YAML as of Prometheus' exporter-toolkit [default: plain HTTP for everybody].
    #[arg(long = "web.config.file", value_name = "FILE")]
    pub web_config_file: Option<PathBuf>,
    /// Let POST /-/reload have the configuration read again, as SIGHUP does.
    #[arg(long = "web.enable-lifecycle")]
    pub enable_lifecycle: bool,
    /// The cluster label of all jobs [default: from the path, else "default"].
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub cluster: Option<String>,
    /// How lines are read.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Where reading starts in files seen for the first time: start or end [default: start].
    #[arg(long, value_name = "start|end", value_parser = value::read_from)]
    pub from: Option<ReadFrom>,
    /// Time between two passes over the files, such as 500ms or 10s [default: 10s; 1s where changes are not told].
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    pub poll_interval: Option<Duration>,
    /// Stop when everything that is there has been read.
    #[arg(long)]
    pub once: bool,
}

impl WatchArgs {
    /// The file's settings, if one is given, with the flags over them. Something to read is in them.
    pub fn settings(&self, log: &LogArgs, layout: LayoutCheck<'_>) -> Result<Settings, ConfigError> {
        let mut settings = match &self.config {
            Some(path) => config::load(path, layout)?,
            None => Settings::default(),
        };
        if !self.paths.is_empty() {
            settings.sources = vec![source(&self.paths)?];
        }
        if settings.sources.is_empty() {
            let why = "nothing to watch: give a PATH, or a --config with a [[source]]";
            return Err(ConfigError::Flag(why.to_owned()));
        }
        self.reading
            .apply(self.cluster.as_deref(), &mut settings, layout)?;
        log.apply(&mut settings);
        settings.read_from = self.from.unwrap_or(settings.read_from);
        settings.poll_interval = self.poll_interval.or(settings.poll_interval);
        settings.state_dir = self.state_dir.clone().or(settings.state_dir);
        settings.web_config_file = self.web_config_file.clone().or(settings.web_config_file);
        settings.enable_lifecycle |= self.enable_lifecycle;
        settings.listen_on(&self.listen_addresses);
        Ok(settings)
    }
}

/// `flinktail demo`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flinktail demo\n  then open http://127.0.0.1:19249/; Ctrl-C ends it and removes its logs"
)]
pub struct DemoArgs {
    /// Where the logs are written; it must be empty, and stays at the end [default: a temporary directory, removed].
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Where to listen; may be given several times [default: 127.0.0.1:19249].
    #[arg(long = "web.listen-address", value_name = "IP:PORT", value_parser = value::listen_address)]
    pub listen_addresses: Vec<SocketAddr>,
}

impl DemoArgs {
    /// The settings for logs in the zone of the demonstration, without the paths that it will make.
    #[must_use]
    pub fn settings(&self, log: &LogArgs) -> Settings {
        let mut settings = Settings {
            sources: vec![Source {
                timezone: Some(TimeZone::UTC),
                ..Source::default()
            }],
            ..Settings::default()
        };
        log.apply(&mut settings);
        settings.listen_on(&self.listen_addresses);
        settings
    }
}

/// `flinktail replay`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  flinktail replay /opt/flink/log --timezone UTC\n  flinktail replay jobmanager.log jobmanager.log.1.gz --json | jq '.entities[].state'"
)]
pub struct ReplayArgs {
    /// Files, globs, directories with JobManager logs, or - for standard input.
    #[arg(value_name = "PATH|GLOB|DIR|-", required = true)]
    pub paths: Vec<String>,
    /// Print all entities with their history as JSON, as /api/v1/entities does.
    #[arg(long, conflicts_with = "metrics")]
    pub json: bool,
    /// Print the metrics, as /metrics does, without retention.
    #[arg(long)]
    pub metrics: bool,
    /// The cluster label of all jobs [default: from the path, else "default"].
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub cluster: Option<String>,
    /// How lines are read.
    #[command(flatten)]
    pub reading: ReadingArgs,
}

impl ReplayArgs {
    /// The settings that the flags make.
    pub fn settings(&self, log: &LogArgs, layout: LayoutCheck<'_>) -> Result<Settings, ConfigError> {
        // A replay tells of everything that the logs tell, however long ago it ended.
        let mut settings = Settings {
            sources: vec![source(&self.paths)?],
            retention: Retention::forever(),
            ..Settings::default()
        };
        self.reading
            .apply(self.cluster.as_deref(), &mut settings, layout)?;
        log.apply(&mut settings);
        Ok(settings)
    }
}

/// The paths of a command line as one source; a path that is empty is a variable of a script that was not set.
fn source(paths: &[String]) -> Result<Source, ConfigError> {
    if paths.iter().any(String::is_empty) {
        return Err(ConfigError::Flag("PATH must not be empty".to_owned()));
    }
    Ok(Source {
        paths: paths.to_vec(),
        ..Source::default()
    })
}

/// `flinktail history`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  flinktail history --state-dir /var/lib/flinktail\n  flinktail history orders --config /etc/flinktail/flinktail.toml\n  flinktail history 0a1b2c3d --state-dir /var/lib/flinktail --json"
)]
pub struct HistoryArgs {
    /// The name of a job, application or resource, or the beginning of its id [default: all].
    #[arg(value_name = "JOB")]
    pub job: Option<String>,
    /// The state directory of the daemon.
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// The daemon's configuration file, which names its state directory.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print all with their history as JSON, as /api/v1/entities does.
    #[arg(long)]
    pub json: bool,
}

impl HistoryArgs {
    /// The state directory that is given or that the file names.
    pub fn dir(&self, layout: LayoutCheck<'_>) -> Result<PathBuf, ConfigError> {
        let settings = match &self.config {
            Some(path) => config::load(path, layout)?,
            None => Settings::default(),
        };
        let dir = self.state_dir.clone().or(settings.state_dir);
        dir.ok_or_else(|| {
            let why = "no state directory: give --state-dir, or a --config with `[state] dir`";
            ConfigError::Flag(why.to_owned())
        })
    }
}

/// `flinktail explain`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  grep 'switched from state' jobmanager.log | tail -1 | flinktail explain\n  flinktail explain snippet.log --layout '%d{ISO8601} %-5p %c{1} - %m%n'"
)]
pub struct ExplainArgs {
    /// File with the lines, or - for standard input.
    #[arg(value_name = "FILE|-", default_value = "-")]
    pub file: PathBuf,
    /// How lines are read.
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// `flinktail check`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  flinktail check                      verifies what is built in\n  flinktail check flinktail.toml       a configuration\n  flinktail check /etc/flinktail/rules rules and layouts of a directory"
)]
pub struct CheckArgs {
    /// Configurations, rule files, layout files, or directories of these.
    #[arg(value_name = "CONFIG|RULES")]
    pub paths: Vec<PathBuf>,
}

/// `flinktail print`.
#[derive(Debug, Subcommand)]
pub enum Print {
    /// The rules and layouts that are built in.
    #[command(after_help = "Example:\n  flinktail print rules --dir my-rules")]
    Rules {
        /// Write them as files into this directory instead of to standard output.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// The configuration that holds, with comments.
    #[command(after_help = "Example:\n  flinktail print config --default > flinktail.toml")]
    Config {
        /// The defaults: what holds without a file, and what is printed without a flag.
        #[arg(long, conflicts_with = "config")]
        default: bool,
        /// What holds with this file.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// The documentation of every metric.
    #[command(after_help = "Example:\n  flinktail print metrics | less")]
    Metrics,
    /// What a shell needs to complete commands and flags.
    #[command(after_help = "Example:\n  flinktail print completions bash > /etc/bash_completion.d/flinktail")]
    Completions {
        /// Which shell.
        #[arg(value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
    /// The manual page; with --dir a page for every command.
    #[command(after_help = "Example:\n  flinktail print man --dir /usr/local/share/man/man1")]
    Man {
        /// Write all pages as files into this directory instead of the first one to standard output.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

#[cfg(test)]
mod tests;
