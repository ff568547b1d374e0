//! The row of the `findings` table: one state of a finding.
//!
//! The table only grows. A change of a finding (it is seen again, acknowledged, closed) adds a row that repeats all
//! known data. The row with the highest `sequence` is the current state.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;

use crate::row;
use crate::tables::column::{Build, Column, FieldDoc, Micros, Text};

row! {
    /// One state of a finding, with everything known of the finding at that time.
    ///
    /// Columns by which queries prune come first: Delta Lake keeps statistics of the first 32 leaf columns only.
    pub struct FindingState<'a> builds FindingStateBuilder {
        /// Digest of `finding_id` and `sequence`, 32 hexadecimal digits.
        pub state_id: Option<Text<'a>>,
        /// Digest of detection, version, identity and object, or of the first event of an episode, 32 hexadecimal
        /// digits: equal in every run.
        pub finding_id: Option<Text<'a>>,
        /// Number of this state of the finding, from 1. The highest is the current state.
        pub sequence: Option<i64>,
        /// State: `new` (not yet printed by `detect`), `delivered`, `seen_again`, `acknowledged`, `suppressed` (by an
        /// exception) or `closed`.
        pub state: Option<Text<'a>>,
        /// When the finding entered this state, by the clock of the machine that recorded it.
        pub state_at: Option<Micros>,
        /// Who set this state: `podtrail`, or the person who acknowledged or closed the finding.
        pub state_by: Option<Text<'a>>,
        /// Note of that person. Null if there is none.
        pub note: Option<Text<'a>>,
        /// Id of the exception that suppresses the finding. Null if there is none.
        pub exception: Option<Text<'a>>,
        /// Id of the `podtrail detect` run that last recorded the finding (UUID version 7).
        pub detect_run: Option<Text<'a>>,
        /// Version of the `events` table that this run examined.
        pub events_version: Option<i64>,
        /// Id of the detection.
        pub detection: Option<Text<'a>>,
        /// Title of the detection.
        pub title: Option<Text<'a>>,
        /// `info`, `low`, `medium`, `high` or `critical`.
        pub severity: Option<Text<'a>>,
        /// How often a match of the detection is a true positive: `low`, `medium` or `high`.
        pub confidence: Option<Text<'a>>,
        /// Points that the finding adds to the risk of a workload write or identity.
        pub risk: Option<i64>,
        /// Arrival of the first event in the evidence.
        pub first_seen: Option<Micros>,
        /// Arrival of the last event in the evidence.
        pub last_seen: Option<Micros>,
        /// Number of events in the evidence.
        pub count: Option<i64>,
        /// Name of the cluster.
        pub cluster: Option<Text<'a>>,
        /// Authenticated user. Null if there was none.
        pub identity: Option<Text<'a>>,
        /// User that the authenticated user impersonated. Null without impersonation.
        pub impersonated_identity: Option<Text<'a>>,
        /// Verb of the first event.
        pub verb: Option<Text<'a>>,
        /// Namespace of the object.
        pub namespace: Option<Text<'a>>,
        /// Resource of the object, with its subresource, such as `pods/exec`.
        pub resource: Option<Text<'a>>,
        /// Name of the object.
        pub name: Option<Text<'a>>,
        /// Outcome of the first event.
        pub outcome: Option<Text<'a>>,
        /// Client address of the first event.
        pub client_ip: Option<Text<'a>>,
        /// User agent of the first event, as sent by the client.
        pub user_agent: Option<Text<'a>>,
        /// MITRE ATT&CK technique ids.
        pub attack: Option<Vec<Text<'a>>>,
        /// MITRE ATT&CK tactics, by name.
        pub tactics: Option<Vec<Text<'a>>>,
        /// Ids of the events in the evidence, as in `events`; of more than 1,000, the first and the last 999.
        pub event_ids: Option<Vec<Text<'a>>>,
        /// Audit ids of these events.
        pub audit_ids: Option<Vec<Text<'a>>>,
        /// Images of the workload that was written.
        pub images: Option<Vec<Text<'a>>>,
        /// Reasons of the finding, one line each.
        pub reasons: Option<Vec<Text<'a>>>,
        /// Position of the first event.
        pub source: Option<FindingSource<'a>>,
        /// Position of each event in `event_ids`.
        pub sources: Option<Vec<FindingSource<'a>>>,
        /// Why the severity is lower than that of the detection. Null if it is not lower.
        pub lowered: Option<FindingLowered<'a>>,
    }
}

row! {
    /// Why the severity of a finding is lower than that of its detection.
    pub struct FindingLowered<'a> builds FindingLoweredBuilder {
        /// Original severity.
        pub from: Option<Text<'a>>,
        /// Id of the exception that lowered it, or `routine`.
        pub by: Option<Text<'a>>,
        /// Reason of the exception, or the routine activity that the events belong to.
        pub reason: Option<Text<'a>>,
    }
}

row! {
    /// Position of an event.
    pub struct FindingSource<'a> builds FindingSourceBuilder {
        /// File or stream, as named at ingest.
        pub file: Option<Text<'a>>,
        /// Line in the decompressed file, from 1.
        pub line: Option<i64>,
        /// Byte offset in the decompressed file, from 0.
        pub offset: Option<i64>,
        /// SHA-256 of the file on disk (compressed, if it is), hexadecimal. Null for standard input.
        pub sha256: Option<Text<'a>>,
    }
}

/// Returns the schema of the `findings` table.
pub fn finding_schema() -> SchemaRef {
    let DataType::Struct(fields) = FindingState::data_type() else {
        unreachable!("a row is a struct")
    };
    Arc::new(Schema::new(fields))
}

/// Returns the columns of the `findings` table with their documentation.
pub fn finding_documentation() -> Vec<FieldDoc> {
    FindingState::fields()
}

/// Returns the states as one batch of [`finding_schema`].
///
/// # Errors
///
/// Returns an error if a column would be larger than 2 GiB.
pub fn finding_batch(states: &[FindingState<'_>]) -> Result<RecordBatch, ArrowError> {
    let mut rows = FindingStateBuilder::default();
    for state in states {
        rows.append(state);
    }
    let (columns, _) = rows.finish_columns();
    RecordBatch::try_new(finding_schema(), columns)
}
