//! Running queries, and measuring what they read.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result as EngineResult;
use datafusion::execution::{SessionState, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, collect, execute_stream};
use futures::{Stream, TryStreamExt};

use crate::cached::keep_columns_of;
use crate::error::QueryError;

/// A query that is optimized but not yet planned, so that its columns of views are known.
pub struct Optimized {
    state: SessionState,
    plan: LogicalPlan,
}

impl Optimized {
    /// Optimizes a query.
    ///
    /// # Errors
    /// If it cannot be planned.
    pub fn of(rows: DataFrame) -> Result<Self, QueryError> {
        let (state, plan) = rows.into_parts();
        let plan = state.optimize(&plan).map_err(QueryError::of)?;
        Ok(Self { state, plan })
    }

    /// Caches, of every cached view that these queries read, only the columns that they read. Only the first call
    /// counts for a view; later queries for other columns read the lake.
    ///
    /// # Errors
    /// If a view cannot be planned.
    pub fn keep_columns_of<'q>(
        queries: impl IntoIterator<Item = &'q Self>,
    ) -> Result<(), QueryError> {
        keep_columns_of(queries.into_iter().map(|query| &query.plan)).map_err(QueryError::of)
    }

    /// Runs the query.
    ///
    /// # Errors
    /// If it fails.
    pub async fn collect(self) -> Result<Vec<RecordBatch>, QueryError> {
        let planner = self.state.query_planner();
        let plan = planner.create_physical_plan(&self.plan, &self.state).await;
        let rows = collect(plan.map_err(QueryError::of)?, self.state.task_ctx());
        rows.await.map_err(QueryError::of)
    }
}

/// A query that is ready to run.
pub struct Prepared {
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
}

impl Prepared {
    /// Plans the execution of a query.
    ///
    /// # Errors
    /// If it cannot be planned.
    pub async fn of(rows: DataFrame) -> Result<Self, QueryError> {
        let context = Arc::new(rows.task_ctx());
        let plan = rows.create_physical_plan().await.map_err(QueryError::of)?;
        Ok(Self { plan, context })
    }

    /// Returns the schema of the result.
    pub fn schema(&self) -> SchemaRef {
        self.plan.schema()
    }

    /// Returns the size of the files that it opens.
    ///
    /// # Errors
    /// If the plan cannot be traversed.
    pub fn size(&self) -> Result<ScanSize, QueryError> {
        Ok(ScanSize::of(&self.plan)?)
    }

    /// Starts the query; dropping the stream cancels it.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn run(
        self,
    ) -> Result<impl Stream<Item = Result<RecordBatch, QueryError>> + Unpin, QueryError> {
        Ok(execute_stream(self.plan, self.context)?.map_err(QueryError::of))
    }
}

/// The files of the lake that a query opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanSize {
    /// The number of files.
    pub files: usize,
    /// The number of rows by their statistics; `None` if a file has none.
    pub rows: Option<u64>,
    /// Their size on disk, in bytes; columns that a query does not use are not read.
    pub bytes: u64,
}

impl ScanSize {
    /// Returns the size of the files that a plan opens, each counted once even if it is scanned repeatedly.
    fn of(plan: &Arc<dyn ExecutionPlan>) -> EngineResult<Self> {
        let mut files = HashMap::new();
        plan.apply(|node| {
            let source = node.downcast_ref::<DataSourceExec>();
            let config =
                source.and_then(|node| node.data_source().downcast_ref::<FileScanConfig>());
            let groups = config.iter().flat_map(|config| &config.file_groups);
            for file in groups.flat_map(FileGroup::iter) {
                let rows = file.statistics.as_ref().map_or(Precision::Absent, |s| s.num_rows);
                let rows = rows.get_value().and_then(|rows| u64::try_from(*rows).ok());
                files.insert(file.object_meta.location.clone(), (file.object_meta.size, rows));
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(Self {
            files: files.len(),
            rows: files.values().map(|(_, rows)| *rows).sum(),
            bytes: files.values().map(|(bytes, _)| bytes).sum(),
        })
    }
}
