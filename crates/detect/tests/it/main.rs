//! The pack through its public API: every built-in detection over its case files, and the findings of a hunt.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::unnecessary_wraps,
    clippy::unwrap_used,
    reason = "tests fail by panicking, and read best with plain values"
)]

mod cases;
mod exceptions;
mod findings;
mod hunts;
mod packs;
mod routine;
mod saved;
mod support;
