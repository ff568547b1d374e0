//! What people say of a recorded finding: that they know of it, or that it is over.

use chrono::Utc;
use podtrail_lake::{Lake, LakeError};
use podtrail_query::{QueryError, Session};

use crate::findings::stored::{Recorded, State, read_recorded, state_rows};

/// Each failed attempt means that another writer has succeeded.
const MAX_ATTEMPTS: usize = 100;

/// Why a finding could not be found or changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// What was given is not the beginning of an id.
    #[error("'{0}' is not the beginning of a finding's id, which is hexadecimal")]
    Id(String),
    /// No finding has such an id.
    #[error("no finding has an id that begins with {0}: `podtrail findings list` lists them")]
    Unknown(String),
    /// Several findings have such an id.
    #[error("{count} findings have an id that begins with {id}: give more of it")]
    Ambiguous {
        /// What was given.
        id: String,
        /// How many they are.
        count: usize,
    },
    /// The lake cannot be read or written.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The findings cannot be queried.
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// The finding, as it stands, whose id begins with `id`.
///
/// # Errors
/// When there is none or more than one, or they cannot be read.
pub async fn find_recorded(session: &Session, id: &str) -> Result<Recorded, ChangeError> {
    // It becomes part of a statement.
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

/// Puts findings, by the beginnings of their ids, into a state, all in one commit. Those that are in it stay as they are,
/// unless there is something to note.
///
/// # Errors
/// When one of them cannot be found: none is changed then.
pub async fn set_state(
    lake: &Lake,
    ids: &[String],
    state: State,
    by: Option<&str>,
    note: Option<&str>,
) -> Result<Vec<Recorded>, ChangeError> {
    for _ in 0..MAX_ATTEMPTS {
        let findings = lake.findings().await?;
        let session = Session::over_findings(&findings.rows)?;
        let mut changes: Vec<Recorded> = Vec::new();
        for id in ids {
            let recorded = find_recorded(&session, id).await?;
            let is_named_twice = changes
                .iter()
                .any(|change| change.finding.finding_id == recorded.finding.finding_id);
            if is_named_twice || (recorded.state == state && note.is_none()) {
                continue;
            }
            changes.push(Recorded {
                sequence: recorded.sequence + 1,
                state,
                state_at: Utc::now(),
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
