//! What was published: one consistent picture of all jobs and of the program, never changed after it is made.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::Settings;
use super::catalog::Fill;
use super::entity::Entity;
use super::families::job::{COMMON, FAMILIES};
use super::others::Others;
use super::render::{Format, Samples, length_with_common, with_common, write_label};
use super::scrape::{Deflated, Measured};
use super::texts::Texts;
use crate::line::JobId;
use crate::model::{Counters, Fleet, Job};
use crate::stats::ProgramStats;

/// A job as it was when it last changed, with its samples rendered, family by family.
#[derive(Debug)]
pub struct RenderedJob {
    job: Arc<Job>,
    hidden_from: Option<Timestamp>,
    /// The labels that all its samples have.
    common: Box<str>,
    /// The samples of each of [`FAMILIES`] without what all of a family have in common. Most jobs are in the same state for
    /// as many reasons: what they have in common with other jobs is held once.
    samples: Box<[Arc<str>]>,
    /// Bytes that [`Self::write_samples`] writes for all families.
    bytes: u64,
}

impl RenderedJob {
    fn new(job: &Arc<Job>, settings: &Settings, texts: &mut Texts) -> Self {
        let mut common = String::new();
        let id = job.id.to_string();
        let values = [&*job.cluster, &id, job.name.as_deref().unwrap_or_default()];
        for (label, value) in FAMILIES[0].labels[..COMMON].iter().zip(values) {
            if !common.is_empty() {
                common.push(',');
            }
            write_label(&mut common, label, value);
        }
        let mut text = String::new();
        let samples = FAMILIES.iter().map(|family| {
            text.clear();
            if let Fill::Job(fill) = family.fill {
                fill(
                    job,
                    settings,
                    &mut Samples::without_common(family, COMMON, &mut text),
                );
            }
            texts.share(&text)
        });
        let samples: Box<[Arc<str>]> = samples.collect();
        let bytes = FAMILIES.iter().zip(&samples);
        Self {
            bytes: bytes
                .map(|(family, samples)| length_with_common(family, samples, &common))
                .sum(),
            samples,
            job: Arc::clone(job),
            hidden_from: settings.retention.hides_from(job),
            common: common.into_boxed_str(),
        }
    }

    /// The job.
    #[must_use]
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// Writes the samples of a family, by its place in [`FAMILIES`].
    pub(super) fn write_samples(&self, family: usize, out: &mut String) {
        with_common(&FAMILIES[family], &self.samples[family], &self.common, out);
    }
}

/// One published picture.
#[derive(Debug)]
pub struct View {
    at: Timestamp,
    jobs: Vec<Arc<RenderedJob>>,
    others: Others,
    counters: Counters,
    stats: ProgramStats,
    settings: Arc<Settings>,
    /// What the first scrape made of it, for each format.
    measured: [OnceLock<Measured>; 2],
    /// The compressed page, made by the first scrape that asks for it; one for each format.
    deflated: [OnceLock<Option<Deflated>>; 2],
}

impl View {
    /// When it was published. Retention is judged at this moment: publish at least every minute, changed or not.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Every job held, by cluster and id.
    #[must_use]
    pub fn jobs(&self) -> &[Arc<RenderedJob>] {
        &self.jobs
    }

    /// One job.
    #[must_use]
    pub fn job(&self, cluster: &str, id: JobId) -> Option<&Job> {
        let key = |rendered: &Arc<RenderedJob>| (&*rendered.job.cluster, rendered.job.id).cmp(&(cluster, id));
        let place = self.jobs.binary_search_by(key).ok()?;
        Some(&self.jobs[place].job)
    }

    /// Every entity that is no Flink job.
    #[must_use]
    pub const fn others(&self) -> &Others {
        &self.others
    }

    /// How many entities of all kinds are held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.jobs.len() + self.others.count()
    }

    /// Everything that the pages show, whatever its kind.
    pub fn entities(&self) -> impl Iterator<Item = &dyn Entity> {
        let jobs = self.jobs.iter().map(|rendered| rendered.job() as &dyn Entity);
        jobs.chain(self.others.entities())
    }

    /// The model's counters.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The program's counters.
    #[must_use]
    pub const fn stats(&self) -> &ProgramStats {
        &self.stats
    }

    /// What the configuration says about showing jobs.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Are the job's series in the metrics, or has it ended too long ago?
    #[must_use]
    pub fn shows(&self, job: &RenderedJob) -> bool {
        job.hidden_from.is_none_or(|from| self.at < from)
    }

    /// Bytes of all families of jobs, on the page of this format.
    pub(super) fn length_of_jobs(&self, format: Format) -> u64 {
        let shown = || self.jobs.iter().filter(|job| self.shows(job));
        let mut header = String::new();
        for (place, family) in FAMILIES.iter().enumerate() {
            if shown().any(|job| !job.samples[place].is_empty()) {
                format.write_header(family, &mut header);
            }
        }
        header.len() as u64 + shown().map(|job| job.bytes).sum::<u64>()
    }

    pub(super) const fn measured(&self, format: Format) -> &OnceLock<Measured> {
        &self.measured[format as usize]
    }

    pub(super) const fn deflated(&self, format: Format) -> &OnceLock<Option<Deflated>> {
        &self.deflated[format as usize]
    }
}

/// Makes views; keeps what was rendered, so that a change costs one job's rendering.
#[derive(Debug)]
pub struct ViewBuilder {
    settings: Arc<Settings>,
    /// By cluster and id: the name of a cluster is held once, and not for each of its jobs.
    jobs: BTreeMap<Arc<str>, BTreeMap<JobId, Arc<RenderedJob>>>,
    texts: Texts,
    others: Others,
}

impl ViewBuilder {
    /// With no jobs yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings: Arc::new(settings),
            jobs: BTreeMap::new(),
            texts: Texts::default(),
            others: Others::default(),
        }
    }

    /// Takes up a job that is new or has changed. Jobs that have not changed need not be given again.
    pub fn put(&mut self, job: &Arc<Job>) {
        let rendered = RenderedJob::new(job, &self.settings, &mut self.texts);
        let cluster = self.jobs.entry(Arc::clone(&job.cluster)).or_default();
        cluster.insert(job.id, Arc::new(rendered));
    }

    /// Takes up a job unless it has been taken up as it is.
    pub fn put_if_changed(&mut self, job: &Arc<Job>) {
        let known = self.jobs.get(&job.cluster).and_then(|jobs| jobs.get(&job.id));
        if known.is_none_or(|rendered| rendered.job().revision != job.revision) {
            self.put(job);
        }
    }

    /// Takes up all entities that are no Flink jobs.
    pub fn put_others(&mut self, fleet: &Fleet) {
        self.others.follow(fleet);
    }

    /// Forgets the jobs that the model has removed: all their series vanish with the next view.
    pub fn retain(&mut self, known: impl Fn(&str, JobId) -> bool) {
        self.jobs.retain(|cluster, jobs| {
            jobs.retain(|id, _| known(cluster, *id));
            !jobs.is_empty()
        });
    }

    /// A view of the jobs put so far. Costs a pointer's copy per job.
    #[must_use]
    pub fn view(&self, counters: Counters, stats: ProgramStats, now: Timestamp) -> View {
        View {
            at: now,
            jobs: self.jobs.values().flat_map(BTreeMap::values).cloned().collect(),
            others: self.others.clone(),
            counters,
            stats,
            settings: Arc::clone(&self.settings),
            measured: [const { OnceLock::new() }; 2],
            deflated: [const { OnceLock::new() }; 2],
        }
    }
}
