//! Reading a table: which files a query needs, and what the log shows without opening one.

pub(crate) mod days;
pub(crate) mod info;
pub(crate) mod provider;
pub(crate) mod prune;
