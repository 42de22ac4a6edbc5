//! See `flinktail_fuzz::text::lines`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| flinktail_fuzz::text::lines(data));
