//! What is told of old content does not depend on which of several logs is read first, nor on what they gain meanwhile.

use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Engine;
use crate::app::{SourceSettings, wording};
use crate::expose::api;
use crate::line::LogId;
use crate::pipeline::LogSettings;
use crate::tail::{LogInfo, Read, Sink as _};

const OLD: LogId = LogId(1);
const NEW: LogId = LogId(2);

/// How a source is decoded whose cluster is named.
pub(super) fn beside() -> SourceSettings {
    let log = LogSettings {
        zone: TimeZone::UTC,
        layout: None,
        line_bytes: 1 << 20,
        record_bytes: 1 << 20,
        reorder_window: SignedDuration::ZERO,
    };
    SourceSettings {
        cluster: Some(Arc::from("ha")),
        log: log.into(),
    }
}

/// Two logs of one cluster: the JobManager that led, and the one that took over.
struct Rig {
    engine: Engine,
    /// How much was given of each.
    given: [u64; 2],
}

impl Rig {
    fn new() -> Self {
        let mut engine = Engine::new(Arc::new(wording(None).unwrap()), vec![beside()], 100);
        engine.set_now("2027-01-01T00:00:00Z".parse().unwrap());
        for (id, name) in [(OLD, "/log/jm-1.log"), (NEW, "/log/jm-2.log")] {
            let info = LogInfo {
                name: name.into(),
                path: Path::new(name).into(),
                cluster: None,
                source: 0,
            };
            engine.open(id, &info);
        }
        Self {
            engine,
            given: [0; 2],
        }
    }

    /// A log has more: what the job did, each with its second.
    fn gain(&mut self, log: LogId, fresh: bool, story: &[(u32, &str, &str)]) {
        let logger = "org.apache.flink.runtime.executiongraph.ExecutionGraph";
        for (second, from, to) in story {
            let line = format!(
                "2026-11-01 10:00:{second:02},000 INFO  {logger} [] - Job a (0000000000000000000000000000000a) switched from state {from} to {to}.\n"
            );
            let given = &mut self.given[usize::from(log == NEW)];
            let read = Read {
                bytes: line.as_bytes(),
                offset: *given,
                mtime: Timestamp::UNIX_EPOCH,
                fresh,
                hits: None,
            };
            self.engine.bytes(log, &read);
            *given += line.len() as u64;
        }
    }

    fn told(mut self) -> String {
        self.engine.caught_up();
        self.engine.settle();
        api::entities_json(self.engine.fleet())
    }
}

const FIRST: [(u32, &str, &str); 3] = [
    (1, "CREATED", "RUNNING"),
    (5, "RUNNING", "RESTARTING"),
    (6, "RESTARTING", "RUNNING"),
];
const SECOND: [(u32, &str, &str); 2] = [(20, "CREATED", "RUNNING"), (30, "RUNNING", "RESTARTING")];
const NEWS: [(u32, &str, &str); 1] = [(40, "RESTARTING", "RUNNING")];

/// What happens to the newer log is told alike, whether the older has been read by then or tells its story afterwards.
fn check(then: impl Fn(&mut Rig)) {
    let mut at_rest = Rig::new();
    at_rest.gain(OLD, false, &FIRST);
    at_rest.engine.finish(OLD);
    at_rest.gain(NEW, false, &SECOND);
    at_rest.engine.finish(NEW);
    then(&mut at_rest);

    let mut meanwhile = Rig::new();
    meanwhile.gain(NEW, false, &SECOND);
    meanwhile.engine.finish(NEW);
    then(&mut meanwhile);
    meanwhile.gain(OLD, false, &FIRST);
    meanwhile.engine.finish(OLD);
    assert_eq!(meanwhile.told(), at_rest.told());
}

#[test]
fn what_a_log_gains_comes_after_what_is_old_of_it_and_of_those_it_waits_for() {
    check(|rig| rig.gain(NEW, true, &NEWS));
}

#[test]
fn that_a_log_is_gone_comes_after_what_is_old_of_it_and_of_those_it_waits_for() {
    check(|rig| rig.engine.gone(NEW));
    check(|rig| {
        rig.gain(NEW, true, &NEWS);
        rig.engine.gone(NEW);
    });
}
