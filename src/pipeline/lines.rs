//! Where lines begin and end in a buffer.

use memchr::{memchr, memrchr};

use crate::decode::layout::Layout;

/// Start of the line that holds the byte at `at`, not looking before `floor`.
pub(super) fn line_start(buf: &[u8], at: usize, floor: usize) -> usize {
    memrchr(b'\n', &buf[floor..at]).map_or(floor, |newline| floor + newline + 1)
}

/// End of the line that holds the byte at `at`: just past its newline, or the buffer's end.
pub(super) fn line_end(buf: &[u8], at: usize) -> usize {
    memchr(b'\n', &buf[at..]).map_or(buf.len(), |newline| at + newline + 1)
}

/// A line without its newline.
pub(super) fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// The last line between `from` and `to` (both starts of lines) that is a header.
pub(super) fn last_header(buf: &[u8], from: usize, mut to: usize, layout: &Layout) -> Option<usize> {
    while to > from {
        let start = line_start(buf, to - 1, from);
        if layout.is_header(&buf[start..to]) {
            return Some(start);
        }
        to = start;
    }
    None
}
