//! Stages of a request that are stored together.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::error::ArrowError;

use crate::tables::batch::schema;

/// Which stages of a request are stored together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageStatus {
    /// A last stage, with every earlier one.
    Complete,
    /// A last stage; an earlier one may be stored elsewhere.
    Last,
    /// An early stage; a later one may be stored elsewhere.
    Open,
    /// An early stage, with a later one.
    Superseded,
}

impl StageStatus {
    /// Returns the name used in the `stage_status` column. Alphabetical order puts the values that most queries select
    /// first.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Last => "last",
            Self::Open => "open",
            Self::Superseded => "superseded",
        }
    }
}

/// The columns shared by all stages of one request: `cluster`, `audit_id` and `time`.
type RequestKey<'a> = (Option<&'a str>, Option<&'a str>, i64);

/// The stages of one request.
#[derive(Debug, Clone, Copy, Default)]
struct Stages {
    request_received: bool,
    response_started: bool,
    last: bool,
}

/// Fills the column `stage_status` of batches of [`schema`] that are stored together.
///
/// # Errors
///
/// Returns an error if the batches have other columns.
pub fn mark_stages(batches: &[RecordBatch]) -> Result<Vec<RecordBatch>, ArrowError> {
    let columns = batches.iter().map(StageColumns::of).collect::<Result<Vec<_>, _>>()?;
    let rows = || {
        columns.iter().flat_map(|columns| (0..columns.stage.len()).map(move |row| (columns, row)))
    };
    // Most requests have at most one early stage; only these are kept.
    let mut requests: HashMap<RequestKey<'_>, Stages> = HashMap::new();
    for (columns, row) in rows() {
        match columns.stage(row) {
            Stage::RequestReceived => {
                requests.entry(columns.key(row)).or_default().request_received = true;
            }
            Stage::ResponseStarted => {
                requests.entry(columns.key(row)).or_default().response_started = true;
            }
            Stage::Last => {}
        }
    }
    for (columns, row) in rows().filter(|(columns, row)| columns.stage(*row) == Stage::Last) {
        if let Some(stages) = requests.get_mut(&columns.key(row)) {
            stages.last = true;
        }
    }
    let status = |columns: &StageColumns<'_>, row| {
        let stages = requests.get(&columns.key(row)).copied().unwrap_or_default();
        let has_later = match columns.stage(row) {
            Stage::RequestReceived => stages.response_started || stages.last,
            Stage::ResponseStarted => stages.last,
            Stage::Last => {
                let has_started = stages.response_started || !columns.is_long_running(row);
                return if stages.request_received && has_started {
                    StageStatus::Complete
                } else {
                    StageStatus::Last
                };
            }
        };
        if has_later { StageStatus::Superseded } else { StageStatus::Open }
    };
    let column = schema().index_of("stage_status")?;
    batches
        .iter()
        .zip(&columns)
        .map(|(batch, rows)| {
            let statuses = (0..batch.num_rows()).map(|row| status(rows, row).as_str());
            let mut columns = batch.columns().to_vec();
            columns[column] = Arc::new(StringArray::from_iter_values(statuses));
            RecordBatch::try_new(batch.schema(), columns)
        })
        .collect()
}

/// The progress of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    verb: &'a StringArray,
    subresource: &'a StringArray,
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
            verb: text("verb")?,
            subresource: text("subresource")?,
        })
    }

    fn key(&self, row: usize) -> RequestKey<'a> {
        let text = |column: &'a StringArray| column.is_valid(row).then(|| column.value(row));
        (text(self.cluster), text(self.audit_id), self.time[row])
    }

    /// Returns whether the API server also writes a stage `ResponseStarted`: `BasicLongRunningRequestCheck` as
    /// configured by kube-apiserver.
    fn is_long_running(&self, row: usize) -> bool {
        matches!(self.verb.value(row), "watch" | "proxy")
            || matches!(
                self.subresource.value(row),
                "attach" | "exec" | "proxy" | "log" | "portforward"
            )
    }

    fn stage(&self, row: usize) -> Stage {
        match self.stage.is_valid(row).then(|| self.stage.value(row)) {
            Some("RequestReceived") => Stage::RequestReceived,
            Some("ResponseStarted") => Stage::ResponseStarted,
            _ => Stage::Last,
        }
    }
}
