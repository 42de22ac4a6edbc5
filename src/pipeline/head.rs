//! What the first bytes of a file tell before it is read: when it begins, and who wrote it.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::beginnings::{Beginning, whole_lines};
use super::{ChosenLayout, Wording};
use crate::decode::clock::Clock;
use crate::decode::documents::sniff::Sniffer;
use crate::decode::documents::{Leaf, Opened, Walker};
use crate::decode::form::Form;
use crate::line::{HeadFacts, Writer};
use crate::rules::logger_matches;

/// Classes that log in one kind of process only; the ExecutionGraph is not among them, since its logger is what user
/// code on a TaskManager borrows for look-alikes.
const JOB_MANAGER: &[&str] = &[
    "org.apache.flink.runtime.entrypoint.ClusterEntrypoint",
    "org.apache.flink.runtime.dispatcher.StandaloneDispatcher",
    "org.apache.flink.runtime.dispatcher.MiniDispatcher",
    "org.apache.flink.runtime.dispatcher.DispatcherRestEndpoint",
    "org.apache.flink.runtime.jobmaster.JobMaster",
    "org.apache.flink.runtime.checkpoint.CheckpointCoordinator",
    "org.apache.flink.runtime.resourcemanager.StandaloneResourceManager",
    "org.apache.flink.runtime.resourcemanager.active.ActiveResourceManager",
    "org.apache.flink.runtime.resourcemanager.slotmanager.FineGrainedSlotManager",
    "org.apache.flink.runtime.resourcemanager.slotmanager.DeclarativeSlotManager",
    "org.apache.flink.runtime.resourcemanager.slotmanager.SlotManagerImpl",
    "org.apache.flink.runtime.scheduler.adaptive.AdaptiveScheduler",
    "org.apache.flink.runtime.jobmaster.slotpool.DefaultDeclarativeSlotPool",
    "org.apache.flink.client.deployment.application.executors.EmbeddedExecutor",
];
const TASK_MANAGER: &[&str] = &[
    "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
    "org.apache.flink.runtime.taskexecutor.TaskExecutor",
    "org.apache.flink.runtime.taskexecutor.TaskManagerServices",
    "org.apache.flink.runtime.taskexecutor.slot.TaskSlotTableImpl",
    "org.apache.flink.runtime.taskexecutor.DefaultJobLeaderService",
    "org.apache.flink.runtime.taskexecutor.JobLeaderService",
    "org.apache.flink.runtime.taskmanager.Task",
];

/// Reads the beginning of a file; its last line may be torn.
#[must_use]
pub fn read_head(
    wording: &Wording,
    layout: Option<&ChosenLayout>,
    zone: &TimeZone,
    head: &[u8],
) -> HeadFacts {
    let mut facts = HeadFacts {
        first_time: None,
        writer: Writer::Unknown,
    };
    // Only what no layout was chosen for is decoded by what is noted here.
    let noted = || wording.beginnings.of(head, &wording.layouts);
    let Beginning { wrappers, detected } = if let Some(noted) = layout.is_none().then(noted).flatten() {
        noted
    } else if let Some(facts) = documents(head) {
        return facts;
    } else {
        let chosen = layout.map(|chosen| &*chosen.0);
        wording.layouts.peel_beginning(whole_lines(head), chosen).into()
    };
    let recognised = || detected.layout.map(|id| wording.layouts.shared(id));
    let Some(layout) = layout.map(|chosen| Arc::clone(&chosen.0)).or_else(recognised) else {
        return facts;
    };
    let shortened = layout.shortens_loggers().unwrap_or(detected.shortened);
    let form = Form::new(wrappers, layout);
    let mut clock = Clock::new(zone.clone(), Timestamp::UNIX_EPOCH);
    let (mut job_manager, mut task_manager) = (false, false);
    let (mut rest, mut end) = (head, 0);
    while !rest[end..].is_empty() {
        rest = &rest[end..];
        end = form.line_end(rest, 0).unwrap_or(rest.len());
        let Some(record) = form.decode(&rest[..end], &mut clock) else {
            continue;
        };
        // A time without a date orders nothing.
        facts.first_time = facts.first_time.or(record.at.filter(|_| !detected.dateless));
        let is_one_of = |classes: &[&str]| {
            classes
                .iter()
                .any(|class| logger_matches(&record.logger, class, shortened))
        };
        job_manager |= is_one_of(JOB_MANAGER);
        task_manager |= is_one_of(TASK_MANAGER);
        if job_manager && (facts.first_time.is_some() || detected.dateless) {
            break;
        }
    }
    facts.writer = match (job_manager, task_manager) {
        // Both in one process: a mini cluster, or a stream that mixes logs.
        (true, _) => Writer::JobManager,
        (false, true) => Writer::TaskManager,
        (false, false) => Writer::Unknown,
    };
    facts
}

/// A head of documents; none where it is no such head. What they tell is wanted, whoever wrote them.
fn documents(head: &[u8]) -> Option<HeadFacts> {
    let (mut first, mut sniffer) = (None, Sniffer::default());
    if !sniffer.push(head) {
        return None;
    }
    Walker::default().push(head, 0, &mut |step| {
        let told = match &step.leaf {
            Leaf::Document(_, Opened::Tells(told), _) => told.at,
            _ => step.around.at,
        };
        first = first.or(told);
    });
    Some(HeadFacts {
        first_time: first,
        writer: Writer::JobManager,
    })
}
