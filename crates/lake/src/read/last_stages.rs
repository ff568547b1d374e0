//! The last stage of each request: the rows of the events table that no later stage supersedes.
//!
//! The column `superseded` answers that for almost every row. It is null in rows of requests whose stages are in several
//! commits; these are compared with the other stages of their request. Stages of a request have the same `audit_id` and
//! `time`, and are in one partition; clients can choose `audit_id`, so it alone does not identify a request.

use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, LogicalPlanBuilder, col, lit};

/// The column that marks stages with a later stage.
pub const SUPERSEDED: &str = "superseded";

/// The columns that all stages of a request share.
const REQUEST: [&str; 5] = ["cluster", "date", "activity", "time", "audit_id"];

/// The columns that identify a row. With `time`, filters on it also reduce the other side of a join.
const ROW: [&str; 5] = ["cluster", "date", "activity", "time", "event_id"];

/// The stages of the Kubernetes API type `audit.k8s.io/v1 Event` that others follow, in order.
const EARLY: [&str; 2] = ["RequestReceived", "ResponseStarted"];

/// Returns the condition for rows whose column [`SUPERSEDED`] shows that they are last stages.
pub fn is_last() -> Expr {
    col(SUPERSEDED).eq(lit(false))
}

/// Returns the condition for rows that have to be compared with other stages of their request.
pub fn is_undecided() -> Expr {
    col(SUPERSEDED).is_null()
}

/// Returns the rows of `stages`, a plan with the columns of the events table, that no later stage supersedes.
///
/// # Errors
/// If a column is missing.
pub fn last_stages(stages: &LogicalPlan) -> Result<LogicalPlan> {
    let followed = LogicalPlanBuilder::from(followed(stages, stages)?).alias("followed")?;
    let undecided = LogicalPlanBuilder::from(stages.clone()).filter(is_undecided())?.build()?;
    // The first side of a join is held in memory: keys, not all columns.
    let undecided = followed.join(undecided, JoinType::RightAnti, keys(ROW), None)?.build()?;
    LogicalPlanBuilder::from(stages.clone()).filter(is_last())?.union(undecided)?.build()
}

/// Returns the undecided rows of `stages` of whose request `others` contains a later stage: the columns that identify
/// them.
///
/// # Errors
/// If a column is missing.
pub(crate) fn followed(stages: &LogicalPlan, others: &LogicalPlan) -> Result<LogicalPlan> {
    let columns = |names: &[&str]| names.iter().map(|name| col(*name)).collect::<Vec<_>>();
    let [received, _] = EARLY;
    let early = LogicalPlanBuilder::from(stages.clone())
        .filter(is_undecided().and(col("stage").in_list(EARLY.map(lit).to_vec(), false)))?
        .project([&columns(&ROW)[..], &columns(&["audit_id", "stage"])].concat())?
        .alias("early")?;
    let late = LogicalPlanBuilder::from(others.clone())
        .filter(col(SUPERSEDED).is_not_true().and(col("stage").not_eq(lit(received))))?
        .project([&columns(&REQUEST)[..], &columns(&["stage"])].concat())?
        .alias("late")?
        .build()?;
    let is_other = col("early.stage").not_eq(col("late.stage"));
    early
        .join(late, JoinType::LeftSemi, keys(REQUEST), Some(is_other))?
        .project(columns(&ROW))?
        .build()
}

fn keys<const N: usize>(columns: [&str; N]) -> (Vec<Column>, Vec<Column>) {
    let columns: Vec<Column> = columns.map(Column::new_unqualified).to_vec();
    (columns.clone(), columns)
}
