//! A detection: a YAML header in a comment, then one SELECT.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use podtrail_query::{Bound, Parameters, TimeError, Value, parse_bound};

use crate::pack::head::read;
pub use crate::pack::head::{Head, HeadError, Input, Parameter};

/// A detection: its description, and its query.
#[derive(Debug, Clone)]
pub struct Detection {
    /// The header.
    pub head: Head,
    /// The query: columns `event_id` (a string or a list of strings) and `reason`.
    pub sql: String,
    /// The file that it was read from, below `queries` if it is built in; empty if it has no file.
    pub file: PathBuf,
    /// The parameters that were set, as name and text; the others have their defaults.
    set: Vec<(String, String)>,
}

/// Why a text is not a value of its parameter's type.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// Not a whole number.
    #[error("expected a whole number, got '{0}'")]
    Integer(String),
    /// Not a time.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// Not a duration.
    #[error("expected a duration such as 30m, 1h or 7d, got '{0}'")]
    Interval(String),
    /// Not a list of strings.
    #[error("expected a list such as a,b or [\"a\",\"b,c\"] without empty elements, got '{0}'")]
    TextList(String),
    /// A parameter that is not a list is given more than once.
    #[error("given more than once, although it is not a list")]
    Repeated,
    /// The value of this parameter is invalid.
    #[error("{name}: {error}")]
    Value {
        /// The name of the parameter.
        name: String,
        /// The problem.
        error: Box<ParameterError>,
    },
    /// Unknown parameter.
    #[error("unknown parameter '{name}'{}", known(parameters))]
    Unknown {
        /// The given name.
        name: String,
        /// The known parameters.
        parameters: Vec<String>,
    },
}

fn known(parameters: &[String]) -> String {
    if parameters.is_empty() {
        String::new()
    } else {
        format!("; parameters are {}", parameters.join(", "))
    }
}

impl Parameter {
    /// Returns the description of the parameter.
    pub fn description(&self) -> &str {
        match self {
            Self::Integer { description, .. }
            | Self::Text { description, .. }
            | Self::TextList { description, .. }
            | Self::Time { description, .. }
            | Self::Interval { description, .. } => description,
        }
    }

    /// Returns its type, as named in the header.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Integer { .. } => "integer",
            Self::Text { .. } => "text",
            Self::TextList { .. } => "text_list",
            Self::Time { .. } => "time",
            Self::Interval { .. } => "interval",
        }
    }

    /// Returns the default as text; commas separate the elements of a list.
    pub fn default_text(&self) -> String {
        match self {
            Self::Integer { default, .. } => default.to_string(),
            Self::Text { default, .. } | Self::Interval { default, .. } => default.clone(),
            Self::TextList { default, .. } => default.join(","),
            Self::Time { default, .. } => default.clone().unwrap_or_default(),
        }
    }

    /// Parses a value, or returns the default; ages are relative to `now`.
    ///
    /// # Errors
    /// If the text does not have the parameter's type.
    pub fn value(&self, text: Option<&str>, now: DateTime<Utc>) -> Result<Value, ParameterError> {
        Ok(match self {
            Self::Integer { default, .. } => {
                let number = text.map(|text| {
                    text.trim().parse().map_err(|_| ParameterError::Integer(text.to_owned()))
                });
                Value::Integer(number.transpose()?.unwrap_or(*default))
            }
            Self::Text { default, .. } => Value::Text(text.unwrap_or(default).to_owned()),
            Self::TextList { default, .. } => Value::TextList(match text {
                Some(text) => elements(text)?,
                None => default.clone(),
            }),
            Self::Time { default, .. } => {
                let time = text.or(default.as_deref()).filter(|text| !text.is_empty());
                Value::Time(time.map(|text| parse_bound(text, Bound::From, now)).transpose()?)
            }
            Self::Interval { default, .. } => {
                let text = text.unwrap_or(default);
                let length = humantime::parse_duration(text.trim()).ok();
                let length = length.filter(|length| i64::try_from(length.as_nanos()).is_ok());
                Value::Interval(length.ok_or_else(|| ParameterError::Interval(text.to_owned()))?)
            }
        })
    }
}

/// Splits a list at its commas; elements that contain commas are written as a JSON list. An empty text has no elements.
fn elements(text: &str) -> Result<Vec<String>, ParameterError> {
    let wrong = || ParameterError::TextList(text.to_owned());
    let trimmed = text.trim();
    if trimmed.starts_with('[') {
        return serde_json::from_str(trimmed).map_err(|_| wrong());
    }
    if trimmed.is_empty() {
        return Ok(Vec::new());
    }
    let elements: Vec<_> = trimmed.split(',').map(|element| element.trim().to_owned()).collect();
    if elements.iter().any(String::is_empty) { Err(wrong()) } else { Ok(elements) }
}

/// Returns the values of parameters by name, ready to be bound. The elements of a list that is given repeatedly are
/// combined.
pub(crate) fn bind(
    parameters: &BTreeMap<String, Parameter>,
    given: &[(String, String)],
    now: DateTime<Utc>,
) -> Result<Parameters, ParameterError> {
    if let Some((name, _)) = given.iter().find(|(name, _)| !parameters.contains_key(name)) {
        let parameters = parameters.keys().cloned().collect();
        return Err(ParameterError::Unknown { name: name.clone(), parameters });
    }
    let values = parameters.iter().map(|(name, parameter)| {
        let texts = given.iter().filter(|(given, _)| given == name).map(|(_, text)| text.as_str());
        let texts: Vec<_> = texts.collect();
        let value = match (texts.as_slice(), parameter) {
            ([], _) => parameter.value(None, now),
            ([text], _) => parameter.value(Some(text), now),
            (texts, Parameter::TextList { .. }) => {
                let lists = texts.iter().map(|text| elements(text));
                lists.collect::<Result<Vec<_>, _>>().map(|lists| Value::TextList(lists.concat()))
            }
            _ => Err(ParameterError::Repeated),
        };
        let value = value.map_err(|error| ParameterError::Value {
            name: name.clone(),
            error: Box::new(error),
        })?;
        Ok((name.clone(), value))
    });
    values.collect()
}

impl Detection {
    /// Parses a detection from the text of its file; `name` is the file name without `.sql`.
    ///
    /// # Errors
    /// If the text has no header, an invalid one, or no query.
    pub fn parse(name: &str, text: &str) -> Result<Self, HeadError> {
        let (head, sql) = read(name, text)?;
        Ok(Self { head, sql: sql.to_owned(), file: PathBuf::new(), set: Vec::new() })
    }

    /// Returns its family: the name of its folder.
    pub fn family(&self) -> Cow<'_, str> {
        self.file.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy()
    }

    /// Returns whether this is its id, or one that it had before.
    pub fn has_id(&self, id: &str) -> bool {
        self.head.id == id || self.head.aliases.iter().any(|alias| alias == id)
    }

    /// Sets a parameter to the value of `text`.
    pub(crate) fn set_parameter(&mut self, name: &str, text: &str) -> Result<(), ParameterError> {
        self.set.push((name.to_owned(), text.to_owned()));
        // Whether a text is a time does not depend on the present.
        match self.parameters(DateTime::UNIX_EPOCH) {
            Ok(_) => Ok(()),
            // The caller knows the parameter.
            Err(ParameterError::Value { error, .. }) => Err(*error),
            Err(error) => Err(error),
        }
    }

    /// Returns the parameters that were set, as name and text.
    pub(crate) fn set_parameters(&self) -> &[(String, String)] {
        &self.set
    }

    /// Returns all parameter values, with defaults for those that are not set, ready to be bound. Ages are relative to
    /// `now`.
    pub(crate) fn parameters(&self, now: DateTime<Utc>) -> Result<Parameters, ParameterError> {
        bind(&self.head.parameters, &self.set, now)
    }
}
