//! What the pages say, and that no text from a log becomes anything but text.

use std::sync::Arc;

use super::*;
use crate::expose::{Settings, ViewBuilder};
use crate::line::LogId;
use crate::model::event::Cause;
use crate::model::flink_job::JobState;
use crate::model::test_jobs::job;
use crate::model::{Basis, Counters, Entry, Failure, Job};
use crate::stats::{Blind, Op, ProgramStats, SourceStats};

const HOSTILE: &str = "<script>alert(1)</script>\"'\u{202e}&amp;";

/// An hour after the made-up jobs entered their states.
fn now() -> Timestamp {
    "2026-03-02T10:00:00.004Z".parse().unwrap()
}

fn view(jobs: &[Job], stats: ProgramStats) -> View {
    let mut builder = ViewBuilder::new(Settings::default());
    for job in jobs {
        builder.put(&Arc::new(job.clone()));
    }
    builder.view(Counters::default(), stats, now())
}

fn shown(which: Which, jobs: &[Job], query: &str) -> String {
    let stats = ProgramStats {
        ready: true,
        log_names: Arc::new([(LogId(0), Arc::from("/logs/<b>jobmanager.log"))].into()),
        ..ProgramStats::default()
    };
    html(which, &view(jobs, stats), query, now()).0
}

/// Jobs named by what they want, in no order of urgency; `new` has just begun.
fn jobs() -> Vec<Job> {
    let states = [
        ("ended", JobState::Finished),
        ("running", JobState::Running),
        ("lost", JobState::Unknown),
        ("new", JobState::Created),
        ("failed", JobState::Failed),
        ("stuck", JobState::Restarting),
    ];
    let made = (0..).zip(states).map(|(number, (name, state))| {
        let mut job = job(name);
        (job.id.0[0], job.state, job.restarts[0]) = (number, state, u64::from(number));
        if name == "new" {
            job.since = Some("2026-03-02T09:59:00Z".parse().unwrap());
        }
        job
    });
    made.collect()
}

/// The names in the table, in its order.
fn names(query: &str) -> Vec<String> {
    let page = shown(Which::Fleet, &jobs(), query);
    let rows = page.split("<th scope=\"row\">").skip(1);
    rows.map(|row| row.split(['>', '<']).nth(2).unwrap().to_owned())
        .collect()
}

#[test]
fn what_needs_eyes_comes_first_unless_it_is_sorted_otherwise() {
    assert_eq!(names(""), ["stuck", "failed", "new", "lost", "running", "ended"]);
    assert_eq!(
        names("sort=restarts"),
        ["ended", "running", "lost", "new", "failed", "stuck"]
    );
    assert_eq!(
        names("sort=-name"),
        ["stuck", "running", "new", "lost", "failed", "ended"]
    );
}

#[test]
fn an_address_filters() {
    for (query, expected) in [
        ("show=stuck", vec!["stuck"]),
        ("state=CREATED", vec!["new"]),
        ("q=AIL", vec!["failed"]),
        ("q=05abab", vec!["stuck"]),
        ("cluster=prod-1&show=steady", vec!["running"]),
        ("cluster=elsewhere", vec![]),
        ("kind=vvp_job", vec![]),
    ] {
        assert_eq!(names(query), expected, "{query}");
    }
    assert!(shown(Which::Fleet, &jobs(), "q=nothing").contains("Nothing matches"));
    assert!(shown(Which::Fleet, &[], "").contains("No job has been seen yet"));
}

#[test]
fn a_large_fleet_comes_in_pages() {
    let many: Vec<Job> = (0..250_u16)
        .map(|number| {
            let mut job = job(&format!("job-{number}"));
            job.id.0[..2].copy_from_slice(&number.to_be_bytes());
            job
        })
        .collect();
    for (query, rows, says) in [
        ("", 100, "1 to 100 of 250"),
        ("page=3", 50, "201 to 250 of 250"),
        ("page=999", 50, "201 to 250 of 250"),
        ("q=job-24", 11, ""),
    ] {
        let page = shown(Which::Fleet, &many, query);
        assert_eq!(page.matches("<th scope=\"row\">").count(), rows, "{query}");
        assert!(page.contains(says), "{query}");
    }
}

#[test]
fn an_entity_has_a_page_with_its_states_drawn_and_the_lines_that_told_them() {
    let mut orders = job("orders");
    orders.history.push_back(Entry {
        at: Some("2026-03-02T09:30:00Z".parse().unwrap()),
        from: Some(JobState::Running),
        to: JobState::Restarting,
        basis: Basis::Inferred,
        late: false,
        line: (LogId(7), 4096),
    });
    (orders.state, orders.since) = (JobState::Restarting, orders.history[1].at);
    orders.failure = Some(Box::new(Failure {
        cause: Cause {
            class: "java.io.IOException".to_owned(),
            message: HOSTILE.to_owned(),
        },
        at: None,
    }));
    let page = shown(
        Which::Entity,
        &[orders],
        "kind=flink_job&cluster=prod-1&id=abababababababababababababababab",
    );
    for expected in [
        "RESTARTING <strong>stuck</strong></span> since",
        "<dt>stuck after</dt><dd>10 min 0 s</dd>",
        "<dd>2 (2 failure)</dd>",
        "<strong>java.io.IOException</strong>",
        "RUNNING for 29 min 59 s, RESTARTING for 30 min 0 s",
        "<rect class=\"steady\" x=\"130.00\" y=\"4\" width=\"435.00\"",
        "<rect class=\"transient\" x=\"565.00\" y=\"28\" width=\"435.00\"",
        "<td>inferred</td><td class=\"line\">a log that is gone, byte 4,096</td>",
        "<code>/logs/&lt;b&gt;jobmanager.log</code> <span class=\"offset\">byte 0</span>",
    ] {
        assert!(page.contains(expected), "{expected}\n{page}");
    }
}

#[test]
fn an_entity_that_is_not_there_is_said_not_to_be_there() {
    for query in [
        "",
        "id=",
        "id=zz",
        "id=abababababababababababababababab&cluster=other",
    ] {
        let (page, found) = html(
            Which::Entity,
            &view(&[job("orders")], ProgramStats::default()),
            query,
            now(),
        );
        assert!(!found && page.contains("No entity has this key"), "{query}");
    }
}

#[test]
fn hostile_text_stays_text_on_every_page() {
    let mut evil = job(HOSTILE);
    evil.cluster = Arc::from(HOSTILE);
    evil.failure = Some(Box::new(Failure {
        cause: Cause {
            class: HOSTILE.to_owned(),
            message: HOSTILE.to_owned(),
        },
        at: None,
    }));
    let source = SourceStats {
        name: HOSTILE.into(),
        cluster: HOSTILE.into(),
        ..SourceStats::default()
    };
    let stats = ProgramStats {
        sources: vec![Arc::new(source)],
        rule_matches: [(HOSTILE.to_owned(), 1)].into(),
        log_names: Arc::new([(LogId(0), Arc::from(HOSTILE))].into()),
        ..ProgramStats::default()
    };
    let id = evil.id;
    let view = view(&[evil], stats);
    let query = format!(
        "id={id}&q=%22%3E%3Cscript%3E&sort=%22%3E%3Cscript%3E&cluster=&page=%3Cscript%3E&range=%3Cscript%3E"
    );
    for which in [Which::Fleet, Which::Entity, Which::Sources, Which::Rules] {
        let page = html(which, &view, &query, now()).0;
        let alike = page.replace("<script src=\"assets/page.js\" defer></script>", "");
        assert!(
            !alike.contains("<script") && !alike.contains('\u{202e}'),
            "{which:?}: {page}"
        );
        assert!(!alike.contains("\"'"), "{which:?}: {page}");
    }
}

#[test]
fn a_log_with_trouble_is_told_of_in_words() {
    let source = SourceStats {
        name: "/a.log".into(),
        blind: Some(Blind::LevelAboveInfo),
        errors: [(Op::Open, 2)].into(),
        lag_bytes: 2048,
        ..SourceStats::default()
    };
    let stats = ProgramStats {
        sources: vec![Arc::new(source)],
        ..ProgramStats::default()
    };
    let view = view(&[], stats);
    let sources = html(Which::Sources, &view, "", now()).0;
    assert!(
        sources.contains("nothing at INFO") && sources.contains("2 failed operations (open)"),
        "{sources}"
    );
    let fleet = html(Which::Fleet, &view, "", now()).0;
    assert!(
        fleet.contains("1 log, 1 with trouble</a>, 2.0 KiB behind") && fleet.contains("Still reading"),
        "{fleet}"
    );
}

#[test]
fn ages_of_jobs_without_times_or_from_the_future_do_no_harm() {
    let mut timeless = job("timeless");
    (timeless.since, timeless.history[0].at) = (None, None);
    let mut ahead = job("ahead");
    ahead.since = Some("9999-12-30T22:00:00Z".parse().unwrap());
    (ahead.history[0].at, ahead.id.0[0]) = (ahead.since, 1);
    let jobs = [timeless, ahead];
    assert!(shown(Which::Fleet, &jobs, "").contains("in the future"));
    assert!(shown(Which::Entity, &jobs, "id=abababababababababababababababab").contains("gives no times"));
    for range in ["", "15m", "7d"] {
        let query = format!("id=01ababababababababababababababab&range={range}");
        assert!(shown(Which::Entity, &jobs, &query).contains("<svg"), "{range}");
    }
}

#[test]
fn entities_of_every_kind_have_their_row_and_their_page() {
    let fleet = crate::model::test_jobs::fleet();
    let mut builder = ViewBuilder::new(Settings::default());
    fleet.shared_jobs().for_each(|job| builder.put(job));
    builder.put_others(&fleet);
    let view = builder.view(Counters::default(), ProgramStats::default(), now());
    let (page, _) = html(Which::Fleet, &view, "", now());
    for kind in ["flink_job", "kda_application", "vvp_job", "flink_deployment"] {
        assert!(page.contains(&format!("kind={kind}")), "{kind}: {page}");
    }
    assert!(!page.contains('\u{202e}'), "{page}");
    let query = "kind=kda_application&id=arn:aws:kinesisanalytics:eu-west-1:111122223333:application/orders\
        &account=111122223333&region=eu-west-1";
    let (page, found) = html(Which::Entity, &view, query, now());
    assert!(found && page.contains("6 ROLLED_BACK"), "{page}");
}
