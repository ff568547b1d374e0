//! The lake as its users see it: append, read back with SQL, race, break.

// Helpers of tests are tests, which clippy does not see.
#![allow(clippy::unwrap_used)]

mod added;
mod append;
mod compact;
mod concurrency;
mod failure;
mod findings;
mod quarantine;
mod read;
mod redaction_key;
mod retain;
mod support;
mod vacuum;
mod verify;
