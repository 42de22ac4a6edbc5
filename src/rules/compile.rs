//! From definitions to rules that match: templates and regexes compiled, names resolved, fields checked.

use regex::bytes::{Regex, RegexBuilder};

use crate::problem::Problem;

use super::event::{Captures, EMITS, Emit, EmitFields, Field};
use super::logger::class_of;
use super::schema::{At, RuleDef, Source, Wording, content_start};
use super::template::{Fit, Template};
use super::{Rule, literal};

/// Largest compiled regex, bytes: a rule that needs more is a mistake (`(a{1000}){1000}`), and would cost memory for ever.
const REGEX_BYTES: usize = 1 << 20;

/// What tells whether a message has a rule's wording.
#[derive(Debug)]
pub enum Matcher {
    /// Flink's own words with typed holes.
    Template(Box<Template>),
    /// A regex and its named groups.
    Regex {
        /// Anchored at the start, whatever the rule says.
        regex: Regex,
        /// Field and group number.
        groups: Vec<(Field, usize)>,
    },
}

impl Matcher {
    /// Compares a message. `captures` is meaningful only after [`Fit::Whole`]. A regex never says [`Fit::Begun`].
    pub fn fit<'t>(&self, message: &'t [u8], captures: &mut Captures<'t>) -> Fit {
        match self {
            Self::Template(template) => template.fit(message, captures),
            Self::Regex { regex, groups } => {
                let Some(found) = regex.captures(message) else {
                    return Fit::No;
                };
                for (field, group) in groups {
                    if let Some(text) = found.get(*group) {
                        captures.set(*field, text.as_bytes());
                    }
                }
                Fit::Whole
            }
        }
    }

    fn fields(&self) -> Vec<Field> {
        match self {
            Self::Template(template) => template.fields().collect(),
            Self::Regex { groups, .. } => groups.iter().map(|(field, _)| *field).collect(),
        }
    }
}

/// Compiles one definition; none, and problems, when it cannot be used.
pub fn compile(source: Source<'_>, def: RuleDef, problems: &mut Vec<Problem>) -> Option<Rule> {
    let before = problems.len();
    let emit = EMITS.iter().find(|row| row.name == def.emit.get_ref());
    if emit.is_none() {
        let known: Vec<_> = EMITS.iter().map(|row| row.name).collect();
        let message = format!(
            "`{}` is nothing a rule can emit; known are {}",
            def.emit.get_ref(),
            known.join(", ")
        );
        problems.push(source.problem(def.emit.span().start, message));
    }
    let matcher = match &def.wording {
        Wording::Template(template) => compile_template(source, template, problems),
        Wording::Regex(regex) => compile_regex(source, regex, problems),
    };
    let constants = compile_constants(source, &def.fields, problems);
    if let (Some(emit), Some(matcher)) = (emit, &matcher) {
        check_fields(source, &def, emit, matcher, &constants, problems);
        check_literal(source, &def, emit.emit, matcher, problems);
    }
    let (emit, matcher) = (emit?.emit, matcher?);
    let (Wording::Template(wording) | Wording::Regex(wording)) = def.wording;
    (problems.len() == before).then(|| Rule {
        file: source.file.into(),
        id: def.id.into_inner(),
        about: def.about,
        since: def.since,
        until: def.until,
        loggers: def.loggers.into_iter().map(At::into_inner).collect(),
        levels: def.levels,
        literal: def.literal.map(At::into_inner),
        wording: wording.into_inner(),
        wants_cause: def.wants_cause,
        emit,
        matcher,
        constants,
    })
}

fn compile_template(source: Source<'_>, text: &At<String>, problems: &mut Vec<Problem>) -> Option<Matcher> {
    match Template::compile(text.get_ref()) {
        Ok(template) => Some(Matcher::Template(Box::new(template))),
        Err(error) => {
            let at = content_start(source.text, &text.span()) + error.offset;
            problems.push(source.problem(at, error.message));
            None
        }
    }
}

fn compile_regex(source: Source<'_>, text: &At<String>, problems: &mut Vec<Problem>) -> Option<Matcher> {
    // Without Unicode, so that `.` takes any byte: logs need not be UTF-8. Alone first, so that places in an error are
    // the user's own; the anchor goes around it, so that no alternative escapes it.
    let build = |pattern: &str| {
        RegexBuilder::new(pattern)
            .unicode(false)
            .size_limit(REGEX_BYTES)
            .build()
    };
    let regex = match build(text.get_ref()).and_then(|_| build(&format!(r"\A(?:{})", text.get_ref()))) {
        Ok(regex) => regex,
        Err(error) => {
            let shown = error.to_string();
            let what = shown
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ");
            let at = content_start(source.text, &text.span()) + caret(&shown);
            problems.push(source.problem(at, format!("bad regex: {what}")));
            return None;
        }
    };
    let before = problems.len();
    let mut groups = Vec::new();
    for (number, name) in regex.capture_names().enumerate() {
        let Some(name) = name else { continue };
        match Field::parse(name) {
            Some(field) => groups.push((field, number)),
            None => problems.push(source.problem(text.span().start, unknown_field(name))),
        }
    }
    (problems.len() == before).then_some(Matcher::Regex { regex, groups })
}

/// Where the regex crate's picture of a one-line pattern points to, in bytes; 0 where it draws none.
fn caret(error: &str) -> usize {
    // The pattern is shown indented by four blanks, and carets under it.
    error
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .find(|line| line.contains('^') && line.chars().all(|c| c == '^' || c == ' '))
        .and_then(|line| line.find('^'))
        .unwrap_or(0)
}

fn compile_constants(
    source: Source<'_>,
    fields: &[(At<String>, At<String>)],
    problems: &mut Vec<Problem>,
) -> Vec<(Field, String)> {
    let mut constants = Vec::new();
    for (name, value) in fields {
        match Field::parse(name.get_ref()) {
            Some(field) => constants.push((field, value.get_ref().clone())),
            None => problems.push(source.problem(name.span().start, unknown_field(name.get_ref()))),
        }
    }
    constants
}

fn unknown_field(name: &str) -> String {
    format!(
        "no field is called `{name}`; known are {}",
        Field::ALL.map(Field::name).join(", ")
    )
}

fn check_fields(
    source: Source<'_>,
    def: &RuleDef,
    emit: &EmitFields,
    matcher: &Matcher,
    constants: &[(Field, String)],
    problems: &mut Vec<Problem>,
) {
    let captured = matcher.fields();
    let mut tell = |message: String| problems.push(source.problem(def.emit.span().start, message));
    for (field, _) in constants {
        if captured.contains(field) {
            tell(format!(
                "`{}` is both captured and stated under `fields`",
                field.name()
            ));
        }
    }
    let given: Vec<Field> = captured
        .iter()
        .copied()
        .chain(constants.iter().map(|(field, _)| *field))
        .collect();
    for field in emit.required.iter().filter(|field| !given.contains(field)) {
        tell(format!(
            "`{}` needs the field `{}`, which the rule does not capture",
            emit.name,
            field.name()
        ));
    }
    for field in given
        .iter()
        .filter(|field| !emit.required.contains(field) && !emit.optional.contains(field))
    {
        tell(format!("`{}` has no field `{}`", emit.name, field.name()));
    }
}

fn check_literal(
    source: Source<'_>,
    def: &RuleDef,
    emit: Emit,
    matcher: &Matcher,
    problems: &mut Vec<Problem>,
) {
    let mut tell = |at: usize, message: String| problems.push(source.problem(at, message));
    let Some(text) = &def.literal else {
        if emit != Emit::Nothing {
            tell(
                def.at,
                "a rule needs a `literal`: without it no line is ever looked at".into(),
            );
        }
        return;
    };
    let at = text.span().start;
    if emit == Emit::Nothing {
        tell(
            at,
            "a rule that says nothing has no `literal`: it would only slow the search down".into(),
        );
    }
    if let Err(message) = literal::check(text.get_ref()) {
        tell(at, message);
    }
    let holds = |fixed: &[u8]| memchr::memmem::find(fixed, text.get_ref().as_bytes()).is_some();
    if let Matcher::Template(template) = matcher
        && !template.fixed().any(holds)
        // However a layout shortens a logger, its class stays whole.
        && !def.loggers.iter().all(|logger| holds(class_of(logger.get_ref().as_bytes())))
    {
        tell(
            at,
            "the literal is neither part of the message's fixed text nor of the class name of every logger, so lines \
             would be missed"
                .into(),
        );
    }
}
