//! Runs a pack over a session.

use std::collections::BTreeSet;
use std::fmt;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use futures::{StreamExt, stream};
use podtrail_query::{QueryError, Session};

use crate::detection::Detection;
use crate::evidence;
use crate::finding::{self, Finding};
use crate::pack::Pack;

/// What a pack found.
#[derive(Debug, Default)]
pub struct Hunt {
    /// The findings, most severe first, then in order of time.
    pub findings: Vec<Finding>,
    /// The detections that could not be run; the others were.
    pub failures: Vec<Failure>,
    /// How many detections ran.
    pub detections: usize,
}

/// A detection that could not be run.
#[derive(Debug)]
pub struct Failure {
    /// The detection's id.
    pub detection: String,
    /// Why.
    pub error: DetectError,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "detection {}: {}", self.detection, self.error)
    }
}

/// Why a detection could not be run.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// Its query failed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Its query lacks a column that every detection has.
    #[error("its query must return a column '{0}' of strings")]
    Column(&'static str),
}

/// One row that a detection returned.
struct Match {
    event_ids: Vec<String>,
    reason: String,
}

/// Runs every detection of `pack` and groups what they match into findings.
///
/// A detection that fails is reported beside the findings of the others.
///
/// # Errors
/// When the events behind the matches cannot be read.
pub async fn hunt(session: &Session, pack: &Pack) -> Result<Hunt, QueryError> {
    // Each query keeps all cores busy by itself; two at a time hide the waits of one.
    const SIDE_BY_SIDE: usize = 2;
    let mut results: Vec<(&Detection, Result<Vec<Match>, DetectError>)> =
        stream::iter(pack.detections())
            .map(|detection| async move { (detection, matches(session, detection).await) })
            .buffered(SIDE_BY_SIDE)
            .collect()
            .await;

    let ids: BTreeSet<String> = results
        .iter()
        .filter_map(|(_, result)| result.as_ref().ok())
        .flatten()
        .flat_map(|matched| matched.event_ids.iter().cloned())
        .collect();
    let events = evidence::read(session, &ids).await?;

    let mut hunt = Hunt { detections: results.len(), ..Hunt::default() };
    for (detection, result) in results.drain(..) {
        match result {
            Ok(matches) => {
                let evidence: Vec<_> = matches
                    .iter()
                    .flat_map(|matched| {
                        let found = |id| events.get(id).map(|event| (event, &*matched.reason));
                        matched.event_ids.iter().filter_map(found)
                    })
                    .collect();
                hunt.findings.extend(finding::findings(&detection.head, &evidence));
            }
            Err(error) => {
                hunt.failures.push(Failure { detection: detection.head.id.clone(), error });
            }
        }
    }
    hunt.findings
        .sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.first_seen.cmp(&b.first_seen)));
    Ok(hunt)
}

async fn matches(session: &Session, detection: &Detection) -> Result<Vec<Match>, DetectError> {
    let query = session.sql(&detection.sql).await?;
    let query = query.with_param_values(detection.parameters()).map_err(QueryError::from)?;
    let batches = query.collect().await.map_err(QueryError::from)?;
    let mut matches = Vec::new();
    for batch in &batches {
        matches_of(batch, &mut matches)?;
    }
    Ok(matches)
}

fn matches_of(batch: &RecordBatch, matches: &mut Vec<Match>) -> Result<(), DetectError> {
    let column = |name| batch.column_by_name(name).ok_or(DetectError::Column(name));
    let reasons = strings(column("reason")?, "reason")?;
    let ids = column("event_id")?;
    for row in 0..batch.num_rows() {
        let ids = match ids.as_list_opt::<i32>() {
            Some(lists) => lists.value(row),
            None => ids.slice(row, 1),
        };
        let ids = strings(&ids, "event_id")?;
        let event_ids = ids.iter().flatten().map(str::to_owned).collect();
        let reason = if reasons.is_valid(row) { reasons.value(row) } else { "" };
        matches.push(Match { event_ids, reason: reason.to_owned() });
    }
    Ok(())
}

/// A column of any string type: which one a query returns depends on the functions it uses.
fn strings(column: &ArrayRef, name: &'static str) -> Result<StringArray, DetectError> {
    let is_string =
        matches!(column.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let column = is_string.then(|| cast(column, &DataType::Utf8).ok()).flatten();
    column.and_then(|column| column.as_string_opt().cloned()).ok_or(DetectError::Column(name))
}
