//! A job's name as an event carries it. Most are short and lie in the event itself: a text on the heap costs the core that
//! makes the event 300 instructions more, and the one that applies it 130, of 6,400 for a transition (callgrind).

use std::fmt;
use std::ops::Deref;

/// Longest name that lies in the event, bytes: with a job's id and two states it needs no more room than the largest of the
/// other events, [`Event::ApplicationError`](super::event::Event::ApplicationError).
const SHORT: usize = 38;

/// A job's name, of any length.
#[derive(Clone, PartialEq, Eq)]
pub struct Name(Text);

#[derive(Clone, PartialEq, Eq)]
enum Text {
    /// So many of these bytes; the others are 0.
    Short(u8, [u8; SHORT]),
    Long(Box<str>),
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        let mut bytes = [0; SHORT];
        Self(match (bytes.get_mut(..name.len()), u8::try_from(name.len())) {
            (Some(room), Ok(len)) => {
                room.copy_from_slice(name.as_bytes());
                Text::Short(len, bytes)
            }
            _ => Text::Long(name.into()),
        })
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            // It was a text when it came, so that it is one.
            Text::Short(len, bytes) => std::str::from_utf8(&bytes[..usize::from(*len)]).unwrap_or_default(),
            Text::Long(name) => name,
        }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Name, SHORT};

    #[test]
    fn a_name_is_what_it_was_made_of_whatever_its_length() {
        for len in [0, 1, SHORT - 1, SHORT, SHORT + 1, 300] {
            for letter in ["x", "ü", "\0"] {
                let text = letter.repeat(len);
                assert_eq!(&*Name::from(text.as_str()), text);
            }
        }
    }
}
