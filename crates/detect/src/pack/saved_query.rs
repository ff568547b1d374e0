//! Ready queries: questions that a responder asks, with parameters.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use datafusion::common::ParamValues;
use serde::Deserialize;

use crate::pack::BUILT_IN;
use crate::pack::detection::{HeadError, Parameter, ParameterError, bind};
use crate::pack::head::split;

/// The folder of ready queries.
pub(crate) const SAVED: &str = "hunts";

/// A ready query.
#[derive(Debug, Clone)]
pub struct SavedQuery {
    /// The name: that of its file.
    pub name: String,
    /// What it says about itself.
    pub head: SavedHead,
    /// The query, over the views of a session.
    pub sql: String,
}

/// The head of a ready query. Unknown keys are errors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedHead {
    /// The question, in a few words.
    pub title: String,
    /// What the rows are, and what they cannot show.
    pub description: String,
    /// Named values that the query uses as `$name`.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
}

impl SavedQuery {
    fn parse(name: &str, text: &str) -> Result<Self, HeadError> {
        let (head, sql) = split(text)?;
        let head = serde_saphyr::from_str(head).map_err(|e| HeadError::Yaml(e.to_string()))?;
        Ok(Self { name: name.to_owned(), head, sql: sql.to_owned() })
    }

    /// Values for the parameters, ready to be bound: those given, by name and as text, and the defaults of the others.
    ///
    /// # Errors
    /// When there is no such parameter, or a text is none of its type.
    pub fn values(
        &self,
        given: &[(String, String)],
        now: DateTime<Utc>,
    ) -> Result<ParamValues, ParameterError> {
        bind(&self.head.parameters, given, now)
    }
}

/// The ready queries compiled into the binary, in the order of their names.
///
/// # Errors
/// Never in a build whose tests pass.
pub fn saved_queries() -> Result<Vec<SavedQuery>, HeadError> {
    let files = BUILT_IN.get_dir(SAVED).into_iter().flat_map(include_dir::Dir::files);
    let queries = files.filter_map(|file| {
        let name = file.path().file_stem()?.to_str()?;
        Some(SavedQuery::parse(name, file.contents_utf8()?))
    });
    let mut queries = queries.collect::<Result<Vec<_>, _>>()?;
    queries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(queries)
}
