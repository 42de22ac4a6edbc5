//! Tests of the whole: one binary, hence one link step; one module per story.
// The lints that tests are excused from are excused by this attribute.
#![cfg(test)]

mod agreement;
mod architecture;
mod bad_input;
mod beside;
mod crash;
mod daemon;
mod dashboards;
mod demo;
mod dependencies;
mod faults;
mod fuzz;
mod limits;
mod names;
mod pieces;
mod relayout;
mod repository;
mod runs;
mod scenarios;
mod verdict;
mod wrappers;
