//! One version of a table: its files, and their description in the log.

use std::path::{Component, Path};
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use datafusion::catalog::TableProvider;
use deltalake::kernel::LogicalFileView;
use deltalake::table::state::DeltaTableState;
use url::Url;

use crate::error::LakeError;
use crate::log::protocol::check_readable;
use crate::log::stats::FileStats;
use crate::partition::PartitionValues;
use crate::read::provider::LakeTable;
use crate::spec::TableSpec;
use crate::store::Folder;

/// One active file of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct DataFile {
    /// Path on disk, relative to the table, with `/`.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// When it was written, in milliseconds since the Unix epoch.
    pub modified: i64,
    /// Values of the partition columns in their order, as text; `None` for null.
    pub partition_values: PartitionValues,
    /// Statistics of its rows, if the log has them.
    pub stats: Option<FileStats>,
}

impl DataFile {
    pub(crate) fn new(file: &LogicalFileView, partition_values: PartitionValues) -> Self {
        Self {
            path: file.path().into_owned(),
            size: u64::try_from(file.size()).unwrap_or_default(),
            modified: file.modification_time(),
            partition_values,
            stats: file.stats().and_then(|stats| serde_json::from_str(&stats).ok()),
        }
    }
}

/// Returns the values of the partition columns of a file.
pub(crate) fn partition_values(spec: &TableSpec, file: &LogicalFileView) -> PartitionValues {
    let mut values = file.partition_values_map();
    let values_in_order =
        spec.partition_columns.iter().map(|&column| values.remove(column).flatten());
    values_in_order.map(|value| value.filter(|text| !text.is_empty())).collect()
}

/// Returns whether a path of the log stays inside the table: the protocol allows any path.
pub(crate) fn is_inside(path: &str) -> bool {
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    !path.contains("://") && !path.is_empty() && Path::new(path).components().all(is_plain)
}

/// A period of time, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first instant.
    pub first: DateTime<Utc>,
    /// The last instant.
    pub last: DateTime<Utc>,
}

/// A pinned version of a table. It stays readable while others append.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub(crate) spec: Arc<TableSpec>,
    root: Folder,
    version: i64,
    files: Vec<Arc<DataFile>>,
}

impl Snapshot {
    pub(crate) fn new(
        spec: Arc<TableSpec>,
        root: Folder,
        state: &DeltaTableState,
    ) -> Result<Self, LakeError> {
        Self::of(spec, root, state, |_, _| true)
    }

    /// Creates a snapshot of the files for which `keep` returns true, given path and partition values.
    pub(crate) fn of(
        spec: Arc<TableSpec>,
        root: Folder,
        state: &DeltaTableState,
        keep: impl Fn(&str, &PartitionValues) -> bool,
    ) -> Result<Self, LakeError> {
        check_readable(&spec, state)?;
        let mut files = Vec::new();
        for file in state.log_data().iter() {
            let refuse = |detail: String| LakeError::Unsupported { table: spec.name, detail };
            if file.deletion_vector_descriptor().is_some() {
                return Err(refuse(format!("{} has a deletion vector", file.path())));
            }
            let values = partition_values(&spec, &file);
            if !keep(&file.path(), &values) {
                continue;
            }
            let file = DataFile::new(&file, values);
            if !is_inside(&file.path) {
                return Err(refuse(format!("{} is outside the table", file.path)));
            }
            files.push(Arc::new(file));
        }
        let version = i64::try_from(state.version()).unwrap_or(i64::MAX);
        Ok(Self { spec, root, version, files })
    }

    /// Returns the version of the table, from 0.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// Returns the URL of the table, which ends with a slash.
    pub fn url(&self) -> Url {
        self.root.url()
    }

    /// Returns the folder of the table.
    pub(crate) fn root(&self) -> &Folder {
        &self.root
    }

    /// Returns all columns, in table order, partition columns included.
    pub fn schema(&self) -> SchemaRef {
        self.spec.schema.clone()
    }

    /// Returns the active files.
    pub fn files(&self) -> &[Arc<DataFile>] {
        &self.files
    }

    /// Returns the number of rows from the statistics; `None` if a file has no statistics.
    pub fn num_rows(&self) -> Option<u64> {
        self.files.iter().map(|file| file.stats.as_ref()?.num_records).sum()
    }

    /// Returns a table without rows, for a table that does not exist yet.
    pub(crate) fn empty(spec: Arc<TableSpec>, root: Folder) -> Self {
        Self { spec, root, version: -1, files: Vec::new() }
    }

    /// Returns the snapshot reduced to the files for which `keep` returns true.
    pub(crate) fn filtered(mut self, keep: impl Fn(&DataFile) -> bool) -> Self {
        self.files.retain(|file| keep(file));
        self
    }

    /// Returns the periods that contain its rows, both ends included, in order. Periods at most `gap` apart are joined;
    /// if there are more than `most`, the closest ones are joined.
    pub fn periods(&self, gap: Duration, most: usize) -> Vec<Period> {
        let mut times: Vec<_> = self.files.iter().filter_map(|file| self.times(file)).collect();
        times.sort_unstable();
        let mut periods: Vec<(i64, i64)> = Vec::new();
        let gap = i64::try_from(gap.as_micros()).unwrap_or(i64::MAX);
        for (first, last) in times {
            match periods.last_mut() {
                Some((_, end)) if first.saturating_sub(*end) <= gap => *end = last.max(*end),
                _ => periods.push((first, last)),
            }
        }
        while periods.len() > most.max(1) {
            let gaps = periods.windows(2).map(|pair| pair[1].0.saturating_sub(pair[0].1));
            let Some((closest, _)) = gaps.enumerate().min_by_key(|(_, gap)| *gap) else { break };
            periods[closest].1 = periods.remove(closest + 1).1;
        }
        let instant = |micros| DateTime::from_timestamp_micros(micros).unwrap_or_default();
        let period = |(first, last)| Period { first: instant(first), last: instant(last) };
        periods.into_iter().map(period).collect()
    }

    /// Returns the value of a partition column of a file.
    pub(crate) fn partition_value<'f>(&self, file: &'f DataFile, column: &str) -> Option<&'f str> {
        let index = self.spec.partition_columns.iter().position(|&name| name == column)?;
        file.partition_values.get(index)?.as_deref()
    }

    /// Returns the first and last time in a file, from its statistics, else from its partition.
    pub(crate) fn times(&self, file: &DataFile) -> Option<(i64, i64)> {
        const LAST_OF_DAY: i64 = 86_400_000_000 - 1;
        let known = || file.stats.as_ref()?.time_range(self.spec.time_column?);
        let day = || {
            let day: NaiveDate = self.partition_value(file, "date")?.parse().ok()?;
            let first = day.and_time(NaiveTime::MIN).and_utc().timestamp_micros();
            Some((first, first + LAST_OF_DAY))
        };
        known().or_else(day)
    }

    /// Returns a DataFusion table over the active files, with the columns in table order.
    ///
    /// # Errors
    ///
    /// Returns an error if a partition value does not have the type of its column.
    pub fn provider(&self) -> Result<Arc<dyn TableProvider>, LakeError> {
        Ok(Arc::new(LakeTable::try_new(self)?))
    }
}
