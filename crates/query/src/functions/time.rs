//! Distances in time: `date_diff`, and the window function `session_number`.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, Int64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::cast::{as_int64_array, as_string_array, as_timestamp_microsecond_array};
use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, LimitEffect, PartitionEvaluator, ScalarFunctionArgs,
    ScalarUDFImpl, Signature, Volatility, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;

const SECTION: DocSection =
    DocSection { include: true, label: "Time Functions", description: None };

const MICROS_PER_SECOND: i64 = 1_000_000;

fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn is_time(data_type: &DataType) -> bool {
    data_type.is_null()
        || data_type.is_string()
        || matches!(data_type, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64)
}

/// `date_diff(unit, start, end)`, as in Trino.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DateDiff {
    signature: Signature,
    documentation: Documentation,
}

impl DateDiff {
    pub(super) fn new() -> Self {
        let documentation = Documentation::builder(
            SECTION,
            "Returns the number of whole units from one time to another, negative if the second is earlier.",
            "date_diff(unit, start, end)",
        )
        .with_argument("unit", "`millisecond`, `second`, `minute`, `hour` or `day`")
        .with_argument("start", "the first time")
        .with_argument("end", "the second time")
        .with_sql_example(
            "date_diff('second', '2026-01-01T00:00:00Z', '2026-01-01T00:01:30.9Z') = 90",
        )
        .build();
        Self { signature: Signature::user_defined(Volatility::Immutable), documentation }
    }
}

impl ScalarUDFImpl for DateDiff {
    fn name(&self) -> &'static str {
        "date_diff"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        match arguments {
            [unit, start, end]
                if (unit.is_string() || unit.is_null()) && is_time(start) && is_time(end) =>
            {
                Ok(vec![DataType::Utf8, instant(), instant()])
            }
            _ => plan_err!("date_diff takes a unit such as 'second' and two times"),
        }
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let [units, starts, ends] = arrays.as_slice() else {
            return exec_err!("date_diff takes three arguments");
        };
        let units = as_string_array(units)?;
        let (starts, ends) =
            (as_timestamp_microsecond_array(starts)?, as_timestamp_microsecond_array(ends)?);
        let rows = units.iter().zip(starts).zip(ends);
        let differences = rows.map(|((unit, start), end)| match (unit, start, end) {
            (Some(unit), Some(start), Some(end)) => {
                let length = micros(unit)?;
                Ok(end.checked_sub(start).map(|micros| micros / length))
            }
            _ => Ok(None),
        });
        let differences = differences.collect::<Result<Int64Array>>()?;
        Ok(ColumnarValue::Array(Arc::new(differences)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// Returns the length of a unit of time, in microseconds.
fn micros(unit: &str) -> Result<i64> {
    Ok(match unit.to_ascii_lowercase().as_str() {
        "millisecond" => 1_000,
        "second" => MICROS_PER_SECOND,
        "minute" => 60 * MICROS_PER_SECOND,
        "hour" => 3_600 * MICROS_PER_SECOND,
        "day" => 86_400 * MICROS_PER_SECOND,
        _ => {
            return exec_err!(
                "unknown unit '{unit}'; expected millisecond, second, minute, hour or day"
            );
        }
    })
}

/// `session_number(time, gap_seconds) OVER (PARTITION BY … ORDER BY time)`: sessions are separated by gaps without rows.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SessionNumber {
    signature: Signature,
    documentation: Documentation,
}

impl SessionNumber {
    pub(super) const NAME: &'static str = "session_number";

    pub(super) fn new() -> Self {
        let documentation = Documentation::builder(
            SECTION,
            "Numbers the sessions of a partition that is ordered by time, beginning with 1: a session ends where the \
             next row is more than this number of seconds later. Rows without a time belong to the session before.",
            "session_number(time, gap_seconds) OVER (PARTITION BY … ORDER BY time)",
        )
        .with_argument("time", "the time of the row")
        .with_argument("gap_seconds", "the longest time between two rows of a session, in seconds")
        .with_sql_example("session_number(TIMESTAMP '2026-01-01T00:00:00Z', 60) OVER () = 1")
        .build();
        Self { signature: Signature::user_defined(Volatility::Immutable), documentation }
    }
}

impl WindowUDFImpl for SessionNumber {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        match arguments {
            [time, gap] if is_time(time) && (gap.is_integer() || gap.is_null()) => {
                Ok(vec![instant(), DataType::Int64])
            }
            _ => plan_err!("session_number takes a time and a whole number of seconds"),
        }
    }

    fn partition_evaluator(
        &self,
        _arguments: PartitionEvaluatorArgs,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Sessions))
    }

    fn field(&self, arguments: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(arguments.name(), DataType::Int64, false)))
    }

    /// A row depends only on earlier rows.
    fn limit_effect(&self, _arguments: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::None
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

#[derive(Debug)]
struct Sessions;

impl PartitionEvaluator for Sessions {
    fn evaluate_all(&mut self, arrays: &[ArrayRef], count: usize) -> Result<ArrayRef> {
        let [times, gaps] = arrays else {
            return exec_err!("session_number takes two arguments");
        };
        let (times, gaps) = (cast(times, &instant())?, cast(gaps, &DataType::Int64)?);
        let (times, gaps) = (as_timestamp_microsecond_array(&times)?, as_int64_array(&gaps)?);
        let mut session = 1;
        let mut last = None;
        let numbers = (0..count).map(|row| {
            let time = times.is_valid(row).then(|| times.value(row));
            let gap = gaps.is_valid(row).then(|| gaps.value(row).saturating_mul(MICROS_PER_SECOND));
            if let (Some(last), Some(time), Some(gap)) = (last, time, gap)
                && time.saturating_sub(last) > gap
            {
                session += 1;
            }
            last = time.or(last);
            session
        });
        Ok(Arc::new(Int64Array::from_iter_values(numbers)))
    }
}
