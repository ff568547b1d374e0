//! Incidents in the table of findings: an incident is what its findings have in common, so a change of an incident is a
//! change of all its findings, in one commit.

use std::collections::{BTreeMap, BTreeSet};

use podtrail_event::{FindingState, RecordedFinding};
use podtrail_lake::Lake;
use podtrail_query::{QueryError, Session};
use serde::Serialize;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::incident::{Incident, incidents};
use crate::error::RunError;
use crate::findings::lifecycle::ChangeError;
use crate::findings::stored::read_recorded;

/// The state of an incident, which derives from those of its findings.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Display, EnumString, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum IncidentState {
    /// A finding needs review.
    Open,
    /// A person has acknowledged the findings that are not closed.
    Acknowledged,
    /// A person has closed all findings.
    Closed,
}

impl IncidentState {
    /// All states, in the order of their life.
    pub const ALL: &'static [Self] = <Self as VariantArray>::VARIANTS;

    /// Returns the name.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    fn of(findings: &[RecordedFinding]) -> Self {
        if findings.iter().any(|recorded| recorded.state.is_open()) {
            Self::Open
        } else if findings.iter().any(|recorded| recorded.state == FindingState::Acknowledged) {
            Self::Acknowledged
        } else {
            Self::Closed
        }
    }
}

/// An incident as recorded.
#[derive(Debug, Clone, Serialize)]
pub struct RecordedIncident {
    /// Its state.
    pub state: IncidentState,
    /// The last note of a person.
    pub note: Option<String>,
    /// Who wrote the note, or last changed the state.
    pub state_by: Option<String>,
    /// The story.
    #[serde(flatten)]
    pub incident: Incident,
    /// Its findings, in their current state.
    #[serde(skip)]
    pub findings: Vec<RecordedFinding>,
}

/// Returns the recorded findings of incidents, in their current state.
///
/// # Errors
/// If the findings cannot be read.
pub async fn incident_findings(
    lake: &Lake,
    ids: BTreeSet<&str>,
) -> Result<Vec<RecordedFinding>, RunError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let session = Session::over_findings(&lake.findings().await?.rows)?;
    let session = session.with_strings("incident_ids", "incident_id", ids)?;
    let sql = "SELECT * FROM incident_findings
        WHERE state <> 'suppressed' AND incident_id IN (SELECT incident_id FROM incident_ids)";
    Ok(read_recorded(&session, sql).await?)
}

/// Returns all recorded incidents, the most severe first; the session is over the findings. `combined` are the ids of
/// detections that add up the findings of others.
///
/// # Errors
/// If the findings cannot be read.
pub async fn recorded_incidents(
    session: &Session,
    combined: &BTreeSet<String>,
) -> Result<Vec<RecordedIncident>, QueryError> {
    let sql = "SELECT * FROM incident_findings WHERE state <> 'suppressed'";
    Ok(with_stories(read_recorded(session, sql).await?, combined))
}

fn with_stories(
    findings: Vec<RecordedFinding>,
    combined: &BTreeSet<String>,
) -> Vec<RecordedIncident> {
    let stories = incidents(findings.iter().map(|recorded| &recorded.finding), combined);
    let mut groups: BTreeMap<String, Vec<RecordedFinding>> = BTreeMap::new();
    for recorded in findings {
        if let Some(id) = recorded.finding.incident_id.clone() {
            groups.entry(id).or_default().push(recorded);
        }
    }
    let recorded = stories.into_iter().filter_map(|incident| {
        let mut findings = groups.remove(&incident.incident_id)?;
        findings.sort_by_key(|recorded| {
            (recorded.finding.first_seen, recorded.finding.finding_id.clone())
        });
        let last = findings.iter().filter(|recorded| recorded.note.is_some());
        let last = last.max_by_key(|recorded| recorded.state_at);
        Some(RecordedIncident {
            state: IncidentState::of(&findings),
            note: last.and_then(|recorded| recorded.note.clone()),
            state_by: last.and_then(|recorded| recorded.state_by.clone()),
            incident,
            findings,
        })
    });
    recorded.collect()
}

/// Returns the incident whose id, or former id, begins with `id`; the session is over the findings. An incident that was
/// merged into another is found by both ids.
///
/// # Errors
/// If none or more than one matches, or the findings cannot be read.
pub async fn find_incident(
    session: &Session,
    id: &str,
    combined: &BTreeSet<String>,
) -> Result<RecordedIncident, ChangeError> {
    // The id becomes part of a statement.
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ChangeError::Id(id.to_owned()));
    }
    let id = id.to_ascii_lowercase();
    let sql = format!(
        "SELECT * FROM incident_findings WHERE state <> 'suppressed' AND incident_id IN (
          SELECT incident_id FROM findings WHERE finding_id IN (
            SELECT finding_id FROM findings_log WHERE starts_with(incident_id, '{id}')
          )
        )"
    );
    let mut found = with_stories(read_recorded(session, &sql).await?, combined);
    match (found.pop(), found.len()) {
        (Some(incident), 0) => Ok(incident),
        (Some(_), others) => Err(ChangeError::Ambiguous { id, count: others + 1 }),
        (None, _) => Err(ChangeError::UnknownIncident(id)),
    }
}
