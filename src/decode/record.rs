//! A decoded record: what every layout and wrapper yields, and all that rules look at.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::line::JobId;
use crate::model::event::Cause;

/// Severity as printed; layouts fold their dialects (GELF numbers, `WARNING`) into these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Finest.
    Trace,
    /// Finer.
    Debug,
    /// What job transitions are printed at.
    Info,
    /// Warnings.
    Warn,
    /// Errors, `FATAL` included.
    Error,
}

/// One log record. Borrowed from the line that holds its header wherever the layout allows.
#[derive(Debug, Clone, PartialEq)]
pub struct Record<'a> {
    /// Event time, zone applied; none where the line has none.
    pub at: Option<Timestamp>,
    /// Severity; none where the layout prints none.
    pub level: Option<Level>,
    /// Logger as printed: whole or shortened (`o.a.f.r.e.ExecutionGraph`, `ExecutionGraph`); empty where the layout has none.
    pub logger: Cow<'a, [u8]>,
    /// The message: from its first byte to the end of what the caller gave, continuation lines included; no final newline.
    /// Bytes, since logs need not be UTF-8.
    pub message: Cow<'a, [u8]>,
    /// `flink-job-id` of the logging context where the layout prints it.
    pub mdc_job: Option<JobId>,
    /// The exception where the layout carries it in a field of its own (JSON); text layouts print it on the lines that follow.
    pub cause: Option<Cause>,
}
