//! What the generator promises.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod generator;
