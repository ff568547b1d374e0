//! One Delta table in a local directory: opened, made, appended to and read.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow::array::RecordBatch;
use deltalake::kernel::StructField;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::protocol::SaveMode;
use deltalake::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use serde_json::Value;
use url::Url;

use crate::append::{Append, Appended};
use crate::commit::{Outcome, Remarks, commit};
use crate::error::LakeError;
use crate::known_ids::KnownIds;
use crate::log::read_entry;
use crate::protocol::{check_appendable, delta_schema};
use crate::snapshot::Snapshot;
use crate::spec::TableSpec;
use crate::vacuum::{Vacuumed, vacuum};
use crate::version::Version;
use crate::write::{Written, sync_directory};

/// Each failed attempt means that another append has succeeded, so this is the number of
/// appends by other processes that one append lets pass.
const MAX_ATTEMPTS: usize = 1000;

/// A table, and what was last read of its log.
pub(crate) struct Table {
    spec: Arc<TableSpec>,
    /// Absolute, without symbolic links.
    root: PathBuf,
    /// As it was last read: what is new since then is all that has to be read again.
    latest: Mutex<DeltaTable>,
    /// Ids of rows that appends have met before.
    known: Arc<KnownIds>,
    /// Keeps appends of one process in line, so that they do not race each other for the next version.
    appending: tokio::sync::Mutex<()>,
}

impl Table {
    /// Opens the table in `lake`, which must have it.
    pub(crate) async fn open(lake: &Path, spec: Arc<TableSpec>) -> Result<Self, LakeError> {
        let no_table = || LakeError::NoTable { dir: lake.to_path_buf(), table: spec.name };
        let root = lake.join(spec.name);
        let Ok(root) = root.canonicalize() else {
            return Err(no_table());
        };
        let mut delta = builder(&root, &spec)?.build().map_err(LakeError::log(spec.name))?;
        match delta.load().await {
            Ok(()) => {}
            Err(DeltaTableError::NotATable(_) | DeltaTableError::InvalidTableLocation(_)) => {
                return Err(no_table());
            }
            Err(error) => return Err(LakeError::log(spec.name)(error)),
        }
        Ok(Self {
            spec,
            root,
            latest: Mutex::new(delta),
            known: Arc::default(),
            appending: tokio::sync::Mutex::new(()),
        })
    }

    /// Opens the table in `lake`, and makes an empty one if there is none.
    pub(crate) async fn create(lake: &Path, spec: Arc<TableSpec>) -> Result<Self, LakeError> {
        let root = lake.join(spec.name);
        std::fs::create_dir_all(&root).map_err(LakeError::io("create", &root))?;
        match Self::open(lake, spec.clone()).await {
            Err(LakeError::NoTable { .. }) => {}
            opened => return opened,
        }
        let root = root.canonicalize().map_err(LakeError::io("open", &root))?;
        let made = make(&root, &spec).await;
        // Another process may have made it meanwhile, and then it is as good as ours.
        match Self::open(lake, spec).await {
            Err(error @ LakeError::NoTable { .. }) => Err(made.err().unwrap_or(error)),
            opened => opened,
        }
    }

    /// The table as it is now.
    async fn refresh(&self) -> Result<DeltaTable, LakeError> {
        let mut delta = self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        delta.update_state().await.map_err(LakeError::log(self.spec.name))?;
        self.remember(delta.clone());
        Ok(delta)
    }

    fn remember(&self, delta: DeltaTable) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if delta.version() > latest.version() {
            *latest = delta;
        }
    }

    /// The newest version, without a look at its files.
    pub(crate) async fn version(&self) -> Result<Version, LakeError> {
        Ok(Version::new(self.spec.clone(), self.root.clone(), self.refresh().await?))
    }

    /// The newest version, and the number that the application transaction `application` has there.
    pub(crate) async fn snapshot_with(
        &self,
        application: &str,
    ) -> Result<(Snapshot, Option<i64>), LakeError> {
        let name = self.spec.name;
        let delta = self.refresh().await?;
        let state = delta.snapshot().map_err(LakeError::log(name))?;
        let log = delta.log_store();
        let number = state.transaction_version(log.as_ref(), application).await;
        let number = number.map_err(LakeError::log(name))?;
        Ok((Snapshot::new(self.spec.clone(), self.root.clone(), state)?, number))
    }

    /// What the newest of the last `entries` commits before or at `version` that says anything under `key` says.
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

    /// The newest version.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, LakeError> {
        let delta = self.refresh().await?;
        let state = delta.snapshot().map_err(LakeError::log(self.spec.name))?;
        Snapshot::new(self.spec.clone(), self.root.clone(), state)
    }

    /// The table as it was at a version.
    pub(crate) async fn snapshot_at(&self, version: i64) -> Result<Snapshot, LakeError> {
        let name = self.spec.name;
        let mut delta = builder(&self.root, &self.spec)?.build().map_err(LakeError::log(name))?;
        let version = u64::try_from(version).map_err(|_| LakeError::Unsupported {
            table: name,
            detail: format!("it has no version {version}"),
        })?;
        delta.load_version(version).await.map_err(LakeError::log(name))?;
        let state = delta.snapshot().map_err(LakeError::log(name))?;
        Snapshot::new(self.spec.clone(), self.root.clone(), state)
    }

    /// Removes files that no version names and that are at least `min_age` old.
    pub(crate) async fn vacuum(
        &self,
        min_age: Duration,
        dry_run: bool,
    ) -> Result<Vacuumed, LakeError> {
        let (spec, root) = (self.spec.clone(), self.root.clone());
        blocking(self.spec.name, move || vacuum(&spec, &root, min_age, dry_run)).await
    }

    /// Appends the rows that the table does not have yet, in one commit; none if it has them all.
    pub(crate) async fn append(&self, batches: Vec<RecordBatch>) -> Result<Appended, LakeError> {
        let name = self.spec.name;
        let (spec, root, known) = (self.spec.clone(), self.root.clone(), self.known.clone());
        let mut append = blocking(name, move || Append::new(spec, root, batches, known)).await?;
        let _turn = self.appending.lock().await;
        for _ in 0..MAX_ATTEMPTS {
            let delta = self.refresh().await?;
            let state = delta.snapshot().map_err(LakeError::log(name))?;
            check_appendable(&self.spec, state)?;
            let active = state.clone();
            append = blocking(name, move || append.prepare(&active).map(|()| append)).await?;
            let version = i64::try_from(state.version()).unwrap_or(i64::MAX);
            if append.written().is_empty() {
                return Ok(append.summary(version));
            }
            if let Some(version) = self.commit(&mut append, delta, &Remarks::default()).await? {
                return Ok(append.summary(version));
            }
        }
        Err(LakeError::Contention { table: name, attempts: MAX_ATTEMPTS })
    }

    /// Appends rows, which may be none, as the successor of version `base`: whoever made them has read that one.
    ///
    /// Nothing is looked for in the table. Returns the version that has them; `None` if the table is at another version
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
        let delta = self.refresh().await?;
        let state = delta.snapshot().map_err(LakeError::log(name))?;
        check_appendable(&self.spec, state)?;
        if i64::try_from(state.version()) != Ok(base) {
            return Ok(None);
        }
        let append = blocking(name, move || {
            let mut append = Append::new(spec, root, vec![batch], known)?;
            append.write_missing()?;
            Ok(append)
        });
        self.commit(&mut append.await?, delta, remarks).await
    }

    /// Commits the files of an append; `None` if another one was first, and nothing has changed.
    async fn commit(
        &self,
        append: &mut Append,
        mut delta: DeltaTable,
        remarks: &Remarks,
    ) -> Result<Option<i64>, LakeError> {
        // From here to the outcome, a cancelled append must not delete what it may have committed.
        append.written().iter_mut().for_each(Written::keep);
        let adds = append.written().iter().map(|file| file.add.clone()).collect();
        match commit(&self.spec, &delta, adds, remarks).await {
            Outcome::Committed { version, state } => {
                sync_commit(&self.root, version)?;
                if state.is_some() {
                    delta.state = state;
                    self.remember(delta);
                }
                Ok(Some(i64::try_from(version).unwrap_or(i64::MAX)))
            }
            Outcome::Unknown(error) => Err(error),
            Outcome::Failed(error) => {
                unkeep(append);
                Err(error)
            }
            Outcome::Conflict => {
                unkeep(append);
                Ok(None)
            }
        }
    }
}

fn unkeep(append: &mut Append) {
    let root = append.root().to_path_buf();
    append.written().iter_mut().for_each(|file| file.unkeep(&root));
}

fn builder(root: &Path, spec: &TableSpec) -> Result<DeltaTableBuilder, LakeError> {
    let url = Url::from_directory_path(root).map_err(|()| LakeError::Unsupported {
        table: spec.name,
        detail: format!("{} is not an absolute path", root.display()),
    })?;
    DeltaTableBuilder::from_url(url).map_err(LakeError::log(spec.name))
}

/// Makes a log entry survive a power cut: the library leaves that to the operating system.
fn sync_commit(root: &Path, version: u64) -> Result<(), LakeError> {
    let log = root.join("_delta_log");
    let entry = log.join(format!("{version:020}.json"));
    let file = File::open(&entry).map_err(LakeError::io("open", &entry))?;
    file.sync_all().map_err(LakeError::io("write", &entry))?;
    sync_directory(&log)
}

/// Version 0 of a table: its columns and properties.
async fn make(root: &Path, spec: &TableSpec) -> Result<(), LakeError> {
    let columns: Vec<StructField> = delta_schema(spec)?.fields().cloned().collect();
    let delta = builder(root, spec)?.build().map_err(LakeError::log(spec.name))?;
    delta
        .create()
        .with_columns(columns)
        .with_partition_columns(spec.partition_columns.iter().copied())
        .with_save_mode(SaveMode::Ignore)
        // With retries, delta-rs gives a table that another process has just made new metadata, as version 1.
        .with_commit_properties(CommitProperties::default().with_max_retries(0))
        .with_configuration([
            ("delta.appendOnly", Some("true")),
            // Versions are what findings refer to: the log of old ones stays readable.
            ("delta.enableExpiredLogCleanup", Some("false")),
        ])
        .await
        .map_err(LakeError::log(spec.name))?;
    Ok(())
}

/// Runs work that blocks or computes for long away from the threads of the runtime.
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
