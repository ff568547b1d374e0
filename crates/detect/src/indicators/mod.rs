//! Threat intelligence indicators: addresses, images, user names and user agents, read from CSV, STIX and MISP files and
//! exposed to detections as the table `threat_indicators`.

mod feed;
mod indicator;
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
use podtrail_event::Severity;

use crate::text_file::read_text;

pub use indicator::Indicator;
use indicator::{FeedReader, short};
pub use value::IndicatorKind;

/// The name of the table in a session.
pub(crate) const INDICATORS: &str = "threat_indicators";

/// The id of the detection that searches for indicators.
pub const INDICATOR_DETECTION: &str = "threat-indicator";

/// The maximum size of a file, in bytes.
const MAX_FILE: u64 = 128 << 20;

/// The maximum number of lists that a finding names for one value.
const MAX_SOURCES: usize = 3;

/// The result of reading a file.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The file.
    pub path: PathBuf,
    /// The number of indicators that can be searched for.
    pub indicators: usize,
    /// The number of those that have expired and are not searched for.
    pub expired: usize,
    /// The number of skipped indicators, by type.
    pub skipped: BTreeMap<String, usize>,
}

/// Why indicators cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum IndicatorError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    FeedReader {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is not a list of indicators.
    #[error("{}: {detail}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The problem and its line.
        detail: String,
    },
    /// The stored indicators are not in podtrail's format.
    #[error("cannot read the stored indicators ({0}); pass the list again with --indicators")]
    Remembered(#[from] serde_json::Error),
}

/// A list of indicators.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Indicators(Arc<Vec<Indicator>>);

impl Indicators {
    /// Reads files of indicators; the format (CSV, STIX 2.1 or MISP) is detected from the content. Those that have
    /// expired at `now` are counted.
    ///
    /// # Errors
    /// If a file cannot be read, or has none of these formats.
    pub fn read(
        paths: &[PathBuf],
        now: DateTime<Utc>,
    ) -> Result<(Self, Vec<Reading>), IndicatorError> {
        let mut found = FeedReader::default();
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

    /// Parses the output of [`to_lines`](Self::to_lines).
    ///
    /// # Errors
    /// If the text has another format.
    pub fn from_lines(text: &str) -> Result<Self, IndicatorError> {
        let list = text.lines().map(serde_json::from_str).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(list.into()))
    }

    /// Returns the list as JSON, one indicator per line.
    ///
    /// # Errors
    /// Never: all fields can be serialized.
    pub fn to_lines(&self) -> Result<String, IndicatorError> {
        let mut text = String::new();
        for indicator in self.0.iter() {
            text.push_str(&serde_json::to_string(indicator)?);
            text.push('\n');
        }
        Ok(text)
    }

    /// Returns the number of indicators.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the indicators that are valid now and are not in `known` with the same or a higher severity.
    #[must_use]
    pub fn added_to(&self, known: &Self, now: DateTime<Utc>) -> Self {
        let held = known.0.iter().filter(|indicator| !indicator.is_expired(now));
        let known: HashSet<_> = held.map(digest).collect();
        let added = self.0.iter().filter(|i| !i.is_expired(now) && !known.contains(&digest(i)));
        Self(added.cloned().collect::<Vec<_>>().into())
    }

    /// Returns the table of the indicators that are valid at `now`, one row per value.
    ///
    /// `key` is the value used for comparison, in lower case where case does not matter; `length` is the prefix
    /// length of a network in bits.
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
            if notes.len() < MAX_SOURCES && !notes.contains(&note) {
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

/// Returns the value used for comparison: the case of users and user agents does not matter.
fn key(indicator: &Indicator) -> String {
    match indicator.kind {
        IndicatorKind::User | IndicatorKind::UserAgent => indicator.value.to_lowercase(),
        _ => indicator.value.clone(),
    }
}

/// Returns a digest of the fields that decide which findings an indicator yields, and how severe they are.
fn digest(indicator: &Indicator) -> blake3::Hash {
    let parts = [indicator.kind.as_str(), indicator.severity.as_str(), &key(indicator)];
    blake3::hash(parts.join("\n").as_bytes())
}

fn read_file(path: &Path, found: &mut FeedReader) -> Result<(), IndicatorError> {
    let text = read_text(path, MAX_FILE)
        .map_err(|source| IndicatorError::FeedReader { path: path.to_owned(), source })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    found.source = short(&name);
    let text = text.trim_start_matches('\u{feff}');
    let read = match text.trim_start().chars().next() {
        Some('{' | '[') => json::read(text, found),
        _ => feed::read(text, found),
    };
    read.map_err(|detail| IndicatorError::Content { path: path.to_owned(), detail })
}
