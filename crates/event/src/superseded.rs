//! Which stages of requests a later stage has replaced.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::error::ArrowError;

use crate::batch::schema;

/// What all stages of one request have in common: `cluster`, `audit_id` and `time`.
type RequestKey<'a> = (Option<&'a str>, Option<&'a str>, i64);

/// Fills the column `superseded` of batches of [`schema`] that are stored together: false for a last stage, true for one
/// of whose request they have a later one, null for one of whose request a later one may be stored elsewhere.
///
/// # Errors
/// When the batches have other columns.
pub fn mark_superseded(batches: &[RecordBatch]) -> Result<Vec<RecordBatch>, ArrowError> {
    let columns = batches.iter().map(StageColumns::of).collect::<Result<Vec<_>, _>>()?;
    let rows = || {
        columns.iter().flat_map(|columns| (0..columns.stage.len()).map(move |row| (columns, row)))
    };
    // Most requests have but one stage that can be superseded, if any: only of these is anything kept.
    let mut last: HashMap<RequestKey<'_>, Stage> = HashMap::new();
    for (columns, row) in rows().filter(|(columns, row)| columns.stage(*row) < Stage::Last) {
        last.entry(columns.key(row)).or_insert(Stage::RequestReceived);
    }
    for (columns, row) in rows() {
        if let Some(last) = last.get_mut(&columns.key(row)) {
            *last = columns.stage(row).max(*last);
        }
    }
    let marks: Vec<BooleanArray> = columns
        .iter()
        .map(|columns| {
            let is_superseded = |row| {
                let stage = columns.stage(row);
                if stage == Stage::Last {
                    return Some(false);
                }
                last.get(&columns.key(row)).is_some_and(|last| stage < *last).then_some(true)
            };
            (0..columns.stage.len()).map(is_superseded).collect()
        })
        .collect();
    let column = schema().index_of("superseded")?;
    batches
        .iter()
        .zip(marks)
        .map(|(batch, marks)| {
            let mut columns = batch.columns().to_vec();
            columns[column] = Arc::new(marks);
            RecordBatch::try_new(batch.schema(), columns)
        })
        .collect()
}

/// How far a request had got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    RequestReceived,
    ResponseStarted,
    /// `ResponseComplete`, `Panic`, and whatever is not known to come before another.
    Last,
}

/// The columns by which stages of one request are known.
struct StageColumns<'a> {
    cluster: &'a StringArray,
    audit_id: &'a StringArray,
    time: &'a [i64],
    stage: &'a StringArray,
}

impl<'a> StageColumns<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, ArrowError> {
        let column = |name: &str| {
            let missing = || ArrowError::SchemaError(format!("no column `{name}` of its type"));
            batch.column_by_name(name).ok_or_else(missing)
        };
        let text = |name: &str| {
            let other = || ArrowError::SchemaError(format!("`{name}` is no string"));
            column(name)?.as_string_opt::<i32>().ok_or_else(other)
        };
        let time = column("time")?.as_primitive_opt::<TimestampMicrosecondType>();
        let time = time.ok_or_else(|| ArrowError::SchemaError("`time` is no timestamp".into()))?;
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
