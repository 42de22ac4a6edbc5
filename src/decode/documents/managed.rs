//! A log message of Managed Service for Apache Flink, in its two shapes: a record of Flink or of user code (`logger`, and
//! `applicationVersionId` as text), and an error of the service itself (`errorCode`, the version as a number).

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use super::json::{field, text};
use super::{Around, Opened, Refused, Told};
use crate::model::arn::ApplicationArn;
use crate::model::event::{Cause, Event};

/// The application of a record, where a whole object has the keys of one just as the service writes them. One that names
/// the application of the record before, `last`, is not read for it: whether it is a record is left to its layout.
pub(super) fn record(object: &[u8], last: Option<&ApplicationArn>) -> Option<ApplicationArn> {
    #[derive(Deserialize)]
    struct Keys<'a> {
        #[serde(borrow, rename = "applicationARN")]
        application: Cow<'a, str>,
        #[serde(borrow, rename = "logger")]
        _logger: Cow<'a, str>,
    }
    if let Some(last) = last.filter(|last| names(object, last)) {
        return Some(last.clone());
    }
    let keys: Keys<'_> = serde_json::from_slice(object).ok()?;
    ApplicationArn::parse(&keys.application)
}

/// Whether an object has this application and a logger. No text inside of it can look like that: its quotes are escaped.
fn names(object: &[u8], application: &ApplicationArn) -> bool {
    let behind = |key: &str| memchr::memmem::find(object, key.as_bytes()).map(|at| &object[at + key.len()..]);
    let written = behind("\"applicationARN\":\"");
    let rest = written.and_then(|written| written.strip_prefix(application.as_str().as_bytes()));
    rest.is_some_and(|rest| rest.starts_with(b"\"")) && behind("\"logger\":\"").is_some()
}

pub(super) fn message(value: &Value, around: &Around) -> Option<Opened> {
    let written = field(value, "applicationARN")?;
    if field(value, "messageType").is_none() && field(value, "logger").is_none() {
        return None;
    }
    let Some(application) = written.as_str().and_then(ApplicationArn::parse) else {
        return Some(Opened::Refused(Refused::Broken(format!(
            "applicationARN is none: {written}"
        ))));
    };
    if field(value, "logger").is_some() {
        return Some(Opened::Record(Some(application)));
    }
    let Some(code) = text(value, "errorCode") else {
        return Some(Opened::Silent(
            "neither a record of Flink's (`logger`) nor an error (`errorCode`)".to_owned(),
        ));
    };
    let said = text(value, "message").unwrap_or_default();
    let Some(error) = Cause::of(code.as_bytes(), said.as_bytes()) else {
        return Some(Opened::Refused(Refused::Broken("errorCode is empty".to_owned())));
    };
    let event = Event::ApplicationError {
        application: application.clone(),
        error,
    };
    Some(Opened::Tells(Told {
        application: Some(application),
        by_time: around.by_time,
        ..Told::new(around.at, event)
    }))
}

#[cfg(test)]
mod tests {
    use super::record;
    use crate::model::arn::ApplicationArn;

    #[test]
    fn a_record_of_the_application_before_is_told_from_an_error_of_the_service_that_names_it() {
        const ARN: &str = "arn:aws:kinesisanalytics:eu-west-1:123456789012:application/acme";
        let last = ApplicationArn::parse(ARN);
        for (keys, is_record) in [
            (r#""logger":"a.B","message":"m""#, true),
            (r#""errorCode":"E","message":"m""#, false),
            (r#""errorCode":"E","message":"\"logger\":\"a.B\"""#, false),
        ] {
            let object = format!("{{\"applicationARN\":\"{ARN}\",{keys}}}");
            for last in [None, last.as_ref()] {
                let found = record(object.as_bytes(), last);
                assert_eq!(found.is_some(), is_record, "{object} after {last:?}");
            }
        }
    }
}
