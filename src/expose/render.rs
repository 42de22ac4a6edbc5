//! Families as text: the classic Prometheus format 0.0.4 and OpenMetrics 1.0.
//!
//! Sample lines are the same in both; only the lines above a family and the end of the page differ. So samples are
//! rendered once and serve either format. No timestamps, no `_created`.

use std::fmt::{self, Write};

use super::catalog::Family;
use super::escape::write_label_value;

/// A text format of the exposition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The exact `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// What must stand at the end of the page.
    #[must_use]
    pub const fn end(self) -> &'static str {
        match self {
            Self::Text => "",
            Self::OpenMetrics => "# EOF\n",
        }
    }

    /// Writes the lines above a family's samples.
    pub fn write_header(self, family: &Family, out: &mut String) {
        let name = match self {
            Self::Text => family.name,
            Self::OpenMetrics => family.openmetrics_name(),
        };
        let kind = family.kind.name();
        put(
            out,
            format_args!("# HELP {name} {}\n# TYPE {name} {kind}\n", family.help),
        );
        if let (Self::OpenMetrics, Some(unit)) = (self, family.unit) {
            put(out, format_args!("# UNIT {name} {unit}\n"));
        }
    }
}

/// A sample's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// Printed exactly, however large.
    Whole(u64),
    /// Printed as the shortest text that reads back the same.
    Real(f64),
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Whole(u64::from(value))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<jiff::Timestamp> for Value {
    /// Unix seconds, exact to the millisecond: finer is lost in a float's 53 bits soon enough.
    fn from(at: jiff::Timestamp) -> Self {
        Self::Real(at.as_millisecond() as f64 / 1000.0)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Whole(value) => value.fmt(f),
            Self::Real(f64::INFINITY) => f.write_str("+Inf"),
            Self::Real(f64::NEG_INFINITY) => f.write_str("-Inf"),
            Self::Real(value) => value.fmt(f),
        }
    }
}

/// Takes the samples of one family and writes their lines.
pub struct Samples<'a> {
    family: &'a Family,
    /// The family's name and the first labels are left out, to be put in by [`with_common`].
    bare: bool,
    /// The labels that each sample gives.
    own: &'static [&'static str],
    out: &'a mut String,
}

impl<'a> Samples<'a> {
    /// For a family whose samples give all labels.
    pub fn new(family: &'a Family, out: &'a mut String) -> Self {
        Self {
            family,
            bare: false,
            own: family.labels,
            out,
        }
    }

    /// For a family whose first labels, `count` of them and not none, are the same in all samples: they and the name are left
    /// out, to be put in by [`with_common`].
    pub fn without_common(family: &'a Family, count: usize, out: &'a mut String) -> Self {
        Self {
            family,
            bare: true,
            own: &family.labels[count..],
            out,
        }
    }

    /// Writes a sample; `labels` are the values of the labels not yet given, in the catalogue's order.
    pub fn add(&mut self, labels: &[&str], value: impl Into<Value>) {
        self.line("", labels, None, value.into());
    }

    /// Writes the samples of a histogram: buckets with their upper bounds and cumulative counts, then count and sum.
    pub fn add_histogram(&mut self, labels: &[&str], buckets: &[(f64, u64)], count: u64, sum: f64) {
        for (bound, below) in buckets {
            self.line("_bucket", labels, Some(*bound), Value::Whole(*below));
        }
        self.line("_bucket", labels, Some(f64::INFINITY), Value::Whole(count));
        self.line("_count", labels, None, Value::Whole(count));
        self.line("_sum", labels, None, Value::Real(sum));
    }

    fn line(&mut self, suffix: &str, labels: &[&str], bound: Option<f64>, value: Value) {
        debug_assert_eq!(labels.len(), self.own.len(), "labels of {}", self.family.name);
        let mut separator = ',';
        if !self.bare {
            self.out.push_str(self.family.name);
            self.out.push_str(suffix);
            separator = '{';
        }
        for (name, value) in self.own.iter().zip(labels) {
            self.out.push(separator);
            write_label(self.out, name, value);
            separator = ',';
        }
        if let Some(bound) = bound {
            // OpenMetrics asks for `1.0` where Prometheus' text would do with `1`: one form for both keeps the series.
            let bound = if bound.is_infinite() {
                "+Inf".to_owned()
            } else {
                format!("{bound:?}")
            };
            self.out.push(separator);
            write_label(self.out, "le", &bound);
            separator = ',';
        }
        if separator == ',' {
            self.out.push('}');
        }
        put(self.out, format_args!(" {value}\n"));
    }
}

/// Appends formatted text. Writing to a `String` cannot fail, so there is nothing to hand on.
pub fn put(out: &mut String, text: fmt::Arguments<'_>) {
    out.write_fmt(text).unwrap_or_default();
}

/// Writes sample lines that were rendered by [`Samples::without_common`], with what was left out there: the labels are
/// `common`, as `a="x",b="y"`.
pub fn with_common(family: &Family, samples: &str, common: &str, out: &mut String) {
    let mut start = 0;
    for newline in memchr::memchr_iter(b'\n', samples.as_bytes()) {
        out.push_str(family.name);
        out.push('{');
        out.push_str(common);
        out.push_str(&samples[start..=newline]);
        start = newline + 1;
    }
}

/// Writes `name="value"`.
pub fn write_label(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push_str("=\"");
    write_label_value(out, value);
    out.push('"');
}

/// Writes a family whole: its header and what `fill` gives; nothing at all where that is nothing.
pub fn write_family(format: Format, family: &Family, out: &mut String, fill: impl FnOnce(&mut Samples<'_>)) {
    let start = out.len();
    format.write_header(family, out);
    let samples = out.len();
    fill(&mut Samples::new(family, out));
    if out.len() == samples {
        out.truncate(start);
    }
}
