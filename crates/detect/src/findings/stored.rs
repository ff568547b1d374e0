//! Findings as stored in the table `findings` of a lake.

use arrow::array::RecordBatch;
use podtrail_event::{RecordedFinding, finding_batch};
use podtrail_query::{QueryError, Session};

/// Returns the rows of these states, to be committed.
///
/// # Errors
/// If they are larger than 2 GiB.
pub(crate) fn state_rows(states: &[RecordedFinding]) -> Result<RecordBatch, QueryError> {
    finding_batch(states).map_err(|error| QueryError::Sql(error.into()))
}

/// Reads the findings that a query over the view `findings` or `findings_log` returns; it must select all columns.
///
/// # Errors
/// If the query is wrong or fails.
pub async fn read_recorded(
    session: &Session,
    sql: &str,
) -> Result<Vec<RecordedFinding>, QueryError> {
    session.sql(sql).await?.rows().await
}
