//! A session: the views of one scope, over one pinned version of the lake.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::provider_as_source;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::{JoinType, LogicalPlanBuilder};
use datafusion::prelude::{Expr, SessionConfig, SessionContext, col};
use podtrail_lake::{Lake, Snapshot};

use crate::error::QueryError;
use crate::functions;
use crate::scope::Scope;
use crate::views::{self, BASE_VIEWS, FINDINGS, HISTORY, KNOWN_SUFFIX, VIEWS};

/// What a session may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Memory of all operators together, in bytes; sorts and aggregates spill to disk above it.
    pub memory: usize,
    /// Partitions that run side by side; `None` is one a core.
    pub partitions: Option<usize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 2 << 30, partitions: None }
    }
}

/// The views of one scope. All queries of a session see the same version of the lake.
pub struct Session {
    context: SessionContext,
    scope: Scope,
}

impl Session {
    /// A session over the newest version of `lake`.
    ///
    /// # Errors
    /// When the lake cannot be read.
    pub async fn open(lake: &Lake, scope: Scope, limits: Limits) -> Result<Self, QueryError> {
        let events = lake.events().await?;
        Box::pin(Self::open_at(lake, &events, scope, limits)).await
    }

    /// A session over a version of the events of `lake`, or some of its files.
    ///
    /// # Errors
    /// When the lake cannot be read.
    pub async fn open_at(
        lake: &Lake,
        events: &Snapshot,
        scope: Scope,
        limits: Limits,
    ) -> Result<Self, QueryError> {
        let quarantine = lake.quarantine().await?.provider()?;
        let findings = lake.findings().await?.rows;
        let session = Box::pin(Self::over(events.provider()?, scope, limits)).await?;
        session.define_quarantine(quarantine)?;
        session.define_findings(&findings).await?;
        Ok(session)
    }

    /// A session over recorded findings alone: the views `findings` and `findings_log`.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn over_findings(findings: &Snapshot) -> Result<Self, QueryError> {
        let session = Self { context: context(Limits::default())?, scope: Scope::default() };
        session.define_findings(findings).await?;
        Ok(session)
    }

    /// A session over events in memory, in batches of [`podtrail_event::schema`].
    ///
    /// # Errors
    /// When the batches have another schema.
    pub async fn in_memory(batches: Vec<RecordBatch>, scope: Scope) -> Result<Self, QueryError> {
        let events = MemTable::try_new(podtrail_event::schema(), vec![batches])?;
        Box::pin(Self::over(Arc::new(events), scope, Limits::default())).await
    }

    async fn over(
        events: Arc<dyn TableProvider>,
        scope: Scope,
        limits: Limits,
    ) -> Result<Self, QueryError> {
        let context = context(limits)?;
        let session = Self { context, scope };
        session.define(events).await?;
        Ok(session)
    }

    /// Registers every view for the scope, and with the suffix `_history` for the look-back before it.
    async fn define(&self, events: Arc<dyn TableProvider>) -> Result<(), QueryError> {
        let all_views = [BASE_VIEWS, VIEWS].concat();
        self.scan(events.clone(), self.scope.known_predicate(), KNOWN_SUFFIX)?;
        self.add_views(BASE_VIEWS, KNOWN_SUFFIX, KNOWN_SUFFIX, "NULL").await?;
        let from = self.scope.from.map(|from| format!("TIMESTAMP '{}'", from.to_rfc3339()));
        self.scan(events.clone(), self.scope.predicate(), "")?;
        self.add_views(&all_views, "", KNOWN_SUFFIX, from.as_deref().unwrap_or("NULL")).await?;
        // The look-back is all that is known before the scope.
        self.scan(events, Some(self.scope.history_predicate()), "_history")?;
        self.add_views(&all_views, "_history", "_history", "NULL").await?;
        // Views keep the plans that they are made of.
        for (name, _) in BASE_VIEWS {
            self.context.deregister_table(format!("{name}{KNOWN_SUFFIX}"))?;
        }
        for suffix in [KNOWN_SUFFIX, "", "_history"] {
            self.context.deregister_table(format!("lake{suffix}"))?;
        }
        Ok(())
    }

    /// Registers `lake`, its name followed by `suffix`: the events for which `predicate` holds.
    fn scan(
        &self,
        events: Arc<dyn TableProvider>,
        predicate: Option<Expr>,
        suffix: &str,
    ) -> Result<(), QueryError> {
        let mut plan = LogicalPlanBuilder::scan("lake", provider_as_source(events), None)?;
        if let Some(predicate) = predicate {
            plan = plan.filter(predicate)?;
        }
        let rows = DataFrame::new(self.context.state(), plan.build()?);
        self.context.register_table(format!("lake{suffix}"), rows.into_view())?;
        Ok(())
    }

    /// Registers views, their names followed by `suffix`.
    async fn add_views(
        &self,
        views: &[(&str, &str)],
        suffix: &str,
        known: &str,
        from: &str,
    ) -> Result<(), QueryError> {
        for (name, text) in views {
            let view = self.context.sql(&views::sql(text, suffix, known, from)).await?;
            self.context.register_table(format!("{name}{suffix}"), view.into_view())?;
        }
        Ok(())
    }

    /// Registers `quarantine`: every refused record, with the time at which it was released, if it was.
    fn define_quarantine(&self, rows: Arc<dyn TableProvider>) -> Result<(), QueryError> {
        let rows = LogicalPlanBuilder::scan("rows", provider_as_source(rows), None)?.build()?;
        let rows = DataFrame::new(self.context.state(), rows);
        let releases = rows.clone().filter(col("releases").is_not_null())?.select(vec![
            col("releases").alias("released"),
            col("quarantined_at").alias("released_at"),
        ])?;
        let records = rows.filter(col("releases").is_null())?.drop_columns(&["releases"])?;
        let view = records
            .join(releases, JoinType::Left, &["quarantine_id"], &["released"], None)?
            .drop_columns(&["released"])?;
        self.context.register_table("quarantine", view.into_view())?;
        Ok(())
    }

    /// Registers `findings_log`, every state of every finding, and `findings`, how each stands.
    async fn define_findings(&self, states: &Snapshot) -> Result<(), QueryError> {
        self.add_snapshot("findings_log", states)?;
        let view = self.context.sql(FINDINGS).await?;
        self.context.register_table("findings", view.into_view())?;
        Ok(())
    }

    /// What the views show.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Plans one read-only statement.
    ///
    /// # Errors
    /// When the statement is wrong, or is more than a query: nothing is written and no session setting changes.
    pub async fn sql(&self, sql: &str) -> Result<DataFrame, QueryError> {
        let read_only = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        Ok(self.context.sql_with_options(sql, read_only).await?)
    }

    /// Adds a view under `name`, for queries of this session. With `{history}` in its SQL it is added for the scope,
    /// and once more, as `name_history`, for the look-back before it; it replaces one of that name.
    ///
    /// # Errors
    /// When the SQL is wrong, or is more than a query.
    pub async fn add_view(&self, name: &str, sql: &str) -> Result<(), QueryError> {
        let suffixes: &[&str] = if sql.contains(HISTORY) { &["", "_history"] } else { &[""] };
        for suffix in suffixes {
            let name = format!("{name}{suffix}");
            let view = self.sql(&sql.replace(HISTORY, suffix)).await?;
            self.context.deregister_table(&name)?;
            self.context.register_table(name, view.into_view())?;
        }
        Ok(())
    }

    /// Adds a table of rows in memory under `name`, for queries of this session; it replaces one of that name.
    ///
    /// # Errors
    /// When the name is no table name.
    pub fn add_table(&self, name: &str, batch: RecordBatch) -> Result<(), QueryError> {
        self.context.deregister_table(name)?;
        self.context.register_batch(name, batch)?;
        Ok(())
    }

    /// Adds the rows of a snapshot, all of them, under `name`, for queries of this session; they replace a table of that
    /// name.
    ///
    /// # Errors
    /// When the snapshot cannot be read, or the name is no table name.
    pub fn add_snapshot(&self, name: &str, snapshot: &Snapshot) -> Result<(), QueryError> {
        self.context.deregister_table(name)?;
        self.context.register_table(name, snapshot.provider()?)?;
        Ok(())
    }
}

fn context(limits: Limits) -> Result<SessionContext, QueryError> {
    // View types would make a column's type depend on the engine that reads it.
    let mut config = SessionConfig::new()
        .with_information_schema(true)
        .set_bool("datafusion.execution.parquet.schema_force_view_types", false)
        .set_bool("datafusion.sql_parser.map_string_types_to_utf8view", false)
        // The generic dialect reads `date, cluster` as a trailing comma before a clause CLUSTER BY.
        .set_str("datafusion.sql_parser.dialect", "postgresql")
        // In DataFusion 55.2 this rule fails on struct members above a join of two views of one table
        // (push_down_leaf_projections: ambiguous reference).
        .set_bool("datafusion.optimizer.enable_leaf_expression_pushdown", false);
    if let Some(partitions) = limits.partitions {
        config = config.with_target_partitions(partitions);
    }
    let runtime = RuntimeEnvBuilder::new().with_memory_limit(limits.memory, 0.9).build_arc()?;
    let context = SessionContext::new_with_config_rt(config, runtime);
    functions::register(&context);
    Ok(context)
}
