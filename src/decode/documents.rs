//! What comes as documents and not as a log's own lines: CloudWatch, CloudTrail, the answers of APIs; nested in each other
//! and in what carries lines.
//!
//! ```text
//! bytes ─▶ split ─▶ value ─▶ one of CARRIERS ─▶ what is inside (again a value, or text)  ─▶ …
//!            │                      └─────────▶ what it tells itself: Told
//!            └────▶ line ──▶ container's or collector's? ─▶ a stream of its own ─▶ split …
//!                     └────▶ time before a message? ─▶ value or text behind it
//! ```
//!
//! Each kind of document is one file below with one `open`, and one entry in [`CARRIERS`]. Nothing has to be said about
//! what a file holds: every value is asked what it is.

mod application;
mod cloudtrail;
mod cloudwatch;
mod csv;
mod insights;
mod json;
mod managed;
mod packed;
mod platform;
mod prefix;
pub mod sniff;
pub mod split;
mod walk;
mod yaml;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::model::arn::ApplicationArn;
use crate::model::event::Event;

pub use walk::{Leaf, Memory, Out, Step, Walker};

/// What is known of a document from what is around it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Around {
    /// The time that its carrier gives it.
    pub at: Option<Timestamp>,
    /// Its carrier keeps no certain order: it goes by time.
    pub by_time: bool,
    /// The CloudWatch group, where one is named.
    pub group: Option<Arc<str>>,
    /// Ids under which it may come again, the outermost first.
    pub ids: Vec<Arc<str>>,
}

impl Around {
    /// One level further in: an event with a time and an id of its own.
    fn event(&self, at: Option<Timestamp>, id: Option<Arc<str>>) -> Self {
        let mut inner = self.clone();
        inner.by_time |= at.is_some();
        inner.at = at.or(self.at);
        inner.ids.extend(id);
        inner
    }
}

/// The hash of an event's id, as `eventId`, `id` or `eventID` has it: FNV-1a of 64 bits, kept in stores and so never changed.
#[must_use]
pub fn event_id(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// What a document turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Opened {
    /// It holds others.
    Carries(Vec<Inner>),
    /// It holds packed bytes, which are a stream of documents of their own.
    Stream(Vec<u8>),
    /// It is a record of a Flink process: layouts and rules read it as it stands.
    Record(Option<ApplicationArn>),
    /// It tells something itself.
    Tells(Told),
    /// It is understood and changes nothing, for this reason.
    Silent(String),
    /// It cannot be believed, for this reason.
    Refused(Refused),
}

/// Why a document is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Its word for a state is none that the service has.
    UnknownState(String),
    /// Something that it must have is missing or of another type.
    Broken(String),
}

/// A document or text inside of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Inner {
    /// What is known of it.
    pub around: Around,
    /// The thing itself.
    pub content: Content,
}

/// What is inside of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A message: a document as text, or lines.
    Text(String),
    /// A part of the document itself.
    Value(Value),
}

/// What a document tells itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// When; none where nothing says so.
    pub at: Option<Timestamp>,
    /// It goes by time, not by place.
    pub by_time: bool,
    /// Its own id.
    pub id: Option<Arc<str>>,
    /// The application that it is of, where that is how its record is known.
    pub application: Option<ApplicationArn>,
    /// The cluster of the Flink job that it tells of.
    pub cluster: Option<Arc<str>>,
    /// The meaning.
    pub event: Event,
}

impl Told {
    fn new(at: Option<Timestamp>, event: Event) -> Self {
        Self {
            at,
            by_time: false,
            id: None,
            application: None,
            cluster: None,
            event,
        }
    }

    /// The ids under which it may come again: those of what carries it, and its own.
    #[must_use]
    pub fn ids(&self, around: &Around) -> Vec<Arc<str>> {
        around.ids.iter().chain(&self.id).cloned().collect()
    }
}

/// A kind of document.
#[derive(Debug)]
pub struct Carrier {
    /// The name under which it is reported.
    pub id: &'static str,
    /// For people: who writes it.
    pub about: &'static str,
    /// What a document of this kind holds; none where it is of another.
    open: fn(&Value, &Around) -> Option<Opened>,
}

/// All kinds, asked in this order: those that hold others first, since what they hold may be of any kind.
pub static CARRIERS: [Carrier; 19] = [
    Carrier {
        id: "list",
        about: "a JSON array of documents",
        open: json::list,
    },
    Carrier {
        id: "subscription",
        about: "CloudWatch Logs subscription (Firehose, Kinesis, Lambda)",
        open: cloudwatch::subscription,
    },
    Carrier {
        id: "subscription-packed",
        about: "CloudWatch Logs subscription, gzip in base64, as Lambda and Kinesis get it",
        open: packed::base64,
    },
    Carrier {
        id: "cloudtrail-lookup",
        about: "`aws cloudtrail lookup-events`",
        open: cloudtrail::lookup,
    },
    Carrier {
        id: "log-events",
        about: "`aws logs filter-log-events` or `get-log-events`",
        open: cloudwatch::log_events,
    },
    Carrier {
        id: "live-tail",
        about: "`aws logs start-live-tail`: updates of a session",
        open: cloudwatch::live_tail,
    },
    Carrier {
        id: "log-event",
        about: "one event of CloudWatch Logs",
        open: cloudwatch::log_event,
    },
    Carrier {
        id: "insights",
        about: "results of a CloudWatch Logs Insights query",
        open: insights::results,
    },
    Carrier {
        id: "cloudtrail-records",
        about: "CloudTrail, a file of `Records`",
        open: cloudtrail::records,
    },
    Carrier {
        id: "eventbridge",
        about: "EventBridge envelope",
        open: cloudtrail::eventbridge,
    },
    Carrier {
        id: "cloudtrail",
        about: "CloudTrail record",
        open: cloudtrail::record,
    },
    Carrier {
        id: "describe-application",
        about: "`aws kinesisanalyticsv2 describe-application` or `describe-application-version`",
        open: application::describe,
    },
    Carrier {
        id: "list-applications",
        about: "`aws kinesisanalyticsv2 list-applications`",
        open: application::list,
    },
    Carrier {
        id: "application-operations",
        about: "`aws kinesisanalyticsv2 list-application-operations` or `describe-application-operation`",
        open: application::operations,
    },
    Carrier {
        id: "vvp-answer",
        about: "an answer of a gateway before the Ververica Platform's API",
        open: platform::answer,
    },
    Carrier {
        id: "watch",
        about: "changes of resources, as a watch tells them",
        open: platform::watched,
    },
    Carrier {
        id: "vvp-list",
        about: "a list of the Ververica Platform's API",
        open: platform::list,
    },
    Carrier {
        id: "vvp-resource",
        about: "a Job or Event of the Ververica Platform",
        open: platform::resource,
    },
    MANAGED,
];

/// What most of a managed log consists of.
const MANAGED: Carrier = Carrier {
    id: "managed-flink",
    about: "a log message of Managed Service for Apache Flink",
    open: managed::message,
};

/// What a value is: its kind and what it holds. None where it is of no known kind.
#[must_use]
pub fn open(value: &Value, around: &Around) -> Option<(&'static Carrier, Opened)> {
    CARRIERS
        .iter()
        .find_map(|carrier| Some((carrier, (carrier.open)(value, around)?)))
}

#[cfg(test)]
mod tests;
