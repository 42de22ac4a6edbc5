//! Texts of which many are alike, each held once: what most jobs of a fleet show differs in few bytes.

use std::collections::HashSet;
use std::sync::Arc;

/// Texts in use. One that nobody else holds any more is dropped at the next sweep.
#[derive(Debug, Default)]
pub(super) struct Texts {
    known: HashSet<Arc<str>>,
    /// How many there were after the last sweep.
    swept: usize,
}

/// Fewer are not worth a sweep.
const FEW: usize = 1024;

impl Texts {
    /// The text as all share it.
    pub(super) fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.known.get(text) {
            return Arc::clone(known);
        }
        // Once there are twice as many, so that a sweep costs each text that came since a constant.
        if self.known.len() >= (2 * self.swept).max(FEW) {
            self.known.retain(|known| Arc::strong_count(known) > 1);
            self.swept = self.known.len();
        }
        let new: Arc<str> = Arc::from(text);
        self.known.insert(Arc::clone(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use super::{FEW, Texts};
    use std::sync::Arc;

    #[test]
    fn equal_texts_are_one() {
        let mut texts = Texts::default();
        let (one, other) = (texts.share("RUNNING"), texts.share("RUNNING"));
        assert!(Arc::ptr_eq(&one, &other));
        assert_ne!(one, texts.share("FAILED"));
    }

    #[test]
    fn texts_that_nobody_holds_any_more_do_not_pile_up() {
        let mut texts = Texts::default();
        let held: Vec<Arc<str>> = (0..FEW).map(|n| texts.share(&format!("held {n}"))).collect();
        for n in 0..20 * FEW {
            texts.share(&format!("passing {n}"));
            assert!(texts.known.len() <= 2 * FEW);
        }
        assert!(held.iter().all(|text| texts.known.contains(text)));
    }
}
