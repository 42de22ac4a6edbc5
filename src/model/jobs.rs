//! Flink jobs by their place. Each is shared with whoever shows it, and copied only when it changes under their eyes: most
//! jobs of most moments stay as they are, and are held once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fleet::Key;
use super::job::Job;
use crate::line::JobId;

/// All jobs, in the order of cluster and id. A map in a map: the name of a cluster, which all jobs of a log share, is
/// compared once, and not with every job on the way.
#[derive(Debug, Clone, Default)]
pub(super) struct Jobs {
    clusters: BTreeMap<Arc<str>, BTreeMap<JobId, Arc<Job>>>,
    len: usize,
}

impl Jobs {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn contains_key(&self, key: &Key) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn get(&self, (cluster, id): &Key) -> Option<&Job> {
        self.clusters.get(cluster)?.get(id).map(Arc::as_ref)
    }

    /// A job to be changed: what others hold of it stays as it was.
    pub(super) fn get_mut(&mut self, (cluster, id): &Key) -> Option<&mut Job> {
        self.clusters.get_mut(cluster)?.get_mut(id).map(Arc::make_mut)
    }

    pub(super) fn get_or_insert_with(&mut self, (cluster, id): &Key, new: impl FnOnce() -> Job) -> &mut Job {
        let jobs = self.clusters.entry(Arc::clone(cluster)).or_default();
        let job = jobs.entry(*id).or_insert_with(|| {
            self.len += 1;
            Arc::new(new())
        });
        Arc::make_mut(job)
    }

    pub(super) fn insert(&mut self, (cluster, id): Key, job: Job) {
        let before = self
            .clusters
            .entry(cluster)
            .or_default()
            .insert(id, Arc::new(job));
        self.len += usize::from(before.is_none());
    }

    pub(super) fn remove(&mut self, (cluster, id): &Key) -> Option<Job> {
        let jobs = self.clusters.get_mut(cluster)?;
        let job = jobs.remove(id)?;
        if jobs.is_empty() {
            self.clusters.remove(cluster);
        }
        self.len -= 1;
        Some(Arc::unwrap_or_clone(job))
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Arc<Job>> {
        self.clusters.values().flat_map(BTreeMap::values)
    }

    /// The jobs that have an id, in whichever cluster.
    pub(super) fn with_id(&self, id: JobId) -> impl Iterator<Item = (&Arc<str>, &Job)> {
        self.clusters
            .iter()
            .filter_map(move |(cluster, jobs)| Some((cluster, &**jobs.get(&id)?)))
    }
}
