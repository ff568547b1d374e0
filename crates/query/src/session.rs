//! A session: the views of one scope, over one pinned version of the lake.

mod bounds;
mod diagnose;
mod functions;
mod memory_pool;
mod query;
mod statement;
mod tables;
mod version;
mod views;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::catalog::{MemTable, MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::common::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::memory_pool::TrackConsumersPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use podtrail_event::{finding_schema, mark_superseded, quarantine_schema};
use podtrail_lake::{Lake, Snapshot};

use crate::cached_views::Cache;
use crate::engine::{LocalEngine, QueryEngine};
use crate::error::QueryError;
use crate::functions::json::JsonPlanner;
use crate::functions::register;
use crate::narrow_structs::NarrowStructs;
use crate::parameters::Parameters;
use crate::scope::{Scope, instant_sql};
use crate::views::{
    BASE_VIEWS, EVER_SUFFIX, FINDINGS, HIDDEN_VIEWS, HISTORY_SUFFIX, INCIDENT_VIEWS, KNOWN_SUFFIX,
    QUARANTINE, VIEWS, sql, with_proxies,
};

use memory_pool::SpillFirstPool;
use views::{Kind, Layer, Rows, Views, references, with_schema};

pub use functions::FunctionDoc;
pub use query::{Optimized, Prepared, Query, ScanSize, Shared};
pub use statement::{Planned, Statement, is_complete, parse};
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
    /// What queries can name.
    schema: Arc<dyn SchemaProvider>,
    scope: Scope,
    cache: Option<Arc<Cache>>,
    time: Option<Duration>,
    engine: Arc<dyn QueryEngine>,
    /// The number of partitions of a query that runs alone.
    cores: usize,
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
        let batches = mark_superseded(batches).map_err(DataFusionError::from)?;
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
        let cores = state.config().target_partitions();
        let cache = (limits.cache > 0).then(|| Arc::new(Cache::new(state, limits.cache)));
        if cache.is_some() {
            set_partitions(&context, 1);
        }
        let views = views_of(tables, &scope, cache.clone());
        let schema = views.into_schema(&context.state())?;
        let context = with_schema(&context.state(), schema.clone())?;
        let context = SessionContext::new_with_state(context);
        let engine = Arc::new(LocalEngine);
        Ok(Self { context, schema, scope, cache, time: limits.time, engine, cores })
    }

    /// Returns a session that shares everything with this one, but in which queries name the tables of `schema`.
    fn with_schema(&self, schema: Arc<dyn SchemaProvider>) -> Result<Self, QueryError> {
        let state = with_schema(&self.context.state(), schema.clone())?;
        Ok(Self { context: SessionContext::new_with_state(state), schema, ..self.clone() })
    }

    /// Returns the session whose queries run in `engine`, as do the queries that fill its cache.
    pub fn with_engine(self, engine: Arc<dyn QueryEngine>) -> Self {
        if let Some(cache) = &self.cache {
            cache.fill_with(engine.clone());
        }
        Self { engine, ..self }
    }

    /// Returns the session for queries that run one after the other: each uses all cores. In a session with a cache, a query
    /// otherwise uses one.
    #[must_use]
    pub fn on_all_cores(&self) -> Self {
        let context = SessionContext::new_with_state(self.context.state());
        set_partitions(&context, self.cores);
        Self { context, ..self.clone() }
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
    pub async fn sql(&self, sql: &str) -> Result<Query, QueryError> {
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
        Ok(Query::of(self.context.execute_logical_plan(plan).await?, self.engine.clone()))
    }

    /// Plans one read-only query with values for its parameters `$name`: its schema and the size of what it reads are then
    /// known, and it can be run in the engine of the session.
    ///
    /// # Errors
    /// Those of [`sql`](Self::sql); if a parameter has no value, or one of another type than the query needs.
    pub async fn query(&self, sql: &str, parameters: Parameters) -> Result<Prepared, QueryError> {
        self.sql(sql).await?.with_parameters(parameters)?.prepare().await
    }

    /// Returns the session with more views over its own. They may read each other. A view whose query reads views of
    /// the scope also exists with the suffix `_history`, for the look-back before it, unless it reads such views itself.
    ///
    /// # Errors
    /// If one is not a query, or views read each other in a circle. A view that is wrong in another way fails the
    /// queries that read it.
    pub fn with_views(&self, views: &BTreeMap<String, String>) -> Result<Self, QueryError> {
        let state = self.context.state();
        let references = references(&state, views)?;
        let outer = self.schema.clone();
        let history = |name: &str| format!("{name}{HISTORY_SUFFIX}");
        // Views of the scope: what has a variant for the look-back, and what reads one of these.
        let mut scoped: BTreeSet<String> = outer
            .table_names()
            .into_iter()
            .filter(|name| outer.table_exist(&history(name)))
            .collect();
        loop {
            let reads_scope = |read: &BTreeSet<String>| {
                !read.is_disjoint(&scoped)
                    && !read.iter().any(|name| name.ends_with(HISTORY_SUFFIX))
            };
            let new = references
                .iter()
                .filter(|(name, read)| !scoped.contains(*name) && reads_scope(read));
            let new: Vec<_> = new.map(|(name, _)| name.clone()).collect();
            if new.is_empty() {
                break;
            }
            scoped.extend(new);
        }
        let names: BTreeMap<_, _> =
            scoped.iter().map(|name| (name.clone(), history(name))).collect();
        let mut layer = Views::over(outer, self.cache.clone());
        for (name, sql) in views {
            let rows = |names| Rows::Query { sql: sql.clone(), names };
            layer.add(name.clone(), rows(BTreeMap::new()), Kind::Kept);
            if scoped.contains(name) {
                layer.add(history(name), rows(names.clone()), Kind::Kept);
            }
        }
        self.with_schema(layer.into_schema(&state)?)
    }

    /// Returns the session with a table of rows in memory, in place of any table or view of that name.
    ///
    /// # Errors
    /// If the name is not a table name.
    pub fn with_rows(&self, name: &str, rows: RecordBatch) -> Result<Self, QueryError> {
        self.with_tables([(name, rows)])
    }

    /// Returns the session with a table of one column of strings, for queries to join.
    ///
    /// # Errors
    /// If `name` is not a table name, or the strings are larger than 2 GiB.
    pub fn with_strings<'v>(
        &self,
        name: &str,
        column: &str,
        values: impl IntoIterator<Item = &'v str>,
    ) -> Result<Self, QueryError> {
        let values: ArrayRef = Arc::new(StringArray::from_iter_values(values));
        let rows = RecordBatch::try_from_iter([(column, values)])
            .map_err(|error| QueryError::Sql(error.into()))?;
        self.with_rows(name, rows)
    }

    /// Returns the session with tables of rows in memory, in one layer, in place of tables or views of these names.
    ///
    /// # Errors
    /// If a name is not a table name.
    pub fn with_tables<'n>(
        &self,
        tables: impl IntoIterator<Item = (&'n str, RecordBatch)>,
    ) -> Result<Self, QueryError> {
        let layer = Layer::over(self.schema.clone());
        for (name, rows) in tables {
            let table = MemTable::try_new(rows.schema(), vec![vec![rows]])?;
            layer.register_table(name.to_owned(), Arc::new(table))?;
        }
        self.with_schema(Arc::new(layer))
    }

    /// Returns the session with all rows of a snapshot as a table, in place of any table or view of that name.
    ///
    /// # Errors
    /// If the snapshot cannot be read, or the name is not a table name.
    pub fn with_snapshot(&self, name: &str, snapshot: &Snapshot) -> Result<Self, QueryError> {
        let layer = Layer::over(self.schema.clone());
        layer.register_table(name.to_owned(), snapshot.provider()?)?;
        self.with_schema(Arc::new(layer))
    }
}

/// Returns the views of the existing tables.
fn views_of(tables: &Arc<dyn SchemaProvider>, scope: &Scope, cache: Option<Arc<Cache>>) -> Views {
    let mut views = Views::over_tables(tables.clone(), cache);
    let all = |name| Rows::Table { name, predicate: None };
    let query = |sql: &str| Rows::Query { sql: sql.to_owned(), names: BTreeMap::new() };
    if tables.table_exist("events") {
        define_events(scope, &mut views);
    }
    if tables.table_exist("quarantine") {
        views.add("quarantine_log".to_owned(), all("quarantine"), Kind::Hidden);
        views.add("quarantine".to_owned(), query(QUARANTINE), Kind::Inlined);
    }
    if tables.table_exist("findings") {
        views.add("findings_log".to_owned(), all("findings"), Kind::Inlined);
        views.add("findings".to_owned(), query(FINDINGS), Kind::Inlined);
        for (name, sql) in INCIDENT_VIEWS {
            views.add((*name).to_owned(), query(sql), Kind::Inlined);
        }
    }
    views
}

/// Defines every view of events for the scope, and with the suffix `_history` for the look-back before it.
fn define_events(scope: &Scope, layer: &mut Views) {
    let all_views = [BASE_VIEWS, HIDDEN_VIEWS, VIEWS].concat();
    let from = scope.from.map(instant_sql);
    let from = from.as_deref().unwrap_or("NULL");
    // The look-back covers everything known before the scope.
    let (ever, history) = (scope.ever_predicate(), scope.history_predicate());
    for (suffix, predicate, views, known, ever, from) in [
        (EVER_SUFFIX, ever, BASE_VIEWS, EVER_SUFFIX, EVER_SUFFIX, "NULL"),
        (KNOWN_SUFFIX, scope.known_predicate(), BASE_VIEWS, KNOWN_SUFFIX, EVER_SUFFIX, "NULL"),
        ("", scope.predicate(), &all_views, KNOWN_SUFFIX, EVER_SUFFIX, from),
        (HISTORY_SUFFIX, Some(history), &all_views, HISTORY_SUFFIX, HISTORY_SUFFIX, "NULL"),
    ] {
        let rows = Rows::LastStages { predicate: predicate.clone() };
        layer.add(format!("last_stages{suffix}"), rows, Kind::Hidden);
        let rows = Rows::Table { name: "events", predicate };
        layer.add(format!("lake{suffix}"), rows, Kind::Hidden);
        let names = all_views.iter().map(|(name, _)| *name).chain(["lake"]);
        let names = names.flat_map(|name| {
            [("", suffix), (KNOWN_SUFFIX, known), (EVER_SUFFIX, ever)]
                .map(|(written, meant)| (format!("{name}{written}"), format!("{name}{meant}")))
        });
        let names: BTreeMap<_, _> = names.filter(|(written, meant)| written != meant).collect();
        for (name, text) in views {
            let kind = match *name {
                _ if matches!(suffix, KNOWN_SUFFIX | EVER_SUFFIX) => Kind::Hidden,
                "patched_workload" | "patched_rbac" => Kind::Hidden,
                "stages" => Kind::Inlined,
                "events" => Kind::KeptByActivity,
                _ => Kind::Kept,
            };
            let sql = sql(&with_proxies(text, &scope.impersonation_proxies), from);
            let mut names = names.clone();
            if *name == "events" {
                names.insert("lake".to_owned(), format!("last_stages{suffix}"));
            }
            layer.add(format!("{name}{suffix}"), Rows::Query { sql, names }, kind);
        }
    }
}

/// Sets the number of partitions of each query.
fn set_partitions(context: &SessionContext, partitions: usize) {
    let state = context.state_ref();
    state.write().config_mut().options_mut().execution.target_partitions = partitions;
}

fn context(limits: Limits) -> Result<SessionContext, QueryError> {
    let mut config = settings(SessionConfig::new())
        .with_information_schema(true)
        .set_bool("datafusion.sql_parser.map_string_types_to_utf8view", false)
        // The generic dialect parses `date, cluster` as a trailing comma before a CLUSTER BY clause.
        .set_str("datafusion.sql_parser.dialect", "postgresql")
        // In DataFusion 55.2 this rule fails on struct fields above a join of two views of one table
        // (push_down_leaf_projections: ambiguous reference).
        .set_bool("datafusion.optimizer.enable_leaf_expression_pushdown", false)
        // A part of a plan that is planned separately, such as a view that does not fit the cache, may have columns that are
        // not null but that the engine no longer knows to be: the engine then fails instead of aggregating them.
        .set_bool("datafusion.execution.skip_physical_aggregate_schema_check", true)
        // A hunt plans hundreds of queries. The third pass only confirms that the second changed nothing.
        .set_usize("datafusion.optimizer.max_passes", 2);
    if let Some(partitions) = limits.partitions {
        config = config.with_target_partitions(partitions);
    }
    let runtime = runtime(limits.memory).build_arc()?;
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

/// Sets what affects how plans run, equally in every process that runs a part of one.
pub(crate) fn settings(config: SessionConfig) -> SessionConfig {
    // With view types, the type of a column would depend on the engine that reads it.
    config.set_bool("datafusion.execution.parquet.schema_force_view_types", false)
}

/// Returns the runtime environment of queries that share this memory, in bytes.
pub(crate) fn runtime(memory: usize) -> RuntimeEnvBuilder {
    // Operators use some memory that they do not request.
    let pool = SpillFirstPool::new(memory / 10 * 9);
    let pool = TrackConsumersPool::new(pool, CONSUMERS_TOLD);
    RuntimeEnvBuilder::new().with_memory_pool(Arc::new(pool)).with_metadata_cache_limit(FOOTERS)
}
