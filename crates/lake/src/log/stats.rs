//! File statistics in the Delta log: written from the Parquet footer, read for pruning and planning.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{max, max_string, min, min_string};
use arrow::datatypes::{
    DataType, Date32Type, Field, Int32Type, Int64Type, Schema, TimeUnit, TimestampMicrosecondType,
};
use chrono::{DateTime, NaiveDate, SecondsFormat};
use datafusion::common::ColumnStatistics;
use datafusion::common::stats::Precision;
use datafusion::scalar::ScalarValue;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::error::LakeError;
use crate::spec::TableSpec;
use crate::store::LOG;

/// Statistics of one file. Values are as in the log: times and dates are ISO 8601 text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FileStats {
    /// The number of rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_records: Option<u64>,
    /// A lower bound of each column; not always an existing value, because long text is cut.
    pub min_values: Map<String, Value>,
    /// An upper bound of each column; not always an existing value, because long text is cut.
    pub max_values: Map<String, Value>,
    /// The number of nulls of each column.
    pub null_count: Map<String, Value>,
}

/// The part of a file's statistics that concerns its rows as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The number of rows.
    pub(crate) rows: Option<u64>,
    /// The first and last time, in microseconds since the Unix epoch.
    pub(crate) times: Option<(i64, i64)>,
}

impl Summary {
    /// Parses the statistics of a file.
    pub(crate) fn parse(spec: &TableSpec, path: &str, text: &str) -> Result<Self, LakeError> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Members<'a> {
            num_records: Option<u64>,
            #[serde(borrow)]
            min_values: HashMap<Cow<'a, str>, &'a RawValue>,
            #[serde(borrow)]
            max_values: HashMap<Cow<'a, str>, &'a RawValue>,
        }
        let members: Members<'_> = parse(spec, path, text)?;
        check_rows(members.num_records).map_err(|detail| invalid(spec, path, &detail))?;
        let micros = |values: &HashMap<Cow<'_, str>, &RawValue>, bound| {
            let value = values.get(spec.time_column?)?;
            let value: Value = serde_json::from_str(value.get()).ok()?;
            timestamp(&value, bound).map(|(micros, _)| micros)
        };
        let first = micros(&members.min_values, Bound::Lower);
        let last = micros(&members.max_values, Bound::Upper);
        Ok(Self { rows: members.num_records, times: first.zip(last) })
    }
}

/// Parses statistics, which must be a JSON object.
fn parse<'a, T: Deserialize<'a>>(
    spec: &TableSpec,
    path: &str,
    text: &'a str,
) -> Result<T, LakeError> {
    let detail = if text.trim_start().starts_with('{') {
        match serde_json::from_str(text) {
            Ok(stats) => return Ok(stats),
            Err(error) => error.to_string(),
        }
    } else {
        // Deserialization into a struct would take a list's items as its members.
        "not an object".to_owned()
    };
    Err(invalid(spec, path, &detail))
}

fn invalid(spec: &TableSpec, path: &str, detail: &str) -> LakeError {
    let (path, detail) = (LOG.to_owned(), format!("invalid `stats` of {path}: {detail}"));
    LakeError::Damaged { table: spec.name, path, detail }
}

/// Checks a number of rows, which other engines store as a signed number.
fn check_rows(rows: Option<u64>) -> Result<(), String> {
    if rows.is_some_and(|rows| i64::try_from(rows).is_err()) {
        return Err("`numRecords` is too large".to_owned());
    }
    Ok(())
}

/// The end of a column's range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Lower,
    Upper,
}

impl FileStats {
    /// Parses the statistics of a file.
    pub(crate) fn parse(spec: &TableSpec, path: &str, text: &str) -> Result<Self, LakeError> {
        let stats: Self = parse(spec, path, text)?;
        stats.check().map_err(|detail| invalid(spec, path, &detail))?;
        Ok(stats)
    }

    /// Checks the counts.
    pub(crate) fn check(&self) -> Result<(), String> {
        check_rows(self.num_records)?;
        // Those of a struct are an object.
        let is_count = |value: &&Value| value.is_object() || value.as_i64().is_some_and(|n| n >= 0);
        match self.null_count.iter().find(|(_, count)| !is_count(count)) {
            Some((column, _)) => {
                Err(format!("the `nullCount` of `{column}` is not a number of rows"))
            }
            None => Ok(()),
        }
    }

    /// Returns the statistics of a new file, for the given columns of its schema.
    pub(crate) fn from_footer(
        footer: &ParquetMetaData,
        schema: &Schema,
        columns: &[Arc<Field>],
    ) -> Result<Self, ParquetError> {
        let rows = u64::try_from(footer.file_metadata().num_rows()).unwrap_or_default();
        let mut stats = Self { num_records: Some(rows), ..Self::default() };
        for column in columns {
            let name = column.name();
            if schema.index_of(name).is_err() {
                // The file omits it, because it has no value.
                stats.null_count.insert(name.clone(), rows.into());
                continue;
            }
            let parquet_schema = footer.file_metadata().schema_descr();
            let converter = StatisticsConverter::try_new(name, schema, parquet_schema)?;
            let groups = footer.row_groups();
            let nulls = converter.row_group_null_counts(groups.iter())?;
            stats.null_count.insert(name.clone(), nulls.values().iter().sum::<u64>().into());
            let lower = bound_value(&converter.row_group_mins(groups.iter())?, Bound::Lower);
            let upper = bound_value(&converter.row_group_maxes(groups.iter())?, Bound::Upper);
            if let (Some(lower), Some(upper)) = (lower, upper) {
                stats.min_values.insert(name.clone(), lower);
                stats.max_values.insert(name.clone(), upper);
            }
        }
        Ok(stats)
    }

    /// Returns the smallest and largest value of a timestamp column, in microseconds since the Unix epoch.
    pub(crate) fn time_range(&self, column: &str) -> Option<(i64, i64)> {
        let micros = |values: &Map<String, Value>, bound| {
            timestamp(values.get(column)?, bound).map(|(micros, _)| micros)
        };
        Some((micros(&self.min_values, Bound::Lower)?, micros(&self.max_values, Bound::Upper)?))
    }

    /// Returns the statistics of a column for the planner.
    pub(crate) fn column(&self, field: &Field) -> ColumnStatistics {
        let name = field.name();
        let bound = |values: &Map<String, Value>, bound| {
            values
                .get(name)
                .and_then(|value| bound_scalar(value, field.data_type(), bound))
                .unwrap_or(Precision::Absent)
        };
        let nulls = self.null_count.get(name).and_then(Value::as_u64);
        ColumnStatistics {
            null_count: nulls
                .and_then(|nulls| usize::try_from(nulls).ok())
                .map_or(Precision::Absent, Precision::Exact),
            min_value: bound(&self.min_values, Bound::Lower),
            max_value: bound(&self.max_values, Bound::Upper),
            ..ColumnStatistics::new_unknown()
        }
    }
}

/// Returns the extreme over all row groups, as JSON; `None` for types without a useful order.
fn bound_value(groups: &ArrayRef, bound: Bound) -> Option<Value> {
    macro_rules! extreme {
        ($type:ty) => {{
            let groups = groups.as_primitive::<$type>();
            if bound == Bound::Lower { min(groups) } else { max(groups) }
        }};
    }
    match groups.data_type() {
        DataType::Utf8 => {
            let groups = groups.as_string::<i32>();
            let text = if bound == Bound::Lower { min_string(groups) } else { max_string(groups) };
            text.map(Value::from)
        }
        DataType::Int32 => extreme!(Int32Type).map(Value::from),
        DataType::Int64 => extreme!(Int64Type).map(Value::from),
        DataType::Date32 => {
            let day = Date32Type::to_naive_date_opt(extreme!(Date32Type)?)?;
            Some(day.to_string().into())
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let micros = extreme!(TimestampMicrosecondType)?;
            let time = DateTime::from_timestamp_micros(micros)?;
            Some(time.to_rfc3339_opts(SecondsFormat::Micros, true).into())
        }
        _ => None,
    }
}

fn bound_scalar(
    value: &Value,
    data_type: &DataType,
    bound: Bound,
) -> Option<Precision<ScalarValue>> {
    Some(match data_type {
        // Long text is cut in the log, without a mark.
        DataType::Utf8 => Precision::Inexact(ScalarValue::from(value.as_str()?)),
        DataType::Int32 => {
            Precision::Exact(ScalarValue::Int32(Some(i32::try_from(value.as_i64()?).ok()?)))
        }
        DataType::Int64 => Precision::Exact(ScalarValue::Int64(Some(value.as_i64()?))),
        DataType::Date32 => {
            let day = NaiveDate::parse_from_str(value.as_str()?, "%Y-%m-%d").ok()?;
            Precision::Exact(ScalarValue::Date32(Some(Date32Type::from_naive_date(day))))
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let (micros, exact) = timestamp(value, bound)?;
            let scalar = ScalarValue::TimestampMicrosecond(Some(micros), zone.clone());
            if exact { Precision::Exact(scalar) } else { Precision::Inexact(scalar) }
        }
        _ => return None,
    })
}

/// Parses a time of the log into microseconds, and whether it is exact: other writers cut times to milliseconds.
fn timestamp(value: &Value, bound: Bound) -> Option<(i64, bool)> {
    let text = value.as_str()?;
    let micros = DateTime::parse_from_rfc3339(text).ok()?.timestamp_micros();
    let digits = text
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.bytes().take_while(u8::is_ascii_digit).count());
    let exact = digits >= 6;
    let cut = if !exact && bound == Bound::Upper { 999 } else { 0 };
    Some((micros + cut, exact))
}
