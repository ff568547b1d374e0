//! One commit: several `Add` actions that become visible together, or not at all.

use deltalake::kernel::transaction::{
    CommitBuilder, CommitConflictError, CommitProperties, TransactionError,
};
use deltalake::kernel::{Action, Add, Transaction};
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::table::state::DeltaTableState;
use deltalake::{DeltaTable, DeltaTableError};
use serde_json::Value;

use crate::error::LakeError;
use crate::spec::TableSpec;

/// Commits of other programs are retried inside delta-rs, without another search for duplicates.
const FOREIGN_RETRIES: usize = 200;

/// The outcome of a commit.
pub(crate) enum Outcome {
    /// The files are part of the table. `state` is the state after the commit, if it could be read.
    Committed { version: u64, state: Option<DeltaTableState> },
    /// Another append committed first: nothing has changed, read again.
    Conflict,
    /// Nothing has changed, and another attempt would not help.
    Failed(LakeError),
    /// It is unknown whether the files are part of the table.
    Unknown(LakeError),
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
    table: &DeltaTable,
    adds: Vec<Add>,
    remarks: &Remarks,
) -> Outcome {
    let next_version = table.version().unwrap_or_default().saturating_add(1);
    let next_version = i64::try_from(next_version).unwrap_or(i64::MAX);
    let mut transactions = remarks.transactions.clone();
    transactions.push(Transaction::new(spec.application, next_version));
    let properties = CommitProperties::default()
        .with_application_transactions(transactions)
        .with_metadata(remarks.info.iter().cloned())
        .with_max_retries(FOREIGN_RETRIES);
    let operation = DeltaOperation::Write {
        mode: SaveMode::Append,
        partition_by: Some(spec.partition_columns.iter().map(|&name| name.to_owned()).collect()),
        predicate: None,
    };
    commit_actions(spec, table, adds.into_iter().map(Action::Add).collect(), operation, properties)
        .await
}

/// Removes files from the table and adds others, as the version after the loaded one, or not at all.
///
/// delta-rs would accept two compactions of the same files, and store every row twice: of two removals of one file it
/// checks only those that change data. So this function does not use its conflict checks.
pub(crate) async fn commit_replacement(
    spec: &TableSpec,
    table: &DeltaTable,
    actions: Vec<Action>,
    operation: DeltaOperation,
) -> Outcome {
    let properties = CommitProperties::default().with_max_retries(0);
    commit_actions(spec, table, actions, operation, properties).await
}

async fn commit_actions(
    spec: &TableSpec,
    table: &DeltaTable,
    actions: Vec<Action>,
    operation: DeltaOperation,
    properties: CommitProperties,
) -> Outcome {
    let failed = |error| Outcome::Failed(LakeError::log(spec.name)(error));
    let state = match table.snapshot() {
        Ok(state) => state,
        Err(error) => return failed(error),
    };
    let probe = actions.iter().find_map(Probe::of);
    // The table writes checkpoints itself, at the end of a run.
    let prepared = CommitBuilder::from(properties.with_create_checkpoint(false))
        .with_actions(actions)
        .build(Some(state), table.log_store(), operation)
        .into_prepared_commit_future()
        .await;
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return failed(error),
    };
    match prepared.await {
        Ok(committed) => {
            let version = committed.version;
            // From here on the commit is durable, whether or not its state can be read.
            let state = match committed.await {
                Ok(finalized) => Some(finalized.snapshot()),
                Err(error) => {
                    tracing::warn!(table = spec.name, version, %error, "cannot read the commit back");
                    None
                }
            };
            Outcome::Committed { version, state }
        }
        Err(error) if is_conflict(&error) => Outcome::Conflict,
        Err(
            error @ DeltaTableError::Transaction { source: TransactionError::CommitConflict(_) },
        ) => failed(error),
        Err(error) => look_for(spec, table, probe, error).await,
    }
}

/// A file that distinguishes a table with a commit from one without it.
struct Probe {
    path: String,
    is_active: bool,
}

impl Probe {
    fn of(action: &Action) -> Option<Self> {
        match action {
            Action::Add(add) => Some(Self { path: add.path.clone(), is_active: true }),
            Action::Remove(remove) => Some(Self { path: remove.path.clone(), is_active: false }),
            _ => None,
        }
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

/// Called after a storage error: the log entry may still have been written.
async fn look_for(
    spec: &TableSpec,
    table: &DeltaTable,
    probe: Option<Probe>,
    error: DeltaTableError,
) -> Outcome {
    let unknown = |error| {
        Outcome::Unknown(LakeError::UnknownOutcome { table: spec.name, cause: Box::new(error) })
    };
    let mut table = table.clone();
    if table.update_state().await.is_err() {
        return unknown(error);
    }
    let Ok(state) = table.snapshot() else {
        return unknown(error);
    };
    let is_active = |path: &str| state.log_data().iter().any(|file| file.path() == path);
    if probe.is_some_and(|probe| is_active(&probe.path) == probe.is_active) {
        Outcome::Committed { version: state.version(), state: Some(state.clone()) }
    } else {
        Outcome::Failed(LakeError::log(spec.name)(error))
    }
}
