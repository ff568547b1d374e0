//! Maintenance: compaction, retention, vacuum and verification.

pub(crate) mod compact;
pub(crate) mod merged_rows;
pub(crate) mod retain;
pub(crate) mod superseded;
pub(crate) mod vacuum;
pub(crate) mod verify;
