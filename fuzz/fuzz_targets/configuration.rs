//! See `flinktail_fuzz::edge::configuration`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| flinktail_fuzz::edge::configuration(data));
