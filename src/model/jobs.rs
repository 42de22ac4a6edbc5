//! Flink jobs by their place. Each is shared with whoever shows it, and copied only when it changes under their eyes: most
//! jobs of most moments stay as they are, and are held once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fleet::Key;
use super::job::Job;
use crate::line::JobId;

/// All jobs, in the order of cluster and id. A map in a map: the name of a cluster, which all jobs of a log share, is
/// compared once, and not with every job on the way.
///
/// One line is told of a job in a dozen steps, each of which asks for it: so the jobs lie in a table, and the place of the
/// one asked for last is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Jobs {
    clusters: BTreeMap<Arc<str>, BTreeMap<Number, usize>>,
    /// None where a job was removed, until another takes its place.
    table: Vec<Option<Arc<Job>>>,
    free: Vec<usize>,
    last: Option<(Key, usize)>,
}

/// A job's id as a number, in the same order: two are compared in three instructions, their bytes in a call.
type Number = u128;

const fn number(id: JobId) -> Number {
    Number::from_be_bytes(id.0)
}

impl Jobs {
    pub(super) const fn len(&self) -> usize {
        self.table.len() - self.free.len()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn contains_key(&self, key: &Key) -> bool {
        self.place(key).is_some()
    }

    /// A job that is asked for again.
    pub(super) fn find(&mut self, key: &Key) -> Option<&Job> {
        let place = self.place(key)?;
        self.recall(key, place);
        self.at(place).map(Arc::as_ref)
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Job> {
        self.at(self.place(key)?).map(Arc::as_ref)
    }

    /// A job to be changed: what others hold of it stays as it was.
    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut Job> {
        let place = self.place(key)?;
        self.touch(key, place)
    }

    pub(super) fn get_or_insert_with(&mut self, key: &Key, new: impl FnOnce() -> Job) -> Option<&mut Job> {
        let place = match self.place(key) {
            Some(place) => place,
            None => self.add(key, new()),
        };
        self.touch(key, place)
    }

    pub(super) fn insert(&mut self, key: &Key, job: Job) {
        match self.place(key) {
            Some(place) => self.table[place] = Some(Arc::new(job)),
            None => {
                self.add(key, job);
            }
        }
    }

    pub(super) fn remove(&mut self, (cluster, id): &Key) -> Option<Job> {
        self.last = None;
        let jobs = self.clusters.get_mut(cluster)?;
        let place = jobs.remove(&number(*id))?;
        if jobs.is_empty() {
            self.clusters.remove(cluster);
        }
        self.free.push(place);
        self.table[place].take().map(Arc::unwrap_or_clone)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Arc<Job>> {
        let places = self.clusters.values().flat_map(BTreeMap::values);
        places.filter_map(|place| self.at(*place))
    }

    /// The jobs that have an id, in whichever cluster.
    pub(super) fn with_id(&self, id: JobId) -> impl Iterator<Item = (&Arc<str>, &Job)> {
        let id = number(id);
        self.clusters
            .iter()
            .filter_map(move |(cluster, jobs)| Some((cluster, &**self.at(*jobs.get(&id)?)?)))
    }

    fn place(&self, key: &Key) -> Option<usize> {
        match &self.last {
            // The ids first: they tell jobs apart. The jobs of a log share the name of their cluster.
            Some((last, place)) if last.1 == key.1 && (Arc::ptr_eq(&last.0, &key.0) || last.0 == key.0) => {
                Some(*place)
            }
            _ => self.clusters.get(&key.0)?.get(&number(key.1)).copied(),
        }
    }

    fn at(&self, place: usize) -> Option<&Arc<Job>> {
        self.table.get(place)?.as_ref()
    }

    /// The job at a place, to be changed; it is likely to be asked for again.
    fn touch(&mut self, key: &Key, place: usize) -> Option<&mut Job> {
        self.recall(key, place);
        self.table.get_mut(place)?.as_mut().map(Arc::make_mut)
    }

    fn recall(&mut self, key: &Key, place: usize) {
        match &mut self.last {
            // Most often it is another job of the same log: what counts who holds the name need not be touched.
            Some((last, last_place)) if Arc::ptr_eq(&last.0, &key.0) => {
                (last.1, *last_place) = (key.1, place);
            }
            _ => self.last = Some((key.clone(), place)),
        }
    }

    fn add(&mut self, (cluster, id): &Key, job: Job) -> usize {
        let place = self.free.pop().unwrap_or(self.table.len());
        if place == self.table.len() {
            self.table.push(None);
        }
        self.table[place] = Some(Arc::new(job));
        self.clusters
            .entry(Arc::clone(cluster))
            .or_default()
            .insert(number(*id), place);
        place
    }
}
