//! What the process says of itself and of its HTTP server: the families that live in its registry.

use crate::expose::catalog::{Family, Fill, Kind, Stability};

/// The families, in the order of the page. [`crate::expose::telemetry`] fills them.
pub static FAMILIES: &[Family] = &[
    BUILD_INFO,
    CONFIG_SUCCESSFUL,
    CONFIG_TIMESTAMP,
    HTTP_REQUESTS,
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
    labels: &["version", "revision"],
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
    moves: "1: a process whose configuration is not accepted does not start.",
    ..gauge(
        "flinktail_config_last_reload_successful",
        None,
        "1 if the configuration last read was accepted.",
        "flinktail_config_last_reload_successful == 0",
    )
};

/// When was it?
pub const CONFIG_TIMESTAMP: Family = Family {
    moves: "At the start.",
    ..gauge(
        "flinktail_config_last_reload_success_timestamp_seconds",
        Some("seconds"),
        "When a configuration was last accepted, in Unix seconds.",
        "time() - flinktail_config_last_reload_success_timestamp_seconds",
    )
};

/// Requests answered.
pub const HTTP_REQUESTS: Family = Family {
    kind: Kind::Counter,
    labels: &["handler", "code"],
    moves: "From 0 with the process; every handler is there with code 200. Paths that do not exist are one handler, other.",
    bound: "8 handlers by the codes they answer",
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
