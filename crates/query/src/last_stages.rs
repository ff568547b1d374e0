//! The last stages of the requests in a table of events, as a table.
//!
//! A scan reads the rows that are marked as last stages. Only if a file that it has to read contains undecided rows does
//! the plan also compare these with other stages ([`podtrail_lake::last_stages`]).

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, Result};
use datafusion::datasource::{TableType, provider_as_source};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, TableProviderFilterPushDown,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExecBuilder;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use podtrail_lake::{LakeTable, is_last, is_undecided, last_stages};

/// The table.
#[derive(Debug)]
pub(crate) struct LastStages {
    stages: Arc<dyn TableProvider>,
}

impl LastStages {
    /// Creates the table over a table of events.
    pub(crate) fn over(stages: Arc<dyn TableProvider>) -> Self {
        Self { stages }
    }

    /// Returns the table of events, if it is one of a lake.
    pub(crate) fn lake_table(&self) -> Option<&LakeTable> {
        self.stages.downcast_ref()
    }

    /// Returns whether a scan with these filters may find undecided rows.
    async fn has_undecided(&self, state: &dyn Session, filters: &[Expr]) -> Result<bool> {
        let filters = [filters, &[is_undecided()]].concat();
        let column = self.stages.schema().index_of(podtrail_lake::SUPERSEDED)?;
        let scan = self.stages.scan(state, Some(&vec![column]), &filters, None).await?;
        let statistics = StatisticsContext::new().compute(scan.as_ref(), &StatisticsArgs::new())?;
        let nulls = statistics.column_statistics.first().map(|column| column.null_count);
        Ok(statistics.num_rows != Precision::Exact(0) && nulls != Some(Precision::Exact(0)))
    }
}

#[async_trait]
impl TableProvider for LastStages {
    fn schema(&self) -> SchemaRef {
        self.stages.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        self.stages.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = self.schema();
        let all = || (0..schema.fields().len()).collect();
        let columns: Vec<usize> = projection.cloned().unwrap_or_else(all);
        if self.has_undecided(state, filters).await? {
            let source = provider_as_source(self.stages.clone());
            let plan = LogicalPlanBuilder::scan("events", source, None)?.build()?;
            return plan_part(last_stages(&plan)?, &columns, state, filters).await;
        }
        let superseded = schema.index_of(podtrail_lake::SUPERSEDED)?;
        let mut read = columns.clone();
        if !read.contains(&superseded) {
            read.push(superseded);
        }
        let filters = [filters, &[is_last()]].concat();
        let rows = self.stages.scan(state, Some(&read), &filters, None).await?;
        let is_last = state.create_physical_expr(is_last(), &DFSchema::try_from(rows.schema())?)?;
        let rows = FilterExecBuilder::new(is_last, rows)
            .apply_projection(Some((0..columns.len()).collect()))?
            .build()?;
        Ok(Arc::new(rows))
    }
}

/// Plans a part of a query: these columns of the rows of `plan` for which the filters hold.
///
/// It becomes a part of the query's plan, which is optimized as a whole: a plan that was optimized before may contain
/// joins whose sides can no longer be swapped.
pub(crate) async fn plan_part(
    plan: LogicalPlan,
    columns: &[usize],
    state: &dyn Session,
    filters: &[Expr],
) -> Result<Arc<dyn ExecutionPlan>> {
    let mut plan = LogicalPlanBuilder::from(plan);
    if let Some(filter) = conjunction(filters.iter().cloned()) {
        plan = plan.filter(filter)?;
    }
    let expressions =
        columns.iter().map(|&column| Expr::from(plan.schema().qualified_field(column)));
    let expressions: Vec<Expr> = expressions.collect();
    let plan = plan.project(expressions)?.build()?;
    let Some(state) = state.as_any().downcast_ref::<SessionState>() else {
        return state.create_physical_plan(&plan).await;
    };
    let plan = state.optimize(&plan)?;
    let bare = SessionStateBuilder::new_from_existing(state.clone())
        .with_physical_optimizer_rules(Vec::new())
        .build();
    // Not the planner of the session: one that distributes a query must see the whole of it.
    DefaultPhysicalPlanner::default().create_physical_plan(&plan, &bare).await
}
