//! The row of the `findings` table: one state in the life of a finding.
//!
//! The table only grows. What becomes of a finding (it is seen again, acknowledged, closed) is a further row, which
//! repeats what is known of it: the row with the highest `sequence` is how it stands.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;

use crate::row;
use crate::tables::column::{Build, Column, FieldDoc, Micros, Text};

row! {
    /// One state of a finding, with all that was known of the finding then.
    ///
    /// Columns by which queries prune stand first: Delta Lake keeps statistics of the first 32 leaf columns only.
    pub struct FindingState<'a> builds FindingStateBuilder {
        /// Digest of `finding_id` and `sequence`. 32 hexadecimal digits.
        pub state_id: Option<Text<'a>>,
        /// Digest of detection, version, and identity and object, or the first event of an episode: the same in every run. 32 hexadecimal digits.
        pub finding_id: Option<Text<'a>>,
        /// The number of this state of the finding, from 1. The highest is how it stands.
        pub sequence: Option<i64>,
        /// `new` (`detect` has not printed it yet), `delivered`, `seen_again`, `acknowledged`, `suppressed` (by an exception) or `closed`.
        pub state: Option<Text<'a>>,
        /// When it came into this state, by the clock of the machine that recorded it.
        pub state_at: Option<Micros>,
        /// Who put it into this state: `podtrail`, or who acknowledged or closed it.
        pub state_by: Option<Text<'a>>,
        /// What that person noted.
        pub note: Option<Text<'a>>,
        /// The id of the exception that suppresses it; null where none does.
        pub exception: Option<Text<'a>>,
        /// The id of the run of `podtrail detect` that recorded it last (UUID version 7).
        pub detect_run: Option<Text<'a>>,
        /// The version of the `events` table that this run looked at.
        pub events_version: Option<i64>,
        /// The detection's id.
        pub detection: Option<Text<'a>>,
        /// The detection's title.
        pub title: Option<Text<'a>>,
        /// `info`, `low`, `medium`, `high` or `critical`.
        pub severity: Option<Text<'a>>,
        /// How often a match of the detection is what it seems to be: `low`, `medium` or `high`.
        pub confidence: Option<Text<'a>>,
        /// What the finding adds to the risk of a workload write or identity, in points.
        pub risk: Option<i64>,
        /// When the first event of the evidence arrived.
        pub first_seen: Option<Micros>,
        /// When the last event of the evidence arrived.
        pub last_seen: Option<Micros>,
        /// How many events the evidence has.
        pub count: Option<i64>,
        /// The cluster.
        pub cluster: Option<Text<'a>>,
        /// The authenticated user; null where there was none.
        pub identity: Option<Text<'a>>,
        /// Whom that user acted as, if anybody.
        pub impersonated_identity: Option<Text<'a>>,
        /// The verb of the first event.
        pub verb: Option<Text<'a>>,
        /// The object's namespace.
        pub namespace: Option<Text<'a>>,
        /// The object's resource, with its subresource as `pods/exec`.
        pub resource: Option<Text<'a>>,
        /// The object's name.
        pub name: Option<Text<'a>>,
        /// The outcome of the first event.
        pub outcome: Option<Text<'a>>,
        /// The client address of the first event.
        pub client_ip: Option<Text<'a>>,
        /// The client of the first event, as it says.
        pub user_agent: Option<Text<'a>>,
        /// MITRE ATT&CK technique ids.
        pub attack: Option<Vec<Text<'a>>>,
        /// MITRE ATT&CK tactics, by name.
        pub tactics: Option<Vec<Text<'a>>>,
        /// Ids of the events of the evidence, as in `events`; of more than 1,000 the first and the last 999.
        pub event_ids: Option<Vec<Text<'a>>>,
        /// Their audit ids.
        pub audit_ids: Option<Vec<Text<'a>>>,
        /// The images of the workload that was written.
        pub images: Option<Vec<Text<'a>>>,
        /// Why, one line each.
        pub reasons: Option<Vec<Text<'a>>>,
        /// Where the first event stands.
        pub source: Option<FindingSource<'a>>,
        /// Where each event of `event_ids` stands.
        pub sources: Option<Vec<FindingSource<'a>>>,
        /// Why it is less severe than its detection has it; null where nothing lowered it.
        pub lowered: Option<FindingLowered<'a>>,
    }
}

row! {
    /// Why a finding is less severe than its detection has it.
    pub struct FindingLowered<'a> builds FindingLoweredBuilder {
        /// What its severity was.
        pub from: Option<Text<'a>>,
        /// The id of the exception that lowered it, or `routine`.
        pub by: Option<Text<'a>>,
        /// The reason of the exception, or what the events are as a matter of course.
        pub reason: Option<Text<'a>>,
    }
}

row! {
    /// Where an event stands.
    pub struct FindingSource<'a> builds FindingSourceBuilder {
        /// The file or stream, as named at ingest.
        pub file: Option<Text<'a>>,
        /// Line in the decompressed file, from 1.
        pub line: Option<i64>,
        /// Byte offset in the decompressed file, from 0.
        pub offset: Option<i64>,
        /// SHA-256 of the file as it lies on disk, hexadecimal; null for standard input.
        pub sha256: Option<Text<'a>>,
    }
}

/// The columns of the `findings` table.
pub fn finding_schema() -> SchemaRef {
    let DataType::Struct(fields) = FindingState::data_type() else {
        unreachable!("a row is a struct")
    };
    Arc::new(Schema::new(fields))
}

/// The columns of the `findings` table with what they hold.
pub fn finding_documentation() -> Vec<FieldDoc> {
    FindingState::fields()
}

/// These states as one batch of [`finding_schema`].
///
/// # Errors
/// If a column would be larger than 2 GiB.
pub fn finding_batch(states: &[FindingState<'_>]) -> Result<RecordBatch, ArrowError> {
    let mut rows = FindingStateBuilder::default();
    for state in states {
        rows.append(state);
    }
    let (columns, _) = rows.finish_columns();
    RecordBatch::try_new(finding_schema(), columns)
}
