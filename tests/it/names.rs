//! Rules, runbooks, dashboards and documentation name no metric, label, flag or alert that does not exist, and miss
//! none.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use flinktail::expose::catalog::{Kind, families};
use regex::Regex;

use crate::repository::{check_none, files, read};

/// Words that begin as metrics do: kinds of entities, as in `[retention.flink_job]`, and events that rules tell of.
const NO_METRICS: [&str; 6] = [
    "flink_job",
    "kda_application",
    "vvp_job",
    "flink_deployment",
    "process_started",
    "process_ending",
];

/// Endings of files that are read: pictures are not.
const TEXTS: [&str; 3] = ["md", "yml", "json"];

/// Labels that Prometheus adds.
const SCRAPE_LABELS: [&str; 4] = ["job", "instance", "le", "__name__"];

/// Programs of others: the flags on lines that name them are theirs.
const FOREIGN: &str = r"\b(amtool|promtool|tests/soak|prometheus|cargo|docker|kubectl|curl|git|systemctl|journalctl|aws|helm|ls)\b";

/// Sections of every runbook.
const SECTIONS: [&str; 4] = ["## See it", "## What it means", "## What to do", "## Silence it"];

/// Where a runbook is read.
const RUNBOOKS: &str = "https://github.com/flinktail/flinktail/blob/main/docs/runbooks/";

/// Each file below these folders, by its path, with its text.
fn texts(folders: &[&str]) -> Vec<(String, String)> {
    let paths = folders.iter().flat_map(|folder| files(folder));
    paths
        .filter(|path| {
            path.extension()
                .is_some_and(|ending| TEXTS.iter().any(|known| ending == *known))
        })
        .map(|path| (path.display().to_string(), read(&path)))
        .collect()
}

/// Every match of a pattern's first group.
fn all(pattern: &str, text: &str) -> BTreeSet<String> {
    let pattern = Regex::new(pattern).unwrap();
    let found = pattern.captures_iter(text);
    found.map(|groups| groups[1].to_owned()).collect()
}

/// The names that series of the catalogue have.
fn metrics() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for family in families() {
        if family.kind == Kind::Histogram {
            names.extend(["_bucket", "_sum", "_count"].map(|end| format!("{}{end}", family.name)));
        }
        names.insert(family.name.to_owned());
    }
    names
}

fn labels() -> BTreeSet<String> {
    let own = families().flat_map(|family| family.labels.iter().copied());
    own.chain(SCRAPE_LABELS).map(str::to_owned).collect()
}

/// Names that are used somewhere and do not exist, as `file: name`.
fn strangers(texts: &[(String, String)], pattern: &str, known: &BTreeSet<String>) -> Vec<String> {
    let used = texts
        .iter()
        .flat_map(|(path, text)| all(pattern, text).into_iter().map(move |name| (path, name)));
    used.filter(|(_, name)| !known.contains(name))
        .map(|(path, name)| format!("{path}: {name}"))
        .collect()
}

#[test]
fn every_metric_that_is_named_exists() {
    let mut known = metrics();
    known.extend(labels());
    known.extend(NO_METRICS.map(str::to_owned));
    let texts = texts(&["docs", "rules/recording", "rules/alerts", "dashboards"]);
    // Not after a colon: those are recorded series, held below.
    let pattern = r"(?:^|[^a-z0-9_:/.-])((?:flink|flinktail|kda|vvp|process)_[a-z0-9_]*[a-z0-9])\b";
    check_none("no such metric", &strangers(&texts, pattern, &known));
}

#[test]
fn every_metric_is_documented() {
    let page = read(Path::new("docs/metrics.md"));
    let documented = all(r"(?m)^### `([a-z0-9_]+)`$", &page);
    let missing = families()
        .map(|family| family.name.to_owned())
        .filter(|name| !documented.contains(name))
        .collect::<Vec<_>>();
    check_none("not in docs/metrics.md", &missing);
}

#[test]
fn every_recorded_series_is_made_and_used() {
    let rules = texts(&["rules/recording"]);
    let records = rules.iter().map(|(_, text)| all(r"(?m)- record: (\S+)$", text));
    let made: BTreeSet<String> = records.flatten().collect();
    let everywhere = texts(&["docs", "rules/recording", "rules/alerts", "dashboards"]);
    let pattern = r"\b(fleet:[a-z0-9_:]+)";
    check_none("nobody records", &strangers(&everywhere, pattern, &made));

    let asked = texts(&["rules/recording", "rules/alerts", "dashboards"]);
    let unused = made.into_iter().filter(|name| {
        let uses = asked.iter().map(|(_, text)| text.matches(name.as_str()).count());
        uses.sum::<usize>() < 2
    });
    check_none("nobody uses", &unused.collect::<Vec<_>>());
}

#[test]
fn every_label_of_rules_and_dashboards_exists() {
    let known = labels();
    let texts = texts(&["rules/recording", "rules/alerts", "dashboards"]);
    for pattern in [r"\$labels\.([a-z_]+)", r#"[{,]\s*([a-z_]+)(?:=~|!~|!=|=)\\?""#] {
        check_none("no such label", &strangers(&texts, pattern, &known));
    }
    let mut listed = Vec::new();
    for (path, text) in &texts {
        for list in all(
            r"\b(?:by|on|without|ignoring|group_left|group_right) ?\(([a-z_, ]*)\)",
            text,
        ) {
            let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
            listed.extend(
                names
                    .filter(|name| !known.contains(*name))
                    .map(|name| format!("{path}: {name}")),
            );
        }
    }
    check_none("no such label", &listed);
}

/// What `--help` says of a command.
fn help(command: &[&str]) -> String {
    let mut flinktail = Command::new(env!("CARGO_BIN_EXE_flinktail"));
    // No terminal, no width of one: clap then wraps at its own.
    let help = flinktail
        .args(command)
        .arg("--help")
        .env_remove("COLUMNS")
        .output()
        .unwrap();
    String::from_utf8(help.stdout).unwrap()
}

/// The commands that a help page lists, in its order.
fn commands_below(help: &str) -> Vec<String> {
    let below = help.split_once("Commands:\n").map_or("", |(_, rest)| rest);
    let names = below.lines().take_while(|line| !line.is_empty());
    let names = names.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    // What a long description goes on with is indented further, and begins with nothing.
    let own = names.filter(|name| !name.is_empty() && *name != "help");
    own.map(str::to_owned).collect()
}

/// The flags of a command and of those below it.
fn flags(command: &[&str]) -> BTreeSet<String> {
    let help = help(command);
    let mut known = all(r"(?m)^ +(?:-\w, )?--([a-z.-]+)", &help);
    for name in commands_below(&help) {
        known.append(&mut flags(&[command, &[&*name]].concat()));
    }
    known
}

#[test]
fn every_flag_that_is_named_exists() {
    let known = flags(&[]);
    let foreign = Regex::new(FOREIGN).unwrap();
    let mut texts = texts(&["docs", "deploy"]);
    for (_, text) in &mut texts {
        let own = text.lines().filter(|line| !foreign.is_match(line));
        *text = own.collect::<Vec<_>>().join("\n");
    }
    let pattern = r"(?:^|[\s`'(\[])--([a-z][a-z.-]*[a-z])";
    check_none("no such flag", &strangers(&texts, pattern, &known));
}

/// The names of all alerts.
fn alerts() -> BTreeSet<String> {
    let rules = texts(&["rules/alerts"]);
    rules
        .iter()
        .flat_map(|(_, text)| all(r"(?m)- alert: (\w+)$", text))
        .collect()
}

#[test]
fn every_alert_has_its_runbook_and_every_runbook_its_alert() {
    let alerts = alerts();
    assert!(alerts.len() >= 18, "{} alerts", alerts.len());
    let linked = texts(&["rules/alerts"]);
    let urls = linked
        .iter()
        .flat_map(|(_, text)| all(r"(?m)runbook_url: (\S+)$", text));
    let expected = alerts.iter().map(|name| format!("{RUNBOOKS}{name}.md"));
    assert_eq!(urls.collect::<BTreeSet<_>>(), expected.collect());

    let mut pages = BTreeSet::new();
    for (path, text) in texts(&["docs/runbooks"]) {
        let name = path.trim_start_matches("docs/runbooks/").trim_end_matches(".md");
        if name == "README" {
            assert_eq!(all(r"(?m)^\| \[(\w+)\]", &text), alerts, "the list in {path}");
            continue;
        }
        pages.insert(name.to_owned());
        assert!(
            text.starts_with(&format!("# {name}\n")),
            "{path} has another title"
        );
        for section in SECTIONS {
            assert!(text.contains(section), "{path} lacks {section}");
        }
    }
    assert_eq!(pages, alerts);
}

#[test]
fn every_alert_is_tested_and_carries_what_a_page_needs() {
    let tests = texts(&["tests/alerts"]);
    let fired = |name: &str, outcome: &str| {
        let pattern = format!(r"alertname: {name}\n +exp_alerts:{outcome}");
        let pattern = Regex::new(&pattern).unwrap();
        tests.iter().any(|(_, text)| pattern.is_match(text))
    };
    let mut offences = Vec::new();
    for name in alerts() {
        for (outcome, what) in [
            (r" &\w+\n", "is never seen firing"),
            (r" \[\]\n", "is never seen silent"),
        ] {
            if !fired(&name, outcome) {
                offences.push(format!("{name} {what}"));
            }
        }
    }
    for (path, text) in texts(&["rules/alerts"]) {
        let rules = text.split("      - alert: ").skip(1);
        for rule in rules {
            for key in ["severity: ", "summary: ", "description: ", "runbook_url: "] {
                if rule.matches(key).count() != 1 {
                    offences.push(format!("{path}: {} lacks {key}", rule.lines().next().unwrap()));
                }
            }
        }
    }
    check_none("alerts", &offences);
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    let mut broken = Vec::new();
    for (path, text) in texts(&["docs", "deploy"]) {
        for target in all(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", &text) {
            let beside = Path::new(&path).with_file_name(&target);
            if !fs::exists(Path::new(env!("CARGO_MANIFEST_DIR")).join(beside)).unwrap() {
                broken.push(format!("{path}: {target}"));
            }
        }
    }
    check_none("links to nothing", &broken);
}

/// Every help page of a command and of those below it.
fn write_help(command: &[&str], page: &mut String) {
    let text = help(command);
    let name = ["flinktail"]
        .iter()
        .chain(command)
        .copied()
        .collect::<Vec<_>>()
        .join(" ");
    writeln!(page, "\n## {name}\n\n```text\n{}\n```", text.trim_end()).unwrap();
    for below in commands_below(&text) {
        write_help(&[command, &[&*below]].concat(), page);
    }
}

#[test]
fn every_flag_is_documented() {
    let mut page = String::from(
        "# The command line\n\nWhat `--help` says of every command. Generated; a test keeps it equal (`BLESS=1 cargo test` writes it anew).\n",
    );
    write_help(&[], &mut page);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/command-line.md");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap();
    assert!(
        kept == page,
        "docs/command-line.md is out of date: BLESS=1 cargo test writes it anew"
    );
}
