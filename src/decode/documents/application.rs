//! What the API of Managed Service for Apache Flink answers about applications (model of 2018-05-23).

use serde_json::Value;

use super::json::{elements, field, number, text};
use super::{Around, Opened, Refused, Told};
use crate::model::arn::ApplicationArn;
use crate::model::event::Event;
use crate::model::kda_application::ApplicationState;
use crate::model::state::State;

/// `{"ApplicationDetail":{…}}` and `{"ApplicationVersionDetail":{…}}`.
pub(super) fn describe(value: &Value, around: &Around) -> Option<Opened> {
    if let Some(version) = field(value, "ApplicationVersionDetail") {
        return Some(detail(version, around, true));
    }
    Some(detail(field(value, "ApplicationDetail")?, around, false))
}

/// `{"ApplicationSummaries":[…]}`, or one of them.
pub(super) fn list(value: &Value, around: &Around) -> Option<Opened> {
    if field(value, "ApplicationSummaries").is_some() {
        return elements(value, "ApplicationSummaries", around);
    }
    let is_summary = field(value, "ApplicationARN").is_some() && field(value, "ApplicationStatus").is_some();
    is_summary.then(|| detail(value, around, false))
}

/// `{"ApplicationOperationInfoList":[…]}` and `{"ApplicationOperationInfoDetails":{…}}`.
pub(super) fn operations(value: &Value, _: &Around) -> Option<Opened> {
    let keys = ["ApplicationOperationInfoList", "ApplicationOperationInfoDetails"];
    keys.iter().any(|key| field(value, key).is_some()).then(|| {
        Opened::Silent(
            "operations do not say of which application they are; DescribeApplication says its status"
                .to_owned(),
        )
    })
}

fn detail(detail: &Value, around: &Around, of_version: bool) -> Opened {
    let broken = |what: &str| Opened::Refused(Refused::Broken(what.to_owned()));
    let Some(application) = text(detail, "ApplicationARN").and_then(ApplicationArn::parse) else {
        return broken("ApplicationARN is missing or none");
    };
    let Some(word) = text(detail, "ApplicationStatus") else {
        return broken("no ApplicationStatus");
    };
    let Some(state) = ApplicationState::read(word) else {
        return Opened::Refused(Refused::UnknownState(word.to_owned()));
    };
    let version = number(detail, "ApplicationVersionId");
    let event = match (of_version, version) {
        (true, None) => return broken("no ApplicationVersionId"),
        (true, Some(version)) => Event::VersionReported {
            application,
            version,
            state,
        },
        (false, version) => Event::ApplicationReported {
            application,
            state,
            version,
        },
    };
    Opened::Tells(Told {
        by_time: around.by_time,
        ..Told::new(around.at, event)
    })
}
