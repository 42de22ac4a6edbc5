//! The page at `/`: every job at once, those that need somebody first. Plain HTML without script or outside assets.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::escape::Html;
use super::render::put;
use super::view::View;
use crate::model::Job;
use crate::model::flink_job::{Class, JobState};
use crate::model::retention::Thresholds;
use crate::stats::{Blind, SourceStats};

/// The style sheet, served beside the page.
pub const STYLE: &str = include_str!("page/style.css");

/// The policy that makes text from logs harmless even if it were not escaped: only our own style sheet is loaded.
pub const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEAD: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>flinktail</title>\n\
    <link rel=\"stylesheet\" href=\"style.css\">\n</head>\n<body>\n<h1>flinktail</h1>\n";

const JOBS: &str = "<h2>Jobs</h2>\n<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">Job</th>\
    <th scope=\"col\">Cluster</th><th scope=\"col\">State</th><th scope=\"col\">Since</th>\
    <th scope=\"col\" class=\"number\">Restarts</th><th scope=\"col\">Last failure</th></tr></thead>\n<tbody>\n";

const SOURCES: &str = "</tbody></table></div>\n<h2>Logs</h2>\n<div class=\"wide\"><table>\n<thead><tr>\
    <th scope=\"col\">Log</th><th scope=\"col\">Cluster</th><th scope=\"col\">Layout</th>\
    <th scope=\"col\" class=\"number\">Bytes read</th><th scope=\"col\" class=\"number\">Bytes behind</th></tr></thead>\n<tbody>\n";

const FOOT: &str = "</tbody></table></div>\n<p><a href=\"metrics\">metrics</a> · \
    <a href=\"api/v1/entities\">entities as JSON</a></p>\n</body>\n</html>\n";

/// How much a job wants somebody's eyes; the first is the most urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Attention {
    Stuck,
    Transient,
    Failed,
    Unknown,
    Running,
    Ended,
}

impl Attention {
    fn of(job: &Job, thresholds: &Thresholds, now: Timestamp) -> Self {
        match job.state.class() {
            Class::Transient if thresholds.is_stuck(job, now) => Self::Stuck,
            Class::Transient => Self::Transient,
            Class::Terminal if job.state == JobState::Failed => Self::Failed,
            Class::Unknown => Self::Unknown,
            Class::Steady => Self::Running,
            Class::Terminal => Self::Ended,
        }
    }

    /// The class of the style sheet.
    const fn colour(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::Transient => "transient",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Running => "steady",
            Self::Ended => "terminal",
        }
    }
}

/// The page, in pieces; `now` is for the ages shown.
pub fn html(view: Arc<View>, now: Timestamp) -> impl Iterator<Item = String> + Send {
    let mut order: Vec<_> = (0..view.jobs().len())
        .map(|place| (rank(&view, place, now), place))
        .collect();
    order.sort_unstable();
    let summary = summary(&view, now);
    let sources: String = view.stats().sources.iter().map(source_row).collect();
    let rows = order
        .into_iter()
        .map(move |((attention, _), place)| job_row(view.jobs()[place].job(), attention, now));
    [HEAD.to_owned(), summary, JOBS.to_owned()]
        .into_iter()
        .chain(rows)
        .chain([SOURCES.to_owned(), sources, FOOT.to_owned()])
}

/// What needs eyes first; there, what has waited longest; of what has ended, the latest.
fn rank(view: &View, place: usize, now: Timestamp) -> (Attention, Result<Timestamp, Reverse<Timestamp>>) {
    let job = view.jobs()[place].job();
    let attention = Attention::of(job, &view.settings().thresholds, now);
    let since = job.since.unwrap_or(job.since_read);
    (
        attention,
        if job.state.is_terminal() {
            Err(Reverse(since))
        } else {
            Ok(since)
        },
    )
}

fn summary(view: &View, now: Timestamp) -> String {
    let mut counts: BTreeMap<(Attention, &str), usize> = BTreeMap::new();
    for job in view.jobs() {
        let attention = Attention::of(job.job(), &view.settings().thresholds, now);
        *counts.entry((attention, job.job().state.name())).or_default() += 1;
    }
    let mut out = String::from("<p>");
    for ((attention, state), count) in counts {
        put(&mut out, format_args!("{count} {} ", badge(attention, state)));
    }
    if view.jobs().is_empty() {
        out.push_str("No job has been seen yet.");
    }
    put(
        &mut out,
        format_args!("</p>\n<p><small>As of {} UTC.</small></p>\n", moment(view.at())),
    );
    let stats = view.stats();
    if !stats.ready {
        let (read, total) = (stats.backlog.read_bytes, stats.backlog.total_bytes);
        put(
            &mut out,
            format_args!(
                "<p class=\"alert\">Still reading what was there at the start: {read} of {total} bytes.</p>\n"
            ),
        );
    }
    out
}

fn job_row(job: &Job, attention: Attention, now: Timestamp) -> String {
    let mut out = String::from("<tr><td>");
    match &job.name {
        Some(name) => put(&mut out, format_args!("{}", Html(name))),
        None => out.push_str("<span class=\"faint\">no name seen</span>"),
    }
    let state = badge(attention, job.state.name());
    let since = job.since.unwrap_or(job.since_read);
    let restarts: u64 = job.restarts.iter().sum();
    put(
        &mut out,
        format_args!(
            "<br><code>{}</code></td><td>{}</td><td>{state}{}</td><td class=\"time\">{}<br><small>{}</small></td><td class=\"number\">{restarts}</td><td>",
            job.id,
            Html(&job.cluster),
            job.unknown_because
                .map(|why| format!("<br><small>{}</small>", Html(why)))
                .unwrap_or_default(),
            moment(since),
            age(since, now),
        ),
    );
    if let Some(failure) = &job.failure {
        let (class, message) = (Html(&failure.cause.class), Html(&failure.cause.message));
        put(&mut out, format_args!("{class}<br><small>{message}</small>"));
    }
    out.push_str("</td></tr>\n");
    out
}

/// A state as word and colour.
fn badge(attention: Attention, state: &str) -> String {
    let mark = if attention == Attention::Stuck {
        " stuck"
    } else {
        ""
    };
    format!(
        "<span class=\"state {}\">{state}{mark}</span>",
        attention.colour()
    )
}

fn source_row(source: &SourceStats) -> String {
    let layout = source.layout.as_deref().unwrap_or("not recognised yet");
    let trouble = source
        .blind
        .map(|why| format!("<p class=\"alert\">{}</p>", in_words(why)))
        .unwrap_or_default();
    format!(
        "<tr><td>{}{trouble}</td><td>{}</td><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
        Html(&source.name),
        Html(&source.cluster),
        Html(layout),
        source.read_bytes,
        source.lag_bytes,
    )
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

/// `2026-03-02 09:00:00`, UTC.
fn moment(at: Timestamp) -> String {
    format!("{at:.0}").replace('T', " ").replace('Z', "")
}

/// How long ago, in its two largest units.
fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - since.as_second();
    match seconds {
        ..0 => "in the future".to_owned(),
        0..60 => format!("for {seconds} s"),
        60..3600 => format!("for {} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("for {} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("for {} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expose::{Settings, ViewBuilder};
    use crate::model::Counters;
    use crate::model::test_jobs::job;
    use crate::stats::ProgramStats;

    /// The page, an hour after all its jobs entered their states.
    fn page(jobs: &[Job], sources: Vec<SourceStats>) -> String {
        let mut builder = ViewBuilder::new(Settings::default());
        for job in jobs {
            builder.put(job);
        }
        let now = "2026-03-02T10:00:00.004Z".parse().unwrap();
        let stats = ProgramStats {
            sources,
            ..ProgramStats::default()
        };
        html(Arc::new(builder.view(Counters::default(), stats, now)), now).collect()
    }

    #[test]
    fn what_needs_eyes_comes_first() {
        let states = [
            ("ended", JobState::Finished),
            ("running", JobState::Running),
            ("lost", JobState::Unknown),
            ("failed", JobState::Failed),
            ("new", JobState::Created),
            ("stuck", JobState::Restarting),
        ];
        let jobs: Vec<Job> = (0..)
            .zip(states)
            .map(|(number, (name, state))| {
                let mut job = job(name);
                (job.id.0[0], job.state) = (number, state);
                if name == "new" {
                    job.since = Some("2026-03-02T09:59:00Z".parse().unwrap());
                }
                job
            })
            .collect();
        let page = page(&jobs, Vec::new());
        let places: Vec<_> = states
            .iter()
            .rev()
            .map(|(name, _)| page.find(&format!("<tr><td>{name}<")).unwrap())
            .collect();
        assert!(places.is_sorted(), "{page}");
        assert!(
            page.contains("RESTARTING stuck</span>") && page.contains("for 1 h 0 min"),
            "{page}"
        );
    }

    #[test]
    fn hostile_names_stay_text() {
        let mut evil = job("<script>alert(1)</script>\u{202e}");
        evil.cluster = Arc::from("\"><img src=x>");
        let page = page(&[evil], Vec::new());
        assert!(
            !page.contains("<script") && !page.contains("<img") && !page.contains('\u{202e}'),
            "{page}"
        );
        assert!(page.contains("&lt;script&gt;"), "{page}");
    }

    #[test]
    fn a_log_that_cannot_show_transitions_is_told_of_in_words() {
        let source = SourceStats {
            name: "/a.log".to_owned(),
            blind: Some(Blind::LevelAboveInfo),
            ..SourceStats::default()
        };
        let page = page(&[], vec![source]);
        assert!(
            page.contains("nothing at INFO") && page.contains("No job has been seen yet"),
            "{page}"
        );
    }
}
