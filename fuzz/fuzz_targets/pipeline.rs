//! See `flinktail_fuzz::log::pipeline`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| flinktail_fuzz::log::pipeline(data));
