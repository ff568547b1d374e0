//! Runs a pack over a session.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use chrono::Utc;
use futures::{StreamExt, stream};
use podtrail_query::{QueryError, Session};

use crate::detection::{Detection, Input, ParameterError};
use crate::evidence::{self, Evidence};
use crate::exceptions::Exception;
use crate::facts::{FACTS, facts};
use crate::finding::{self, Finding};
use crate::pack::Pack;

/// What a pack found.
#[derive(Debug, Default)]
pub struct Hunt {
    /// The findings, most severe first, then in order of time.
    pub findings: Vec<Finding>,
    /// The findings that exceptions hide.
    pub excepted: Vec<Excepted>,
    /// The exceptions that have expired: they hide nothing.
    pub expired: Vec<Exception>,
    /// The detections that could not be run; the others were.
    pub failures: Vec<Failure>,
    /// How many detections ran.
    pub detections: usize,
}

/// A finding that an exception hides.
#[derive(Debug)]
pub struct Excepted {
    /// The id of the exception.
    pub exception: String,
    /// What it hides.
    pub finding: Finding,
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
    /// The default of a parameter is none of its type.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// Its query lacks a column that every detection has.
    #[error("its query must return a column '{0}' of strings")]
    Column(&'static str),
}

/// One row that a detection returned.
struct Match {
    event_ids: Vec<String>,
    reason: String,
    /// Whether the query returned a list of events: they are one finding, whatever they are about.
    is_episode: bool,
}

/// Runs every detection of `pack`, groups what they match into findings, and sets those apart that its exceptions cover.
///
/// A detection that fails is reported beside the findings of the others.
///
/// # Errors
/// When the events behind the matches cannot be read, or what the detections share cannot be set up.
pub async fn hunt(session: &Session, pack: &Pack) -> Result<Hunt, QueryError> {
    let today = Utc::now().date_naive();
    let (expired, exceptions): (Vec<_>, Vec<_>) =
        pack.exceptions().iter().partition(|exception| exception.is_expired(today));
    let mut hunt = Hunt {
        expired: expired.into_iter().cloned().collect(),
        detections: pack.detections().count(),
        ..Hunt::default()
    };
    pack.prepare(session).await?;
    let mut events = HashMap::new();
    for input in [Input::Events, Input::Facts] {
        let facts = facts(&hunt.findings, |id| events.get(id))
            .map_err(|error| QueryError::Sql(error.into()))?;
        session.add_table(FACTS, facts)?;
        let detections = pack.detections().filter(|detection| detection.head.input == input);
        for finding in search(session, detections, &mut events, &mut hunt.failures).await? {
            match exceptions.iter().find(|exception| exception.covers(&finding)) {
                Some(exception) => {
                    hunt.excepted.push(Excepted { exception: exception.id.clone(), finding });
                }
                None => hunt.findings.push(finding),
            }
        }
    }
    hunt.findings
        .sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.first_seen.cmp(&b.first_seen)));
    Ok(hunt)
}

/// Runs these detections side by side; the events behind their matches are added to `events`.
async fn search<'a>(
    session: &Session,
    detections: impl Iterator<Item = &'a Detection>,
    events: &mut HashMap<String, Evidence>,
    failures: &mut Vec<Failure>,
) -> Result<Vec<Finding>, QueryError> {
    // Each query keeps all cores busy by itself; two at a time hide the waits of one.
    const SIDE_BY_SIDE: usize = 2;
    let results: Vec<(&Detection, Result<Vec<Match>, DetectError>)> = stream::iter(detections)
        .map(|detection| async move { (detection, matches(session, detection).await) })
        .buffered(SIDE_BY_SIDE)
        .collect()
        .await;

    let ids: BTreeSet<String> = results
        .iter()
        .filter_map(|(_, result)| result.as_ref().ok())
        .flatten()
        .flat_map(|matched| &matched.event_ids)
        .filter(|id| !events.contains_key(*id))
        .cloned()
        .collect();
    events.extend(evidence::read(session, &ids).await?);

    let mut found = Vec::new();
    for (detection, result) in results {
        match result {
            Ok(matches) => {
                let (episodes, single): (Vec<_>, Vec<_>) =
                    matches.iter().partition(|matched| matched.is_episode);
                let single: Vec<_> =
                    single.into_iter().flat_map(|matched| evidence_of(matched, events)).collect();
                found.extend(finding::findings(&detection.head, &single));
                for episode in episodes {
                    found.extend(finding::episode(&detection.head, evidence_of(episode, events)));
                }
            }
            Err(error) => failures.push(Failure { detection: detection.head.id.clone(), error }),
        }
    }
    Ok(found)
}

/// The events of a match, each with its reason.
fn evidence_of<'a>(
    matched: &'a Match,
    events: &'a HashMap<String, Evidence>,
) -> Vec<(&'a Evidence, &'a str)> {
    let found = |id| events.get(id).map(|event| (event, &*matched.reason));
    matched.event_ids.iter().filter_map(found).collect()
}

async fn matches(session: &Session, detection: &Detection) -> Result<Vec<Match>, DetectError> {
    let query = session.sql(&detection.sql).await?;
    let query = query.with_param_values(detection.parameters()?).map_err(QueryError::from)?;
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
    let lists = ids.as_list_opt::<i32>();
    for row in 0..batch.num_rows() {
        let ids = lists.map_or_else(|| ids.slice(row, 1), |lists| lists.value(row));
        let ids = strings(&ids, "event_id")?;
        let event_ids = ids.iter().flatten().map(str::to_owned).collect();
        let reason = if reasons.is_valid(row) { reasons.value(row) } else { "" };
        let is_episode = lists.is_some();
        matches.push(Match { event_ids, reason: reason.to_owned(), is_episode });
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
