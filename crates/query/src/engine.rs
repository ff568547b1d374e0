//! Where queries run: in this process, or as another crate implements it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};

/// A query that is ready to run in this process, with what another engine needs to plan it differently.
pub struct PlannedQuery {
    /// The optimized query.
    pub query: LogicalPlan,
    /// The plan for this process.
    pub local: Arc<dyn ExecutionPlan>,
    /// The functions, tables and settings of the session.
    pub state: SessionState,
}

impl PlannedQuery {
    /// Starts the query in this process; dropping the stream cancels it.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn run_locally(&self) -> Result<SendableRecordBatchStream, DataFusionError> {
        execute_stream(self.local.clone(), self.state.task_ctx())
    }
}

/// Runs the queries of sessions.
#[async_trait]
pub trait QueryEngine: fmt::Debug + Send + Sync {
    /// Starts a query; dropping the stream cancels it.
    ///
    /// # Errors
    /// If it cannot be planned or started. The stream ends with an error, never early, if the query fails later.
    async fn start(
        &self,
        query: PlannedQuery,
    ) -> Result<SendableRecordBatchStream, DataFusionError>;

    /// Returns whether every part of a plan runs in this process.
    fn is_local(&self) -> bool {
        false
    }
}

/// Runs queries in this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalEngine;

#[async_trait]
impl QueryEngine for LocalEngine {
    async fn start(
        &self,
        query: PlannedQuery,
    ) -> Result<SendableRecordBatchStream, DataFusionError> {
        query.run_locally()
    }

    fn is_local(&self) -> bool {
        true
    }
}
