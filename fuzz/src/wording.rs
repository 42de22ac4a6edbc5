//! What records mean: the built-in rules over any text, and rule and layout files that a user wrote.

use std::borrow::Cow;
use std::sync::LazyLock;

use flinktail::decode::layouts::Layouts;
use flinktail::decode::record::{Level, Record};
use flinktail::rules::{Finding, Matched, RuleSet};
use flinktail::scan::Scanner;

use super::{choice, wording};

/// A logger of Flink's and a message: what it means does not depend on who asks, and is not given up on before it is whole.
pub fn rules(data: &[u8]) {
    static LOGGERS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let mut loggers: Vec<String> = wording()
            .rules
            .rules()
            .flat_map(|rule| rule.loggers().map(str::to_owned))
            .collect();
        loggers.sort();
        loggers.dedup();
        loggers
    });
    static SCANNER: LazyLock<Scanner> = LazyLock::new(|| Scanner::new(&wording().rules.literals()).unwrap());
    let (logger, message) = choice(data);
    let logger = LOGGERS[logger % LOGGERS.len()].as_bytes();
    let rules = &wording().rules;
    let ask = |message| rules.event(&record(logger, message), false);
    let told = ask(message);
    let Matched::Event { rule, event, .. } = &told else {
        return;
    };
    let explained = rules.explain(&record(logger, message), false);
    let same = |(id, finding): &(_, Finding)| id == rule && *finding == Finding::Event(event.clone());
    assert!(
        explained.iter().any(same),
        "{event:?} is not explained: {explained:?}"
    );
    // What begins with a task's name is known by its end alone; what is said of a job is waited for, as soon as a line
    // has a literal and the rules are asked.
    if event.job().is_some() {
        let newlines = message.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        for begun in newlines.map(|(newline, _)| &message[..newline]) {
            let asked = SCANNER.next(begun, 0).is_some();
            assert!(
                !asked || ask(begun) != Matched::No,
                "given up at {begun:?}, but then {event:?}"
            );
        }
    }
}

fn record<'a>(logger: &'a [u8], message: &'a [u8]) -> Record<'a> {
    Record {
        at: None,
        level: Some(Level::Info),
        logger: Cow::Borrowed(logger),
        message: Cow::Borrowed(message),
        mdc_job: None,
        deployment: None,
        cause: None,
    }
}

/// A file of `--rules`: its problems have a place in it, or it is taken.
pub fn files(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let lines = text.lines().count().max(1);
    let file = [("mine.toml".to_owned(), text)];
    let taken = [RuleSet::with_user(&file).err(), Layouts::compile(&file).err()];
    for problem in taken.into_iter().flatten().flatten() {
        assert_eq!(problem.file, "mine.toml");
        assert!(
            (1..=lines + 1).contains(&problem.line),
            "{problem} of {lines} lines"
        );
        assert!(!problem.message.is_empty());
    }
}
