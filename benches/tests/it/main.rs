//! Tests of the generator.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod generator;
