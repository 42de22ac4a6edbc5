//! The fuzz targets without a fuzzer: every input that is kept, and random edits of the seeds.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proptest::prelude::*;

use self::targets::{TARGETS, seeds};

#[path = "../../fuzz/src/lib.rs"]
mod targets;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The inputs that are kept for a target: what a fuzzer found interesting, and what once broke it.
fn kept(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folders = ["corpus", "crashes"].map(|folder| fuzz().join(folder).join(target));
    let entries = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten();
    let read = |path: PathBuf| (path.clone(), fs::read(path).unwrap());
    entries.map(|entry| read(entry.unwrap().path())).collect()
}

/// What random inputs are made of, by target.
static BASES: LazyLock<Vec<Vec<Vec<u8>>>> = LazyLock::new(|| {
    let bases = |(target, _): &(&str, _)| seeds::of(target, fuzz().parent().unwrap());
    TARGETS.iter().map(bases).collect()
});

/// A seed with some of its bytes replaced by others.
fn edited(target: usize) -> impl Strategy<Value = Vec<u8>> {
    let edit = (
        any::<prop::sample::Index>(),
        0_usize..6,
        prop::collection::vec(any::<u8>(), 0..6),
    );
    let seed = prop::sample::select(BASES[target].as_slice());
    (seed, prop::collection::vec(edit, 0..8)).prop_map(|(mut text, edits)| {
        for (place, removed, added) in edits {
            let from = place.index(text.len() + 1);
            let to = text.len().min(from + removed);
            text.splice(from..to, added);
        }
        text
    })
}

/// `BLESS=1` writes the seeds, for the fuzzer to begin with, into its corpus.
#[test]
fn every_target_has_seeds_and_a_file_for_the_fuzzer() {
    for ((target, _), seeds) in TARGETS.iter().zip(BASES.iter()) {
        assert!(!seeds.is_empty(), "{target}");
        assert!(
            fuzz().join(format!("fuzz_targets/{target}.rs")).is_file(),
            "{target}"
        );
        if std::env::var_os("BLESS").is_some() {
            let corpus = fuzz().join("corpus").join(target);
            fs::create_dir_all(&corpus).unwrap();
            for (number, seed) in seeds.iter().enumerate() {
                fs::write(corpus.join(format!("seed-{number:03}")), seed).unwrap();
            }
        }
    }
}

#[test]
fn every_input_that_is_kept_passes() {
    for (target, run) in TARGETS {
        for (path, input) in kept(target) {
            let outcome = std::panic::catch_unwind(|| run(&input));
            assert!(outcome.is_ok(), "{}", path.display());
        }
    }
}

#[test]
fn random_edits_of_the_seeds_pass() {
    for (number, (target, run)) in TARGETS.iter().enumerate() {
        let config = ProptestConfig {
            cases: 64,
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        let run = |input: Vec<u8>| {
            run(&input);
            Ok(())
        };
        let outcome = proptest::test_runner::TestRunner::new(config).run(&edited(number), run);
        assert!(outcome.is_ok(), "{target}: {}", outcome.unwrap_err());
    }
}
