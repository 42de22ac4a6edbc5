//! See `flinktail_fuzz::edge::http`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| flinktail_fuzz::edge::http(data));
