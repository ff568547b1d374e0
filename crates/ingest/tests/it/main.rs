//! Tests of `podtrail-ingest` on files, observed by a sink.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod archives;
mod compression;
mod damage;
mod envelope_aws;
mod envelope_azure;
mod envelope_container_runtime;
mod envelope_csv;
mod envelope_elastic;
mod envelope_gcp;
mod envelope_legacy;
mod envelope_lifted;
mod envelope_line;
mod envelope_openshift;
mod envelope_otlp;
mod envelope_store;
mod envelope_wrapper;
mod follow;
mod framing;
mod hostile;
mod inputs;
#[cfg(feature = "lake")]
mod lake;
mod long_lists;
mod pieces;
mod pipeline;
mod redaction;
mod reject;
mod salvage;
mod same_event;
mod store_labels;
mod support;
mod unwrapped;
mod wrapped;
