//! The command line: from words to what the program does, and to its exit code.

pub mod args;
pub mod check;
pub mod explain;
pub mod print;
pub mod progress;
pub mod replay;
mod run;
mod text;

pub use run::run;

/// Everything went well.
pub const FINE: u8 = 0;
/// Something failed while it ran.
pub const FAILED: u8 = 1;
/// The command line or the configuration is wrong. What clap itself uses.
pub const USAGE: u8 = 2;
