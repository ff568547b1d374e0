//! PostgreSQL's operators on JSON text.
//!
//! `->` and `#>` return JSON text, in which numbers keep their notation. The field of such a value is marked as JSON,
//! by which operators distinguish it from other text.

mod path;
mod planner;
mod title;
mod value;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, StringArray, StringBuilder,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::cast::as_string_array;
use datafusion::common::{exec_err, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::sqlparser::ast::BinaryOperator;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::Expr;
use datafusion::scalar::ScalarValue;
use datafusion_functions_json::json_field_metadata;

use self::title::title;
use self::value::{Fault, Level, Value, position};

pub(crate) use self::planner::{JsonPlanner, refuse_json_as_text};

/// The maximum size of the text in a batch of rows, in bytes.
const MAX_BYTES: usize = i32::MAX as usize;

/// The metadata of a field that an operator returns as JSON. JSON text that functions return has only the mark of
/// Arrow: it can be searched as text.
const MARK: &str = "podtrail.json";

/// An operator whose left operand is JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Operator {
    Get,
    GetText,
    Path,
    PathText,
    HasKey,
    HasAny,
    HasAll,
    Contains,
    Concat,
    Delete,
    DeletePath,
    Compare(Comparison),
}

/// A comparison of values with the semantics of `jsonb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    fn of(sign: &BinaryOperator) -> Option<Self> {
        Some(match sign {
            BinaryOperator::Eq => Self::Equal,
            BinaryOperator::NotEq => Self::NotEqual,
            BinaryOperator::Lt => Self::Less,
            BinaryOperator::LtEq => Self::LessOrEqual,
            BinaryOperator::Gt => Self::Greater,
            BinaryOperator::GtEq => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl Operator {
    fn sign(self) -> &'static str {
        match self {
            Self::Get => "->",
            Self::GetText => "->>",
            Self::Path => "#>",
            Self::PathText => "#>>",
            Self::HasKey => "?",
            Self::HasAny => "?|",
            Self::HasAll => "?&",
            Self::Contains => "@>",
            Self::Concat => "||",
            Self::Delete => "-",
            Self::DeletePath => "#-",
            Self::Compare(comparison) => comparison.sign(),
        }
    }

    /// Returns the name of the function as which it is planned.
    fn function(self) -> &'static str {
        match self {
            Self::Get => "json_member",
            Self::GetText => "json_member_as_text",
            Self::Path => "json_at_path",
            Self::PathText => "json_at_path_as_text",
            Self::HasKey => "json_has_key",
            Self::HasAny => "json_has_any_key",
            Self::HasAll => "json_has_all_keys",
            Self::Contains => "json_includes",
            Self::Concat => "json_concat",
            Self::Delete => "json_without",
            Self::DeletePath => "json_without_path",
            Self::Compare(_) => "json_compare",
        }
    }

    /// Returns the type of its result, and whether the result is JSON.
    fn gives(self) -> (DataType, bool) {
        match self {
            Self::Get | Self::Path | Self::Concat | Self::Delete | Self::DeletePath => {
                (DataType::Utf8, true)
            }
            Self::GetText | Self::PathText => (DataType::Utf8, false),
            Self::HasKey | Self::HasAny | Self::HasAll | Self::Contains | Self::Compare(_) => {
                (DataType::Boolean, false)
            }
        }
    }

    fn takes_path(self) -> bool {
        matches!(self, Self::Path | Self::PathText | Self::DeletePath)
    }

    fn takes_json(self) -> bool {
        matches!(self, Self::Contains | Self::Concat | Self::Compare(_))
    }

    /// Returns the right operand in one row; `None` if it is null.
    fn operand(self, values: &ArrayRef, row: usize) -> Result<Option<Operand>> {
        if values.is_null(row) {
            return Ok(None);
        }
        Ok(Some(match values.data_type() {
            DataType::Int64 => Operand::Index(values.as_primitive::<Int64Type>().value(row)),
            DataType::List(_) => {
                let list = cast(&values.as_list::<i32>().value(row), &DataType::Utf8)?;
                let steps = as_string_array(&list)?.iter();
                Operand::Path(steps.map(|step| step.map(str::to_owned)).collect())
            }
            _ => {
                let text = as_string_array(values)?.value(row);
                if self.takes_path() {
                    match path::parse(text) {
                        Ok(path) => Operand::Path(path),
                        Err(why) => return exec_err!("{}", malformed_path(self, text, why)),
                    }
                } else {
                    Operand::Text(text.to_owned())
                }
            }
        }))
    }

    fn apply<'a>(self, json: &'a str, operand: &'a Operand) -> Result<Answer<'a>, Fault> {
        Ok(match (self, operand) {
            (Self::Get, operand) => Answer::json(member(json, operand)?),
            (Self::GetText, operand) => Answer::text(member(json, operand)?)?,
            (Self::Path, Operand::Path(path)) => Answer::json(at_path(json, path)?),
            (Self::PathText, Operand::Path(path)) => Answer::text(at_path(json, path)?)?,
            (Self::HasKey, Operand::Text(name)) => Answer::Boolean(has(json, &[Some(name)], true)?),
            (Self::HasAny | Self::HasAll, Operand::Path(names)) => {
                let names: Vec<_> = names.iter().map(Option::as_ref).collect();
                Answer::Boolean(has(json, &names, self == Self::HasAll)?)
            }
            (Self::Contains, Operand::Text(part)) => {
                Answer::Boolean(Value::read(json)?.contains(&Value::read(part)?))
            }
            (Self::Concat, Operand::Text(other)) => {
                Answer::value(&Value::read(json)?.concat(Value::read(other)?))
            }
            (Self::Compare(comparison), Operand::Text(other)) => {
                let order = Value::read(json)?.order(&Value::read(other)?);
                Answer::Boolean(comparison.holds(order))
            }
            (Self::Delete, operand) => {
                let mut value = Value::read(json)?;
                match operand {
                    Operand::Text(name) => delete_names(&mut value, std::slice::from_ref(name)),
                    Operand::Path(names) => {
                        let names: Vec<_> = names.iter().flatten().cloned().collect();
                        delete_names(&mut value, &names);
                    }
                    Operand::Index(index) => delete_element(&mut value, *index),
                }
                Answer::value(&value)
            }
            (Self::DeletePath, Operand::Path(path)) => {
                let mut value = Value::read(json)?;
                if path.iter().any(Option::is_none) {
                    return Ok(Answer::Null);
                }
                let path: Vec<_> = path.iter().flatten().map(String::as_str).collect();
                delete_path(&mut value, &path);
                Answer::value(&value)
            }
            // The planner rejects such operands.
            _ => Answer::Null,
        })
    }
}

fn malformed_path(operator: Operator, text: &str, why: &str) -> String {
    format!(
        "{} takes a path such as '{{metadata,name}}' or ARRAY['metadata', 'name'], not '{}': {why}",
        operator.sign(),
        beginning(text),
    )
}

/// The right operand of an operator.
enum Operand {
    Text(String),
    Index(i64),
    Path(Vec<Option<String>>),
}

/// The result of an operator for one row.
enum Answer<'a> {
    Null,
    Text(Cow<'a, str>),
    Boolean(bool),
}

impl<'a> Answer<'a> {
    fn json(json: Option<&'a str>) -> Self {
        json.map_or(Self::Null, |json| Self::Text(Cow::Borrowed(json)))
    }

    fn text(json: Option<&'a str>) -> Result<Self, Fault> {
        let text = json.map(value::as_text).transpose()?.flatten();
        Ok(text.map_or(Self::Null, Self::Text))
    }

    fn value(value: &Value) -> Self {
        Self::Text(Cow::Owned(value.to_string()))
    }
}

fn member<'a>(json: &'a str, operand: &Operand) -> Result<Option<&'a str>, Fault> {
    let level = Level::read(json)?;
    Ok(match operand {
        Operand::Text(name) => level.member(name),
        Operand::Index(index) => level.element(*index),
        Operand::Path(_) => None,
    })
}

/// Returns the value at a path; a step into an array is an index.
fn at_path<'a>(json: &'a str, path: &[Option<String>]) -> Result<Option<&'a str>, Fault> {
    // An empty path is the whole value, which must be JSON too.
    let mut level = Level::read(json)?;
    let mut value = json;
    for (position, step) in path.iter().enumerate() {
        let Some(step) = step else { return Ok(None) };
        if position > 0 {
            level = Level::read(value)?;
        }
        let next = match &level {
            Level::Object(_) => level.member(step),
            Level::Array(_) => step.trim().parse().ok().and_then(|index| level.element(index)),
            Level::Scalar(_) => None,
        };
        match next {
            Some(next) => value = next,
            None => return Ok(None),
        }
    }
    Ok(Some(value))
}

/// Returns whether all of the names, or one of them, are members of an object or strings in an array.
fn has(json: &str, names: &[Option<&String>], all: bool) -> Result<bool, Fault> {
    let level = Level::read(json)?;
    let strings: Vec<Cow<'_, str>> = match &level {
        Level::Object(members) => members.iter().map(|(name, _)| name.clone()).collect(),
        Level::Array(elements) => strings(elements)?,
        Level::Scalar(text) => strings(&[*text])?,
    };
    let has = |name: &&String| strings.iter().any(|string| string == name.as_str());
    // PostgreSQL ignores nulls.
    let mut names = names.iter().flatten();
    Ok(if all { names.all(has) } else { names.any(has) })
}

fn strings<'a>(elements: &[&'a str]) -> Result<Vec<Cow<'a, str>>, Fault> {
    let strings = elements.iter().filter(|element| element.starts_with('"'));
    strings.filter_map(|element| value::as_text(element).transpose()).collect()
}

fn delete_names(value: &mut Value, names: &[String]) {
    match value {
        Value::Object(members) => members.retain(|(name, _)| !names.iter().any(|n| n == name)),
        Value::Array(elements) => elements.retain(
            |element| !matches!(element, Value::String(text) if names.iter().any(|n| n == text)),
        ),
        _ => {}
    }
}

fn delete_element(value: &mut Value, index: i64) {
    if let Value::Array(elements) = value
        && let Some(position) = position(index, elements.len())
        && position < elements.len()
    {
        elements.remove(position);
    }
}

fn delete_path(value: &mut Value, path: &[&str]) {
    let Some((step, rest)) = path.split_first() else { return };
    match value {
        Value::Object(members) => {
            let Some(at) = members.iter().position(|(name, _)| name == step) else { return };
            if rest.is_empty() {
                members.remove(at);
            } else if let Some((_, member)) = members.get_mut(at) {
                delete_path(member, rest);
            }
        }
        Value::Array(elements) => {
            let index = step.trim().parse().ok();
            let Some(at) = index.and_then(|index| position(index, elements.len())) else { return };
            if rest.is_empty() && at < elements.len() {
                elements.remove(at);
            } else if let Some(element) = elements.get_mut(at) {
                delete_path(element, rest);
            }
        }
        _ => {}
    }
}

/// Returns the beginning of a text, for a message.
fn beginning(text: &str) -> String {
    const SHOWN: usize = 40;
    let shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() { format!("{shown}…") } else { shown }
}

/// An operator as a function. Its left operand is text; its right operand is text, a whole number or a list of texts,
/// depending on the operator.
#[derive(Debug, PartialEq, Eq, Hash)]
struct JsonOperator {
    operator: Operator,
    signature: Signature,
}

impl JsonOperator {
    fn new(operator: Operator) -> Self {
        Self { operator, signature: Signature::any(2, Volatility::Immutable) }
    }

    /// Returns the operator and the operands of an expression, if it is a JSON operator.
    fn called(expr: &Expr) -> Option<(Operator, &[Expr])> {
        let Expr::ScalarFunction(call) = expr else { return None };
        let operator = call.func.inner().downcast_ref::<Self>()?.operator;
        Some((operator, &call.args))
    }

    fn fault(&self, fault: &Fault, json: &str, operand: &Operand) -> DataFusionError {
        let sign = self.operator.sign();
        let texts = match operand {
            Operand::Text(other) if self.operator.takes_json() => vec![json, other.as_str()],
            _ => vec![json],
        };
        let text = texts.iter().find(|text| Value::read(text).is_err()).unwrap_or(&json);
        let text = beginning(text);
        DataFusionError::Execution(match fault {
            Fault::NotJson => format!(
                "{sign} reads JSON text, not '{text}': json_get and json_as_text give null for such a text; \
                 an operator before it may need brackets, as in 'x' || (json -> 'name')"
            ),
            Fault::TooDeep => {
                format!("JSON '{text}' is nested too deeply for {sign}; use json_get")
            }
        })
    }
}

impl ScalarUDFImpl for JsonOperator {
    fn name(&self) -> &str {
        self.operator.function()
    }

    /// Returns the title of the column: the operator as written. With an alias, the engine would walk everything below
    /// it twice, which takes exponential time for a chain of operators.
    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        // From the last operator of a chain to the first, because each operator alone would repeat the text before it.
        let mut backwards = Vec::new();
        let (mut operator, mut arguments) = (self.operator, arguments);
        while let [left, right] = arguments {
            backwards.push(format!(" {} {}", operator.sign(), title(right)));
            let Some((before, of_before)) = Self::called(left) else {
                backwards.push(title(left));
                break;
            };
            (operator, arguments) = (before, of_before);
        }
        backwards.reverse();
        Ok(backwards.concat())
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.operator.gives().0)
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let (data_type, is_json) = self.operator.gives();
        let field = Field::new(self.name(), data_type, true);
        if !is_json {
            return Ok(Arc::new(field));
        }
        let mut metadata = json_field_metadata();
        metadata.insert(MARK.to_owned(), "true".to_owned());
        Ok(Arc::new(field.with_metadata(metadata)))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = call.args.as_slice() else {
            return exec_err!("{} takes two arguments", self.name());
        };
        let is_constant = |value: &ColumnarValue| matches!(value, ColumnarValue::Scalar(_));
        let rows = if is_constant(left) && is_constant(right) { 1 } else { call.number_rows };
        let texts = cast(&left.to_array(rows)?, &DataType::Utf8)?;
        let texts = as_string_array(&texts)?;
        let operands = Operands::new(self.operator, right, rows)?;
        let answers = self.answers(texts, &operands)?;
        if is_constant(left) && is_constant(right) {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&answers, 0)?));
        }
        Ok(ColumnarValue::Array(answers))
    }
}

/// Returns the right operands of all rows; a constant is read once.
enum Operands {
    Constant(Option<Operand>),
    Rows(Vec<Option<Operand>>),
}

impl Operands {
    fn new(operator: Operator, right: &ColumnarValue, rows: usize) -> Result<Self> {
        if matches!(right, ColumnarValue::Scalar(_)) {
            return Ok(Self::Constant(operator.operand(&right.to_array(1)?, 0)?));
        }
        let values = right.to_array(rows)?;
        let operands = (0..rows).map(|row| operator.operand(&values, row));
        Ok(Self::Rows(operands.collect::<Result<_>>()?))
    }

    fn of(&self, row: usize) -> Option<&Operand> {
        match self {
            Self::Constant(operand) => operand.as_ref(),
            Self::Rows(operands) => operands.get(row)?.as_ref(),
        }
    }
}

impl JsonOperator {
    fn answers(&self, texts: &StringArray, operands: &Operands) -> Result<ArrayRef> {
        let answers = texts.iter().enumerate().map(|(row, json)| {
            let (Some(json), Some(operand)) = (json, operands.of(row)) else {
                return Ok(Answer::Null);
            };
            let answer = self.operator.apply(json, operand);
            answer.map_err(|fault| self.fault(&fault, json, operand))
        });
        if self.operator.gives().0 == DataType::Boolean {
            let mut builder = BooleanBuilder::with_capacity(texts.len());
            for answer in answers {
                let Answer::Boolean(value) = answer? else {
                    builder.append_null();
                    continue;
                };
                builder.append_value(value);
            }
            return Ok(Arc::new(builder.finish()));
        }
        let mut builder = StringBuilder::with_capacity(texts.len(), 0);
        for answer in answers {
            let Answer::Text(text) = answer? else {
                builder.append_null();
                continue;
            };
            if builder.values_slice().len() + text.len() > MAX_BYTES {
                return exec_err!(
                    "the result of {} exceeds 2 GiB for one batch of rows",
                    self.name()
                );
            }
            builder.append_value(text);
        }
        Ok(Arc::new(builder.finish()))
    }
}

/// An invalid call in a place where the engine drops errors of the planner: planning continues, and this call then
/// reports the error.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Refused {
    why: String,
    signature: Signature,
}

impl Refused {
    fn new(why: String) -> Self {
        Self { why, signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Refused {
    fn name(&self) -> &'static str {
        "refused"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        plan_err!("{}", self.why)
    }

    fn invoke_with_args(&self, _call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        exec_err!("{}", self.why)
    }
}
