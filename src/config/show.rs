//! Settings as a commented file, and the same table as documentation.

use super::Settings;
use super::keys::{PLAIN, RETENTION, SOURCE, STUCK, STUCK_OVERRIDE, Table};

/// Columns of the comments in a written file.
const WIDTH: usize = 100;

/// The settings as a file that reads back as the same settings; what is not set stands there as a comment.
#[must_use]
pub fn document(settings: &Settings) -> String {
    let mut out = String::from(
        "# The configuration of flinktail. Flags win over this file. `flinktail check FILE` tells all its problems.\n\
         # Durations: \"90s\", \"10m\", \"24h\", \"7d\", \"1h30m\".\n",
    );
    list_of_tables(&mut out, &SOURCE, &settings.sources);
    for table in PLAIN.iter().chain(&RETENTION).chain(&STUCK) {
        heading(&mut out, table.about, &format!("[{}]", table.name));
        keys(&mut out, table, settings, "");
    }
    list_of_tables(&mut out, &STUCK_OVERRIDE, &settings.thresholds.overrides);
    out
}

fn list_of_tables<T: Default>(out: &mut String, table: &Table<T>, elements: &[T]) {
    if elements.is_empty() {
        heading(out, table.about, &format!("# [[{}]]", table.name));
        keys(out, table, &T::default(), "# ");
    }
    for element in elements {
        heading(out, table.about, &format!("[[{}]]", table.name));
        keys(out, table, element, "");
    }
}

fn heading(out: &mut String, about: &str, line: &str) {
    out.push('\n');
    comment(out, about);
    out.push_str(line);
    out.push('\n');
}

/// `prefix` goes before what is set.
fn keys<T>(out: &mut String, table: &Table<T>, target: &T, prefix: &str) {
    for key in table.keys {
        comment(out, &about(key.about, key.flag));
        let shown = (key.show)(target, key.name);
        let (prefix, value) = shown
            .as_deref()
            .map_or(("# ", key.example), |value| (prefix, value));
        out.extend([prefix, key.name, " = ", value, "\n"]);
    }
}

fn about(about: &str, flag: &str) -> String {
    match flag {
        "" => about.to_owned(),
        "PATH" => format!("{about} On the command line: PATH."),
        flag => format!("{about} Flag: {flag}."),
    }
}

/// Words wrapped into comment lines.
fn comment(out: &mut String, text: &str) {
    let mut width = 0;
    for word in text.split_whitespace() {
        if width > 0 && width + 1 + word.chars().count() > WIDTH {
            out.push('\n');
            width = 0;
        }
        if width == 0 {
            out.push('#');
            width = 1;
        }
        out.push(' ');
        out.push_str(word);
        width += 1 + word.chars().count();
    }
    if width > 0 {
        out.push('\n');
    }
}

/// `docs/configuration.md`.
#[must_use]
pub fn documentation() -> String {
    let mut out = String::from(INTRODUCTION);
    let defaults = Settings::default();
    chapter(&mut out, &SOURCE, "[[", "]]", &super::Source::default());
    for table in PLAIN.iter().chain(&RETENTION).chain(&STUCK) {
        chapter(&mut out, table, "[", "]", &defaults);
    }
    chapter(
        &mut out,
        &STUCK_OVERRIDE,
        "[[",
        "]]",
        &crate::model::retention::Override::default(),
    );
    out.push_str("\n## The whole file\n\n`flinktail print config --default` prints it:\n\n```toml\n");
    out.push_str(&document(&defaults));
    out.push_str("```\n");
    out
}

const INTRODUCTION: &str = "\
# Configuration

<!-- Generated from the table of keys in src/config/keys.rs by `BLESS=1 cargo test config`; do not edit. -->

Everything works without a file: `flinktail watch PATH`. What flags cannot say, or what should stay, goes into one TOML
file: `flinktail watch --config flinktail.toml`. Flags win over the file.

* `flinktail check flinktail.toml` tells all its problems at once, each with line and column. Keys that do not exist are refused.
* `flinktail print config --default` prints a commented file with all defaults, `flinktail print config --config FILE`
  what holds with yours.
* Relative paths are relative to the directory of the file.
* Durations are whole numbers with a unit: `ms`, `s`, `m`, `h`, `d`, `w`; they add up (`\"1h30m\"`).

## Changes while running

SIGHUP has the file, and the rules of `[rules] dir`, read again; so does `POST /-/reload` where `[web] enable_lifecycle` is on. Flags
go on winning over the file. What holds from then on: sources, rules and layouts, thresholds, retention, `[watch]`, `[limits]` but
`connections`, and the bounds of history. What does not is said in the log, key by key, and needs a restart: `[web]`, `[log]`,
`[state] dir`, `connections`, and standard input as a new source. (The file that `[web] config_file` names is read again by itself.)

* No line is lost or read twice. A log that no source means any more is closed: its jobs are UNKNOWN, its position is kept, and
  when a source means it again it goes on from there.
* A log whose cluster changes goes on under the new one; its jobs of the old one are UNKNOWN from then on.
* A file with mistakes changes nothing: all of them are told in the log (and to whoever posted), and
  `flinktail_config_last_reload_successful` is 0 until one is accepted.
* Asked for while the backlog of the start is being read, it is judged at once and holds when that has been read.
";

fn chapter<T>(out: &mut String, table: &Table<T>, open: &str, close: &str, defaults: &T) {
    let flags = table.keys.iter().any(|key| !key.flag.is_empty());
    let meaning = table.keys.iter().any(|key| !key.about.is_empty());
    let mut rows = vec![row(
        "key",
        "takes",
        "default",
        flags.then_some("flag"),
        meaning.then_some("meaning"),
    )];
    rows.push(row(
        "---",
        "---",
        "---",
        flags.then_some("---"),
        meaning.then_some("---"),
    ));
    for key in table.keys {
        let default = (key.show)(defaults, key.name).map_or_else(String::new, |value| format!("`{value}`"));
        let flag = if key.flag.is_empty() {
            String::new()
        } else {
            format!("`{}`", key.flag)
        };
        let name = format!("`{}`", key.name);
        rows.push(row(
            &name,
            key.takes,
            &default,
            flags.then_some(&flag),
            meaning.then_some(key.about),
        ));
    }
    out.extend([
        "\n## `",
        open,
        table.name,
        close,
        "`\n\n",
        table.about,
        "\n\n",
        &rows.concat(),
    ]);
}

fn row(name: &str, takes: &str, default: &str, flag: Option<&str>, meaning: Option<&str>) -> String {
    let cells = [Some(name), Some(takes), Some(default), flag, meaning];
    let cells: Vec<String> = cells
        .into_iter()
        .flatten()
        .map(|cell| cell.replace('|', "\\|"))
        .collect();
    format!("| {} |\n", cells.join(" | "))
}
