//! The lines that Flink 1.20.5 writes, read off recorded logs of it (`tests/corpora/`), in its stock layout.

use jiff::Timestamp;

use crate::model::flink_job::JobState;

/// What a JobManager writes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// A process began.
    Began,
    /// The Dispatcher took a job, and its JobMaster is being built.
    Submitted,
    /// A new process takes a job up from high-availability storage.
    Recovered,
    /// The JobMaster runs.
    Started,
    /// The graph changed its state.
    Switched(JobState, JobState),
    /// A task failed with this exception.
    TaskFailed(&'static str),
    /// The adaptive scheduler restarts, since more slots are there.
    Rescaled,
    /// The Dispatcher says that it is over.
    Over(JobState),
    /// A checkpoint: what a healthy job writes.
    Checkpoint,
}

const GRAPH: &str = "org.apache.flink.runtime.executiongraph.ExecutionGraph";
const MASTER: &str = "org.apache.flink.runtime.jobmaster.JobMaster";
const DISPATCHER: &str = "org.apache.flink.runtime.dispatcher.StandaloneDispatcher";
const ENTRYPOINT: &str = "org.apache.flink.runtime.entrypoint.ClusterEntrypoint";
const LEADER: &str = "org.apache.flink.runtime.dispatcher.runner.SessionDispatcherLeaderProcess";
const ADAPTIVE: &str = "org.apache.flink.runtime.scheduler.adaptive.AdaptiveScheduler";
const CHECKPOINTS: &str = "org.apache.flink.runtime.checkpoint.CheckpointCoordinator";

/// The records about a job, with the lines that follow them.
pub(super) fn records(said: Said, job: &str, id: &str, at: Timestamp) -> Vec<String> {
    let line = |logger: &str, message: &str| {
        let at = at.strftime("%Y-%m-%d %H:%M:%S,%3f");
        format!("{at} INFO  {logger:<60} [] - {message}\n")
    };
    let graph: String = id.chars().rev().collect();
    match said {
        Said::Began => vec![line(
            ENTRYPOINT,
            " Starting StandaloneSessionClusterEntrypoint (Version: 1.20.5, Scala: 2.12, Rev:0980485, Date:2026-06-08T09:21:06+02:00)",
        )],
        Said::Submitted => vec![
            line(
                DISPATCHER,
                &format!("Received JobGraph submission '{job}' ({id})."),
            ),
            line(DISPATCHER, &format!("Submitting job '{job}' ({id}).")),
            line(MASTER, &format!("Initializing job '{job}' ({id}).")),
            line(GRAPH, &format!("Created execution graph {graph} for job {id}.")),
        ],
        Said::Recovered => vec![
            line(LEADER, &format!("Trying to recover job with job id {id}.")),
            line(MASTER, &format!("Initializing job '{job}' ({id}).")),
        ],
        Said::Started => vec![line(
            MASTER,
            &format!(
                "Starting execution of job '{job}' ({id}) under job master id 00000000000000000000000000000000."
            ),
        )],
        Said::Switched(from, to) => vec![line(
            GRAPH,
            &format!("Job {job} ({id}) switched from state {from} to {to}."),
        )],
        Said::TaskFailed(exception) => vec![
            line(
                GRAPH,
                &format!(
                    "Source: {job} -> Map -> Sink: {job} (1/1) ({graph}_cbc357ccb763df2852fee8c4fc7d55f2_0_0) switched from RUNNING to FAILED on 127.0.0.1:33479-4485db @ localhost (dataPort=41921)."
                ),
            ) + exception
                + "\n\tat org.apache.flink.streaming.api.operators.StreamMap.processElement(StreamMap.java:38) ~[flink-dist-1.20.5.jar:1.20.5]\n",
            line(MASTER, "3 tasks will be restarted to recover the failed task."),
        ],
        Said::Rescaled => vec![line(
            ADAPTIVE,
            "Can change the parallelism of the job. Restarting the job.",
        )],
        Said::Over(state) => vec![
            line(DISPATCHER, &format!("Job {id} reached terminal state {state}.")),
            line(MASTER, &format!("Stopping the JobMaster for job '{job}' ({id}).")),
        ],
        Said::Checkpoint => vec![line(
            CHECKPOINTS,
            &format!(
                "Completed checkpoint for job {id} (48210 bytes, checkpointDuration=219 ms, finalizationTime=3 ms)."
            ),
        )],
    }
}
