//! What `podtrail-ingest` does with files, as seen by a sink.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod compression;
mod damage;
mod envelope_aws;
mod envelope_azure;
mod envelope_gcp;
mod envelope_openshift;
mod envelope_otlp;
mod framing;
mod inputs;
#[cfg(feature = "lake")]
mod lake;
mod pipeline;
mod salvage;
mod same_event;
mod support;
mod unwrapped;
