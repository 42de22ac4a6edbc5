//! What is wrong with a rule, layout or configuration file, and where: the one form in which every check reports.

use std::fmt;

/// One mistake in one file, at a place an editor can jump to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file as the user named it, or a built-in's path in the repository.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// What is wrong and, where it helps, what would be right.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)
    }
}

/// Line and column, both counted from 1, of a byte of a text; of its end when the offset lies behind it.
#[must_use]
pub fn locate(text: &str, byte_offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..byte_offset.min(text.len())];
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    // A continuation byte of UTF-8 (0b10xx_xxxx) is part of the character before it.
    let column = before[line_start..].iter().filter(|byte| **byte & 0xC0 != 0x80).count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::{Problem, locate};

    #[test]
    fn places_are_counted_from_one_in_characters() {
        for (text, offset, place) in [
            ("", 0, (1, 1)),
            ("ab", 1, (1, 2)),
            ("a\nb", 2, (2, 1)),
            ("a\nüb", 4, (2, 2)),
            ("a\n", 99, (2, 1)),
        ] {
            assert_eq!(locate(text, offset), place, "{text:?} at {offset}");
        }
    }

    #[test]
    fn a_problem_prints_as_editors_read_it() {
        let problem =
            Problem { file: "rules/x.toml".into(), line: 3, column: 7, message: "no such key".into() };
        assert_eq!(problem.to_string(), "rules/x.toml:3:7: no such key");
    }
}
