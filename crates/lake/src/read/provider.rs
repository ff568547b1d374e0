//! A DataFusion table over the files of a snapshot.
//!
//! A scan becomes a plain `DataSourceExec` over Parquet files that are selected before the plan is made. It consists of
//! built-in nodes only, which can be sent to other processes. `EXPLAIN` lists the files.

use std::sync::Arc;

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
use url::Position;

use crate::error::LakeError;
use crate::log::snapshot::{DataFile, Snapshot};
use crate::partition;
use crate::read::prune::{FileStatistics, is_partition_filter, prune};
use crate::spec::TableSpec;
use crate::store::Folder;

/// Filters are evaluated while a file is decoded, so that bodies are decoded for matching rows only.
pub const PUSHDOWN_FILTERS: bool = true;

/// The files of a snapshot as a table, with the columns in the order of the snapshot's schema.
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
    files: Arc<[PartitionedFile]>,
    /// One row per file.
    partitions: RecordBatch,
    statistics: Arc<FileStatistics>,
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
        let mut files = Vec::with_capacity(snapshot.files().len());
        for file in snapshot.files() {
            let file = partitioned_file(snapshot.root(), file, &scan_schema, &partition_fields);
            files.push(file.map_err(refuse)?);
        }
        let partitions = partition_rows(&partition_fields, &files).map_err(refuse)?;
        let statistics = files.iter().filter_map(|file| file.statistics.clone()).collect();
        let statistics = Arc::new(FileStatistics::new(full_schema, statistics));
        let (version, root) = (snapshot.version(), snapshot.root().clone());
        let schema = spec.schema.clone();
        let files = files.into();
        Ok(Self {
            spec,
            root,
            version,
            schema,
            scan_schema,
            scan_indices,
            files,
            partitions,
            statistics,
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

    /// Returns the files that a scan without filters reads.
    pub fn files(&self) -> &[PartitionedFile] {
        &self.files
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
        let keep =
            prune(state, filters, self.spec.partition_columns, &self.partitions, &self.statistics)?;
        let files: Vec<PartitionedFile> = self
            .files
            .iter()
            .zip(keep)
            .filter(|(_, keep)| *keep)
            .map(|(file, _)| file.clone())
            .collect();
        let columns: Vec<usize> = match projection {
            Some(columns) => columns.iter().map(|&column| self.scan_indices[column]).collect(),
            None => self.scan_indices.clone(),
        };
        if files.is_empty() {
            let schema = self.scan_schema.table_schema().project(&columns)?;
            return Ok(Arc::new(EmptyExec::new(Arc::new(schema))));
        }
        let full_schema = self.scan_schema.table_schema();
        let statistics = files.iter().filter_map(|file| file.statistics.as_deref());
        let statistics = Statistics::try_merge_iter(statistics, full_schema)?;
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
    let url = ObjectStoreUrl::parse(&url[..Position::BeforePath])?;
    runtime.register_object_store(url.as_ref(), root.store().objects().clone());
    Ok(url)
}

fn partitioned_file(
    root: &Folder,
    file: &DataFile,
    schema: &TableSchema,
    partition_fields: &[FieldRef],
) -> Result<PartitionedFile> {
    let values = file
        .partition_values
        .iter()
        .zip(partition_fields)
        .map(|(value, field)| partition::typed(value.as_deref(), field.data_type()))
        .collect::<Result<Vec<_>>>()?;
    let location =
        root.object(&file.path).map_err(|error| DataFusionError::External(error.into()))?;
    let meta = ObjectMeta {
        location,
        last_modified: DateTime::from_timestamp_millis(file.modified).unwrap_or_default(),
        size: file.size,
        e_tag: None,
        version: None,
    };
    let statistics = statistics(file, schema, &values);
    let mut partitioned = PartitionedFile::new_from_meta(meta).with_partition_values(values);
    // Not with `with_statistics`, which assumes that partition values are never null.
    partitioned.statistics = Some(Arc::new(statistics));
    Ok(partitioned)
}

/// Returns the statistics of a file's columns, including those in its directory name.
fn statistics(file: &DataFile, schema: &TableSchema, values: &[ScalarValue]) -> Statistics {
    let stats = file.stats.as_ref();
    let rows = stats.and_then(|stats| usize::try_from(stats.num_records?).ok());
    let num_rows = rows.map_or(Precision::Absent, Precision::Exact);
    let stored = schema.file_schema().fields().iter().map(|field| match stats {
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
        total_byte_size: usize::try_from(file.size).map_or(Precision::Absent, Precision::Inexact),
        column_statistics: stored.chain(named).collect(),
    }
}

/// Returns the partition values of all files as columns.
fn partition_rows(fields: &[FieldRef], files: &[PartitionedFile]) -> Result<RecordBatch> {
    let schema = Arc::new(Schema::new(fields.to_vec()));
    let columns = fields
        .iter()
        .enumerate()
        .map(|(index, field)| {
            if files.is_empty() {
                return Ok(arrow::array::new_empty_array(field.data_type()));
            }
            ScalarValue::iter_to_array(
                files.iter().map(|file| file.partition_values[index].clone()),
            )
        })
        .collect::<Result<Vec<_>>>()?;
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(files.len()));
    Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
}
