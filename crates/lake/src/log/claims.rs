//! Checks the claims of the log about the columns of a file against its rows.
//!
//! Queries skip files by these claims, and answer some questions from them alone. So a log with false claims hides rows
//! as effectively as a log without the file.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{max, max_string, min, min_string};
use arrow::datatypes::{
    DataType, Date32Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use chrono::{DateTime, SecondsFormat};
use datafusion::common::stats::Precision;
use datafusion::scalar::ScalarValue;
use serde_json::{Map, Value};

use crate::log::stats::FileStats;
use crate::spec::TableSpec;

/// The null counts and extremes of each column in the rows that were read.
#[derive(Default)]
pub(crate) struct Measured {
    columns: BTreeMap<String, Column>,
}

#[derive(Default)]
struct Column {
    nulls: u64,
    extremes: Option<(ScalarValue, ScalarValue)>,
}

impl Measured {
    /// Adds rows of a file.
    pub(crate) fn add(&mut self, batch: &RecordBatch) {
        for (field, values) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            let column = self.columns.entry(field.name().clone()).or_default();
            column.nulls += values.null_count() as u64;
            if let Some((lowest, highest)) = extremes(values) {
                column.extremes = Some(match column.extremes.take() {
                    None => (lowest, highest),
                    Some((low, high)) => {
                        let low = if is_before(&lowest, &low) { lowest } else { low };
                        let high = if is_before(&high, &highest) { highest } else { high };
                        (low, high)
                    }
                });
            }
        }
    }

    /// Returns the statistics of a file's columns that its rows contradict.
    pub(crate) fn contradictions(&self, spec: &TableSpec, stats: &FileStats) -> Vec<String> {
        let mut found = Vec::new();
        for (name, nulls) in &stats.null_count {
            match (self.columns.get(name), nulls.as_u64()) {
                (None, _) => {
                    found.push(format!(
                        "the log records a null count of `{name}`, a column that the file lacks"
                    ));
                }
                (Some(column), Some(nulls)) if nulls != column.nulls => found.push(format!(
                    "has {} nulls in `{name}`, but the log records {nulls}",
                    column.nulls
                )),
                _ => {}
            }
        }
        let claimed = stats.min_values.keys().chain(stats.max_values.keys());
        let mut names: Vec<&String> = claimed.collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let (Some(column), Ok(field)) =
                (self.columns.get(name), spec.schema.field_with_name(name))
            else {
                found.push(format!(
                    "the log records a range of `{name}`, a column that the file lacks"
                ));
                continue;
            };
            let claim = stats.column(field);
            let is_unread = |values: &Map<String, Value>, claim: &Precision<ScalarValue>| {
                let value = values.get(name).filter(|value| !value.is_null());
                value.is_some() && claim.get_value().is_none() && has_range(field.data_type())
            };
            if is_unread(&stats.min_values, &claim.min_value)
                || is_unread(&stats.max_values, &claim.max_value)
            {
                found.push(format!("the range of `{name}` in the log is invalid"));
                continue;
            }
            let (low, high) = column.extremes.as_ref().map(|(low, high)| (low, high)).unzip();
            let low_holds = holds(&claim.min_value, low, Ordering::is_le);
            let high_holds = holds(&claim.max_value, high, Ordering::is_ge);
            if !low_holds || !high_holds {
                let [low, high] = [low, high].map(|value| value.map_or_else(none, shown));
                let [from, to] = [&claim.min_value, &claim.max_value]
                    .map(|claim| claim.get_value().map_or_else(none, shown));
                found.push(format!(
                    "`{name}` ranges from {low} to {high}, but the log records {from} to {to}"
                ));
            }
        }
        found
    }
}

/// Returns whether a claimed bound is the extreme, or a valid bound of it if the log may cut values.
fn holds(
    claim: &Precision<ScalarValue>,
    extreme: Option<&ScalarValue>,
    may: fn(Ordering) -> bool,
) -> bool {
    let is_exact = matches!(claim, Precision::Exact(_));
    let Some(claim) = claim.get_value() else { return true };
    let order = extreme.and_then(|extreme| claim.partial_cmp(extreme));
    order.is_some_and(|order| if is_exact { order.is_eq() } else { may(order) })
}

fn is_before(a: &ScalarValue, b: &ScalarValue) -> bool {
    a.partial_cmp(b) == Some(Ordering::Less)
}

fn none() -> String {
    "none".to_owned()
}

/// Returns a value for display, cut because texts in logs may be long.
fn shown(value: &ScalarValue) -> String {
    const LONGEST: usize = 80;
    let text = match value {
        ScalarValue::TimestampMicrosecond(Some(micros), _) => instant(*micros),
        other => other.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Returns a time for display, from microseconds since the Unix epoch.
pub(crate) fn instant(micros: i64) -> String {
    match DateTime::from_timestamp_micros(micros) {
        Some(time) => time.to_rfc3339_opts(SecondsFormat::Micros, true),
        None => format!("{micros} µs"),
    }
}

/// Returns whether the log may have a range of values of this type.
fn has_range(data_type: &DataType) -> bool {
    use DataType::{Date32, Int32, Int64, Timestamp, Utf8};
    matches!(data_type, Utf8 | Int32 | Int64 | Date32 | Timestamp(TimeUnit::Microsecond, _))
}

/// Returns the extremes of values, for types that may have a range in the log.
fn extremes(values: &ArrayRef) -> Option<(ScalarValue, ScalarValue)> {
    macro_rules! primitive {
        ($type:ty, $scalar:expr) => {{
            let values = values.as_primitive::<$type>();
            Some(($scalar(min(values)?), $scalar(max(values)?)))
        }};
    }
    match values.data_type() {
        DataType::Utf8 => {
            let values = values.as_string::<i32>();
            Some((min_string(values)?.into(), max_string(values)?.into()))
        }
        DataType::Int32 => primitive!(Int32Type, |value| ScalarValue::Int32(Some(value))),
        DataType::Int64 => primitive!(Int64Type, |value| ScalarValue::Int64(Some(value))),
        DataType::Date32 => primitive!(Date32Type, |value| ScalarValue::Date32(Some(value))),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            primitive!(TimestampMicrosecondType, |value| ScalarValue::TimestampMicrosecond(
                Some(value),
                zone.clone()
            ))
        }
        _ => None,
    }
}
