//! One indicator, and the collection of those of a file while it is read.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use podtrail_event::Severity;
use serde::{Deserialize, Serialize};

use super::value::IndicatorKind;

/// The maximum number of indicators in a list.
const MAX_INDICATORS: usize = 1_000_000;

/// The maximum number of user agents with a `*`: each is compared with every user agent of the log.
const MAX_PATTERNS: usize = 1000;

/// The maximum length of a stored source or description, in characters.
const MAX_NOTE: usize = 200;

/// The maximum number of names under which skipped indicators are counted.
const MAX_SKIPPED: usize = 10;

/// A value from a threat intelligence list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Indicator {
    /// The kind of value that it is compared with.
    pub kind: IndicatorKind,
    /// The value, in the normalized form used for comparison.
    pub value: String,
    /// The severity of a match.
    pub severity: Severity,
    /// The name of the list or its publisher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The description in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The date of the listing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<DateTime<Utc>>,
    /// The end of its validity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<DateTime<Utc>>,
}

impl Indicator {
    pub(super) fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    /// Returns the source, date and description of the listing.
    pub(super) fn note(&self) -> String {
        let source = self.source.as_deref().unwrap_or_default();
        let date = self.date.map(|date| date.format(" on %Y-%m-%d").to_string());
        let date = date.as_deref().unwrap_or(", without a date");
        let description = self.description.as_ref().map(|text| format!(" ({text})"));
        format!("{source}{date}{}", description.unwrap_or_default())
    }
}

/// The content of a file while it is read.
#[derive(Debug, Default)]
pub(super) struct FeedReader {
    pub(super) list: Vec<Indicator>,
    pub(super) skipped: BTreeMap<String, usize>,
    patterns: usize,
    /// The source of indicators that name none.
    pub(super) source: String,
}

impl FeedReader {
    pub(super) fn add(&mut self, mut indicator: Indicator) -> Result<(), String> {
        if self.list.len() >= MAX_INDICATORS {
            return Err(format!("more than {MAX_INDICATORS} indicators"));
        }
        if indicator.kind == IndicatorKind::UserAgent && indicator.value.contains('*') {
            self.patterns += 1;
            if self.patterns > MAX_PATTERNS {
                return Err(format!("more than {MAX_PATTERNS} user agents with '*'"));
            }
        }
        for note in [&mut indicator.source, &mut indicator.description].into_iter().flatten() {
            *note = short(note);
        }
        indicator.source.get_or_insert_with(|| self.source.clone());
        self.list.push(indicator);
        Ok(())
    }

    pub(super) fn skip(&mut self, what: &str) {
        let is_known = self.skipped.contains_key(what);
        let what = if is_known || self.skipped.len() < MAX_SKIPPED { what } else { "other" };
        *self.skipped.entry(short(what)).or_default() += 1;
    }
}

/// Returns a text of a file, shortened for a message.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(MAX_NOTE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

pub(super) fn at_line(line: u64, detail: &str) -> String {
    format!("line {line}: {detail}")
}

pub(super) fn severity(text: &str) -> Option<Severity> {
    text.to_ascii_lowercase().parse().ok()
}
