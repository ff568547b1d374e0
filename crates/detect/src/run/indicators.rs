//! Threat intelligence indicators: addresses, images, user names and user agents, read from CSV, STIX and MISP files and
//! exposed to detections as the table `threat_indicators`.

mod feed;
mod json;
mod pattern;
mod value;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::pack::severity::Severity;
use crate::pack::text_file::read_text;

pub use value::IndicatorKind;

/// The table of a session.
pub(crate) const INDICATORS: &str = "threat_indicators";

/// The detection that looks for them.
pub const INDICATOR_DETECTION: &str = "threat-indicator";

/// The most that is read of a file, in bytes.
const MOST_FILE: u64 = 128 << 20;

/// The most indicators of one list.
const MOST_INDICATORS: usize = 1_000_000;

/// The most user agents with a `*`: each is compared with each user agent of the log.
const MOST_PATTERNS: usize = 1000;

/// The longest text of a source or description that is kept, in characters.
const MOST_NOTE: usize = 200;

/// The most lists that a finding names for one value.
const MOST_SOURCES: usize = 3;

/// What is skipped is counted under so many names.
const MOST_SKIPPED: usize = 10;

/// One value that somebody has listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Indicator {
    /// What it is compared with.
    pub kind: IndicatorKind,
    /// The value, in the form in which it is compared.
    pub value: String,
    /// How much a match matters.
    pub severity: Severity,
    /// Who lists it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Since when it is listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<DateTime<Utc>>,
    /// Until when it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<DateTime<Utc>>,
}

impl Indicator {
    fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    /// Who lists it, since when, and why.
    fn note(&self) -> String {
        let source = self.source.as_deref().unwrap_or_default();
        let date = self.date.map(|date| date.format(" on %Y-%m-%d").to_string());
        let date = date.as_deref().unwrap_or(", without a date");
        let description = self.description.as_ref().map(|text| format!(" ({text})"));
        format!("{source}{date}{}", description.unwrap_or_default())
    }
}

/// What was read of one file.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The file.
    pub path: PathBuf,
    /// How many indicators it has that are looked for.
    pub indicators: usize,
    /// How many of them have expired: they are not looked for.
    pub expired: usize,
    /// How many were skipped, by what they are.
    pub skipped: BTreeMap<String, usize>,
}

/// Why indicators cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum IndicatorError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no list of indicators.
    #[error("{}: {detail}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, and in which line.
        detail: String,
    },
    /// What the lake remembers is not what podtrail writes.
    #[error("the remembered indicators cannot be read, give the list again with --indicators: {0}")]
    Remembered(#[from] serde_json::Error),
}

/// What is read of a file, as it grows.
#[derive(Debug, Default)]
struct Read {
    list: Vec<Indicator>,
    skipped: BTreeMap<String, usize>,
    patterns: usize,
    /// The source of those that name none.
    source: String,
}

impl Read {
    fn add(&mut self, mut indicator: Indicator) -> Result<(), String> {
        if self.list.len() >= MOST_INDICATORS {
            return Err(format!("there are more than {MOST_INDICATORS} indicators"));
        }
        if indicator.kind == IndicatorKind::UserAgent && indicator.value.contains('*') {
            self.patterns += 1;
            if self.patterns > MOST_PATTERNS {
                return Err(format!("there are more than {MOST_PATTERNS} user agents with a '*'"));
            }
        }
        for note in [&mut indicator.source, &mut indicator.description].into_iter().flatten() {
            *note = short(note);
        }
        indicator.source.get_or_insert_with(|| self.source.clone());
        self.list.push(indicator);
        Ok(())
    }

    fn skip(&mut self, what: &str) {
        let is_known = self.skipped.contains_key(what);
        let what = if is_known || self.skipped.len() < MOST_SKIPPED { what } else { "other" };
        *self.skipped.entry(short(what)).or_default() += 1;
    }
}

/// A text of a file as a message quotes it.
fn short(text: &str) -> String {
    match text.char_indices().nth(MOST_NOTE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn at_line(line: u64, detail: &str) -> String {
    format!("line {line}: {detail}")
}

fn severity(text: &str) -> Option<Severity> {
    let text = text.to_ascii_lowercase();
    Severity::ALL.into_iter().find(|severity| severity.as_str() == text)
}

/// A list of indicators.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Indicators(Arc<Vec<Indicator>>);

impl Indicators {
    /// Reads files of indicators: CSV, STIX 2.1 or MISP, as their content shows.
    ///
    /// # Errors
    /// When a file cannot be read, or is none of these.
    pub fn read(paths: &[PathBuf]) -> Result<(Self, Vec<Reading>), IndicatorError> {
        let now = Utc::now();
        let mut found = Read::default();
        let mut readings = Vec::new();
        for path in paths {
            let before = found.list.len();
            read_file(path, &mut found)?;
            let added = &found.list[before..];
            readings.push(Reading {
                path: path.clone(),
                indicators: added.len(),
                expired: added.iter().filter(|indicator| indicator.is_expired(now)).count(),
                skipped: std::mem::take(&mut found.skipped),
            });
        }
        Ok((Self(found.list.into()), readings))
    }

    /// Reads what [`to_lines`](Self::to_lines) has written.
    ///
    /// # Errors
    /// When it is something else.
    pub fn from_lines(text: &str) -> Result<Self, IndicatorError> {
        let list = text.lines().map(serde_json::from_str).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(list.into()))
    }

    /// The list as JSON, one indicator a line.
    ///
    /// # Errors
    /// Never: all of it is text.
    pub fn to_lines(&self) -> Result<String, IndicatorError> {
        let mut text = String::new();
        for indicator in self.0.iter() {
            text.push_str(&serde_json::to_string(indicator)?);
            text.push('\n');
        }
        Ok(text)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that hold now and that were not looked for as `known` was applied, or as something less severe.
    #[must_use]
    pub fn added_to(&self, known: &Self, now: DateTime<Utc>) -> Self {
        let held = known.0.iter().filter(|indicator| !indicator.is_expired(now));
        let known: HashSet<_> = held.map(digest).collect();
        let added = self.0.iter().filter(|i| !i.is_expired(now) && !known.contains(&digest(i)));
        Self(added.cloned().collect::<Vec<_>>().into())
    }

    /// The table of those that hold at `now`, one row a value.
    ///
    /// `key` is what is compared, in lower case where that does not matter; `length` is the number of bits of a network.
    pub(crate) fn table(&self, now: DateTime<Utc>) -> Result<RecordBatch, ArrowError> {
        let mut rows: Vec<(&Indicator, Severity, Vec<String>)> = Vec::new();
        let mut known: HashMap<(IndicatorKind, String), usize> = HashMap::new();
        for indicator in self.0.iter().filter(|indicator| !indicator.is_expired(now)) {
            let index = *known.entry((indicator.kind, key(indicator))).or_insert(rows.len());
            if index == rows.len() {
                rows.push((indicator, indicator.severity, Vec::new()));
            }
            let Some((_, severity, notes)) = rows.get_mut(index) else { continue };
            *severity = indicator.severity.max(*severity);
            let note = indicator.note();
            if notes.len() < MOST_SOURCES && !notes.contains(&note) {
                notes.push(note);
            }
        }
        let names = ["kind", "value", "key", "tag", "length", "severity", "listed"];
        let mut columns: Vec<StringBuilder> = names.iter().map(|_| StringBuilder::new()).collect();
        for (indicator, severity, notes) in rows {
            let is_pattern =
                indicator.kind == IndicatorKind::UserAgent && indicator.value.contains('*');
            let kind = if is_pattern { "user_agent_pattern" } else { indicator.kind.as_str() };
            let key = key(indicator);
            let (key, tag) = match key.rsplit_once(':') {
                Some((image, tag))
                    if indicator.kind == IndicatorKind::Image && !tag.contains('/') =>
                {
                    (image.to_owned(), Some(tag.to_owned()))
                }
                _ => (key, None),
            };
            let length = key.split_once('/').filter(|_| kind == "address").map(|(_, bits)| bits);
            let listed = notes.join("; ");
            let values = [
                Some(kind),
                Some(indicator.value.as_str()),
                Some(key.as_str()),
                tag.as_deref(),
                length,
                Some(severity.as_str()),
                Some(listed.as_str()),
            ];
            for (column, value) in columns.iter_mut().zip(values) {
                column.append_option(value);
            }
        }
        let fields: Vec<_> =
            names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
        let columns = columns.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef);
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.collect())
    }
}

/// What is compared: the case of users and user agents does not matter.
fn key(indicator: &Indicator) -> String {
    match indicator.kind {
        IndicatorKind::User | IndicatorKind::UserAgent => indicator.value.to_lowercase(),
        _ => indicator.value.clone(),
    }
}

/// What of an indicator decides which findings it gives, and how severe they are.
fn digest(indicator: &Indicator) -> blake3::Hash {
    let parts = [indicator.kind.as_str(), indicator.severity.as_str(), &key(indicator)];
    blake3::hash(parts.join("\n").as_bytes())
}

fn read_file(path: &Path, found: &mut Read) -> Result<(), IndicatorError> {
    let text = read_text(path, MOST_FILE)
        .map_err(|source| IndicatorError::Read { path: path.to_owned(), source })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    found.source = short(&name);
    let text = text.trim_start_matches('\u{feff}');
    let read = match text.trim_start().chars().next() {
        Some('{' | '[') => json::read(text, found),
        _ => feed::read(text, found),
    };
    read.map_err(|detail| IndicatorError::Content { path: path.to_owned(), detail })
}
