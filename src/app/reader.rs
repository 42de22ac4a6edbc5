//! The thread that owns everything between the files and the published view: it reads, decodes, derives, writes down and shows,
//! one turn after the other.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::engine::{Engine, News};
use super::keeper::{Keeper, known_logs};
use super::reload::{Handover, Plan, Taken};
use super::systemd::Manager;
use super::{AppError, classifier, cores, search};
use crate::cli::progress::Progress;
use crate::config::{ReadFrom, Settings};
use crate::expose::{self, View, ViewBuilder};
use crate::line::LogId;
use crate::model::{Counters, Job};
use crate::observe;
use crate::stats::{ProgramStats, SourceStats};
use crate::store::{Bounds, Saved};
use crate::tail::wake::{Wake, Waker};
use crate::tail::{self, Tailer};

/// A view is published at least this often, since retention is judged at the time of the view.
const REFRESH: Duration = Duration::from_secs(10);

/// While more is to be read at once, views are published no more often than this: the reader comes first.
const BUSY_REFRESH: Duration = Duration::from_millis(50);

/// How long bytes that changed no job wait to be kept: reading them again after a crash costs little, a commit for each
/// of them would cost much.
const READ_REFRESH: Duration = Duration::from_secs(1);

/// The same while old content is being read, of which there is much in a second: writing that down holds up the reader for
/// a tenth of it. More often only where the history of a job, or evicted jobs, would take too much memory.
const BACKLOG_REFRESH: Duration = Duration::from_secs(2);

/// How long nothing may come of old content, before the program goes on without it: longer than it takes to see that a log is
/// cut, that an archive is damaged and not being packed (5 s), or to try again after errors that pass (1, 2 and 4 s).
const STALLED: Duration = Duration::from_secs(10);

/// How long to wait, while old content is read, where nothing came of it in a pass though there is more.
const HELD_UP: Duration = Duration::from_millis(50);

/// How often events that wait for the reordering window are looked at.
const WAITING: Duration = Duration::from_millis(250);

/// Pass period where the system tells of changes, and where it does not.
const PERIOD_TOLD: Duration = Duration::from_secs(10);
const PERIOD_DEAF: Duration = Duration::from_secs(1);

/// Where the system tells of changes, a pass over everything is for what it did not tell: with thousands of logs there is
/// time for each of them, so that looking at files in which nothing happens costs no more the more there are.
const PERIOD_TOLD_PER_LOG: Duration = Duration::from_millis(10);
const LONGEST_PERIOD_TOLD: Duration = Duration::from_secs(60);

fn view_settings(settings: &Settings) -> expose::Settings {
    expose::Settings {
        thresholds: settings.thresholds.clone(),
        retention: settings.retention.clone(),
        entities_limit: settings.limits.entities as u64,
        ..expose::Settings::default()
    }
}

/// Before the first file is read there are no entities, and the program is not ready.
pub(super) fn nothing_yet(settings: &Settings) -> View {
    ViewBuilder::new(view_settings(settings)).view(
        Counters::default(),
        ProgramStats::default(),
        observe::now(),
    )
}

/// Opens the state directory, if there is one, and reads what was kept in it.
fn restore(settings: &Settings) -> Result<(Option<Keeper>, Saved), AppError> {
    let Some(dir) = &settings.state_dir else {
        info!(
            "no --state-dir: after a restart the logs are read again from their beginning, and what was rotated away by \
             then no longer counts"
        );
        return Ok((None, Saved::default()));
    };
    let (keeper, saved) = Keeper::open(dir, bounds(settings))?;
    Ok((Some(keeper), saved))
}

const fn bounds(settings: &Settings) -> Bounds {
    Bounds {
        age: settings.history_age,
        bytes: settings.history_bytes,
    }
}

/// How often everything is looked at until it is ready: nobody tells of changes, see [`Reader::hear`].
fn period_of_catch_up(asked_for: Option<Duration>) -> Duration {
    asked_for.map_or(PERIOD_DEAF, |period| period.min(PERIOD_DEAF))
}

fn tail_settings(settings: &Settings) -> tail::Settings {
    tail::Settings {
        from: match settings.read_from {
            ReadFrom::Start => tail::From::Start,
            ReadFrom::End => tail::From::End,
        },
        open_files: settings.limits.open_files,
        period: period_of_catch_up(settings.poll_interval),
        ..tail::Settings::default()
    }
}

/// What the thread owns.
pub(super) struct Reader {
    engine: Engine,
    tailer: Tailer,
    wake: Wake,
    views: ViewBuilder,
    published: watch::Sender<Arc<View>>,
    stop: CancellationToken,
    manager: Manager,
    /// Configurations to go on with.
    plans: Receiver<Handover>,
    /// The newest that waits for the catch-up to end.
    next: Option<Plan>,
    period: Option<Duration>,
    began: Instant,
    last_published: Instant,
    last_kept: Instant,
    evicted: u64,
    /// The version of the fleet that the views show; none where they were begun anew.
    shown: Option<u64>,
    ready: bool,
    /// How much had been read of what is old when that was last seen to have grown.
    progressed: (u64, Instant),
    /// Standard input is a source and has not come to its end.
    reads_stdin: bool,
    keeper: Option<Keeper>,
    /// What is shown while old content is being read: what was kept when the program was stopped.
    before: (Counters, ProgramStats),
}

impl Reader {
    /// Takes up what was kept, and shows it; no log is read yet.
    pub(super) fn new(
        plan: Plan,
        published: watch::Sender<Arc<View>>,
        plans: Receiver<Handover>,
        stop: CancellationToken,
    ) -> Result<Self, AppError> {
        let Plan {
            settings,
            wording,
            sources,
            beside,
        } = plan;
        let reads_stdin = sources.iter().any(tail::Source::is_stdin);
        let (keeper, mut saved) = restore(&settings)?;
        let classify = classifier(Arc::clone(&wording), &beside);
        let positions = std::mem::take(&mut saved.progress.positions);
        let mut tailer = Tailer::new(
            Arc::new(tail::fs::OsFs),
            sources,
            classify,
            tail_settings(&settings),
            positions,
        );
        tailer.remember(known_logs(&saved.progress));
        tailer.remember_failures(saved.progress.failures.clone());
        tailer.read_ahead(cores(), &search(&wording));
        let wake = Wake::start();
        if reads_stdin {
            let waker = wake.waker();
            let stdin = tail::stdin::Stdin::start(std::io::stdin(), move || waker.wake());
            tailer.attach_stdin(stdin.map_err(|error| AppError::System {
                what: "cannot start a thread for standard input",
                error,
            })?);
        }
        let now = Instant::now();
        let counters = saved.left.counters.clone();
        let kept_sources = saved.progress.logs.iter().map(|log| (None, log.numbers.clone()));
        let failures = saved.progress.failures.iter();
        let failures = failures.map(|(path, errors)| (None, SourceStats::of_failures(path, errors)));
        let kept_sources = kept_sources.chain(failures).collect();
        let mut engine = Engine::new(wording, beside, settings.limits.entities);
        let nothing = engine.stats(Vec::new());
        engine.restore(saved);
        let mut views = ViewBuilder::new(view_settings(&settings));
        let before = if engine.is_unpublished() {
            (Counters::default(), nothing)
        } else {
            engine.fleet().shared_jobs().for_each(|job| views.put(job));
            views.put_others(engine.fleet());
            (counters, engine.stats(kept_sources))
        };
        let mut reader = Self {
            engine,
            tailer,
            wake,
            views,
            published,
            stop,
            manager: Manager::from_env(),
            plans,
            next: None,
            period: settings.poll_interval,
            began: now,
            last_published: now,
            last_kept: now,
            evicted: 0,
            shown: None,
            ready: false,
            progressed: (0, now),
            reads_stdin,
            keeper,
            before,
        };
        reader.publish();
        Ok(reader)
    }

    /// Wakes it while it waits.
    pub(super) fn waker(&self) -> Waker {
        self.wake.waker()
    }

    /// Reads until it is stopped, or, with `once`, until everything that is there has been read.
    pub(super) fn run(mut self, runtime: &Handle, once: bool) {
        let waker = self.wake.waker();
        let mut progress = Some(Progress::new());
        while !self.stop.is_cancelled() {
            self.manager.turned();
            self.engine.set_now(observe::now());
            self.take_plan();
            self.tailer.hint(waker.take());
            let outcome = self.tailer.poll(self.began.elapsed(), &mut self.engine);
            self.engine.pass();
            let stands_still = self.catch_up(&mut progress);
            self.hear();
            self.engine.settle();
            self.tell();
            self.publish_if_due(outcome.more);
            if once && self.ready && !outcome.more && !self.reads_stdin && !self.engine.is_waiting() {
                self.stop.cancel();
            }
            // Logs that are held up have more, and wait for one that gives nothing now.
            let is_held_up = outcome.more && stands_still && !self.engine.is_crowded();
            if !outcome.more || is_held_up {
                let longest = self.longest_wait().min(self.manager.longest_wait());
                let mut wait = if is_held_up { HELD_UP } else { outcome.wait }.min(longest);
                if self.engine.is_waiting() {
                    wait = wait.min(WAITING);
                }
                runtime.block_on(async {
                    tokio::select! {
                        () = waker.woken() => {}
                        () = self.stop.cancelled() => {}
                        () = tokio::time::sleep(wait) => {}
                    }
                });
            }
        }
        self.manager.stopping();
        self.keep_and_publish();
    }

    /// Has the system tell of changes, and sets how often everything is looked at without being told.
    ///
    /// Not before all old content has been read: the system would tell of each file that is opened to be read, and wake a thread
    /// for it, which takes a core from those that read. What is told of first is looked at whole.
    fn hear(&mut self) {
        if self.ready {
            self.wake.follow(&self.tailer.dirs());
        }
        self.tailer.set_period(match self.period {
            period if !self.ready => period_of_catch_up(period),
            Some(period) => period,
            None if self.wake.works() => {
                let logs = u32::try_from(self.tailer.logs()).unwrap_or(u32::MAX);
                PERIOD_TOLD_PER_LOG
                    .saturating_mul(logs)
                    .clamp(PERIOD_TOLD, LONGEST_PERIOD_TOLD)
            }
            None => PERIOD_DEAF,
        });
    }

    /// Goes on with another configuration, if there is one and what was there at the start has been read: until then
    /// the logs of a cluster are being merged under the old one.
    fn take_plan(&mut self) {
        while let Ok((plan, tell)) = self.plans.try_recv() {
            self.next = Some(plan);
            let taken = if self.ready {
                Taken::Applied
            } else {
                Taken::Deferred
            };
            if self.ready {
                self.apply_next();
            }
            // Who asked may have hung up.
            let _unheard = tell.send(taken);
        }
        if self.ready {
            self.apply_next();
        }
    }

    fn apply_next(&mut self) {
        let Some(plan) = self.next.take() else { return };
        // What is closed now is written down as it is now.
        self.keep_and_publish();
        let classify = classifier(Arc::clone(&plan.wording), &plan.beside);
        let changes = self
            .tailer
            .change(plan.sources, classify, tail_settings(&plan.settings));
        self.tailer.read_ahead(cores(), &search(&plan.wording));
        let limit = plan.settings.limits.entities;
        self.engine.change(plan.wording, plan.beside, limit, &changes);
        self.views = ViewBuilder::new(view_settings(&plan.settings));
        self.shown = None;
        self.period = plan.settings.poll_interval;
        self.reads_stdin &= self.tailer.reads_stdin();
        if let Some(keeper) = &mut self.keeper {
            keeper.set_bounds(bounds(&plan.settings));
        }
        self.keep_and_publish();
    }

    /// Ends the merge of old content, log by log, and at last the catch-up. True where that goes on, and nothing of what is old came
    /// in this pass.
    fn catch_up(&mut self, progress: &mut Option<Progress>) -> bool {
        if self.ready {
            return false;
        }
        let (read, now) = (self.tailer.gone_over(), Instant::now());
        let stands_still = self.progressed.0 == read;
        // A log that should give something and does not (a disk error) must not hold up for ever those that wait for it.
        let stalled = stands_still && now.duration_since(self.progressed.1) >= STALLED;
        if !stands_still || stalled {
            self.progressed = (read, now);
        }
        // To finish one has others wanted: what these are is asked before.
        let is_over = |log: &LogId| !self.tailer.is_behind(*log) || stalled && self.engine.wants(*log);
        let over: Vec<LogId> = self.engine.unfinished().iter().copied().filter(is_over).collect();
        for log in over {
            self.engine.finish(log);
        }
        let backlog = self.tailer.backlog();
        self.manager.catching_up(backlog.read_bytes, backlog.total_bytes);
        if let Some(progress) = progress {
            progress.show(&backlog, self.began.elapsed());
        }
        if self.engine.unfinished().is_empty() {
            self.engine.caught_up();
            self.ready = true;
            // Of thousands of logs it is much.
            self.before = (Counters::default(), ProgramStats::default());
            *progress = None;
            let (jobs, files) = (self.engine.fleet().len(), backlog.total_files);
            self.manager.ready(jobs);
            info!("caught up: {jobs} jobs in {files} files, {read} bytes read; following");
        }
        stands_still && !self.ready
    }

    /// Says what people should know, once each.
    fn tell(&mut self) {
        for notice in self.tailer.take_notices() {
            warn!("{notice}");
        }
        for (name, advice) in self.engine.take_advice() {
            warn!("{name}: {advice}");
        }
        if self.reads_stdin && self.tailer.is_stdin_over() {
            self.reads_stdin = false;
            let jobs = self.engine.fleet().len();
            warn!(
                "standard input has ended: {jobs} jobs stay as they were last seen; start the writer and flinktail anew to go on"
            );
        }
    }

    fn publish_if_due(&mut self, more: bool) {
        let waited = self.last_published.elapsed();
        let due = match self.engine.news() {
            _ if self.engine.is_crowded() => true,
            _ if !self.ready => self.last_kept.elapsed() >= BACKLOG_REFRESH,
            _ if more => waited >= BUSY_REFRESH,
            News::Changed => true,
            News::Read | News::None => waited >= self.longest_wait(),
        };
        if due || self.ready != self.published.borrow().stats().ready {
            self.keep_and_publish();
        } else if !self.ready && waited >= READ_REFRESH {
            // How far it is.
            self.publish();
        }
    }

    /// How long the next view may be waited for when no job changes.
    fn longest_wait(&self) -> Duration {
        let is_store_failing = self.keeper.as_ref().is_some_and(Keeper::is_failing);
        if self.engine.news() > News::None || is_store_failing {
            READ_REFRESH
        } else {
            REFRESH
        }
    }

    /// Writes down what is new, then shows it: what was once shown must survive a crash, or counters would fall.
    fn keep_and_publish(&mut self) {
        thread::scope(|scope| {
            if self.ready && self.shown.is_none() && self.keeper.is_some() {
                // All jobs at once, at the end of a catch-up: they are rendered while they are written down.
                let jobs: Vec<Arc<Job>> = self.engine.fleet().shared_jobs().cloned().collect();
                let views = &mut self.views;
                let render = move || jobs.iter().for_each(|job| views.put_if_changed(job));
                // Where no thread is to be had, they are rendered after it.
                let _beside = thread::Builder::new().spawn_scoped(scope, render);
            }
            match &mut self.keeper {
                Some(keeper) if self.engine.is_settled() => {
                    keeper.keep(&mut self.engine, &mut self.tailer, observe::now());
                }
                Some(_) => {}
                // Nobody keeps what was evicted.
                None => drop(self.engine.fleet_mut().take_evicted()),
            }
        });
        self.last_kept = Instant::now();
        self.engine.shown();
        self.publish();
    }

    /// Renders the jobs that changed and hands out a new view. While old content is being read it shows what was kept when
    /// the program was stopped, or no jobs: one of last month is not RUNNING because its end has not been read yet.
    fn publish(&mut self) {
        let fleet = self.engine.fleet();
        if self.ready && self.shown != Some(fleet.version()) {
            self.shown = Some(fleet.version());
            for job in fleet.shared_jobs() {
                self.views.put_if_changed(job);
            }
            self.views.put_others(fleet);
            if fleet.counters().evicted != self.evicted {
                self.evicted = fleet.counters().evicted;
                self.views.retain(|cluster, id| fleet.job(cluster, id).is_some());
            }
        }
        let (counters, mut stats) = if self.ready {
            let counters = self.engine.fleet().counters().clone();
            (counters, self.engine.show(&mut self.tailer))
        } else {
            self.before.clone()
        };
        stats.ready = self.ready;
        stats.backlog = self.tailer.backlog();
        stats.files_closed = self.tailer.files_closed();
        stats.store = self.keeper.as_ref().map(|keeper| keeper.stats().clone());
        let view = self.views.view(counters, stats, observe::now());
        self.published.send_replace(Arc::new(view));
        self.last_published = Instant::now();
    }
}
