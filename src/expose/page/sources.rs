//! The logs: how far each was read, what is wrong with it, and what to do about it.

use jiff::Timestamp;

use super::Page;
use super::words::{age, bytes, count, grouped, time};
use crate::expose::escape::Html;
use crate::expose::render::put;
use crate::expose::view::View;
use crate::stats::{Blind, RecordResult, SourceStats};

pub(super) fn page(view: &View, now: Timestamp) -> Page {
    let mut main = String::from("<h1>Sources</h1>\n");
    if view.stats().sources.is_empty() {
        main.push_str("<p>No log has been found yet.</p>\n");
    } else {
        main.push_str(
            "<div data-key=\"table\" class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Sources\"><table>\n\
            <caption class=\"hidden\">Logs</caption>\n<thead><tr><th scope=\"col\">Log</th><th scope=\"col\">Cluster</th>\
            <th scope=\"col\">Layout</th><th scope=\"col\" class=\"number\">Behind</th><th scope=\"col\" class=\"number\">Read</th>\
            <th scope=\"col\" class=\"number\">Events</th><th scope=\"col\">Last line</th><th scope=\"col\">Trouble</th></tr></thead>\n<tbody>\n",
        );
        for source in &view.stats().sources {
            row(&mut main, source, now);
        }
        main.push_str("</tbody></table></div>\n");
    }
    Page {
        title: "Sources".to_owned(),
        main,
    }
}

/// One line for the fleet's page.
pub(super) fn in_short(out: &mut String, view: &View) {
    let sources = &view.stats().sources;
    let behind: u64 = sources.iter().map(|source| source.lag_bytes).sum();
    let troubled = sources
        .iter()
        .filter(|source| !troubles(source).is_empty())
        .count();
    let (class, trouble) = if troubled == 0 {
        ("short", String::new())
    } else {
        ("alert", format!(", {troubled} with trouble"))
    };
    put(
        out,
        format_args!(
            "<p class=\"{class}\"><a href=\"sources\">{}{trouble}</a>, {} behind</p>\n",
            count(sources.len() as u64, "log"),
            bytes(behind)
        ),
    );
}

fn row(out: &mut String, source: &SourceStats, now: Timestamp) {
    let events = source.records[RecordResult::Event as usize];
    let last = source
        .last_line
        .map(|at| format!("{}<small>{} ago</small>", time(at), age(at, now)))
        .unwrap_or_default();
    put(
        out,
        format_args!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>\
            <td class=\"number\">{}</td><td class=\"time\">{last}</td><td>",
            Html(&source.name),
            Html(&source.cluster),
            Html(source.layout.as_deref().unwrap_or("not recognised yet")),
            bytes(source.lag_bytes),
            bytes(source.read_bytes),
            grouped(events),
        ),
    );
    for trouble in troubles(source) {
        put(out, format_args!("<p class=\"alert\">{trouble}</p>"));
    }
    out.push_str("</td></tr>\n");
}

/// What is wrong with a log, in words.
fn troubles(source: &SourceStats) -> Vec<String> {
    let mut found: Vec<String> = source
        .blind
        .map(|why| in_words(why).to_owned())
        .into_iter()
        .collect();
    let lost: u64 = source.lost_bytes.values().sum();
    if lost > 0 {
        found.push(format!("{} destroyed before they could be read.", bytes(lost)));
    }
    for (op, number) in source.errors.iter() {
        found.push(format!("{} ({}).", count(*number, "failed operation"), op.name()));
    }
    found
}

/// Why a log cannot show transitions, and what to do.
const fn in_words(why: Blind) -> &'static str {
    match why {
        Blind::LevelAboveInfo => {
            "This log cannot show transitions: it prints nothing at INFO. Set the logger org.apache.flink to INFO."
        }
        Blind::NoLogger => {
            "This log cannot show transitions: its layout prints no logger, so Flink cannot be told from user code. Add %c to the pattern."
        }
        Blind::UnknownLayout => {
            "This log cannot show transitions: no layout recognises its lines. Give the source its pattern as layout."
        }
        Blind::Encoding => {
            "This log cannot show transitions: it is UTF-16 or UTF-32. Have it written as UTF-8."
        }
    }
}
