//! Configurations, good and bad, against what they say and the messages they get.

use super::*;
use crate::model::retention::Override;

/// Knows one layout, as the decoder would know its own.
fn layouts(text: &str, rules: Option<&Path>) -> Result<(), String> {
    if text == "log4j" || rules.is_some_and(|dir| dir.ends_with("with-mine")) && text == "mine" {
        Ok(())
    } else {
        Err(format!("unknown layout \"{text}\""))
    }
}

fn read(text: &str) -> Settings {
    parse("etc/flinktail.toml", text, &layouts).unwrap_or_else(|problems| panic!("{problems:?}\n{text}"))
}

/// Compares a file of the repository with what it is generated from; `BLESS=1` rewrites it.
#[track_caller]
fn check_generated(path: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{} is out of date: run BLESS=1 cargo test",
        path.display()
    );
}

/// Holds a file of cases: the text of each, then `=> line:column: message` for each problem in the order told.
#[track_caller]
pub(super) fn check_bad(path: &str, least: usize, judge: impl Fn(&str) -> Result<(), Vec<Problem>>) {
    let cases = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let (mut count, mut text, mut told) = (0, String::new(), String::new());
    let mut lines = cases.lines().peekable();
    while let Some(line) = lines.next() {
        if !line.starts_with("=> ") {
            text.push_str(line);
            text.push('\n');
        } else if lines.peek().is_none_or(|next| !next.starts_with("=> ")) {
            let problems = judge(&text).expect_err(&text);
            let messages = problems
                .iter()
                .map(|problem| problem.to_string().replace("bad:", "=> ") + "\n");
            told.extend(std::iter::once(std::mem::take(&mut text)).chain(messages));
            count += 1;
        }
    }
    assert!(count >= least, "{count} cases");
    check_generated(path, &told);
}

#[test]
fn every_bad_configuration_gets_exactly_its_messages() {
    check_bad("src/config/tests/bad.txt", 60, |text| {
        parse("bad", text, &layouts).map(drop)
    });
}

#[test]
fn the_printed_defaults_read_back_as_the_defaults() {
    assert_eq!(read(&document(&Settings::default())), Settings::default());
    assert_eq!(read(""), Settings::default());
}

/// Every key with another value than its default.
const EVERY_KEY: &str = r#"
[[source]]
path = ["logs/*/jobmanager.log*", "-", "/srv/flink"]
cluster_from_path = '/(?<cluster>[^/]+)/log/'
timezone = "+05:30"
layout = "log4j"

[[source]]
path = "/opt/flink/log"
cluster = "prod \"1\""
timezone = "UTC"

[watch]
from = "end"
poll_interval = "2s500ms"

[web]
listen_address = ["0.0.0.0:1", "[::1]:2"]
config_file = "web.yml"
enable_lifecycle = true

[state]
dir = "state"
history_age = "never"
history_bytes = 1_048_576

[rules]
dir = "/etc/flinktail/rules"

[log]
level = "debug"
format = "json"

[limits]
entities = 1
line_bytes = 8_192
record_bytes = 0x4000
open_files = 9
connections = 2

[retention.flink_job]
FAILED = "never"
CANCELED = "90m"
FINISHED = "7d"
UNKNOWN = "2w"

[stuck.flink_job]
INITIALIZING = "1s"
CREATED = "2s"
FAILING = "3s"
CANCELLING = "4s"
RESTARTING = "5s"
SUSPENDED = "6s"
RECONCILING = "7s"

[[stuck_override]]
job_name = "nightly-*"
INITIALIZING = "1h"
CREATED = "1h"
FAILING = "1h"
CANCELLING = "1h"
RESTARTING = "1h"
SUSPENDED = "1h"
RECONCILING = "1h"
"#;

#[test]
fn every_key_has_its_effect() {
    use crate::model::flink_job::JobState;

    let defaults = Settings::default();
    let settings = read(EVERY_KEY);
    assert_eq!(
        settings.sources,
        [
            Source {
                paths: vec![
                    "etc/logs/*/jobmanager.log*".to_owned(),
                    "-".to_owned(),
                    "/srv/flink".to_owned()
                ],
                cluster: None,
                cluster_from_path: Some("/(?<cluster>[^/]+)/log/".to_owned()),
                timezone: Some(value::zone("+05:30").unwrap()),
                layout: Some("log4j".to_owned()),
            },
            Source {
                paths: vec!["/opt/flink/log".to_owned()],
                cluster: Some("prod \"1\"".to_owned()),
                timezone: Some(TimeZone::UTC),
                ..Source::default()
            },
        ]
    );
    assert_eq!(settings.read_from, ReadFrom::End);
    assert_eq!(settings.poll_interval, Some(Duration::from_millis(2500)));
    let addresses: Vec<String> = settings
        .listen_addresses
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(addresses, ["0.0.0.0:1", "[::1]:2"]);
    assert_eq!(settings.web_config_file, Some(PathBuf::from("etc/web.yml")));
    assert!(settings.enable_lifecycle);
    assert_eq!(settings.state_dir, Some(PathBuf::from("etc/state")));
    assert_eq!((settings.history_age, settings.history_bytes), (None, 1 << 20));
    assert_eq!(settings.rules_dir, Some(PathBuf::from("/etc/flinktail/rules")));
    assert_eq!(
        (settings.log_level, settings.log_format),
        (tracing::Level::DEBUG, LogFormat::Json)
    );
    let limits = Limits {
        entities: 1,
        line_bytes: 8192,
        record_bytes: 16384,
        open_files: 9,
        connections: 2,
    };
    assert_eq!(settings.limits, limits);
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let kept = [
        (JobState::Canceled, hours(1) + hours(1) / 2),
        (JobState::Finished, hours(7 * 24)),
        (JobState::Unknown, hours(14 * 24)),
    ];
    assert_eq!(settings.retention.by_state, kept.into());
    let stuck: u64 = settings.thresholds.by_state.values().map(Duration::as_secs).sum();
    assert_eq!(
        (settings.thresholds.by_state.len(), stuck),
        (defaults.thresholds.by_state.len(), 28)
    );
    let over = Override {
        job_name: crate::model::retention::NameGlob::new("nightly-*").unwrap(),
        by_state: defaults
            .thresholds
            .by_state
            .keys()
            .map(|state| (*state, hours(1)))
            .collect(),
    };
    assert_eq!(settings.thresholds.overrides, [over]);
}

/// Every key of a table with what it shows for these settings.
fn shown<T>(table: &keys::Table<T>, target: &T) -> Vec<(String, Option<String>)> {
    let of = |key: &keys::Key<T>| {
        (
            format!("{}.{}", table.name, key.name),
            (key.show)(target, key.name),
        )
    };
    table.keys.iter().map(of).collect()
}

/// Every key of the file, with what it shows.
fn all_shown(settings: &Settings) -> Vec<(String, Option<String>)> {
    let mut all: Vec<_> = keys::PLAIN
        .iter()
        .chain(&keys::RETENTION)
        .chain(&keys::STUCK)
        .flat_map(|table| shown(table, settings))
        .collect();
    // Of lists of tables: what any of them shows.
    for source in settings.sources.iter().chain([&Source::default()]) {
        all.extend(shown(&keys::SOURCE, source));
    }
    for over in settings.thresholds.overrides.iter().chain([&Override::default()]) {
        all.extend(shown(&keys::STUCK_OVERRIDE, over));
    }
    all
}

#[test]
fn no_key_is_left_out_of_these_tests() {
    let (given, defaults) = (all_shown(&read(EVERY_KEY)), all_shown(&Settings::default()));
    for (key, default) in &defaults {
        let changed = given.iter().any(|(name, value)| name == key && value != default);
        assert!(changed, "EVERY_KEY gives {key} no value, or its default");
    }
    assert!(defaults.len() > 35, "{}", defaults.len());
}

#[test]
fn no_key_takes_a_table() {
    for (key, _) in all_shown(&Settings::default()) {
        let (table, name) = key.rsplit_once('.').unwrap();
        let is_list = [keys::SOURCE.name, keys::STUCK_OVERRIDE.name].contains(&table);
        let heading = if is_list {
            format!("[[{table}]]")
        } else {
            format!("[{table}]")
        };
        let problems = parse("f.toml", &format!("{heading}\n{name} = {{}}\n"), &layouts).unwrap_err();
        let told = problems.iter().any(|problem| {
            (problem.line, problem.column) == (2, name.len() + 4)
                && problem.message.starts_with(&format!("{name}: must be "))
        });
        assert!(told, "{key}: {problems:?}");
    }
}

#[test]
fn printed_settings_read_back_as_the_same_settings() {
    let settings = read(EVERY_KEY);
    let printed = document(&settings);
    // Relative paths were resolved when the file was read, so the copy belongs into the working directory.
    assert_eq!(
        parse("flinktail.toml", &printed, &layouts),
        Ok(settings),
        "{printed}"
    );
}

#[test]
fn a_source_may_have_a_layout_of_the_users_own_directory() {
    let text = "[[source]]\npath = '-'\nlayout = 'mine'\n[rules]\ndir = 'with-mine'\n";
    assert_eq!(read(text).sources[0].layout.as_deref(), Some("mine"));
}

#[test]
fn a_written_duration_reads_back_and_is_in_units_that_people_use() {
    for (text, written) in [
        ("90s", "90s"),
        ("1500ms", "1500ms"),
        ("60s", "1m"),
        ("10m", "10m"),
        ("90m", "90m"),
        ("1h30m", "90m"),
        ("24h", "24h"),
        ("1d", "24h"),
        ("48h", "48h"),
        ("7d", "7d"),
        ("1w", "7d"),
        ("36500d", "36500d"),
    ] {
        let duration = value::duration(text).unwrap();
        assert_eq!(value::show_duration(duration), written, "{text}");
        assert_eq!(value::duration(written), Ok(duration), "{text}");
    }
}

#[test]
fn zones_are_names_or_offsets() {
    for (text, shown) in [
        ("UTC", "UTC"),
        ("europe/berlin", "Europe/Berlin"),
        ("+05:30", "+05:30"),
        ("-03:00", "-03:00"),
    ] {
        assert_eq!(
            value::show_zone(&value::zone(text).unwrap()).as_deref(),
            Some(shown),
            "{text}"
        );
    }
    for bad in ["", "+", "+5", "+05:60", "+99:00", "+é:00", "CET+1"] {
        assert!(value::zone(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_documentation_is_what_the_keys_say() {
    check_generated("docs/configuration.md", &documentation());
}

#[test]
fn the_example_is_a_good_configuration() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/flinktail.toml");
    let settings = load(&path, &layouts).unwrap();
    assert_eq!(settings.sources.len(), 1);
    assert!(settings.retention.by_state.is_empty());
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = load(Path::new("/nowhere/flinktail.toml"), &layouts)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("/nowhere/flinktail.toml: cannot read the configuration: "),
        "{error}"
    );
}

proptest::proptest! {
    #[test]
    fn no_text_is_fatal(text in "[\\[\\]a-z_=\" \n.0-9#é{}',]{0,200}") {
        if let Err(problems) = parse("f.toml", &text, &layouts) {
            proptest::prop_assert!(!problems.is_empty());
        }
    }
}
