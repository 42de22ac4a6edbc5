//! Who is connected, and who makes way when there are too many.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::expose::telemetry::Dropped;

/// One connection's place among [`super::Limits::connections`].
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// Answers under way.
    pub(super) answering: Arc<AtomicUsize>,
    /// Tells the connection to end at once. A connection that has ended cancels it itself.
    pub(super) cut: CancellationToken,
}

/// The places in use, on all addresses together.
#[derive(Debug)]
pub(super) struct Crowd {
    limit: usize,
    /// Oldest first.
    open: Mutex<VecDeque<Place>>,
}

impl Crowd {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            limit,
            open: Mutex::new(VecDeque::new()),
        }
    }

    /// A place for a new connection; where all are taken, that of the oldest which only waits. None if all are at work.
    /// With it: whether somebody was dropped.
    pub(super) fn admit(&self) -> (Option<Place>, Option<Dropped>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|place| !place.cut.is_cancelled());
        let mut dropped = None;
        if open.len() >= self.limit {
            let waits = |place: &Place| place.answering.load(Ordering::Relaxed) == 0;
            let Some(waiting) = open.iter().position(waits).and_then(|index| open.remove(index)) else {
                return (None, Some(Dropped::Refused));
            };
            waiting.cut.cancel();
            dropped = Some(Dropped::Displaced);
        }
        let place = Place::default();
        open.push_back(place.clone());
        (Some(place), dropped)
    }

    pub(super) fn cut_all(&self) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.iter().for_each(|place| place.cut.cancel());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_waiting_makes_way_and_who_is_answered_does_not() {
        let crowd = Crowd::new(2);
        let (first, _) = crowd.admit();
        let (second, _) = crowd.admit();
        let (first, second) = (first.unwrap(), second.unwrap());
        first.answering.fetch_add(1, Ordering::Relaxed);
        let (third, dropped) = crowd.admit();
        let third = third.unwrap();
        assert_eq!(dropped, Some(Dropped::Displaced));
        assert!(second.cut.is_cancelled() && !first.cut.is_cancelled());
        third.answering.fetch_add(1, Ordering::Relaxed);
        assert!(matches!(crowd.admit(), (None, Some(Dropped::Refused))));
        first.cut.cancel();
        assert!(matches!(crowd.admit(), (Some(_), None)));
    }
}
