//! `flinktail`: see the library for what it does and how it is laid out.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(flinktail::cli::run())
}
