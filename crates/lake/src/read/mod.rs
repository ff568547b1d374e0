//! Reads a table: selects the files for a query, and answers what the log shows without opening one.

pub(crate) mod days;
pub(crate) mod info;
pub(crate) mod provider;
pub(crate) mod prune;
