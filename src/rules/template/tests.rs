//! What templates match, what they refuse, and that they agree with the regexes they stand for.

use proptest::prelude::*;

use super::{Fit, Template};
use crate::rules::event::{Captures, Field};

const TRANSITION: &str = "Job {name} ({job}) switched from state {from} to {to}.";
const ID: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";

fn check(template: &str, message: &str, fit: Fit, expected: &[(Field, &str)]) {
    let compiled = Template::compile(template).unwrap();
    let mut captures = Captures::default();
    assert_eq!(
        compiled.fit(message.as_bytes(), &mut captures),
        fit,
        "{template} on {message:?}"
    );
    if fit == Fit::Whole {
        let found: Vec<_> = captures
            .iter()
            .map(|(field, text)| (field, str::from_utf8(text).unwrap()))
            .collect();
        assert_eq!(found, expected, "{template} on {message:?}");
    }
}

#[test]
fn a_name_may_hold_anything() {
    for name in [
        "orders",
        "",
        " (",
        "a (b) (c)",
        "two\nlines",
        "\u{1F680} \"quoted\"",
        &format!("x ({ID})"),
    ] {
        for end in ["", "\n\tat a.B", "\r\n\tat a.B", "\r"] {
            let message = format!("Job {name} ({ID}) switched from state CREATED to RUNNING.{end}");
            let captured = [
                (Field::Name, name),
                (Field::Job, ID),
                (Field::From, "CREATED"),
                (Field::To, "RUNNING"),
            ];
            check(TRANSITION, &message, Fit::Whole, &captured);
        }
    }
}

#[test]
fn a_transition_inside_a_name_is_not_the_transition() {
    let name = format!("x ({ID}) switched from state RUNNING to FAILED.");
    let message = format!("Job {name} ({ID}) switched from state CREATED to RUNNING.");
    let captured = [
        (Field::Name, &*name),
        (Field::Job, ID),
        (Field::From, "CREATED"),
        (Field::To, "RUNNING"),
    ];
    check(TRANSITION, &message, Fit::Whole, &captured);
}

#[test]
fn a_message_that_begins_alike_waits_for_more_lines() {
    for message in [
        "Job ",
        "Job two",
        "Job two\n",
        "Job x (0a1b",
        &format!("Job x ({ID}) switched from state A to B. ("),
    ] {
        check(TRANSITION, message, Fit::Begun, &[]);
    }
    for message in ["", "Jo", "job x", " Job x", "Application x"] {
        check(TRANSITION, message, Fit::No, &[]);
    }
}

#[test]
fn a_template_without_a_name_does_not_wait() {
    let terminal = "Job {job} reached terminal state {state}.";
    check(
        terminal,
        &format!("Job {ID} reached terminal state "),
        Fit::No,
        &[],
    );
    check(
        terminal,
        &format!("Job {ID} reached terminal state FAILED. really"),
        Fit::No,
        &[],
    );
    check("{text} failed.", "a task\nwith lines failed.", Fit::Whole, &[]);
    check("{text} failed.", "something else", Fit::No, &[]);
}

#[test]
fn holes_take_what_their_type_allows() {
    check(
        "took {number} ms{...}",
        "took 17 ms, which is long",
        Fit::Whole,
        &[],
    );
    check("took {number} ms", "took 17 ms, which is long", Fit::No, &[]);
    check("took {number} ms", "took ms", Fit::No, &[]);
    check("{word} is {*} now.", "it is a.b c now.", Fit::Whole, &[]);
    check("it is {*} now.", "it is a\nb now.", Fit::No, &[]);
    check(
        "({graph}_{hex})",
        &format!("({ID}_{ID})"),
        Fit::Whole,
        &[(Field::Graph, ID)],
    );
    check("({graph})", &format!("({})", ID.to_uppercase()), Fit::No, &[]);
}

#[test]
fn quotes_around_a_name_are_taken_off_as_a_pair() {
    for (printed, name) in [
        ("'a'", "a"),
        ("a", "a"),
        ("''a''", "'a'"),
        ("'a", "'a"),
        ("'", "'"),
        ("''", ""),
        ("it's", "it's"),
    ] {
        let captured = [(Field::Name, name), (Field::Job, ID)];
        check(
            "Initializing job {'name'} ({job}).",
            &format!("Initializing job {printed} ({ID})."),
            Fit::Whole,
            &captured,
        );
    }
}

#[test]
fn a_bad_template_is_told_where() {
    for (template, offset, words) in [
        ("", 0, "needs fixed text"),
        ("{name}", 0, "must follow"),
        ("a {name}{job}", 8, "between"),
        ("a {job}{name} b", 7, "between"),
        ("a {name} b {*} c", 11, "at most one"),
        ("a {nmae} b", 2, "unknown hole `{nmae}`"),
        ("a {name", 2, "without"),
        ("a } b", 2, "neither"),
        ("a\nb", 1, "neither"),
        ("a{...} b", 6, "nothing can follow"),
        ("a {word}b", 8, "first character"),
        ("a {number}0", 10, "first character"),
        ("{job} and {job}", 10, "second time"),
    ] {
        let error = Template::compile(template).unwrap_err();
        assert_eq!(error.offset, offset, "{template}: {error:?}");
        assert!(error.message.contains(words), "{template}: {error:?}");
    }
}

proptest! {
    #[test]
    fn a_template_agrees_with_its_regex(
        name in r"([a-z() \n.]|Job | switched from state | \(0a1b2c3d4e5f60718293a4b5c6d7e8f9\)| to RUNNING\.|\r\n){0,12}",
        rest in prop::sample::select(vec!["", "\n", "\r\n\tat", " x", "\nJob x (0a1b2c3d4e5f60718293a4b5c6d7e8f9) switched from state A to B."]),
    ) {
        let regex = regex::bytes::Regex::new(
            r"(?s)\AJob (?<name>.*?) \((?<job>[0-9a-f]{32})\) switched from state (?<from>[0-9A-Za-z_]+) to (?<to>[0-9A-Za-z_]+)\.\r?(?:\n|\z)",
        ).unwrap();
        let message = format!("Job {name} ({ID}) switched from state RUNNING to FAILING.{rest}");
        let mut captures = Captures::default();
        let fit = Template::compile(TRANSITION).unwrap().fit(message.as_bytes(), &mut captures);
        match regex.captures(message.as_bytes()) {
            None => prop_assert_eq!(fit, Fit::Begun),
            Some(groups) => {
                prop_assert_eq!(fit, Fit::Whole);
                for (field, text) in captures.iter() {
                    prop_assert_eq!(groups.name(field.name()).map(|group| group.as_bytes()), Some(text));
                }
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(message in prop::collection::vec(any::<u8>(), 0..300), template in "[a{}*. (name)job]{0,30}") {
        if let Ok(compiled) = Template::compile(&template) {
            compiled.fit(&message, &mut Captures::default());
        }
    }
}
