//! Every route, without sockets.

use std::collections::BTreeSet;
use std::io::Read;

use flate2::read::GzDecoder;
use http_body_util::BodyExt;
use hyper::Request;

use super::*;
use crate::expose::render::Format;
use crate::expose::{Settings, ViewBuilder};
use crate::model::Counters;
use crate::model::test_jobs::{self, job};
use crate::stats::{Backlog, ProgramStats};

const NOW: &str = "2026-03-02T10:00:00Z";

fn view(ready: bool) -> Arc<View> {
    let mut builder = ViewBuilder::new(Settings::default());
    builder.put(&Arc::new(job("orders")));
    let fleet = test_jobs::fleet();
    fleet.shared_jobs().for_each(|job| builder.put(job));
    builder.put_others(&fleet);
    let backlog = Backlog {
        total_bytes: 100,
        read_bytes: 40,
        total_files: 3,
        read_files: 1,
    };
    let stats = ProgramStats {
        ready,
        backlog,
        ..ProgramStats::default()
    };
    Arc::new(builder.view(Counters::default(), stats, NOW.parse().unwrap()))
}

/// Status, headers and body of the answer to `method path` with these headers.
fn ask(view: &Arc<View>, method: &str, path: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap, Vec<u8>) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let telemetry = Telemetry::new(NOW.parse().unwrap()).unwrap();
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let (head, content) = answer(&parts, view, &telemetry, NOW.parse().unwrap()).into_parts();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let body = runtime.block_on(content.collect()).unwrap().to_bytes();
    (head.status.as_u16(), head.headers, body.to_vec())
}

fn check(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    status: u16,
    content_type: &str,
    contains: &str,
) {
    let (found, answered, body) = ask(&view(true), method, path, headers);
    let body = String::from_utf8(body).unwrap();
    assert_eq!(
        (found, &answered[header::CONTENT_TYPE]),
        (status, &HeaderValue::from_str(content_type).unwrap()),
        "{path}"
    );
    assert!(body.contains(contains), "{path}: {body}");
    assert_eq!(answered[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert!(answered.contains_key(header::CONTENT_SECURITY_POLICY));
}

const PLAIN: &str = "text/plain; charset=utf-8";

#[test]
fn every_route_answers_with_its_kind_of_content() {
    check("GET", "/", &[], 200, "text/html; charset=utf-8", "orders");
    let html = "text/html; charset=utf-8";
    check("GET", "/sources", &[], 200, html, "No log has been found");
    check("GET", "/rules", &[], 200, html, "Matches");
    check(
        "GET",
        "/entity?id=abababababababababababababababab",
        &[],
        200,
        html,
        "orders",
    );
    check("GET", "/entity", &[], 404, html, "Not here");
    check(
        "GET",
        "/assets/page.css",
        &[],
        200,
        "text/css; charset=utf-8",
        ".state",
    );
    check(
        "GET",
        "/assets/page.js",
        &[],
        200,
        "text/javascript; charset=utf-8",
        "EventSource",
    );
    check("GET", "/assets/icon.svg", &[], 200, "image/svg+xml", "<svg");
    check("GET", "/events", &[], 200, "text/event-stream", "");
    check(
        "GET",
        "/api/v1/entities",
        &[],
        200,
        "application/json",
        "\"name\":\"orders\"",
    );
    check(
        "GET",
        "/api/v1/entities?state=FAILED",
        &[],
        200,
        "application/json",
        "{\"entities\":[]}",
    );
    check("GET", "/api/v1/entities?stat=FAILED", &[], 400, PLAIN, "stat");
    check("GET", "/-/healthy", &[], 200, PLAIN, "healthy");
    check("GET", "/-/ready", &[], 200, PLAIN, "ready");
    check("HEAD", "/-/ready", &[], 200, PLAIN, "");
    check(
        "GET",
        "/metrics?x=y",
        &[],
        200,
        "text/plain; version=0.0.4; charset=utf-8",
        "flink_job_state{",
    );
}

#[test]
fn what_is_not_there_or_not_allowed_is_refused() {
    for path in [
        "/nothing",
        "//",
        "/metrics/",
        "/../etc/passwd",
        "//..//",
        "/-/reload",
        "/assets/",
        "/assets/../page.css",
    ] {
        check("GET", path, &[], 404, PLAIN, "/metrics");
    }
    for method in ["POST", "DELETE", "OPTIONS", "BREW"] {
        check(method, "/metrics", &[], 405, PLAIN, "read");
    }
    assert_eq!(
        ask(&view(true), "PUT", "/metrics", &[]).1[header::ALLOW],
        "GET, HEAD"
    );
    check(
        "GET",
        "/metrics",
        &[("content-length", "5")],
        413,
        PLAIN,
        "bodies",
    );
    check(
        "POST",
        "/metrics",
        &[("transfer-encoding", "chunked")],
        413,
        PLAIN,
        "bodies",
    );
    check(
        "GET",
        "/-/healthy",
        &[("content-length", "0")],
        200,
        PLAIN,
        "healthy",
    );
}

#[test]
fn not_ready_is_503_with_the_progress() {
    let (status, _, body) = ask(&view(false), "GET", "/-/ready", &[]);
    assert_eq!(status, 503);
    assert!(
        String::from_utf8(body)
            .unwrap()
            .contains("1 of 3 files, 40 of 100 bytes")
    );
}

#[test]
fn metrics_come_in_the_form_that_accept_asks_for() {
    let accept = [("accept", "application/openmetrics-text;version=1.0.0")];
    let form = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    check(
        "GET",
        "/metrics",
        &accept,
        200,
        form,
        "# TYPE flink_job_restarts counter\n",
    );
    let (_, _, body) = ask(&view(true), "GET", "/metrics", &accept);
    assert!(body.ends_with(b"\n# EOF\n"));
    check(
        "GET",
        "/metrics",
        &[],
        200,
        "text/plain; version=0.0.4; charset=utf-8",
        "# TYPE flink_job_restarts_total counter\n",
    );
}

#[test]
fn gzip_holds_the_same_page_and_is_made_once_per_view() {
    let view = view(true);
    let stable = |page: &str| -> Vec<String> {
        page.lines()
            .filter(|line| !line.contains("process_"))
            .map(str::to_owned)
            .collect()
    };
    let plain = String::from_utf8(ask(&view, "GET", "/metrics", &[]).2).unwrap();
    let mut made = BTreeSet::new();
    for round in 0..2 {
        let (_, headers, body) = ask(&view, "GET", "/metrics", &[("accept-encoding", "gzip, deflate")]);
        assert_eq!(headers[header::CONTENT_ENCODING], "gzip");
        // A strict reader of one member: anything after it would be left over.
        let (mut page, mut decoder) = (String::new(), GzDecoder::new(body.as_slice()));
        decoder.read_to_string(&mut page).unwrap();
        assert!(
            decoder.into_inner().is_empty(),
            "round {round}: bytes after the member"
        );
        assert_eq!(stable(&page), stable(&plain), "round {round}");
        made.insert(
            view.deflated(Format::Text)
                .get()
                .unwrap()
                .as_ref()
                .unwrap()
                .blocks
                .as_ptr(),
        );
    }
    assert_eq!(made.len(), 1, "compressed twice");
    assert!(view.deflated(Format::OpenMetrics).get().is_none());
    assert!(
        !ask(&view, "GET", "/metrics", &[])
            .1
            .contains_key(header::CONTENT_ENCODING)
    );
}

/// A platform's answer, as JSON.
fn platform(path: &str) -> serde_json::Value {
    let (status, headers, body) = ask(&view(true), "GET", path, &[]);
    assert_eq!(
        (status, &headers["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn jobs_of_the_platform_are_told_in_its_own_shape() {
    let id = "07070707-0707-0707-0707-070707070707";
    let job = platform(&format!("/api/v1/vvp/jobs/{id}"));
    let expected = serde_json::json!({
        "kind": "Job",
        "apiVersion": "v1",
        "metadata": {
            "id": id,
            "namespace": "team",
            "createdAt": null,
            "modifiedAt": "2026-03-02T09:00:00.000Z",
            "terminatedAt": null,
            "deploymentId": null,
            "deploymentName": "dep \"top\\\n\u{202e}",
            "resourceVersion": 5,
        },
        "status": {
            "state": "STARTED",
            "started": {
                "startedAt": "2026-03-02T09:00:00.000Z",
                "transitionTime": "2026-03-02T09:00:00.000Z",
                "lastUpdateTime": "2026-03-02T09:00:00.000Z",
                "flinkJobId": "07070707070707070707070707070707",
                "observedFlinkJobRestarts": 2,
                "observedFlinkJobStatus": "RUNNING",
            },
            "failure": null,
        },
    });
    assert_eq!(job, expected);
    let list = platform("/api/v1/vvp/jobs");
    assert_eq!((&list["kind"], &list["items"][0]), (&"JobList".into(), &expected));
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[test]
fn the_flink_log_alone_gives_the_observed_status() {
    let job = platform("/api/v1/vvp/jobs/abababab-abab-abab-abab-abababababab");
    assert_eq!(job["status"]["state"], serde_json::Value::Null);
    assert_eq!(job["status"]["started"]["observedFlinkJobStatus"], "RUNNING");
    assert_eq!(job["status"]["started"]["observedFlinkJobRestarts"], 2);
}

#[test]
fn an_id_that_is_none_is_not_found() {
    for id in ["x", "00000000-0000-0000-0000-000000000000", "a/b"] {
        let path = format!("/api/v1/vvp/jobs/{id}");
        check("GET", &path, &[], 404, "text/plain; charset=utf-8", "no job");
    }
    check(
        "GET",
        "/api/v1/vvp/jobsx",
        &[],
        404,
        "text/plain; charset=utf-8",
        "/api/v1/vvp/jobs",
    );
}
