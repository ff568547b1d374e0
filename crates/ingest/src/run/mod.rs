//! A run: threads, parsing, commits and the summary.

pub(crate) mod budget;
pub(crate) mod clock;
pub(crate) mod clusters;
pub(crate) mod collector;
pub(crate) mod explain;
pub(crate) mod follow;
#[cfg(feature = "lake")]
pub(crate) mod lake;
pub(crate) mod options;
pub(crate) mod parse;
pub(crate) mod pipeline;
pub(crate) mod progress;
pub(crate) mod quarantine;
pub(crate) mod read;
pub(crate) mod retry;
pub(crate) mod sink;
pub(crate) mod split_records;
pub(crate) mod summary;
