//! `explain`: what is made of a line, step by step, or why nothing is.

mod documents;

use std::io::{self, Write};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::text::printable;
use crate::decode::clock::Clock;
use crate::decode::documents::sniff::Sniffer;
use crate::decode::form::Form;
use crate::decode::layouts::Layouts;
use crate::decode::peel::Peeled;
use crate::decode::record::Record;
use crate::pipeline::Wording;
use crate::rules::{Finding, Matched, Refusal, RuleId};
use crate::stats::Blind;

/// How lines are read: what the flags say.
#[derive(Debug)]
pub struct Reading<'a> {
    /// Rules and layouts.
    pub wording: &'a Wording,
    /// The layout that the user names: an id or a pattern, known to be good.
    pub layout: Option<&'a str>,
    /// Zone of times that name none.
    pub zone: TimeZone,
    /// Stands for the day of times without a date.
    pub now: Timestamp,
}

/// Explains every record or document of a text. True when at least one means something.
pub fn explain(text: &[u8], reading: &Reading<'_>, out: &mut impl Write) -> io::Result<bool> {
    if Sniffer::default().push(text) {
        documents::explain(text, reading, out)
    } else {
        lines(text, reading, out)
    }
}

fn lines(text: &[u8], reading: &Reading<'_>, out: &mut impl Write) -> io::Result<bool> {
    let Some((form, shortened)) = form(text, reading, out)? else {
        return Ok(false);
    };
    let mut clock = Clock::new(reading.zone.clone(), reading.now);
    let mut found = false;
    for record in records(text, &form) {
        writeln!(out)?;
        let shown = record.split(|byte| *byte == b'\n').next().unwrap_or_default();
        writeln!(out, "line    {}", printable(&String::from_utf8_lossy(shown)))?;
        match form.decode(record, &mut clock) {
            Some(decoded) => {
                show(&decoded, out)?;
                found |= meaning(&decoded, shortened, reading.wording, out)?;
            }
            None => writeln!(
                out,
                "record  none: the line has no header of this layout and continues no record"
            )?,
        }
    }
    Ok(found)
}

fn form(text: &[u8], reading: &Reading<'_>, out: &mut impl Write) -> io::Result<Option<(Form, bool)>> {
    let layouts = &reading.wording.layouts;
    let named = reading.layout.and_then(|text| match layouts.named(text) {
        Some(id) => Some(layouts.get(id).clone()),
        None => Layouts::from_pattern(text).ok(),
    });
    let Peeled {
        wrappers, detected, ..
    } = layouts.peel(text, named.as_ref());
    for wrapper in &wrappers {
        writeln!(out, "wrapper {} (recognised): {}", wrapper.id(), wrapper.about())?;
    }
    let chosen = named.or_else(|| detected.layout.map(|id| layouts.get(id).clone()));
    let Some(layout) = chosen else {
        let why = match detected.blind {
            Some(Blind::Encoding) => "the text is UTF-16 or UTF-32, or binary",
            Some(_) => {
                "no layout recognises these lines; give the pattern of Flink's configuration with --layout, for example \
                 --layout '%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n'"
            }
            None => "there are no lines",
        };
        writeln!(out, "layout  none: {why}")?;
        return Ok(None);
    };
    let shortened = layout.shortens_loggers().unwrap_or(detected.shortened);
    let how = if reading.layout.is_some() {
        "as told"
    } else {
        "recognised"
    };
    writeln!(out, "layout  {} ({how}): {}", layout.id(), layout.about())?;
    if !layout.has_logger() {
        writeln!(
            out,
            "        it prints no logger: Flink's lines cannot be told from others, so nothing is believed"
        )?;
    } else if shortened {
        writeln!(out, "        it shortens loggers")?;
    }
    Ok(Some((Form::new(wrappers, Arc::new(layout)), shortened)))
}

/// The text in records: each header with the lines that continue it; what comes before the first header line by line.
fn records<'t>(text: &'t [u8], form: &Form) -> Vec<&'t [u8]> {
    let mut starts = Vec::new();
    let (mut at, mut inside) = (0, false);
    while at < text.len() {
        let header = form.is_header(&text[at..]);
        if header || !inside {
            starts.push(at);
        }
        inside |= header;
        at = form.line_end(text, at).unwrap_or(text.len());
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let pieces = starts
        .iter()
        .zip(ends)
        .map(|(start, end)| text[*start..end].trim_ascii_end());
    pieces.filter(|piece| !piece.is_empty()).collect()
}

fn show(record: &Record<'_>, out: &mut impl Write) -> io::Result<()> {
    let text = |bytes: &[u8]| printable(&String::from_utf8_lossy(bytes));
    match record.at {
        Some(at) => writeln!(out, "record  time    {at}")?,
        None => writeln!(out, "record  time    none in the line")?,
    }
    if let Some(level) = record.level {
        writeln!(out, "        level   {level:?}")?;
    }
    writeln!(out, "        logger  {}", text(&record.logger))?;
    if let Some(job) = record.mdc_job {
        writeln!(out, "        context flink-job-id {job}")?;
    }
    writeln!(out, "        message {}", text(&record.message))?;
    match &record.cause {
        Some(cause) => writeln!(
            out,
            "        cause   {}: {}",
            printable(&cause.class),
            printable(&cause.message)
        ),
        None => Ok(()),
    }
}

fn meaning(
    record: &Record<'_>,
    shortened: bool,
    wording: &Wording,
    out: &mut impl Write,
) -> io::Result<bool> {
    let name = |id: RuleId| wording.rules.rule(id).map_or("?", |rule| rule.id());
    match wording.rules.event(record, shortened) {
        Matched::Event { rule, event, .. } => {
            let about = wording.rules.rule(rule).map_or("", |rule| rule.about());
            writeln!(out, "rule    {}: {about}", name(rule))?;
            if record
                .mdc_job
                .zip(event.job())
                .is_some_and(|(context, named)| context != named)
            {
                writeln!(
                    out,
                    "event   refused: the line was written in the context of another job"
                )?;
                return Ok(false);
            }
            writeln!(out, "event   {event:?}")?;
            return Ok(true);
        }
        Matched::Refused { rule, why } => {
            writeln!(out, "rule    {}, but refused: {}", name(rule), refusal(&why))?;
        }
        Matched::Maybe => {
            writeln!(
                out,
                "rule    begins like a statement of this logger, but is not whole: a line is missing"
            )?;
        }
        Matched::No => match wording.rules.explain(record, shortened).first() {
            Some((rule, Finding::Refused(why))) => {
                writeln!(out, "rule    {}, but refused: {}", name(*rule), refusal(why))?;
            }
            Some((rule, Finding::Nothing)) => {
                let about = wording.rules.rule(*rule).map_or("", |rule| rule.about());
                writeln!(out, "rule    {}: {about}", name(*rule))?;
                writeln!(out, "event   none: known, and changes nothing")?;
            }
            _ => writeln!(
                out,
                "rule    none: no statement of Flink's that tells something of a job has these words"
            )?,
        },
    }
    Ok(false)
}

fn refusal(why: &Refusal) -> String {
    match why {
        Refusal::WrongLogger => {
            "the words are the rule's, the logger is not: Flink does not print them there".to_owned()
        }
        Refusal::Level => "Flink prints it at another level".to_owned(),
        Refusal::UnknownState(word) => format!("`{}` is no state that Flink has", printable(word)),
        Refusal::BadField { field, text } => format!("`{}` is no {field}", printable(text)),
    }
}
