//! What a detection says about itself: YAML in a comment before its query.
//!
//! This file needs no query engine, so that it can be fuzzed without one.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::pack::severity::{Confidence, Severity};

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

/// The head of a detection and its SQL, from the text of its file, whose name without `.sql` is `name`.
pub(crate) fn read<'t>(name: &str, text: &'t str) -> Result<(Head, &'t str), HeadError> {
    let (head, sql) = split(text)?;
    let head: Head = serde_saphyr::from_str(head).map_err(|e| HeadError::Yaml(e.to_string()))?;
    let is_id_byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if head.id != name || head.id.is_empty() || !head.id.bytes().all(is_id_byte) {
        return Err(HeadError::Id(head.id));
    }
    if let Some(id) = head.attack.iter().find(|id| !is_technique(id)) {
        return Err(HeadError::Attack(id.clone()));
    }
    Ok((head, sql))
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

/// `T` and four digits, then perhaps a dot and three digits.
fn is_technique(id: &str) -> bool {
    let Some(digits) = id.strip_prefix('T') else { return false };
    let (technique, sub) = digits.split_once('.').unwrap_or((digits, "000"));
    let are_digits =
        |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    are_digits(technique, 4) && are_digits(sub, 3)
}
