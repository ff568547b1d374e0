//! One Delta table: creation, appends and reads.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use chrono::{NaiveDate, Utc};
use delta_kernel::snapshot::Snapshot as KernelSnapshot;
use delta_kernel::table_properties::TableProperties;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::kernel::{Action, Metadata, Remove, StructField};
use deltalake::logstore::LogStoreRef;
use deltalake::protocol::checkpoints::cleanup_expired_logs_for;
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::table::config::TablePropertiesExt;
use deltalake::{DeltaTable, DeltaTableError};
use object_store::ObjectStore;
use serde_json::Value;
use tokio::runtime::Handle;

use crate::error::LakeError;
use crate::log::commit::{Outcome, Remarks, commit, commit_actions, pause};
use crate::log::entries_only::{EntriesOnly, LeftOut};
use crate::log::protocol::{check_appendable, delta_schema};
use crate::log::snapshot::{DataFile, Snapshot};
use crate::log::state::LogState;
use crate::log::version::Version;
use crate::log::{last_checkpoint, read_entry};
use crate::maintain::compact::{CompactOptions, Compacted, Plan, Rewritten, plan, rewrite};
use crate::maintain::retain::{Retained, expired, predicate};
use crate::maintain::vacuum::{Vacuumed, vacuum};
use crate::maintain::verify::{Verified, verify};
use crate::spec::TableSpec;
use crate::store::commits::DecidedLog;
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
            let operation = DeltaOperation::Optimize {
                predicate: None,
                target_size: i64::try_from(options.target_size).unwrap_or(i64::MAX),
            };
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
                    self.replace(&old, &mut new, operation).await?.map(|_| compacted)
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
            let predicate = Some(predicate(before, activities));
            let operation = DeltaOperation::Delete { predicate };
            if let Some(version) = self.replace(&old, &mut [], operation).await? {
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
            let mut action = state.metadata.action.clone();
            action["configuration"][APPEND_ONLY] = "false".into();
            let metadata: Metadata =
                serde_json::from_value(action).map_err(|error| LakeError::Unsupported {
                    table: name,
                    detail: format!("its metadata cannot be changed: {error}"),
                })?;
            let properties = HashMap::from([(APPEND_ONLY.to_owned(), "false".to_owned())]);
            let operation = DeltaOperation::SetTableProperties { properties };
            let actions = vec![Action::Metadata(metadata)];
            let base = state.version;
            let remarks = Remarks::default();
            match commit_actions(&self.spec, &self.root, base, actions, operation, remarks).await {
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
        operation: DeltaOperation,
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
            let (base, operation) = (state.version, operation.clone());
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
    /// run are released. All due checkpoints are written although one would suffice, because the library reads all
    /// entries since the last one into memory.
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
        let interval = properties(&state).checkpoint_interval().get();
        let mut entries = last_checkpoint(&self.root)?.map_or(0, |version| version + 1) + interval;
        while entries <= state.version + 1 {
            let (spec, root, version) = (self.spec.clone(), self.root.clone(), entries - 1);
            blocking(self.spec.name, move || write_checkpoint(&spec, &root, version)).await?;
            entries += interval;
        }
        Ok(())
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
            let retention = properties(&state).log_retention_duration().as_millis();
            let retention = i64::try_from(retention).unwrap_or(i64::MAX);
            let cutoff = Utc::now().timestamp_millis().saturating_sub(retention);
            let log = log_of(&self.root, &self.spec, None)?;
            let cleaned = cleanup_expired_logs_for(state.version, log.as_ref(), cutoff, None).await;
            vacuumed.log_entries = cleaned.map_err(LakeError::log(name))?;
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

/// Returns the properties of a table.
fn properties(state: &LogState) -> TableProperties {
    TableProperties::from(state.metadata.configuration.clone())
}

/// Returns the action that removes a file.
fn removal(spec: &TableSpec, file: &DataFile, data_change: bool) -> Action {
    let columns = spec.partition_columns.iter().map(|&column| column.to_owned());
    Action::Remove(Remove {
        path: file.path.clone(),
        data_change,
        deletion_timestamp: Some(Utc::now().timestamp_millis()),
        extended_file_metadata: Some(true),
        partition_values: Some(columns.zip(file.partition_values.iter().cloned()).collect()),
        size: i64::try_from(file.size).ok(),
        tags: None,
        deletion_vector: None,
        base_row_id: None,
        default_row_commit_version: None,
    })
}

/// Returns the log for the library, for which a part of it may be left out.
fn log_of(
    root: &Folder,
    spec: &TableSpec,
    left_out: Option<LeftOut>,
) -> Result<LogStoreRef, LakeError> {
    let objects: Arc<dyn ObjectStore> = match left_out {
        Some(left_out) => Arc::new(EntriesOnly::new(root.store().objects().clone(), left_out)),
        None => root.store().objects().clone(),
    };
    DecidedLog::open(root, objects).map_err(|error| LakeError::Unsupported {
        table: spec.name,
        detail: format!("{}: {error}", root.show("")),
    })
}

/// Writes a checkpoint of a version.
///
/// If an earlier checkpoint, or the hint to it, is unusable, the state is read from the log entries.
fn write_checkpoint(spec: &TableSpec, root: &Folder, version: u64) -> Result<(), LakeError> {
    let mut result = Ok(());
    for left_out in [None, Some(LeftOut::Hint), Some(LeftOut::Checkpoints)] {
        let engine = log_of(root, spec, left_out)?.engine(None);
        let snapshot =
            KernelSnapshot::builder_for(root.url()).at_version(version).build(engine.as_ref());
        let written = snapshot.and_then(|snapshot| snapshot.checkpoint(engine.as_ref(), None));
        match written {
            Ok(_) => return Ok(()),
            Err(error) => {
                let error = DeltaTableError::generic(error.to_string());
                result = result.and(Err(LakeError::log(spec.name)(error)));
            }
        }
    }
    result
}

/// Makes a log entry durable, which the library does not.
fn sync_commit(root: &Folder, version: u64) -> Result<(), LakeError> {
    let entry = entry_path(version);
    root.sync(&entry).map_err(LakeError::io("write", root.show(&entry)))
}

/// Creates version 0 of a table: its columns and properties.
async fn make(root: &Folder, spec: &TableSpec) -> Result<(), LakeError> {
    let columns: Vec<StructField> = delta_schema(spec)?.fields().cloned().collect();
    let made = DeltaTable::new(log_of(root, spec, None)?)
        .create()
        .with_columns(columns)
        .with_partition_columns(spec.partition_columns.iter().copied())
        .with_save_mode(SaveMode::Ignore)
        // With retries, delta-rs would add new metadata as version 1 to a table that another process has just created.
        .with_commit_properties(CommitProperties::default().with_max_retries(0))
        .with_configuration([
            (APPEND_ONLY, Some("true")),
            // Only a vacuum cleans up the log; appends must stay fast.
            ("delta.enableExpiredLogCleanup", Some("false")),
        ])
        .await
        .map_err(LakeError::log(spec.name))?;
    sync_commit(root, made.version().unwrap_or_default())
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
