//! Which entities a page shows, in which order: read from its address, so that it works without scripts and can be
//! sent to somebody.

use std::cmp::{Ordering, Reverse};

use jiff::Timestamp;

use super::words::Attention;
use crate::expose::entity::Entity;
use crate::expose::query::percent_decoded;
use crate::expose::render::put;

/// Rows on a page of a table.
pub(super) const ROWS: usize = 100;

/// What an address asks for; what it does not name is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Choice {
    pairs: Vec<(String, String)>,
}

impl Choice {
    /// Reads a URL's query. What a page does not know is passed over: addresses are also written by hand.
    pub(super) fn parse(query: &str) -> Self {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let pairs = pairs
            .map(|(name, value)| (percent_decoded(name), percent_decoded(value)))
            .filter(|(_, value)| !value.is_empty());
        Self {
            pairs: pairs.collect(),
        }
    }

    /// The last value given.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Is this asked for, or nothing of that name?
    pub(super) fn admits(&self, name: &str, value: &str) -> bool {
        self.get(name).is_none_or(|asked| asked == value)
    }

    /// Which page of the table, from 1.
    pub(super) fn page(&self) -> usize {
        self.get("page")
            .and_then(|page| page.parse().ok())
            .unwrap_or(1)
            .max(1)
    }

    /// The address that asks for the same but for one thing; an empty value asks for none. Without the table's page,
    /// which would be another's.
    pub(super) fn with(&self, name: &str, value: &str) -> String {
        let kept = self
            .pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let kept = kept.filter(|(known, _)| ![name, "page"].contains(known));
        address("", kept.chain([(name, value)]))
    }
}

/// A relative address with a query; pairs without a value are left out.
pub(super) fn address<'a>(path: &str, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = path.to_owned();
    let mut separator = '?';
    for (name, value) in pairs.filter(|(_, value)| !value.is_empty()) {
        out.push(separator);
        encode(&mut out, name);
        out.push('=');
        encode(&mut out, value);
        separator = '&';
    }
    // An empty address would be that of the present page, query included.
    if out.is_empty() {
        out.push_str("./");
    }
    out
}

fn encode(out: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            put(out, format_args!("%{byte:02X}"));
        }
    }
}

/// What a table can be sorted by, as in its address: `-` before it turns the order around.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Name,
    Cluster,
    State,
    Since,
    Restarts,
}

impl Column {
    pub(super) const ALL: [Self; 5] = [
        Self::Name,
        Self::Cluster,
        Self::State,
        Self::Since,
        Self::Restarts,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Cluster => "cluster",
            Self::State => "state",
            Self::Since => "since",
            Self::Restarts => "restarts",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Cluster => "Cluster",
            Self::State => "State",
            Self::Since => "Since",
            Self::Restarts => "Restarts",
        }
    }

    /// The column asked for, and whether its order is turned around.
    pub(super) fn asked(choice: &Choice) -> Option<(Self, bool)> {
        let asked = choice.get("sort")?;
        let (name, turned) = asked
            .strip_prefix('-')
            .map_or((asked, false), |name| (name, true));
        let found = Self::ALL.into_iter().find(|column| column.name() == name);
        found.map(|column| (column, turned))
    }

    fn compare(self, one: &dyn Entity, other: &dyn Entity) -> Ordering {
        match self {
            Self::Name => one.name().cmp(&other.name()),
            Self::Cluster => one.labels().cmp(&other.labels()),
            Self::State => one.state().cmp(other.state()),
            Self::Since => one.since().cmp(&other.since()),
            Self::Restarts => restarts(one).cmp(&restarts(other)),
        }
    }
}

/// All restarts; none where the kind counts none.
pub(super) fn restarts(entity: &dyn Entity) -> Option<u64> {
    let counted = entity.restarts()?;
    Some(counted.iter().map(|(_, count)| count).sum())
}

/// An entity with how urgent it is.
pub(super) type Judged<'a> = (Attention, &'a dyn Entity);

/// Those that an address asks for.
pub(super) fn choose<'a>(all: &[Judged<'a>], choice: &Choice) -> Vec<Judged<'a>> {
    let words = choice.get("q").unwrap_or_default().to_lowercase();
    let mut chosen: Vec<_> = all
        .iter()
        .copied()
        .filter(|(attention, entity)| {
            choice.admits("show", attention.name())
                && choice.admits("state", entity.state())
                && choice.admits("kind", entity.kind())
                && entity
                    .labels()
                    .iter()
                    .all(|(label, value)| choice.admits(label, value))
                && (words.is_empty() || mentions(*entity, &words))
        })
        .collect();
    match Column::asked(choice) {
        None => chosen.sort_by_cached_key(|judged| urgency(*judged)),
        Some((column, false)) => chosen.sort_by(|one, other| column.compare(one.1, other.1)),
        Some((column, true)) => chosen.sort_by(|one, other| column.compare(other.1, one.1)),
    }
    chosen
}

fn mentions(entity: &dyn Entity, words: &str) -> bool {
    let holds = |text: &str| text.to_lowercase().contains(words);
    entity.name().is_some_and(holds)
        || holds(&entity.id())
        || entity.labels().iter().any(|(_, value)| holds(value))
        || entity
            .failure()
            .is_some_and(|failure| holds(&failure.cause.class))
}

/// What needs eyes first; there, what has waited longest; of what has ended, the latest.
fn urgency((attention, entity): Judged<'_>) -> (Attention, Result<Timestamp, Reverse<Timestamp>>) {
    let since = entity.since();
    let latest_first = matches!(attention, Attention::Failed | Attention::Ended);
    let order = if latest_first {
        Err(Reverse(since))
    } else {
        Ok(since)
    };
    (attention, order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_what_was_asked_for_and_survives_any_text() {
        let hostile = "a&b=c #\"<é\u{202e}%";
        let first = Choice::default().with("q", hostile);
        assert!(
            first.is_ascii() && !first.contains(['"', '<', '#', ' ']),
            "{first}"
        );
        let choice = Choice::parse(first.trim_start_matches('?'));
        assert_eq!(choice.get("q"), Some(hostile));
        let next = choice.with("page", "3");
        let choice = Choice::parse(next.trim_start_matches('?'));
        assert_eq!((choice.get("q"), choice.page()), (Some(hostile), 3));
        assert_eq!(
            Choice::parse("page=3&q=x").with("show", "stuck"),
            "?q=x&show=stuck"
        );
        assert_eq!(Choice::parse("q=x").with("q", ""), "./");
    }

    #[test]
    fn what_makes_no_sense_in_an_address_is_passed_over() {
        let choice = Choice::parse("page=-1&sort=colour&=&&x&q=%zz");
        assert_eq!((choice.page(), Column::asked(&choice)), (1, None));
        assert_eq!(choice.get("q"), Some("%zz"));
    }
}
