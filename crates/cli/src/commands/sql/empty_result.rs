//! Hints about empty query results.

use std::time::Duration;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use podtrail_query::{QueryError, Scope, Session};
use podtrail_report::thousands;

use crate::output;

/// The time limit for the counts; a hint is not worth a scan of a large lake.
const PATIENCE: Duration = Duration::from_secs(2);

/// Prints what limits the queries of this session: the scope, and bodies that are not in the log.
pub(super) async fn explain_no_rows(session: &Session) {
    if *session.scope() != Scope::default() {
        output::note(&format!("hint: no rows in this scope: {}", session.scope()));
    }
    let counts = tokio::time::timeout(PATIENCE, counts(session)).await;
    // If a hint fails, the query has still succeeded.
    let Ok(Ok((requests, writes, blind))) = counts else { return };
    if requests == 0 {
        output::note("hint: no request is in scope");
    }
    if blind > 0 {
        output::note(&format!(
            "hint: {} of {} writes of workloads and roles have no body (level Metadata); their content is not in \
             the log; --saved blind-writes lists them",
            thousands(blind),
            thousands(writes)
        ));
    }
}

/// Returns the number of requests in scope, of workload and RBAC writes among them, and of those writes without a
/// body.
async fn counts(session: &Session) -> Result<(u64, u64, u64), QueryError> {
    const SQL: &str = "
        SELECT
            sum(requests) AS requests,
            sum(writes) FILTER (WHERE activity IN ('workload', 'rbac')) AS writes,
            sum(writes_without_body) FILTER (WHERE activity IN ('workload', 'rbac')) AS blind
        FROM coverage";
    let batches = session.sql(SQL).await?.collect().await?;
    let number = |column| batches.iter().find_map(|batch| number(batch, column)).unwrap_or(0);
    Ok((number(0), number(1), number(2)))
}

fn number(batch: &RecordBatch, column: usize) -> Option<u64> {
    let numbers = batch.column(column).as_primitive_opt::<Int64Type>()?;
    (!numbers.is_empty() && numbers.is_valid(0)).then(|| u64::try_from(numbers.value(0)).ok())?
}
