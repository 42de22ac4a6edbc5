//! Tests of the whole: one binary, hence one link step; one module per story.
// The lints that tests are excused from are excused by this attribute.
#![cfg(test)]

mod abuse;
mod actions;
mod agreement;
mod architecture;
mod bad_input;
mod beside;
mod crash;
mod daemon;
mod dashboards;
mod demo;
mod dependencies;
mod documents;
mod failures;
mod faults;
mod flags;
mod fuzz;
mod http;
mod limits;
mod names;
mod pieces;
mod process;
mod random;
mod relayout;
mod reload;
mod reorder;
mod repository;
mod runs;
mod scenarios;
mod soak;
mod verdict;
mod wrappers;
