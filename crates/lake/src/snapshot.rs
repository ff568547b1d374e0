//! One version of a table: which files it consists of, and what the log says about them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use deltalake::kernel::LogicalFileView;
use deltalake::table::state::DeltaTableState;

use crate::error::LakeError;
use crate::partition::PartitionValues;
use crate::protocol::check_readable;
use crate::provider::LakeTable;
use crate::spec::TableSpec;
use crate::stats::FileStats;

/// One active file of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct DataFile {
    /// Path relative to the table, with `/`, as it is on disk.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// When it was written, in milliseconds since the Unix epoch.
    pub modified: i64,
    /// Values of the partition columns in their order, as text; null where there is none.
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

/// The values of the partition columns of a file.
pub(crate) fn partition_values(spec: &TableSpec, file: &LogicalFileView) -> PartitionValues {
    let mut values = file.partition_values_map();
    let values_in_order =
        spec.partition_columns.iter().map(|&column| values.remove(column).flatten());
    values_in_order.map(|value| value.filter(|text| !text.is_empty())).collect()
}

/// A pinned version of a table. It stays readable while others append.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub(crate) spec: Arc<TableSpec>,
    root: PathBuf,
    version: i64,
    files: Vec<Arc<DataFile>>,
}

impl Snapshot {
    pub(crate) fn new(
        spec: Arc<TableSpec>,
        root: PathBuf,
        state: &DeltaTableState,
    ) -> Result<Self, LakeError> {
        check_readable(&spec, state)?;
        let mut files = Vec::new();
        for file in state.log_data().iter() {
            let refuse = |detail: String| LakeError::Unsupported { table: spec.name, detail };
            if file.deletion_vector_descriptor().is_some() {
                return Err(refuse(format!("rows of {} are marked as deleted", file.path())));
            }
            let file = DataFile::new(&file, partition_values(&spec, &file));
            if file.path.contains("://") || Path::new(&file.path).is_absolute() {
                return Err(refuse(format!("{} lies outside the table", file.path)));
            }
            files.push(Arc::new(file));
        }
        let version = i64::try_from(state.version()).unwrap_or(i64::MAX);
        Ok(Self { spec, root, version, files })
    }

    /// The version of the table, from 0.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// The directory of the table: absolute, without symbolic links.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// All columns, in table order, partition columns included.
    pub fn schema(&self) -> SchemaRef {
        self.spec.schema.clone()
    }

    /// The active files.
    pub fn files(&self) -> &[Arc<DataFile>] {
        &self.files
    }

    /// The number of rows by the statistics; `None` if a file has none.
    pub fn num_rows(&self) -> Option<u64> {
        self.files.iter().map(|file| file.stats.as_ref()?.num_records).sum()
    }

    /// The snapshot cut down to the files that an older one of the same table does not have.
    pub fn added_since(&self, older: &Self) -> Self {
        let known: HashSet<&str> = older.files.iter().map(|file| file.path.as_str()).collect();
        let files = self.files.iter().filter(|file| !known.contains(file.path.as_str()));
        Self { files: files.cloned().collect(), ..self.clone() }
    }

    /// A DataFusion table over the active files, with the columns in table order.
    ///
    /// # Errors
    /// If a partition value is not of its column's type.
    pub fn provider(&self) -> Result<Arc<dyn TableProvider>, LakeError> {
        Ok(Arc::new(LakeTable::try_new(self)?))
    }
}
