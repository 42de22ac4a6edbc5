//! The rules of grafana/dashboard-linter, and those of provisioning, held over `dashboards/*.json`.
//!
//! Two exceptions. Recorded `fleet:` series are of no instance: they are selected by what their entities live in (a
//! cluster, an account, a namespace) in place of job and instance. And a single number over the time shown uses `$__range`, which is that time.

use std::collections::BTreeSet;
use std::path::Path;

use regex::Regex;
use serde_json::Value;

use crate::repository::{check_none, files, read};

/// Of Grafana's current classic schema.
const SCHEMA: u64 = 42;

/// Columns of Grafana's grid.
const COLUMNS: u64 = 24;

/// Units used, each one of Grafana's own ids (`@grafana/data`, value formats).
const UNITS: [&str; 8] = [
    "none",
    "s",
    "bytes",
    "Bps",
    "cps",
    "reqps",
    "percentunit",
    "dateTimeFromNow",
];

/// The datasource that the reader chooses.
const DATASOURCE: &str = "${datasource}";

/// A dashboard, and what is wrong with it.
struct Linted {
    board: Value,
    offences: Vec<String>,
}

impl Linted {
    fn new(path: &Path) -> Self {
        let mut linted = Self {
            board: serde_json::from_str(&read(path)).unwrap(),
            offences: Vec::new(),
        };
        linted.check_board();
        linted.check_variables();
        linted.check_panels();
        linted.check_annotations();
        for offence in &mut linted.offences {
            offence.insert_str(0, &format!("{}: ", path.display()));
        }
        linted
    }

    fn hold(&mut self, holds: bool, what: impl Into<String>) {
        if !holds {
            self.offences.push(what.into());
        }
    }

    fn check_board(&mut self) {
        let expected = [
            ("schemaVersion", Value::from(SCHEMA)),
            ("id", Value::Null),
            ("editable", Value::from(false)),
            ("graphTooltip", Value::from(1)),
            ("refresh", Value::from("30s")),
            ("timezone", Value::from("")),
        ];
        for (key, value) in expected {
            self.hold(self.board[key] == value, format!("{key} is not {value}"));
        }
        for key in ["uid", "title", "description"] {
            self.hold(!text(&self.board[key]).is_empty(), format!("no {key}"));
        }
        self.hold(self.board.get("__inputs").is_none(), "is an export");
    }

    fn check_variables(&mut self) {
        let variables = list(&self.board["templating"]["list"]);
        let labelled = variables.iter().map(|v| (text(&v["name"]), text(&v["label"])));
        let labelled = labelled.collect::<Vec<_>>();
        for expected in [
            ("datasource", "Data Source"),
            ("job", "Job"),
            ("instance", "Instance"),
        ] {
            self.hold(labelled.contains(&expected), format!("no variable {expected:?}"));
        }
        for variable in variables.iter().filter(|v| v["type"] == "query") {
            let good = variable["datasource"]["uid"] == DATASOURCE
                && variable["multi"] == true
                && variable["includeAll"] == true
                && variable["allValue"] == ".+"
                && variable["refresh"] == 2
                && text(&variable["query"]["query"]).starts_with("label_values(");
            self.hold(good, format!("variable {}", variable["name"]));
        }
    }

    fn check_panels(&mut self) {
        let panels = list(&self.board["panels"]);
        let mut ids = BTreeSet::new();
        let mut cells = BTreeSet::new();
        for panel in &panels {
            let title = text(&panel["title"]).to_owned();
            self.hold(
                ids.insert(panel["id"].as_u64().unwrap()),
                format!("{title}: id twice"),
            );
            self.hold(
                !title.is_empty() && !text(&panel["description"]).is_empty(),
                format!("{title}: no description"),
            );
            self.hold(
                panel["datasource"]["uid"] == DATASOURCE,
                format!("{title}: datasource"),
            );
            let defaults = &panel["fieldConfig"]["defaults"];
            let mapped = !list(&defaults["mappings"]).is_empty();
            let unit = text(&defaults["unit"]);
            self.hold(mapped || UNITS.contains(&unit), format!("{title}: unit {unit:?}"));

            let place = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().unwrap());
            let [x, y, width, height] = place;
            self.hold(x + width <= COLUMNS, format!("{title}: beyond the grid"));
            let mut own = (x..x + width).flat_map(|x| (y..y + height).map(move |y| (x, y)));
            self.hold(
                own.all(|cell| cells.insert(cell)),
                format!("{title}: covers another"),
            );

            let targets = list(&panel["targets"]);
            self.hold(!targets.is_empty(), format!("{title}: no targets"));
            for target in targets {
                self.hold(
                    target["datasource"]["uid"] == DATASOURCE,
                    format!("{title}: datasource"),
                );
                self.check_expression(&title, text(&target["expr"]), &["$__rate_interval", "$__range"]);
            }
        }
    }

    fn check_annotations(&mut self) {
        for note in list(&self.board["annotations"]["list"]) {
            if note["builtIn"] != 1 {
                // Annotations know no `$__rate_interval`.
                self.check_expression(text(&note["name"]), text(&note["target"]["expr"]), &["1m"]);
            }
        }
    }

    fn check_expression(&mut self, title: &str, expression: &str, ranges: &[&str]) {
        let selector = Regex::new(
            r"\b((?:flink_|flinktail_|kda_|vvp_|fleet:|process_|up\b)[a-z0-9_:]*)(?:\{([^}]*)\})?",
        )
        .unwrap();
        let mut selectors = 0;
        for found in selector.captures_iter(expression) {
            let (name, matchers) = (&found[1], found.get(2).map_or("", |m| m.as_str()));
            // A label that is named like a metric.
            if name == "vvp_job_id" {
                continue;
            }
            selectors += 1;
            let wanted: &[&str] = match name.strip_prefix("fleet:") {
                Some(name) if name.starts_with("kda_") => &[r#"account=~"$account""#],
                Some(name) if name.starts_with("vvp_") || name.starts_with("flink_deployment") => {
                    &[r#"namespace=~"$namespace""#]
                }
                Some(_) => &[r#"cluster=~"$cluster""#],
                None => &[r#"job=~"$job""#, r#"instance=~"$instance""#],
            };
            let selected = wanted.iter().all(|matcher| matchers.contains(matcher));
            self.hold(selected, format!("{title}: {name} is not selected by {wanted:?}"));
            let before = &expression[..found.get(0).unwrap().start()];
            let aggregated = ["rate(", "increase(", "changes("]
                .iter()
                .any(|f| before.ends_with(f));
            self.hold(
                !name.ends_with("_total") || aggregated,
                format!("{title}: {name} without rate"),
            );
        }
        self.hold(selectors > 0, format!("{title}: selects nothing"));
        let range = Regex::new(r"\[([^\]]*)\]").unwrap();
        for found in range.captures_iter(expression) {
            self.hold(
                ranges.contains(&&found[1]),
                format!("{title}: range {}", &found[1]),
            );
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

#[test]
fn every_dashboard_keeps_the_rules_of_grafanas_linter() {
    let linted = files("dashboards")
        .iter()
        .map(|path| Linted::new(path))
        .collect::<Vec<_>>();
    assert!(linted.len() >= 4, "dashboards are missing");
    let uids = linted
        .iter()
        .map(|l| text(&l.board["uid"]))
        .collect::<BTreeSet<_>>();
    assert_eq!(uids.len(), linted.len(), "a uid is used twice");
    let offences = linted.iter().flat_map(|l| l.offences.clone());
    check_none("dashboards", &offences.collect::<Vec<_>>());
}

#[test]
fn an_expression_that_breaks_a_rule_is_found() {
    let check = |expression: &str| {
        let mut linted = Linted {
            board: Value::Null,
            offences: Vec::new(),
        };
        linted.check_expression("panel", expression, &["$__rate_interval"]);
        linted.offences.len()
    };
    let own = r#"{job=~"$job", instance=~"$instance"}"#;
    let cases = [
        (format!("flinktail_ready{own}"), 0),
        (format!("rate(flinktail_records_total{own}[$__rate_interval])"), 0),
        (r#"fleet:flink_jobs:sum{cluster=~"$cluster"}"#.to_owned(), 0),
        (
            r#"fleet:kda_application_state:latest{account=~"$account"}"#.to_owned(),
            0,
        ),
        (r#"fleet:vvp_job_state:latest{cluster=~"$cluster"}"#.to_owned(), 1),
        ("flinktail_ready".to_owned(), 1),
        ("fleet:flink_jobs:sum".to_owned(), 1),
        (format!("sum(flinktail_records_total{own})"), 1),
        (format!("rate(flinktail_records_total{own}[5m])"), 1),
        ("vector(1)".to_owned(), 1),
    ];
    for (expression, offences) in cases {
        assert_eq!(check(&expression), offences, "{expression}");
    }
}
