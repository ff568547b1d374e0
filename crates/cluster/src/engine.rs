//! An engine that runs queries on workers.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion_distributed::{DistributedExt, SessionStateBuilderExt, display_plan_ascii};
use futures::{StreamExt, TryStreamExt, stream};
use podtrail_query::{PlannedQuery, QueryEngine, worker_runtime, worker_state};

use crate::access::Access;
use crate::channels::Channels;
use crate::error::ClusterError;
use crate::explain::with_distribution;
use crate::guards::{
    MIN_PARTITIONS, has_scalar_subqueries, only_reads, reads_files, reads_outside, refusal,
    single_partitions_stay_whole, stages,
};
use crate::version::build_version;
use crate::workers::{Chosen, Roster, Workers, reason};

/// The memory in bytes of the runtime environment in which plans are decoded, and never run.
const DECODING: usize = 1 << 20;

/// The options of a cluster.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// The workers.
    pub workers: Workers,
    /// How they are reached.
    pub access: Access,
    /// Whether a query fails that cannot run on the workers, instead of running in this process. Queries that read
    /// little, or nothing, of a lake run in this process anyway.
    pub strict: bool,
    /// The size of the files that one partition of a scan reads, in bytes; smaller scans use fewer workers, or none.
    pub bytes_per_partition: usize,
}

impl ClusterOptions {
    /// The default of [`bytes_per_partition`](Self::bytes_per_partition).
    pub const BYTES_PER_PARTITION: usize = 16 << 20;
}

/// A message about a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Something is wrong, but the query goes on.
    Warning(String),
    /// Where a query runs.
    Note(String),
}

/// How many queries ran where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Queries that ran on workers.
    pub distributed: u64,
    /// Queries that ran here because they read little, or nothing, of the lake.
    pub small: u64,
    /// Queries that ran here because the plan could not be distributed, or the workers failed.
    pub fallen_back: u64,
}

/// Runs queries on the workers of a cluster.
///
/// Before the first row, a failure of the workers is repaired: they are asked again, the query is sent once more, and
/// then it runs in this process, with a warning. After the first row, a failure is an error.
pub struct Cluster {
    roster: Roster,
    channels: Channels,
    strict: bool,
    bytes_per_partition: usize,
    /// Decodes plans as a worker does.
    worker: Arc<TaskContext>,
    report: Box<dyn Fn(Message) + Send + Sync>,
    reported: Mutex<HashSet<String>>,
    distributed: AtomicU64,
    small: AtomicU64,
    fallen_back: AtomicU64,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Cluster").field("roster", &self.roster).finish_non_exhaustive()
    }
}

/// How a query is run.
enum Decision {
    Distributed {
        plan: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    },
    /// It reads too little.
    Small,
    /// The plan has no correct distributed form.
    Refused(String),
}

impl Cluster {
    /// Creates an engine. Messages are passed to `report`, each once. No worker is asked before the first query.
    ///
    /// # Errors
    /// If the version of this build cannot be computed.
    pub fn new(
        options: ClusterOptions,
        report: impl Fn(Message) + Send + Sync + 'static,
    ) -> Result<Self, ClusterError> {
        let version = build_version()?;
        let channels = Channels::new(options.access, &version)?;
        let of_engine = |error: DataFusionError| ClusterError::Engine(error.to_string());
        // Decoding a scan needs the object store of its files.
        let runtime = worker_runtime(DECODING, None).map_err(of_engine)?;
        let worker = SessionStateBuilder::new().with_default_features().with_runtime_env(runtime);
        let worker = worker_state(worker).map_err(of_engine)?.task_ctx();
        Ok(Self {
            roster: Roster::new(options.workers, version),
            channels,
            strict: options.strict,
            bytes_per_partition: options.bytes_per_partition.max(1),
            worker,
            report: Box::new(report),
            reported: Mutex::default(),
            distributed: AtomicU64::new(0),
            small: AtomicU64::new(0),
            fallen_back: AtomicU64::new(0),
        })
    }

    /// Returns how many queries ran where, so far.
    pub fn tally(&self) -> Tally {
        Tally {
            distributed: self.distributed.load(Ordering::Relaxed),
            small: self.small.load(Ordering::Relaxed),
            fallen_back: self.fallen_back.load(Ordering::Relaxed),
        }
    }

    fn report(&self, message: Message) {
        let (Message::Warning(text) | Message::Note(text)) = &message;
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.insert(text.clone()) {
            (self.report)(message);
        }
    }

    /// Plans a query for the workers that can be used.
    async fn decide(&self, query: &PlannedQuery) -> Result<Decision, ClusterError> {
        if reads_outside(&query.query).unwrap_or(true) {
            return Ok(Decision::Refused("it reads a file outside the lake".to_owned()));
        }
        let usable = self.roster.usable(&self.channels).await?;
        for refused in &usable.refused {
            self.report(Message::Warning(refused.clone()));
        }
        let mut urls = usable.urls;
        // The planner removes a stage with one task, even if its only worker is another process.
        if let [only] = urls.as_slice() {
            urls = vec![only.clone(), only.clone()];
        }
        let planned = self.distribute(query, urls).await;
        match planned {
            Ok(decision) => Ok(decision),
            Err(error) => Ok(Decision::Refused(error.find_root().strip_backtrace())),
        }
    }

    async fn distribute(&self, query: &PlannedQuery, urls: Vec<url::Url>) -> Result<Decision> {
        let mut builder = SessionStateBuilder::new_from_existing(query.state.clone());
        let config = builder.config().get_or_insert_default();
        let execution = &mut config.options_mut().execution;
        execution.target_partitions = execution.target_partitions.max(MIN_PARTITIONS);
        let state = builder
            .with_distributed_planner()
            .with_distributed_worker_resolver(Chosen(urls))
            .with_distributed_channel_resolver(self.channels.clone())
            .with_distributed_desired_task_count_handler(single_partitions_stay_whole)
            .with_distributed_file_scan_config_bytes_per_partition(self.bytes_per_partition)?
            .build();
        let joined;
        let logical = if has_scalar_subqueries(&query.query)? {
            joined = state.optimize(&query.query)?;
            &joined
        } else {
            &query.query
        };
        let plan = state.query_planner().create_physical_plan(logical, &state).await?;
        if stages(&plan)?.is_none() {
            return Ok(Decision::Small);
        }
        Ok(match refusal(&plan, &self.worker)? {
            Some(reason) => Decision::Refused(reason),
            None => Decision::Distributed { plan, context: state.task_ctx() },
        })
    }

    /// Runs a query in this process because the workers cannot.
    fn fall_back(&self, query: &PlannedQuery, why: &str) -> Result<SendableRecordBatchStream> {
        if self.strict {
            return Err(external(ClusterError::Strict(why.to_owned())));
        }
        self.fallen_back.fetch_add(1, Ordering::Relaxed);
        self.report(Message::Warning(format!("the query runs in this process: {why}")));
        query.run_locally()
    }

    async fn explain(&self, query: &PlannedQuery) -> Result<SendableRecordBatchStream> {
        let rows = query.run_locally()?;
        let LogicalPlan::Explain(explain) = &query.query else { return Ok(rows) };
        let inner = query.state.query_planner().create_physical_plan(&explain.plan, &query.state);
        let inner = PlannedQuery {
            query: explain.plan.as_ref().clone(),
            local: inner.await?,
            state: query.state.clone(),
        };
        let text = if reads_files(&inner.local)? {
            match self.decide(&inner).await {
                Ok(Decision::Distributed { plan, .. }) => display_plan_ascii(plan.as_ref(), false),
                Ok(Decision::Small) => format!(
                    "runs in this process: it reads less than {} bytes per partition, or its plan needs one task",
                    self.bytes_per_partition
                ),
                Ok(Decision::Refused(reason)) => format!("runs in this process: {reason}"),
                Err(error) => format!("runs in this process: {error}"),
            }
        } else {
            "runs in this process: it reads no file of the lake".to_owned()
        };
        with_distribution(rows, text)
    }
}

#[async_trait]
impl QueryEngine for Cluster {
    async fn start(&self, query: PlannedQuery) -> Result<SendableRecordBatchStream> {
        if matches!(query.query, LogicalPlan::Explain(_)) {
            return self.explain(&query).await;
        }
        if !reads_files(&query.local)? || !only_reads(&query.query)? {
            self.small.fetch_add(1, Ordering::Relaxed);
            return query.run_locally();
        }
        let mut failure = None;
        for _attempt in 0..2 {
            let (plan, context) = match self.decide(&query).await {
                Ok(Decision::Distributed { plan, context }) => (plan, context),
                Ok(Decision::Small) => {
                    self.small.fetch_add(1, Ordering::Relaxed);
                    self.report(Message::Note(
                        "the query runs in this process: it reads little".to_owned(),
                    ));
                    return query.run_locally();
                }
                Ok(Decision::Refused(reason)) => return self.fall_back(&query, &reason),
                Err(error) => {
                    failure = Some(error.to_string());
                    self.forget();
                    continue;
                }
            };
            if let Some((stages, tasks)) = stages(&plan)? {
                self.report(Message::Note(format!(
                    "the query runs on workers: {stages} stages, {tasks} tasks"
                )));
            }
            match first_rows(plan, context).await {
                Ok(rows) => {
                    self.distributed.fetch_add(1, Ordering::Relaxed);
                    return Ok(rows);
                }
                Err(error) if is_of_query(&error) => return Err(error),
                Err(error) => {
                    failure = Some(reason(&error));
                    self.forget();
                }
            }
        }
        self.fall_back(&query, &failure.unwrap_or_default())
    }
}

impl Cluster {
    /// Asks the workers again before the next query, over new connections.
    fn forget(&self) {
        self.roster.forget();
        self.channels.forget();
    }
}

/// Starts a distributed plan and waits for its first row, or its end. A later failure is an error of its own, because
/// rows were returned.
async fn first_rows(
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
) -> Result<SendableRecordBatchStream> {
    let schema = plan.schema();
    let mut rows = execute_stream(plan, context)?;
    let mut first = None;
    while let Some(batch) = rows.next().await.transpose()? {
        if batch.num_rows() > 0 {
            first = Some(batch);
            break;
        }
    }
    let rest = rows.map_err(|error| {
        if is_of_query(&error) {
            return error;
        }
        external(ClusterError::Incomplete(reason(&error)))
    });
    let rows = stream::iter(first.map(Ok)).chain(rest);
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
}

/// Returns whether an error would also occur in this process: values that cannot be computed, and wrong statements.
fn is_of_query(error: &DataFusionError) -> bool {
    matches!(
        error.find_root(),
        DataFusionError::ArrowError(..)
            | DataFusionError::Plan(_)
            | DataFusionError::SQL(..)
            | DataFusionError::SchemaError(..)
    )
}

fn external(error: ClusterError) -> DataFusionError {
    DataFusionError::External(error.into())
}
