//! Saved queries: questions of an investigation, with parameters.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use podtrail_query::Parameters;
use serde::Deserialize;

use crate::pack::built_in::{BUILT_IN, SAVED};
use crate::pack::detection::{HeadError, Parameter, ParameterError, bind};
use crate::pack::head::split;
use crate::yaml;

/// A saved query.
#[derive(Debug, Clone)]
pub struct SavedQuery {
    /// The name: the file name without `.sql`.
    pub name: String,
    /// The header.
    pub head: SavedHead,
    /// The query, over the views of a session.
    pub sql: String,
}

/// The header of a saved query. Unknown keys are errors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedHead {
    /// The question, as a short title.
    pub title: String,
    /// What the rows contain, and what they cannot show.
    pub description: String,
    /// Named values that the query uses as `$name`.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
}

impl SavedQuery {
    fn parse(name: &str, text: &str) -> Result<Self, HeadError> {
        let (head, sql) = split(text)?;
        let head = yaml::parse(head).map_err(HeadError::Yaml)?;
        Ok(Self { name: name.to_owned(), head, sql: sql.to_owned() })
    }

    /// Returns the values of the parameters, ready to be bound: the given ones, as name and text, and the defaults of
    /// the others.
    ///
    /// # Errors
    /// If a parameter is unknown, or a text does not have its type.
    pub fn values(
        &self,
        given: &[(String, String)],
        now: DateTime<Utc>,
    ) -> Result<Parameters, ParameterError> {
        bind(&self.head.parameters, given, now)
    }
}

/// Returns the saved queries compiled into the binary, ordered by name.
///
/// # Errors
/// Returns an error only if a built-in file is invalid, which is a bug.
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
