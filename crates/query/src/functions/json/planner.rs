//! Plans the operators as functions, by the types of their operands.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, ExprSchema, TableReference, plan_err};
use datafusion::error::Result;
use datafusion::functions::core::expr_ext::FieldAccessor;
use datafusion::functions_nested::expr_fn::{array_has, map_keys};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{
    ExprPlanner, PlannerResult, RawBinaryExpr, RawFieldAccessExpr,
};
use datafusion::logical_expr::sqlparser::ast::BinaryOperator;
use datafusion::logical_expr::{
    ExprSchemable, GetFieldAccess, LogicalPlan, Operator as EngineOperator, ScalarUDF, cast, lit,
};
use datafusion::prelude::Expr;
use datafusion::scalar::ScalarValue;
use datafusion_functions_json::JSON_UNION_DATA_TYPE;
use datafusion_functions_json::functions::json_union_to_text;
use datafusion_functions_json::udfs::json_get_json_udf;

use super::title::title;
use super::{Comparison, JsonOperator, MARK, Operator, Refused, Value, malformed_path, path};
use crate::error::did_you_mean;
use crate::nearest::nearest;

/// The columns of the views that contain JSON text.
const JSON_COLUMNS: &[&str] = &["request_object", "response_object", "extra", "namespace_selector"];

/// Plans the JSON operators, and rejects calls that would return null or fail with an unhelpful message.
#[derive(Debug)]
pub(crate) struct JsonPlanner;

impl ExprPlanner for JsonPlanner {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        use BinaryOperator as Sign;
        let operator = match &expr.op {
            Sign::Arrow => Operator::Get,
            Sign::LongArrow => Operator::GetText,
            Sign::HashArrow => Operator::Path,
            Sign::HashLongArrow => Operator::PathText,
            Sign::Question => Operator::HasKey,
            Sign::QuestionPipe => Operator::HasAny,
            Sign::QuestionAnd => Operator::HasAll,
            Sign::HashMinus => Operator::DeletePath,
            Sign::AtArrow | Sign::ArrowAt => return contains(expr, schema),
            Sign::StringConcat => return concat(expr, schema),
            Sign::Minus | Sign::Plus | Sign::Multiply | Sign::Divide | Sign::Modulo => {
                return arithmetic(expr, schema);
            }
            Sign::Eq | Sign::NotEq | Sign::Lt | Sign::LtEq | Sign::Gt | Sign::GtEq => {
                return compare(expr, schema);
            }
            Sign::PGRegexMatch
            | Sign::PGRegexIMatch
            | Sign::PGRegexNotMatch
            | Sign::PGRegexNotIMatch
                if is_json_value(&expr.left, schema) =>
            {
                return plan_err!("{} {}", expr.op, text_is_needed(&title(&expr.left)));
            }
            Sign::AtQuestion | Sign::AtAt => {
                return plan_err!(
                    "{} takes a JSON path of SQL, which is not supported: json #> '{{spec,containers,0}}' or \
                     json_get(json, 'spec', 'containers', 0) gives the value at a path, json_contains tests for one",
                    expr.op
                );
            }
            Sign::Custom(sign) => {
                return plan_err!(
                    "unknown operator {sign}: a space belongs between an operator and the sign of a number"
                );
            }
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let RawBinaryExpr { left, right, .. } = expr;
        let planned = if matches!(type_of(&left, schema)?, DataType::Map(..)) {
            of_map(operator, left, right, schema)?
        } else {
            call(operator, left, right, schema)?
        };
        Ok(PlannerResult::Planned(planned))
    }

    fn plan_field_access(
        &self,
        expr: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let data_type = type_of(&expr.expr, schema)?;
        let key = match (&data_type, &expr.field_access) {
            (DataType::Struct(_), GetFieldAccess::NamedStructField { name }) => {
                let member = name.try_as_str().flatten().map(str::to_owned);
                if let Some(why) = no_member(&data_type, member.as_slice(), &title(&expr.expr)) {
                    return plan_err!("{why}");
                }
                return Ok(PlannerResult::Original(expr));
            }
            (data_type, GetFieldAccess::NamedStructField { name }) if is_text(data_type) => {
                Expr::Literal(name.clone(), None)
            }
            (data_type, GetFieldAccess::ListIndex { key }) if is_text(data_type) => {
                key.as_ref().clone()
            }
            _ => return Ok(PlannerResult::Original(expr)),
        };
        // Subscripts as in `jsonb`: the first element is 0.
        if !is_json_text(&expr.expr, schema) {
            let (text, key) = (title(&expr.expr), title(&key));
            return plan_err!(
                "{text} is text, which has no members: where it is JSON, write {text} -> {key} or json_get"
            );
        }
        Ok(PlannerResult::Planned(call(Operator::Get, expr.expr, key, schema)?))
    }

    fn plan_compound_identifier(
        &self,
        field: &Field,
        qualifier: Option<&TableReference>,
        names: &[String],
    ) -> Result<PlannerResult<Vec<Expr>>> {
        let column = field.name();
        let why = if is_text(field.data_type()) {
            let (last, before) = names.split_last().unwrap_or((column, &[]));
            let before = each(before, |name| format!(" -> '{name}'"));
            let path = each(names, |name| format!(", '{name}'"));
            Some(format!(
                "{column} is text, which has no members: where it is JSON, write {column}{before} ->> '{last}' or \
                 json_as_text({column}{path})"
            ))
        } else {
            no_member(field.data_type(), names, column)
        };
        let Some(why) = why else { return Ok(PlannerResult::Original(Vec::new())) };
        let refused = ScalarUDF::from(Refused::new(why));
        let column = Expr::Column(Column::from((qualifier, field)));
        Ok(PlannerResult::Planned(refused.call(vec![column])))
    }
}

fn each(names: &[String], write: impl Fn(&str) -> String) -> String {
    names.iter().map(|name| write(name)).collect::<Vec<_>>().concat()
}

/// Returns why a struct, or a struct in it, has no such member.
fn no_member(data_type: &DataType, names: &[String], path: &str) -> Option<String> {
    let (name, rest) = names.split_first()?;
    match data_type {
        DataType::Struct(fields) => {
            if let Some((_, field)) = fields.find(name) {
                return no_member(field.data_type(), rest, &format!("{path}.{name}"));
            }
            let known = fields.iter().map(|field| field.name().clone());
            let mut alike = nearest(name, known);
            if alike.is_empty() {
                // It may be in a list or struct inside this one.
                alike = fields.iter().flat_map(|field| nearest_in(field, name)).collect();
                alike.truncate(3);
            }
            let hint = match did_you_mean(&alike) {
                hint if hint.is_empty() => ": DESCRIBE lists the members of a column".to_owned(),
                hint => hint,
            };
            Some(format!("unknown member '{name}' in {path}{hint}"))
        }
        DataType::Map(..) if rest.is_empty() => None,
        DataType::List(_) => Some(format!(
            "{path} is a list, which has no members: {path}[1] is its first element, UNNEST({path}) makes rows of it"
        )),
        _ => Some(format!("{path} has no members such as '{name}'")),
    }
}

/// Returns the members of a struct, or of the structs in a list, that are similar to a name.
fn nearest_in(field: &Field, name: &str) -> Vec<String> {
    let members = match field.data_type() {
        DataType::Struct(members) => members,
        DataType::List(item) => match item.data_type() {
            DataType::Struct(members) => members,
            _ => return Vec::new(),
        },
        _ => return Vec::new(),
    };
    let alike = nearest(name, members.iter().map(|member| member.name().clone()));
    alike.iter().map(|member| format!("{}.{member}", field.name())).collect()
}

/// Returns the function call for an operator, with both operands converted to its types.
fn call(operator: Operator, left: Expr, right: Expr, schema: &DFSchema) -> Result<Expr> {
    let left = json_text(operator.sign(), left, schema)?;
    let right_type = type_of(&right, schema)?;
    let right = match (operator, &right_type) {
        (Operator::Get | Operator::GetText | Operator::Delete, integer) if integer.is_integer() => {
            cast(right, DataType::Int64)
        }
        (_, DataType::List(_))
            if operator.takes_path()
                || matches!(operator, Operator::HasAny | Operator::HasAll | Operator::Delete) =>
        {
            right
        }
        (Operator::HasAny | Operator::HasAll, _) => match &right {
            Expr::Literal(value, _) if value.try_as_str().flatten().is_some() => {
                let text = value.try_as_str().flatten().unwrap_or_default();
                match path::parse(text) {
                    Ok(names) => {
                        let names = names.into_iter().map(ScalarValue::Utf8);
                        let names: Vec<_> = names.collect();
                        lit(ScalarValue::List(ScalarValue::new_list_nullable(
                            &names,
                            &DataType::Utf8,
                        )))
                    }
                    Err(why) => return plan_err!("{}", malformed_path(operator, text, why)),
                }
            }
            _ => return plan_err!("{} takes a list: ARRAY['name', …]", operator.sign()),
        },
        (_, data_type) if operator.takes_path() && is_text_or_null(data_type) => {
            if let Expr::Literal(value, _) = &right
                && let Some(Some(text)) = value.try_as_str()
                && let Err(why) = path::parse(text)
            {
                return plan_err!("{}", malformed_path(operator, text, why));
            }
            cast_to_text(right, data_type)
        }
        (_, data_type) if is_text_or_null(data_type) => cast_to_text(right, data_type),
        (Operator::Get | Operator::GetText, _) => {
            return plan_err!("{} takes the name of a member or an index", operator.sign());
        }
        (Operator::HasKey, _) => return plan_err!("? takes the name of a member"),
        _ if operator.takes_path() => {
            return plan_err!(
                "{} takes a path such as '{{metadata,name}}' or ARRAY['metadata', 'name']",
                operator.sign()
            );
        }
        _ => return plan_err!("{} takes JSON text on both sides", operator.sign()),
    };
    Ok(function(operator, vec![left, right]))
}

fn function(operator: Operator, arguments: Vec<Expr>) -> Expr {
    let function = Arc::new(ScalarUDF::from(JsonOperator::new(operator)));
    Expr::ScalarFunction(ScalarFunction::new_udf(function, arguments))
}

/// Returns the left operand as JSON text, or the reason why it is not JSON text.
fn json_text(sign: &str, left: Expr, schema: &DFSchema) -> Result<Expr> {
    let data_type = type_of(&left, schema)?;
    if data_type == *JSON_UNION_DATA_TYPE {
        return Ok(union_as_text(left));
    }
    if is_text_or_null(&data_type) {
        return Ok(cast_to_text(left, &data_type));
    }
    let name = title(&left);
    match data_type {
        DataType::Struct(_) => {
            plan_err!(
                "{name} is a struct, and {sign} reads JSON text: {name}['member'] gives a member"
            )
        }
        DataType::List(_) => plan_err!(
            "{name} is a list, and {sign} reads JSON text: {name}[1] is its first element, array_has tests for one"
        ),
        DataType::Map(..) => {
            plan_err!("{name} is a map, and {sign} reads JSON text: {name}['key'] gives a value")
        }
        other => plan_err!("{name} is of type {other}, and {sign} reads JSON text"),
    }
}

/// Returns the result of `json_get` as text. The value is read as text directly, because numbers would otherwise lose
/// their notation.
fn union_as_text(expr: Expr) -> Expr {
    match expr {
        Expr::Alias(alias) => union_as_text(*alias.expr),
        Expr::ScalarFunction(call) if call.func.name() == "json_get" => {
            Expr::ScalarFunction(ScalarFunction::new_udf(json_get_json_udf(), call.args))
        }
        other => cast(json_union_to_text(other), DataType::Utf8),
    }
}

/// Maps such as `annotations` are read like `hstore` in PostgreSQL.
fn of_map(operator: Operator, left: Expr, right: Expr, schema: &DFSchema) -> Result<Expr> {
    let name = title(&left);
    match (operator, &right) {
        (Operator::Get | Operator::GetText, Expr::Literal(key, _)) => match key.try_as_str() {
            Some(Some(key)) => return Ok(left.field(key)),
            _ => return plan_err!("{name} is a map: {name}['key'] gives a value"),
        },
        (Operator::Path | Operator::PathText, Expr::Literal(path, _)) => {
            if let Some(Some(text)) = path.try_as_str()
                && let Ok([Some(key)]) = path::parse(text).as_deref()
            {
                return Ok(left.field(key.as_str()));
            }
        }
        (Operator::HasKey, key) if is_text(&type_of(key, schema)?) => {
            return Ok(array_has(map_keys(left), right));
        }
        _ => {}
    }
    plan_err!(
        "{name} is a map, and {} reads JSON text: {name}['key'] gives a value, map_keys({name}) its keys",
        operator.sign()
    )
}

/// `@>` and `<@`; for lists, the engine's own operators apply.
fn contains(expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
    let is_list = |data_type: DataType| matches!(data_type, DataType::List(_));
    if is_list(type_of(&expr.left, schema)?) || is_list(type_of(&expr.right, schema)?) {
        return Ok(PlannerResult::Original(expr));
    }
    let (left, right) = match expr.op {
        BinaryOperator::ArrowAt => (expr.right, expr.left),
        _ => (expr.left, expr.right),
    };
    let right = json_text("@>", right, schema)?;
    Ok(PlannerResult::Planned(call(Operator::Contains, left, right, schema)?))
}

/// `||` merges JSON with JSON, and concatenates JSON with other text.
fn concat(expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
    let RawBinaryExpr { op, left, right } = expr;
    let are_json = (is_json_text(&left, schema), is_json_text(&right, schema));
    let is_container = |side: &Expr| json_constant(side).is_some_and(|value| value.is_container());
    let merges = match are_json {
        (true, true) => true,
        (true, false) => is_container(&right),
        (false, true) => is_container(&left),
        (false, false) => return Ok(PlannerResult::Original(RawBinaryExpr { op, left, right })),
    };
    if merges {
        let right = json_text("||", right, schema)?;
        return Ok(PlannerResult::Planned(call(Operator::Concat, left, right, schema)?));
    }
    let text = |side: Expr| -> Result<Expr> {
        let is_union = type_of(&side, schema)? == *JSON_UNION_DATA_TYPE;
        Ok(if is_union { union_as_text(side) } else { side })
    };
    let (left, right) = (text(left)?, text(right)?);
    Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }))
}

/// `-` deletes from JSON; it is the only arithmetic operator for JSON.
fn arithmetic(expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
    let of_left = is_json_value(&expr.left, schema);
    if expr.op == BinaryOperator::Minus && (of_left || is_json_text(&expr.left, schema)) {
        let RawBinaryExpr { left, right, .. } = expr;
        return Ok(PlannerResult::Planned(call(Operator::Delete, left, right, schema)?));
    }
    if of_left || is_json_value(&expr.right, schema) {
        return plan_err!(
            "{} does not calculate with JSON: json_get_int and json_get_float give numbers, as does \
             CAST(json ->> 'name' AS BIGINT)",
            expr.op
        );
    }
    Ok(PlannerResult::Original(expr))
}

/// Comparisons with JSON follow `jsonb`.
fn compare(expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
    let are_json = (is_json_value(&expr.left, schema), is_json_value(&expr.right, schema));
    if are_json == (false, false) {
        return Ok(PlannerResult::Original(expr));
    }
    let RawBinaryExpr { op, left, right } = expr;
    let Some(comparison) = Comparison::of(&op) else {
        return Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }));
    };
    let side = |side: Expr, is_json: bool, other: &str| -> Result<Expr> {
        let data_type = type_of(&side, schema)?;
        let is_json = is_json || data_type == *JSON_UNION_DATA_TYPE;
        if is_json || data_type.is_null() || json_constant(&side).is_some() {
            return json_text(&op.to_string(), side, schema);
        }
        if data_type.is_numeric() || data_type == DataType::Boolean {
            return Ok(cast(side, DataType::Utf8));
        }
        plan_err!("{op} {}", text_is_needed(other))
    };
    let (of_left, of_right) = (title(&left), title(&right));
    let sides = vec![side(left, are_json.0, &of_right)?, side(right, are_json.1, &of_left)?];
    Ok(PlannerResult::Planned(function(Operator::Compare(comparison), sides)))
}

/// Returns the error for JSON where text is required.
fn text_is_needed(json: &str) -> String {
    format!(
        "takes text here, and {json} is JSON, in which a string has its quotes: ->> and json_as_text give text"
    )
}

/// Returns whether a function accepts JSON: it reads JSON, passes it on unchanged, or converts all arguments to text.
fn takes_json(function: &ScalarFunction) -> bool {
    const OTHERS: &[&str] = &[
        "coalesce",
        "nvl",
        "nvl2",
        "concat",
        "concat_ws",
        "make_array",
        "array_append",
        "struct",
        "named_struct",
        "arrow_typeof",
        "arrow_cast",
        "arrow_try_cast",
    ];
    let name = function.func.name();
    name.starts_with("json_") || OTHERS.contains(&name)
}

/// Rejects JSON where it would be treated as text: strings in JSON have quotes, so `-> 'kind' IN ('Pod')` would never
/// be true.
pub(crate) fn refuse_json_as_text(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        let inputs = node.inputs();
        let is_json = |expr: &Expr| inputs.iter().any(|input| is_json_value(expr, input.schema()));
        if let LogicalPlan::Join(join) = node {
            // Those of USING and NATURAL: a condition after ON is planned as a comparison.
            let mixed = join.on.iter().find(|(left, right)| is_json(left) != is_json(right));
            if let Some((left, right)) = mixed {
                let json = if is_json(left) { left } else { right };
                return plan_err!("= {}", text_is_needed(&title(json)));
            }
        }
        for expr in node.expressions() {
            expr.apply(|part| {
                if let Some((sign, json)) = json_as_text(part, &is_json) {
                    return plan_err!("{sign} {}", text_is_needed(&json));
                }
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// Returns the part of an expression that treats JSON as text, and the title of the JSON.
fn json_as_text<'a>(expr: &'a Expr, is_json: &dyn Fn(&Expr) -> bool) -> Option<(&'a str, String)> {
    let (sign, sides): (&str, Vec<&Expr>) = match expr {
        Expr::InList(list) => ("IN", std::iter::once(&*list.expr).chain(&list.list).collect()),
        Expr::InSubquery(query) => {
            let found = query.subquery.subquery.schema().fields().first();
            if let Some(json) = found.filter(|field| is_marked(field)) {
                return Some(("IN", json.name().clone()));
            }
            ("IN", vec![&query.expr])
        }
        Expr::Between(between) => ("BETWEEN", vec![&between.expr, &between.low, &between.high]),
        Expr::Like(like) => ("LIKE", vec![&like.expr, &like.pattern]),
        Expr::SimilarTo(like) => ("SIMILAR TO", vec![&like.expr, &like.pattern]),
        Expr::Case(case) => ("CASE", case.expr.as_deref().into_iter().collect()),
        Expr::BinaryExpr(binary) => match binary.op {
            EngineOperator::IsDistinctFrom => {
                ("IS DISTINCT FROM", vec![&binary.left, &binary.right])
            }
            EngineOperator::IsNotDistinctFrom => {
                ("IS NOT DISTINCT FROM", vec![&binary.left, &binary.right])
            }
            _ => return None,
        },
        Expr::ScalarFunction(call) if !takes_json(call) => {
            (call.func.name(), call.args.iter().collect())
        }
        _ => return None,
    };
    sides.into_iter().find(|side| is_json(side)).map(|json| (sign, title(json)))
}

/// Returns whether an expression is JSON returned by an operator.
fn is_json_value(expr: &Expr, schema: &DFSchema) -> bool {
    match expr {
        Expr::Alias(alias) => is_json_value(&alias.expr, schema),
        Expr::ScalarFunction(_) => {
            JsonOperator::called(expr).is_some_and(|(operator, _)| operator.gives().1)
        }
        Expr::Column(column) => {
            let field = schema.field_from_column(column).ok();
            field.is_some_and(|field| is_marked(field))
        }
        Expr::OuterReferenceColumn(field, _) => is_marked(field),
        Expr::ScalarSubquery(query) => {
            query.subquery.schema().fields().first().is_some_and(|field| is_marked(field))
        }
        _ => false,
    }
}

fn is_marked(field: &Field) -> bool {
    // A cast to text keeps all metadata except that of the type.
    let is_json = field.extension_type_name().is_some() && field.metadata().contains_key(MARK);
    is_json && is_text(field.data_type())
}

/// Returns whether an expression is JSON: returned by an operator, or a column that contains JSON.
fn is_json_text(expr: &Expr, schema: &DFSchema) -> bool {
    match expr {
        Expr::Alias(alias) => is_json_text(&alias.expr, schema),
        Expr::Column(column) | Expr::OuterReferenceColumn(_, column)
            if JSON_COLUMNS.contains(&column.name.as_str()) =>
        {
            type_of(expr, schema).is_ok_and(|data_type| is_text(&data_type))
        }
        Expr::ScalarFunction(call)
            if matches!(call.func.name(), "json_get" | "json_get_json" | "json_union_to_text") =>
        {
            true
        }
        Expr::Column(_) if type_of(expr, schema).is_ok_and(|t| t == *JSON_UNION_DATA_TYPE) => true,
        _ => is_json_value(expr, schema),
    }
}

/// Returns a constant text as JSON, if it is JSON.
fn json_constant(expr: &Expr) -> Option<Value<'_>> {
    let Expr::Literal(value, _) = expr else { return None };
    Value::read(value.try_as_str()??).ok()
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

fn is_text_or_null(data_type: &DataType) -> bool {
    data_type.is_null() || is_text(data_type)
}

fn cast_to_text(expr: Expr, data_type: &DataType) -> Expr {
    if *data_type == DataType::Utf8 { expr } else { cast(expr, DataType::Utf8) }
}

/// Returns the type of an expression. The engine walks the whole expression for this, and therefore a chain of
/// operators once for each operator.
fn type_of(expr: &Expr, schema: &DFSchema) -> Result<DataType> {
    match JsonOperator::called(expr) {
        Some((operator, _)) => Ok(operator.gives().0),
        None => expr.get_type(schema),
    }
}
