//! See `flinktail_fuzz::wording::files`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| flinktail_fuzz::wording::files(data));
