//! The one table of everything that a configuration file can say: names, meaning, how each is read and written.

mod states;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::read::{Faults, Value};
use super::{Settings, Source, value};

pub(super) use states::{RETENTION, STUCK, STUCK_OVERRIDE};

/// One key of a table whose values go into a `T`.
pub(super) struct Key<T: 'static> {
    /// As written left of the equals sign.
    pub name: &'static str,
    /// What it takes, in words.
    pub takes: &'static str,
    /// What it means; one or more sentences.
    pub about: &'static str,
    /// The flag that says the same and wins; empty where there is none.
    pub flag: &'static str,
    /// A value as TOML, shown in a comment where nothing is set.
    pub example: &'static str,
    /// Puts a value into its place.
    pub read: fn(&mut T, &Value<'_>) -> Result<(), Faults>,
    /// The present value as TOML; none where nothing is set. The second argument is the key's name.
    pub show: fn(&T, &str) -> Option<String>,
}

/// A table of the file, or of each element of a list of tables.
pub(super) struct Table<T: 'static> {
    /// As written between the brackets.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Its keys, in the order shown.
    pub keys: &'static [Key<T>],
}

impl<T> Table<T> {
    /// The key of that name.
    pub(super) fn key(&self, name: &str) -> Option<&'static Key<T>> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// `[[source]]`.
pub(super) static SOURCE: Table<Source> = Table {
    name: "source",
    about: "What to watch; one `[[source]]` for each kind of log. Paths on the command line replace all of them.",
    keys: &[
        Key {
            name: "path",
            takes: "a path, or a list of paths",
            about: "A file (with its successors), a directory (the JobManager logs in it), a glob, or \"-\" for \
                    standard input. Relative to the directory of this file. Required.",
            flag: "PATH",
            example: "\"/opt/flink/log\"",
            read: |source, value| {
                source.paths = value
                    .strings()?
                    .iter()
                    .map(Value::path_text)
                    .collect::<Result<_, _>>()?;
                Ok(())
            },
            show: |source, _| match source.paths.as_slice() {
                [] => None,
                [path] => Some(quoted(path)),
                paths => Some(list(paths)),
            },
        },
        Key {
            name: "cluster",
            takes: "a name",
            about: "The `cluster` label of all its jobs. Without it the cluster is what `cluster_from_path` or the \
                    wildcards of the path matched, else the pod (`NAMESPACE/POD`) of a container's log, else \
                    \"default\".",
            flag: "--cluster",
            example: "\"prod-1\"",
            read: |source, value| put(&mut source.cluster, value.text()),
            show: |source, _| source.cluster.as_deref().map(quoted),
        },
        Key {
            name: "cluster_from_path",
            takes: "a regular expression with a group `cluster`, and perhaps `namespace`",
            about: "Takes the cluster from a file's path; with a group `namespace` it is `NAMESPACE/CLUSTER`. Logs with the \
                    same cluster are of one: a job id that both have is one job. Not together with `cluster`.",
            flag: "",
            example: "'/(?<cluster>[^/]+)/log/'",
            read: |source, value| {
                put(
                    &mut source.cluster_from_path,
                    value.parsed(value::cluster_capture),
                )
            },
            show: |source, _| source.cluster_from_path.as_deref().map(quoted),
        },
        Key {
            name: "timezone",
            takes: "an IANA name, or an offset such as \"+05:30\"",
            about: "The zone of times that the log prints without one. Without it: the machine's.",
            flag: "--timezone",
            example: "\"Europe/Berlin\"",
            read: |source, value| put(&mut source.timezone, value.parsed(value::zone)),
            show: |source, _| {
                source
                    .timezone
                    .as_ref()
                    .and_then(value::show_zone)
                    .as_deref()
                    .map(quoted)
            },
        },
        Key {
            name: "layout",
            takes: "the id of a layout, or a log4j or logback pattern",
            about: "How the lines look. Without it the layout is recognised from the file.",
            flag: "--layout",
            example: "\"%d{ISO8601} [%t] %-5p %c{1} - %m%n\"",
            read: |source, value| put(&mut source.layout, value.text()),
            show: |source, _| source.layout.as_deref().map(quoted),
        },
    ],
};

/// Tables that are there once, but those of states.
pub(super) static PLAIN: [Table<Settings>; 6] = [
    Table {
        name: "watch",
        about: "How files are followed.",
        keys: &[
            Key {
                name: "from",
                takes: "\"start\" or \"end\"",
                about: "Where reading starts in a file that is seen for the first time. A saved position wins.",
                flag: "--from",
                example: "\"end\"",
                read: |settings, value| set(&mut settings.read_from, value.parsed(value::read_from)),
                show: |settings, _| Some(quoted(settings.read_from.name())),
            },
            Key {
                name: "poll_interval",
                takes: "a duration",
                about: "Time between two passes over the files; changes that the system tells are read at once. \
                        Without it: 10 s (10 ms for each log where they are more than 1,000, 60 s at most), and 1 s where \
                        the system tells no changes (network file systems).",
                flag: "--poll-interval",
                example: "\"10s\"",
                read: |settings, value| put(&mut settings.poll_interval, value.parsed(value::duration)),
                show: |settings, _| settings.poll_interval.map(quoted_duration),
            },
            Key {
                name: "reorder_window",
                takes: "a duration",
                about: "How long events from CloudWatch and CloudTrail wait for earlier ones while they are followed; later \
                        ones are recorded as late. What is there at the start is sorted as a whole, and Flink's own files go \
                        by place.",
                flag: "",
                example: "\"5s\"",
                read: |settings, value| set(&mut settings.reorder_window, value.parsed(value::duration)),
                show: |settings, _| Some(quoted_duration(settings.reorder_window)),
            },
        ],
    },
    Table {
        name: "web",
        about: "Where metrics, page and API are served, and to whom.",
        keys: &[
            Key {
                name: "listen_address",
                takes: "an IP address with a port, or a list of them",
                about: "Loopback by default: to be scraped from another machine, say so, for example \"0.0.0.0:19249\".",
                flag: "--web.listen-address",
                example: "[\"0.0.0.0:19249\"]",
                read: |settings, value| set(&mut settings.listen_addresses, value.listen_addresses()),
                show: |settings, _| {
                    let addresses: Vec<String> = settings
                        .listen_addresses
                        .iter()
                        .map(ToString::to_string)
                        .collect();
                    Some(list(&addresses))
                },
            },
            Key {
                name: "config_file",
                takes: "a file",
                about: "TLS, users and headers: YAML in the format of Prometheus' exporter-toolkit, read again when it \
                        changes. See web-configuration.md.",
                flag: "--web.config.file",
                example: "\"/etc/flinktail/web.yml\"",
                read: |settings, value| put(&mut settings.web_config_file, value.path()),
                show: |settings, _| settings.web_config_file.as_deref().map(quoted_path),
            },
            Key {
                name: "enable_lifecycle",
                takes: "true or false",
                about: "Whether `POST /-/reload` has this file read again, as SIGHUP always does.",
                flag: "--web.enable-lifecycle",
                example: "",
                read: |settings, value| set(&mut settings.enable_lifecycle, value.boolean()),
                show: |settings, _| Some(settings.enable_lifecycle.to_string()),
            },
        ],
    },
    Table {
        name: "state",
        about: "What survives a restart.",
        keys: &[
            Key {
                name: "dir",
                takes: "a directory",
                about: "Where positions, entities and history are kept. Without it they are kept in memory, and the logs \
                        are read again after a restart.",
                flag: "--state-dir",
                example: "\"/var/lib/flinktail\"",
                read: |settings, value| put(&mut settings.state_dir, value.path()),
                show: |settings, _| settings.state_dir.as_deref().map(quoted_path),
            },
            Key {
                name: "history_age",
                takes: "a duration, or \"never\"",
                about: "For how long history is kept for `flinktail history` and the views of the database; \"never\" \
                        removes none for its age.",
                flag: "",
                example: "",
                read: |settings, value| set(&mut settings.history_age, value.parsed(value::keep)),
                show: |settings, _| {
                    Some(
                        settings
                            .history_age
                            .map_or_else(|| quoted("never"), quoted_duration),
                    )
                },
            },
            Key {
                name: "history_bytes",
                takes: "a number from 1048576 to 1099511627776",
                about: "How large the database may grow before the oldest history is removed.",
                flag: "",
                example: "",
                read: |settings, value| {
                    set(
                        &mut settings.history_bytes,
                        value.number(1 << 20..=1 << 40).map(|bytes| bytes as u64),
                    )
                },
                show: |settings, _| Some(settings.history_bytes.to_string()),
            },
        ],
    },
    Table {
        name: "rules",
        about: "What lines mean and how they look, beyond what is built in.",
        keys: &[Key {
            name: "dir",
            takes: "a directory",
            about: "Its `*.toml` files add rules and layouts, or override built-in ones of the same id. \
                    `flinktail print rules --dir DIR` writes the built-in ones out.",
            flag: "--rules",
            example: "\"/etc/flinktail/rules\"",
            read: |settings, value| put(&mut settings.rules_dir, value.path()),
            show: |settings, _| settings.rules_dir.as_deref().map(quoted_path),
        }],
    },
    Table {
        name: "log",
        about: "The program's own log, on standard error.",
        keys: &[
            Key {
                name: "level",
                takes: "\"error\", \"warn\", \"info\", \"debug\" or \"trace\"",
                about: "The least important messages that are still written.",
                flag: "--log.level",
                example: "\"debug\"",
                read: |settings, value| set(&mut settings.log_level, value.parsed(value::log_level)),
                show: |settings, _| Some(quoted(value::show_log_level(settings.log_level))),
            },
            Key {
                name: "format",
                takes: "\"text\" or \"json\"",
                about: "Lines for people, or one JSON object a line.",
                flag: "--log.format",
                example: "\"json\"",
                read: |settings, value| set(&mut settings.log_format, value.parsed(value::log_format)),
                show: |settings, _| Some(quoted(settings.log_format.name())),
            },
        ],
    },
    Table {
        name: "limits",
        about: "Bounds on what is taken in. What is refused because of them is counted.",
        keys: &[
            Key {
                name: "entities",
                takes: "a number from 1 to 10000000",
                about: "Jobs known at a time. Beyond it ended ones make room, oldest first; then new ones are refused.",
                flag: "",
                example: "",
                read: |settings, value| set(&mut settings.limits.entities, value.number(1..=10_000_000)),
                show: |settings, _| Some(settings.limits.entities.to_string()),
            },
            Key {
                name: "line_bytes",
                takes: "a number from 4096 to 67108864",
                about: "Longest line, in bytes; the rest of a longer one is skipped.",
                flag: "",
                example: "",
                read: |settings, value| set(&mut settings.limits.line_bytes, value.number(4096..=64 << 20)),
                show: |settings, _| Some(settings.limits.line_bytes.to_string()),
            },
            Key {
                name: "record_bytes",
                takes: "a number from 4096 to 67108864",
                about: "Longest record over several lines, in bytes; not less than `line_bytes`.",
                flag: "",
                example: "",
                read: |settings, value| set(&mut settings.limits.record_bytes, value.number(4096..=64 << 20)),
                show: |settings, _| Some(settings.limits.record_bytes.to_string()),
            },
            Key {
                name: "open_files",
                takes: "a number from 8 to 100000",
                about: "Log files held open at a time; quiet ones are closed first.",
                flag: "",
                example: "",
                read: |settings, value| set(&mut settings.limits.open_files, value.number(8..=100_000)),
                show: |settings, _| Some(settings.limits.open_files.to_string()),
            },
            Key {
                name: "connections",
                takes: "a number from 1 to 100000",
                about: "HTTP connections served at a time.",
                flag: "",
                example: "",
                read: |settings, value| set(&mut settings.limits.connections, value.number(1..=100_000)),
                show: |settings, _| Some(settings.limits.connections.to_string()),
            },
        ],
    },
];

fn put<T>(place: &mut Option<T>, value: Result<T, Faults>) -> Result<(), Faults> {
    *place = Some(value?);
    Ok(())
}

fn set<T>(place: &mut T, value: Result<T, Faults>) -> Result<(), Faults> {
    *place = value?;
    Ok(())
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn quoted_path(path: &Path) -> String {
    quoted(&path.display().to_string())
}

fn quoted_duration(duration: Duration) -> String {
    quoted(&value::show_duration(duration))
}

fn list(texts: &[String]) -> String {
    format!(
        "[{}]",
        texts
            .iter()
            .map(|text| quoted(text))
            .collect::<Vec<_>>()
            .join(", ")
    )
}

/// A path of the file as the program uses it: relative ones are relative to the file's directory.
pub(super) fn resolve(base: &Path, path: &str) -> PathBuf {
    base.join(path)
}
