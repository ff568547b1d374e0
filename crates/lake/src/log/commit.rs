//! One commit: several `Add` actions that become visible together, or not at all.

use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use crate::error::LakeError;
use crate::log::entry::{Action, AddFile, Operation, Transaction, contents};
use crate::log::read_info;
use crate::spec::TableSpec;
use crate::store::object::{Created, create_decided};
use crate::store::waiting::plain;
use crate::store::{Folder, entry_path};

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
    adds: Vec<AddFile>,
    remarks: &Remarks,
) -> Outcome {
    let next_version = i64::try_from(base.saturating_add(1)).unwrap_or(i64::MAX);
    let mut remarks = remarks.clone();
    remarks.transactions.push(Transaction {
        app_id: spec.application.to_owned(),
        version: next_version,
        last_updated: None,
    });
    let actions = adds.into_iter().map(Action::Add).collect();
    commit_actions(spec, root, base, actions, &Operation::Append, remarks).await
}

/// Commits actions as the successor of version `base`, or not at all: an event could be in the table twice if they were
/// committed after another append, and so could every row after another compaction of the same files. So whoever comes
/// second reads the table again.
pub(crate) async fn commit_actions(
    spec: &TableSpec,
    root: &Folder,
    base: u64,
    actions: Vec<Action>,
    operation: &Operation,
    remarks: Remarks,
) -> Outcome {
    let id = Uuid::now_v7().to_string();
    let info = remarks.info.into_iter().chain([(ID.to_owned(), id.clone().into())]);
    let mut all = vec![operation.info(spec, info)];
    all.extend(actions);
    all.extend(remarks.transactions.into_iter().map(Action::Txn));
    let version = base.saturating_add(1);
    let entry = match contents(spec, &all) {
        Ok(entry) => entry,
        Err(error) => return Outcome::Failed(error),
    };
    let path = match root.object(&entry_path(version)) {
        Ok(path) => path,
        Err(error) => {
            let detail = format!("{}: {error}", root.show(&entry_path(version)));
            return Outcome::Failed(LakeError::Unsupported { table: spec.name, detail });
        }
    };
    let created = create_decided(&**root.store().objects(), &path, entry.into()).await;
    if matches!(created, Created::Written) {
        return Outcome::Committed(version);
    }
    look_for(spec, root, base, &id, created).await
}

/// Returns the outcome of a commit whose entry was not confirmed: the log decides.
///
/// Files that a version names must never be deleted, so an error, or a conflict, is believed only if no entry after the
/// version that the commit is based on is this commit.
async fn look_for(
    spec: &TableSpec,
    root: &Folder,
    base: u64,
    id: &str,
    created: Created,
) -> Outcome {
    let (folder, id) = (root.clone(), id.to_owned());
    let found = tokio::task::spawn_blocking(move || find(&folder, base, &id)).await;
    match (found, created) {
        (Ok(Ok(Some(version))), _) => Outcome::Committed(version),
        (Ok(Ok(None)), Created::Taken) => Outcome::Conflict,
        (Ok(Err(error)), Created::Taken) => Outcome::Unknown(error),
        (Err(_), Created::Taken) => Outcome::Unknown(LakeError::Cancelled { table: spec.name }),
        (_, Created::Written) => Outcome::Committed(base.saturating_add(1)),
        (_, Created::Unknown(error)) => {
            Outcome::Unknown(LakeError::UnknownOutcome { table: spec.name, source: plain(error) })
        }
    }
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
