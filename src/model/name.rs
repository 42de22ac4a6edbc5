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
        Self(Text::short(name.as_bytes()).unwrap_or_else(|| Text::Long(name.into())))
    }
}

impl Name {
    /// A name as it was printed: what is not UTF-8 of it becomes U+FFFD.
    #[must_use]
    pub fn lossy(bytes: &[u8]) -> Self {
        // Nearly all are ASCII, and all of it is text. So few bytes are looked at quicker than by `[u8]::is_ascii`.
        let is_ascii = bytes.iter().fold(0, |all, byte| all | byte).is_ascii();
        match Text::short(bytes).filter(|_| is_ascii) {
            Some(short) => Self(short),
            None => String::from_utf8_lossy(bytes).as_ref().into(),
        }
    }

    /// The name as UTF-8, at hand without a look at it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Text::Short(len, bytes) => bytes.split_at(*len as usize).0,
            Text::Long(name) => name.as_bytes(),
        }
    }
}

impl Text {
    fn short(text: &[u8]) -> Option<Self> {
        let len = u8::try_from(text.len()).ok()?;
        let mut bytes = [0; SHORT];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(Self::Short(len, bytes))
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            // It was a text when it came, so that it is one.
            Text::Short(..) => std::str::from_utf8(self.as_bytes()).unwrap_or_default(),
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
                for name in [Name::from(text.as_str()), Name::lossy(text.as_bytes())] {
                    assert_eq!(&*name, text);
                    assert_eq!(name.as_bytes(), text.as_bytes());
                }
            }
        }
    }

    #[test]
    fn what_is_no_text_in_a_name_is_marked() {
        for (printed, name) in [
            (&b"caf\xE9"[..], "caf\u{FFFD}"),
            (&[0xFF; SHORT][..], &"\u{FFFD}".repeat(SHORT)),
        ] {
            assert_eq!(&*Name::lossy(printed), name);
        }
    }
}
