//! Compaction: merges small files of one partition into one file with the same rows in table order.
//!
//! Small or frequent appends leave many files, and every query reads each footer. A compaction changes only the
//! location of rows, and fills in which stages of requests are superseded by a stage of another commit: its commit marks
//! every file with `dataChange` false, for readers that look for new rows. The old files stay until a vacuum, for queries
//! of an older version.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::Field;
use chrono::Utc;
use datafusion::common::DataFusionError;
use futures::TryStreamExt;
use tokio::runtime::Handle;

use crate::error::LakeError;
use crate::log::files::Position;
use crate::log::snapshot::{DataFile, Snapshot};
use crate::maintain::merged_rows::{Footer, Run, merge, put, time_range};
use crate::maintain::superseded::superseded;
use crate::partition::{PartitionValues, directory};
use crate::spec::TableSpec;
use crate::store::Folder;
use crate::write::writer_properties::ROW_GROUP_ROWS;
use crate::write::writers::Writing;
use crate::write::{FileWriter, Written};

/// Size in memory of the rows that become a row group.
const GROUP_BYTES: usize = 64 << 20;

/// Maximum number of runs that are merged at a time, each with an open file and its next rows in memory.
const MAX_RUNS: usize = 32;

/// Selects the files to merge.
#[derive(Debug, Clone)]
pub struct CompactOptions {
    /// Files of this size in bytes are left alone, and files are merged up to it.
    pub target_size: u64,
    /// Younger files are left alone: more may follow soon.
    pub min_age: Duration,
    /// Only report what would be done.
    pub dry_run: bool,
}

/// The result for one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compacted {
    /// The table.
    pub table: &'static str,
    /// The directory of the partition inside the table; empty if the table has no partitions.
    pub partition: String,
    /// The number of files that were merged.
    pub files: usize,
    /// Their size in bytes.
    pub bytes: u64,
    /// The number of files that they were merged into.
    pub new_files: usize,
    /// The size of these in bytes; `None` if nothing was done.
    pub new_bytes: Option<u64>,
}

/// The small files of a partition, grouped by the file into which they are merged.
pub(crate) struct Plan {
    pub(crate) partition: PartitionValues,
    pub(crate) bins: Vec<Vec<Arc<DataFile>>>,
    /// All files of the partition.
    all: Snapshot,
}

impl Plan {
    /// Returns the files that are merged.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Arc<DataFile>> {
        self.bins.iter().flatten()
    }

    /// Returns the expected result.
    pub(crate) fn outlook(&self, spec: &TableSpec) -> Compacted {
        Compacted {
            table: spec.name,
            partition: directory(spec.partition_columns, &self.partition),
            files: self.files().count(),
            bytes: self.files().map(|file| file.size).sum(),
            new_files: self.bins.len(),
            new_bytes: None,
        }
    }
}

/// Selects the files of a snapshot that a compaction merges, by partition.
pub(crate) fn plan(snapshot: &Snapshot, options: &CompactOptions) -> Result<Vec<Plan>, LakeError> {
    let spec = &*snapshot.spec;
    let min_age = i64::try_from(options.min_age.as_millis()).unwrap_or(i64::MAX);
    let latest = Utc::now().timestamp_millis().saturating_sub(min_age);
    let mut partitions: BTreeMap<&PartitionValues, (Vec<&Arc<DataFile>>, Vec<Position>)> =
        BTreeMap::new();
    for (file, at) in snapshot.files()?.iter().zip(snapshot.positions().iter()) {
        let (small, all) = partitions.entry(&file.partition_values).or_default();
        if file.size < options.target_size && file.modified <= latest {
            small.push(file);
        }
        all.push(*at);
    }
    let plans = partitions.into_iter().filter_map(|(partition, (mut small, all))| {
        small.sort_by_cached_key(|file| (time_range(spec, file), file.path.clone()));
        let bins = bins(spec, &small, options.target_size);
        let is_needed = !bins.is_empty();
        is_needed.then(|| Plan { partition: partition.clone(), bins, all: snapshot.at(all) })
    });
    Ok(plans.collect())
}

/// Groups files in order of time, within the target size and the number of files to merge. A single file is left alone.
fn bins(spec: &TableSpec, files: &[&Arc<DataFile>], target: u64) -> Vec<Vec<Arc<DataFile>>> {
    let mut bins: Vec<Vec<Arc<DataFile>>> = Vec::new();
    let mut runs = Vec::new();
    let mut bytes = 0;
    for &file in files {
        let fits = bytes + file.size <= target && put(&mut runs, spec, file, MAX_RUNS);
        match bins.last_mut() {
            Some(bin) if fits => bin.push(file.clone()),
            _ => {
                bins.push(vec![file.clone()]);
                bytes = 0;
                runs.clear();
                put(&mut runs, spec, file, MAX_RUNS);
            }
        }
        bytes += file.size;
    }
    bins.retain(|bin| bin.len() > 1);
    bins
}

/// Files with the rows of others, and the old files.
pub(crate) struct Rewritten {
    pub(crate) old: Vec<Arc<DataFile>>,
    pub(crate) new: Vec<Written>,
    /// The last field: it is dropped after the files that are not committed.
    pub(crate) writing: Writing,
}

/// Writes one file for each group of a plan. Memory: about 64 MiB of rows to merge, and 64 MiB of rows to write.
pub(crate) fn rewrite(
    spec: &TableSpec,
    root: &Folder,
    plan: &Plan,
    runtime: &Handle,
) -> Result<Rewritten, LakeError> {
    let writing = Writing::begin(root)?;
    let mut rewritten = Rewritten { old: Vec::new(), new: Vec::new(), writing };
    for bin in &plan.bins {
        let mut runs: Vec<Run> = Vec::new();
        let mut files = Vec::new();
        let mut footers = Vec::new();
        for file in bin {
            let footer = Footer::read(spec, root, file)?;
            if footer.is_sorted && put(&mut runs, spec, file, MAX_RUNS) {
                files.push(file.clone());
                footers.push(footer);
            }
        }
        if files.len() < 2 {
            continue;
        }
        rewritten.new.push(join(spec, root, plan, &runs, &footers, runtime)?);
        rewritten.old.extend(files);
    }
    Ok(rewritten)
}

fn join(
    spec: &TableSpec,
    root: &Folder,
    plan: &Plan,
    runs: &[Run],
    footers: &[Footer],
    runtime: &Handle,
) -> Result<Written, LakeError> {
    let unreadable = |error: DataFusionError| LakeError::Unreadable {
        table: spec.name,
        partition: directory(spec.partition_columns, &plan.partition),
        detail: error.strip_backtrace(),
    };
    let superseded = runtime.block_on(superseded(&plan.all, runs)).map_err(unreadable)?;
    let mut rows = merge(spec, root, runs, footers, superseded).map_err(unreadable)?;
    // Columns that no file has are absent here, too.
    let all = spec.file_schema();
    let is_stored = |field: &Field| {
        spec.is_in_every_file(field) || footers.iter().any(|footer| footer.has(field.name()))
    };
    let fields = all.fields().iter().enumerate();
    let columns: Vec<usize> =
        fields.filter(|(_, field)| is_stored(field)).map(|(column, _)| column).collect();
    let schema = Arc::new(all.project(&columns).map_err(LakeError::arrow(spec.name))?);
    let mut file = FileWriter::create(spec, root, &plan.partition, schema)?;
    let mut count = 0;
    let mut group = Group::default();
    // Other threads read the runs while this one writes.
    while let Some(batch) = runtime.block_on(rows.try_next()).map_err(unreadable)? {
        count += batch.num_rows() as u64;
        if !group.has_room(&batch) {
            std::mem::take(&mut group).write(&mut file, &columns)?;
        }
        group.add(batch);
    }
    group.write(&mut file, &columns)?;
    let expected: u64 = footers.iter().map(|footer| footer.rows).sum();
    if count != expected {
        let detail = format!("read {count} rows, but expected {expected}");
        return Err(unreadable(DataFusionError::Execution(detail)));
    }
    let mut written = file.close()?;
    written.add.data_change = false;
    Ok(written)
}

/// The rows of the next row group.
#[derive(Default)]
struct Group {
    batches: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
}

impl Group {
    fn has_room(&self, batch: &RecordBatch) -> bool {
        let fits = self.rows + batch.num_rows() <= ROW_GROUP_ROWS
            && self.bytes + batch.get_array_memory_size() <= GROUP_BYTES;
        fits || self.batches.is_empty()
    }

    fn add(&mut self, batch: RecordBatch) {
        self.rows += batch.num_rows();
        self.bytes += batch.get_array_memory_size();
        self.batches.push(batch);
    }

    /// Writes these columns of the rows.
    fn write(self, file: &mut FileWriter<'_>, columns: &[usize]) -> Result<(), LakeError> {
        if self.batches.is_empty() {
            return Ok(());
        }
        file.write_group(|column| {
            self.batches.iter().map(move |batch| Ok(batch.column(columns[column]).clone()))
        })
    }
}
