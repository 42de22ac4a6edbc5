//! The command line against a table of good and bad ones.

use super::*;

fn layouts(text: &str, _rules: Option<&std::path::Path>) -> Result<(), String> {
    if text == "log4j" {
        Ok(())
    } else {
        Err(format!("unknown layout \"{text}\""))
    }
}

/// The settings of a `watch` command line, or the first line of what is said against it.
fn watch(line: &str) -> Result<Settings, String> {
    let words = ["flinktail", "watch"].into_iter().chain(line.split_whitespace());
    let cli = Cli::try_parse_from(words).map_err(|error| first_line(&error.to_string()))?;
    let Command::Watch(args) = cli.command else {
        return Err("not watch".to_owned());
    };
    args.settings(&cli.log, &layouts)
        .map_err(|error| first_line(&error.to_string()))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// Every subcommand's help, all levels.
fn helps() -> Vec<(String, String)> {
    fn add(command: &mut clap::Command, out: &mut Vec<(String, String)>) {
        out.push((
            command.get_name().to_owned(),
            command.render_long_help().to_string(),
        ));
        command
            .get_subcommands_mut()
            .for_each(|command| add(command, out));
    }
    let mut out = Vec::new();
    add(&mut <Cli as clap::CommandFactory>::command(), &mut out);
    out
}

#[test]
fn the_command_line_is_well_formed() {
    <Cli as clap::CommandFactory>::command().debug_assert();
}

#[test]
fn every_help_has_an_example() {
    // `help` is clap's own; `print` only leads to its subcommands, which have theirs.
    for (name, help) in helps()
        .into_iter()
        .filter(|(name, _)| !["print", "help"].contains(&name.as_str()))
    {
        assert!(help.contains("Example"), "{name}:\n{help}");
    }
}

#[test]
fn every_flag_of_a_key_is_there() {
    let help: String = helps().into_iter().map(|(_, help)| help).collect();
    let documented = config::documentation();
    let flags: Vec<&str> = documented
        .split('`')
        .filter(|word| word.starts_with("--") && !word.contains(' '))
        .collect();
    assert!(flags.len() >= 9, "{flags:?}");
    for flag in flags {
        let is_there = [" <", "\n"]
            .iter()
            .any(|after| help.contains(&format!("{flag}{after}")));
        assert!(is_there, "{flag}");
    }
}

#[test]
fn without_flags_the_defaults_hold() {
    let sources = vec![Source {
        paths: vec!["log".to_owned()],
        ..Source::default()
    }];
    assert_eq!(
        watch("log"),
        Ok(Settings {
            sources,
            ..Settings::default()
        })
    );
}

#[test]
fn every_flag_has_its_effect() {
    let settings = watch(
        "log - --state-dir s --web.listen-address 0.0.0.0:1 --web.listen-address [::1]:2 --cluster c --timezone -03:00 \
         --web.config.file w.yml --web.enable-lifecycle \
         --layout log4j --rules r --from end --once --poll-interval 2s --log.level debug --log.format json",
    )
    .unwrap();
    let source = Source {
        paths: vec!["log".to_owned(), "-".to_owned()],
        cluster: Some("c".to_owned()),
        cluster_from_path: None,
        timezone: Some(value::zone("-03:00").unwrap()),
        layout: Some("log4j".to_owned()),
    };
    let expected = Settings {
        sources: vec![source],
        state_dir: Some("s".into()),
        listen_addresses: vec!["0.0.0.0:1".parse().unwrap(), "[::1]:2".parse().unwrap()],
        web_config_file: Some("w.yml".into()),
        enable_lifecycle: true,
        rules_dir: Some("r".into()),
        read_from: ReadFrom::End,
        poll_interval: Some(Duration::from_secs(2)),
        log_level: tracing::Level::DEBUG,
        log_format: LogFormat::Json,
        ..Settings::default()
    };
    assert_eq!(settings, expected);
}

#[test]
fn flags_win_over_the_file_and_leave_the_rest_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("f.toml");
    let text = "[[source]]\npath = '/a'\ncluster_from_path = '/(?<cluster>.)'\ntimezone = 'UTC'\n\
                [[source]]\npath = '/b'\ncluster = 'b'\n[log]\nlevel = 'warn'\nformat = 'json'\n[state]\ndir = '/s'\n";
    std::fs::write(&file, text).unwrap();
    let file = file.display();

    let settings = watch(&format!("--config {file} --cluster c --log.level error")).unwrap();
    let clusters: Vec<_> = settings
        .sources
        .iter()
        .map(|s| (s.cluster.as_deref(), s.cluster_from_path.is_some()))
        .collect();
    assert_eq!(clusters, [(Some("c"), false), (Some("c"), false)]);
    assert_eq!(settings.sources[0].timezone, Some(TimeZone::UTC));
    assert_eq!(
        (settings.log_level, settings.log_format),
        (tracing::Level::ERROR, LogFormat::Json)
    );
    assert_eq!(settings.state_dir, Some("/s".into()));

    let settings = watch(&format!("/c --config {file}")).unwrap();
    assert_eq!(
        settings.sources,
        [Source {
            paths: vec!["/c".to_owned()],
            ..Source::default()
        }]
    );
}

#[test]
fn every_bad_command_line_gets_exactly_its_message() {
    for (line, message) in [
        (
            "",
            "nothing to watch: give a PATH, or a --config with a [[source]]",
        ),
        ("log --layout log5j", "--layout: unknown layout \"log5j\""),
        (
            "log --tiemzone UTC",
            "error: unexpected argument '--tiemzone' found",
        ),
        (
            "log --timezone Europe/Berln",
            "error: invalid value 'Europe/Berln' for '--timezone <ZONE>': unknown time zone \"Europe/Berln\"; did you mean \"Europe/Berlin\"?",
        ),
        (
            "log --web.listen-address :80",
            "error: invalid value ':80' for '--web.listen-address <IP:PORT>': \":80\" has no host; write \"0.0.0.0:80\" to listen on every interface",
        ),
        (
            "log --from middle",
            "error: invalid value 'middle' for '--from <start|end>': \"middle\" is none of \"start\", \"end\"",
        ),
        (
            "log --poll-interval 10",
            "error: invalid value '10' for '--poll-interval <DURATION>': \"10\" is no duration; write for example \"90s\", \"10m\", \"24h\" or \"7d\"",
        ),
        (
            "log --log.level loud",
            "error: invalid value 'loud' for '--log.level <LEVEL>': \"loud\" is none of \"error\", \"warn\", \"info\", \"debug\", \"trace\"",
        ),
        (
            "log --log.format xml",
            "error: invalid value 'xml' for '--log.format <FORMAT>': \"xml\" is none of \"text\", \"json\"",
        ),
        (
            "log --cluster",
            "error: a value is required for '--cluster <NAME>' but none was supplied",
        ),
        (
            "log --once --once",
            "error: the argument '--once' cannot be used multiple times",
        ),
        (
            "log --web.listen-address localhost:80",
            "error: invalid value 'localhost:80' for '--web.listen-address <IP:PORT>': \"localhost:80\" is no IP address with a port; write for example \"127.0.0.1:19249\"",
        ),
        (
            "log --timezone +5",
            "error: invalid value '+5' for '--timezone <ZONE>': \"+5\" is no offset from UTC; write for example \"+05:30\"",
        ),
        (
            "log --poll-interval 0s",
            "error: invalid value '0s' for '--poll-interval <DURATION>': \"0s\" must be longer than nothing",
        ),
        (
            "log --web.config.file",
            "error: a value is required for '--web.config.file <FILE>' but none was supplied",
        ),
        (
            "log --web.enable-lifecycle=yes",
            "error: unexpected value 'yes' for '--web.enable-lifecycle' found; no more were expected",
        ),
        (
            "log --config /nowhere/flinktail.toml",
            "/nowhere/flinktail.toml: cannot read the configuration: No such file or directory (os error 2)",
        ),
        (
            "log --state-dir",
            "error: a value is required for '--state-dir <DIR>' but none was supplied",
        ),
        (
            "log --rules",
            "error: a value is required for '--rules <DIR>' but none was supplied",
        ),
        (
            "log --cluster=",
            "error: a value is required for '--cluster <NAME>' but none was supplied",
        ),
        (
            "log --cluster a --cluster b",
            "error: the argument '--cluster <NAME>' cannot be used multiple times",
        ),
    ] {
        assert_eq!(watch(line).unwrap_err(), message, "{line}");
    }
}

#[test]
fn every_bad_command_gets_exactly_its_message() {
    for (line, message) in [
        ("wach log", "error: unrecognized subcommand 'wach'"),
        ("--watch log", "error: unexpected argument '--watch' found"),
        (
            "replay",
            "error: the following required arguments were not provided:",
        ),
        (
            "replay log --json --metrics",
            "error: the argument '--json' cannot be used with '--metrics'",
        ),
        (
            "replay log --state-dir s",
            "error: unexpected argument '--state-dir' found",
        ),
        ("explain a b", "error: unexpected argument 'b' found"),
        ("history a b", "error: unexpected argument 'b' found"),
        ("print", "Print what is built in, or what holds"),
        ("print rule", "error: unrecognized subcommand 'rule'"),
        (
            "print config --default --config f.toml",
            "error: the argument '--default' cannot be used with '--config <FILE>'",
        ),
        ("check --strict", "error: unexpected argument '--strict' found"),
    ] {
        let words = std::iter::once("flinktail").chain(line.split_whitespace());
        let error = Cli::try_parse_from(words).unwrap_err().to_string();
        assert_eq!(first_line(&error), message, "{line}");
    }
}
