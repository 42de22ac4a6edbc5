//! One entity's page: its state and since when, what is known of it, its states drawn to scale, and every state
//! entered with the log line that told it.

use jiff::Timestamp;

use super::choice::{Choice, restarts};
use super::words::{Attention, age, badge, count, exact_moment, grouped, span, time};
use super::{Page, on_page, pager, timeline};
use crate::expose::entity::{Entered, Entity};
use crate::expose::escape::Html;
use crate::expose::render::put;
use crate::expose::view::View;
use crate::model::flink_job::Class;

/// The page of the entity that the address names by its key; none where there is none.
pub(super) fn page(view: &View, choice: &Choice, now: Timestamp) -> Option<Page> {
    let id = choice.get("id")?;
    let entity = view.entities().find(|entity| {
        entity.id() == id
            && choice.admits("kind", entity.kind())
            && entity
                .labels()
                .iter()
                .all(|(label, value)| choice.admits(label, value))
    })?;
    let named = entity.name().filter(|name| !name.trim().is_empty());
    let title = named.map_or_else(|| entity.id(), str::to_owned);
    let mut main = format!(
        "<p class=\"up\"><a href=\"./\">Fleet</a></p>\n<h1>{}</h1>\n",
        Html(&title)
    );
    state(&mut main, entity, view, now);
    failure(&mut main, entity);
    let history = entity.history();
    timeline::draw(&mut main, entity, &history, choice, now);
    transitions(&mut main, entity, &history, view, choice, now);
    Some(Page { title, main })
}

/// State, since when, and what else is known.
fn state(out: &mut String, entity: &dyn Entity, view: &View, now: Timestamp) {
    let thresholds = &view.settings().thresholds;
    let (attention, since) = (Attention::of(entity, thresholds, now), entity.since());
    put(
        out,
        format_args!(
            "<p class=\"now\">{} since {} <span class=\"age\">({})</span></p>\n",
            badge(attention, entity.state()),
            time(since),
            age(since, now)
        ),
    );
    if let Some(why) = entity.unknown_because() {
        put(out, format_args!("<p>{}</p>\n", Html(why)));
    }
    out.push_str("<dl class=\"facts\">");
    for (label, value) in entity.labels() {
        fact(out, label, value);
    }
    fact(out, "kind", entity.kind());
    fact(out, "id", &entity.id());
    for (word, value) in entity.facts() {
        fact(out, word, &value);
    }
    if let Some(total) = restarts(entity) {
        let counted = entity.restarts().unwrap_or_default();
        let counted = counted.iter().filter(|(_, count)| *count > 0);
        let reasons: Vec<_> = counted
            .map(|(reason, count)| format!("{} {reason}", grouped(*count)))
            .collect();
        let reasons = if reasons.is_empty() {
            String::new()
        } else {
            format!(" ({})", reasons.join(", "))
        };
        fact(out, "restarts", &format!("{}{reasons}", grouped(total)));
    }
    if let Some(limit) = entity.may_last(thresholds) {
        fact(out, "stuck after", &span(limit));
    }
    out.push_str("</dl>\n");
}

fn fact(out: &mut String, word: &str, value: &str) {
    put(
        out,
        format_args!("<div><dt>{}</dt><dd>{}</dd></div>", Html(word), Html(value)),
    );
}

fn failure(out: &mut String, entity: &dyn Entity) {
    out.push_str("<h2>Last failure</h2>\n");
    let Some(failure) = entity.failure() else {
        out.push_str("<p>None seen.</p>\n");
        return;
    };
    put(
        out,
        format_args!(
            "<p class=\"failure\"><strong>{}</strong>",
            Html(&failure.cause.class)
        ),
    );
    if let Some(at) = failure.at {
        put(out, format_args!(" at {}", time(at)));
    }
    if !failure.cause.message.is_empty() {
        put(
            out,
            format_args!("<span class=\"message\">{}</span>", Html(&failure.cause.message)),
        );
    }
    out.push_str("</p>\n");
}

fn transitions(
    out: &mut String,
    entity: &dyn Entity,
    history: &[Entered],
    view: &View,
    choice: &Choice,
    now: Timestamp,
) {
    out.push_str("<h2>Transitions</h2>\n");
    let dropped = entity.history_dropped();
    if dropped > 0 {
        let dropped = count(dropped, "older transition");
        put(out, format_args!("<p>{dropped} no longer kept here.</p>\n"));
    }
    out.push_str(
        "<div data-key=\"table\" class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Transitions\"><table>\n\
        <caption class=\"hidden\">States entered, the latest first</caption>\n<thead><tr><th scope=\"col\">Time</th>\
        <th scope=\"col\">From</th><th scope=\"col\">To</th><th scope=\"col\" class=\"number\">Lasted</th>\
        <th scope=\"col\">Basis</th><th scope=\"col\">Log line</th></tr></thead>\n<tbody>\n",
    );
    let mut left = (entity.class() != Class::Terminal).then_some(now);
    let mut rows = Vec::with_capacity(history.len());
    for entered in history.iter().rev() {
        let lasted = entered.at.zip(left).filter(|_| !entered.late);
        rows.push((entered, lasted.map(|(at, left)| age(at, left))));
        if !entered.late {
            left = entered.at;
        }
    }
    for (entered, lasted) in on_page(&rows, choice) {
        let late = if entered.late { " late: moved nothing" } else { "" };
        put(
            out,
            format_args!(
                "<tr><td class=\"time\">{}</td><td>{}</td><td>{}</td><td class=\"number\">{}</td><td>{}{late}</td><td class=\"line\">{}</td></tr>\n",
                entered
                    .at
                    .map_or_else(|| "no time in the log".to_owned(), exact_moment),
                entered.from.unwrap_or("first seen"),
                format_args!(
                    "<span class=\"state {}\">{}</span>",
                    timeline::colour(entered),
                    entered.to
                ),
                lasted.as_deref().unwrap_or_default(),
                entered.basis,
                line(entered, view),
            ),
        );
    }
    out.push_str("</tbody></table></div>\n");
    out.push_str(&pager(choice, rows.len()));
}

/// File and offset of the line that told it. A log keeps its name through rotation; the line is in the file that bore
/// it then.
fn line(entered: &Entered, view: &View) -> String {
    let (log, offset) = entered.line;
    match view.stats().log_names.get(&log) {
        Some(name) => format!(
            "<code>{}</code> <span class=\"offset\">byte {}</span>",
            Html(name),
            grouped(offset)
        ),
        None => format!("a log that is gone, byte {}", grouped(offset)),
    }
}
