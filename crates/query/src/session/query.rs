//! The phases of a query, and the size of what it reads.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};
use serde::de::DeserializeOwned;

use crate::cached_views::keep_columns_of;
use crate::engine::{PlannedQuery, QueryEngine};
use crate::error::QueryError;
use crate::parameters::Parameters;

/// A planned query.
///
/// It runs alone, with [`prepare`](Self::prepare), or [`collect`](Self::collect) for all rows in memory, or together with others that read the
/// same views: [`optimize`](Self::optimize), then [`Optimized::share`].
pub struct Query {
    state: Box<SessionState>,
    plan: LogicalPlan,
    engine: Arc<dyn QueryEngine>,
}

impl fmt::Debug for Query {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Query").field(&self.plan).finish()
    }
}

impl Query {
    pub(super) fn of(rows: DataFrame, engine: Arc<dyn QueryEngine>) -> Self {
        let (state, plan) = rows.into_parts();
        Self { state: Box::new(state), plan, engine }
    }

    /// Returns the query with values for its parameters `$name`. Values that it does not use have no effect.
    ///
    /// # Errors
    /// If a parameter has no value, or a value has another type than the query needs.
    pub fn with_parameters(self, values: Parameters) -> Result<Self, QueryError> {
        let plan = self.plan.with_param_values(values.into_values()).map_err(QueryError::of)?;
        Ok(Self { plan, ..self })
    }

    /// Returns the schema of the result.
    pub fn schema(&self) -> SchemaRef {
        self.plan.schema().inner().clone()
    }

    /// Returns the plan, as the engine represents it before optimization.
    pub fn logical_plan(&self) -> &LogicalPlan {
        &self.plan
    }

    /// Optimizes the query, so that the columns that it reads of views are known.
    ///
    /// # Errors
    /// If it cannot be planned.
    pub fn optimize(self) -> Result<Optimized, QueryError> {
        let plan = self.state.optimize(&self.plan).map_err(QueryError::of)?;
        Ok(Optimized { state: self.state, plan, engine: self.engine })
    }

    /// Plans the execution of the query.
    ///
    /// # Errors
    /// If it cannot be planned.
    pub async fn prepare(self) -> Result<Prepared, QueryError> {
        self.optimize()?.prepare().await
    }

    /// Runs the query.
    ///
    /// # Errors
    /// If it fails.
    pub async fn collect(self) -> Result<Vec<RecordBatch>, QueryError> {
        self.prepare().await?.collect().await
    }

    /// Runs the query, and returns its rows as structs whose fields are named as the columns.
    ///
    /// # Errors
    /// If it fails, or a row does not have the fields of `T`.
    pub async fn rows<T: DeserializeOwned>(self) -> Result<Vec<T>, QueryError> {
        let mut rows = Vec::new();
        for batch in self.collect().await? {
            let read = serde_arrow::from_record_batch::<Vec<T>>(&batch);
            rows.extend(
                read.map_err(|error| QueryError::Sql(DataFusionError::External(error.into())))?,
            );
        }
        Ok(rows)
    }
}

/// An optimized query, the first phase of running queries together.
pub struct Optimized {
    state: Box<SessionState>,
    plan: LogicalPlan,
    engine: Arc<dyn QueryEngine>,
}

impl Optimized {
    /// Returns the plan, as the engine represents it.
    pub fn logical_plan(&self) -> &LogicalPlan {
        &self.plan
    }

    /// Lets queries of one session share the rows of its cached views: of each view, only the columns that these
    /// queries read are cached. A view keeps the columns that an earlier call decided.
    ///
    /// # Errors
    /// If a view cannot be planned.
    pub fn share<E>(queries: Vec<Result<Self, E>>) -> Result<Vec<Result<Shared, E>>, QueryError> {
        let plans = queries.iter().flatten().map(|query| &query.plan);
        keep_columns_of(plans).map_err(QueryError::of)?;
        Ok(queries.into_iter().map(|query| query.map(Shared)).collect())
    }

    async fn prepare(self) -> Result<Prepared, QueryError> {
        let planner = self.state.query_planner();
        let plan = planner.create_physical_plan(&self.plan, self.state.as_ref()).await;
        let local = plan.map_err(QueryError::of)?;
        let query = PlannedQuery { query: self.plan, local, state: *self.state };
        Ok(Prepared { query, engine: self.engine })
    }
}

/// A query that shares the rows of views with others.
pub struct Shared(Optimized);

impl Shared {
    /// Runs the query.
    ///
    /// # Errors
    /// If it fails.
    pub async fn collect(self) -> Result<Vec<RecordBatch>, QueryError> {
        self.0.prepare().await?.collect().await
    }
}

/// A query that is ready to run.
pub struct Prepared {
    query: PlannedQuery,
    engine: Arc<dyn QueryEngine>,
}

impl Prepared {
    /// Returns the schema of the result.
    pub fn schema(&self) -> SchemaRef {
        self.query.local.schema()
    }

    /// Returns the size of the files that it opens.
    ///
    /// # Errors
    /// If the plan cannot be traversed.
    pub fn size(&self) -> Result<ScanSize, QueryError> {
        Ok(ScanSize::of(&self.query.local)?)
    }

    /// Runs the query; dropping the stream cancels it. The stream ends with an error if the query fails.
    pub fn run(self) -> BoxStream<'static, Result<RecordBatch, QueryError>> {
        let Self { query, engine } = self;
        let start = async move { engine.start(query).await };
        stream::once(start).try_flatten().map_err(QueryError::of).boxed()
    }

    /// Runs the query, and returns all rows.
    ///
    /// # Errors
    /// If it fails.
    pub async fn collect(self) -> Result<Vec<RecordBatch>, QueryError> {
        self.run().try_collect().await
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
