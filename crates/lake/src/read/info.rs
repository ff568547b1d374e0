//! The composition of a table.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::error::LakeError;
use crate::log::snapshot::Snapshot;
use crate::maintain::compact::{CompactOptions, plan};
use crate::maintain::merged_rows::time_range;

/// Figures of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableInfo {
    /// Its name.
    pub table: &'static str,
    /// Its version, from 0.
    pub version: i64,
    /// The number of active files.
    pub files: usize,
    /// The number of rows, if the statistics have it.
    pub rows: Option<u64>,
    /// The size of the files, in bytes.
    pub bytes: u64,
    /// The size of the smallest file, in bytes.
    pub smallest_file: Option<u64>,
    /// The median size of a file in bytes; of two, the larger one.
    pub median_file: Option<u64>,
    /// The size of the largest file, in bytes.
    pub largest_file: Option<u64>,
    /// The number of partitions that have files.
    pub partitions: usize,
    /// The earliest time of a row, if rows have times.
    pub first: Option<DateTime<Utc>>,
    /// The latest time of a row, if rows have times.
    pub last: Option<DateTime<Utc>>,
    /// The number of files that a compaction would merge.
    pub small_files: usize,
    /// The number of files into which it would merge them.
    pub joined_files: usize,
}

impl TableInfo {
    pub(crate) fn of(snapshot: &Snapshot, options: &CompactOptions) -> Result<Self, LakeError> {
        let files = snapshot.files()?;
        let mut sizes: Vec<u64> = files.iter().map(|file| file.size).collect();
        sizes.sort_unstable();
        let partitions: HashSet<_> = files.iter().map(|file| &file.partition_values).collect();
        let times = || files.iter().filter_map(|file| time_range(&snapshot.spec, file));
        let plans = plan(snapshot, options)?;
        Ok(Self {
            table: snapshot.spec.name,
            version: snapshot.version(),
            files: files.len(),
            rows: snapshot.num_rows()?,
            bytes: sizes.iter().sum(),
            smallest_file: sizes.first().copied(),
            median_file: sizes.get(sizes.len() / 2).copied(),
            largest_file: sizes.last().copied(),
            partitions: partitions.len(),
            first: times().map(|(first, _)| first).min().and_then(DateTime::from_timestamp_micros),
            last: times().map(|(_, last)| last).max().and_then(DateTime::from_timestamp_micros),
            small_files: plans.iter().map(|plan| plan.files().count()).sum(),
            joined_files: plans.iter().map(|plan| plan.bins.len()).sum(),
        })
    }
}
