//! Checks of distributed plans against the known defects of datafusion-distributed 4.0.0.
//!
//! A plan that does not pass runs in one process. `docs/cluster.md` lists the defects.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::datasource::listing::ListingTable;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::source_as_provider;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_expr::window::StandardWindowExpr;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, displayable};
use datafusion_distributed::{
    DesiredTaskCountEvent, DesiredTaskCountEventResponse, DistributedCodec, DistributedExec,
    DistributedLeafExec, NetworkBoundaryExt, NetworkShuffleExec,
};
use datafusion_proto::bytes::{
    physical_plan_from_bytes_with_proto_converter, physical_plan_to_bytes_with_proto_converter,
};
use datafusion_proto::physical_plan::DeduplicatingProtoConverter;

/// The least number of partitions of a plan: with one, the planner reads leaves several times or not at all.
pub(crate) const MIN_PARTITIONS: usize = 2;

/// The largest plan that is sent to workers, in bytes. Rows in memory are part of it.
const MAX_PLAN: usize = 16 << 20;

/// Keeps leaves with one partition in one task: the planner splits the files of such a leaf wrongly, and rows are lost.
pub(crate) fn single_partitions_stay_whole(
    event: DesiredTaskCountEvent<'_>,
) -> Option<Result<DesiredTaskCountEventResponse>> {
    let is_leaf = event.plan.children().is_empty();
    let is_single = event.plan.output_partitioning().partition_count() <= 1;
    (is_leaf && is_single).then(|| Ok(DesiredTaskCountEventResponse::maximum(1)))
}

/// Returns whether a plan reads files of a lake: only then can workers do a part of it.
pub(crate) fn reads_files(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    plan.exists(|node| {
        let source = node.downcast_ref::<DataSourceExec>();
        let scan = source.and_then(|node| node.data_source().downcast_ref::<FileScanConfig>());
        Ok(scan
            .is_some_and(|scan| scan.file_groups.iter().any(|group: &FileGroup| !group.is_empty())))
    })
}

/// Returns whether a statement only reads. What writes runs in this process, on its disk.
pub(crate) fn only_reads(plan: &LogicalPlan) -> Result<bool> {
    let mut only_reads = true;
    plan.apply(|node| {
        only_reads &= !matches!(
            node,
            LogicalPlan::Copy(_)
                | LogicalPlan::Ddl(_)
                | LogicalPlan::Dml(_)
                | LogicalPlan::Statement(_)
        );
        Ok(if only_reads { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(only_reads)
}

/// Returns whether a statement reads files outside the lake: on another machine, the path may name another file.
pub(crate) fn reads_outside(plan: &LogicalPlan) -> Result<bool> {
    let mut outside = false;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Ok(table) = source_as_provider(&scan.source)
        {
            outside |= table.downcast_ref::<ListingTable>().is_some();
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(outside)
}

/// Returns whether a plan has scalar subqueries, which a distributed plan must have as joins.
pub(crate) fn has_scalar_subqueries(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply(|node| {
        node.apply_expressions(|expression| {
            found |= expression.exists(|part| Ok(matches!(part, Expr::ScalarSubquery(_))))?;
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(found)
}

/// Returns why a distributed plan must not run; `None` if it may. `worker` has the functions of workers.
///
/// # Errors
/// If the plan cannot be traversed.
pub(crate) fn refusal(
    plan: &Arc<dyn ExecutionPlan>,
    worker: &TaskContext,
) -> Result<Option<String>> {
    let mut refusal = None;
    plan.apply(|node| {
        let Some(boundary) = node.as_network_boundary() else {
            return Ok(TreeNodeRecursion::Continue);
        };
        let tasks = boundary.input_stage().task_count();
        if node.is::<NetworkShuffleExec>() && tasks > 1 && node.output_ordering().is_some() {
            refusal = Some("a shuffle would mix ordered rows of several tasks".to_owned());
            return Ok(TreeNodeRecursion::Stop);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    if refusal.is_some() {
        return Ok(refusal);
    }
    let mut bytes = 0;
    plan.apply(|node| {
        let stage = node.as_network_boundary().and_then(|node| node.input_stage().local_plan());
        if let Some(stage) = stage {
            match sent(stage, worker) {
                Ok(size) => bytes += size,
                Err(reason) => {
                    refusal = Some(reason);
                    return Ok(TreeNodeRecursion::Stop);
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    if refusal.is_none() && bytes > MAX_PLAN {
        refusal = Some(format!("the plan has {bytes} bytes, of at most {MAX_PLAN}"));
    }
    Ok(refusal)
}

/// Encodes a stage and decodes it as a worker does, which finds what does not travel: functions that workers lack,
/// orderings that follow from constants, and properties that the encoding omits. Returns its size in bytes, or why it
/// cannot be sent.
fn sent(stage: &Arc<dyn ExecutionPlan>, worker: &TaskContext) -> Result<usize, String> {
    let unreadable = |error: DataFusionError| {
        format!("a worker could not read the plan: {}", error.find_root().strip_backtrace())
    };
    let (size, decoded) = decoded(stage, worker).map_err(unreadable)?;
    match difference(stage, &decoded) {
        None => Ok(size),
        Some(node) => Err(format!("a worker would read another plan: {node} differs")),
    }
}

/// Returns the size of an encoded stage, and the stage as a worker decodes it.
fn decoded(
    stage: &Arc<dyn ExecutionPlan>,
    worker: &TaskContext,
) -> Result<(usize, Arc<dyn ExecutionPlan>)> {
    // Of the stages below, a worker knows no more than the columns.
    let alone = stage.clone().transform_down(|node| {
        if node.is_network_boundary() {
            let partitions = node.output_partitioning().partition_count();
            let rows = EmptyExec::new(node.schema()).with_partitions(partitions);
            return Ok(Transformed::new(Arc::new(rows), true, TreeNodeRecursion::Jump));
        }
        let leaf = node.downcast_ref::<DistributedLeafExec>();
        Ok(match leaf.and_then(|leaf| leaf.variants().first()) {
            Some(first) => Transformed::yes(first.clone()),
            None => Transformed::no(node),
        })
    });
    let codec = DistributedCodec::new_combined_with_user(worker.session_config());
    let encoded = physical_plan_to_bytes_with_proto_converter(
        alone.data()?,
        &codec,
        &DeduplicatingProtoConverter::default(),
    )?;
    let decoded = physical_plan_from_bytes_with_proto_converter(
        &encoded,
        worker,
        &codec,
        &DeduplicatingProtoConverter::default(),
    )?;
    Ok((encoded.len(), decoded))
}

/// Returns the name of the first operator of a stage that a worker would run differently.
fn difference(sent: &Arc<dyn ExecutionPlan>, decoded: &Arc<dyn ExecutionPlan>) -> Option<String> {
    if sent.is_network_boundary() || sent.is::<DistributedLeafExec>() {
        return None;
    }
    let (children, decoded_children) = (sent.children(), decoded.children());
    if properties(sent) != properties(decoded) || children.len() != decoded_children.len() {
        return Some(sent.name().to_owned());
    }
    children.into_iter().zip(decoded_children).find_map(|(sent, decoded)| difference(sent, decoded))
}

/// Returns a text with the properties of an operator, without its inputs. It has more of window functions than EXPLAIN
/// shows: the encoding of DataFusion 55 omits IGNORE NULLS, and whether a function runs in reverse.
fn properties(node: &Arc<dyn ExecutionPlan>) -> String {
    let mut shown = displayable(node.as_ref()).one_line().to_string();
    // Groups that arrive in an order need less memory. A worker recognizes fewer orders, because it does not know which
    // columns are constant.
    if node.is::<AggregateExec>() && node.output_ordering().is_none() {
        shown.truncate(shown.find(", ordering_mode=").unwrap_or(shown.len()));
    }
    shown.truncate(shown.trim_end().len());
    let windows = if let Some(window) = node.downcast_ref::<WindowAggExec>() {
        window.window_expr()
    } else if let Some(window) = node.downcast_ref::<BoundedWindowAggExec>() {
        window.window_expr()
    } else {
        &[]
    };
    let functions = windows.iter().filter_map(|window| {
        let window = window.as_any().downcast_ref::<StandardWindowExpr>()?;
        Some(format!("{:?}", window.get_standard_func_expr()))
    });
    functions.fold(shown, |text, function| text + "\n" + &function)
}

/// Returns the number of stages that run on workers, and of their tasks.
pub(crate) fn stages(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<(usize, usize)>> {
    if !plan.exists(|node| Ok(node.is::<DistributedExec>()))? {
        return Ok(None);
    }
    let (mut stages, mut tasks) = (0, 0);
    plan.apply(|node| {
        if let Some(boundary) = node.as_network_boundary() {
            stages += 1;
            tasks += boundary.input_stage().task_count();
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok((stages > 0).then_some((stages, tasks)))
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::compute::SortOptions;
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    use datafusion::execution::session_state::SessionStateBuilder;
    use datafusion::physical_expr::expressions::Column;
    use datafusion::physical_expr::{LexOrdering, Partitioning, PhysicalExpr, PhysicalSortExpr};
    use datafusion::physical_plan::repartition::RepartitionExec;
    use datafusion::physical_plan::sorts::sort::SortExec;
    use podtrail_query::worker_state;

    use super::*;

    /// Returns a shuffle of rows that each of `tasks` tasks has in order.
    fn shuffle(tasks: usize) -> Arc<dyn ExecutionPlan> {
        let schema = Schema::new(vec![Field::new("a", DataType::Int64, false)]);
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new("a", 0));
        let order = PhysicalSortExpr::new(column.clone(), SortOptions::default());
        let order = LexOrdering::new([order]).unwrap();
        let rows = Arc::new(EmptyExec::new(Arc::new(schema)));
        let sorted = Arc::new(SortExec::new(order, rows));
        let parts = RepartitionExec::try_new(sorted, Partitioning::Hash(vec![column], 4)).unwrap();
        Arc::new(NetworkShuffleExec::try_new(Arc::new(parts), tasks).unwrap())
    }

    #[test]
    fn a_shuffle_must_not_mix_the_ordered_rows_of_several_tasks() {
        let state = worker_state(SessionStateBuilder::new().with_default_features()).unwrap();
        let refused = |tasks| refusal(&shuffle(tasks), &state.task_ctx()).unwrap();
        assert_eq!(refused(1), None);
        assert!(refused(2).unwrap().contains("would mix ordered rows"));
    }
}
