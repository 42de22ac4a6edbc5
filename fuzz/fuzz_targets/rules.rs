//! See `flinktail_fuzz::wording::rules`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| flinktail_fuzz::wording::rules(data));
