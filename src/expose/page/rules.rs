//! The rules, and how often each has matched: where nothing matches, a wording is missing or the wrong log is read.

use super::Page;
use super::words::grouped;
use crate::expose::escape::Html;
use crate::expose::render::put;
use crate::expose::view::View;

pub(super) fn page(view: &View) -> Page {
    let mut main = String::from(
        "<h1>Rules</h1>\n<p>What lines mean, and how often they were seen. <code>flinktail explain</code> shows what is made \
        of a line, <code>flinktail print rules</code> what the rules say.</p>\n\
        <div data-key=\"table\" class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Rules\"><table class=\"narrow\">\n\
        <caption class=\"hidden\">Rules by name</caption>\n<thead><tr><th scope=\"col\">Rule</th>\
        <th scope=\"col\" class=\"number\">Matches</th></tr></thead>\n<tbody>\n",
    );
    for (rule, matches) in &view.stats().rule_matches {
        let none = if *matches == 0 { " none" } else { "" };
        put(
            &mut main,
            format_args!(
                "<tr><th scope=\"row\"><code>{}</code></th><td class=\"number{none}\">{}</td></tr>\n",
                Html(rule),
                grouped(*matches)
            ),
        );
    }
    main.push_str("</tbody></table></div>\n");
    Page {
        title: "Rules".to_owned(),
        main,
    }
}
