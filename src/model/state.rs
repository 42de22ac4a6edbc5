//! What the states of all kinds of entities have in common.

pub use super::flink_job::Class;

/// A closed set of states, one for each kind of entity; its table stands in the module of that kind.
pub trait State: Copy + Eq + Ord + 'static {
    /// The kind of entity: the `entity` and `kind` labels, and `kind` in JSON.
    const KIND: &'static str;
    /// Every state, UNKNOWN last. The position is the value of `flinktail_state_code`.
    const ALL: &'static [Self];
    /// Nobody can tell.
    const UNKNOWN: Self;

    /// As whoever names the state writes it.
    fn name(self) -> &'static str;

    /// What the state means to an operator.
    fn class(self) -> Class;

    /// Its place in [`State::ALL`].
    fn index(self) -> usize {
        Self::ALL.iter().position(|state| *state == self).unwrap_or(0)
    }

    /// The state of this name, in any letter case and UNKNOWN included.
    #[must_use]
    fn named(name: &str) -> Option<Self> {
        let states = Self::ALL.iter().copied();
        states
            .into_iter()
            .find(|state| state.name().eq_ignore_ascii_case(name))
    }

    /// A word that a service, a platform or an operator wrote, in any letter case. UNKNOWN is nobody's word for a state:
    /// it says that there is nothing to tell.
    #[must_use]
    fn read(word: &str) -> Option<Self> {
        Self::named(word).filter(|state| *state != Self::UNKNOWN)
    }
}
