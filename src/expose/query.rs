//! What a URL's query asks for.

use crate::model::Storied;
use crate::model::state::State as _;

/// Which entities are asked for: `?kind=flink_job&state=FAILED&cluster=prod-1`, all of them optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    kind: Option<String>,
    state: Option<String>,
    cluster: Option<String>,
}

impl Filter {
    /// Reads a URL's query. The error, for people, names the first parameter that is not known.
    pub fn parse(query: &str) -> Result<Self, String> {
        let mut filter = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let place = match name {
                "kind" => &mut filter.kind,
                "state" => &mut filter.state,
                "cluster" => &mut filter.cluster,
                _ => {
                    return Err(format!(
                        "no parameter {name:?}; there are kind, state and cluster"
                    ));
                }
            };
            *place = Some(percent_decoded(value));
        }
        Ok(filter)
    }

    /// Whether an entity other than a job is asked for.
    pub(super) fn admits<E: Storied>(&self, entity: &E) -> bool {
        self.is_asked(E::State::KIND, entity.story().state.name(), None)
    }

    /// Whether an entity of this kind, state and cluster is asked for.
    pub(super) fn is_asked(&self, kind: &str, state: &str, cluster: Option<&str>) -> bool {
        let is = |asked: &Option<String>, actual: Option<&str>| asked.is_none() || asked.as_deref() == actual;
        is(&self.kind, Some(kind)) && is(&self.state, Some(state)) && is(&self.cluster, cluster)
    }
}

/// `%2F` and `+` of a query's value undone; what is no valid escape stays as it is.
pub(super) fn percent_decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = after.get(..2).filter(|_| *first == b'%').and_then(hex_byte);
        rest = if escaped.is_some() { &after[2..] } else { after };
        bytes.push(escaped.unwrap_or(if *first == b'+' { b' ' } else { *first }));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    // `from_str_radix` would take a sign.
    let text = std::str::from_utf8(digits)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u8::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_parameter_is_named() {
        assert!(Filter::parse("stat=RUNNING").unwrap_err().contains("stat"));
    }

    #[test]
    fn escapes_are_undone_and_what_is_none_stays() {
        for (value, expected) in [
            ("k8s%2Feu+west", "k8s/eu west"),
            ("100%", "100%"),
            ("%+1%zz", "% 1%zz"),
            ("%ff", "\u{fffd}"),
        ] {
            assert_eq!(percent_decoded(value), expected);
        }
    }
}
