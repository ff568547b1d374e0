//! Reads a table: selects the files for a query, and answers queries from the log without opening a file.

pub(crate) mod days;
pub(crate) mod info;
pub(crate) mod last_stages;
pub(crate) mod provider;
pub(crate) mod prune;
