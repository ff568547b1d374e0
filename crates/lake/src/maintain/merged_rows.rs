//! The rows of several files of one partition as one stream in table order.
//!
//! Each file is in that order, so only the next rows of each have to be in memory. Files that follow each other in time
//! are read one after the other.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::SortOptions;
use chrono::DateTime;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, InListExpr, col, is_null, lit};
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectMeta;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};

use crate::error::LakeError;
use crate::log::snapshot::DataFile;
use crate::read::provider::register;
use crate::spec::TableSpec;
use crate::store::Folder;
use crate::write::writer_properties::PARTITION_KEY;

/// Size of the rows of all files that are in memory: an estimate, by their uncompressed size in the files.
const HELD_BYTES: u64 = 64 << 20;

/// Maximum number of rows in memory for a run of files.
const BATCH_ROWS: u64 = 4096;

/// Files that follow each other in time, and are read one after the other.
#[derive(Debug, Default)]
pub(crate) struct Run {
    files: Vec<Arc<DataFile>>,
    /// The last time in the run; `None` if times are unknown.
    last: Option<i64>,
}

/// Adds a file to the run that ends closest before it; files must be added in order of their first time. Returns false
/// if that would take more than `max_runs` runs.
pub(crate) fn put(
    runs: &mut Vec<Run>,
    spec: &TableSpec,
    file: &Arc<DataFile>,
    max_runs: usize,
) -> bool {
    let times = time_range(spec, file);
    let follows = |run: &Run| run.last.zip(times).is_some_and(|(last, (first, _))| last < first);
    let free = runs.iter().position(follows);
    if free.is_none() {
        if runs.len() == max_runs {
            return false;
        }
        runs.push(Run::default());
    }
    let run = free.unwrap_or(runs.len() - 1);
    let run = &mut runs[run];
    run.files.push(file.clone());
    run.last = times.map(|(_, last)| last);
    true
}

/// Returns the first and last time in a file from its statistics, in microseconds since the Unix epoch.
pub(crate) fn time_range(spec: &TableSpec, file: &DataFile) -> Option<(i64, i64)> {
    file.stats.as_ref()?.time_range(spec.time_column?)
}

/// The data of a footer that matters for merging.
pub(crate) struct Footer {
    /// Whether the rows are in table order. Files of other writers may not be.
    pub(crate) is_sorted: bool,
    /// The number of rows.
    pub(crate) rows: u64,
    /// The average uncompressed size of a row.
    pub(crate) row_bytes: u64,
    /// The directory of the partition that it was written for; `None` in files of other writers.
    pub(crate) partition: Option<String>,
    /// The names of the columns.
    columns: BTreeSet<String>,
}

impl Run {
    /// Returns the files in order.
    pub(crate) fn files(&self) -> &[Arc<DataFile>] {
        &self.files
    }
}

impl Footer {
    pub(crate) fn read(
        spec: &TableSpec,
        root: &Folder,
        file: &DataFile,
    ) -> Result<Self, LakeError> {
        let place = root.show(&file.path);
        let opened = root.open(&file.path).map_err(LakeError::io("open", &place))?;
        let footer = ArrowReaderMetadata::load(&opened, ArrowReaderOptions::default())
            .map_err(LakeError::parquet("read", &place))?;
        let groups = footer.metadata().row_groups();
        let is_sorted = groups.iter().all(|group| {
            let columns = group.sorting_columns().into_iter().flatten();
            let names = columns.filter(|column| !column.descending).filter_map(|column| {
                let index = usize::try_from(column.column_idx).ok()?;
                group.columns().get(index).map(|column| column.column_path().string())
            });
            names.eq(spec.sort_columns())
        });
        let positive = |number: i64| u64::try_from(number).unwrap_or_default();
        let bytes: u64 = groups.iter().map(|group| positive(group.total_byte_size())).sum();
        let rows: u64 = groups.iter().map(|group| positive(group.num_rows())).sum();
        let entries = footer.metadata().file_metadata().key_value_metadata().into_iter().flatten();
        let partition = entries
            .filter(|entry| entry.key == PARTITION_KEY)
            .find_map(|entry| entry.value.clone());
        let columns = footer.schema().fields().iter().map(|field| field.name().clone()).collect();
        Ok(Self { is_sorted, rows, row_bytes: (bytes / rows.max(1)).max(1), partition, columns })
    }

    /// Returns whether the file has a column.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.columns.contains(column)
    }
}

/// Returns the rows of all runs, in order, with the columns that are stored in files. In rows with an id of `known`, the
/// column [`TableSpec::rare_column`] becomes true where it is null.
///
/// Runs are in order of time for each value of that column: one value is read after the other.
pub(crate) fn merge(
    spec: &TableSpec,
    root: &Folder,
    runs: &[Run],
    footers: &[Footer],
    known: Option<ArrayRef>,
) -> Result<SendableRecordBatchStream> {
    let row_bytes = footers.iter().map(|footer| footer.row_bytes).max().unwrap_or(1);
    let held_rows = HELD_BYTES / row_bytes / runs.len().max(1) as u64;
    let batch_rows = usize::try_from(held_rows.clamp(1, BATCH_ROWS)).unwrap_or(1);
    let session = SessionContext::new_with_config(SessionConfig::new().with_batch_size(batch_rows));
    let url = register(root, &session.runtime_env())?;
    let scan = Scan { spec, root, url, runs };
    let parts = match spec.rare_column {
        Some(column) => scan.by_rarity(column, known)?,
        None => vec![scan.in_order(vec![scan.rows(None)?])?],
    };

    // A part starts when the previous one has ended: each contains rows of all files.
    let context = session.task_ctx();
    let rows = futures::stream::iter(parts).map(move |part| execute_stream(part, context.clone()));
    Ok(Box::pin(RecordBatchStreamAdapter::new(spec.file_schema(), rows.try_flatten())))
}

/// Plans of rows of all runs.
struct Scan<'a> {
    spec: &'a TableSpec,
    root: &'a Folder,
    url: ObjectStoreUrl,
    runs: &'a [Run],
}

impl Scan<'_> {
    /// Returns plans for the rows with false, true and null in `column`, each in order.
    fn by_rarity(
        &self,
        column: &str,
        known: Option<ArrayRef>,
    ) -> Result<Vec<Arc<dyn ExecutionPlan>>> {
        let schema = self.spec.file_schema();
        let rare = col(column, &schema)?;
        let is = |value: bool| -> Arc<dyn PhysicalExpr> {
            Arc::new(BinaryExpr::new(rare.clone(), Operator::Eq, lit(value)))
        };
        let common = self.rows(Some(is(false)))?;
        let mut rares = vec![self.rows(Some(is(true)))?];
        let mut is_unknown = is_null(rare.clone())?;
        if let Some(known) = known {
            let id = col(self.spec.id_column, &schema)?;
            let known_among = |negated| -> Result<Arc<dyn PhysicalExpr>> {
                let (id, known) = (id.clone(), known.clone());
                Ok(Arc::new(InListExpr::try_new_from_array(id, known, negated, &schema)?))
            };
            let among_unknown = |ids| -> Arc<dyn PhysicalExpr> {
                Arc::new(BinaryExpr::new(is_unknown.clone(), Operator::And, ids))
            };
            let now_known = self.rows(Some(among_unknown(known_among(false)?)))?;
            let columns = schema.fields().iter().map(|field| {
                let value =
                    if field.name() == column { lit(true) } else { col(field.name(), &schema)? };
                Ok((value, field.name().clone()))
            });
            let columns = columns.collect::<Result<Vec<_>>>()?;
            rares.push(Arc::new(ProjectionExec::try_new(columns, now_known)?));
            is_unknown = among_unknown(known_among(true)?);
        }
        let unknown = self.rows(Some(is_unknown))?;
        [vec![common], rares, vec![unknown]].into_iter().map(|part| self.in_order(part)).collect()
    }

    /// Returns a plan that merges the rows of plans with a partition for each run.
    fn in_order(&self, mut rows: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = self.spec.file_schema();
        let ordering = self.spec.sort_columns().map(|name| {
            Ok(PhysicalSortExpr::new(col(name, &schema)?, SortOptions::new(false, false)))
        });
        let ordering = LexOrdering::new(ordering.collect::<Result<Vec<_>>>()?)
            .ok_or_else(|| DataFusionError::Internal("a table has an id".to_owned()))?;
        let rows = match rows.pop() {
            Some(only) if rows.is_empty() => only,
            last => UnionExec::try_new(rows.into_iter().chain(last).collect())?,
        };
        Ok(Arc::new(SortPreservingMergeExec::new(ordering, rows)))
    }

    /// Returns a plan for the rows for which a condition holds, with a partition for each run.
    fn rows(&self, condition: Option<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn ExecutionPlan>> {
        let groups = self.runs.iter().map(|run| {
            let files = run.files.iter().map(|file| whole(self.root, file));
            Ok(FileGroup::new(files.collect::<Result<_>>()?))
        });
        let mut source = ParquetSource::new(TableSchema::from(self.spec.file_schema()));
        if let Some(condition) = &condition {
            // Avoids decoding rows that the filter would drop.
            source = source.with_predicate(condition.clone()).with_pushdown_filters(true);
        }
        let config = FileScanConfigBuilder::new(self.url.clone(), Arc::new(source))
            .with_file_groups(groups.collect::<Result<Vec<_>>>()?)
            // Otherwise idle runs take files from others.
            .with_preserve_order(true)
            .build();
        let rows: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
        match condition {
            Some(condition) => Ok(Arc::new(FilterExec::try_new(condition, rows)?)),
            None => Ok(rows),
        }
    }
}

fn whole(root: &Folder, file: &DataFile) -> Result<PartitionedFile> {
    let location =
        root.object(&file.path).map_err(|error| DataFusionError::External(error.into()))?;
    Ok(PartitionedFile::new_from_meta(ObjectMeta {
        location,
        last_modified: DateTime::default(),
        size: file.size,
        e_tag: None,
        version: None,
    }))
}
