//! The events behind matches, read back from the lake by their ids.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    Array, AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema};
use chrono::{DateTime, Utc};
use podtrail_query::{Optimized, QueryError, Session};
use serde::{Deserialize, Serialize};

use crate::uncertain::{Uncertainty, uncertain};

/// What a finding tells of one event.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The event's id.
    pub event_id: String,
    /// The audit id.
    pub audit_id: Option<String>,
    /// When the request arrived.
    pub time: DateTime<Utc>,
    /// The cluster.
    pub cluster: Option<String>,
    /// The authenticated user.
    pub username: Option<String>,
    /// Whom that user acted as.
    pub impersonated_username: Option<String>,
    /// The verb.
    pub verb: Option<String>,
    /// The API group; null is the core group.
    pub api_group: Option<String>,
    /// The resource.
    pub resource: Option<String>,
    /// The subresource.
    pub subresource: Option<String>,
    /// The namespace.
    pub namespace: Option<String>,
    /// The object's name.
    pub name: Option<String>,
    /// The outcome.
    pub outcome: Option<String>,
    /// The client's address.
    pub client_ip: Option<String>,
    /// The client, as it says.
    pub user_agent: Option<String>,
    /// The images of the workload that the event writes.
    pub images: Vec<String>,
    /// Why it is a matter of course, where it is.
    pub routine: Option<String>,
    /// What is known of a write whose answer does not show whether it was carried out.
    pub uncertain: Option<Uncertainty>,
    /// Where the event stands.
    pub source: Source,
}

/// Where an event stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The file or stream.
    pub file: Option<String>,
    /// The line in the decompressed file, from 1.
    pub line: Option<i64>,
    /// The byte offset in the decompressed file, from 0.
    pub offset: Option<i64>,
    /// SHA-256 of the file.
    pub sha256: Option<String>,
}

const EVIDENCE_SQL: &str = "
SELECT
  recorded.event_id, audit_id, time, recorded.cluster, username, impersonated_username, verb, api_group, resource,
  subresource, namespace, name, outcome, client_ip, user_agent, source_file, source_sha256, source_line, source_offset,
  workload['containers'] AS containers, routine, outcome_uncertain
FROM (SELECT * FROM stages UNION ALL SELECT * FROM stages_history) AS recorded
LEFT JOIN (
  SELECT cluster, event_id, min(routine) AS routine FROM {routine} GROUP BY cluster, event_id
) AS routine ON routine.cluster = recorded.cluster AND routine.event_id = recorded.event_id
WHERE recorded.event_id IN (SELECT event_id FROM evidence_ids)";

/// Why events are a matter of course.
const ROUTINE: &str = "(SELECT cluster, event_id, routine FROM routine_events)";

/// Nothing is: what takes long to find out is not asked for where no detection makes a difference of it.
const NO_ROUTINE: &str = "(SELECT '' AS cluster, '' AS event_id, '' AS routine WHERE false)";

/// The query for what is a matter of course, which [`read`] will ask.
pub(crate) async fn routine(session: &Session) -> Result<Optimized, QueryError> {
    Optimized::of(session.sql(ROUTINE).await?)
}

/// The events with these ids, and why they are a matter of course, if that is wanted.
pub(crate) async fn read(
    session: &Session,
    ids: &BTreeSet<String>,
    with_routine: bool,
) -> Result<Vec<Evidence>, QueryError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let schema = Arc::new(Schema::new(vec![Field::new("event_id", DataType::Utf8, false)]));
    let column = Arc::new(StringArray::from_iter_values(ids));
    let batch = RecordBatch::try_new(schema, vec![column])
        .map_err(|error| QueryError::Sql(error.into()))?;
    session.add_table("evidence_ids", batch)?;
    let routine = if with_routine { ROUTINE } else { NO_ROUTINE };
    let batches = session.sql(&EVIDENCE_SQL.replace("{routine}", routine)).await?.collect().await?;
    let rows = batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    let mut events: Vec<Evidence> = rows.filter_map(|(batch, row)| evidence(batch, row)).collect();
    // Such writes are rare, and what came after them takes long to find.
    let is_uncertain = |batch: &RecordBatch| {
        let column = batch.column_by_name("outcome_uncertain").and_then(AsArray::as_boolean_opt);
        column.is_some_and(|column| column.true_count() > 0)
    };
    if batches.iter().any(is_uncertain) {
        let mut known = uncertain(session).await?;
        for event in &mut events {
            event.uncertain = known.remove(&(event.cluster.clone(), event.event_id.clone()));
        }
    }
    Ok(events)
}

fn evidence(batch: &RecordBatch, row: usize) -> Option<Evidence> {
    let text = |name| text(batch, name, row);
    let int = |name| {
        let column = batch.column_by_name(name)?.as_any().downcast_ref::<Int64Array>()?;
        column.is_valid(row).then(|| column.value(row))
    };
    let time =
        batch.column_by_name("time")?.as_any().downcast_ref::<TimestampMicrosecondArray>()?;
    Some(Evidence {
        event_id: text("event_id")?,
        audit_id: text("audit_id"),
        time: DateTime::from_timestamp_micros(time.value(row))?,
        cluster: text("cluster"),
        username: text("username"),
        impersonated_username: text("impersonated_username"),
        verb: text("verb"),
        api_group: text("api_group"),
        resource: text("resource"),
        subresource: text("subresource"),
        namespace: text("namespace"),
        name: text("name"),
        outcome: text("outcome"),
        client_ip: text("client_ip"),
        user_agent: text("user_agent"),
        images: images(batch, row),
        routine: text("routine"),
        uncertain: None,
        source: Source {
            file: text("source_file"),
            line: int("source_line"),
            offset: int("source_offset"),
            sha256: text("source_sha256"),
        },
    })
}

pub(crate) fn text(batch: &RecordBatch, name: &str, row: usize) -> Option<String> {
    let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
    column.is_valid(row).then(|| column.value(row).to_owned())
}

/// The images of all containers of the workload in `row`.
fn images(batch: &RecordBatch, row: usize) -> Vec<String> {
    let list = || {
        let containers = batch.column_by_name("containers")?.as_list_opt::<i32>()?;
        if containers.is_null(row) {
            return None;
        }
        let containers = containers.value(row);
        let images = containers.as_struct_opt()?.column_by_name("image")?.as_string_opt::<i32>()?;
        Some(images.iter().flatten().map(str::to_owned).collect())
    };
    list().unwrap_or_default()
}
