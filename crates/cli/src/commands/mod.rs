//! One module per command.

pub(crate) mod config;
pub(crate) mod detect;
pub(crate) mod detections;
pub(crate) mod exceptions;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod findings;
pub(crate) mod hunt;
pub(crate) mod incidents;
pub(crate) mod indicators;
pub(crate) mod ingest;
pub(crate) mod lake;
pub(crate) mod quarantine;
pub(crate) mod schema;
pub(crate) mod shell;
pub(crate) mod sql;
pub(crate) mod status;
#[cfg(feature = "cluster")]
pub(crate) mod worker;
