//! Changes of state by people: acknowledging and closing findings.

use chrono::{DateTime, Utc};
use podtrail_event::{FindingState, RecordedFinding};
use podtrail_lake::{Lake, LakeError};
use podtrail_query::{QueryError, Session};

use crate::findings::stored::{read_recorded, state_rows};

/// The maximum number of commit attempts; each failed attempt means that another writer has succeeded.
const MAX_ATTEMPTS: usize = 100;

/// Why a finding could not be found or changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The given text cannot be the beginning of an id.
    #[error("invalid id '{0}'; expected hexadecimal digits")]
    Id(String),
    /// No finding has this id.
    #[error("no finding with id {0}; `podtrail findings list` lists all")]
    Unknown(String),
    /// No incident has this id.
    #[error("no incident with id {0}; `podtrail incidents list` lists all")]
    UnknownIncident(String),
    /// Several match the id.
    #[error("id {id} matches {count}; use more digits")]
    Ambiguous {
        /// The given id.
        id: String,
        /// The number of matching findings.
        count: usize,
    },
    /// The lake cannot be read or written.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The findings cannot be queried.
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// Returns the current state of the finding whose id begins with `id`.
///
/// # Errors
/// If none or more than one matches, or the findings cannot be read.
pub async fn find_recorded(session: &Session, id: &str) -> Result<RecordedFinding, ChangeError> {
    // The id becomes part of a statement.
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ChangeError::Id(id.to_owned()));
    }
    let id = id.to_ascii_lowercase();
    let sql = format!("SELECT * FROM findings WHERE starts_with(finding_id, '{id}')");
    let mut found = read_recorded(session, &sql).await?;
    match (found.pop(), found.len()) {
        (Some(recorded), 0) => Ok(recorded),
        (Some(_), others) => Err(ChangeError::Ambiguous { id, count: others + 1 }),
        (None, _) => Err(ChangeError::Unknown(id)),
    }
}

/// Sets the state of findings, given by the beginnings of their ids, in one commit. Findings that already have the
/// state stay unchanged, unless there is a note to add.
///
/// # Errors
/// If one of them cannot be found; none is changed then.
pub async fn set_state(
    lake: &Lake,
    ids: &[String],
    state: FindingState,
    by: Option<&str>,
    note: Option<&str>,
    at: DateTime<Utc>,
) -> Result<Vec<RecordedFinding>, ChangeError> {
    for _ in 0..MAX_ATTEMPTS {
        let findings = lake.findings().await?;
        let session = Session::over_findings(&findings.rows)?;
        let mut changes: Vec<RecordedFinding> = Vec::new();
        for id in ids {
            let recorded = find_recorded(&session, id).await?;
            let is_named_twice = changes
                .iter()
                .any(|change| change.finding.finding_id == recorded.finding.finding_id);
            if is_named_twice || (recorded.state == state && note.is_none()) {
                continue;
            }
            changes.push(RecordedFinding {
                sequence: recorded.sequence + 1,
                state,
                state_at: at,
                state_by: by.map(str::to_owned),
                note: note.map(str::to_owned),
                exception: None,
                ..recorded
            });
        }
        if changes.is_empty() {
            return Ok(changes);
        }
        if lake.commit_findings(&findings, state_rows(&changes)?, None).await?.is_some() {
            return Ok(changes);
        }
    }
    Err(LakeError::Contention { table: "findings", attempts: MAX_ATTEMPTS }.into())
}
