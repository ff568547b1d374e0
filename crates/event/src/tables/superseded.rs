//! Which stages of a request are superseded by a later stage that is stored with them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::error::ArrowError;

use crate::tables::batch::schema;

/// The columns shared by all stages of one request: `cluster`, `audit_id` and `time`.
type RequestKey<'a> = (Option<&'a str>, Option<&'a str>, i64);

/// Fills the column `superseded` of batches of [`schema`] that are stored together: `false` for a last stage, `true`
/// for an early stage with a later one, null for an early stage without, which may be stored elsewhere.
///
/// # Errors
///
/// Returns an error if the batches have other columns.
pub fn mark_superseded(batches: &[RecordBatch]) -> Result<Vec<RecordBatch>, ArrowError> {
    let columns = batches.iter().map(StageColumns::of).collect::<Result<Vec<_>, _>>()?;
    let rows = || {
        columns.iter().flat_map(|columns| (0..columns.stage.len()).map(move |row| (columns, row)))
    };
    // Most requests have at most one early stage; only these are kept.
    let mut newest: HashMap<RequestKey<'_>, Stage> = HashMap::new();
    for (columns, row) in rows() {
        let stage = columns.stage(row);
        if stage != Stage::Last {
            let known = newest.entry(columns.key(row)).or_insert(stage);
            *known = stage.max(*known);
        }
    }
    for (columns, row) in rows().filter(|(columns, row)| columns.stage(*row) == Stage::Last) {
        if let Some(known) = newest.get_mut(&columns.key(row)) {
            *known = Stage::Last;
        }
    }
    let superseded = |columns: &StageColumns<'_>, row| match columns.stage(row) {
        Stage::Last => Some(false),
        early => {
            let has_later = newest.get(&columns.key(row)).is_some_and(|newest| *newest > early);
            has_later.then_some(true)
        }
    };
    let column = schema().index_of("superseded")?;
    batches
        .iter()
        .zip(&columns)
        .map(|(batch, rows)| {
            let marks = (0..batch.num_rows()).map(|row| superseded(rows, row));
            let mut columns = batch.columns().to_vec();
            columns[column] = Arc::new(marks.collect::<BooleanArray>());
            RecordBatch::try_new(batch.schema(), columns)
        })
        .collect()
}

/// The progress of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    RequestReceived,
    ResponseStarted,
    /// `ResponseComplete`, `Panic`, and any stage that is not known to precede another.
    Last,
}

/// The columns that identify the stages of one request.
struct StageColumns<'a> {
    cluster: &'a StringArray,
    audit_id: &'a StringArray,
    time: &'a [i64],
    stage: &'a StringArray,
}

impl<'a> StageColumns<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, ArrowError> {
        let column = |name: &str| {
            let missing = || {
                ArrowError::SchemaError(format!("column `{name}` is missing or has another type"))
            };
            batch.column_by_name(name).ok_or_else(missing)
        };
        let text = |name: &str| {
            let other = || ArrowError::SchemaError(format!("`{name}` is not a string"));
            column(name)?.as_string_opt::<i32>().ok_or_else(other)
        };
        let time = column("time")?.as_primitive_opt::<TimestampMicrosecondType>();
        let time =
            time.ok_or_else(|| ArrowError::SchemaError("`time` is not a timestamp".into()))?;
        Ok(Self {
            cluster: text("cluster")?,
            audit_id: text("audit_id")?,
            time: time.values(),
            stage: text("stage")?,
        })
    }

    fn key(&self, row: usize) -> RequestKey<'a> {
        let text = |column: &'a StringArray| column.is_valid(row).then(|| column.value(row));
        (text(self.cluster), text(self.audit_id), self.time[row])
    }

    fn stage(&self, row: usize) -> Stage {
        match self.stage.is_valid(row).then(|| self.stage.value(row)) {
            Some("RequestReceived") => Stage::RequestReceived,
            Some("ResponseStarted") => Stage::ResponseStarted,
            _ => Stage::Last,
        }
    }
}
