//! Findings as stored in the table `findings` of a lake.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use chrono::{DateTime, Utc};
use podtrail_event::{FindingLowered, FindingSource, FindingState, Micros, Text, finding_batch};
use podtrail_query::{QueryError, Session};
use serde::{Deserialize, Serialize};

use crate::findings::finding::Finding;
use crate::run::evidence::Source;

/// The state of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Found, or become more severe, and not known to be printed since.
    New,
    /// Printed and accepted by the output; its state has not changed since.
    Delivered,
    /// Found again after that.
    SeenAgain,
    /// Acknowledged by a person.
    Acknowledged,
    /// Suppressed by an exception.
    Suppressed,
    /// Closed by a person.
    Closed,
}

impl State {
    /// All states, in the order of a finding's life.
    pub const ALL: [Self; 6] = [
        Self::New,
        Self::Delivered,
        Self::SeenAgain,
        Self::Acknowledged,
        Self::Suppressed,
        Self::Closed,
    ];

    /// Returns the name used in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Delivered => "delivered",
            Self::SeenAgain => "seen_again",
            Self::Acknowledged => "acknowledged",
            Self::Suppressed => "suppressed",
            Self::Closed => "closed",
        }
    }

    /// Returns whether the finding needs review.
    pub fn is_open(self) -> bool {
        matches!(self, Self::New | Self::Delivered | Self::SeenAgain)
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A state of a finding in the lake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The number of this state of the finding, from 1.
    pub sequence: i64,
    /// The state.
    pub state: State,
    /// The time at which it entered the state.
    pub state_at: DateTime<Utc>,
    /// Who set the state: `podtrail`, or a person.
    pub state_by: Option<String>,
    /// The note of that person.
    pub note: Option<String>,
    /// The id of the exception that suppresses it.
    pub exception: Option<String>,
    /// The id of the run that recorded it last.
    pub detect_run: Option<String>,
    /// The version of `events` that this run examined.
    pub events_version: Option<i64>,
    /// The finding itself.
    #[serde(flatten)]
    pub finding: Finding,
}

impl Recorded {
    /// Returns the row of this state.
    fn row<'a>(&'a self) -> FindingState<'a> {
        let finding = &self.finding;
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let text = |text: &'a Option<String>| text.as_deref().map(Text::from);
        FindingState {
            state_id: Some(state_id(&finding.finding_id, self.sequence).into()),
            finding_id: Some(finding.finding_id.as_str().into()),
            sequence: Some(self.sequence),
            state: Some(self.state.as_str().into()),
            state_at: Some(micros(self.state_at)),
            state_by: text(&self.state_by),
            note: text(&self.note),
            exception: text(&self.exception),
            detect_run: text(&self.detect_run),
            events_version: self.events_version,
            detection: Some(finding.detection.as_str().into()),
            title: Some(finding.title.as_str().into()),
            severity: Some(finding.severity.as_str().into()),
            confidence: Some(finding.confidence.as_str().into()),
            risk: Some(finding.risk.into()),
            first_seen: Some(micros(finding.first_seen)),
            last_seen: Some(micros(finding.last_seen)),
            count: Some(number(finding.count)),
            cluster: text(&finding.cluster),
            identity: text(&finding.identity),
            impersonated_identity: text(&finding.impersonated_identity),
            verb: text(&finding.verb),
            namespace: text(&finding.namespace),
            resource: text(&finding.resource),
            name: text(&finding.name),
            outcome: text(&finding.outcome),
            client_ip: text(&finding.client_ip),
            user_agent: text(&finding.user_agent),
            attack: Some(texts(&finding.attack)),
            tactics: Some(texts(&finding.tactics)),
            event_ids: Some(texts(&finding.event_ids)),
            audit_ids: Some(texts(&finding.audit_ids)),
            images: Some(texts(&finding.images)),
            reasons: Some(texts(&finding.reasons)),
            source: Some(source(&finding.source)),
            sources: Some(finding.sources.iter().map(source).collect()),
            lowered: finding.lowered.as_ref().map(|lowered| FindingLowered {
                from: Some(lowered.from.as_str().into()),
                by: Some(lowered.by.as_str().into()),
                reason: Some(lowered.reason.as_str().into()),
            }),
        }
    }
}

fn micros(time: DateTime<Utc>) -> Micros {
    Micros(time.timestamp_micros())
}

fn texts(texts: &[String]) -> Vec<Text<'_>> {
    texts.iter().map(|text| text.as_str().into()).collect()
}

fn source(source: &Source) -> FindingSource<'_> {
    FindingSource {
        file: source.file.as_deref().map(Text::from),
        line: source.line,
        offset: source.offset,
        sha256: source.sha256.as_deref().map(Text::from),
    }
}

/// Returns a digest of a finding's id and the number of its state.
fn state_id(finding_id: &str, sequence: i64) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(finding_id.as_bytes());
    hasher.update(&sequence.to_le_bytes());
    let mut id = hasher.finalize().to_hex().to_string();
    id.truncate(32);
    id
}

/// Returns the rows of these states, to be committed.
///
/// # Errors
/// If they are larger than 2 GiB.
pub(crate) fn state_rows(states: &[Recorded]) -> Result<RecordBatch, QueryError> {
    let rows: Vec<_> = states.iter().map(Recorded::row).collect();
    finding_batch(&rows).map_err(|error| QueryError::Sql(error.into()))
}

/// Reads the findings that a query over the view `findings` or `findings_log` returns; it must select all columns.
///
/// # Errors
/// If the query is wrong or fails.
pub async fn read_recorded(session: &Session, sql: &str) -> Result<Vec<Recorded>, QueryError> {
    session.sql(sql).await?.rows().await
}

/// Returns the session with a table `name` of one column of strings, for queries to join.
pub(crate) fn with_strings(
    session: &Session,
    name: &str,
    column: &str,
    values: &BTreeSet<&str>,
) -> Result<Session, QueryError> {
    let schema = Schema::new(vec![Field::new(column, DataType::Utf8, false)]);
    let values = Arc::new(StringArray::from_iter_values(values));
    let batch = RecordBatch::try_new(Arc::new(schema), vec![values]);
    session.with_rows(name, batch.map_err(|error| QueryError::Sql(error.into()))?)
}
