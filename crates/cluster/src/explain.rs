//! What EXPLAIN shows of a distributed plan.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, TryStreamExt, stream};

/// Adds a row about the distribution to the rows of EXPLAIN, which are a type of plan and its text.
pub(crate) fn with_distribution(
    rows: SendableRecordBatchStream,
    text: String,
) -> Result<SendableRecordBatchStream> {
    let schema = rows.schema();
    if schema.fields().len() != 2 {
        return Ok(rows);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["distributed_plan"])),
        Arc::new(StringArray::from(vec![text])),
    ];
    let row = RecordBatch::try_new(schema.clone(), columns)?;
    let rows = rows.chain(stream::iter([Ok(row)]));
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows.into_stream())))
}
