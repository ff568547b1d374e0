//! String functions, for any string type of a column: null if an argument is null.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::as_string_array;
use datafusion::error::Result;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::Expr;
use datafusion::scalar::ScalarValue;

/// The implementation for one row; `None` is null.
#[derive(Clone, Copy)]
pub(super) enum Body {
    Text(fn(&[&str]) -> Result<Option<String>>),
    Boolean(fn(&[&str]) -> Result<Option<bool>>),
}

/// A string function.
pub(super) struct StringFunction {
    name: &'static str,
    signature: Signature,
    body: Body,
    simplify: Option<Simplify>,
    documentation: Documentation,
}

/// Rewrites a call as an expression of the engine; `None` leaves it unchanged.
pub(super) type Simplify = fn(&[Expr]) -> Option<Expr>;

impl StringFunction {
    pub(super) fn new(name: &'static str, body: Body, documentation: Documentation) -> Self {
        let arguments = documentation.arguments.as_ref().map_or(0, Vec::len);
        let signature = Signature::string(arguments, Volatility::Immutable);
        Self { name, signature, body, simplify: None, documentation }
    }

    pub(super) fn with_simplify(self, simplify: Simplify) -> Self {
        Self { simplify: Some(simplify), ..self }
    }
}

impl ScalarUDFImpl for StringFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(match self.body {
            Body::Text(_) => DataType::Utf8,
            Body::Boolean(_) => DataType::Boolean,
        })
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        // A call with only constants has one result.
        let constant = arguments.args.iter().all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { arguments.number_rows };
        let arrays = arguments
            .args
            .into_iter()
            .map(|argument| Ok(cast(&argument.into_array(rows)?, &DataType::Utf8)?))
            .collect::<Result<Vec<_>>>()?;
        let columns =
            arrays.iter().map(|array| as_string_array(array)).collect::<Result<Vec<_>>>()?;
        let result: ArrayRef = match self.body {
            Body::Text(body) => {
                Arc::new(each_row(&columns, rows, body)?.into_iter().collect::<StringArray>())
            }
            Body::Boolean(body) => {
                Arc::new(each_row(&columns, rows, body)?.into_iter().collect::<BooleanArray>())
            }
        };
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
        }
        Ok(ColumnarValue::Array(result))
    }

    fn simplify(&self, arguments: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        // The engine compares values of one type only; text literals in a plan have this type.
        let is_plain = |argument: &Expr| {
            info.get_data_type(argument).is_ok_and(|data_type| data_type == DataType::Utf8)
        };
        let simplify = self.simplify.filter(|_| arguments.iter().all(is_plain));
        let simplified = simplify.and_then(|simplify| simplify(&arguments));
        Ok(simplified
            .map_or(ExprSimplifyResult::Original(arguments), ExprSimplifyResult::Simplified))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

fn each_row<T>(
    columns: &[&StringArray],
    rows: usize,
    body: fn(&[&str]) -> Result<Option<T>>,
) -> Result<Vec<Option<T>>> {
    let mut values = Vec::with_capacity(columns.len());
    (0..rows)
        .map(|row| {
            values.clear();
            values.extend(columns.iter().filter(|c| c.is_valid(row)).map(|c| c.value(row)));
            if values.len() < columns.len() { Ok(None) } else { body(&values) }
        })
        .collect()
}

impl std::fmt::Debug for StringFunction {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}

// The name identifies the function; function pointers cannot be compared.
impl PartialEq for StringFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for StringFunction {}

impl Hash for StringFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}
