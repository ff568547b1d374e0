//! A DataFusion table over the files of a snapshot.
//!
//! A scan becomes a plain `DataSourceExec` over Parquet files that are selected before the plan is made. It consists of
//! built-in nodes only, which can be sent to other processes. `EXPLAIN` lists the files.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use chrono::DateTime;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, DataFusionError, Result, Statistics};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::scalar::ScalarValue;
use object_store::ObjectMeta;
use rayon::prelude::*;

use crate::error::LakeError;
use crate::log::files::{Files, Position};
use crate::log::snapshot::Snapshot;
use crate::log::stats::FileStats;
use crate::partition::{self, PartitionValues};
use crate::read::prune::{FileStatistics, Pruning, is_partition_filter, matching_partitions};
use crate::spec::TableSpec;
use crate::store::Folder;

/// Filters are evaluated while a file is decoded, so that bodies are decoded for matching rows only.
pub const PUSHDOWN_FILTERS: bool = true;

/// The number of files whose statistics a table keeps: 20 KB each, because the planner has a struct for every column.
const KEPT_FILES: usize = 4096;

/// The number of files whose statistics are read together.
const FILES_AT_A_TIME: usize = 1024;

/// The files of a snapshot as a table, with the columns in the order of the snapshot's schema.
///
/// A query first selects partitions. Only then the statistics of their files are read from the log.
#[derive(Debug, Clone)]
pub struct LakeTable {
    spec: Arc<TableSpec>,
    root: Folder,
    version: i64,
    schema: SchemaRef,
    /// The columns stored in the files, then the partition columns: the order in which scans work.
    scan_schema: TableSchema,
    /// The position of each column of the table in `scan_schema`.
    scan_indices: Vec<usize>,
    listed: Files,
    files: Arc<[Position]>,
    /// The number of the partition of each file.
    partitions: Arc<[u32]>,
    /// One row per partition.
    partition_rows: RecordBatch,
    /// Files whose statistics have been read, by their index in `files`.
    kept: Arc<Mutex<HashMap<usize, PartitionedFile>>>,
}

impl LakeTable {
    pub(crate) fn try_new(snapshot: &Snapshot) -> Result<Self, LakeError> {
        let spec = snapshot.spec.clone();
        let name = spec.name;
        let refuse = |error: DataFusionError| LakeError::Unsupported {
            table: name,
            detail: error.strip_backtrace(),
        };
        let partition_fields = partition_fields(&spec).map_err(LakeError::arrow(name))?;
        let scan_schema = TableSchema::builder(spec.file_schema())
            .with_table_partition_cols(partition_fields.clone())
            .build();
        let full_schema = scan_schema.table_schema().clone();
        let scan_indices = spec
            .schema
            .fields()
            .iter()
            .map(|field| full_schema.index_of(field.name()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(LakeError::arrow(name))?;
        let listed = snapshot.listed().clone();
        // The batches of a log have their own numbers of partitions.
        let mut numbers: HashMap<&PartitionValues, u32> = HashMap::new();
        let mut distinct: Vec<&PartitionValues> = Vec::new();
        let mut by_batch: Vec<Vec<Option<u32>>> =
            listed.batches().map(|values| vec![None; values.len()]).collect();
        let mut partitions = Vec::with_capacity(snapshot.positions().len());
        for &at in snapshot.positions().iter() {
            let number = &mut by_batch[at.batch()][listed.partition(at)];
            partitions.push(*number.get_or_insert_with(|| {
                let values = listed.values(at);
                *numbers.entry(values).or_insert_with(|| {
                    distinct.push(values);
                    u32::try_from(distinct.len() - 1).unwrap_or(u32::MAX)
                })
            }));
        }
        let partition_rows = partition_rows(&partition_fields, &distinct).map_err(refuse)?;
        Ok(Self {
            root: snapshot.root().clone(),
            version: snapshot.version(),
            schema: spec.schema.clone(),
            spec,
            scan_schema,
            scan_indices,
            files: snapshot.positions().clone(),
            partitions: partitions.into(),
            partition_rows,
            kept: Arc::default(),
            listed,
        })
    }

    /// Returns this table with `schema`, which may omit members of structs, also of structs in lists: they are not
    /// read.
    #[must_use]
    pub fn narrowed(&self, schema: SchemaRef) -> Self {
        let stored = self.scan_schema.file_schema().fields().iter();
        let stored = stored.map(|field| match schema.column_with_name(field.name()) {
            Some((_, narrowed)) => Arc::new(narrowed.clone()),
            None => field.clone(),
        });
        let scan_schema = TableSchema::builder(Arc::new(Schema::new(stored.collect::<Vec<_>>())))
            .with_table_partition_cols(self.scan_schema.table_partition_cols().clone())
            .build();
        Self { schema, scan_schema, ..self.clone() }
    }

    /// Returns the version of the Delta table that is read.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// Returns the files in these partitions that may have rows for the other filters.
    fn select(
        &self,
        pruning: &Pruning,
        is_kept: impl Fn(u32) -> bool,
    ) -> Result<Selected, LakeError> {
        let mut in_partitions = Vec::new();
        for (index, partition) in self.partitions.iter().enumerate() {
            if is_kept(*partition) {
                in_partitions.push(index);
            }
        }
        let mut selected = Selected::default();
        for indices in in_partitions.chunks(FILES_AT_A_TIME) {
            let files = self.with_statistics(indices)?;
            let schema = self.scan_schema.table_schema();
            let statistics = files.iter().filter_map(|file| file.statistics.clone()).collect();
            let statistics = FileStatistics::new(schema.clone(), statistics);
            let keep = pruning.prune(&statistics).map_err(self.refuse())?;
            let kept = files.into_iter().zip(keep).filter(|(_, keep)| *keep);
            let kept = kept.map(|(file, _)| file).collect();
            selected.add(kept, schema).map_err(self.refuse())?;
        }
        Ok(selected)
    }

    fn refuse(&self) -> impl Fn(DataFusionError) -> LakeError + use<> {
        let table = self.spec.name;
        move |error| LakeError::Unsupported { table, detail: error.strip_backtrace() }
    }

    /// Returns files with their statistics, by their indices.
    fn with_statistics(&self, indices: &[usize]) -> Result<Vec<PartitionedFile>, LakeError> {
        let mut found: Vec<Option<PartitionedFile>> = {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            indices.iter().map(|index| kept.get(index).cloned()).collect()
        };
        let missing: Vec<usize> =
            (0..indices.len()).filter(|place| found[*place].is_none()).collect();
        let positions: Vec<Position> =
            missing.iter().map(|place| self.files[indices[*place]]).collect();
        let stats = self.listed.stats(&self.spec, &self.root, &positions)?;
        let read = missing.par_iter().zip(stats).map(|(&place, stats)| {
            Ok((place, self.partitioned_file(indices[place], stats.as_deref())?))
        });
        let read = read.collect::<Result<Vec<_>, LakeError>>()?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, file) in read {
            if kept.len() < KEPT_FILES {
                kept.insert(indices[place], file.clone());
            }
            found[place] = Some(file);
        }
        Ok(found.into_iter().flatten().collect())
    }

    fn partitioned_file(
        &self,
        index: usize,
        stats: Option<&str>,
    ) -> Result<PartitionedFile, LakeError> {
        let at = self.files[index];
        let path = self.listed.path(at);
        let stats = stats.map(|text| FileStats::parse(&self.spec, path, text)).transpose()?;
        let row = self.partitions[index] as usize;
        let columns = self.partition_rows.columns().iter();
        let values = columns.map(|column| ScalarValue::try_from_array(column, row));
        let values: Vec<ScalarValue> = values.collect::<Result<_>>().map_err(self.refuse())?;
        let location = self.root.object(path).map_err(|error| LakeError::Unsupported {
            table: self.spec.name,
            detail: error.to_string(),
        })?;
        let modified = self.listed.modified(at);
        let meta = ObjectMeta {
            location,
            last_modified: DateTime::from_timestamp_millis(modified).unwrap_or_default(),
            size: self.listed.size(at),
            e_tag: None,
            version: None,
        };
        let statistics = statistics(meta.size, stats.as_ref(), &self.spec, &values);
        let mut file = PartitionedFile::new_from_meta(meta).with_partition_values(values);
        // Not with `with_statistics`, which assumes that partition values are never null.
        file.statistics = Some(Arc::new(statistics));
        Ok(file)
    }
}

/// The files of a scan, and their statistics together.
#[derive(Default)]
struct Selected {
    files: Vec<PartitionedFile>,
    statistics: Option<Statistics>,
}

impl Selected {
    fn add(&mut self, files: Vec<PartitionedFile>, schema: &SchemaRef) -> Result<()> {
        if files.is_empty() {
            return Ok(());
        }
        let added = files.iter().filter_map(|file| file.statistics.as_deref());
        let merged = Statistics::try_merge_iter(self.statistics.iter().chain(added), schema)?;
        self.statistics = Some(merged);
        let is_many = self.files.len() + files.len() > KEPT_FILES;
        self.files.extend(files);
        if is_many {
            // They would only spare opening files while the query runs.
            self.files.iter_mut().for_each(|file| file.statistics = None);
        }
        Ok(())
    }
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = filters.iter().map(|filter| {
            if is_partition_filter(filter, self.spec.partition_columns) {
                TableProviderFilterPushDown::Exact
            } else {
                TableProviderFilterPushDown::Inexact
            }
        });
        Ok(support.collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let columns = self.spec.partition_columns;
        let partitions = matching_partitions(state, filters, columns, &self.partition_rows)?;
        let full_schema = self.scan_schema.table_schema();
        let pruning = Pruning::new(state, filters, columns, full_schema)?;
        let table = self.clone();
        // Reads the log.
        let select = move || table.select(&pruning, |partition| partitions[partition as usize]);
        let selected = tokio::task::spawn_blocking(select).await;
        let selected = selected.map_err(|error| DataFusionError::External(error.into()))?;
        let Selected { files, statistics } =
            selected.map_err(|error| DataFusionError::External(error.into()))?;
        let columns: Vec<usize> = match projection {
            Some(columns) => columns.iter().map(|&column| self.scan_indices[column]).collect(),
            None => self.scan_indices.clone(),
        };
        let Some(statistics) = statistics else {
            let schema = self.scan_schema.table_schema().project(&columns)?;
            return Ok(Arc::new(EmptyExec::new(Arc::new(schema))));
        };
        let options = TableParquetOptions {
            global: state.config_options().execution.parquet.clone(),
            ..TableParquetOptions::default()
        };
        let pushdown = PUSHDOWN_FILTERS || options.global.pushdown_filters;
        // Queries often read a file more than once, and its footer takes as long as a column.
        let url = register(&self.root, state.runtime_env())?;
        let runtime = state.runtime_env();
        let footers = runtime.cache_manager.get_file_metadata_cache();
        let readers = CachedParquetFileReaderFactory::new(runtime.object_store(&url)?, footers);
        // The optimizer passes the filters to the source, so they are not repeated here.
        let source = ParquetSource::new(self.scan_schema.clone())
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::new(readers))
            .with_pushdown_filters(pushdown);
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(groups(files, state.config().target_partitions()))
            .with_statistics(statistics)
            .with_projection_indices(Some(columns))?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

/// Distributes files over as many groups as are read at the same time, of about equal size.
fn groups(mut files: Vec<PartitionedFile>, target: usize) -> Vec<FileGroup> {
    let count = target.clamp(1, files.len().max(1));
    files.sort_by_key(|file| std::cmp::Reverse(file.object_meta.size));
    let mut groups: Vec<(u64, Vec<PartitionedFile>)> = vec![(0, Vec::new()); count];
    for file in files {
        if let Some(smallest) = groups.iter_mut().min_by_key(|(size, _)| *size) {
            smallest.0 += file.object_meta.size;
            smallest.1.push(file);
        }
    }
    groups.into_iter().map(|(_, files)| FileGroup::new(files)).collect()
}

fn partition_fields(spec: &TableSpec) -> Result<Vec<FieldRef>, arrow::error::ArrowError> {
    spec.partition_columns
        .iter()
        .map(|column| Ok(spec.schema.fields()[spec.schema.index_of(column)?].clone()))
        .collect()
}

/// Makes the store of a table known to a session. Returns its URL there.
pub(crate) fn register(root: &Folder, runtime: &RuntimeEnv) -> Result<ObjectStoreUrl> {
    let url = root.store().url();
    if url.scheme() == "file" {
        return Ok(ObjectStoreUrl::local_filesystem());
    }
    let url = ObjectStoreUrl::parse(&url[..url::Position::BeforePath])?;
    runtime.register_object_store(url.as_ref(), root.store().objects().clone());
    Ok(url)
}

/// Returns the statistics of a file's columns, including those in its directory name.
fn statistics(
    size: u64,
    stats: Option<&FileStats>,
    spec: &TableSpec,
    values: &[ScalarValue],
) -> Statistics {
    let rows = stats.and_then(|stats| usize::try_from(stats.num_records?).ok());
    let num_rows = rows.map_or(Precision::Absent, Precision::Exact);
    let fields = spec.schema.fields().iter();
    let stored = fields.filter(|field| !spec.is_partition_column(field.name()));
    let stored = stored.map(|field| match stats {
        Some(stats) => stats.column(field),
        None => ColumnStatistics::new_unknown(),
    });
    let named = values.iter().map(|value| ColumnStatistics {
        null_count: if value.is_null() { num_rows } else { Precision::Exact(0) },
        min_value: if value.is_null() {
            Precision::Absent
        } else {
            Precision::Exact(value.clone())
        },
        max_value: if value.is_null() {
            Precision::Absent
        } else {
            Precision::Exact(value.clone())
        },
        ..ColumnStatistics::new_unknown()
    });
    Statistics {
        num_rows,
        total_byte_size: usize::try_from(size).map_or(Precision::Absent, Precision::Inexact),
        column_statistics: stored.chain(named).collect(),
    }
}

/// Returns the values of partitions as columns.
fn partition_rows(fields: &[FieldRef], values: &[&PartitionValues]) -> Result<RecordBatch> {
    let schema = Arc::new(Schema::new(fields.to_vec()));
    let columns = fields
        .iter()
        .enumerate()
        .map(|(index, field)| {
            if values.is_empty() {
                return Ok(arrow::array::new_empty_array(field.data_type()));
            }
            let typed = values.iter().map(|values| {
                let value = values.get(index).and_then(Option::as_deref);
                partition::typed(value, field.data_type())
            });
            ScalarValue::iter_to_array(typed.collect::<Result<Vec<_>>>()?)
        })
        .collect::<Result<Vec<_>>>()?;
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(values.len()));
    Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
}
