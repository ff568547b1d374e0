//! Size limits for functions whose output can be much larger than their input: the output of a call is estimated
//! before the call.
//!
//! The query engine does not count the output of functions against the memory limit, and evaluates functions of
//! constants while planning.

#![expect(clippy::cast_precision_loss, reason = "sizes are estimates")]

use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, Float64Array, NullArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::compute::kernels::length::length;
use datafusion::arrow::datatypes::{DataType, FieldRef, TimeUnit};
use datafusion::common::cast::{as_float64_array, as_string_array};
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature,
};
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;

/// The maximum output of one call of a function, for a batch of rows or for constants, in bytes.
const MAX_BYTES: f64 = 256.0 * MIB;

const MIB: f64 = 1_048_576.0;

/// The size of an item in a list of numbers or times, in bytes.
const ITEM: f64 = 8.0;

/// The maximum size of a padding character, in bytes.
const CHARACTER: f64 = 4.0;

/// The maximum growth of a format directive of two characters, in output bytes per input byte.
const FORMATTED: f64 = 20.0;

/// Matches of an empty pattern are counted at every position only if the replacement is longer than this; otherwise
/// every pattern would be assumed to match everywhere.
const LONG_REPLACEMENT: f64 = 4096.0;

/// A function that returns the size that a call produces for one row, in bytes.
type Size = fn(&[Argument], usize) -> f64;

/// The bounded functions with their size estimates.
const BOUNDED: &[(&str, Size)] = &[
    ("repeat", |arguments, row| of(arguments, 0).length(row) * of(arguments, 1).number(row)),
    ("lpad", |arguments, row| CHARACTER * of(arguments, 1).number(row)),
    ("rpad", |arguments, row| CHARACTER * of(arguments, 1).number(row)),
    ("replace", replaced),
    ("regexp_replace", |arguments, row| {
        let (text, to) = (of(arguments, 0).length(row), of(arguments, 2).length(row));
        if to > LONG_REPLACEMENT { text + (text + 1.0) * to } else { 0.0 }
    }),
    ("concat", |arguments, row| arguments.iter().map(|argument| argument.size(row)).sum()),
    ("concat_ws", |arguments, row| {
        let separators = of(arguments, 0).length(row) * arguments.len() as f64;
        separators + arguments.iter().map(|argument| argument.size(row)).sum::<f64>()
    }),
    ("to_char", |arguments, row| FORMATTED * of(arguments, 1).length(row)),
    ("encode", |arguments, row| 2.0 * of(arguments, 0).length(row)),
    // Steps, not bytes.
    ("levenshtein", |arguments, row| of(arguments, 0).length(row) * of(arguments, 1).length(row)),
    ("range", items),
    ("generate_series", items),
    ("array_repeat", |arguments, row| {
        of(arguments, 1).number(row) * of(arguments, 0).size(row).max(1.0)
    }),
    ("array_resize", |arguments, row| {
        of(arguments, 1).number(row) * of(arguments, 2).size(row).max(ITEM)
    }),
    ("array_concat", |arguments, row| arguments.iter().map(|argument| argument.size(row)).sum()),
    ("array_to_string", |arguments, row| {
        let (list, separator) = (of(arguments, 0), of(arguments, 1));
        list.size(row) + list.length(row) * separator.length(row)
    }),
];

/// Returns the size of a range, in bytes.
fn items(arguments: &[Argument], row: usize) -> f64 {
    let (start, stop) = match arguments {
        [_] => (0.0, of(arguments, 0).number(row)),
        _ => (of(arguments, 0).number(row), of(arguments, 1).number(row)),
    };
    let stride = if arguments.len() > 2 { of(arguments, 2).number(row).abs() } else { 1.0 };
    // The function rejects a step of zero.
    if stride == 0.0 { 0.0 } else { ITEM * (stop - start).abs() / stride }
}

/// Returns the output size of a replacement; matches are counted only if the worst case would be too large.
fn replaced(arguments: &[Argument], row: usize) -> f64 {
    let (text, from, to) = (of(arguments, 0), of(arguments, 1), of(arguments, 2));
    let places = text.length(row) / from.length(row).max(1.0) + 1.0;
    let most = text.length(row) + places * to.length(row);
    if most < MAX_BYTES / 8192.0 {
        return most;
    }
    let places = match (text.text(row), from.text(row)) {
        (Some(text), Some(from)) => text.matches(from).count() as f64,
        _ => places,
    };
    text.length(row) + places * to.length(row)
}

/// An argument of a call; a constant has one row.
struct Argument {
    values: ArrayRef,
    lengths: Option<Float64Array>,
    numbers: Option<Float64Array>,
    texts: Option<StringArray>,
    /// The mean size of a row.
    size: f64,
    is_constant: bool,
}

/// Stands for omitted arguments.
static NONE: LazyLock<Argument> = LazyLock::new(|| Argument {
    values: Arc::new(NullArray::new(1)),
    lengths: None,
    numbers: None,
    texts: None,
    size: 0.0,
    is_constant: true,
});

fn of(arguments: &[Argument], index: usize) -> &Argument {
    arguments.get(index).unwrap_or(&NONE)
}

impl Argument {
    fn new(value: &ColumnarValue) -> Result<Self> {
        let (values, is_constant) = match value {
            ColumnarValue::Scalar(value) => (value.to_array()?, true),
            ColumnarValue::Array(values) => (values.clone(), false),
        };
        let rows = values.len().max(1) as f64;
        let bytes = values.to_data().get_slice_memory_size().unwrap_or_default();
        let lengths = length(values.as_ref()).ok().as_ref().and_then(float);
        let numbers = match values.data_type() {
            DataType::Interval(_) => Some(intervals(&values)),
            DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => {
                let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
                let micros = cast(&values, &micros).ok();
                micros
                    .and_then(|micros| cast(&micros, &DataType::Int64).ok())
                    .as_ref()
                    .and_then(float)
            }
            kind if kind.is_numeric() => float(&values),
            _ => None,
        };
        let texts = match values.data_type() {
            DataType::Utf8 => as_string_array(&values).ok().cloned(),
            _ => None,
        };
        Ok(Self { lengths, numbers, texts, size: bytes as f64 / rows, is_constant, values })
    }

    fn row(&self, row: usize) -> usize {
        if self.is_constant { 0 } else { row }
    }

    /// Returns the bytes of a text, or the items of a list.
    fn length(&self, row: usize) -> f64 {
        self.lengths.as_ref().map_or(0.0, |lengths| value(lengths, self.row(row)))
    }

    /// Returns a number, or the microseconds of a time or interval; negative values count as zero.
    fn number(&self, row: usize) -> f64 {
        self.numbers.as_ref().map_or(0.0, |numbers| value(numbers, self.row(row)))
    }

    fn text(&self, row: usize) -> Option<&str> {
        let row = self.row(row);
        self.texts.as_ref().filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row))
    }

    /// Returns the bytes of a row.
    fn size(&self, row: usize) -> f64 {
        match self.values.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => self.length(row),
            _ => self.size,
        }
    }
}

fn float(values: &ArrayRef) -> Option<Float64Array> {
    as_float64_array(&cast(values, &DataType::Float64).ok()?).ok().cloned()
}

fn value(values: &Float64Array, row: usize) -> f64 {
    if row < values.len() && values.is_valid(row) { values.value(row) } else { 0.0 }
}

/// Converts intervals to microseconds, with the shortest length of a month.
fn intervals(values: &ArrayRef) -> Float64Array {
    const DAY: f64 = 86_400e6;
    let micros = |row| match ScalarValue::try_from_array(values, row).ok()? {
        ScalarValue::IntervalMonthDayNano(Some(interval)) => Some(
            (f64::from(interval.months) * 28.0 + f64::from(interval.days)) * DAY
                + interval.nanoseconds as f64 / 1e3,
        ),
        ScalarValue::IntervalDayTime(Some(interval)) => {
            Some(f64::from(interval.days) * DAY + f64::from(interval.milliseconds) * 1e3)
        }
        ScalarValue::IntervalYearMonth(Some(months)) => Some(f64::from(months) * 28.0 * DAY),
        _ => None,
    };
    (0..values.len()).map(micros).collect()
}

/// A function of the engine that rejects calls with too large an output.
#[derive(Debug)]
struct Bounded {
    inner: ScalarUDF,
    size: Size,
}

impl PartialEq for Bounded {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl Eq for Bounded {}

impl Hash for Bounded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

/// Replaces the engine's functions by the bounded ones.
pub(super) fn register(context: &SessionContext) {
    let state = context.state();
    for (name, size) in BOUNDED {
        if let Some(inner) = state.scalar_functions().get(*name) {
            let inner = inner.as_ref().clone();
            context.register_udf(ScalarUDF::from(Bounded { inner, size: *size }));
        }
    }
}

// Simplification is not forwarded: it would restore the engine's function, or create large constants.
impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arguments)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.return_field_from_args(arguments)
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.inner().coerce_types(arguments)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = call.args.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { call.number_rows };
        let arguments = call.args.iter().map(Argument::new).collect::<Result<Vec<_>>>()?;
        // Negative sizes produce nothing, and must not offset other rows.
        let bytes: f64 = (0..rows).map(|row| (self.size)(&arguments, row).max(0.0)).sum();
        if bytes > MAX_BYTES {
            return exec_err!(
                "{} would produce {:.0} MiB for one batch of rows, more than the maximum of {:.0} MiB",
                self.name(),
                bytes / MIB,
                MAX_BYTES / MIB
            );
        }
        let promised = call.return_field.data_type().clone();
        let result = self.inner.inner().invoke_with_args(call)?;
        // `array_concat` of nulls alone names the field of the list as its arguments do, not as it was planned.
        if result.data_type() == promised { Ok(result) } else { result.cast_to(&promised, None) }
    }

    fn is_strict(&self) -> bool {
        self.inner.inner().is_strict()
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}
