//! One Delta table: creation, appends and reads.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use chrono::{NaiveDate, Utc};
use serde_json::{Map, Value};
use tokio::runtime::Handle;

use crate::error::LakeError;
use crate::log::cleanup::cleanup;
use crate::log::commit::{Outcome, Remarks, commit, commit_actions, pause};
use crate::log::entry::{self, Action, Operation, RemoveFile};
use crate::log::new_checkpoint::write_checkpoint;
use crate::log::properties;
use crate::log::protocol::check_appendable;
use crate::log::snapshot::{DataFile, Snapshot};
use crate::log::state::LogState;
use crate::log::version::Version;
use crate::log::{last_checkpoint, read_entry};
use crate::maintain::compact::{CompactOptions, Compacted, Plan, Rewritten, plan, rewrite};
use crate::maintain::retain::{Retained, expired, predicate};
use crate::maintain::vacuum::{Vacuumed, vacuum};
use crate::maintain::verify::{Verified, verify};
use crate::spec::TableSpec;
use crate::store::object::{Created, create_decided};
use crate::store::waiting::plain;
use crate::store::{Folder, entry_path};
use crate::write::Written;
use crate::write::append::{Append, Appended};
use crate::write::known_ids::KnownIds;

/// Each failed attempt means that another append has succeeded, so this is the number of appends by other processes
/// that one append tolerates.
const MAX_ATTEMPTS: usize = 1000;

/// Number of times that a compaction or retention selects files again after another writer has removed some of them.
const MAX_REPLANS: usize = 20;

/// The property of a table from which nothing is ever removed or changed.
const APPEND_ONLY: &str = "delta.appendOnly";

/// A table, and the state of its log when it was last read.
pub(crate) struct Table {
    spec: Arc<TableSpec>,
    root: Folder,
    /// The state last read: only newer log entries need to be read.
    latest: Mutex<Option<Arc<LogState>>>,
    /// Ids of rows that earlier appends have read.
    known: Arc<KnownIds>,
    /// Serializes appends within a process, so that they do not race for the next version.
    appending: tokio::sync::Mutex<()>,
}

impl Table {
    /// Opens the table in `root`, which must contain it. Its log is read when it is first needed.
    pub(crate) fn open(root: Folder, spec: Arc<TableSpec>) -> Self {
        Self {
            spec,
            root,
            latest: Mutex::default(),
            known: Arc::default(),
            appending: tokio::sync::Mutex::new(()),
        }
    }

    /// Creates an empty table in `root`, and opens it. Another process may create it at the same time.
    pub(crate) async fn create(root: Folder, spec: Arc<TableSpec>) -> Result<Self, LakeError> {
        root.make().map_err(LakeError::io("create", root.show("")))?;
        root.check_writable()?;
        if let Err(error) = make(&root, &spec).await {
            let first = root.read(&entry_path(0));
            if !matches!(first, Ok(Some(_))) {
                return Err(error);
            }
        }
        Ok(Self::open(root, spec))
    }

    /// Reads the current state of the table.
    async fn refresh(&self) -> Result<Arc<LogState>, LakeError> {
        let latest = self.latest();
        let (spec, root) = (self.spec.clone(), self.root.clone());
        let state = blocking(self.spec.name, move || match latest {
            Some(state) => state.advance(&spec, &root),
            None => LogState::read(&spec, &root, None).map(Arc::new),
        });
        let state = state.await?;
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.as_ref().is_none_or(|latest| latest.version <= state.version) {
            *latest = Some(state.clone());
        }
        Ok(state)
    }

    fn latest(&self) -> Option<Arc<LogState>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn snapshot_of(&self, state: &LogState) -> Result<Snapshot, LakeError> {
        Snapshot::new(self.spec.clone(), self.root.clone(), state)
    }

    /// Reads the newest version.
    pub(crate) async fn version(&self) -> Result<Version, LakeError> {
        Ok(Version::new(self.spec.clone(), self.root.clone(), self.refresh().await?))
    }

    /// Reads the newest version, and the numbers of these application transactions at that version.
    pub(crate) async fn snapshot_with(
        &self,
        applications: &[&str],
    ) -> Result<(Snapshot, Vec<Option<i64>>), LakeError> {
        let state = self.refresh().await?;
        let numbers = applications.iter().map(|application| state.transaction(application));
        Ok((self.snapshot_of(&state)?, numbers.collect()))
    }

    /// Returns the value of `key` in the newest of the last `entries` commits at or before `version` that has it.
    pub(crate) fn last_info(
        &self,
        version: i64,
        entries: usize,
        key: &str,
    ) -> Result<Option<Value>, LakeError> {
        for version in (0..=version).rev().take(entries) {
            let entry = read_entry(&self.spec, &self.root, version)?;
            if let Some(value) = entry.and_then(|mut entry| entry.info.remove(key)) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Reads the newest version.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, LakeError> {
        self.snapshot_of(&*self.refresh().await?)
    }

    /// Reads the table at a version.
    pub(crate) async fn snapshot_at(&self, version: i64) -> Result<Snapshot, LakeError> {
        let version = u64::try_from(version).map_err(|_| LakeError::Unsupported {
            table: self.spec.name,
            detail: format!("version {version} does not exist"),
        })?;
        let (spec, root) = (self.spec.clone(), self.root.clone());
        let read = blocking(self.spec.name, move || LogState::read(&spec, &root, Some(version)));
        self.snapshot_of(&read.await?)
    }

    /// Merges the small files of each partition, with one commit for each; calls `done` after each commit.
    pub(crate) async fn compact(
        &self,
        options: &CompactOptions,
        done: &mut (dyn FnMut(&Compacted) + Send),
    ) -> Result<(), LakeError> {
        for plan in plan(&self.snapshot().await?, options)? {
            if options.dry_run {
                done(&plan.outlook(&self.spec));
            } else if let Some(compacted) = self.compact_partition(plan, options).await? {
                done(&compacted);
            }
        }
        if !options.dry_run {
            self.checkpoint().await;
        }
        Ok(())
    }

    /// Merges the small files of a partition; `None` if nothing is left to merge.
    async fn compact_partition(
        &self,
        mut plan: Plan,
        options: &CompactOptions,
    ) -> Result<Option<Compacted>, LakeError> {
        let name = self.spec.name;
        for _ in 0..MAX_REPLANS {
            let (spec, root, runtime) = (self.spec.clone(), self.root.clone(), Handle::current());
            let work = move || (rewrite(&spec, &root, &plan, &runtime), plan);
            let (rewritten, before) = blocking(name, move || Ok(work())).await?;
            let operation = Operation::Optimize { target_size: options.target_size };
            let replaced = match rewritten {
                Ok(Rewritten { old, .. }) if old.is_empty() => return Ok(None),
                Ok(Rewritten { old, mut new, writing: _writing }) => {
                    let compacted = Compacted {
                        files: old.len(),
                        bytes: old.iter().map(|file| file.size).sum(),
                        new_files: new.len(),
                        new_bytes: Some(new.iter().map(Written::size).sum()),
                        ..before.outlook(&self.spec)
                    };
                    self.replace(&old, &mut new, &operation).await?.map(|_| compacted)
                }
                // Files that another compaction has removed may have been vacuumed.
                Err(error) if self.has_all(before.files()).await? => return Err(error),
                Err(_) => None,
            };
            if replaced.is_some() {
                return Ok(replaced);
            }
            let now = self.snapshot().await?;
            let same = crate::maintain::compact::plan(&now, options)?
                .into_iter()
                .find(|plan| plan.partition == before.partition);
            match same {
                Some(again) => plan = again,
                None => return Ok(None),
            }
        }
        Err(LakeError::Contention { table: name, attempts: MAX_REPLANS })
    }

    /// Returns whether all of the files are part of the table.
    async fn has_all(
        &self,
        files: impl Iterator<Item = &Arc<DataFile>>,
    ) -> Result<bool, LakeError> {
        let now = self.snapshot().await?;
        let active: HashSet<&str> =
            now.positions().iter().map(|at| now.listed().path(*at)).collect();
        Ok(files.into_iter().all(|file| active.contains(file.path.as_str())))
    }

    /// Removes the partitions of days before `before`, of these activities or, if none are given, of all; in one
    /// commit.
    pub(crate) async fn retain(
        &self,
        before: NaiveDate,
        activities: &[String],
        dry_run: bool,
    ) -> Result<Retained, LakeError> {
        for _ in 0..MAX_REPLANS {
            let snapshot = self.snapshot().await?;
            let old = expired(&snapshot, before, activities)?;
            let version = snapshot.version();
            if dry_run || old.is_empty() {
                return Ok(Retained::of(&self.spec, version, &old));
            }
            self.allow_removal().await?;
            let operation = Operation::Delete { predicate: predicate(before, activities) };
            if let Some(version) = self.replace(&old, &mut [], &operation).await? {
                self.checkpoint().await;
                return Ok(Retained::of(&self.spec, version, &old));
            }
        }
        Err(LakeError::Contention { table: self.spec.name, attempts: MAX_REPLANS })
    }

    /// Removes the append-only mark of the table, which is no longer true.
    async fn allow_removal(&self) -> Result<(), LakeError> {
        let name = self.spec.name;
        self.root.check_writable()?;
        for _ in 0..MAX_REPLANS {
            let state = self.refresh().await?;
            if !is_append_only(&state) {
                return Ok(());
            }
            check_appendable(&self.spec, &state)?;
            let mut metadata = state.metadata.action.clone();
            metadata["configuration"][APPEND_ONLY] = "false".into();
            let properties = Map::from_iter([(APPEND_ONLY.to_owned(), "false".into())]);
            let operation = Operation::SetProperties { properties };
            let actions = vec![Action::MetaData(metadata)];
            let base = state.version;
            let remarks = Remarks::default();
            match commit_actions(&self.spec, &self.root, base, actions, &operation, remarks).await {
                Outcome::Committed(version) => sync_commit(&self.root, version)?,
                Outcome::Conflict => {}
                Outcome::Failed(error) | Outcome::Unknown(error) => return Err(error),
            }
        }
        Err(LakeError::Contention { table: name, attempts: MAX_REPLANS })
    }

    /// Replaces files in one commit; does nothing if any of the old files is no longer part of the table.
    async fn replace(
        &self,
        old: &[Arc<DataFile>],
        new: &mut [Written],
        operation: &Operation,
    ) -> Result<Option<i64>, LakeError> {
        let name = self.spec.name;
        self.root.check_writable()?;
        let paths: HashSet<&str> = old.iter().map(|file| file.path.as_str()).collect();
        let changes_data = operation.changes_data();
        let _turn = self.appending.lock().await;
        for attempt in 0..MAX_ATTEMPTS {
            let started = Instant::now();
            let state = self.refresh().await?;
            check_appendable(&self.spec, &state)?;
            if changes_data && is_append_only(&state) {
                let detail = format!("it is marked as append-only (`{APPEND_ONLY}`)");
                return Err(LakeError::Unsupported { table: name, detail });
            }
            let files = &state.files;
            let active = files.positions().filter(|at| paths.contains(files.path(*at))).count();
            if active < paths.len() {
                return Ok(None);
            }
            // From here until the outcome is known, a cancelled task must not delete files that it may have committed.
            new.iter_mut().for_each(Written::keep);
            let removes = old.iter().map(|file| removal(&self.spec, file, changes_data));
            let adds = new.iter().map(|file| Action::Add(file.add.clone()));
            let actions = removes.chain(adds).collect();
            let base = state.version;
            let remarks = Remarks::default();
            match commit_actions(&self.spec, &self.root, base, actions, operation, remarks).await {
                Outcome::Committed(version) => {
                    sync_commit(&self.root, version)?;
                    return Ok(Some(i64::try_from(version).unwrap_or(i64::MAX)));
                }
                Outcome::Unknown(error) => return Err(error),
                Outcome::Failed(error) => {
                    unkeep(new, &self.root);
                    return Err(error);
                }
                Outcome::Conflict => {
                    unkeep(new, &self.root);
                    pause(&self.spec, attempt, started.elapsed()).await;
                }
            }
        }
        Err(LakeError::Contention { table: name, attempts: MAX_ATTEMPTS })
    }

    /// Writes the checkpoints that are due: one every `delta.checkpointInterval` commits, 100 by default.
    ///
    /// Commits do not write checkpoints: a checkpoint needs a hundred megabytes, which are available once the rows of a
    /// run are released.
    pub(crate) async fn checkpoint(&self) {
        if let Err(error) = self.write_checkpoints().await {
            tracing::warn!(table = self.spec.name, %error, "cannot write a checkpoint");
        }
    }

    async fn write_checkpoints(&self) -> Result<(), LakeError> {
        // A table whose log was never read was not committed to.
        if self.latest().is_none() {
            return Ok(());
        }
        let state = self.refresh().await?;
        let interval = properties::checkpoint_interval(&state);
        let due = last_checkpoint(&self.root)?.map_or(0, |version| version + 1) + interval;
        if state.version + 1 < due {
            return Ok(());
        }
        let (spec, root) = (self.spec.clone(), self.root.clone());
        blocking(self.spec.name, move || write_checkpoint(&spec, &root, &state)).await
    }

    /// Reads every active file, and checks it against the log and against itself.
    pub(crate) async fn verify(&self) -> Result<Verified, LakeError> {
        let snapshot = self.snapshot().await;
        let (spec, root) = (self.spec.clone(), self.root.clone());
        blocking(self.spec.name, move || Ok(verify(&spec, &root, snapshot))).await
    }

    /// Removes files that the newest version does not need and that are at least `min_age` old, then log entries that
    /// are older than `delta.logRetentionDuration` and replaced by a checkpoint.
    pub(crate) async fn vacuum(
        &self,
        min_age: Duration,
        dry_run: bool,
    ) -> Result<Vacuumed, LakeError> {
        let name = self.spec.name;
        let state = match self.latest() {
            Some(state) => state,
            None => self.refresh().await?,
        };
        let snapshot = self.snapshot_of(&state)?;
        let mut vacuumed = blocking(name, move || vacuum(&snapshot, min_age, dry_run)).await?;
        if !dry_run {
            let state = self.refresh().await?;
            let root = self.root.clone();
            vacuumed.log_entries = blocking(name, move || cleanup(&root, &state)).await?;
        }
        Ok(vacuumed)
    }

    /// Appends the rows that the table does not have yet, in one commit; none if it has them all.
    pub(crate) async fn append(&self, batches: Vec<RecordBatch>) -> Result<Appended, LakeError> {
        let name = self.spec.name;
        let (spec, root, known) = (self.spec.clone(), self.root.clone(), self.known.clone());
        let mut append = blocking(name, move || Append::new(spec, root, batches, known)).await?;
        let _turn = self.appending.lock().await;
        for attempt in 0..MAX_ATTEMPTS {
            let started = Instant::now();
            let state = self.refresh().await?;
            check_appendable(&self.spec, &state)?;
            let base = state.version;
            append = blocking(name, move || append.prepare(&state).map(|()| append)).await?;
            let version = i64::try_from(base).unwrap_or(i64::MAX);
            if append.written().is_empty() {
                return Ok(append.summary(version));
            }
            if let Some(version) = self.commit(&mut append, base, &Remarks::default()).await? {
                return Ok(append.summary(version));
            }
            pause(&self.spec, attempt, started.elapsed()).await;
        }
        Err(LakeError::Contention { table: name, attempts: MAX_ATTEMPTS })
    }

    /// Appends rows, possibly none, as the successor of version `base`, from which they were computed.
    ///
    /// Does not search for duplicates. Returns the version with the rows; `None` if the table is at another version
    /// than `base`, and nothing has changed.
    pub(crate) async fn append_to(
        &self,
        base: i64,
        batch: RecordBatch,
        remarks: &Remarks,
    ) -> Result<Option<i64>, LakeError> {
        let name = self.spec.name;
        let (spec, root, known) = (self.spec.clone(), self.root.clone(), self.known.clone());
        let _turn = self.appending.lock().await;
        let state = self.refresh().await?;
        check_appendable(&self.spec, &state)?;
        if i64::try_from(state.version) != Ok(base) {
            return Ok(None);
        }
        let append = blocking(name, move || {
            let mut append = Append::new(spec, root, vec![batch], known)?;
            append.write_missing()?;
            Ok(append)
        });
        let committed = self.commit(&mut append.await?, state.version, remarks).await?;
        self.checkpoint().await;
        Ok(committed)
    }

    /// Commits the files of an append; `None` if another append was first, and nothing has changed.
    async fn commit(
        &self,
        append: &mut Append,
        base: u64,
        remarks: &Remarks,
    ) -> Result<Option<i64>, LakeError> {
        self.root.check_writable()?;
        // From here until the outcome is known, a cancelled append must not delete files that it may have committed.
        append.written().iter_mut().for_each(Written::keep);
        let adds = append.written().iter().map(|file| file.add.clone()).collect();
        match commit(&self.spec, &self.root, base, adds, remarks).await {
            Outcome::Committed(version) => {
                sync_commit(&self.root, version)?;
                Ok(Some(i64::try_from(version).unwrap_or(i64::MAX)))
            }
            Outcome::Unknown(error) => Err(error),
            Outcome::Failed(error) => {
                unkeep(append.written(), &self.root);
                Err(error)
            }
            Outcome::Conflict => {
                unkeep(append.written(), &self.root);
                Ok(None)
            }
        }
    }
}

/// Marks files that were not committed for deletion when dropped.
fn unkeep(files: &mut [Written], root: &Folder) {
    for file in files {
        file.unkeep(root);
    }
}

/// Returns whether the table is marked as append-only.
fn is_append_only(state: &LogState) -> bool {
    state.metadata.configuration.get(APPEND_ONLY).is_some_and(|value| value == "true")
}

/// Returns the action that removes a file.
fn removal(spec: &TableSpec, file: &DataFile, data_change: bool) -> Action {
    let columns = spec.partition_columns.iter().copied();
    Action::Remove(RemoveFile {
        path: file.path.clone(),
        data_change,
        deletion_timestamp: Utc::now().timestamp_millis(),
        extended_file_metadata: true,
        partition_values: columns.zip(file.partition_values.iter().cloned()).collect(),
        size: file.size,
    })
}

/// Makes a log entry durable, which its store may not.
fn sync_commit(root: &Folder, version: u64) -> Result<(), LakeError> {
    let entry = entry_path(version);
    root.sync(&entry).map_err(LakeError::io("write", root.show(&entry)))
}

/// Creates version 0 of a table, unless another process has: its columns and properties.
async fn make(root: &Folder, spec: &TableSpec) -> Result<(), LakeError> {
    // Only a vacuum cleans up the log; appends must stay fast.
    let properties = [(APPEND_ONLY, "true"), ("delta.enableExpiredLogCleanup", "false")];
    let properties = properties.map(|(key, value)| (key.to_owned(), value.into()));
    let mut actions = vec![Operation::Create.info(spec, [])];
    actions.extend(entry::creation(spec, &properties.into_iter().collect())?);
    let contents = entry::contents(spec, &actions)?;
    let place = root.show(&entry_path(0));
    let path = root.object(&entry_path(0)).map_err(|error| LakeError::Unsupported {
        table: spec.name,
        detail: format!("{place}: {error}"),
    })?;
    match create_decided(&**root.store().objects(), &path, contents.into()).await {
        Created::Written | Created::Taken => sync_commit(root, 0),
        Created::Unknown(error) => Err(LakeError::io("write", place)(plain(error))),
    }
}

/// Runs work that blocks or computes for long outside the threads of the runtime.
async fn blocking<T: Send + 'static>(
    table: &'static str,
    work: impl FnOnce() -> Result<T, LakeError> + Send + 'static,
) -> Result<T, LakeError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(LakeError::Cancelled { table }),
        },
    }
}
