//! Findings, and the rows of the `findings` table: states of findings.
//!
//! The table only grows. A change of a finding (it is seen again, acknowledged, closed) adds a row that repeats all
//! known data. The row with the highest `sequence` is the current state.

use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use chrono::{DateTime, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::column::{Build, Column, FieldDoc, named_column};
use crate::row;
use crate::row::struct_fields;
use crate::tables::severity::{Confidence, Severity};

/// The state of a finding, in the order of its life.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
    VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FindingState {
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

impl FindingState {
    /// Returns whether the finding needs review.
    pub fn is_open(self) -> bool {
        matches!(self, Self::New | Self::Delivered | Self::SeenAgain)
    }
}

named_column!(FindingState);

row! {
    /// One state of a finding, with everything known of the finding at that time.
    ///
    /// Columns by which queries prune come first: Delta Lake keeps statistics of the first 32 leaf columns only.
    pub struct RecordedFinding builds RecordedFindingBuilder {
        /// Number of this state of the finding, from 1. The highest is the current state.
        pub sequence: i64,
        /// State: `new` (not yet printed by `detect`), `delivered`, `seen_again`, `acknowledged`, `suppressed` (by an
        /// exception) or `closed`.
        pub state: FindingState,
        /// When the finding entered this state, by the clock of the machine that recorded it.
        pub state_at: DateTime<Utc>,
        /// Who set this state: `podtrail`, or the person who acknowledged or closed the finding.
        pub state_by: Option<String>,
        /// Note of that person. Null if there is none.
        pub note: Option<String>,
        /// Id of the exception that suppresses the finding. Null if there is none.
        pub exception: Option<String>,
        /// Id of the `podtrail detect` run that last recorded the finding (UUID version 7).
        pub detect_run: Option<String>,
        /// Version of the `events` table that this run examined.
        pub events_version: Option<i64>,
        ..
        /// The finding itself.
        pub finding: Finding,
    }
}

row! {
    /// Matches of a detection, grouped by identity and object, or those of one episode.
    pub struct Finding builds FindingBuilder {
        /// Digest of detection, version, identity and object, or of the first event of an episode, 32 hexadecimal
        /// digits: equal in every run.
        pub finding_id: String,
        /// Id of the detection.
        pub detection: String,
        /// Title of the detection.
        pub title: String,
        /// `info`, `low`, `medium`, `high` or `critical`.
        pub severity: Severity,
        /// How often a match of the detection is a true positive: `low`, `medium` or `high`.
        pub confidence: Confidence,
        /// Points that the finding adds to the risk of a workload write or identity; of a finding that combines others, the sum
        /// of their points.
        pub risk: i64,
        /// Arrival of the first event in the evidence.
        #[serde(deserialize_with = "text_or_micros")]
        pub first_seen: DateTime<Utc>,
        /// Arrival of the last event in the evidence.
        #[serde(deserialize_with = "text_or_micros")]
        pub last_seen: DateTime<Utc>,
        /// Number of events in the evidence.
        pub count: u64,
        /// Name of the cluster.
        pub cluster: Option<String>,
        /// Authenticated user. Null if there was none.
        pub identity: Option<String>,
        /// User that the authenticated user impersonated. Null without impersonation.
        pub impersonated_identity: Option<String>,
        /// Verb of the first event.
        pub verb: Option<String>,
        /// Namespace of the object.
        pub namespace: Option<String>,
        /// Resource of the object, with its subresource, such as `pods/exec`.
        pub resource: Option<String>,
        /// Name of the object.
        pub name: Option<String>,
        /// Outcome of the first event.
        pub outcome: Option<String>,
        /// Client address of the first event.
        pub client_ip: Option<String>,
        /// User agent of the first event, as sent by the client.
        pub user_agent: Option<String>,
        /// MITRE ATT&CK technique ids.
        #[serde(default, deserialize_with = "null_is_empty")]
        pub attack: Vec<String>,
        /// MITRE ATT&CK tactics, by name.
        #[serde(default, deserialize_with = "null_is_empty")]
        pub tactics: Vec<String>,
        /// Ids of the events in the evidence, as in `events`; of more than 1,000, the first and the last 999.
        #[serde(default, deserialize_with = "null_is_empty")]
        pub event_ids: Vec<String>,
        /// Audit ids of these events.
        #[serde(default, deserialize_with = "null_is_empty")]
        pub audit_ids: Vec<String>,
        /// Images of the object that the finding names, if it is a workload.
        #[serde(default, deserialize_with = "null_is_empty")]
        pub images: Vec<String>,
        /// Reasons of the finding, one line each.
        #[serde(default, deserialize_with = "null_is_empty")]
        pub reasons: Vec<String>,
        /// Position of the first event.
        #[serde(default)]
        pub source: Source,
        /// Position of each event in `event_ids`.
        #[serde(default, deserialize_with = "null_is_empty")]
        pub sources: Vec<Source>,
        /// Why the severity is lower than that of the detection. Null if it is not lower.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub lowered: Option<Lowered>,
        /// Id of the incident that the finding belongs to, 32 hexadecimal digits. Null if it belongs to none.
        #[serde(default)]
        pub incident_id: Option<String>,
        /// Why it belongs to this incident: the identity and address, or the trace that leads to them. Null without an
        /// incident.
        #[serde(default)]
        pub incident_reason: Option<String>,
    }
}

row! {
    /// Why the severity of a finding is lower than that of its detection.
    pub struct Lowered builds LoweredBuilder {
        /// Original severity.
        pub from: Severity,
        /// Id of the exception that lowered it, or `routine`.
        pub by: String,
        /// Reason of the exception, or the routine activity that the events belong to.
        pub reason: String,
    }
}

row! {
    /// Position of an event.
    #[derive(Default)]
    pub struct Source builds SourceBuilder {
        /// File or stream, as named at ingest.
        pub file: Option<String>,
        /// Line in the decompressed file, from 1.
        pub line: Option<i64>,
        /// Byte offset in the decompressed file, from 0.
        pub offset: Option<i64>,
        /// SHA-256 of the file on disk (compressed, if it is), hexadecimal. Null for standard input.
        pub sha256: Option<String>,
    }
}

/// Reads a time: text in JSON, microseconds in a row, because `serde(flatten)` reads a column by its own type.
fn text_or_micros<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Time {
        Text(DateTime<Utc>),
        Micros(i64),
    }
    match Time::deserialize(deserializer)? {
        Time::Text(time) => Ok(time),
        Time::Micros(micros) => DateTime::from_timestamp_micros(micros)
            .ok_or_else(|| D::Error::custom("the time is out of range")),
    }
}

/// Reads a list that is null in files written before the column existed.
fn null_is_empty<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl RecordedFinding {
    /// Returns the id of this state: a digest of the finding's id and the number of the state.
    fn state_id(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.finding.finding_id.as_bytes());
        hasher.update(&self.sequence.to_le_bytes());
        let mut id = hasher.finalize().to_hex().to_string();
        id.truncate(32);
        id
    }
}

/// The column that identifies a row, computed from the others.
fn state_id_column() -> FieldDoc {
    FieldDoc {
        name: "state_id",
        doc: "Digest of `finding_id` and `sequence`, 32 hexadecimal digits.".to_owned(),
        data_type: String::data_type(),
        fields: Vec::new(),
    }
}

/// Returns the schema of the `findings` table.
pub fn finding_schema() -> SchemaRef {
    let FieldDoc { name, data_type, .. } = state_id_column();
    let id = Arc::new(Field::new(name, data_type, true));
    let fields = [id].into_iter().chain(struct_fields::<RecordedFinding>());
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Returns the columns of the `findings` table with their documentation.
pub fn finding_documentation() -> Vec<FieldDoc> {
    [state_id_column()].into_iter().chain(RecordedFinding::fields()).collect()
}

/// Returns the states as one batch of [`finding_schema`].
///
/// # Errors
///
/// Returns an error if a column would be larger than 2 GiB.
pub fn finding_batch(states: &[RecordedFinding]) -> Result<RecordBatch, ArrowError> {
    let mut rows = RecordedFindingBuilder::default();
    for state in states {
        rows.append(state);
    }
    let ids = StringArray::from_iter_values(states.iter().map(RecordedFinding::state_id));
    let (mut columns, _) = rows.finish_columns();
    columns.insert(0, Arc::new(ids));
    RecordBatch::try_new(finding_schema(), columns)
}
