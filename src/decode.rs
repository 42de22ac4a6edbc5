//! Decoding.

pub mod record;
