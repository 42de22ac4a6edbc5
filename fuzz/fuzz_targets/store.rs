//! See `flinktail_fuzz::edge::store`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| flinktail_fuzz::edge::store(data));
