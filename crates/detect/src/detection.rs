//! One detection: a YAML head in a comment, then one SELECT.

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::datatypes::DataType;
use chrono::{DateTime, Utc};
use datafusion::common::ParamValues;
use datafusion::common::metadata::ScalarAndMetadata;
use datafusion::scalar::ScalarValue;
use podtrail_query::{Bound, TimeError, parse_bound};
use serde::Deserialize;

use crate::severity::{Confidence, Severity};

/// A detection: what it is, and the query that finds it.
#[derive(Debug, Clone)]
pub struct Detection {
    /// What it says about itself.
    pub head: Head,
    /// The query: columns `event_id` (a string or a list of strings) and `reason`.
    pub sql: String,
    /// The file that it was read from, of a built-in one below `queries`; empty where it was none.
    pub file: PathBuf,
    /// What parameters are set to, by name and as text; the others have their defaults.
    set: Vec<(String, String)>,
}

/// The head of a detection. Unknown keys are errors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The id: lower case, digits and hyphens; the same as the file's name.
    pub id: String,
    /// A few words for lists.
    pub title: String,
    /// Counts changes of meaning: findings of another version are other findings.
    #[serde(default = "first_version")]
    pub version: u32,
    /// How much a finding matters.
    pub severity: Severity,
    /// How much it matters where all its events are routine, as the pack's view `routine_events` has it; they weigh nothing
    /// then. Without it they are like others.
    #[serde(default)]
    pub routine: Option<Severity>,
    /// How often a match is what it seems to be.
    #[serde(default)]
    pub confidence: Confidence,
    /// What a match adds to the risk of the workload write or identity that it is about.
    #[serde(default)]
    pub risk: u32,
    /// MITRE ATT&CK technique ids.
    pub attack: Vec<String>,
    /// MITRE ATT&CK tactics, by name.
    #[serde(default)]
    pub tactics: Vec<String>,
    /// What it sees and why it matters.
    pub description: String,
    /// What it cannot see.
    #[serde(default)]
    pub blind_spots: Option<String>,
    /// Innocent things that match.
    #[serde(default)]
    pub false_positives: Vec<String>,
    /// The next queries to run on a match, in SQL or words.
    #[serde(default)]
    pub triage: Vec<String>,
    /// Controls that it gives evidence for, of the Cloud Controls Matrix of the CSA, such as `IAM-16`.
    #[serde(default)]
    pub controls: Vec<String>,
    /// Which rows of the catalogue in `queries/README.md` it covers.
    #[serde(default)]
    pub covers: Vec<String>,
    /// Where the technique or the rule of the field is described.
    #[serde(default)]
    pub references: Vec<String>,
    /// What the query looks at.
    #[serde(default)]
    pub input: Input,
    /// Named values that the query uses as `$name`.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
}

/// What the query of a detection looks at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Input {
    /// The views of the session.
    #[default]
    Events,
    /// The table `facts` too, which holds what the other detections found: it runs after them.
    Facts,
}

fn first_version() -> u32 {
    1
}

/// A typed parameter with its default. It is bound to the query, never pasted into it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Parameter {
    /// A whole number.
    Integer {
        /// The value where none is given.
        default: i64,
        /// What it stands for.
        description: String,
    },
    /// A string.
    Text {
        /// The value where none is given.
        default: String,
        /// What it stands for.
        description: String,
    },
    /// A list of strings.
    TextList {
        /// The value where none is given.
        default: Vec<String>,
        /// What it stands for.
        description: String,
    },
    /// A point in time: RFC 3339, a date, or an age such as `7d`.
    Time {
        /// The value where none is given; null is none.
        #[serde(default)]
        default: Option<String>,
        /// What it stands for.
        description: String,
    },
    /// A length of time such as `1h`.
    Interval {
        /// The value where none is given.
        default: String,
        /// What it stands for.
        description: String,
    },
}

/// Why a value is none of its parameter's type.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// It is no whole number.
    #[error("'{0}' is no whole number")]
    Integer(String),
    /// It is no time.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// It is no length of time.
    #[error("'{0}' is no length of time such as 30m, 1h or 7d")]
    Interval(String),
    /// There is no such parameter.
    #[error("there is no parameter '{name}'{}", known(parameters))]
    Unknown {
        /// The name that was given.
        name: String,
        /// Those that there are.
        parameters: Vec<String>,
    },
}

fn known(parameters: &[String]) -> String {
    if parameters.is_empty() {
        String::new()
    } else {
        format!(": there are {}", parameters.join(", "))
    }
}

impl Parameter {
    /// What it stands for.
    pub fn description(&self) -> &str {
        match self {
            Self::Integer { description, .. }
            | Self::Text { description, .. }
            | Self::TextList { description, .. }
            | Self::Time { description, .. }
            | Self::Interval { description, .. } => description,
        }
    }

    /// Its type, as the head of a query names it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Integer { .. } => "integer",
            Self::Text { .. } => "text",
            Self::TextList { .. } => "text_list",
            Self::Time { .. } => "time",
            Self::Interval { .. } => "interval",
        }
    }

    /// The default as people write it; commas separate the elements of a list.
    pub fn default_text(&self) -> String {
        match self {
            Self::Integer { default, .. } => default.to_string(),
            Self::Text { default, .. } | Self::Interval { default, .. } => default.clone(),
            Self::TextList { default, .. } => default.join(","),
            Self::Time { default, .. } => default.clone().unwrap_or_default(),
        }
    }

    /// The value that a text stands for, or the default; ages of times are counted from `now`.
    ///
    /// # Errors
    /// When the text is none of the parameter's type.
    pub fn value(
        &self,
        text: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<ScalarValue, ParameterError> {
        Ok(match self {
            Self::Integer { default, .. } => {
                let number = text.map(|text| {
                    text.trim().parse().map_err(|_| ParameterError::Integer(text.to_owned()))
                });
                ScalarValue::from(number.transpose()?.unwrap_or(*default))
            }
            Self::Text { default, .. } => ScalarValue::from(text.unwrap_or(default)),
            Self::TextList { default, .. } => {
                let values: Vec<_> = match text {
                    Some(text) => text.split(',').map(|v| ScalarValue::from(v.trim())).collect(),
                    None => default.iter().map(|v| ScalarValue::from(v.as_str())).collect(),
                };
                ScalarValue::List(ScalarValue::new_list_nullable(&values, &DataType::Utf8))
            }
            Self::Time { default, .. } => {
                let time = text.or(default.as_deref()).filter(|text| !text.is_empty());
                let time = time.map(|text| parse_bound(text, Bound::From, now)).transpose()?;
                let micros = time.map(|time| time.timestamp_micros());
                ScalarValue::TimestampMicrosecond(micros, Some("UTC".into()))
            }
            Self::Interval { default, .. } => {
                let text = text.unwrap_or(default);
                let length = humantime::parse_duration(text.trim()).ok();
                let nanoseconds = length.and_then(|length| i64::try_from(length.as_nanos()).ok());
                let nanoseconds =
                    nanoseconds.ok_or_else(|| ParameterError::Interval(text.to_owned()))?;
                ScalarValue::new_interval_mdn(0, 0, nanoseconds)
            }
        })
    }
}

/// Values for the parameters by name, ready to be bound.
pub(crate) fn bind(
    parameters: &BTreeMap<String, Parameter>,
    given: &[(String, String)],
    now: DateTime<Utc>,
) -> Result<ParamValues, ParameterError> {
    if let Some((name, _)) = given.iter().find(|(name, _)| !parameters.contains_key(name)) {
        let parameters = parameters.keys().cloned().collect();
        return Err(ParameterError::Unknown { name: name.clone(), parameters });
    }
    let values = parameters.iter().map(|(name, parameter)| {
        let text = given.iter().rfind(|(given, _)| given == name).map(|(_, text)| text.as_str());
        Ok((name.clone(), ScalarAndMetadata::from(parameter.value(text, now)?)))
    });
    Ok(ParamValues::Map(values.collect::<Result<_, ParameterError>>()?))
}

/// The head of a query's file, YAML in a comment, and the SQL after it.
pub(crate) fn split(text: &str) -> Result<(&str, &str), HeadError> {
    let body = text.trim_start().strip_prefix("/*").ok_or(HeadError::NoHead)?;
    let (head, sql) = body.split_once("*/").ok_or(HeadError::NoHead)?;
    let sql = sql.trim().trim_end_matches(';').trim_end();
    if sql.is_empty() { Err(HeadError::NoQuery) } else { Ok((head, sql)) }
}

/// Why a file is not a detection.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// There is no comment at its start.
    #[error("it does not begin with a head: /* YAML */")]
    NoHead,
    /// The head is not what [`Head`] describes.
    #[error("its head is wrong: {0}")]
    Yaml(String),
    /// Nothing follows the head.
    #[error("no query follows its head")]
    NoQuery,
    /// The id is not the file's name, or has other characters.
    #[error("its id is '{0}': it must be the file's name, in lower case with hyphens")]
    Id(String),
    /// A technique id is malformed.
    #[error("'{0}' is not an ATT&CK technique id such as T1610 or T1053.007")]
    Attack(String),
}

impl Detection {
    /// Reads a detection from the text of its file, whose name without `.sql` is `name`.
    ///
    /// # Errors
    /// When the text has no head, a wrong one, or no query.
    pub fn parse(name: &str, text: &str) -> Result<Self, HeadError> {
        let (head, sql) = split(text)?;
        let head: Head =
            serde_saphyr::from_str(head).map_err(|e| HeadError::Yaml(e.to_string()))?;
        let is_id_byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if head.id != name || head.id.is_empty() || !head.id.bytes().all(is_id_byte) {
            return Err(HeadError::Id(head.id));
        }
        if let Some(id) = head.attack.iter().find(|id| !is_technique(id)) {
            return Err(HeadError::Attack(id.clone()));
        }
        Ok(Self { head, sql: sql.to_owned(), file: PathBuf::new(), set: Vec::new() })
    }

    /// Sets a parameter to what `text` stands for, in place of its default.
    pub(crate) fn set_parameter(&mut self, name: &str, text: &str) -> Result<(), ParameterError> {
        self.set.push((name.to_owned(), text.to_owned()));
        self.parameters().map(|_| ())
    }

    /// What parameters are set to, by name and as text.
    pub(crate) fn set_parameters(&self) -> &[(String, String)] {
        &self.set
    }

    /// The parameters, those that are not set with their defaults, ready to be bound.
    pub(crate) fn parameters(&self) -> Result<ParamValues, ParameterError> {
        bind(&self.head.parameters, &self.set, Utc::now())
    }
}

/// `T` and four digits, then perhaps a dot and three digits.
fn is_technique(id: &str) -> bool {
    let Some(digits) = id.strip_prefix('T') else { return false };
    let (technique, sub) = digits.split_once('.').unwrap_or((digits, "000"));
    let are_digits =
        |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    are_digits(technique, 4) && are_digits(sub, 3)
}
