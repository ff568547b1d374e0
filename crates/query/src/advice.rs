//! The next step for errors in which the engine names its own types, rules or plans.

use datafusion::error::DataFusionError;

/// Returns a message that replaces that of the engine, if one is known.
pub(crate) fn advice(error: &DataFusionError) -> Option<String> {
    let root = error.find_root().message();
    unsupported(&root).or_else(|| wrong_type(&root)).or_else(|| outer_column(&error.to_string()))
}

/// Returns a replacement for syntax that the engine does not support.
fn unsupported(message: &str) -> Option<String> {
    if message.contains("Unsupported SQL type JSON") {
        return Some(
            "unknown type JSON: ->, ->>, #> and json_get read JSON text as it is, without a cast"
                .to_owned(),
        );
    }
    if message.contains("Unsupported binary operator: At") {
        return Some(
            "unknown operator @: single quotes enclose strings, as in username = 'alice@example.com'"
                .to_owned(),
        );
    }
    if message.contains("Dot access not supported") {
        return Some(
            "a name after a bracket and a dot is not supported: column['member'] gives a member of a struct, \
             json -> 'member' and json_get that of JSON text"
                .to_owned(),
        );
    }
    if let Some((_, column)) = message.split_once("not yet supported for OuterReferenceColumn ") {
        return Some(format!(
            "a member of a column of the outer query is {column}['member'], not {column}.member"
        ));
    }
    if let Some(names) = message.strip_prefix("compound identifier: [\"") {
        let names = names.trim_end_matches("\"]").replace("\", \"", ".");
        return Some(format!(
            "unknown column '{names}': DESCRIBE lists the columns of a table, with their members"
        ));
    }
    if let Some(column) = between(message, "While expanding wildcard, column \"", "\" must appear")
    {
        return Some(format!(
            "column {column} is neither grouped nor aggregated: add GROUP BY ALL, or an aggregate such as \
             max({column})"
        ));
    }
    None
}

/// The beginnings of messages that continue with the types of the values.
const COMPARED: [&str; 4] = [
    "Cannot infer common argument type for comparison operation ",
    "There isn't a common type to coerce ",
    "Failed to coerce arguments to satisfy a call to 'array_has' function: coercion from ",
    "Unexpected argument type to 'json_",
];

/// Returns a replacement for errors about a comparison or call with values of the wrong type.
fn wrong_type(message: &str) -> Option<String> {
    if let Some(text) = between(message, "Error parsing timestamp from '", "'") {
        return Some(format!(
            "'{text}' is not a time: a time is '2026-11-24T10:05:00Z' or now() - INTERVAL '2 hours'; --from, --to and \
             SET scope.from limit the period"
        ));
    }
    if let Some(text) = between(message, "Cannot cast string '", "' to value of Date32 type") {
        return Some(format!("'{text}' is not a date: a date is '2026-11-24' or current_date"));
    }
    if message.starts_with("Cannot coerce arithmetic expression Timestamp") {
        return Some(
            "a time plus or minus a string: a duration is INTERVAL '10 minutes'".to_owned(),
        );
    }
    let operands = COMPARED.iter().find_map(|start| message.strip_prefix(start))?;
    // The first type that is not text decides, the longer name first.
    let types = ["Timestamp(", "List(Struct(", "List(", "Map(", "Struct("];
    let found = types.iter().filter_map(|name| Some((operands.find(name)?, *name)));
    let text = match found.min_by_key(|(at, _)| *at)?.1 {
        "Timestamp(" => {
            "a time is compared with a value that is not a time: a time is '2026-11-24T10:05:00Z'"
        }
        "List(Struct(" => {
            "a list of structs is compared with another value: unnest(column) makes rows of its elements, and the views \
             'containers' and 'volumes' have one row per container and volume"
        }
        "List(" => {
            "a list is compared with another value: array_has(column, 'value') tests for an element"
        }
        "Map(" => {
            "a map is used as text: column ->> 'key' gives the value of a key, column ? 'key' tests for one"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

/// Returns a replacement for errors about subqueries that read columns of the outer query. The name of the optimizer
/// rule is part of the context.
fn outer_column(message: &str) -> Option<String> {
    const SIGNS: [&str; 4] = [
        "does not support logical expression ScalarSubquery",
        "does not support logical expression OuterReferenceColumn",
        "Optimizer rule 'scalar_subquery_to_join' failed",
        "Optimizer rule 'decorrelate_predicate_subquery' failed",
    ];
    SIGNS.iter().any(|sign| message.contains(sign)).then(|| {
        "this subquery cannot read columns of the outer query: write it as a JOIN with a query that groups by these columns"
            .to_owned()
    })
}

fn between<'a>(message: &'a str, start: &str, end: &str) -> Option<&'a str> {
    message.split_once(start)?.1.split_once(end).map(|(text, _)| text)
}
