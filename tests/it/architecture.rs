//! Holds the direction of dependencies: what each module may know, and that the core touches nothing outside itself.
//!
//! The sources are read as text. Comments and tests are left out: a link in a comment binds nothing, and a test may
//! build its input with any part of the program.

use std::collections::BTreeSet;
use std::path::Path;

use crate::repository::sources;

/// A module, and the modules, or parts of them, that it may name. A module may always name its own parts.
const MAY_KNOW: [(&str, &[&str]); 12] = [
    ("line", &[]),
    ("problem", &[]),
    ("stats", &["line"]),
    ("scan", &[]),
    // What a document tells needs no rules: its fields say what they are.
    ("decode", &["line", "problem", "stats", "model"]),
    (
        "rules",
        &[
            "line",
            "problem",
            "decode::record",
            "model::event",
            "model::flink_deployment",
            "model::flink_job",
            "model::name",
            "model::state",
        ],
    ),
    ("model", &["line"]),
    (
        "pipeline",
        &["line", "problem", "stats", "scan", "decode", "rules", "model"],
    ),
    ("tail", &["line", "stats"]),
    ("store", &["line", "stats", "model", "pipeline", "tail"]),
    ("expose", &["line", "stats", "model", "observe"]),
    ("observe", &[]),
];

/// These bind the rest together and may know all of it.
const MAY_KNOW_ALL: [&str; 5] = ["lib", "main", "app", "cli", "config"];

/// Modules without I/O, clock or threads: time and bytes are arguments.
const CORE: [&str; 8] = [
    "line", "problem", "stats", "scan", "decode", "rules", "model", "pipeline",
];

/// What the core must not name, each with what it would be.
const OUTSIDE: [(&str, &str); 14] = [
    ("std::fs", "I/O"),
    ("std::net", "I/O"),
    ("std::io::stdin", "I/O"),
    ("std::io::stdout", "I/O"),
    ("std::io::stderr", "I/O"),
    ("std::process", "I/O"),
    ("std::env", "surroundings"),
    ("std::thread", "threads"),
    ("tokio", "threads"),
    ("tracing::", "I/O"),
    ("SystemTime", "clock"),
    ("Instant::now", "clock"),
    ("Timestamp::now", "clock"),
    ("TimeZone::system", "surroundings"),
];

#[test]
fn dependencies_go_one_way() {
    let mut offences = Vec::new();
    for (path, text) in sources("src") {
        let modules = module_path(&path);
        let top = modules[0].as_str();
        if is_tests(&modules) || MAY_KNOW_ALL.contains(&top) {
            continue;
        }
        let Some((_, allowed)) = MAY_KNOW.iter().find(|(module, _)| *module == top) else {
            offences.push(format!(
                "{}: a new module: say in MAY_KNOW what it may know",
                path.display()
            ));
            continue;
        };
        for named in named_paths(&code(&text), &modules) {
            let known = [top]
                .iter()
                .chain(*allowed)
                .any(|allowed| is_within(&named, allowed));
            if !known {
                offences.push(format!("{}: {named}", path.display()));
            }
        }
    }
    assert!(
        offences.is_empty(),
        "named against the direction of dependencies:\n  {}",
        offences.join("\n  ")
    );
}

#[test]
fn the_core_touches_nothing_outside_itself() {
    let mut offences = Vec::new();
    for (path, text) in sources("src") {
        let modules = module_path(&path);
        if is_tests(&modules) || !CORE.contains(&modules[0].as_str()) {
            continue;
        }
        let code = code(&text);
        let outside = OUTSIDE.iter().filter(|(word, _)| code.contains(word));
        offences.extend(outside.map(|(word, what)| format!("{}: {word} ({what})", path.display())));
    }
    assert!(
        offences.is_empty(),
        "outside of the core:\n  {}",
        offences.join("\n  ")
    );
}

/// `src/model/event.rs` is `model`, `event`.
fn module_path(path: &Path) -> Vec<String> {
    let inside = path.strip_prefix("src").unwrap().with_extension("");
    inside
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect()
}

fn is_tests(modules: &[String]) -> bool {
    modules
        .iter()
        .any(|module| module == "tests" || module.ends_with("_tests"))
}

/// The text without comments, and up to the tests that end a file.
fn code(text: &str) -> String {
    let tests = text.find("\n#[cfg(test)]\nmod ").unwrap_or(text.len());
    text[..tests]
        .lines()
        .map(|line| line.split("//").next().unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Whether a path is a module or part of it: `a::b` is within `a`, and `ab` is not.
fn is_within(named: &str, allowed: &str) -> bool {
    named
        .strip_prefix(allowed)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The paths within this crate that code in a module names, from the root: `crate::a::{b, c::D}` names `a::b` and
/// `a::c::D`, `super::` is resolved.
fn named_paths(code: &str, modules: &[String]) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (start, root) in ["crate::", "super::"]
        .iter()
        .flat_map(|word| code.match_indices(word))
    {
        let before = &code[..start];
        if before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let base = if root == "crate::" {
            &[][..]
        } else {
            &modules[..modules.len() - 1]
        };
        let mut rest = &code[start + root.len()..];
        collect(&mut rest, &mut base.to_vec(), &mut named);
    }
    named
}

/// Reads one use tree or path from the front of `rest`, below `base`.
fn collect(rest: &mut &str, base: &mut Vec<String>, named: &mut BTreeSet<String>) {
    loop {
        *rest = rest.trim_start();
        if let Some(group) = rest.strip_prefix('{') {
            *rest = group;
            while !rest.trim_start().starts_with('}') && !rest.is_empty() {
                collect(rest, &mut base.clone(), named);
                *rest = rest.trim_start().trim_start_matches(',');
            }
            *rest = rest.trim_start().strip_prefix('}').unwrap_or("");
            return;
        }
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '*')
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        match word {
            "super" => drop(base.pop()),
            "self" | "*" => {}
            _ => base.push(word.to_owned()),
        }
        *rest = after;
        let Some(deeper) = rest.strip_prefix("::") else {
            break;
        };
        if deeper.starts_with('<') {
            break;
        }
        *rest = deeper;
    }
    // Within a group what ends an item may be renamed; skip to the next separator.
    if let Some(renamed) = rest.strip_prefix(" as ") {
        *rest = renamed.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
    }
    if !base.is_empty() {
        named.insert(base.join("::"));
    }
}

#[cfg(test)]
mod tests {
    use super::{code, is_within, named_paths};

    fn check(module: &[&str], text: &str, expected: &[&str]) {
        let modules: Vec<String> = module.iter().map(|part| (*part).to_owned()).collect();
        let named = named_paths(&code(text), &modules);
        assert_eq!(
            named.iter().map(String::as_str).collect::<Vec<_>>(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn the_paths_that_code_names_are_found() {
        check(&["tail"], "use crate::line::LogId;", &["line::LogId"]);
        check(
            &["tail"],
            "use crate::model::{self, event::{Cause, Seen as S}, Fleet};\nlet x = crate::app::run();",
            &[
                "app::run",
                "model",
                "model::Fleet",
                "model::event::Cause",
                "model::event::Seen",
            ],
        );
        check(
            &["tail"],
            "use crate::{\n    line,\n    stats::*,\n};",
            &["line", "stats"],
        );
        check(
            &["tail", "file"],
            "use super::gz;\nuse super::super::app;\nfn f() -> crate::a::B<u8> {}",
            &["a::B", "app", "tail::gz"],
        );
        check(
            &["tail"],
            "use super::app; let v = crate::a::parse::<u8>();",
            &["a::parse", "app"],
        );
    }

    #[test]
    fn comments_and_tests_name_nothing() {
        check(
            &["line"],
            "//! see [`crate::app`]\nfn f() {} // crate::cli\n",
            &[],
        );
        check(
            &["line"],
            "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    use crate::app;\n}\n",
            &[],
        );
    }

    #[test]
    fn part_of_a_module_is_within_it() {
        for (named, allowed, expected) in [
            ("model::event::Cause", "model", true),
            ("model::event::Cause", "model::event::Cause", true),
            ("model::event", "model::event::Cause", false),
            ("modelling", "model", false),
        ] {
            assert_eq!(is_within(named, allowed), expected, "{named} within {allowed}");
        }
    }
}
