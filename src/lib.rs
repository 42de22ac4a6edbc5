//! flinktail: the true status of every Apache Flink job, derived from its logs.
//!
//! ```text
//! files, stdin ─▶ tail ──bytes──▶ scan ──candidate lines──▶ decode ──Record──▶ rules ──Event──▶ model ──▶ expose ─▶ /metrics /api /
//!    (I/O)          │              (hot)      (layout)          (wording)       (meaning)      │        (I/O)
//!                   └────────────── positions ─────────────▶ store ◀──── changed entities ──────────┘
//! ```
//!
//! The modules below stand in the order in which a byte passes through them. `scan`, `decode`, `rules`, `model` and
//! `pipeline` are the core: they do no I/O, read no clock and start no thread; time and bytes are arguments. `tail`,
//! `store` and `expose` are the edge. Only `app` and `cli` know everything. `tests/it/architecture.rs` holds these directions.

pub mod line;
pub mod stats;

pub mod problem;

pub mod tail;

pub mod scan;

pub mod decode;

pub mod rules;

pub mod model;

pub mod pipeline;

pub mod store;

pub mod expose;

pub mod config;

pub mod app;

pub mod cli;

pub mod observe;
