//! The demonstration: a made-up fleet that writes real log files, and the daemon that watches them.
//!
//! What happens is a function of time (`story`), how Flink says it another (`wording`); here it becomes files. Files are
//! rotated as they grow, so that the daemon has all of its work.

mod story;
mod wording;

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use self::story::Moment;
use super::{AppError, Load, watch};
use crate::config::Settings;
use crate::observe;
use crate::pipeline::Wording;

/// How often the fleet writes.
const TICK: Duration = Duration::from_secs(1);

/// A log is rotated beyond this, bytes.
const ROTATED_AT: u64 = 32 * 1024;

/// Rotated files kept of each log.
const KEPT: u32 = 20;

/// The current file's name.
const LOG: &str = "jobmanager.log";

/// Runs until a signal. Logs go into `dir`, which must be empty or absent and is left as it is then; without one into a
/// directory for temporary files, which is removed.
pub fn demo(dir: Option<&Path>, mut settings: Settings, wording: Wording) -> Result<(), AppError> {
    let folder = Folder::new(dir).map_err(|error| AppError::System {
        what: "cannot make a directory for the demonstration's logs",
        error,
    })?;
    let mut fleet = Fleet::new(folder.path.clone());
    fleet.write_until(fleet.start).map_err(|error| AppError::System {
        what: "cannot write the demonstration's logs",
        error,
    })?;
    for source in &mut settings.sources {
        let pattern = folder.path.join("*").join(format!("{LOG}*"));
        source.paths = vec![pattern.display().to_string()];
    }
    info!(
        "a made-up fleet writes its logs below {}; Ctrl-C ends it",
        folder.path.display()
    );
    let (over, ends) = mpsc::channel();
    let writing = thread::Builder::new()
        .name("fleet".to_owned())
        .spawn(move || {
            while ends.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                if let Err(error) = fleet.write_until(observe::now()) {
                    warn!(%error, "the made-up fleet stands still");
                    return;
                }
            }
        })
        .map_err(|error| AppError::System {
            what: "cannot start the thread of the demonstration",
            error,
        })?;
    // There is no file that could change.
    let same = settings.clone();
    let load: Load = Box::new(move || {
        let wording = super::wording(None).map_err(|error| error.to_string())?;
        Ok((same.clone(), wording))
    });
    let watched = watch(settings, wording, load, false);
    drop::<mpsc::Sender<()>>(over);
    // It only writes; nothing is lost with it.
    let _ended = writing.join();
    watched
}

/// Where the logs are; removed at the end if it is ours.
struct Folder {
    path: PathBuf,
    is_temporary: bool,
}

impl Folder {
    fn new(dir: Option<&Path>) -> std::io::Result<Self> {
        let Some(dir) = dir else {
            let path = std::env::temp_dir().join(format!("flinktail-demo-{}", std::process::id()));
            fs::create_dir(&path)?;
            return Ok(Self {
                path,
                is_temporary: true,
            });
        };
        fs::create_dir_all(dir)?;
        if fs::read_dir(dir)?.next().is_some() {
            let why = format!("{} is not empty", dir.display());
            return Err(std::io::Error::new(std::io::ErrorKind::AlreadyExists, why));
        }
        Ok(Self {
            path: dir.to_owned(),
            is_temporary: false,
        })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_temporary
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            warn!(%error, "{} could not be removed", self.path.display());
        }
    }
}

/// Writes what the story tells.
struct Fleet {
    dir: PathBuf,
    /// When the demonstration began: the story's second 0.
    start: Timestamp,
    /// Up to which of the story's seconds everything was written.
    written: i64,
}

impl Fleet {
    fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            start: observe::now(),
            // Before the first of all stories, and far from any overflow.
            written: i64::from(i32::MIN),
        }
    }

    fn write_until(&mut self, now: Timestamp) -> std::io::Result<()> {
        let upto = now.duration_since(self.start).as_secs();
        let moments = story::between(self.written, upto);
        for cluster in story::clusters() {
            let mut log = Log::open(self.dir.join(cluster))?;
            let of_cluster = moments.iter().filter(|moment| moment.cluster == cluster);
            for moment in of_cluster {
                log.write(moment, self.start)?;
            }
        }
        self.written = upto;
        Ok(())
    }
}

/// One cluster's log.
struct Log {
    dir: PathBuf,
    file: File,
}

impl Log {
    fn open(dir: PathBuf) -> std::io::Result<Self> {
        fs::create_dir_all(&dir)?;
        let file = OpenOptions::new().create(true).append(true).open(dir.join(LOG))?;
        Ok(Self { dir, file })
    }

    fn write(&mut self, moment: &Moment, start: Timestamp) -> std::io::Result<()> {
        let at = start + SignedDuration::from_secs(moment.at);
        for record in wording::records(moment.said, moment.job, &moment.id, at) {
            self.file.write_all(record.as_bytes())?;
        }
        if self.file.metadata()?.len() > ROTATED_AT {
            self.rotate()?;
        }
        Ok(())
    }

    /// As Flink's stock log4j configuration did up to 1.11: `.1` is the newest.
    fn rotate(&mut self) -> std::io::Result<()> {
        for number in (1..KEPT).rev() {
            let older = self.dir.join(format!("{LOG}.{}", number + 1));
            match fs::rename(self.dir.join(format!("{LOG}.{number}")), older) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(self.dir.join(LOG), self.dir.join(format!("{LOG}.1")))?;
        *self = Self::open(std::mem::take(&mut self.dir))?;
        Ok(())
    }
}
