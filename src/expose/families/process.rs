//! What the process says of itself and of its HTTP server: the families that live in its registry.

use crate::expose::catalog::{Family, Fill, Kind, Stability};

/// The families, in the order of the page. [`crate::expose::telemetry`] fills them.
pub static FAMILIES: &[Family] = &[
    BUILD_INFO,
    CONFIG_SUCCESSFUL,
    CONFIG_TIMESTAMP,
    WEB_CONFIG_SUCCESSFUL,
    HTTP_REQUESTS,
    HTTP_DROPPED,
    SCRAPE_DURATION,
    CPU,
    OPEN_FDS,
    MAX_FDS,
    VIRTUAL_MEMORY,
    RESIDENT_MEMORY,
    THREADS,
    START_TIME,
];

/// Which build runs.
pub const BUILD_INFO: Family = Family {
    labels: &["version", "revision", "rustversion"],
    moves: "Never within one process. `revision` is empty where the build did not say.",
    ..gauge(
        "flinktail_build_info",
        None,
        "Which build of flinktail runs; always 1.",
        "count by (version) (flinktail_build_info)",
    )
};

/// Was the configuration accepted?
pub const CONFIG_SUCCESSFUL: Family = Family {
    moves: "To 0 with a reload (SIGHUP, `POST /-/reload`) of a file with mistakes; then what held before holds on. Back to 1 with the next good one.",
    ..gauge(
        "flinktail_config_last_reload_successful",
        None,
        "1 if the configuration last read was accepted.",
        "flinktail_config_last_reload_successful == 0",
    )
};

/// When was it?
pub const CONFIG_TIMESTAMP: Family = Family {
    moves: "At the start, and with each reload that is accepted.",
    ..gauge(
        "flinktail_config_last_reload_success_timestamp_seconds",
        Some("seconds"),
        "When a configuration was last accepted, in Unix seconds.",
        "time() - flinktail_config_last_reload_success_timestamp_seconds",
    )
};

/// Is the web configuration file good?
pub const WEB_CONFIG_SUCCESSFUL: Family = Family {
    moves: "To 0 when the file of `--web.config.file` changes and has mistakes; then what held before holds on. It is read when somebody connects or asks. 1 without such a file.",
    ..gauge(
        "flinktail_web_config_last_reload_successful",
        None,
        "1 if the web configuration last read was accepted.",
        "flinktail_web_config_last_reload_successful == 0",
    )
};

/// Connections ended by the server.
pub const HTTP_DROPPED: Family = Family {
    kind: Kind::Counter,
    labels: &["reason"],
    moves: "From 0 with the process. `displaced`: waited longest when all connections were taken; `refused`: came when all were being answered; `handshake`: no TLS came about.",
    bound: "3",
    ..gauge(
        "flinktail_http_connections_dropped_total",
        None,
        "HTTP connections ended because of too many others, or before they could ask.",
        "rate(flinktail_http_connections_dropped_total[5m])",
    )
};

/// Requests answered.
pub const HTTP_REQUESTS: Family = Family {
    kind: Kind::Counter,
    labels: &["handler", "code"],
    moves: "From 0 with the process; every handler is there with code 200. Paths that do not exist are one handler, other.",
    bound: "9 handlers by the codes they answer",
    ..gauge(
        "flinktail_http_requests_total",
        None,
        "HTTP requests answered.",
        "sum by (code) (rate(flinktail_http_requests_total[5m]))",
    )
};

/// How long a scrape takes.
pub const SCRAPE_DURATION: Family = Family {
    kind: Kind::Histogram,
    moves: "From 0 with the process, after each page of metrics: from the request to the last byte handed to the connection.",
    bound: "14",
    ..gauge(
        "flinktail_scrape_duration_seconds",
        Some("seconds"),
        "How long answering a scrape takes.",
        "histogram_quantile(0.99, sum by (le) (rate(flinktail_scrape_duration_seconds_bucket[5m])))",
    )
};

/// Processor time.
pub const CPU: Family = Family {
    kind: Kind::Counter,
    moves: PROCFS,
    ..gauge(
        "process_cpu_seconds_total",
        Some("seconds"),
        "Processor time used by the process, user and system.",
        "rate(process_cpu_seconds_total[5m])",
    )
};

/// File descriptors open.
pub const OPEN_FDS: Family = Family {
    moves: PROCFS,
    ..gauge(
        "process_open_fds",
        None,
        "File descriptors open.",
        "process_open_fds / process_max_fds > 0.8",
    )
};

/// File descriptors allowed.
pub const MAX_FDS: Family = Family {
    moves: PROCFS,
    ..gauge(
        "process_max_fds",
        None,
        "File descriptors allowed.",
        "process_open_fds / process_max_fds > 0.8",
    )
};

/// Address space.
pub const VIRTUAL_MEMORY: Family = Family {
    moves: PROCFS,
    ..gauge(
        "process_virtual_memory_bytes",
        Some("bytes"),
        "Address space of the process.",
        "process_virtual_memory_bytes",
    )
};

/// Memory in use.
pub const RESIDENT_MEMORY: Family = Family {
    moves: PROCFS,
    ..gauge(
        "process_resident_memory_bytes",
        Some("bytes"),
        "Memory that the process holds.",
        "process_resident_memory_bytes / 1024 / 1024",
    )
};

/// Threads.
pub const THREADS: Family = Family {
    moves: PROCFS,
    ..gauge(
        "process_threads",
        None,
        "Threads of the process.",
        "process_threads",
    )
};

/// Start of the process.
pub const START_TIME: Family = Family {
    moves: PROCFS,
    ..gauge(
        "process_start_time_seconds",
        Some("seconds"),
        "When the process started, in Unix seconds.",
        "time() - process_start_time_seconds",
    )
};

const PROCFS: &str = "Read from `/proc` at each scrape; absent where there is none.";

/// A gauge without labels, the commonest case here.
const fn gauge(
    name: &'static str,
    unit: Option<&'static str>,
    help: &'static str,
    query: &'static str,
) -> Family {
    Family {
        name,
        kind: Kind::Gauge,
        unit,
        labels: &[],
        help,
        moves: "",
        bound: "1",
        query,
        stability: Stability::Stable,
        since: "0.1.0",
        fill: Fill::Registry,
    }
}
