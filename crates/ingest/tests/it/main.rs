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
mod envelope_openshift;
mod envelope_otlp;
mod envelope_prefixed_line;
mod envelope_shippers;
mod envelope_store;
mod follow;
mod framing;
mod hostile;
mod inputs;
#[cfg(feature = "lake")]
mod lake;
mod long_lists;
mod pipeline;
mod redaction;
mod reject;
mod salvage;
mod same_event;
mod split_records;
mod store_labels;
mod support;
mod unwrapped;
mod wrapped;
