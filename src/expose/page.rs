//! The pages for people: the fleet, one entity, the sources and the rules. Every page is whole without scripts; the
//! script only fetches the same page again when the server says that something changed, and shows what differs.
//!
//! Text from logs is escaped wherever it is shown, and the policy below makes it harmless even if it were not.

mod choice;
mod entity;
mod fleet;
mod rules;
mod sources;
mod timeline;
mod words;

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use self::choice::Choice;
use super::escape::Html;
use super::render::put;
use super::view::View;

/// What browsers may do here: load what this program serves, and nothing else; run no script that stands in a page.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What the pages are made of beside their text: path, content type, content.
pub const ASSETS: [(&str, &str, &str); 3] = [
    (
        "/assets/page.css",
        "text/css; charset=utf-8",
        include_str!("page/page.css"),
    ),
    (
        "/assets/page.js",
        "text/javascript; charset=utf-8",
        include_str!("page/page.js"),
    ),
    ("/assets/icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
];

/// A page: what it is called, and what stands in it.
#[derive(Debug)]
struct Page {
    title: String,
    main: String,
}

/// Which page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All entities.
    Fleet,
    /// One of them, named by the address.
    Entity,
    /// The logs.
    Sources,
    /// What lines mean, and how often they were seen.
    Rules,
}

/// A page as HTML; `query` is that of its address, `now` is for the ages shown. False with it where nothing is there.
#[must_use]
pub fn html(which: Which, view: &View, query: &str, now: Timestamp) -> (String, bool) {
    let choice = Choice::parse(query);
    let page = match which {
        Which::Fleet => Some(fleet::page(view, &choice, now)),
        Which::Entity => entity::page(view, &choice, now),
        Which::Sources => Some(sources::page(view, now)),
        Which::Rules => Some(rules::page(view)),
    };
    let found = page.is_some();
    (framed(which, view, &page.unwrap_or_else(missing)), found)
}

fn missing() -> Page {
    Page {
        title: "Not here".to_owned(),
        main: "<h1>Not here</h1>\n<p>No entity has this key. It may have been removed to make room; \
            <code>flinktail history</code> may still know it.</p>\n"
            .to_owned(),
    }
}

/// The page with everything that all pages have.
fn framed(which: Which, view: &View, page: &Page) -> String {
    let mut out = String::with_capacity(page.main.len() + 4096);
    put(
        &mut out,
        format_args!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
            <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
            <meta name=\"color-scheme\" content=\"light dark\">\n<title>{} · flinktail</title>\n\
            <link rel=\"icon\" href=\"assets/icon.svg\" type=\"image/svg+xml\">\n\
            <link rel=\"stylesheet\" href=\"assets/page.css\">\n\
            <script src=\"assets/page.js\" defer></script>\n</head>\n<body>\n\
            <a class=\"skip\" href=\"#main\">Skip to content</a>\n<header>\n\
            <a class=\"brand\" href=\"./\"><img src=\"assets/icon.svg\" alt=\"\" width=\"20\" height=\"20\">flinktail</a>\n\
            <nav aria-label=\"Pages\">",
            Html(&page.title)
        ),
    );
    for (other, address, title) in [
        (Which::Fleet, "./", "Fleet"),
        (Which::Sources, "sources", "Sources"),
        (Which::Rules, "rules", "Rules"),
    ] {
        let current = if which == other {
            " aria-current=\"page\""
        } else {
            ""
        };
        put(
            &mut out,
            format_args!("<a href=\"{address}\"{current}>{title}</a>"),
        );
    }
    put(
        &mut out,
        format_args!(
            "</nav>\n<p id=\"live\" role=\"status\"></p>\n</header>\n<main id=\"main\" tabindex=\"-1\">\n{}{}\
            <p class=\"asof\">As of {} UTC. All times are UTC.</p>\n</main>\n\
            <footer><a href=\"metrics\">Metrics</a> <a href=\"api/v1/entities\">Entities as JSON</a> \
            <span>flinktail {}</span></footer>\n</body>\n</html>\n",
            catching_up(view),
            page.main,
            words::time(view.at()),
            env!("CARGO_PKG_VERSION"),
        ),
    );
    out
}

/// What must be known of everything shown while old content is still being read.
fn catching_up(view: &View) -> String {
    let backlog = view.stats().backlog;
    if view.stats().ready {
        return String::new();
    }
    format!(
        "<p class=\"alert\">Still reading what was there at the start: {} of {}, {} of {} files. Until then this is what \
        was known before.</p>\n",
        words::bytes(backlog.read_bytes),
        words::bytes(backlog.total_bytes),
        words::grouped(backlog.read_files),
        words::grouped(backlog.total_files),
    )
}

/// Which page of a table is shown, from 1, and how many there are.
fn paged(choice: &Choice, total: usize) -> (usize, usize) {
    let pages = total.div_ceil(choice::ROWS).max(1);
    (choice.page().min(pages), pages)
}

/// The rows of a table that are shown.
fn on_page<'a, T>(rows: &'a [T], choice: &Choice) -> &'a [T] {
    let (page, _) = paged(choice, rows.len());
    let first = (page - 1) * choice::ROWS;
    &rows[first..rows.len().min(first + choice::ROWS)]
}

/// Ways to the pages of a table before and after this one; nothing where all is on one.
fn pager(choice: &Choice, total: usize) -> String {
    let (page, pages) = paged(choice, total);
    if pages == 1 {
        return String::new();
    }
    let mut out = String::from("<nav class=\"pager\" aria-label=\"Pages of the table\">");
    for (is_there, number, word, rel) in [
        (page > 1, page - 1, "Previous", "prev"),
        (page < pages, page + 1, "Next", "next"),
    ] {
        if is_there {
            let address = choice.with("page", &number.to_string());
            put(
                &mut out,
                format_args!("<a rel=\"{rel}\" href=\"{}\">{word}</a> ", Html(&address)),
            );
        }
    }
    put(
        &mut out,
        format_args!(
            "<span>{} to {} of {}</span></nav>\n",
            words::grouped(((page - 1) * choice::ROWS + 1) as u64),
            words::grouped(total.min(page * choice::ROWS) as u64),
            words::grouped(total as u64)
        ),
    );
    out
}
