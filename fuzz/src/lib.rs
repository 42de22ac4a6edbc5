//! What is fuzzed: one plain function for each target, which panics where a promise is broken.
//!
//! libFuzzer calls them (`fuzz_targets/`), and so does the program's own test suite (`tests/it/fuzz.rs`), with random
//! edits of the same seeds and with every input that is kept in `corpus/` and `crashes/`.

pub mod edge;
pub mod log;
pub mod seeds;
pub mod text;
pub mod wording;

use std::sync::{Arc, LazyLock};

use flinktail::pipeline::Wording;

/// A target's name (of its file in `fuzz_targets/` and of its folders in `corpus/` and `crashes/`) and what it runs.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("lines", text::lines),
    ("layouts", text::layouts),
    ("patterns", text::patterns),
    ("wrappers", text::wrappers),
    ("rules", wording::rules),
    ("wording_files", wording::files),
    ("pipeline", log::pipeline),
    ("http", edge::http),
    ("configuration", edge::configuration),
    ("store", edge::store),
];

/// What is built in.
fn wording() -> &'static Arc<Wording> {
    static WORDING: LazyLock<Arc<Wording>> =
        LazyLock::new(|| Arc::new(flinktail::app::wording(None).unwrap()));
    &WORDING
}

/// The first byte, to choose by, and the rest.
fn choice(data: &[u8]) -> (usize, &[u8]) {
    data.split_first()
        .map_or((0, data), |(first, rest)| (usize::from(*first), rest))
}
