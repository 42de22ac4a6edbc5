//! The built-in rules as a set, how a set answers, and what is said of bad rule files.

use std::path::Path;

use super::{BUILTIN, Finding, LastLogger, Matched, Refusal, RuleSet};
use crate::decode::record::Record;
use crate::line::JobId;
use crate::model::event::Event;
use crate::model::flink_job::JobState;

const ID: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
const GRAPH: &str = "org.apache.flink.runtime.executiongraph.ExecutionGraph";
const RUNNING: &str = "Job orders (0a1b2c3d4e5f60718293a4b5c6d7e8f9) switched from state CREATED to RUNNING.";

fn record<'a>(logger: &'a str, message: &'a str) -> Record<'a> {
    Record {
        at: None,
        level: None,
        logger: logger.as_bytes().into(),
        message: message.as_bytes().into(),
        mdc_job: None,
        deployment: None,
        cause: None,
    }
}

fn running() -> Event {
    Event::JobTransition {
        job: JobId::parse(ID.as_bytes()).unwrap(),
        name: "orders".into(),
        from: JobState::Created,
        to: JobState::Running,
    }
}

#[test]
fn the_built_in_rules_are_proved() {
    if let Err(problems) = RuleSet::builtin() {
        let shown: Vec<_> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", shown.join("\n"));
    }
}

#[test]
fn every_rule_file_is_embedded() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<String> = std::fs::read_dir(root.join("rules/parse"))
        .unwrap()
        .map(|entry| {
            format!(
                "rules/parse/{}",
                entry.unwrap().file_name().into_string().unwrap()
            )
        })
        .collect();
    files.sort();
    assert!(files.iter().eq(BUILTIN.iter().map(|(file, _)| file)), "{files:?}");
}

#[test]
fn the_logger_decides_before_the_words() {
    let set = RuleSet::builtin().unwrap();
    for (logger, shortened, believed) in [
        (GRAPH, false, true),
        (GRAPH, true, true),
        ("ExecutionGraph", true, true),
        ("o.a.f.r.e.ExecutionGraph", true, true),
        ("ExecutionGraph", false, false),
        ("com.acme.ExecutionGraph", true, false),
        ("org.apache.flink.runtime.jobmaster.JobMaster", false, false),
        ("", true, false),
    ] {
        let record = record(logger, RUNNING);
        let matched = set.event(&record, shortened);
        let explained = set.explain(&record, shortened);
        let [(rule, finding)] = &explained[..] else {
            panic!("{logger}: {explained:?}")
        };
        assert_eq!(set.rule(*rule).unwrap().id(), "job.transition");
        if believed {
            assert_eq!(
                matched,
                Matched::Event {
                    rule: *rule,
                    event: running(),
                    wants_cause: true
                },
                "{logger}"
            );
            assert_eq!(*finding, Finding::Event(running()), "{logger}");
        } else {
            assert_eq!(matched, Matched::No, "{logger}");
            assert_eq!(*finding, Finding::Refused(Refusal::WrongLogger), "{logger}");
        }
    }
}

#[test]
fn a_record_may_be_unfinished_unknown_or_without_meaning() {
    let set = RuleSet::builtin().unwrap();
    let hibernating = format!("Job orders ({ID}) switched from state CREATED to HIBERNATING.");
    let suspended = format!("Job {ID} has been suspended.");
    assert_eq!(set.event(&record(GRAPH, "Job two"), false), Matched::Maybe);
    assert_eq!(set.event(&record(GRAPH, "Deploying task"), false), Matched::No);
    assert_eq!(set.event(&record(GRAPH, &suspended), false), Matched::No);
    let unknown = set.event(&record(GRAPH, &hibernating), false);
    let Matched::Refused { why, .. } = unknown else {
        panic!("{unknown:?}")
    };
    assert_eq!(why, Refusal::UnknownState("HIBERNATING".into()));
}

#[test]
fn names_that_are_no_utf8_are_read_lossily() {
    let set = RuleSet::builtin().unwrap();
    let message = [
        b"Job caf\xe9 (".as_slice(),
        ID.as_bytes(),
        b") switched from state CREATED to RUNNING.",
    ]
    .concat();
    let record = Record {
        message: message.into(),
        ..record(GRAPH, "")
    };
    let Matched::Event {
        event: Event::JobTransition { name, .. },
        ..
    } = set.event(&record, false)
    else {
        panic!("no event")
    };
    assert_eq!(&*name, "caf\u{fffd}");
}

#[test]
fn literals_are_few_and_find_every_rule_that_says_something() {
    let set = RuleSet::builtin().unwrap();
    let literals = set.literals();
    // The search has eight buckets, and each literal more makes it stop more often (see `scan`).
    assert!(literals.len() <= 11, "{literals:?}");
    for rule in set.rules().filter(|rule| rule.says_something()) {
        let own = rule.literal.as_deref().unwrap();
        assert!(
            literals.iter().any(|literal| own.contains(literal)),
            "{}",
            rule.id()
        );
    }
}

/// A good rule file of one rule, to be made worse.
fn file(rule: &str) -> String {
    format!("schema = 1\nproduct = \"acme\"\nupstream = \"acme\"\n\n[[rule]]\n{rule}")
}

fn good_rule(id: &str) -> String {
    format!(
        r#"id = "{id}"
emit = "job_recovered"
about = "Our own launcher."
loggers = ["com.acme.Launcher"]
literal = "Relaunched "
message = 'Relaunched {{job}}.'

[[rule.test]]
name = "a launch"
message = 'Relaunched 0a1b2c3d4e5f60718293a4b5c6d7e8f9.'
expect = {{ job = "0a1b2c3d4e5f60718293a4b5c6d7e8f9" }}

[[rule.test]]
name = "no id"
message = 'Relaunched x.'
reject = true
"#
    )
}

fn with(text: String) -> Result<RuleSet, Vec<String>> {
    RuleSet::with_user(&[("user.toml".into(), text)])
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn a_user_rule_is_added_or_replaces_the_built_in_one_of_its_id() {
    let builtin = RuleSet::builtin().unwrap().rules().len();
    let added = with(file(&good_rule("acme.launch"))).unwrap();
    assert_eq!(added.rules().len(), builtin + 1);
    assert!(added.literals().contains(&"Relaunched "));

    let replaced = with(file(&good_rule("job.transition"))).unwrap();
    assert_eq!(replaced.rules().len(), builtin);
    assert_eq!(replaced.event(&record(GRAPH, RUNNING), false), Matched::No);
    let relaunched = format!("Relaunched {ID}.");
    let matched = replaced.event(&record("com.acme.Launcher", &relaunched), false);
    assert!(
        matches!(
            matched,
            Matched::Event {
                event: Event::JobRecovered { .. },
                ..
            }
        ),
        "{matched:?}"
    );
}

/// Replaces a part of the good rule file; the problems must be these.
#[track_caller]
fn check(what: &str, by: &str, expected: &[&str]) {
    let text = file(&good_rule("acme.launch"));
    assert!(text.contains(what), "{what}");
    let problems = with(text.replacen(what, by, 1)).map(|_| ()).unwrap_err();
    let as_expected = problems.len() == expected.len()
        && problems
            .iter()
            .zip(expected)
            .all(|(problem, expected)| problem.starts_with(expected));
    assert!(as_expected, "\n{problems:#?}\nbut expected\n{expected:#?}");
}

#[test]
fn problems_of_form_are_told_with_their_place() {
    check(
        "schema = 1",
        "schema = 2",
        &["user.toml:1:10: `schema` must be 1"],
    );
    check(
        "product = \"acme\"\n",
        "",
        &["user.toml:1:1: a rule file needs `product`"],
    );
    check(
        "about",
        "abuot",
        &[
            "user.toml:5:1: a rule needs `about`",
            "user.toml:8:1: a rule has no key `abuot`",
        ],
    );
    check(
        "loggers = [\"com.acme.Launcher\"]",
        "loggers = 7",
        &[
            "user.toml:5:1: a rule needs `loggers`",
            "user.toml:9:11: `loggers` must be a list of strings",
        ],
    );
    check(
        "literal",
        "follow = \"x\"\nliteral",
        &["user.toml:10:10: `follow` can only be \"cause\""],
    );
    check(
        "literal",
        "levels = [\"LOUD\"]\nliteral",
        &["user.toml:10:11: levels are TRACE"],
    );
    check(
        "reject = true",
        "",
        &[
            "user.toml:5:1: `acme.launch` needs a test with `reject = true`",
            "user.toml:18:1: a test needs either",
        ],
    );
    check(
        "message = 'Relaunched {job}.'\n",
        "",
        &["user.toml:5:1: a rule needs either `message` or `regex`"],
    );
    check(
        "\"com.acme.Launcher\"]",
        "\"com.acme.Launcher\"",
        &["user.toml:10:1: missing comma"],
    );
    check(
        "[[rule]]",
        "[rule]",
        &["user.toml:5:1: `rule` must be written `[[rule]]`"],
    );
}

#[test]
fn problems_of_content_are_told_with_their_place() {
    check(
        "job_recovered",
        "job_recoverd",
        &["user.toml:7:8: `job_recoverd` is nothing a rule can emit"],
    );
    check(
        "job_recovered",
        "graph_created",
        &["user.toml:7:8: `graph_created` needs the field `graph`"],
    );
    check(
        "job_recovered",
        "global_failure",
        &["user.toml:7:8: `global_failure` has no field `job`"],
    );
    check("{job}.", "{job.", &["user.toml:11:23: `{` without `}`"]);
    check("{job}.'", "{jib}.'", &["user.toml:11:23: unknown hole `{jib}`"]);
    check(
        "message = 'Relaunched {job}.'",
        "regex = 'Relaunched (?<job>.*'",
        &["user.toml:11:21: bad regex: unclosed group"],
    );
    check(
        "message = 'Relaunched {job}.'",
        "regex = '(?<jib>.*)'",
        &["user.toml:11:9: no field is called `jib`"],
    );
    check(
        "literal = \"Relaunched \"\n",
        "",
        &["user.toml:5:1: a rule needs a `literal`"],
    );
    check(
        "\"Relaunched \"",
        "\"Reborn or so\"",
        &["user.toml:10:11: the literal is neither part of the message's fixed text"],
    );
    check(
        "\"Relaunched \"",
        "\"Rela\"",
        &["user.toml:10:11: a literal has at least 5 bytes"],
    );
}

#[test]
fn tests_that_fail_are_told_with_their_place() {
    let second = format!(
        "{}\n[[rule]]\n{}",
        good_rule("acme.launch"),
        good_rule("acme.launch")
    );
    assert_eq!(
        with(file(&second)).map(|_| ()).unwrap_err(),
        ["user.toml:24:6: a second rule with the id `acme.launch`"]
    );
    let other = format!(
        "{}\n[[rule]]\n{}",
        good_rule("acme.launch"),
        good_rule("acme.other")
    );
    let twice = "test \"a launch\": matches more than one rule: acme.launch, acme.other";
    assert_eq!(
        with(file(&other)).map(|_| ()).unwrap_err(),
        [
            format!("user.toml:13:1: {twice}"),
            format!("user.toml:31:1: {twice}")
        ]
    );
    check(
        "'Relaunched x.'",
        &format!("'Relaunched {ID}.'"),
        &["user.toml:18:1: test \"no id\": must not match, but does"],
    );
    check(
        &format!("'Relaunched {ID}.'"),
        "'Relaunched.'",
        &["user.toml:13:1: test \"a launch\": does not match"],
    );
    check(
        "expect = { job = \"0a",
        "expect = { job = \"00",
        &["user.toml:13:1: test \"a launch\": captures are { job = "],
    );
    check(
        "expect = ",
        "#",
        &[
            "user.toml:5:1: `acme.launch` needs a test with `expect`",
            "user.toml:13:1: a test needs either",
        ],
    );
    check(
        "reject = true",
        "expect = {}",
        &[
            "user.toml:5:1: `acme.launch` needs a test with `reject = true`",
            "user.toml:18:1: test \"no id\": does not match",
        ],
    );
}

#[test]
fn regexes_are_anchored_and_take_any_bytes() {
    let regex = "regex = 'Relaunched .*? (?<job>[0-9a-f]{32})|again (?<job2>x)'";
    check(
        "message = 'Relaunched {job}.'",
        regex,
        &["user.toml:11:9: no field is called `job2`"],
    );
    let rule = good_rule("acme.launch").replace(
        "message = 'Relaunched {job}.'",
        "regex = '''\nRelaunched .*?(?<job>[0-9a-f]{32})|x'''",
    );
    let set = with(file(&rule)).unwrap();
    for (message, matches) in [
        (format!("Relaunched caf\u{e9} {ID}"), true),
        (format!("not Relaunched {ID}"), false),
        ("so x".into(), false),
    ] {
        let matched = set.event(&record("com.acme.Launcher", &message), false);
        assert_eq!(
            matches!(matched, Matched::Event { .. }),
            matches,
            "{message}: {matched:?}"
        );
    }
}

#[test]
fn the_logger_asked_about_last_changes_no_answer() {
    let set = RuleSet::builtin().unwrap();
    let mut last = LastLogger::default();
    for (logger, shortened) in [
        (GRAPH, false),
        (GRAPH, false),
        ("com.acme.Job", false),
        ("", false),
        ("ExecutionGraph", false),
        ("ExecutionGraph", true),
        (GRAPH, true),
        ("com.acme.ExecutionGraph", true),
    ] {
        let record = record(logger, RUNNING);
        let answer = set.event_after(&mut last, &record, shortened);
        assert_eq!(answer, set.event(&record, shortened), "{logger}");
    }
}
