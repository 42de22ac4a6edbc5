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
mod documents;
mod names;
mod pieces;
mod relayout;
mod reorder;
mod repository;
mod runs;
mod verdict;
mod wrappers;
