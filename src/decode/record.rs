//! A decoded record: what every layout and wrapper yields, and all that rules look at.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use crate::line::JobId;
use crate::model::event::Cause;
use crate::model::flink_deployment::DeploymentId;

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

impl Level {
    /// The words that log4j, logback, `java.util.logging` and JSON dialects print, whole, in any case.
    pub(super) const WORDS: [(&'static str, Self); 8] = [
        ("INFO", Self::Info),
        ("WARN", Self::Warn),
        ("ERROR", Self::Error),
        ("DEBUG", Self::Debug),
        ("TRACE", Self::Trace),
        ("FATAL", Self::Error),
        ("WARNING", Self::Warn),
        ("SEVERE", Self::Error),
    ];

    /// Reads one of them.
    #[must_use]
    pub fn parse(word: &[u8]) -> Option<Self> {
        let is_word = |(name, _): &&(&str, Self)| name.as_bytes().eq_ignore_ascii_case(word);
        Self::WORDS.iter().find(is_word).map(|(_, level)| *level)
    }

    /// Reads a severity of syslog (RFC 5424), which GELF prints: 0 (emergency) to 7 (debug).
    #[must_use]
    pub const fn of_syslog(severity: i64) -> Option<Self> {
        match severity {
            0..=3 => Some(Self::Error),
            4 => Some(Self::Warn),
            5 | 6 => Some(Self::Info),
            7 => Some(Self::Debug),
            _ => None,
        }
    }
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
    /// The resource that the Flink Kubernetes operator's logging context names, where the layout prints it.
    pub deployment: Option<DeploymentId>,
    /// The exception where the layout carries it in a field of its own (JSON); text layouts print it on the lines that follow.
    pub cause: Option<Cause>,
}

impl Record<'_> {
    /// The record with its own copy of what it borrowed.
    #[must_use]
    pub fn into_owned(self) -> Record<'static> {
        Record {
            at: self.at,
            level: self.level,
            logger: Cow::Owned(self.logger.into_owned()),
            message: Cow::Owned(self.message.into_owned()),
            mdc_job: self.mdc_job,
            deployment: self.deployment,
            cause: self.cause,
        }
    }
}

/// Flink's key of the job's id in the logging context (`org.apache.flink.util.MdcUtils.JOB_ID`, 1.20 and later).
pub(super) const JOB_KEY: &str = "flink-job-id";

/// The job whose id stands under `flink-job-id` in a printed logging context: the bare id, in brackets or not, or as
/// one of several entries (`{flink-job-id=…, other=…}`).
pub(super) fn job_in_context(context: &[u8]) -> Option<JobId> {
    let bare = context
        .strip_prefix(b"[")
        .and_then(|inner| inner.strip_suffix(b"]"))
        .unwrap_or(context);
    if bare.len() <= 32 {
        return JobId::parse(bare);
    }
    let value = bare.get(memchr::memmem::find(bare, JOB_KEY.as_bytes())? + JOB_KEY.len()..)?;
    JobId::parse(value.strip_prefix(b"=")?.get(..32)?)
}

/// The resource whose namespace and name stand in a printed logging context; both are names to Kubernetes.
pub(super) fn deployment_of((namespace, name): (&[u8], &[u8])) -> Option<DeploymentId> {
    let is_name = |text: &[u8]| {
        let is_sound = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        !text.is_empty() && text.len() <= 253 && text.iter().all(is_sound)
    };
    (is_name(namespace) && is_name(name)).then(|| DeploymentId {
        namespace: Arc::from(String::from_utf8_lossy(namespace)),
        name: Arc::from(String::from_utf8_lossy(name)),
    })
}
