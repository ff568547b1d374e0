//! One commit: several `Add` actions that become visible together, or not at all.

use std::collections::HashMap;
use std::time::Duration;

use deltalake::DeltaTableError;
use deltalake::kernel::transaction::{CommitData, TransactionError};
use deltalake::kernel::{Action, Add, Transaction};
use deltalake::logstore::CommitOrBytes;
use deltalake::protocol::{DeltaOperation, SaveMode};
use serde_json::Value;
use uuid::Uuid;

use crate::error::LakeError;
use crate::log::read_info;
use crate::spec::TableSpec;
use crate::store::Folder;
use crate::store::commits::{DecidedLog, Undecided};

/// The member of `commitInfo` that identifies a commit: no other has the same value.
const ID: &str = "podtrailCommit";

/// The outcome of a commit.
pub(crate) enum Outcome {
    /// The files are part of the table, from this version on.
    Committed(u64),
    /// Another append committed first: no version has the files, read again.
    Conflict,
    /// No version has the files, and another attempt would not help.
    Failed(LakeError),
    /// It is unknown whether the files are part of the table.
    Unknown(LakeError),
}

/// How often the longest pause doubles.
const MAX_DOUBLINGS: u32 = 3;

/// Waits a random time after an attempt at a commit that conflicted with another writer, so that the two do not meet
/// again: at most as long as the attempt took, and twice as long after each further conflict. A fixed time would be too
/// short for a slow store and too long for a disk. `attempt` counts from 0.
pub(crate) async fn pause(spec: &TableSpec, attempt: usize, took: Duration) {
    tracing::debug!(table = spec.name, attempt, ?took, "another writer committed first");
    let doublings = u32::try_from(attempt).unwrap_or(MAX_DOUBLINGS).min(MAX_DOUBLINGS);
    tokio::time::sleep((took * 2_u32.pow(doublings)).mul_f32(fastrand::f32())).await;
}

/// What a commit contains besides added files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remarks {
    /// Application transactions besides the one that every append has.
    pub(crate) transactions: Vec<Transaction>,
    /// Members of the log entry's `commitInfo`.
    pub(crate) info: Vec<(String, Value)>,
}

/// Adds files to the table, as the successor of version `base`.
///
/// Every append has the application transaction of its table, for other programs that check for conflicts with it.
pub(crate) async fn commit(
    spec: &TableSpec,
    root: &Folder,
    base: u64,
    adds: Vec<Add>,
    remarks: &Remarks,
) -> Outcome {
    let next_version = i64::try_from(base.saturating_add(1)).unwrap_or(i64::MAX);
    let mut transactions = remarks.transactions.clone();
    transactions.push(Transaction::new(spec.application, next_version));
    let operation = DeltaOperation::Write {
        mode: SaveMode::Append,
        partition_by: Some(spec.partition_columns.iter().map(|&name| name.to_owned()).collect()),
        predicate: None,
    };
    let actions = adds.into_iter().map(Action::Add).collect();
    let remarks = Remarks { transactions, info: remarks.info.clone() };
    commit_actions(spec, root, base, actions, operation, remarks).await
}

/// Commits actions as the successor of version `base`, or not at all.
///
/// The library would commit them after other commits, if it finds no conflict. Of two compactions of the same files it
/// finds none, and would store every row twice; after an append of another program, an event could be in the table
/// twice. So whoever comes second reads the table again.
pub(crate) async fn commit_actions(
    spec: &TableSpec,
    root: &Folder,
    base: u64,
    actions: Vec<Action>,
    operation: DeltaOperation,
    remarks: Remarks,
) -> Outcome {
    let failed = |error| Outcome::Failed(LakeError::log(spec.name)(error));
    let id = Uuid::now_v7();
    let info = remarks.info.into_iter().chain([(ID.to_owned(), id.to_string().into())]);
    let info: HashMap<String, Value> = info.collect();
    let data = CommitData::new(actions, operation, info, remarks.transactions);
    let contents = match data.get_bytes() {
        Ok(contents) => CommitOrBytes::LogBytes(contents),
        Err(error) => return failed(error.into()),
    };
    let log = match DecidedLog::open(root, root.store().objects().clone()) {
        Ok(log) => log,
        Err(error) => return failed(DeltaTableError::generic(error.to_string())),
    };
    let version = base.saturating_add(1);
    match log.write_commit_entry(version, contents, id).await {
        Ok(()) => Outcome::Committed(version),
        Err(error) => look_for(spec, root, base, &id.to_string(), error).await,
    }
}

/// Returns the outcome of a commit that was answered with an error: the log decides.
///
/// Files that a version names must never be deleted, so an error, or a conflict, is believed only if no entry after the
/// version that the commit is based on is this commit.
async fn look_for(
    spec: &TableSpec,
    root: &Folder,
    base: u64,
    id: &str,
    error: TransactionError,
) -> Outcome {
    let name = spec.name;
    let (folder, id) = (root.clone(), id.to_owned());
    let is_taken = matches!(error, TransactionError::VersionAlreadyExists(_));
    let error = DeltaTableError::from(error);
    let found = tokio::task::spawn_blocking(move || find(&folder, base, &id)).await;
    match found {
        Ok(Ok(Some(version))) => return Outcome::Committed(version),
        Ok(Ok(None)) if !is_undecided(&error) => {}
        Ok(Ok(None) | Err(_)) | Err(_) => {
            return Outcome::Unknown(LakeError::UnknownOutcome {
                table: name,
                cause: Box::new(error),
            });
        }
    }
    if is_taken {
        return Outcome::Conflict;
    }
    Outcome::Failed(LakeError::log(name)(error))
}

/// Returns the version after `base` that is the commit with this id.
fn find(root: &Folder, base: u64, id: &str) -> Result<Option<u64>, LakeError> {
    for version in base.saturating_add(1).. {
        let Some(info) = read_info(root, version)? else { return Ok(None) };
        if info.get(ID).and_then(Value::as_str) == Some(id) {
            return Ok(Some(version));
        }
    }
    Ok(None)
}

/// Returns whether the entry of the commit may have been written, or may still be.
fn is_undecided(error: &DeltaTableError) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<Undecided>() {
            return true;
        }
        cause = error.source();
    }
    false
}
