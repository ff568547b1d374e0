//! The header of a detection: YAML in a comment before its query.
//!
//! This file does not depend on the query engine, so that it can be fuzzed without one.

use std::collections::BTreeMap;

use podtrail_event::{Confidence, Severity};
use serde::Deserialize;

use crate::yaml;

/// The header of a detection. Unknown keys are errors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The id: lower-case letters, digits and hyphens; equal to the file name.
    pub id: String,
    /// Ids that it had before; settings, exceptions and options accept them.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// A short title for lists.
    pub title: String,
    /// The version, raised on changes of meaning: findings of another version have other ids.
    #[serde(default = "first_version")]
    pub version: u32,
    /// The severity of a finding.
    pub severity: Severity,
    /// The severity of a finding whose events are all routine according to the pack's view `routine_events`; its risk
    /// is then 0. Without it, routine has no effect.
    #[serde(default)]
    pub routine: Option<Severity>,
    /// How reliable a match is.
    #[serde(default)]
    pub confidence: Confidence,
    /// The points that a match adds to the risk of its workload write or identity.
    #[serde(default)]
    pub risk: u32,
    /// MITRE ATT&CK technique ids.
    pub attack: Vec<String>,
    /// MITRE ATT&CK tactics, by name.
    #[serde(default)]
    pub tactics: Vec<String>,
    /// What happens, and why an attacker does it.
    pub description: String,
    /// What the detection cannot see, and why.
    #[serde(default)]
    pub blind_spots: Option<String>,
    /// Benign behaviour that matches.
    #[serde(default)]
    pub false_positives: Vec<String>,
    /// The next queries to run on a match, in SQL or words.
    #[serde(default)]
    pub triage: Vec<String>,
    /// The controls of the CSA Cloud Controls Matrix that it provides evidence for, such as `IAM-16`.
    #[serde(default)]
    pub controls: Vec<String>,
    /// The rows of the catalogue in `queries/README.md` that it covers.
    #[serde(default)]
    pub covers: Vec<String>,
    /// References that describe the technique or the field's rules.
    #[serde(default)]
    pub references: Vec<String>,
    /// The tables that the query reads.
    #[serde(default)]
    pub input: Input,
    /// Named values that the query uses as `$name`.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
}

/// The texts that the detections of a family share: the file `family.yaml` in its folder. Unknown keys are errors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Family {
    /// What its detections look at, for lists.
    pub(crate) title: String,
    /// What none of its detections can see, and why.
    #[serde(default)]
    blind_spots: Option<String>,
    /// The next queries to run on a match of any of them.
    #[serde(default)]
    triage: Vec<String>,
}

impl Family {
    /// Parses the text of a file `family.yaml`.
    pub(crate) fn parse(text: &str) -> Result<Self, HeadError> {
        yaml::parse(text).map_err(HeadError::Yaml)
    }

    /// Adds the shared texts to the header of a detection. Its own queries for triage come first.
    pub(crate) fn complete(&self, head: &mut Head) {
        let texts = self.blind_spots.iter().chain(&head.blind_spots);
        let texts: Vec<_> = texts.map(|text| text.trim()).collect();
        head.blind_spots = (!texts.is_empty()).then(|| texts.join(" "));
        head.triage.extend(self.triage.iter().cloned());
    }
}

/// The tables that the query of a detection reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Input {
    /// The views of the session.
    #[default]
    Events,
    /// Also the table `facts` with the findings of the other detections; the detection runs after them.
    Facts,
}

fn first_version() -> u32 {
    1
}

/// A typed parameter with its default. It is bound to the query, never inserted into its text.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Parameter {
    /// A whole number.
    Integer {
        /// The default value.
        default: i64,
        /// The description.
        description: String,
    },
    /// A string.
    Text {
        /// The default value.
        default: String,
        /// The description.
        description: String,
    },
    /// A list of strings.
    TextList {
        /// The default value.
        default: Vec<String>,
        /// The description.
        description: String,
    },
    /// A point in time: RFC 3339, a date, or an age such as `7d`.
    Time {
        /// The default value; null for none.
        #[serde(default)]
        default: Option<String>,
        /// The description.
        description: String,
    },
    /// A duration such as `1h`.
    Interval {
        /// The default value.
        default: String,
        /// The description.
        description: String,
    },
}

/// Parses the header of a detection and returns it with its SQL; `name` is the file name without `.sql`.
pub(crate) fn read<'t>(name: &str, text: &'t str) -> Result<(Head, &'t str), HeadError> {
    let (head, sql) = split(text)?;
    let head: Head = yaml::parse(head).map_err(HeadError::Yaml)?;
    if head.id != name || !is_id(&head.id) {
        return Err(HeadError::Id(head.id));
    }
    if let Some(alias) = head.aliases.iter().find(|alias| !is_id(alias)) {
        return Err(HeadError::Alias(alias.clone()));
    }
    if let Some(id) = head.attack.iter().find(|id| !is_technique(id)) {
        return Err(HeadError::Attack(id.clone()));
    }
    Ok((head, sql))
}

/// Splits the text of a query file into its YAML header, which is a comment, and the SQL after it.
pub(crate) fn split(text: &str) -> Result<(&str, &str), HeadError> {
    let body = text.trim_start().strip_prefix("/*").ok_or(HeadError::NoHead)?;
    let (head, sql) = body.split_once("*/").ok_or(HeadError::NoHead)?;
    let sql = sql.trim().trim_end_matches(';').trim_end();
    if sql.is_empty() { Err(HeadError::NoQuery) } else { Ok((head, sql)) }
}

/// Why a file is not a detection.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// The file does not start with a comment.
    #[error("missing header; a detection begins with /* YAML */")]
    NoHead,
    /// The header does not match [`Head`].
    #[error("invalid header: {0}")]
    Yaml(String),
    /// No query follows the header.
    #[error("missing query after the header")]
    NoQuery,
    /// The id differs from the file name, or has other characters.
    #[error("invalid id '{0}'; expected the file name, in lower case with hyphens")]
    Id(String),
    /// An alias is not an id.
    #[error("invalid alias '{0}'; expected an id in lower case with hyphens")]
    Alias(String),
    /// A technique id is malformed.
    #[error("invalid ATT&CK technique id '{0}'; expected an id such as T1610 or T1053.007")]
    Attack(String),
}

fn is_id(text: &str) -> bool {
    let is_id_byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.bytes().all(is_id_byte)
}

/// Returns whether the text is `T` and four digits, optionally followed by a dot and three digits.
fn is_technique(id: &str) -> bool {
    let Some(digits) = id.strip_prefix('T') else { return false };
    let (technique, sub) = digits.split_once('.').unwrap_or((digits, "000"));
    let are_digits =
        |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    are_digits(technique, 4) && are_digits(sub, 3)
}
