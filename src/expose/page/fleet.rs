//! The page at `/`: how many entities are in which state, and a table of them, those that need somebody first.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::choice::{Choice, Column, Judged, address, choose, restarts};
use super::words::{Attention, age, badge, grouped, time};
use super::{Page, on_page, pager};
use crate::expose::entity::Entity;
use crate::expose::escape::Html;
use crate::expose::render::put;
use crate::expose::view::View;

pub(super) fn page(view: &View, choice: &Choice, now: Timestamp) -> Page {
    let thresholds = &view.settings().thresholds;
    let all: Vec<Judged<'_>> = view
        .entities()
        .map(|entity| (Attention::of(entity, thresholds, now), entity))
        .collect();
    let chosen = choose(&all, choice);
    let mut main = String::from("<h1>Fleet</h1>\n");
    summary(&mut main, &all, choice);
    super::sources::in_short(&mut main, view);
    form(&mut main, &all, choice);
    if chosen.is_empty() {
        main.push_str(if all.is_empty() {
            "<p>No job has been seen yet.</p>\n"
        } else {
            "<p>Nothing matches. <a href=\"./\">Show all</a></p>\n"
        });
    } else {
        table(&mut main, on_page(&chosen, choice), choice, now);
        main.push_str(&pager(choice, chosen.len()));
    }
    let title = match all
        .iter()
        .filter(|(attention, _)| *attention == Attention::Stuck)
        .count()
    {
        0 => "Fleet".to_owned(),
        stuck => format!("{stuck} stuck"),
    };
    Page { title, main }
}

/// How many want how much attention; each number leads to them.
fn summary(out: &mut String, all: &[Judged<'_>], choice: &Choice) {
    out.push_str("<ul class=\"tally\" aria-label=\"Summary\">");
    for attention in Attention::ALL {
        let number = all.iter().filter(|(found, _)| *found == attention).count();
        let is_asked = choice.get("show") == Some(attention.name());
        let (asked, current) = if is_asked {
            ("", " aria-current=\"true\"")
        } else {
            (attention.name(), "")
        };
        let none = if number == 0 { " none" } else { "" };
        put(
            out,
            format_args!(
                "<li><a class=\"{}{none}\" href=\"{}\"{current}><strong>{}</strong> {}</a></li>",
                attention.name(),
                Html(&choice.with("show", asked)),
                grouped(number as u64),
                attention.title(),
            ),
        );
    }
    out.push_str("</ul>\n");
}

fn form(out: &mut String, all: &[Judged<'_>], choice: &Choice) {
    put(
        out,
        format_args!(
            "<form data-key=\"form\" role=\"search\" action=\"./\" method=\"get\">\n<label>Find <input type=\"search\" name=\"q\" value=\"{}\" \
            placeholder=\"name, id, cluster, exception\"></label>\n",
            Html(choice.get("q").unwrap_or_default())
        ),
    );
    let shows = Attention::ALL.map(|attention| (attention.name(), attention.title()));
    select(out, "show", "Show", &shows, choice);
    let states: BTreeSet<_> = all.iter().map(|(_, entity)| entity.state()).collect();
    let states: Vec<_> = states.into_iter().map(|state| (state, state)).collect();
    select(out, "state", "State", &states, choice);
    let kinds: BTreeSet<_> = all.iter().map(|(_, entity)| entity.kind()).collect();
    let kinds: Vec<_> = kinds.into_iter().map(|kind| (kind, kind)).collect();
    if kinds.len() > 1 {
        select(out, "kind", "Kind", &kinds, choice);
    }
    for kept in ["sort", "cluster"] {
        if let Some(value) = choice.get(kept) {
            put(
                out,
                format_args!(
                    "<input type=\"hidden\" name=\"{kept}\" value=\"{}\">\n",
                    Html(value)
                ),
            );
        }
    }
    out.push_str("<button>Apply</button>\n</form>\n");
    if let Some(cluster) = choice.get("cluster") {
        put(
            out,
            format_args!(
                "<p>Only cluster <strong>{}</strong>. <a href=\"{}\">All clusters</a></p>\n",
                Html(cluster),
                Html(&choice.with("cluster", ""))
            ),
        );
    }
}

fn select(out: &mut String, name: &str, title: &str, options: &[(&str, &str)], choice: &Choice) {
    put(
        out,
        format_args!("<label>{title} <select name=\"{name}\"><option value=\"\">all</option>"),
    );
    for (value, word) in options {
        let selected = if choice.get(name) == Some(value) {
            " selected"
        } else {
            ""
        };
        put(
            out,
            format_args!("<option data-key=\"{value}\" value=\"{value}\"{selected}>{word}</option>"),
        );
    }
    out.push_str("</select></label>\n");
}

fn table(out: &mut String, rows: &[Judged<'_>], choice: &Choice, now: Timestamp) {
    out.push_str(
        "<div data-key=\"table\" class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Jobs\"><table class=\"entities\">\n\
        <caption class=\"hidden\">Jobs, those that need somebody first unless sorted otherwise</caption>\n<thead><tr>",
    );
    let asked = Column::asked(choice);
    for column in Column::ALL {
        let turned = asked
            .filter(|(sorted, _)| *sorted == column)
            .map(|(_, turned)| turned);
        // One click sorts, the next turns the order around, the third gives back what is usual.
        let (next, sorted) = match turned {
            None => (column.name().to_owned(), ""),
            Some(false) => (format!("-{}", column.name()), " aria-sort=\"ascending\""),
            Some(true) => (String::new(), " aria-sort=\"descending\""),
        };
        let number = if column == Column::Restarts {
            " class=\"number\""
        } else {
            ""
        };
        put(
            out,
            format_args!(
                "<th scope=\"col\"{number}{sorted}><a href=\"{}\">{}</a></th>",
                Html(&choice.with("sort", &next)),
                column.title()
            ),
        );
    }
    out.push_str("<th scope=\"col\">Last failure</th></tr></thead>\n<tbody>\n");
    for row in rows {
        entity_row(out, *row, choice, now);
    }
    out.push_str("</tbody></table></div>\n");
}

fn entity_row(out: &mut String, (attention, entity): Judged<'_>, choice: &Choice, now: Timestamp) {
    let link = link(entity);
    put(
        out,
        format_args!(
            "<tr data-key=\"{0}\"><th scope=\"row\"><a href=\"{0}\">",
            Html(&link)
        ),
    );
    match entity.name() {
        Some(name) if !name.trim().is_empty() => put(out, format_args!("{}", Html(name))),
        _ => out.push_str("<em>no name</em>"),
    }
    put(
        out,
        format_args!("</a><small><code>{}</code>", Html(&entity.id())),
    );
    if entity.kind() != "flink_job" {
        put(out, format_args!(" {}", entity.kind()));
    }
    out.push_str("</small></th><td>");
    for (place, (label, value)) in entity.labels().into_iter().enumerate() {
        let space = if place > 0 { " / " } else { "" };
        if label == "cluster" {
            let only = choice.with("cluster", value);
            put(
                out,
                format_args!("{space}<a href=\"{}\">{}</a>", Html(&only), Html(value)),
            );
        } else {
            put(out, format_args!("{space}{}", Html(value)));
        }
    }
    put(out, format_args!("</td><td>{}", badge(attention, entity.state())));
    if let Some(why) = entity.unknown_because() {
        put(out, format_args!("<small>{}</small>", Html(why)));
    }
    let since = entity.since();
    put(
        out,
        format_args!(
            "</td><td class=\"time\">{}<small>{}</small></td><td class=\"number\">{}</td><td class=\"cause\">",
            time(since),
            age(since, now),
            restarts(entity).map(grouped).unwrap_or_default(),
        ),
    );
    if let Some(failure) = entity.failure() {
        let (class, message) = (&failure.cause.class, &failure.cause.message);
        let short = class.rsplit('.').next().unwrap_or(class);
        put(
            out,
            format_args!(
                "<span title=\"{}\">{}</span><small title=\"{2}\">{2}</small>",
                Html(class),
                Html(short),
                Html(message)
            ),
        );
    }
    out.push_str("</td></tr>\n");
}

/// The address of an entity's own page.
pub(super) fn link(entity: &dyn Entity) -> String {
    let id = entity.id();
    let key = [("kind", entity.kind()), ("id", id.as_str())];
    address("entity", key.into_iter().chain(entity.labels()))
}
