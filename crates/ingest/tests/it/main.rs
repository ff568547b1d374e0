//! What `podtrail-ingest` does with files, as seen by a sink.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod compression;
mod damage;
mod framing;
mod inputs;
#[cfg(feature = "lake")]
mod lake;
mod pipeline;
mod redaction;
mod support;
