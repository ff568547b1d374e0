//! Queries on worker processes, compared with the same queries in one process.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests fail by panicking, and show what they compared"
)]

mod access;
mod failures;
mod gate;
mod guards;
mod support;
