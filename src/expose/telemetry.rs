//! The process's own metrics, kept in a registry of the `prometheus` crate and written by our renderer, so that one
//! catalogue and one form serve the whole page.

mod procfs;

use jiff::Timestamp;
use prometheus::proto::{Metric, MetricFamily};
use prometheus::{CounterVec, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramTimer, Opts, Registry};

use self::procfs::ProcessCollector;
use super::answer::Route;
use super::catalog::{Family, Kind};
use super::families::process;
use super::render::{Format, Samples, write_family};

/// Counts what the HTTP server does and knows how the process fares.
#[derive(Debug)]
pub struct Telemetry {
    registry: Registry,
    requests: CounterVec,
    scrapes: Histogram,
    dropped: CounterVec,
    web_config: Gauge,
    config: Gauge,
    configured: Gauge,
}

/// Why a connection was ended that had asked for nothing wrong; the `reason` label of
/// `flinktail_http_connections_dropped_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// It waited longest when all places were taken and another client came.
    Displaced,
    /// All places were taken by clients that were being answered.
    Refused,
    /// It could not be agreed on TLS, or took too long.
    Handshake,
}

impl Dropped {
    /// All reasons, in the order shown.
    pub const ALL: [Self; 3] = [Self::Displaced, Self::Refused, Self::Handshake];

    /// The label's value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Displaced => "displaced",
            Self::Refused => "refused",
            Self::Handshake => "handshake",
        }
    }
}

impl Telemetry {
    /// `now` is when the configuration was accepted.
    ///
    /// # Errors
    /// Only if the catalogue holds a name that the registry refuses, which a test excludes.
    pub fn new(now: Timestamp) -> prometheus::Result<Self> {
        let registry = Registry::new();
        let build = GaugeVec::new(options(&process::BUILD_INFO), process::BUILD_INFO.labels)?;
        let revision = option_env!("FLINKTAIL_REVISION").unwrap_or_default();
        build
            .with_label_values(&[env!("CARGO_PKG_VERSION"), revision, env!("FLINKTAIL_RUSTVERSION")])
            .set(1.0);
        let config = Gauge::with_opts(options(&process::CONFIG_SUCCESSFUL))?;
        let configured = Gauge::with_opts(options(&process::CONFIG_TIMESTAMP))?;
        let web_config = Gauge::with_opts(options(&process::WEB_CONFIG_SUCCESSFUL))?;
        web_config.set(1.0);
        let dropped = CounterVec::new(options(&process::HTTP_DROPPED), process::HTTP_DROPPED.labels)?;
        for reason in Dropped::ALL {
            dropped.with_label_values(&[reason.name()]);
        }
        let requests = CounterVec::new(options(&process::HTTP_REQUESTS), process::HTTP_REQUESTS.labels)?;
        for route in Route::ALL {
            requests.with_label_values(&[route.name(), "200"]);
        }
        // Seconds; the slowest are pages of 100,000 jobs over a slow line.
        let buckets = vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];
        let scrapes = HistogramOpts {
            common_opts: options(&process::SCRAPE_DURATION),
            buckets,
        };
        let scrapes = Histogram::with_opts(scrapes)?;

        registry.register(Box::new(build))?;
        registry.register(Box::new(config.clone()))?;
        registry.register(Box::new(configured.clone()))?;
        registry.register(Box::new(web_config.clone()))?;
        registry.register(Box::new(dropped.clone()))?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(scrapes.clone()))?;
        registry.register(Box::new(ProcessCollector::new()?))?;
        let telemetry = Self {
            registry,
            requests,
            scrapes,
            dropped,
            web_config,
            config,
            configured,
        };
        telemetry.config_accepted(now);
        Ok(telemetry)
    }

    /// A configuration was read and holds from now on.
    pub fn config_accepted(&self, now: Timestamp) {
        self.config.set(1.0);
        self.configured.set(now.as_millisecond() as f64 / 1000.0);
    }

    /// A configuration was read, has mistakes, and does not hold.
    pub fn config_refused(&self) {
        self.config.set(0.0);
    }

    /// Whether the web configuration file, as it is now, is good.
    pub fn web_config_read(&self, is_good: bool) {
        self.web_config.set(f64::from(u8::from(is_good)));
    }

    /// Counts a connection that was ended.
    pub fn dropped(&self, reason: Dropped) {
        self.dropped.with_label_values(&[reason.name()]).inc();
    }

    /// Counts a request answered with this status.
    pub fn answered(&self, route: Route, status: u16) {
        self.requests
            .with_label_values(&[route.name(), &status.to_string()])
            .inc();
    }

    /// Times a scrape: from now until what is returned is dropped.
    pub fn time_scrape(&self) -> HistogramTimer {
        self.scrapes.start_timer()
    }

    /// The families of the registry as they are now, as text.
    #[must_use]
    pub fn text(&self, format: Format) -> String {
        let gathered = self.registry.gather();
        let mut out = String::new();
        for family in process::FAMILIES {
            if let Some(found) = gathered.iter().find(|found| found.name() == family.name) {
                write_family(format, family, &mut out, |samples| add(family, found, samples));
            }
        }
        out
    }
}

/// The registry's own options for a family of the catalogue.
fn options(family: &Family) -> Opts {
    Opts::new(family.name, family.help)
}

/// Hands the registry's samples to our renderer; the registry sorts labels by name, the catalogue by sense.
fn add(family: &Family, gathered: &MetricFamily, samples: &mut Samples<'_>) {
    for metric in gathered.get_metric() {
        let labels: Vec<&str> = family.labels.iter().map(|name| label(metric, name)).collect();
        match family.kind {
            Kind::Counter => samples.add(&labels, metric.get_counter().get_value()),
            Kind::Gauge => samples.add(&labels, metric.get_gauge().get_value()),
            Kind::Histogram => {
                let histogram = metric.get_histogram();
                let buckets: Vec<(f64, u64)> = histogram
                    .get_bucket()
                    .iter()
                    .map(|bucket| (bucket.upper_bound(), bucket.cumulative_count()))
                    .filter(|(bound, _)| bound.is_finite())
                    .collect();
                samples.add_histogram(
                    &labels,
                    &buckets,
                    histogram.get_sample_count(),
                    histogram.get_sample_sum(),
                );
            }
        }
    }
}

fn label<'a>(metric: &'a Metric, name: &str) -> &'a str {
    metric
        .get_label()
        .iter()
        .find(|pair| pair.name() == name)
        .map_or("", |pair| pair.value())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_of_the_registry_is_on_the_page_and_counters_are_born_at_zero() {
        let telemetry = Telemetry::new(Timestamp::UNIX_EPOCH).unwrap();
        let text = telemetry.text(Format::Text);
        for family in process::FAMILIES {
            assert!(
                text.contains(&format!(
                    "# TYPE {} {}\n{}",
                    family.name,
                    family.kind.name(),
                    family.name
                )),
                "{text}"
            );
        }
        assert!(
            text.contains("flinktail_http_requests_total{handler=\"metrics\",code=\"200\"} 0\n"),
            "{text}"
        );
        telemetry.answered(Route::Metrics, 200);
        drop(telemetry.time_scrape());
        let text = telemetry.text(Format::Text);
        assert!(
            text.contains("flinktail_http_requests_total{handler=\"metrics\",code=\"200\"} 1\n"),
            "{text}"
        );
        assert!(
            text.contains("flinktail_scrape_duration_seconds_bucket{le=\"1.0\"} 1\n"),
            "{text}"
        );
        assert!(
            text.contains("flinktail_scrape_duration_seconds_bucket{le=\"+Inf\"} 1\n"),
            "{text}"
        );
    }
}
