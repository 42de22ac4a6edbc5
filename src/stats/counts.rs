//! Counts by kind, of kinds that most logs never see.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

/// How often each kind of thing happened, of the kinds that did: a map, for which a log that was spared holds a pointer's
/// size and nothing more. There may be thousands of logs, and each is held by the tailer and by the view, which share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Counts<K>(Option<Arc<BTreeMap<K, u64>>>);

impl<K: Ord + Clone> Counts<K> {
    /// Counts so many more; where that is none, the kind stays unseen.
    pub fn add(&mut self, kind: K, count: u64) {
        if count > 0 {
            let counts = Arc::make_mut(self.0.get_or_insert_default());
            *counts.entry(kind).or_default() += count;
        }
    }
}

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(None)
    }
}

impl<K> Deref for Counts<K> {
    type Target = BTreeMap<K, u64>;

    fn deref(&self) -> &Self::Target {
        self.0.as_deref().unwrap_or(const { &BTreeMap::new() })
    }
}

impl<K: Ord + Clone> FromIterator<(K, u64)> for Counts<K> {
    fn from_iter<I: IntoIterator<Item = (K, u64)>>(counts: I) -> Self {
        let mut all = Self::default();
        for (kind, count) in counts {
            all.add(kind, count);
        }
        all
    }
}

impl<K: Ord + Clone, const N: usize> From<[(K, u64); N]> for Counts<K> {
    fn from(counts: [(K, u64); N]) -> Self {
        counts.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn what_never_happened_is_held_by_nothing() {
        let mut counts = Counts::from([("a", 0)]);
        assert_eq!((counts.get("a"), counts.len()), (None, 0));
        assert_eq!(counts, Counts::default());
        assert_eq!(size_of_val(&counts), size_of::<usize>());
        counts.add("b", 2);
        counts.add("b", 3);
        assert_eq!(counts, Counts::from([("b", 5)]));
        assert_eq!(counts.values().sum::<u64>(), 5);
    }
}
