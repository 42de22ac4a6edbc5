//! Flink jobs by their place. Each is shared with whoever shows it, and copied only when it changes under their eyes: most
//! jobs of most moments stay as they are, and are held once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fleet::Key;
use super::job::Job;

/// All jobs, in the order of cluster and id.
#[derive(Debug, Clone, Default)]
pub(super) struct Jobs(BTreeMap<Key, Arc<Job>>);

impl Jobs {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains_key(&self, key: &Key) -> bool {
        self.0.contains_key(key)
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Job> {
        self.0.get(key).map(Arc::as_ref)
    }

    /// A job to be changed: what others hold of it stays as it was.
    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut Job> {
        self.0.get_mut(key).map(Arc::make_mut)
    }

    pub(super) fn get_or_insert_with(&mut self, key: &Key, new: impl FnOnce() -> Job) -> &mut Job {
        let job = self.0.entry(key.clone()).or_insert_with(|| Arc::new(new()));
        Arc::make_mut(job)
    }

    pub(super) fn insert(&mut self, key: Key, job: Job) {
        self.0.insert(key, Arc::new(job));
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Job> {
        self.0.remove(key).map(Arc::unwrap_or_clone)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Arc<Job>> {
        self.0.values()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &Job)> {
        self.0.iter().map(|(key, job)| (key, &**job))
    }
}
