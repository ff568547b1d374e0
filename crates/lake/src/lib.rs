//! The lake: Delta Lake tables of audit events, written once each and read as pinned snapshots.
//!
//! [`Lake`] is a directory with one Delta table per name. Rows are appended in single commits that can be
//! repeated or race with each other without adding a row twice. A [`Snapshot`] is one version of a table; its
//! [`provider`](Snapshot::provider) is a DataFusion table over the active files, pruned by partition and file
//! statistics before any file is opened.
//!
//! Parquet is written here, row order, encodings and statistics included; the `deltalake` crate reads and writes
//! the transaction log only.

mod append;
mod claims;
mod commit;
mod compact;
mod damage;
mod days;
mod dedupe;
mod entries_only;
mod error;
mod findings;
mod history;
mod indicators;
mod info;
mod known_ids;
mod lake;
mod log;
mod merge;
mod partition;
mod protocol;
mod provider;
mod prune;
mod redaction_key;
mod retain;
mod snapshot;
mod spec;
mod stats;
mod table;
mod vacuum;
mod verify;
mod version;
mod write;
mod writer_properties;
mod writers;

pub use append::Appended;
pub use compact::{CompactOptions, Compacted};
pub use days::Day;
pub use error::LakeError;
pub use findings::{DetectRun, Findings, Mark};
pub use history::Removal;
pub use info::TableInfo;
pub use lake::Lake;
pub use provider::{LakeTable, PUSHDOWN_FILTERS};
pub use retain::{Retained, RetainedPartition};
pub use snapshot::{DataFile, Period, Snapshot};
pub use stats::FileStats;
pub use vacuum::{Orphan, Vacuumed};
pub use verify::{Problem, Verified};
pub use version::Version;
