//! Takes the wanted fields out of a JSON object and skips the rest: no tree is built.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Slot, trace};

/// Where a wanted field stands.
#[derive(Debug, Clone)]
pub(super) struct Path {
    pub slot: Slot,
    pub path: Box<str>,
}

/// A wanted value.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) enum Value<'a> {
    /// Not there, or null.
    #[default]
    Absent,
    Text(Cow<'a, str>),
    Whole(i64),
    Broken(f64),
    /// There, and of a type that no slot takes.
    Other,
}

/// The wanted values of one object.
#[derive(Debug, Default)]
pub(super) struct Values<'a> {
    /// By slot; with the position of the path that it came from, since earlier paths win.
    slots: [(usize, Value<'a>); Slot::ALL.len()],
}

impl<'a> Values<'a> {
    /// `None` where the line is no JSON object.
    pub(super) fn read(paths: &[Path], line: &'a [u8]) -> Option<Self> {
        let mut values = Self::default();
        let mut json = serde_json::Deserializer::from_slice(line);
        let active = Active {
            wanted: !0 >> (64 - paths.len().min(64)),
            consumed: 0,
        };
        Object {
            paths,
            active,
            values: &mut values,
        }
        .deserialize(&mut json)
        .ok()?;
        json.end().ok().map(|()| values)
    }

    pub(super) fn get(&self, slot: Slot) -> &Value<'a> {
        &self.slots[slot as usize].1
    }

    pub(super) fn has(&self, slot: Slot) -> bool {
        *self.get(slot) != Value::Absent
    }

    pub(super) fn text(&self, slot: Slot) -> Option<&Cow<'a, str>> {
        match self.get(slot) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Keeps the value of the earliest path, and of a key written twice the first: what is appended to an object by a
    /// message that was printed without escaping must not replace what the layout wrote.
    fn put(&mut self, slot: Slot, rank: usize, value: Value<'a>) {
        let held = &mut self.slots[slot as usize];
        if value != Value::Absent && (held.1 == Value::Absent || rank < held.0) {
            *held = (rank, value);
        }
    }
}

/// The paths that go on below the object at hand: bits of their positions, and how much of each lies above it. All of
/// them have the same text above, since they came by the same keys.
#[derive(Clone, Copy)]
struct Active {
    wanted: u64,
    consumed: usize,
}

impl Active {
    fn paths(self, paths: &[Path]) -> impl Iterator<Item = (usize, &str)> {
        paths
            .iter()
            .enumerate()
            .filter(move |(index, _)| self.wanted >> index & 1 == 1)
            .map(move |(index, path)| (index, &path.path[self.consumed..]))
    }
}

/// An object, or what stands where one was looked for.
struct Object<'p, 'v, 'a> {
    paths: &'p [Path],
    active: Active,
    values: &'v mut Values<'a>,
}

impl<'a> DeserializeSeed<'a> for Object<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Object<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let Self {
            paths,
            active,
            values,
        } = self;
        while let Some(next) = map.next_key_seed(Key { paths, active })? {
            match next {
                Next::Skip => drop(map.next_value::<IgnoredAny>()?),
                Next::Take(here) => {
                    let wanted = || (0..paths.len()).filter(|index| here >> index & 1 == 1);
                    let value = if wanted().all(|index| paths[index].slot == Slot::CauseText) {
                        trace::first_line(map.next_value()?)
                    } else {
                        map.next_value_seed(Scalar {
                            paths,
                            below: None,
                            values,
                        })?
                    };
                    wanted().for_each(|index| values.put(paths[index].slot, index, value.clone()));
                }
                Next::Enter(below) => {
                    map.next_value_seed(Scalar {
                        paths,
                        below: Some(below),
                        values,
                    })?;
                }
            }
        }
        Ok(())
    }
}

/// What to do with the value of a key.
enum Next {
    Skip,
    /// Bits of the paths that end here.
    Take(u64),
    Enter(Active),
}

/// Reads a key, compares it with the active paths, and forgets it.
struct Key<'p> {
    paths: &'p [Path],
    active: Active,
}

impl<'a> DeserializeSeed<'a> for Key<'_> {
    type Value = Next;

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<Next, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Next;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Next, E> {
        let (mut here, mut below) = (0, 0);
        for (index, rest) in self.active.paths(self.paths) {
            match rest.strip_prefix(key) {
                Some("") => here |= 1 << index,
                Some(tail) if tail.starts_with('.') => below |= 1 << index,
                _ => {}
            }
        }
        // A key is either a wanted value or leads to some; a layout that wants both gets the value.
        Ok(match (here, below) {
            (0, 0) => Next::Skip,
            (0, wanted) => Next::Enter(Active {
                wanted,
                consumed: self.active.consumed + key.len() + 1,
            }),
            (here, _) => Next::Take(here),
        })
    }
}

/// A value of any type: a scalar is returned, an object entered where paths go on below it.
struct Scalar<'p, 'v, 'a> {
    paths: &'p [Path],
    below: Option<Active>,
    values: &'v mut Values<'a>,
}

impl<'a> DeserializeSeed<'a> for Scalar<'_, '_, 'a> {
    type Value = Value<'a>;

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<Value<'a>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Scalar<'_, '_, 'a> {
    type Value = Value<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<Value<'a>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value<'a>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value<'a>, E> {
        Ok(Value::Whole(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value<'a>, E> {
        Ok(i64::try_from(number).map_or(Value::Other, Value::Whole))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value<'a>, E> {
        Ok(Value::Broken(number))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Value<'a>, E> {
        Ok(Value::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Value<'a>, E> {
        Ok(Value::Absent)
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Value<'a>, A::Error> {
        if let Some(active) = self.below {
            Object {
                paths: self.paths,
                active,
                values: self.values,
            }
            .visit_map(map)?;
        } else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        }
        Ok(Value::Other)
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Value<'a>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}
