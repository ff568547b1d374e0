//! What can go wrong in a query.

use datafusion::error::DataFusionError;
use datafusion::logical_expr::sqlparser::parser::ParserError;
use podtrail_lake::LakeError;

use crate::session::Permission;

/// Why a query was not answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The lake could not be read.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The text is no SQL.
    #[error("{0}")]
    Syntax(String),
    /// The statement is too large or too deep to be planned.
    #[error("the statement is too large: {0}")]
    TooLarge(String),
    /// There is no such table or view.
    #[error("there is no table '{name}'{}", did_you_mean(nearest))]
    UnknownTable {
        /// The name, as it was written.
        name: String,
        /// Names that are like it, the most like first.
        nearest: Vec<String>,
    },
    /// There is no such column.
    #[error("there is no column '{name}'{}", did_you_mean(nearest))]
    UnknownColumn {
        /// The name, as it was written.
        name: String,
        /// Names that are like it, the most like first.
        nearest: Vec<String>,
    },
    /// The statement does more than it may.
    #[error("{what} is refused: this session only reads the lake")]
    Refused {
        /// What it does.
        what: String,
        /// What would allow it.
        needs: Permission,
    },
    /// The statement is wrong, or failed while it ran.
    #[error("{}", brief(.0))]
    Sql(DataFusionError),
}

impl From<DataFusionError> for QueryError {
    /// Tables are opened while a query is planned: what is wrong with the lake stays that.
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
    /// An error of the engine, syntax errors apart.
    pub(crate) fn of(error: DataFusionError) -> Self {
        if let DataFusionError::SQL(parser, _) = error.find_root()
            && let ParserError::ParserError(message) | ParserError::TokenizerError(message) =
                parser.as_ref()
        {
            return Self::Syntax(message.clone());
        }
        error.into()
    }
}

/// The longest message of the engine that is shown whole, in bytes: those with a schema in them are many times as long.
const LONGEST: usize = 400;

/// What the engine reports, without lists of all columns and without types as Rust prints them.
fn brief(error: &DataFusionError) -> String {
    let message = error.strip_backtrace();
    // What takes the memory is listed, which is short and needed whole.
    if matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)) {
        return message;
    }
    let dumps = [". Valid fields are", " Valid fields are", "Field {", "Struct([", "Union(Sparse"];
    let dump = dumps.iter().filter_map(|dump| message.find(dump)).min();
    let end = dump.unwrap_or(message.len()).min(message.floor_char_boundary(LONGEST));
    if end == message.len() {
        return message;
    }
    let kept = message.get(..end).unwrap_or_default().trim_end();
    format!(
        "{kept}… (the rest is left out: DESCRIBE lists the columns of a table, with their types)"
    )
}

/// `: did you mean 'a' or 'b'?`, or nothing.
pub(crate) fn did_you_mean(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let names: Vec<_> = names.iter().map(|name| format!("'{name}'")).collect();
    format!(": did you mean {}?", names.join(" or "))
}
