//! Builds a set of rules from files and proves it: every problem of every file, and every test of every rule.

use std::collections::HashMap;

use crate::decode::record::Record;
use crate::problem::Problem;

use super::compile::compile;
use super::event::Captures;
use super::schema::{Expect, Source, TestDef, parse};
use super::template::Fit;
use super::{Finding, Rule, RuleSet};

/// Where a rule was written, and its tests; dropped once the set is proved.
struct Origin<'a> {
    source: Source<'a>,
    /// Byte offset of the rule.
    at: usize,
    tests: Vec<TestDef>,
}

/// Reads, compiles and verifies the files of each layer; a rule of a later layer replaces one with the same id.
pub fn build(layers: &[Vec<Source<'_>>], problems: &mut Vec<Problem>) -> RuleSet {
    let mut rules: Vec<(Rule, Origin<'_>)> = Vec::new();
    for layer in layers {
        let mut place_of: HashMap<String, usize> = rules
            .iter()
            .enumerate()
            .map(|(place, (rule, _))| (rule.id.clone(), place))
            .collect();
        let earlier = rules.len();
        for source in layer {
            for mut def in parse(source.file, source.text, problems) {
                let origin = Origin {
                    source: *source,
                    at: def.at,
                    tests: std::mem::take(&mut def.tests),
                };
                let id_at = def.id.span().start;
                let Some(rule) = compile(*source, def, problems) else {
                    continue;
                };
                match place_of.get(&rule.id).copied() {
                    Some(place) if place < earlier => rules[place] = (rule, origin),
                    Some(_) => {
                        problems
                            .push(source.problem(id_at, format!("a second rule with the id `{}`", rule.id)));
                    }
                    None => {
                        place_of.insert(rule.id.clone(), rules.len());
                        rules.push((rule, origin));
                    }
                }
            }
        }
    }
    let (rules, origins): (Vec<_>, Vec<_>) = rules.into_iter().unzip();
    let set = RuleSet::new(rules);
    for (rule, origin) in set.rules.iter().zip(&origins) {
        verify_rule(&set, rule, origin, problems);
    }
    set
}

fn verify_rule(set: &RuleSet, rule: &Rule, origin: &Origin<'_>, problems: &mut Vec<Problem>) {
    let positive = origin
        .tests
        .iter()
        .filter(|test| matches!(test.expect, Expect::Captures(_)))
        .count();
    for (count, what) in [
        (positive, "with `expect`"),
        (origin.tests.len() - positive, "with `reject = true`"),
    ] {
        if count == 0 {
            problems.push(
                origin
                    .source
                    .problem(origin.at, format!("`{}` needs a test {what}", rule.id)),
            );
        }
    }
    for test in &origin.tests {
        if let Err(message) = verify_test(set, rule, test) {
            problems.push(
                origin
                    .source
                    .problem(test.at, format!("test \"{}\": {message}", test.name)),
            );
        }
    }
}

/// Runs one test; the error says what came out instead.
fn verify_test(set: &RuleSet, rule: &Rule, test: &TestDef) -> Result<(), String> {
    let logger = test
        .logger
        .as_ref()
        .or_else(|| rule.loggers.first())
        .map_or("", String::as_str);
    let record = Record {
        at: None,
        level: test.level.or_else(|| rule.levels.first().copied()),
        logger: logger.as_bytes().into(),
        message: test.message.as_bytes().into(),
        mdc_job: None,
        deployment: None,
        cause: None,
    };
    let findings = set.explain(&record, false);
    let whole = |finding: &Finding| matches!(finding, Finding::Event(_) | Finding::Nothing);
    let ids: Vec<&str> = findings
        .iter()
        .filter(|(_, finding)| whole(finding))
        .filter_map(|(id, _)| Some(set.rule(*id)?.id.as_str()))
        .collect();
    let matches = ids.contains(&rule.id.as_str());
    let expect = match &test.expect {
        Expect::Reject if matches => return Err("must not match, but does".into()),
        Expect::Reject => return Ok(()),
        Expect::Captures(expect) => expect,
    };
    if !matches {
        let own = findings
            .into_iter()
            .find(|(id, _)| set.rule(*id).is_some_and(|found| found.id == rule.id));
        return Err(match own {
            Some((_, finding)) => format!("does not match: {finding:?}"),
            None => "does not match".into(),
        });
    }
    if ids.len() > 1 {
        return Err(format!("matches more than one rule: {}", ids.join(", ")));
    }
    if let Some(literal) = rule.literal.as_ref().filter(|literal| {
        ![&test.message, logger]
            .iter()
            .any(|text| text.contains(literal.as_str()))
    }) {
        return Err(format!(
            "neither message nor logger holds the literal `{literal}`, so the line would not be found"
        ));
    }
    verify_captures(rule, &test.message, expect)
}

fn verify_captures(rule: &Rule, message: &str, expect: &[(String, String)]) -> Result<(), String> {
    let mut captures = Captures::default();
    if rule.matcher.fit(message.as_bytes(), &mut captures) != Fit::Whole {
        return Err("does not match".into());
    }
    let text = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    let mut found: Vec<_> = captures
        .iter()
        .map(|(field, value)| (field.name().to_owned(), text(value)))
        .collect();
    let mut expect = expect.to_vec();
    found.sort();
    expect.sort();
    if found == expect {
        return Ok(());
    }
    let shown: Vec<_> = found
        .iter()
        .map(|(name, text)| format!("{name} = {text:?}"))
        .collect();
    Err(format!("captures are {{ {} }}", shown.join(", ")))
}
