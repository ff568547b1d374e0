//! The lake through its public interface: appends, SQL queries, concurrent writers and damage.

// Clippy does not recognize helpers of tests as tests.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod added;
mod append;
mod compact;
mod concurrency;
mod failure;
mod faults;
mod findings;
mod log_state;
mod quarantine;
mod read;
mod redaction_key;
mod retain;
mod store;
mod support;
mod vacuum;
mod verify;
