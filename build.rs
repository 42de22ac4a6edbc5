//! Tells the program which compiler made it, for `flinktail_build_info`.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Cargo sets it for build scripts.
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(rustc).arg("--version").output();
    let said = said.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).into_owned(),
    );
    // `rustc 1.88.0 (6b00bc388 2025-06-23)`
    let version = said.split(' ').nth(1).unwrap_or_default();
    println!("cargo::rustc-env=FLINKTAIL_RUSTVERSION={version}");
}
