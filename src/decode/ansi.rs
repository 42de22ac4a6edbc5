//! Colours on the console: `%highlight` and its kin put terminal escapes between the fields.

use std::borrow::Cow;

const ESCAPE: u8 = 0x1b;

/// The text without `ESC [ … m`; borrowed when it has no escape at all, which is the common case.
pub(super) fn strip(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(mut next) = memchr::memchr(ESCAPE, text) else {
        return Cow::Borrowed(text);
    };
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        plain.extend_from_slice(&rest[..next]);
        let after = colour_len(&rest[next..]);
        // An escape of another kind is part of the text.
        plain.extend_from_slice(&rest[next..next + usize::from(after == 0)]);
        rest = &rest[next + after.max(1)..];
        match memchr::memchr(ESCAPE, rest) {
            Some(found) => next = found,
            None => break,
        }
    }
    plain.extend_from_slice(rest);
    Cow::Owned(plain)
}

/// Length of the colour sequence (`ESC [ 0-9;* m`) that the text begins with, 0 if none.
fn colour_len(text: &[u8]) -> usize {
    let Some(body) = text.strip_prefix(b"\x1b[") else {
        return 0;
    };
    match body.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b';')) {
        Some(end) if body[end] == b'm' => end + 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::strip;

    #[test]
    fn colours_go_and_everything_else_stays() {
        for (text, plain) in [
            ("plain", "plain"),
            ("\x1b[2mdim\x1b[m", "dim"),
            ("a\x1b[1;31mb\x1b[0mc", "abc"),
            ("\x1b[2J\x1b", "\x1b[2J\x1b"),
            ("\x1b\x1b[32mx", "\x1bx"),
            ("cut \x1b[3", "cut \x1b[3"),
        ] {
            assert_eq!(strip(text.as_bytes()), plain.as_bytes(), "{text:?}");
        }
    }
}
