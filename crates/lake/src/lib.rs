//! The lake: Delta Lake tables of audit events, written once each and read as pinned snapshots.
//!
//! [`Lake`] is a directory, or a path in an object store ([`LakeLocation`]), with one Delta table per name. Rows are appended in single commits, which can be repeated or
//! race with each other without adding a row twice. A [`Snapshot`] is one version of a table; its
//! [`provider`](Snapshot::provider) is a DataFusion table over the active files, pruned by partition and file
//! statistics before any file is opened.
//!
//! This crate writes Parquet itself, row order, encodings and statistics included, and it reads and writes the
//! transaction log: the protocol's part for tables without features is small, and an implementation of all of it would be
//! a seventh of the crates of a build. Tests compare the tables with delta-rs.

#![allow(clippy::disallowed_methods, reason = "the lake owns its files, and their age")]

mod error;
mod findings;
mod indicators;
mod lake;
mod log;
mod maintain;
mod partition;
mod read;
mod redaction_key;
mod spec;
mod store;
mod table;
mod write;

pub use error::LakeError;
pub use findings::{DetectRun, Findings, Mark};
pub use lake::{Lake, LakeLock};
pub use log::history::Removal;
pub use log::snapshot::{DataFile, Period, Snapshot};
pub use log::stats::FileStats;
pub use log::version::Version;
pub use maintain::compact::{CompactOptions, Compacted};
pub use maintain::retain::{Retained, RetainedPartition};
pub use maintain::vacuum::{Orphan, Vacuumed};
pub use maintain::verify::{Problem, Verified};
pub use read::days::Day;
pub use read::info::TableInfo;
pub use read::last_stages::{SUPERSEDED, is_last, is_undecided, last_stages};
pub use read::provider::{LakeTable, PUSHDOWN_FILTERS};
pub use store::location::{LakeLocation, LocationError};
pub use store::logs::{LogObject, LogObjects, LogReader};
pub use store::registry::EnvironmentStores;
pub use store::requests::Requests;
pub use write::append::Appended;
