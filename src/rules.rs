//! Wording as data: from a decoded record to what it says.
//!
//! `rules/parse/*.toml` say which words of which logger mean which [`Event`]; [`RuleSet`] holds them compiled. The logger
//! is looked at first, since user code may print the same words; then the words, anchored at the start of the message.
//! Every rule carries tests, and all of them run whenever a set is built: in `cargo test`, at start-up, in `flinktail check`.

use crate::decode::record::{Level, Record};
use crate::model::event::Event;
use crate::problem::Problem;

mod compile;
mod event;
mod literal;
mod logger;
mod schema;
mod template;
mod verify;

use compile::Matcher;
use event::{Captures, Emit, Field};
use logger::class_of;
pub use logger::logger_matches;
use template::Fit;

/// The built-in rule files: name and text.
pub const BUILTIN: &[(&str, &str)] = &[
    (
        "rules/parse/dispatcher.toml",
        include_str!("../rules/parse/dispatcher.toml"),
    ),
    (
        "rules/parse/job-master.toml",
        include_str!("../rules/parse/job-master.toml"),
    ),
    (
        "rules/parse/job-transitions.toml",
        include_str!("../rules/parse/job-transitions.toml"),
    ),
    (
        "rules/parse/leadership.toml",
        include_str!("../rules/parse/leadership.toml"),
    ),
    (
        "rules/parse/operator.toml",
        include_str!("../rules/parse/operator.toml"),
    ),
    (
        "rules/parse/process.toml",
        include_str!("../rules/parse/process.toml"),
    ),
    (
        "rules/parse/schedulers.toml",
        include_str!("../rules/parse/schedulers.toml"),
    ),
];

/// A rule of one set, by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(u16);

impl RuleId {
    /// The position in [`RuleSet::rules`].
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// One statement of a log: who prints it, in which words, and what it means.
#[derive(Debug)]
pub struct Rule {
    file: String,
    id: String,
    about: String,
    since: Option<String>,
    until: Option<String>,
    loggers: Vec<String>,
    levels: Vec<Level>,
    literal: Option<String>,
    wording: String,
    wants_cause: bool,
    emit: Emit,
    matcher: Matcher,
    constants: Vec<(Field, String)>,
}

impl Rule {
    /// Stable name: the `rule` label of `flinktail_rule_matches_total`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The file that holds it.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// For people: what the statement means.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The Flink versions that print it: first and last, none where the end is open.
    #[must_use]
    pub fn versions(&self) -> (Option<&str>, Option<&str>) {
        (self.since.as_deref(), self.until.as_deref())
    }

    /// The loggers that print it, whole.
    pub fn loggers(&self) -> impl Iterator<Item = &str> {
        self.loggers.iter().map(String::as_str)
    }

    /// The template or regex as written.
    #[must_use]
    pub fn wording(&self) -> &str {
        &self.wording
    }

    /// False when the statement is known to mean nothing to the model.
    #[must_use]
    pub fn says_something(&self) -> bool {
        self.emit != Emit::Nothing
    }

    /// Compares a record from one of the rule's loggers.
    fn compare(&self, record: &Record<'_>) -> Finding {
        let message = &*record.message;
        let mut captures = Captures::default();
        match self.matcher.fit(message, &mut captures) {
            Fit::No => return Finding::No,
            Fit::Begun => return Finding::Begun,
            Fit::Whole => {}
        }
        if record
            .level
            .is_some_and(|level| !self.levels.is_empty() && !self.levels.contains(&level))
        {
            return Finding::Refused(Refusal::Level);
        }
        for (field, text) in &self.constants {
            captures.set(*field, text.as_bytes());
        }
        match self.emit.event(&captures) {
            Ok(Some(event)) => Finding::Event(event),
            Ok(None) => Finding::Nothing,
            Err(why) => Finding::Refused(why),
        }
    }
}

/// What one rule has to say about a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Other words.
    No,
    /// Its words as far as they go; more lines may complete them.
    Begun,
    /// Its words, known to mean nothing.
    Nothing,
    /// Its words and their meaning.
    Event(Event),
    /// Its words, but not acceptable.
    Refused(Refusal),
}

/// Why a record that has a rule's wording is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Printed by a logger that the rule does not name: user code, or another class of Flink.
    WrongLogger,
    /// Printed at a level that Flink does not use for it.
    Level,
    /// A state word outside Flink's closed set.
    UnknownState(String),
    /// A captured text that is not what its field holds (a regex that takes too much).
    BadField {
        /// The field.
        field: &'static str,
        /// What was captured.
        text: String,
    },
}

/// What the rules say about a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matched {
    /// Nothing.
    No,
    /// One rule matches.
    Event {
        /// Which.
        rule: RuleId,
        /// Its meaning.
        event: Event,
        /// The exception on the following lines, if any, belongs to it.
        wants_cause: bool,
    },
    /// It begins like a statement of this logger and may become one with more lines (a newline in a job's name).
    Maybe,
    /// One rule's wording, but not acceptable.
    Refused {
        /// Which.
        rule: RuleId,
        /// Why.
        why: Refusal,
    },
}

/// All rules, compiled, verified and ready to match.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    /// Rules by the class name of their loggers: shortened names keep the class. There are a dozen, mostly of different
    /// lengths, so that going through them is quicker than any map.
    by_class: Vec<(Box<[u8]>, Vec<Logger>)>,
}

/// One logger and the rules that name it.
#[derive(Debug)]
struct Logger {
    /// Whole.
    name: String,
    rules: Vec<RuleId>,
}

/// The logger of the record that was put to a set of rules last, for [`RuleSet::event_after`]: in a log full of transitions
/// it is always the same, and comparing it once is less than finding its rules.
#[derive(Debug, Default)]
pub struct LastLogger(Option<Box<AskedLast>>);

#[derive(Debug, Default)]
struct AskedLast {
    /// As printed. None is kept that no rule names: it may be as long as a line.
    name: Vec<u8>,
    shortened: bool,
    rules: Vec<RuleId>,
}

impl RuleSet {
    /// The built-in rules.
    pub fn builtin() -> Result<Self, Vec<Problem>> {
        Self::with_user(&[])
    }

    /// The built-in rules and a user's, given as name and text of each file. A rule with the id of a built-in one
    /// replaces it whole. All problems of all files are returned at once.
    pub fn with_user(files: &[(String, String)]) -> Result<Self, Vec<Problem>> {
        let builtin = BUILTIN.iter().map(|(file, text)| schema::Source { file, text });
        let user = files.iter().map(|(file, text)| schema::Source { file, text });
        let mut problems = Vec::new();
        let set = verify::build(&[builtin.collect(), user.collect()], &mut problems);
        problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        if problems.is_empty() {
            Ok(set)
        } else {
            Err(problems)
        }
    }

    fn new(rules: Vec<Rule>) -> Self {
        let mut by_class: Vec<(Box<[u8]>, Vec<Logger>)> = Vec::new();
        for (rule, id) in rules.iter().zip((0..=u16::MAX).map(RuleId)) {
            for name in &rule.loggers {
                let class = class_of(name.as_bytes());
                let new = || Logger {
                    name: name.clone(),
                    rules: vec![id],
                };
                match by_class.iter_mut().find(|(known, _)| **known == *class) {
                    None => by_class.push((class.into(), vec![new()])),
                    Some((_, loggers)) => match loggers.iter_mut().find(|logger| logger.name == *name) {
                        Some(logger) => logger.rules.push(id),
                        None => loggers.push(new()),
                    },
                }
            }
        }
        Self { rules, by_class }
    }

    /// What a record says. `shortened_loggers`: its layout shortens the names of loggers.
    ///
    /// The text may end at any line of the record: what is whole is not waited for.
    #[must_use]
    pub fn event(&self, record: &Record<'_>, shortened_loggers: bool) -> Matched {
        self.event_after(&mut LastLogger::default(), record, shortened_loggers)
    }

    /// The same, quicker where the record comes from the logger that was asked about last. `last` is of this set.
    #[must_use]
    pub fn event_after(
        &self,
        last: &mut LastLogger,
        record: &Record<'_>,
        shortened_loggers: bool,
    ) -> Matched {
        let mut answer = Matched::No;
        for id in self.rules_of(last, &record.logger, shortened_loggers) {
            let rule = &self.rules[id.index()];
            match rule.compare(record) {
                Finding::Event(event) => {
                    return Matched::Event {
                        rule: *id,
                        event,
                        wants_cause: rule.wants_cause,
                    };
                }
                // Known wording is whole: nothing to wait for, even where a name could go on.
                Finding::Nothing => return Matched::No,
                Finding::Refused(why) => answer = Matched::Refused { rule: *id, why },
                Finding::Begun if answer == Matched::No => answer = Matched::Maybe,
                Finding::No | Finding::Begun => {}
            }
        }
        answer
    }

    /// The rules that name a logger.
    fn rules_of<'l>(&self, last: &'l mut LastLogger, logger: &[u8], shortened: bool) -> &'l [RuleId] {
        let is_same =
            |last: &AskedLast| !last.rules.is_empty() && last.name == logger && last.shortened == shortened;
        let is_known = last.0.as_deref().is_some_and(is_same);
        let last = last.0.get_or_insert_default();
        if !is_known {
            let class = class_of(logger);
            let loggers = self.by_class.iter().find(|(known, _)| **known == *class);
            let named = loggers
                .iter()
                .flat_map(|(_, loggers)| loggers)
                .filter(|named| logger_matches(logger, &named.name, shortened));
            last.rules.clear();
            last.rules.extend(named.flat_map(|named| &named.rules));
            last.name.clear();
            if !last.rules.is_empty() {
                last.name.extend_from_slice(logger);
            }
            last.shortened = shortened;
        }
        &last.rules
    }

    /// Every rule that has something to say about a record, whatever logger printed it; slower than [`Self::event`].
    ///
    /// For people, and to count the words of a rule that come from another logger.
    #[must_use]
    pub fn explain(&self, record: &Record<'_>, shortened_loggers: bool) -> Vec<(RuleId, Finding)> {
        let named = |logger: &String| logger_matches(&record.logger, logger, shortened_loggers);
        let finding = |rule: &Rule| match rule.compare(record) {
            // The logger is asked of few: comparing names costs more than comparing words.
            Finding::No => Finding::No,
            finding if rule.loggers.iter().any(named) => finding,
            // Half a statement of another logger is nothing: `Job `, say.
            Finding::Begun => Finding::No,
            Finding::Event(_) | Finding::Nothing | Finding::Refused(_) => {
                Finding::Refused(Refusal::WrongLogger)
            }
        };
        let all = (0..).map(RuleId).zip(self.rules.iter().map(finding));
        all.filter(|(_, finding)| *finding != Finding::No).collect()
    }

    /// All rules, in the order of their files; a rule's position is its [`RuleId::index`].
    #[must_use]
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.rules.iter()
    }

    /// One rule.
    #[must_use]
    pub fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.rules.get(id.index())
    }

    /// What the scanner must search for, so that no record with an event is missed: as few as possible.
    #[must_use]
    pub fn literals(&self) -> Vec<&str> {
        literal::smallest(self.rules.iter().filter_map(|rule| rule.literal.as_deref()))
    }
}

#[cfg(test)]
mod tests;
