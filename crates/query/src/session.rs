//! A session: the views of one scope, over one pinned version of the lake.

mod bounds;
mod diagnose;
mod functions;
mod lazy_views;
mod memory_pool;
mod scan;
mod statement;
mod tables;
mod version;

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use datafusion::catalog::{MemTable, MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::common::DataFusionError;
use datafusion::dataframe::DataFrame;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::memory_pool::TrackConsumersPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use podtrail_event::{finding_schema, mark_stages, quarantine_schema};
use podtrail_lake::{Lake, Snapshot};

use crate::cached::Cache;
use crate::error::QueryError;
use crate::functions::json::JsonPlanner;
use crate::functions::register;
use crate::narrow::NarrowStructs;
use crate::scope::{Scope, instant_sql};
use crate::views::{
    self, BASE_VIEWS, EVER_SUFFIX, FINDINGS, HIDDEN_VIEWS, HISTORY, KNOWN_SUFFIX, QUARANTINE, VIEWS,
};

use lazy_views::{Kind, LazyViews, Rows};
use memory_pool::SpillFirstPool;

pub(crate) use diagnose::nearest;
pub use functions::FunctionDoc;
pub use scan::{Optimized, Prepared, ScanSize};
pub use statement::{Permission, Permissions, Planned, Statement, is_complete, parse};
pub use tables::{ColumnDoc, TableDoc};
pub use version::LakeVersion;

/// Memory for the footers of files, in bytes, beyond the other limits: enough for ten million compacted events.
const FOOTERS: usize = 128 << 20;

/// The number of operators that an out-of-memory error names, those with the most memory.
const CONSUMERS_TOLD: NonZero<usize> = NonZero::<usize>::MIN.saturating_add(4);

/// The resource limits of a session.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Memory of all operators together, in bytes; sorts and aggregates that exceed it spill to disk.
    pub memory: usize,
    /// The number of partitions that run in parallel; `None` means one per core.
    pub partitions: Option<usize>,
    /// Memory for cached rows of views, in bytes, in addition to `memory`: a view is then read once for all queries.
    /// Each query runs in one partition, so run as many in parallel as there are cores.
    pub cache: usize,
    /// The time limit of each query; `None` for no limit.
    pub time: Option<Duration>,
}

impl Limits {
    /// The default memory of a hunt, in bytes.
    pub const HUNT: usize = 3 << 30;

    /// Returns limits for hundreds of queries over one session, with this number of bytes: half of them cache rows of
    /// views.
    pub fn for_hunt(memory: usize) -> Self {
        let cache = memory / 2;
        Self { memory: memory - cache, cache, ..Self::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 2 << 30, partitions: None, cache: 0, time: None }
    }
}

/// The views of one scope. All queries of a session see the same version of the lake.
#[derive(Clone)]
pub struct Session {
    context: SessionContext,
    scope: Scope,
    cache: Option<Arc<Cache>>,
    time: Option<Duration>,
}

impl Session {
    /// Opens a session over the newest version of `lake`, which is read when a query first needs it.
    ///
    /// # Errors
    /// Returns an error only if a built-in view fails to plan, which is a bug.
    pub fn open(lake: &Lake, scope: Scope, limits: Limits) -> Result<Self, QueryError> {
        LakeVersion::newest(lake).session(scope, limits)
    }

    /// Opens a session over a version of the events of `lake`, or some of its files.
    ///
    /// # Errors
    /// If a partition value does not have the type of its column.
    pub fn open_at(
        lake: &Lake,
        events: &Snapshot,
        scope: Scope,
        limits: Limits,
    ) -> Result<Self, QueryError> {
        LakeVersion::of(lake, events)?.session(scope, limits)
    }

    /// Opens a session over recorded findings only: the views `findings` and `findings_log`.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub fn over_findings(findings: &Snapshot) -> Result<Self, QueryError> {
        let tables = [("findings", findings.provider()?)];
        Self::over_tables(tables, Scope::default(), Limits::default())
    }

    /// Opens a session over an empty lake, for the documentation of its tables and functions.
    ///
    /// # Errors
    /// Returns an error only if a built-in view fails to plan, which is a bug.
    pub fn empty() -> Result<Self, QueryError> {
        let no_rows = |schema| -> Result<Arc<dyn TableProvider>, QueryError> {
            Ok(Arc::new(MemTable::try_new(schema, vec![Vec::new()])?))
        };
        let tables = [
            ("events", no_rows(podtrail_event::schema())?),
            ("quarantine", no_rows(quarantine_schema())?),
            ("findings", no_rows(finding_schema())?),
        ];
        Self::over_tables(tables, Scope::default(), Limits::default())
    }

    /// Opens a session over events in memory, in batches of [`podtrail_event::schema`].
    ///
    /// # Errors
    /// If the batches have another schema.
    pub fn in_memory(
        batches: &[RecordBatch],
        scope: Scope,
        limits: Limits,
    ) -> Result<Self, QueryError> {
        let batches = mark_stages(batches).map_err(DataFusionError::from)?;
        let events = MemTable::try_new(podtrail_event::schema(), vec![batches])?;
        Self::over_tables([("events", Arc::new(events) as _)], scope, limits)
    }

    fn over_tables<const N: usize>(
        tables: [(&str, Arc<dyn TableProvider>); N],
        scope: Scope,
        limits: Limits,
    ) -> Result<Self, QueryError> {
        let schema = MemorySchemaProvider::new();
        for (name, table) in tables {
            schema.register_table(name.to_owned(), table)?;
        }
        let tables: Arc<dyn SchemaProvider> = Arc::new(schema);
        Self::over(&tables, scope, limits)
    }

    /// Opens a session over the tables of a lake that exist: `events`, `quarantine` and `findings`.
    fn over(
        tables: &Arc<dyn SchemaProvider>,
        scope: Scope,
        limits: Limits,
    ) -> Result<Self, QueryError> {
        let context = context(limits)?;
        let state = context.state();
        let cache = (limits.cache > 0).then(|| Arc::new(Cache::new(state, limits.cache)));
        if cache.is_some() {
            let context = context.state_ref();
            context.write().config_mut().options_mut().execution.target_partitions = 1;
        }
        let session = Self { context, scope, cache, time: limits.time };
        session.define(tables)?;
        Ok(session)
    }

    /// Defines the views of the existing tables.
    fn define(&self, tables: &Arc<dyn SchemaProvider>) -> Result<(), QueryError> {
        let mut views = LazyViews::over(tables.clone(), self.cache.clone());
        let all = |name| Rows::Table { name, predicate: None };
        if tables.table_exist("events") {
            self.define_events(&mut views);
        }
        if tables.table_exist("quarantine") {
            views.add("quarantine_log".to_owned(), all("quarantine"), Kind::Hidden);
            views.add("quarantine".to_owned(), Rows::Query(QUARANTINE.to_owned()), Kind::Inlined);
        }
        if tables.table_exist("findings") {
            views.add("findings_log".to_owned(), all("findings"), Kind::Inlined);
            views.add("findings".to_owned(), Rows::Query(FINDINGS.to_owned()), Kind::Inlined);
        }
        Ok(views.show_in(&self.context.state())?)
    }

    /// Defines every view of events for the scope, and with the suffix `_history` for the look-back before it.
    fn define_events(&self, lazy: &mut LazyViews) {
        let all_views = [BASE_VIEWS, HIDDEN_VIEWS, VIEWS].concat();
        let from = self.scope.from.map(instant_sql);
        let from = from.as_deref().unwrap_or("NULL");
        // The look-back covers everything known before the scope.
        let (ever, history) = (self.scope.ever_predicate(), self.scope.history_predicate());
        for (suffix, predicate, views, known, ever, from) in [
            (EVER_SUFFIX, ever, BASE_VIEWS, EVER_SUFFIX, EVER_SUFFIX, "NULL"),
            (
                KNOWN_SUFFIX,
                self.scope.known_predicate(),
                BASE_VIEWS,
                KNOWN_SUFFIX,
                EVER_SUFFIX,
                "NULL",
            ),
            ("", self.scope.predicate(), &all_views, KNOWN_SUFFIX, EVER_SUFFIX, from),
            ("_history", Some(history), &all_views, "_history", "_history", "NULL"),
        ] {
            let rows = Rows::Table { name: "events", predicate };
            lazy.add(format!("lake{suffix}"), rows, Kind::Hidden);
            for (name, text) in views {
                let kind = match *name {
                    _ if matches!(suffix, KNOWN_SUFFIX | EVER_SUFFIX) => Kind::Hidden,
                    "patched_workload" | "patched_rbac" => Kind::Hidden,
                    "stages" => Kind::Inlined,
                    "events" => Kind::KeptByActivity,
                    _ => Kind::Kept,
                };
                let text = views::with_proxies(text, &self.scope.impersonation_proxies);
                let sql = views::sql(&text, suffix, known, ever, from);
                lazy.add(format!("{name}{suffix}"), Rows::Query(sql), kind);
            }
        }
    }

    /// Returns the time limit of each query, which the caller enforces.
    pub fn time(&self) -> Option<Duration> {
        self.time
    }

    /// Returns the scope of the views.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Plans one read-only statement.
    ///
    /// # Errors
    /// If the statement is invalid, too large or not a query; nothing is written and no session setting changes.
    pub async fn sql(&self, sql: &str) -> Result<DataFrame, QueryError> {
        let mut statements = bounds::parse(sql)?;
        let (Some(statement), true) = (statements.pop(), statements.is_empty()) else {
            return Err(QueryError::Syntax("one statement is read at a time".to_owned()));
        };
        let plan = self.plan_of(statement).await?;
        let read_only = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        read_only.verify_plan(&plan)?;
        Ok(self.context.execute_logical_plan(plan).await?)
    }

    /// Adds a view `name` for queries of this session, replacing a view of that name. If its SQL contains
    /// `{history}`, it is added for the scope and, as `name_history`, for the look-back before it.
    ///
    /// # Errors
    /// If the SQL is invalid or not a query.
    pub async fn add_view(&self, name: &str, sql: &str) -> Result<(), QueryError> {
        let suffixes: &[&str] = if sql.contains(HISTORY) { &["", "_history"] } else { &[""] };
        for suffix in suffixes {
            let name = format!("{name}{suffix}");
            let view = self.sql(&sql.replace(HISTORY, suffix)).await?;
            self.context.deregister_table(&name)?;
            self.context.register_table(name, Kind::Kept.table(view, self.cache.as_ref()))?;
        }
        Ok(())
    }

    /// Adds a table `name` of rows in memory for queries of this session, replacing a table of that name.
    ///
    /// # Errors
    /// If the name is not a table name.
    pub fn add_table(&self, name: &str, batch: RecordBatch) -> Result<(), QueryError> {
        self.context.deregister_table(name)?;
        self.context.register_batch(name, batch)?;
        Ok(())
    }

    /// Adds all rows of a snapshot as the table `name` for queries of this session, replacing a table of that name.
    ///
    /// # Errors
    /// If the snapshot cannot be read, or the name is not a table name.
    pub fn add_snapshot(&self, name: &str, snapshot: &Snapshot) -> Result<(), QueryError> {
        self.context.deregister_table(name)?;
        self.context.register_table(name, snapshot.provider()?)?;
        Ok(())
    }
}

fn context(limits: Limits) -> Result<SessionContext, QueryError> {
    // With view types, the type of a column would depend on the engine that reads it.
    let mut config = SessionConfig::new()
        .with_information_schema(true)
        .set_bool("datafusion.execution.parquet.schema_force_view_types", false)
        .set_bool("datafusion.sql_parser.map_string_types_to_utf8view", false)
        // The generic dialect parses `date, cluster` as a trailing comma before a CLUSTER BY clause.
        .set_str("datafusion.sql_parser.dialect", "postgresql")
        // In DataFusion 55.2 this rule fails on struct fields above a join of two views of one table
        // (push_down_leaf_projections: ambiguous reference).
        .set_bool("datafusion.optimizer.enable_leaf_expression_pushdown", false)
        // A hunt plans hundreds of queries. The third pass only confirms that the second changed nothing.
        .set_usize("datafusion.optimizer.max_passes", 2);
    if let Some(partitions) = limits.partitions {
        config = config.with_target_partitions(partitions);
    }
    // Operators use some memory that they do not request.
    let pool = SpillFirstPool::new(limits.memory / 10 * 9);
    let pool = TrackConsumersPool::new(pool, CONSUMERS_TOLD);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(pool))
        .with_metadata_cache_limit(FOOTERS)
        .build_arc()?;
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features();
    // It precedes the engine's planners, which accept field access and subscripts of any type.
    state.expr_planners().get_or_insert_default().insert(0, Arc::new(JsonPlanner));
    let context = SessionContext::new_with_state(state.build());
    context.add_optimizer_rule(Arc::new(NarrowStructs));
    register(&context)?;
    Ok(context)
}
