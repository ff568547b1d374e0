//! The errors of queries.

use datafusion::error::DataFusionError;
use datafusion::logical_expr::sqlparser::parser::ParserError;
use podtrail_lake::LakeError;

use crate::advice::advice;
use crate::permission::Permission;

/// Why a query failed.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The lake cannot be read.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The text is not SQL.
    #[error("{0}")]
    Syntax(String),
    /// The statement is too large or nested too deeply to be planned.
    #[error("the statement is too large: {0}")]
    TooLarge(String),
    /// Views read each other in a circle.
    #[error("views read each other in a circle: {}", .0.join(", "))]
    CircularViews(Vec<String>),
    /// Unknown table or view.
    #[error("unknown table '{name}'{}", instead.map_or_else(|| did_you_mean(nearest), after_colon))]
    UnknownTable {
        /// The name as written.
        name: String,
        /// Similar names, the most similar first.
        nearest: Vec<String>,
        /// The replacement for a PostgreSQL function that returns rows.
        instead: Option<&'static str>,
    },
    /// Unknown function.
    #[error("unknown function '{name}'{}", instead.map_or_else(|| did_you_mean(nearest), after_colon))]
    UnknownFunction {
        /// The name as written.
        name: String,
        /// Similar names, the most similar first.
        nearest: Vec<String>,
        /// The replacement for a PostgreSQL function.
        instead: Option<&'static str>,
    },
    /// Unknown column.
    #[error("unknown column '{name}'{}", suggestion(nearest, views, *is_quoted))]
    UnknownColumn {
        /// The name as written.
        name: String,
        /// Similar names, the most similar first.
        nearest: Vec<String>,
        /// Other views with a column of this name.
        views: Vec<String>,
        /// Whether it is written with double quotes, which some dialects use for strings.
        is_quoted: bool,
    },
    /// The statement lacks a permission.
    #[error("{what} is refused: this session only reads the lake")]
    Refused {
        /// What the statement does.
        what: String,
        /// The permission that would allow it.
        needs: Permission,
    },
    /// The statement is invalid, or failed while it ran.
    #[error("{}", brief(.0))]
    Sql(DataFusionError),
}

impl From<DataFusionError> for QueryError {
    /// Tables are opened while a query is planned: errors of the lake stay errors of the lake.
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::External(error) => match error.downcast::<LakeError>() {
                Ok(error) => Self::Lake(*error),
                Err(error) => Self::Sql(DataFusionError::External(error)),
            },
            error => Self::Sql(error),
        }
    }
}

impl QueryError {
    /// Converts an error of the engine that is not a syntax error.
    pub(crate) fn of(error: DataFusionError) -> Self {
        if let DataFusionError::SQL(parser, _) = error.find_root()
            && let ParserError::ParserError(message) | ParserError::TokenizerError(message) =
                parser.as_ref()
        {
            return Self::Syntax(message.clone());
        }
        match advice(&error) {
            Some(advice) => Self::Syntax(advice),
            None => error.into(),
        }
    }
}

/// The maximum length of an engine message that is shown completely, in bytes.
const LONGEST: usize = 400;

/// Returns the message of the engine, without lists of all columns and without the fields of structs.
fn brief(error: &DataFusionError) -> String {
    let message = match error.find_root() {
        // The list of memory consumers is short and needed completely.
        DataFusionError::ResourcesExhausted(_) => return error.strip_backtrace(),
        // The name of the optimizer rule that failed does not help users.
        DataFusionError::Plan(message) | DataFusionError::Execution(message) => {
            without_backtrace(message).to_owned()
        }
        // It follows the name of an optimizer rule, which does not help users.
        cause @ (DataFusionError::ArrowError(..) | DataFusionError::SchemaError(..)) => {
            cause.strip_backtrace()
        }
        // The cause is a wrong type as often as a bug in the engine, but the engine's message requests a bug report.
        DataFusionError::Internal(message) => {
            format!("internal error of the engine: {}", without_backtrace(message))
        }
        _ => error.strip_backtrace(),
    };
    let message = without_members(&message);
    let end = message.find(" Valid fields are").unwrap_or(message.len());
    let end = end.min(message.floor_char_boundary(LONGEST));
    if end == message.len() {
        return message;
    }
    let kept = message.get(..end).unwrap_or_default().trim_end();
    format!(
        "{kept}… (the rest is left out: DESCRIBE lists the columns of a table, with their types)"
    )
}

fn without_backtrace(message: &str) -> &str {
    message.split(DataFusionError::BACK_TRACE_SEP).next().unwrap_or_default()
}

/// Shortens types with fields to their names, such as `Struct(…)`, and hides values.
fn without_members(message: &str) -> String {
    const NESTED: [&str; 5] = ["Struct(", "Map(", "Union(", "Field {", "FieldRef("];
    let mut shown = String::new();
    let mut rest = message;
    while let Some((start, name)) =
        NESTED.iter().filter_map(|name| Some((rest.find(name)?, name))).min_by_key(|(at, _)| *at)
    {
        let (before, nested) = rest.split_at(start + name.len());
        shown.push_str(before);
        shown.push('…');
        let mut depth = 1_usize;
        let end = nested.bytes().position(|byte| {
            match byte {
                b'(' | b'{' | b'[' => depth += 1,
                b')' | b'}' | b']' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        rest = end.and_then(|end| nested.get(end..)).unwrap_or_default();
    }
    shown.push_str(rest);
    shown
}

fn after_colon(text: &'static str) -> String {
    format!(": {text}")
}

/// Returns what the writer of an unknown column may have meant.
fn suggestion(nearest: &[String], views: &[String], is_quoted: bool) -> String {
    let names: Vec<_> = views.iter().map(|view| format!("'{view}'")).collect();
    let in_views = match names.as_slice() {
        [] => None,
        [view] => Some(format!("the view {view} has it")),
        views => Some(format!("the views {} have it", views.join(", "))),
    };
    let quotes =
        is_quoted.then(|| "double quotes enclose names, single quotes enclose strings".to_owned());
    let alike = did_you_mean(nearest);
    let start = if alike.is_empty() { ": " } else { "; " };
    let others: Vec<_> = [in_views, quotes].into_iter().flatten().collect();
    if others.is_empty() { alike } else { format!("{alike}{start}{}", others.join("; ")) }
}

/// Returns `: did you mean 'a' or 'b'?`, or nothing.
pub(crate) fn did_you_mean(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let names: Vec<_> = names.iter().map(|name| format!("'{name}'")).collect();
    format!(": did you mean {}?", names.join(" or "))
}
