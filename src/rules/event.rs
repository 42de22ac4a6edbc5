//! From captured text to an [`Event`]: the one table between a rule's `emit` and the model's vocabulary.

use crate::line::JobId;
use crate::model::event::{EndReason, Event, RestartReason, Witness};
use crate::model::flink_deployment::DeploymentState;
use crate::model::flink_job::JobState;
use crate::model::name::Name;
use crate::model::state::State as _;

use super::Refusal;

/// What a hole of a template, a group of a regex or a constant under `fields` may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// A job's name: any text.
    Name,
    /// A job's id: 32 hexadecimal digits.
    Job,
    /// An execution graph's id: 32 hexadecimal digits.
    Graph,
    /// The state left.
    From,
    /// The state entered.
    To,
    /// The state reached.
    State,
    /// Class name of a process's entry point.
    Entrypoint,
    /// Flink's version.
    Version,
    /// `failure` or `rescale`.
    Reason,
    /// `dispatcher` or `adaptive_scheduler`.
    By,
    /// `signal`, `shutdown`, `terminated` or `fatal`.
    Why,
}

impl Field {
    /// All fields; the position is the place in [`Captures`].
    pub const ALL: [Self; 11] = [
        Self::Name,
        Self::Job,
        Self::Graph,
        Self::From,
        Self::To,
        Self::State,
        Self::Entrypoint,
        Self::Version,
        Self::Reason,
        Self::By,
        Self::Why,
    ];

    /// As written in a rule file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Job => "job",
            Self::Graph => "graph",
            Self::From => "from",
            Self::To => "to",
            Self::State => "state",
            Self::Entrypoint => "entrypoint",
            Self::Version => "version",
            Self::Reason => "reason",
            Self::By => "by",
            Self::Why => "why",
        }
    }

    /// Reads the name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

/// What a rule captured, by field; borrowed from the message or, for constants, from the rule.
#[derive(Debug, Clone, Copy, Default)]
pub struct Captures<'t> {
    texts: [Option<&'t [u8]>; Field::ALL.len()],
}

impl<'t> Captures<'t> {
    /// Keeps the text of a field.
    pub fn set(&mut self, field: Field, text: &'t [u8]) {
        self.texts[field as usize] = Some(text);
    }

    /// The text of a field.
    #[must_use]
    pub const fn get(&self, field: Field) -> Option<&'t [u8]> {
        self.texts[field as usize]
    }

    /// Everything captured, in the order of [`Field::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Field, &'t [u8])> {
        Field::ALL
            .into_iter()
            .zip(self.texts)
            .filter_map(|(field, text)| Some((field, text?)))
    }

    fn text(&self, field: Field) -> String {
        String::from_utf8_lossy(self.get(field).unwrap_or_default()).into_owned()
    }

    fn name(&self) -> Name {
        Name::lossy(self.get(Field::Name).unwrap_or_default())
    }

    fn refuse(&self, field: Field) -> Refusal {
        Refusal::BadField {
            field: field.name(),
            text: self.text(field),
        }
    }

    fn id(&self, field: Field) -> Result<JobId, Refusal> {
        self.get(field)
            .and_then(JobId::parse)
            .ok_or_else(|| self.refuse(field))
    }

    fn optional_id(&self, field: Field) -> Result<Option<JobId>, Refusal> {
        self.get(field).map(|_| self.id(field)).transpose()
    }

    fn state(&self, field: Field) -> Result<JobState, Refusal> {
        let word = self.get(field).ok_or_else(|| self.refuse(field))?;
        JobState::parse(word).ok_or_else(|| Refusal::UnknownState(self.text(field)))
    }

    /// One of a few words that stand for a value.
    fn word<T: Copy>(&self, field: Field, meanings: &[(&str, T)]) -> Result<T, Refusal> {
        let word = self.get(field).unwrap_or_default();
        let known = meanings.iter().find(|(text, _)| text.as_bytes() == word);
        known
            .map(|(_, meaning)| *meaning)
            .ok_or_else(|| self.refuse(field))
    }
}

/// The `emit` of a rule: a variant of [`Event`] in `snake_case`, or `nothing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emit {
    /// The wording is known and says nothing to the model; kept so that `explain` can name it.
    Nothing,
    /// [`Event::JobTransition`]
    JobTransition,
    /// [`Event::JobSubmitted`]
    JobSubmitted,
    /// [`Event::JobRecovered`]
    JobRecovered,
    /// [`Event::CancelRequested`]
    CancelRequested,
    /// [`Event::JobMasterCreated`]
    JobMasterCreated,
    /// [`Event::JobMasterStarted`]
    JobMasterStarted,
    /// [`Event::GraphCreated`]
    GraphCreated,
    /// [`Event::JobTerminal`]
    JobTerminal,
    /// [`Event::SubmissionFailed`]
    SubmissionFailed,
    /// [`Event::JobNotFinished`]
    JobNotFinished,
    /// [`Event::AdaptiveRestart`]
    AdaptiveRestart,
    /// [`Event::AdaptiveSeen`]
    AdaptiveSeen,
    /// [`Event::DefaultSchedulerSeen`]
    DefaultSchedulerSeen,
    /// [`Event::StopWithSavepoint`]
    StopWithSavepoint,
    /// [`Event::TaskFailed`]
    TaskFailed,
    /// [`Event::GlobalFailure`]
    GlobalFailure,
    /// [`Event::ProcessStarted`]
    ProcessStarted,
    /// [`Event::ProcessEnding`]
    ProcessEnding,
    /// [`Event::LeadershipGranted`]
    LeadershipGranted,
    /// [`Event::LeadershipRevoked`]
    LeadershipRevoked,
    /// [`Event::DeploymentStatus`]
    DeploymentStatus,
    /// [`Event::DeploymentJobStatus`]
    DeploymentJobStatus,
}

/// One row of [`EMITS`].
#[derive(Debug)]
pub struct EmitFields {
    /// What is emitted.
    pub emit: Emit,
    /// As written in a rule file.
    pub name: &'static str,
    /// Fields that every rule must capture or state.
    pub required: &'static [Field],
    /// Fields that a rule may capture or state as well.
    pub optional: &'static [Field],
}

/// Every `emit` with its fields.
pub const EMITS: &[EmitFields] = &[
    row(Emit::Nothing, "nothing", &[], &Field::ALL),
    row(
        Emit::JobTransition,
        "job_transition",
        &[Field::Job, Field::Name, Field::From, Field::To],
        &[],
    ),
    row(
        Emit::JobSubmitted,
        "job_submitted",
        &[Field::Job, Field::Name],
        &[],
    ),
    row(Emit::JobRecovered, "job_recovered", &[Field::Job], &[]),
    row(Emit::CancelRequested, "cancel_requested", &[Field::Job], &[]),
    row(
        Emit::JobMasterCreated,
        "job_master_created",
        &[Field::Job, Field::Name],
        &[],
    ),
    row(
        Emit::JobMasterStarted,
        "job_master_started",
        &[Field::Job, Field::Name],
        &[],
    ),
    row(
        Emit::GraphCreated,
        "graph_created",
        &[Field::Job, Field::Graph],
        &[],
    ),
    row(
        Emit::JobTerminal,
        "job_terminal",
        &[Field::Job, Field::State, Field::By],
        &[],
    ),
    row(Emit::SubmissionFailed, "submission_failed", &[Field::Job], &[]),
    row(Emit::JobNotFinished, "job_not_finished", &[Field::Job], &[]),
    row(
        Emit::AdaptiveRestart,
        "adaptive_restart",
        &[Field::Reason],
        &[Field::Job],
    ),
    row(Emit::AdaptiveSeen, "adaptive_seen", &[], &[Field::Job]),
    row(
        Emit::DefaultSchedulerSeen,
        "default_scheduler_seen",
        &[],
        &[Field::Job],
    ),
    row(Emit::StopWithSavepoint, "stop_with_savepoint", &[Field::Job], &[]),
    row(Emit::TaskFailed, "task_failed", &[], &[Field::Graph]),
    row(Emit::GlobalFailure, "global_failure", &[], &[]),
    row(
        Emit::ProcessStarted,
        "process_started",
        &[Field::Entrypoint, Field::Version],
        &[],
    ),
    row(Emit::ProcessEnding, "process_ending", &[Field::Why], &[]),
    row(Emit::LeadershipGranted, "leadership_granted", &[], &[]),
    row(Emit::LeadershipRevoked, "leadership_revoked", &[], &[]),
    row(Emit::DeploymentStatus, "deployment_status", &[Field::State], &[]),
    row(
        Emit::DeploymentJobStatus,
        "deployment_job_status",
        &[Field::To],
        &[Field::From],
    ),
];

const fn row(
    emit: Emit,
    name: &'static str,
    required: &'static [Field],
    optional: &'static [Field],
) -> EmitFields {
    EmitFields {
        emit,
        name,
        required,
        optional,
    }
}

impl Emit {
    /// Builds the event; none for [`Emit::Nothing`]. Refuses words outside the model's closed sets.
    pub fn event(self, captures: &Captures<'_>) -> Result<Option<Event>, Refusal> {
        let job = || captures.id(Field::Job);
        let name = || captures.name();
        Ok(Some(match self {
            Self::Nothing => return Ok(None),
            Self::JobTransition => Event::JobTransition {
                job: job()?,
                from: captures.state(Field::From)?,
                to: captures.state(Field::To)?,
                name: name(),
            },
            Self::JobSubmitted => Event::JobSubmitted {
                job: job()?,
                name: name(),
            },
            Self::JobRecovered => Event::JobRecovered { job: job()? },
            Self::CancelRequested => Event::CancelRequested { job: job()? },
            Self::JobMasterCreated => Event::JobMasterCreated {
                job: job()?,
                name: name(),
            },
            Self::JobMasterStarted => Event::JobMasterStarted {
                job: job()?,
                name: name(),
            },
            Self::GraphCreated => Event::GraphCreated {
                job: job()?,
                graph: captures.id(Field::Graph)?,
            },
            Self::JobTerminal => Event::JobTerminal {
                job: job()?,
                state: captures.state(Field::State)?,
                by: captures.word(Field::By, WITNESSES)?,
            },
            Self::SubmissionFailed => Event::SubmissionFailed { job: job()? },
            Self::JobNotFinished => Event::JobNotFinished { job: job()? },
            Self::AdaptiveRestart => Event::AdaptiveRestart {
                reason: captures.word(Field::Reason, REASONS)?,
                job: captures.optional_id(Field::Job)?,
            },
            Self::AdaptiveSeen => Event::AdaptiveSeen {
                job: captures.optional_id(Field::Job)?,
            },
            Self::DefaultSchedulerSeen => Event::DefaultSchedulerSeen {
                job: captures.optional_id(Field::Job)?,
            },
            Self::StopWithSavepoint => Event::StopWithSavepoint { job: job()? },
            Self::TaskFailed => Event::TaskFailed {
                graph: captures.optional_id(Field::Graph)?,
            },
            Self::GlobalFailure => Event::GlobalFailure,
            Self::ProcessStarted => Event::ProcessStarted {
                entrypoint: captures.text(Field::Entrypoint),
                version: captures.text(Field::Version),
            },
            Self::ProcessEnding => Event::ProcessEnding {
                why: captures.word(Field::Why, END_REASONS)?,
            },
            Self::LeadershipGranted => Event::LeadershipGranted,
            Self::LeadershipRevoked => Event::LeadershipRevoked,
            Self::DeploymentStatus => {
                let word = captures.text(Field::State);
                let state = DeploymentState::read(&word).ok_or(Refusal::UnknownState(word))?;
                Event::DeploymentStatus { state }
            }
            Self::DeploymentJobStatus => Event::DeploymentJobStatus {
                from: captures
                    .get(Field::From)
                    .map(|_| captures.state(Field::From))
                    .transpose()?,
                to: captures.state(Field::To)?,
            },
        }))
    }
}

const WITNESSES: &[(&str, Witness)] = &[
    ("dispatcher", Witness::Dispatcher),
    ("adaptive_scheduler", Witness::AdaptiveScheduler),
];

/// Only what an adaptive scheduler says of itself; the other reasons are the model's conclusions.
const REASONS: &[(&str, RestartReason)] = &[
    ("failure", RestartReason::Failure),
    ("rescale", RestartReason::Rescale),
];

const END_REASONS: &[(&str, EndReason)] = &[
    ("signal", EndReason::Signal),
    ("shutdown", EndReason::Shutdown),
    ("terminated", EndReason::Terminated),
    ("fatal", EndReason::Fatal),
];

#[cfg(test)]
mod tests {
    use super::{Captures, EMITS, Emit, Field};
    use crate::rules::Refusal;

    const JOB: &[u8] = b"0a1b2c3d4e5f60718293a4b5c6d7e8f9";

    fn captures(texts: &[(Field, &'static [u8])]) -> Captures<'static> {
        let mut captures = Captures::default();
        for (field, text) in texts {
            captures.set(*field, text);
        }
        captures
    }

    #[test]
    fn the_place_of_a_field_is_its_position_in_the_list() {
        for (place, field) in Field::ALL.into_iter().enumerate() {
            assert_eq!(field as usize, place);
            assert_eq!(Field::parse(field.name()), Some(field));
        }
    }

    #[test]
    fn an_event_can_be_built_from_the_required_fields_alone() {
        let texts: &[(Field, &[u8])] = &[
            (Field::Name, b"orders"),
            (Field::Job, JOB),
            (Field::Graph, JOB),
            (Field::From, b"CREATED"),
            (Field::To, b"RUNNING"),
            (Field::State, b"FAILED"),
            (Field::Entrypoint, b"Entrypoint"),
            (Field::Version, b"1.20.1"),
            (Field::Reason, b"rescale"),
            (Field::By, b"dispatcher"),
            (Field::Why, b"fatal"),
        ];
        for row in EMITS {
            let required: Vec<_> = texts
                .iter()
                .copied()
                .filter(|(field, _)| row.required.contains(field))
                .collect();
            let event = row.emit.event(&captures(&required));
            assert!(event.is_ok(), "{}: {event:?}", row.name);
            assert_eq!(
                event.unwrap().is_none(),
                row.emit == Emit::Nothing,
                "{}",
                row.name
            );
        }
    }

    #[test]
    fn words_outside_the_closed_sets_are_refused_and_named() {
        for (emit, texts, expected) in [
            (
                Emit::JobTransition,
                &[
                    (Field::Job, JOB),
                    (Field::From, b"CREATED".as_slice()),
                    (Field::To, b"HIBERNATING"),
                ][..],
                Refusal::UnknownState("HIBERNATING".into()),
            ),
            (
                Emit::JobRecovered,
                &[(Field::Job, b"xyz".as_slice())],
                Refusal::BadField {
                    field: "job",
                    text: "xyz".into(),
                },
            ),
            (
                Emit::AdaptiveRestart,
                &[(Field::Reason, b"process".as_slice())],
                Refusal::BadField {
                    field: "reason",
                    text: "process".into(),
                },
            ),
        ] {
            assert_eq!(emit.event(&captures(texts)), Err(expected));
        }
    }
}
