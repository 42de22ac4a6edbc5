//! What survives a restart: positions, jobs, counters and history in one `SQLite` database, written in one transaction.
//!
//! State is a fold over the bytes read. A database that holds how far was read and what followed from it, both of one
//! moment, makes a crash cost nothing: what comes after the moment is read again and counts once. So
//! [`Store::commit`] writes all of it or nothing, and only what changed. Its format is described in `docs/store.md`.

mod beside;
mod entities;
mod entity_rows;
mod entries;
mod failures;
mod gone;
mod history;
mod jobs;
mod logs;
mod rows;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode};
use rustix::fs::{FlockOperation, flock};

use crate::line::{JobId, LogId};
use crate::model::arn::ApplicationArn;
use crate::model::flink_deployment::DeploymentId;
use crate::model::vvp_job::PlatformJobId;
use crate::model::{Application, Deployment, Fleet, Job, Left, Processes, VvpJob};
use crate::pipeline::Memory;
use crate::stats::{Counts, Op, SourceStats};
use crate::tail::Position;

use beside::make_beside;
use entities::Shelf;
pub use history::Bounds;
use logs::Counted;

/// Name of the file whose lock says that the directory is in use.
const LOCK: &str = "lock";

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the directory.
    #[error("{} is in use by another flinktail; give each its own --state-dir", .0.display())]
    InUse(PathBuf),
    /// What the database holds makes no sense.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// Written by a later release.
    #[error(
        "the database has version {version}, which this release does not know; start the release that wrote it"
    )]
    Newer {
        /// Its version.
        version: u32,
    },
    /// Written by an earlier release and not brought up to date, which `flinktail watch` does.
    #[error(
        "the database has version {version}, which is older than this release; start `flinktail watch` with it once"
    )]
    Older {
        /// Its version.
        version: u32,
    },
    /// The directory or a file in it was moved or deleted.
    #[error("the database was moved or deleted while it was in use")]
    Gone,
    /// The database refuses.
    #[error("{0}")]
    Sql(#[from] rusqlite::Error),
    /// The file system refuses.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A row that cannot be read.
    #[error("the database is damaged: {0}")]
    Row(#[from] serde_json::Error),
}

impl StoreError {
    /// What is there is of no use, however often it is tried.
    fn is_damage(&self) -> bool {
        match self {
            Self::Damaged(_) | Self::Row(_) => true,
            Self::Sql(rusqlite::Error::SqliteFailure(error, _)) => {
                // The last two: rows that contradict each other, or hold no JSON, cannot be brought up to date.
                matches!(
                    error.code,
                    ErrorCode::NotADatabase
                        | ErrorCode::DatabaseCorrupt
                        | ErrorCode::ConstraintViolation
                        | ErrorCode::Unknown
                )
            }
            // A table or column that is not there, or holds something of another type.
            Self::Sql(error) => !matches!(error, rusqlite::Error::SqliteFailure(..)),
            _ => false,
        }
    }
}

/// One log as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct LogState {
    /// Its id, which it keeps.
    pub id: LogId,
    /// Its name, cluster and numbers; what the decoder counts is in `memory`.
    pub numbers: SourceStats,
    /// What its decoder remembers.
    pub memory: Memory,
}

/// What is kept beside the jobs: of every log, or to [`Store::commit`] of those that may have changed since the last time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// The logs.
    pub logs: Vec<LogState>,
    /// How far each of their files was read.
    pub positions: Vec<Position>,
    /// Matches of each rule, by its id.
    pub rule_matches: BTreeMap<String, u64>,
    /// State words outside Flink's closed set.
    pub unknown_states: u64,
    /// Nothing was ever published of what is kept: it was begun with nothing, and old content is still being read.
    pub unpublished: bool,
    /// Operations that failed on paths that are no logs, by the path as it is shown.
    pub failures: BTreeMap<String, Counts<Op>>,
}

/// What was kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Saved {
    /// The entities that were not evicted, and what else the model knew.
    pub left: Left,
    /// The rest.
    pub progress: Progress,
}

impl Saved {
    fn read(connection: &Connection) -> Result<Self, StoreError> {
        let Counted {
            model: counters,
            rule_matches,
            unknown_states,
            unpublished,
        } = logs::read_counters(connection)?;
        let left = Left {
            jobs: jobs::read(connection)?,
            applications: entities::read(connection)?,
            platform_jobs: entities::read(connection)?,
            deployments: entities::read(connection)?,
            processes: logs::read_processes(connection)?,
            counters,
        };
        let progress = Progress {
            logs: logs::read(connection)?,
            positions: logs::read_positions(connection)?,
            rule_matches,
            unknown_states,
            unpublished,
            failures: failures::read(connection)?,
        };
        Ok(Self { left, progress })
    }
}

/// Holds a state directory for one process, as long as it lives.
#[derive(Debug)]
pub struct DirLock {
    _file: File,
}

impl DirLock {
    /// Takes the directory, made if it is not there. The lock is the kernel's: it ends with the process, however that ends.
    pub fn take(dir: &Path) -> Result<Self, StoreError> {
        let dir = schema::make_dir(dir)?;
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0))
            .open(dir.join(LOCK))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::InUse(dir)),
            Err(error) => Err(StoreError::Io(error.into())),
        }
    }
}

/// How the database was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// There was none.
    New,
    /// As it was left.
    Whole,
    /// Damaged, and set aside under this name for whoever wants to look; a new one was begun.
    Damaged(PathBuf, String),
}

type Key = (Arc<str>, JobId);

/// What of a job is written.
#[derive(Debug, Clone, Copy)]
struct Written {
    /// None until its row is written for the first time in its present life.
    revision: Option<u64>,
    entries: u64,
}

impl Written {
    /// A job that is written as it is.
    fn of(job: &Job) -> Self {
        Self {
            revision: Some(job.revision),
            entries: job.entries(),
        }
    }
}

/// What the fleet gave away or was given since the last commit: to be known until one succeeds, be it of another store.
#[derive(Debug, Default)]
pub struct Unwritten {
    /// Evicted jobs, the earliest first.
    evicted: Vec<Job>,
    /// Jobs that returned after their eviction and were given what they had before it.
    returned: HashSet<Key>,
}

impl Unwritten {
    /// Most jobs kept while nothing can be written: they are memory.
    const MOST: usize = 1024;

    /// Takes what was evicted. What is too much is forgotten, the earliest first: should one of those return, its counters begin
    /// anew.
    pub fn take(&mut self, evicted: Vec<Job>) {
        self.evicted.extend(evicted);
        self.evicted
            .drain(..self.evicted.len().saturating_sub(Self::MOST));
    }
}

/// An open database.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    /// Device and inode of the database when it was opened.
    id: (u64, u64),
    jobs: HashMap<Key, Written>,
    applications: Shelf<ApplicationArn>,
    platform_jobs: Shelf<PlatformJobId>,
    deployments: Shelf<DeploymentId>,
    unwritten: Unwritten,
    /// Whether the database may hold evicted jobs. Where it holds none, as after the first catch-up, none is looked for.
    holds_evicted: bool,
    /// The version of the fleet that was written; none before the first commit.
    fleet: Option<u64>,
    /// As last written.
    logs: logs::Written,
    processes: Processes,
    counted: Counted,
    failures: failures::Failures,
}

impl Store {
    /// Opens the database of a directory, made if it is not there, and reads what was kept.
    ///
    /// A damaged one is set aside. One of a later release is left alone: [`StoreError::Newer`].
    pub fn open(dir: &Path) -> Result<(Self, Saved, Found), StoreError> {
        let path = schema::make_dir(dir)?.join(schema::FILE);
        let is_new = std::fs::metadata(&path).map_or(true, |file| file.len() == 0);
        match Self::open_file(&path) {
            Ok((store, saved)) => Ok((store, saved, if is_new { Found::New } else { Found::Whole })),
            Err(error) if error.is_damage() => {
                let aside = schema::set_aside(&path)?;
                let (store, saved) = Self::open_file(&path)?;
                Ok((store, saved, Found::Damaged(aside, error.to_string())))
            }
            Err(error) => Err(error),
        }
    }

    /// Opens it again after it could not be written. What the program knows is newer than what is there, and is all
    /// written by the next commit. `unwritten` is taken from the store that failed, and only where this succeeds.
    pub fn reopen(dir: &Path, unwritten: &mut Unwritten) -> Result<(Self, Found), StoreError> {
        let (mut store, _, found) = Self::open(dir)?;
        for key in &unwritten.returned {
            if !store.jobs.contains_key(key) {
                let before = jobs::read_evicted(&store.connection, &key.0, key.1)?;
                let entries = before.map_or(0, |before| before.entries());
                let revision = None;
                store.jobs.insert(key.clone(), Written { revision, entries });
            }
        }
        store.unwritten = std::mem::take(unwritten);
        for written in store.jobs.values_mut() {
            written.revision = None;
        }
        let others = store
            .applications
            .values_mut()
            .chain(store.platform_jobs.values_mut())
            .chain(store.deployments.values_mut());
        for shelved in others {
            shelved.revision = None;
        }
        Ok((store, found))
    }

    /// Reads what was kept in a directory whose database cannot be opened to be written: the disk is full, or may only be read.
    pub fn read_alone(dir: &Path) -> Result<Saved, StoreError> {
        Saved::read(&schema::open_alone(&dir.join(schema::FILE))?)
    }

    fn open_file(path: &Path) -> Result<(Self, Saved), StoreError> {
        let connection = schema::open(path)?;
        let file = std::fs::metadata(path)?;
        let saved = Saved::read(&connection)?;
        let holds_evicted = jobs::any_evicted(&connection)?;
        let written = |job: &Job| ((Arc::clone(&job.cluster), job.id), Written::of(job));
        let store = Self {
            connection,
            path: path.to_owned(),
            id: (file.dev(), file.ino()),
            jobs: saved.left.jobs.iter().map(written).collect(),
            applications: entities::shelf(&saved.left.applications),
            platform_jobs: entities::shelf(&saved.left.platform_jobs),
            deployments: entities::shelf(&saved.left.deployments),
            unwritten: Unwritten::default(),
            holds_evicted,
            fleet: None,
            // Each is written once more when it is first given.
            logs: logs::Written::new(),
            processes: saved.left.processes.clone(),
            counted: Counted {
                model: saved.left.counters.clone(),
                rule_matches: saved.progress.rule_matches.clone(),
                unknown_states: saved.progress.unknown_states,
                unpublished: saved.progress.unpublished,
            },
            failures: saved.progress.failures.clone(),
        };
        Ok((store, saved))
    }

    /// Writes what changed since the last commit, all of it or nothing, to the disk.
    ///
    /// Jobs that were evicted are kept for their history, and for their counters should their id return: the fleet takes
    /// those up here, before anybody has seen it without them.
    pub fn commit(
        &mut self,
        fleet: &mut Fleet,
        progress: &Progress,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.commit_each(fleet, progress, &mut std::iter::empty(), now)
    }

    /// Does so with more logs, each with its positions, that are made when it is their turn: thousands at once would take
    /// more memory than all else that is done with them.
    pub fn commit_each(
        &mut self,
        fleet: &mut Fleet,
        progress: &Progress,
        logs: &mut dyn Iterator<Item = (LogState, Vec<Position>)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.unwritten.evicted.extend(fleet.take_evicted());
        self.check_file()?;
        let has_news = self.fleet != Some(fleet.version()) || !self.unwritten.evicted.is_empty();
        if has_news {
            self.take_back(fleet)?;
        }
        let transaction = self.connection.transaction()?;
        for job in &self.unwritten.evicted {
            jobs::write_evicted(&transaction, &self.jobs, job, now)?;
        }
        let changed: Vec<(Key, &Job, u64)> = has_news
            .then(|| fleet.jobs())
            .into_iter()
            .flatten()
            .filter_map(|job| {
                let key = (Arc::clone(&job.cluster), job.id);
                let known = self.jobs.get(&key);
                let is_new = known.is_none_or(|known| known.revision != Some(job.revision));
                is_new.then(|| (key, job, known.map_or(0, |known| known.entries)))
            })
            .collect();
        make_beside(
            &changed,
            |(_, job, from)| (*job, jobs::Text::of(job, *from)),
            |(job, text)| jobs::write(&transaction, job, &text?, false, now),
        )?;
        let written: Vec<(Key, Written)> = changed
            .into_iter()
            .map(|(key, job, _)| (key, Written::of(job)))
            .collect();
        let applications = entities::write(&transaction, &self.applications, fleet.applications(), now)?;
        let platform_jobs = entities::write(&transaction, &self.platform_jobs, fleet.platform_jobs(), now)?;
        let deployments = entities::write(&transaction, &self.deployments, fleet.deployments(), now)?;
        let mut gone_applications = Vec::new();
        let (mut gone_platform_jobs, mut gone_deployments) = (Vec::new(), Vec::new());
        if fleet.counters().evicted != self.counted.model.evicted {
            let is_known = |arn: &ApplicationArn| fleet.application_of(arn).is_some();
            gone_applications =
                entities::write_evicted::<Application>(&transaction, &self.applications, is_known)?;
            let is_known = |id: &PlatformJobId| fleet.platform_job(*id).is_some();
            gone_platform_jobs =
                entities::write_evicted::<VvpJob>(&transaction, &self.platform_jobs, is_known)?;
            let is_known = |id: &DeploymentId| fleet.deployment_of(id).is_some();
            gone_deployments =
                entities::write_evicted::<Deployment>(&transaction, &self.deployments, is_known)?;
        }
        if has_news {
            logs::write_processes(&transaction, &self.processes, fleet.processes())?;
        }
        logs::write_counters(&transaction, &self.counted, fleet.counters(), progress)?;
        failures::write(&transaction, &self.failures, &progress.failures, now)?;
        let logs = logs::write(&transaction, &self.logs, progress, logs)?;
        transaction.commit()?;
        // From here on nothing fails: what is remembered as written is.
        let Unwritten { evicted, .. } = std::mem::take(&mut self.unwritten);
        self.holds_evicted |= !evicted.is_empty();
        for job in evicted {
            self.jobs.remove(&(job.cluster, job.id));
        }
        // One by one: told of how many there are, it would make room for as many more.
        for (key, written) in written {
            self.jobs.insert(key, written);
        }
        self.applications.extend(applications);
        self.platform_jobs.extend(platform_jobs);
        self.deployments.extend(deployments);
        self.applications
            .retain(|arn, _| !gone_applications.contains(arn));
        self.platform_jobs
            .retain(|id, _| !gone_platform_jobs.contains(id));
        self.deployments.retain(|id, _| !gone_deployments.contains(id));
        if has_news {
            self.processes.clone_from(fleet.processes());
        }
        self.fleet = Some(fleet.version());
        self.logs.extend(logs);
        self.counted = Counted {
            model: fleet.counters().clone(),
            rule_matches: progress.rule_matches.clone(),
            unknown_states: progress.unknown_states,
            unpublished: progress.unpublished,
        };
        self.failures.clone_from(&progress.failures);
        Ok(())
    }

    /// Gives jobs that returned after their eviction what they had before it.
    fn take_back(&mut self, fleet: &mut Fleet) -> Result<(), StoreError> {
        let gone: Vec<Key> = self
            .unwritten
            .evicted
            .iter()
            .map(|job| (Arc::clone(&job.cluster), job.id))
            .collect();
        let returned = |job: &&Job| {
            let key = (Arc::clone(&job.cluster), job.id);
            !self.jobs.contains_key(&key) || gone.contains(&key)
        };
        let news: Vec<Key> = fleet
            .jobs()
            .filter(returned)
            .map(|job| (Arc::clone(&job.cluster), job.id))
            .collect();
        for key in news {
            // Evicted and back within one commit: what it had is not written yet.
            let evicted = &mut self.unwritten.evicted;
            let unwritten = evicted
                .iter()
                .position(|job| (&job.cluster, job.id) == (&key.0, key.1));
            let before = match unwritten {
                Some(at) => Some(evicted.remove(at)),
                None if !self.holds_evicted => None,
                None => jobs::read_evicted(&self.connection, &key.0, key.1)?,
            };
            let mut entries = 0;
            if let Some(before) = before {
                entries = if unwritten.is_some() {
                    self.jobs.get(&key).map_or(0, |known| known.entries)
                } else {
                    before.entries()
                };
                fleet.take_up_counters(&before);
                self.unwritten.returned.insert(key.clone());
            }
            let written = Written {
                revision: None,
                entries,
            };
            self.jobs.insert(key, written);
        }
        Ok(())
    }

    /// What it could not write, for the store that is opened after it.
    #[must_use]
    pub fn into_unwritten(self) -> Unwritten {
        self.unwritten
    }

    /// `SQLite` goes on writing to a file that no name leads to any more; nothing of that would survive.
    fn check_file(&self) -> Result<(), StoreError> {
        match std::fs::metadata(&self.path) {
            Ok(file) if (file.dev(), file.ino()) == self.id => Ok(()),
            Ok(_) => Err(StoreError::Gone),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::Gone),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes history beyond its bounds, a part at a time, and what else is kept for as long; to be called now and then.
    /// `absent` are the logs that the program has not found. True while there is more.
    pub fn tidy(
        &mut self,
        bounds: Bounds,
        absent: impl Iterator<Item = LogId>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        history::tidy(&mut self.connection, bounds, absent, now)
    }

    /// Size of the database, bytes.
    pub fn bytes(&self) -> Result<u64, StoreError> {
        history::bytes(&self.connection)
    }
}

/// Every entity that a store knows, evicted ones included, each with all of its history that is kept. Reads beside a
/// running program. `wanted` is the beginning of an id, or a name; none means all.
pub fn stories(dir: &Path, wanted: Option<&str>) -> Result<Left, StoreError> {
    let path = dir.join(schema::FILE);
    std::fs::metadata(&path)?;
    let connection = schema::open_to_read(&path)?;
    Ok(Left {
        jobs: jobs::read_stories(&connection, wanted)?,
        applications: entities::read_stories(&connection, wanted)?,
        platform_jobs: entities::read_stories(&connection, wanted)?,
        deployments: entities::read_stories(&connection, wanted)?,
        ..Left::default()
    })
}

/// Whether somebody who names an entity by its name, or by how its id begins, means this one.
fn is_wanted(wanted: Option<&str>, name: Option<&str>, id: &str) -> bool {
    wanted.is_none_or(|wanted| {
        let begins = id.get(..wanted.len());
        name == Some(wanted) || begins.is_some_and(|begins| begins.eq_ignore_ascii_case(wanted))
    })
}
