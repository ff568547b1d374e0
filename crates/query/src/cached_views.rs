//! Views whose rows are cached in memory after the first query, so that hundreds of queries read them once.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::BatchCoalescer;
use arrow::datatypes::SchemaRef;
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
    rows: OnceCell<Option<Vec<Columns>>>,
}

/// The columns of one batch; a column with only nulls, as most columns of a part are, uses no memory.
#[derive(Debug)]
struct Columns {
    rows: usize,
    columns: Vec<Option<ArrayRef>>,
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

    fn may_be_kept(&self, column: usize) -> bool {
        !NOT_KEPT.contains(&self.schema.field(column).name().as_str())
    }

    fn is_kept(&self, column: usize) -> bool {
        self.may_be_kept(column) && self.wanted.get().is_none_or(|wanted| wanted.contains(&column))
    }

    /// Returns the rows of these columns; `None` if they are not all in memory.
    async fn kept(
        &self,
        columns: &[usize],
        state: &dyn Session,
        filters: &[Expr],
    ) -> Result<Option<Vec<RecordBatch>>> {
        if !columns.iter().all(|&column| self.is_kept(column)) {
            return Ok(None);
        }
        let schema = Arc::new(self.schema.project(columns)?);
        let mut batches = Vec::new();
        for part in self.wanted_parts(state, filters)? {
            let rows = part.rows.get_or_try_init(|| self.load(part.activity)).await?;
            let Some(rows) = rows else { return Ok(None) };
            for batch in rows {
                batches.push(batch.project(columns, &schema)?);
            }
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
    async fn load(&self, activity: Option<Activity>) -> Result<Option<Vec<Columns>>> {
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
        let mut size = 0;
        let mut batches = Vec::new();
        while let Some(batch) = stream.next().await.transpose()? {
            coalescer.push_batch(batch)?;
            while let Some(batch) = coalescer.next_completed_batch() {
                batches.push(Columns::keep(&batch, &kept, self.schema.fields().len(), &mut size));
            }
            if size > share {
                log(batches.len() * BATCH_ROWS, size, false);
                return Ok(None);
            }
        }
        coalescer.finish_buffered_batch()?;
        while let Some(batch) = coalescer.next_completed_batch() {
            batches.push(Columns::keep(&batch, &kept, self.schema.fields().len(), &mut size));
        }
        self.cache.free.fetch_sub(size, Ordering::Relaxed);
        log(batches.iter().map(|batch| batch.rows).sum(), size, true);
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
            Some(batches) => {
                let schema = Arc::new(self.schema.project(&columns)?);
                let partitions = state.config().target_partitions();
                let size = batches.len().div_ceil(partitions).max(1);
                let mut partitions: Vec<_> = batches.chunks(size).map(<[_]>::to_vec).collect();
                partitions.resize_with(partitions.len().max(1), Vec::new);
                Ok(MemorySourceConfig::try_new_exec(&partitions, schema, None)?)
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

impl Columns {
    /// Keeps the columns of a batch, which are the `kept` of all; adds their size in bytes to `size`.
    fn keep(batch: &RecordBatch, kept: &[usize], all: usize, size: &mut usize) -> Self {
        let mut columns = vec![None; all];
        for (&index, column) in kept.iter().zip(batch.columns()) {
            if column.null_count() < column.len() {
                *size += column.get_array_memory_size();
                columns[index] = Some(column.clone());
            }
        }
        Self { rows: batch.num_rows(), columns }
    }

    fn project(&self, columns: &[usize], schema: &SchemaRef) -> Result<RecordBatch> {
        let column = |(&index, field): (&usize, &Arc<arrow::datatypes::Field>)| {
            let kept = self.columns[index].clone();
            kept.unwrap_or_else(|| new_null_array(field.data_type(), self.rows))
        };
        let columns = columns.iter().zip(schema.fields()).map(column).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
    }
}
