//! The ids of events that told something: what comes again, by whatever carrier and in whatever file, counts once.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Ids kept: deliveries are repeated within hours, and few events tell something. 8 bytes each, twice.
const MOST: usize = 1 << 16;

/// The ids of all logs; copies share them.
#[derive(Debug, Clone, Default)]
pub struct EventIds(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    ids: HashSet<u64>,
    /// The oldest first.
    order: VecDeque<u64>,
}

impl EventIds {
    /// Whether one of these was seen before.
    #[must_use]
    pub fn knows_any(&self, ids: &[u64]) -> bool {
        !ids.is_empty() && {
            let known = self.lock();
            ids.iter().any(|id| known.ids.contains(id))
        }
    }

    /// Keeps these, and forgets the oldest beyond the bound.
    pub fn add(&self, ids: &[u64]) {
        let mut known = self.lock();
        for id in ids {
            if known.ids.insert(*id) {
                known.order.push_back(*id);
            }
        }
        while known.order.len() > MOST {
            if let Some(oldest) = known.order.pop_front() {
                known.ids.remove(&oldest);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Whoever panicked left a set of ids all the same.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{EventIds, MOST};

    #[test]
    fn copies_share_what_they_know_and_forget_the_oldest() {
        let ids = EventIds::default();
        let copy = ids.clone();
        assert!(!copy.knows_any(&[1]) && !copy.knows_any(&[]));
        ids.add(&[1, 2]);
        assert!(copy.knows_any(&[7, 2]));
        for id in 0..MOST as u64 {
            ids.add(&[id + 10]);
        }
        assert!(!copy.knows_any(&[1, 2]) && copy.knows_any(&[10]));
    }
}
