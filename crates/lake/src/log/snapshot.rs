//! One version of a table: its files, and their description in the log.

use std::path::{Component, Path};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use datafusion::catalog::TableProvider;
use rayon::prelude::*;
use url::Url;

use crate::error::LakeError;
use crate::log::files::{Files, Position};
use crate::log::protocol::check_readable;
use crate::log::state::LogState;
use crate::log::stats::{FileStats, Summary};
use crate::partition::PartitionValues;
use crate::read::provider::LakeTable;
use crate::spec::TableSpec;
use crate::store::Folder;

/// The number of files whose statistics are in memory as text.
const STATS_AT_A_TIME: usize = 4096;

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

/// Returns files with their statistics, which are read from the log.
pub(crate) fn data_files(
    spec: &TableSpec,
    root: &Folder,
    files: &Files,
    positions: &[Position],
) -> Result<Vec<DataFile>, LakeError> {
    let mut found = Vec::with_capacity(positions.len());
    for positions in positions.chunks(STATS_AT_A_TIME) {
        let stats = files.stats(spec, root, positions)?;
        let read = positions.par_iter().zip(stats).map(|(&at, stats)| {
            let stats = stats.map(|text| FileStats::parse(spec, files.path(at), &text));
            Ok(DataFile {
                path: files.path(at).to_owned(),
                size: files.size(at),
                modified: files.modified(at),
                partition_values: files.values(at).clone(),
                stats: stats.transpose()?,
            })
        });
        found.extend(read.collect::<Result<Vec<_>, LakeError>>()?);
    }
    Ok(found)
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

/// A pinned version of a table, or some of its files. It stays readable while others append.
///
/// Statistics of files are read from the log when they are needed.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub(crate) spec: Arc<TableSpec>,
    root: Folder,
    version: i64,
    files: Files,
    positions: Arc<[Position]>,
    /// The files with their statistics, once they have been read.
    data_files: Arc<OnceLock<Vec<Arc<DataFile>>>>,
}

impl Snapshot {
    /// Creates a snapshot of all files.
    pub(crate) fn new(
        spec: Arc<TableSpec>,
        root: Folder,
        state: &LogState,
    ) -> Result<Self, LakeError> {
        Self::of(spec, root, state, |_| true)
    }

    /// Creates a snapshot of the files in the partitions for which `keep` returns true.
    pub(crate) fn of(
        spec: Arc<TableSpec>,
        root: Folder,
        state: &LogState,
        keep: impl Fn(&PartitionValues) -> bool,
    ) -> Result<Self, LakeError> {
        check_readable(&spec, state)?;
        let files = state.files.clone();
        let kept: Vec<Vec<bool>> =
            files.batches().map(|values| values.iter().map(&keep).collect()).collect();
        let is_kept = |at: &Position| kept[at.batch()][files.partition(*at)];
        let positions = files.positions().filter(is_kept).collect();
        let version = i64::try_from(state.version).unwrap_or(i64::MAX);
        Ok(Self { spec, root, version, files, positions, data_files: Arc::default() })
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

    /// Returns the number of active files.
    pub fn file_count(&self) -> usize {
        self.positions.len()
    }

    /// Returns the size of the active files, in bytes.
    pub fn bytes(&self) -> u64 {
        self.positions.iter().map(|at| self.files.size(*at)).sum()
    }

    /// Returns the active files with their statistics.
    ///
    /// # Errors
    /// Returns an error if the statistics cannot be read from the log.
    pub fn files(&self) -> Result<&[Arc<DataFile>], LakeError> {
        if let Some(files) = self.data_files.get() {
            return Ok(files);
        }
        let files = data_files(&self.spec, &self.root, &self.files, &self.positions)?;
        Ok(self.data_files.get_or_init(|| files.into_iter().map(Arc::new).collect()))
    }

    /// Returns all files of the version, those of this snapshot among them.
    pub(crate) fn listed(&self) -> &Files {
        &self.files
    }

    /// Returns the active files.
    pub(crate) fn positions(&self) -> &Arc<[Position]> {
        &self.positions
    }

    /// Returns number of rows and range of times of the files, in their order.
    pub(crate) fn summaries(&self) -> Result<Vec<Summary>, LakeError> {
        let mut summaries = Vec::with_capacity(self.positions.len());
        for positions in self.positions.chunks(STATS_AT_A_TIME) {
            let stats = self.files.stats(&self.spec, &self.root, positions)?;
            let read = positions.par_iter().zip(stats).map(|(&at, stats)| match stats {
                Some(text) => Summary::parse(&self.spec, self.files.path(at), &text),
                None => Ok(Summary::default()),
            });
            summaries.extend(read.collect::<Result<Vec<_>, LakeError>>()?);
        }
        Ok(summaries)
    }

    /// Returns the number of rows from the statistics; `None` if a file has no statistics.
    ///
    /// # Errors
    /// As [`files`](Self::files).
    pub fn num_rows(&self) -> Result<Option<u64>, LakeError> {
        Ok(self.summaries()?.into_iter().map(|file| file.rows).sum())
    }

    /// Returns a table without rows, for a table that does not exist yet.
    pub(crate) fn empty(spec: Arc<TableSpec>, root: Folder) -> Self {
        Self {
            spec,
            root,
            version: -1,
            files: Files::default(),
            positions: Arc::default(),
            data_files: Arc::default(),
        }
    }

    /// Returns the snapshot reduced to these files.
    pub(crate) fn at(&self, positions: Vec<Position>) -> Self {
        Self { positions: positions.into(), data_files: Arc::default(), ..self.clone() }
    }

    /// Returns the snapshot reduced to the files for which `keep` returns true.
    pub(crate) fn filtered(self, mut keep: impl FnMut(usize, Position) -> bool) -> Self {
        let positions = self.positions.iter().copied().enumerate();
        let positions = positions.filter(|(index, at)| keep(*index, *at)).map(|(_, at)| at);
        Self { positions: positions.collect(), data_files: Arc::default(), ..self }
    }

    /// Returns the periods that contain its rows, both ends included, in order. Periods at most `gap` apart are joined;
    /// if there are more than `most`, the closest ones are joined.
    ///
    /// # Errors
    /// As [`files`](Self::files).
    pub fn periods(&self, gap: Duration, most: usize) -> Result<Vec<Period>, LakeError> {
        let summaries = self.summaries()?;
        let files = self.positions.iter().zip(summaries);
        let mut times: Vec<_> = files.filter_map(|(at, file)| self.times(*at, &file)).collect();
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
        Ok(periods.into_iter().map(period).collect())
    }

    /// Returns the value of a partition column of a file.
    pub(crate) fn partition_value(&self, file: Position, column: &str) -> Option<&str> {
        let index = self.spec.partition_columns.iter().position(|&name| name == column)?;
        self.files.values(file).get(index)?.as_deref()
    }

    /// Returns the first and last time in a file, from its statistics, else from its partition.
    pub(crate) fn times(&self, file: Position, summary: &Summary) -> Option<(i64, i64)> {
        const LAST_OF_DAY: i64 = 86_400_000_000 - 1;
        let day = || {
            let day: NaiveDate = self.partition_value(file, "date")?.parse().ok()?;
            let first = day.and_time(NaiveTime::MIN).and_utc().timestamp_micros();
            Some((first, first + LAST_OF_DAY))
        };
        summary.times.or_else(day)
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
