//! The catalogue: what each metric family is, said once. The pages, `docs/metrics.md` and `flinktail print metrics`
//! all derive from it. A new metric is one more entry under `families/`.

use super::Settings;
use super::families::{application, deployment, job, platform_job, process, program, source, store};
use super::render::{Samples, put};
use super::view::View;
use crate::model::Job;
use crate::stats::SourceStats;

/// How a family's values behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Never falls, but for a restart where the entry says so.
    Counter,
    /// Any value. Enumerations and `_info` are gauges in both formats: few tools know OpenMetrics' own types for them.
    Gauge,
    /// Counts of observations below bounds, with their number and sum.
    Histogram,
}

impl Kind {
    /// As written after `# TYPE`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// What users may build on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stability {
    /// Name, labels and meaning stay within a major version.
    Stable,
    /// May change in any minor version; the changelog says so.
    Experimental,
}

impl Stability {
    /// As written in the documentation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Experimental => "experimental",
        }
    }
}

/// Where a family's samples come from.
#[derive(Clone, Copy)]
pub enum Fill {
    /// From each job shown: rendered when that job changes. The first [`job::COMMON`] labels are given already.
    Job(fn(&Job, &Settings, &mut Samples<'_>)),
    /// From each log: rendered one after the other at each scrape.
    Source(fn(&SourceStats, &mut Samples<'_>)),
    /// From the rest of what was published: rendered whole at each scrape.
    Program(fn(&View, &mut Samples<'_>)),
    /// From the process's own registry: rendered at each scrape.
    Registry,
}

/// One metric family.
pub struct Family {
    /// Name on the classic text page: a counter's ends in `_total`.
    pub name: &'static str,
    /// How its values behave.
    pub kind: Kind,
    /// Base unit; the name carries it. None for counts, codes and flags.
    pub unit: Option<&'static str>,
    /// Names of its labels, in the order written.
    pub labels: &'static [&'static str],
    /// One sentence, shown above the samples. ASCII without backslash, quote or newline, so that no format escapes it.
    pub help: &'static str,
    /// When the value moves, what it starts from, when it is absent.
    pub moves: &'static str,
    /// The most series that it can have.
    pub bound: &'static str,
    /// A query that uses it well.
    pub query: &'static str,
    /// What users may build on.
    pub stability: Stability,
    /// The version that brought it.
    pub since: &'static str,
    /// Where its samples come from.
    pub fill: Fill,
}

impl Family {
    /// OpenMetrics names a counter's family without `_total`; its samples keep it.
    #[must_use]
    pub fn openmetrics_name(&self) -> &'static str {
        self.name.strip_suffix("_total").unwrap_or(self.name)
    }
}

/// Every family, in the order of the page.
pub fn families() -> impl Iterator<Item = &'static Family> {
    chapters().into_iter().flat_map(|(_, families)| families)
}

/// Every family, by what it tells of.
fn chapters() -> [(&'static str, &'static [Family]); 8] {
    [
        ("Jobs", job::FAMILIES),
        ("Applications", application::FAMILIES),
        ("Platform jobs", platform_job::FAMILIES),
        ("Deployments", deployment::FAMILIES),
        ("States, entities and rules", program::FAMILIES),
        ("Sources", source::FAMILIES),
        ("The store", store::FAMILIES),
        ("The process", process::FAMILIES),
    ]
}

/// The whole catalogue as a Markdown page: `docs/metrics.md`.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Metrics\n\n\
        Generated from the catalogue in `src/expose/families/`; a test keeps the two equal (`BLESS=1 cargo test` writes it anew).\n\n\
        Served at `/metrics` as Prometheus text 0.0.4 or OpenMetrics 1.0, by `Accept`. Samples carry no timestamps. Label values\n\
        longer than 512 bytes are cut and end in `…` and a hash. Counters of jobs, states, records, rules and sources never fall;\n\
        those under \"The store\" and \"The process\" start with the process.\n",
    );
    for (title, families) in chapters() {
        put(&mut page, format_args!("\n## {title}\n"));
        for family in families {
            write_entry(&mut page, family);
        }
    }
    page
}

fn write_entry(page: &mut String, family: &Family) {
    let Family {
        name,
        help,
        moves,
        bound,
        query,
        since,
        ..
    } = family;
    let labels = family
        .labels
        .iter()
        .map(|label| format!("`{label}`"))
        .collect::<Vec<_>>()
        .join(", ");
    let labels = if labels.is_empty() {
        "none".to_owned()
    } else {
        labels
    };
    let unit = family.unit.unwrap_or("none");
    let (kind, stability) = (family.kind.name(), family.stability.name());
    put(
        page,
        format_args!(
            "\n### `{name}`\n\n{help}\n\n\
            | type | unit | labels | at most | stability | since |\n| --- | --- | --- | --- | --- | --- |\n\
            | {kind} | {unit} | {labels} | {bound} | {stability} | {since} |\n\n\
            {moves}\n\n```promql\n{query}\n```\n"
        ),
    );
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_page_in_docs_is_the_catalogue() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, markdown()).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap();
        assert!(
            written == markdown(),
            "docs/metrics.md is out of date: BLESS=1 cargo test writes it anew"
        );
    }

    #[test]
    fn names_units_and_help_keep_the_conventions() {
        let mut names = BTreeSet::new();
        for family in families() {
            let name = family.name;
            assert!(names.insert(family.openmetrics_name()), "{name} is there twice");
            assert_eq!(
                name.ends_with("_total"),
                family.kind == Kind::Counter,
                "{name}: only counters end in _total"
            );
            if let Some(unit) = family.unit {
                assert!(
                    family.openmetrics_name().ends_with(&format!("_{unit}")),
                    "{name} must end in its unit"
                );
            }
            assert!(
                family.help.is_ascii() && !family.help.contains(['\\', '"', '\n']),
                "{name}: help needs escaping"
            );
            assert!(
                family.help.ends_with('.') && family.moves.ends_with('.'),
                "{name}: sentences end in a full stop"
            );
            assert!(family.query.contains(name), "{name}: its query must use it");
            assert!(
                !family
                    .labels
                    .iter()
                    .any(|label| ["job", "instance", "le"].contains(label)),
                "{name}: Prometheus' own label"
            );
        }
    }

    #[test]
    fn no_family_is_named_like_a_sample_of_another() {
        let names: BTreeSet<_> = families().map(Family::openmetrics_name).collect();
        for name in &names {
            for suffix in ["_total", "_created", "_bucket", "_count", "_sum"] {
                assert!(
                    !names.contains(format!("{name}{suffix}").as_str()),
                    "{name}{suffix}"
                );
            }
        }
    }
}
