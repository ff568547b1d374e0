//! Views whose rows are cached in memory after the first query, so that hundreds of queries read them once.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use arrow::compute::BatchCoalescer;
use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::{TableType, source_as_provider};
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, TableProviderFilterPushDown,
};
use datafusion::physical_expr::utils::{Guarantee, LiteralGuarantee};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::{col, lit};
use futures::StreamExt;
use podtrail_event::Activity;
use tokio::sync::OnceCell;

use crate::encoded_rows::{EncodedRows, EncodedSource};
use crate::engine::{PlannedQuery, QueryEngine};
use crate::last_stages::plan_part;

/// The column by which the rows of `events` are cached separately: most queries read one activity.
const ACTIVITY: &str = "activity";

/// Columns of `events` that are large and rarely queried; a query for one of them reads the lake.
const NOT_KEPT: &[&str] = &[
    "request_object",
    "response_object",
    "extra",
    "original",
    "envelopes",
    "source_file",
    "source_line",
    "source_offset",
    "source_sha256",
];

/// The number of rows in a batch.
const BATCH_ROWS: usize = 8192;

/// How the cached views of a session read the lake, and how much memory remains for them.
#[derive(Debug)]
pub(crate) struct Cache {
    /// Plans the reads that fill the cache, on all cores.
    state: SessionState,
    /// The remaining memory, in bytes.
    free: AtomicUsize,
    /// Runs these reads; in this process by default.
    engine: OnceLock<Arc<dyn QueryEngine>>,
}

impl Cache {
    /// Creates a cache of this number of bytes.
    pub(crate) fn new(state: SessionState, bytes: usize) -> Self {
        Self { state, free: AtomicUsize::new(bytes), engine: OnceLock::new() }
    }

    /// Runs the reads in `engine`. Only the first call counts.
    pub(crate) fn fill_with(&self, engine: Arc<dyn QueryEngine>) {
        self.engine.get_or_init(|| engine);
    }

    async fn run(&self, plan: &LogicalPlan) -> Result<SendableRecordBatchStream> {
        let query = self.state.optimize(plan)?;
        let local = self.state.query_planner().create_physical_plan(&query, &self.state).await?;
        let query = PlannedQuery { query, local, state: self.state.clone() };
        match self.engine.get() {
            Some(engine) => engine.start(query).await,
            None => query.run_locally(),
        }
    }
}

/// A view that answers queries from memory if possible.
#[derive(Debug)]
pub(crate) struct CachedView {
    name: String,
    cache: Arc<Cache>,
    plan: LogicalPlan,
    schema: SchemaRef,
    parts: Vec<CachedRows>,
    /// The length of the longest chain of cached views that it reads.
    depth: usize,
    /// The columns that queries will read; not known before [`keep_columns_of`].
    wanted: OnceLock<BTreeSet<usize>>,
}

/// Rows that are read, and cached or not, together.
#[derive(Debug)]
struct CachedRows {
    /// The activity of the rows; `None` for all rows.
    activity: Option<Activity>,
    /// The cached rows; `None` if there are too many.
    rows: OnceCell<Option<Vec<Arc<EncodedRows>>>>,
}

impl CachedView {
    /// Creates a view that caches all its rows together.
    ///
    /// # Errors
    /// If the plan cannot be traversed.
    pub(crate) fn whole(cache: Arc<Cache>, name: &str, plan: LogicalPlan) -> Result<Self> {
        Self::new(cache, name, plan, vec![None])
    }

    /// Creates a view that caches the rows of each activity separately.
    ///
    /// # Errors
    /// If the plan cannot be traversed.
    pub(crate) fn by_activity(cache: Arc<Cache>, name: &str, plan: LogicalPlan) -> Result<Self> {
        Self::new(cache, name, plan, Activity::ALL.into_iter().map(Some).collect())
    }

    fn new(
        cache: Arc<Cache>,
        name: &str,
        plan: LogicalPlan,
        activities: Vec<Option<Activity>>,
    ) -> Result<Self> {
        let mut depth = 0;
        for_each_scan(&plan, |provider, _| {
            if let Some(view) = provider.downcast_ref::<Self>() {
                depth = depth.max(view.depth + 1);
            }
        })?;
        let schema = plan.schema().inner().clone();
        let part = |activity| CachedRows { activity, rows: OnceCell::new() };
        let parts = activities.into_iter().map(part).collect();
        let name = name.to_owned();
        Ok(Self { name, cache, plan, schema, parts, depth, wanted: OnceLock::new() })
    }

    /// Returns whether the column is worth its memory. The objects in events are read by the views that show their fields as
    /// columns, once each.
    fn may_be_kept(&self, column: usize) -> bool {
        let field = self.schema.field(column);
        let is_object = self.parts.len() > 1 && matches!(field.data_type(), DataType::Struct(_));
        !is_object && !NOT_KEPT.contains(&field.name().as_str())
    }

    fn is_kept(&self, column: usize) -> bool {
        self.may_be_kept(column) && self.wanted.get().is_none_or(|wanted| wanted.contains(&column))
    }

    /// Returns the rows, if these columns of them are in memory.
    async fn kept(
        &self,
        columns: &[usize],
        state: &dyn Session,
        filters: &[Expr],
    ) -> Result<Option<Vec<Arc<EncodedRows>>>> {
        if !columns.iter().all(|&column| self.is_kept(column)) {
            return Ok(None);
        }
        let mut batches = Vec::new();
        for part in self.wanted_parts(state, filters)? {
            let rows = part.rows.get_or_try_init(|| self.load(part.activity)).await?;
            let Some(rows) = rows else { return Ok(None) };
            batches.extend_from_slice(rows);
        }
        Ok(Some(batches))
    }

    /// Returns the parts that may have rows for which all filters hold.
    fn wanted_parts(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<&CachedRows>> {
        let Some(filter) = conjunction(filters.iter().cloned()) else {
            return Ok(self.parts.iter().collect());
        };
        let filter =
            state.create_physical_expr(filter, &DFSchema::try_from(self.schema.clone())?)?;
        let guarantees = LiteralGuarantee::analyze(&filter);
        let may_have = |part: &&CachedRows| {
            let Some(activity) = part.activity else { return true };
            let mut of_activity =
                guarantees.iter().filter(|guarantee| guarantee.column.name() == ACTIVITY);
            of_activity.all(|guarantee| {
                let mut literals = guarantee.literals.iter();
                let named = literals.any(|literal| {
                    literal.try_as_str().flatten().is_some_and(|name| name == activity.as_str())
                });
                named == (guarantee.guarantee == Guarantee::In)
            })
        };
        Ok(self.parts.iter().filter(may_have).collect())
    }

    /// Reads a part, unless it exceeds its share of the memory: one large part must not displace the others.
    async fn load(&self, activity: Option<Activity>) -> Result<Option<Vec<Arc<EncodedRows>>>> {
        let started = Instant::now();
        let log = |rows: usize, bytes: usize, fits: bool| {
            let (view, elapsed) = (&self.name, started.elapsed());
            tracing::debug!(
                view,
                ?activity,
                rows,
                bytes,
                fits,
                ?elapsed,
                "read a view to cache it"
            );
        };
        let kept: Vec<usize> = self.kept_columns().collect();
        let plan = match activity {
            Some(activity) => of_activity(self.plan.clone(), activity)?,
            None => self.plan.clone(),
        };
        let plan = LogicalPlanBuilder::from(plan).project(self.expressions(&kept))?.build()?;
        let mut stream = self.cache.run(&plan).await?;
        let schema = Arc::new(self.schema.project(&kept)?);
        let mut coalescer = BatchCoalescer::new(schema, BATCH_ROWS);
        let share = self.cache.free.load(Ordering::Relaxed) / 2;
        let (mut rows, mut bytes) = (0, 0);
        let mut batches = Vec::new();
        let mut is_read = false;
        while !is_read {
            if let Some(batch) = stream.next().await.transpose()? {
                coalescer.push_batch(batch)?;
            } else {
                coalescer.finish_buffered_batch()?;
                is_read = true;
            }
            while let Some(batch) = coalescer.next_completed_batch() {
                let batch = EncodedRows::encode(&batch, &kept, self.schema.fields().len())?;
                rows += batch.rows;
                bytes += batch.bytes();
                batches.push(Arc::new(batch));
            }
            if bytes > share {
                log(rows, bytes, false);
                return Ok(None);
            }
        }
        self.cache.free.fetch_sub(bytes, Ordering::Relaxed);
        log(rows, bytes, true);
        Ok(Some(batches))
    }

    fn kept_columns(&self) -> impl Iterator<Item = usize> {
        (0..self.schema.fields().len()).filter(|&column| self.is_kept(column))
    }

    fn expressions(&self, columns: &[usize]) -> Vec<Expr> {
        let expression = |&column: &usize| Expr::from(self.plan.schema().qualified_field(column));
        columns.iter().map(expression).collect()
    }
}

/// Caches, of every view that these optimized plans read, only the columns that they read. Only the first call counts
/// for a view; later queries for other columns read the lake.
///
/// # Errors
/// If a view cannot be planned.
pub(crate) fn keep_columns_of<'p>(plans: impl IntoIterator<Item = &'p LogicalPlan>) -> Result<()> {
    let mut wanted = WantedColumns::default();
    for plan in plans {
        wanted.add_scans_of(plan)?;
    }
    // The columns that a view needs determine those needed of the views that it reads. No view reads a deeper one, so the
    // needs of the deepest are known.
    while let Some((_, view)) = wanted.grown.pop_last() {
        let Some((view, columns)) = wanted.of_views.get(&view) else { continue };
        let Some(view) = view.downcast_ref::<CachedView>() else { continue };
        let columns: Vec<usize> = columns.iter().copied().collect();
        let plan = LogicalPlanBuilder::from(view.plan.clone());
        let plan = plan.project(view.expressions(&columns))?.build()?;
        wanted.add_scans_of(&view.cache.state.optimize(&plan)?)?;
    }
    for (view, columns) in wanted.of_views.into_values() {
        if let Some(view) = view.downcast_ref::<CachedView>() {
            view.wanted.get_or_init(|| columns);
        }
    }
    Ok(())
}

/// Columns by the address of their view.
#[derive(Default)]
struct WantedColumns {
    of_views: HashMap<*const (), (Arc<dyn TableProvider>, BTreeSet<usize>)>,
    /// The depths of views whose needed columns have grown since they were examined.
    grown: BTreeSet<(usize, *const ())>,
}

impl WantedColumns {
    fn add_scans_of(&mut self, plan: &LogicalPlan) -> Result<()> {
        for_each_scan(plan, |provider, projection| {
            let Some(view) = provider.downcast_ref::<CachedView>() else { return };
            let all = || (0..view.schema.fields().len()).collect();
            let columns = projection.cloned().unwrap_or_else(all);
            if !columns.iter().all(|&column| view.may_be_kept(column)) {
                return;
            }
            let address = std::ptr::from_ref(view).cast::<()>();
            let (_, wanted) =
                self.of_views.entry(address).or_insert_with(|| (provider.clone(), BTreeSet::new()));
            let before = wanted.len();
            wanted.extend(columns);
            if wanted.len() > before {
                self.grown.insert((view.depth, address));
            }
        })
    }
}

/// Returns whether a view only selects rows and columns of other cached views, or unites them: reading it costs no more than
/// reading those, and its rows would be in memory twice.
///
/// # Errors
/// If the plan cannot be traversed.
pub(crate) fn is_selection(plan: &LogicalPlan) -> Result<bool> {
    let mut is_selection = true;
    plan.apply_with_subqueries(|plan| {
        is_selection &= match plan {
            LogicalPlan::Projection(projection) => projection.expr.iter().all(|expression| {
                let inner = expression.clone().unalias();
                matches!(inner, Expr::Column(_) | Expr::Literal(..))
            }),
            LogicalPlan::TableScan(scan) => source_as_provider(&scan.source)
                .is_ok_and(|provider| provider.downcast_ref::<CachedView>().is_some()),
            LogicalPlan::Filter(_) | LogicalPlan::SubqueryAlias(_) | LogicalPlan::Union(_) => true,
            _ => false,
        };
        Ok(if is_selection { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(is_selection)
}

/// Calls `visit` with the table and the projection of each scan of the plan and its subqueries.
fn for_each_scan(
    plan: &LogicalPlan,
    mut visit: impl FnMut(&Arc<dyn TableProvider>, Option<&Vec<usize>>),
) -> Result<()> {
    plan.apply_with_subqueries(|plan| {
        if let LogicalPlan::TableScan(scan) = plan
            && let Ok(provider) = source_as_provider(&scan.source)
        {
            visit(&provider, scan.projection.as_ref());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// Returns the plan over the rows of one activity. The tables that it joins are restricted to this activity, too.
fn of_activity(plan: LogicalPlan, activity: Activity) -> Result<LogicalPlan> {
    let plan = plan.transform_up_with_subqueries(|plan| match plan {
        LogicalPlan::TableScan(_) => {
            let scan = LogicalPlanBuilder::from(plan);
            let rows = scan.filter(col(ACTIVITY).eq(lit(activity.as_str())))?;
            Ok(Transformed::yes(rows.build()?))
        }
        _ => Ok(Transformed::no(plan)),
    })?;
    Ok(plan.data)
}

#[async_trait]
impl TableProvider for CachedView {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all = || (0..self.schema.fields().len()).collect();
        let columns: Vec<usize> = projection.cloned().unwrap_or_else(all);
        match self.kept(&columns, state, filters).await? {
            Some(batches) if self.cache.engine.get().is_some_and(|engine| !engine.is_local()) => {
                // The engine may send the rows to other processes.
                let schema = Arc::new(self.schema.project(&columns)?);
                let batches = batches.iter().map(|batch| batch.restore(&columns, &schema, None));
                let batches = batches.collect::<Result<Vec<_>, _>>()?;
                Ok(MemorySourceConfig::try_new_exec(&[batches], schema, None)?)
            }
            Some(batches) => {
                let partitions = state.config().target_partitions();
                EncodedSource::plan(&self.schema, &batches, columns, partitions)
            }
            None => {
                tracing::debug!(
                    view = self.name,
                    columns = columns.len(),
                    "a query reads the lake"
                );
                plan_part(self.plan.clone(), &columns, state, filters).await
            }
        }
    }
}
