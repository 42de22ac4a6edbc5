//! CloudTrail: calls of the API of Managed Service for Apache Flink, as a file of `Records` (in no order), one a line, in
//! an envelope of `EventBridge`, and as text in the answer of `lookup-events`.

use std::sync::Arc;

use serde_json::Value;

use super::json::{elements, field, only, text, time};
use super::{Around, Content, Inner, Opened, Refused, Told};
use crate::model::arn::ApplicationArn;
use crate::model::event::Event;
use crate::model::kda_application::{ApplicationState, Call};
use crate::model::state::State;

/// `eventSource`; the regions of China may write their own domain behind it.
const SOURCE: &str = "kinesisanalytics.";

/// `{"Records":[…]}`.
pub(super) fn records(value: &Value, around: &Around) -> Option<Opened> {
    let all = field(value, "Records")?.as_array()?;
    // Kinesis and Lambda call their records so too.
    let is_trail = all
        .iter()
        .all(|record| field(record, "eventName").is_some() || !record.is_object());
    if is_trail {
        elements(value, "Records", around)
    } else {
        None
    }
}

/// `{"Events":[{"EventId","EventName","EventTime","CloudTrailEvent":"{…}"}],"NextToken"}`, or one of the events.
pub(super) fn lookup(value: &Value, around: &Around) -> Option<Opened> {
    if let Some(event) = text(value, "CloudTrailEvent") {
        return Some(Opened::Carries(vec![Inner {
            around: around.clone(),
            content: Content::Text(event.to_owned()),
        }]));
    }
    let events = field(value, "Events")?.as_array()?;
    let is_trail = events
        .iter()
        .all(|event| field(event, "CloudTrailEvent").is_some());
    if is_trail && !events.is_empty() {
        elements(value, "Events", around)
    } else {
        None
    }
}

/// `{"version","id","detail-type":"AWS API Call via CloudTrail","source":"aws.kinesisanalytics","detail":{record}}`.
pub(super) fn eventbridge(value: &Value, around: &Around) -> Option<Opened> {
    text(value, "detail-type")?;
    let detail = field(value, "detail")?;
    Some(if detail.is_object() {
        only(detail, around)
    } else {
        Opened::Refused(Refused::Broken("detail is no object".to_owned()))
    })
}

/// One call.
pub(super) fn record(value: &Value, around: &Around) -> Option<Opened> {
    let (source, name) = (text(value, "eventSource")?, text(value, "eventName")?);
    Some(if source.starts_with(SOURCE) {
        call(value, name, around)
    } else {
        Opened::Silent(format!("a call of {source}"))
    })
}

fn call(value: &Value, name: &str, around: &Around) -> Opened {
    let broken = |what: &str| Opened::Refused(Refused::Broken(what.to_owned()));
    let parameters = field(value, "requestParameters").unwrap_or(&Value::Null);
    let force = match field(parameters, "force") {
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        force => force.and_then(Value::as_bool) == Some(true),
    };
    let Some(call) = Call::parse(name, force) else {
        return Opened::Silent(format!("{name} changes no state"));
    };
    // Whoever turns records into tables and back leaves an empty text where there was nothing.
    if let Some(code) = field(value, "errorCode").filter(|code| *code != "") {
        return Opened::Silent(format!("{name} was refused: {code}"));
    }
    let Some(at) = time(value, "eventTime").or(around.at) else {
        return broken("no eventTime: the call cannot be put in order");
    };
    let answer = field(value, "responseElements").and_then(|answer| field(answer, "applicationDetail"));
    let answer = answer.unwrap_or(&Value::Null);
    let named = [answer, parameters]
        .into_iter()
        .find_map(|part| text(part, "applicationARN"));
    let application = named.and_then(ApplicationArn::parse).or_else(|| {
        let name = text(parameters, "applicationName").or_else(|| text(answer, "applicationName"))?;
        let account = text(value, "recipientAccountId");
        let account = account.or_else(|| text(field(value, "userIdentity")?, "accountId"))?;
        ApplicationArn::of_parts(text(value, "awsRegion")?, account, name)
    });
    let Some(application) = application else {
        return broken("it does not say of which application (name, region and account)");
    };
    let answered = match text(answer, "applicationStatus") {
        Some(word) => match ApplicationState::read(word) {
            Some(state) => Some(state),
            None => return Opened::Refused(Refused::UnknownState(word.to_owned())),
        },
        None => None,
    };
    let event = Event::ApplicationCall {
        application,
        call,
        answered,
    };
    Opened::Tells(Told {
        by_time: true,
        id: text(value, "eventID").map(Arc::from),
        ..Told::new(Some(at), event)
    })
}
