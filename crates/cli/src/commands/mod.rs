//! One module a command.

pub(crate) mod detections;
pub(crate) mod hunt;
pub(crate) mod ingest;
pub(crate) mod schema;
pub(crate) mod shell;
pub(crate) mod sql;
