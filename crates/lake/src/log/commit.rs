//! One commit: several `Add` actions that become visible together, or not at all.

use std::time::Duration;

use deltalake::kernel::transaction::{
    CommitBuilder, CommitConflictError, CommitProperties, TransactionError,
};
use deltalake::kernel::{Action, Add, Transaction};
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::{DeltaTable, DeltaTableError};
use serde_json::Value;
use uuid::Uuid;

use crate::error::LakeError;
use crate::log::read_info;
use crate::spec::TableSpec;
use crate::store::Folder;
use crate::store::commits::{DecidedLog, Undecided};

/// Commits of other programs are retried inside delta-rs, without another search for duplicates.
const FOREIGN_RETRIES: usize = 200;

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

/// Adds files to the table, based on the version at which `table` was loaded.
///
/// Every append has the application transaction of its table: of two appends based on the same version, the second one
/// fails, checks what the first one added, and tries again. Without it, delta-rs would accept both as blind appends,
/// and an event could be stored twice.
pub(crate) async fn commit(
    spec: &TableSpec,
    root: &Folder,
    table: &DeltaTable,
    adds: Vec<Add>,
    remarks: &Remarks,
) -> Outcome {
    let next_version = table.version().unwrap_or_default().saturating_add(1);
    let next_version = i64::try_from(next_version).unwrap_or(i64::MAX);
    let mut transactions = remarks.transactions.clone();
    transactions.push(Transaction::new(spec.application, next_version));
    let id = Uuid::now_v7().to_string();
    let info = remarks.info.iter().cloned().chain([(ID.to_owned(), id.clone().into())]);
    let properties = CommitProperties::default()
        .with_metadata(info)
        .with_application_transactions(transactions)
        .with_max_retries(FOREIGN_RETRIES);
    let operation = DeltaOperation::Write {
        mode: SaveMode::Append,
        partition_by: Some(spec.partition_columns.iter().map(|&name| name.to_owned()).collect()),
        predicate: None,
    };
    let actions = adds.into_iter().map(Action::Add).collect();
    commit_actions(spec, root, table, actions, operation, properties, &id).await
}

/// Removes files from the table and adds others, as the version after the loaded one, or not at all.
///
/// delta-rs would accept two compactions of the same files, and store every row twice: of two removals of one file it
/// checks only those that change data. So this function does not use its conflict checks.
pub(crate) async fn commit_replacement(
    spec: &TableSpec,
    root: &Folder,
    table: &DeltaTable,
    actions: Vec<Action>,
    operation: DeltaOperation,
) -> Outcome {
    let id = Uuid::now_v7().to_string();
    let properties = CommitProperties::default()
        .with_metadata([(ID.to_owned(), id.clone().into())])
        .with_max_retries(0);
    commit_actions(spec, root, table, actions, operation, properties, &id).await
}

async fn commit_actions(
    spec: &TableSpec,
    root: &Folder,
    table: &DeltaTable,
    actions: Vec<Action>,
    operation: DeltaOperation,
    properties: CommitProperties,
    id: &str,
) -> Outcome {
    let failed = |error| Outcome::Failed(LakeError::log(spec.name)(error));
    let state = match table.snapshot() {
        Ok(state) => state,
        Err(error) => return failed(error),
    };
    // The table writes checkpoints itself, at the end of a run.
    let prepared = CommitBuilder::from(properties.with_create_checkpoint(false))
        .with_actions(actions)
        .build(Some(state), DecidedLog::newest_read(table.log_store()), operation)
        .into_prepared_commit_future()
        .await;
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return failed(error),
    };
    match prepared.await {
        // The library would now read the log for the state after the commit. Whoever needs it reads the newest one.
        Ok(committed) => Outcome::Committed(committed.version),
        Err(error) => look_for(spec, root, table, id, error).await,
    }
}

/// Returns whether reading the table again and committing to its new state can help.
pub(crate) fn is_conflict(error: &DeltaTableError) -> bool {
    use CommitConflictError::{
        ConcurrentAppend, ConcurrentDeleteRead, ConcurrentTransaction, MetadataChanged,
        ProtocolChanged,
    };
    use TransactionError::{CommitConflict, MaxCommitAttempts, VersionAlreadyExists};
    let DeltaTableError::Transaction { source } = error else {
        return matches!(error, DeltaTableError::VersionAlreadyExists(_));
    };
    match source {
        MaxCommitAttempts(_) | VersionAlreadyExists(_) => true,
        CommitConflict(conflict) => matches!(
            conflict,
            ConcurrentAppend
                | ConcurrentDeleteRead
                | ConcurrentTransaction
                | MetadataChanged
                | ProtocolChanged(_)
        ),
        _ => false,
    }
}

/// Returns the outcome of a commit that was answered with an error: the log decides.
///
/// Files that a version names must never be deleted, so an error, or a conflict, is believed only if no entry after the
/// version that the commit is based on is this commit.
async fn look_for(
    spec: &TableSpec,
    root: &Folder,
    table: &DeltaTable,
    id: &str,
    error: DeltaTableError,
) -> Outcome {
    let name = spec.name;
    let (folder, id) = (root.clone(), id.to_owned());
    let base = table.version().and_then(|version| i64::try_from(version).ok()).unwrap_or(-1);
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
    if is_conflict(&error) {
        return Outcome::Conflict;
    }
    Outcome::Failed(LakeError::log(name)(error))
}

/// Returns the version after `base` that is the commit with this id.
fn find(root: &Folder, base: i64, id: &str) -> Result<Option<u64>, LakeError> {
    for version in base.saturating_add(1).. {
        let Some(info) = read_info(root, version)? else { return Ok(None) };
        if info.get(ID).and_then(Value::as_str) == Some(id) {
            return Ok(u64::try_from(version).ok());
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
