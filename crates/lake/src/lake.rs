//! The lake: a directory, or a path in an object store, with one Delta table per name.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use arrow::array::RecordBatch;
use chrono::NaiveDate;
use podtrail_event::{ExportError, Exporter, mark_superseded, quarantine_schema};

use crate::error::LakeError;
use crate::log::snapshot::Snapshot;
use crate::log::version::Version;
use crate::maintain::compact::{CompactOptions, Compacted};
use crate::maintain::retain::Retained;
use crate::maintain::vacuum::Vacuumed;
use crate::maintain::verify::Verified;
use crate::read::info::TableInfo;
use crate::read::last_stages::SUPERSEDED;
use crate::spec::TableSpec;
use crate::store::location::LakeLocation;
use crate::store::{Folder, Guard, Lock, Locked};
use crate::table::Table;
use crate::write::append::Appended;

/// The application transaction of appends by ingest.
const INGEST: &str = "podtrail-ingest";

static EVENTS: LazyLock<Arc<TableSpec>> = LazyLock::new(|| {
    Arc::new(TableSpec {
        name: "events",
        application: INGEST,
        schema: podtrail_event::schema(),
        documentation: podtrail_event::documentation,
        partition_columns: &podtrail_event::PARTITION_COLUMNS,
        id_column: "event_id",
        unknown: Some(("cluster", podtrail_event::DEFAULT_CLUSTER)),
        ids: Some(event_ids),
        rare_column: Some(SUPERSEDED),
        time_column: Some("time"),
        unique_columns: &["event_id", "audit_id"],
        opaque_columns: &["request_object", "response_object", "extra"],
        delta_columns: &["time", "received_at", "stage_at", "source_line", "source_offset"],
        bloom_columns: &["audit_id"],
    })
});

static QUARANTINE: LazyLock<Arc<TableSpec>> = LazyLock::new(|| {
    Arc::new(TableSpec {
        name: "quarantine",
        application: INGEST,
        schema: quarantine_schema(),
        documentation: podtrail_event::quarantine_documentation,
        partition_columns: &[],
        id_column: "quarantine_id",
        unknown: None,
        ids: None,
        rare_column: None,
        time_column: None,
        unique_columns: &["quarantine_id"],
        opaque_columns: &["bytes"],
        delta_columns: &["source_line", "source_offset", "quarantined_at"],
        bloom_columns: &[],
    })
});

static FINDINGS: LazyLock<Arc<TableSpec>> = LazyLock::new(|| {
    Arc::new(TableSpec {
        name: "findings",
        application: "podtrail-findings",
        schema: podtrail_event::finding_schema(),
        documentation: podtrail_event::finding_documentation,
        partition_columns: &[],
        id_column: "state_id",
        unknown: None,
        ids: None,
        rare_column: None,
        time_column: Some("state_at"),
        unique_columns: &["state_id", "detect_run"],
        opaque_columns: &[],
        delta_columns: &["state_at", "first_seen", "last_seen", "events_version"],
        bloom_columns: &["finding_id"],
    })
});

/// A lock of a lake. It is released when this is dropped or the process ends.
#[derive(Debug)]
pub struct LakeLock(
    #[expect(dead_code, reason = "the lock is held while it exists")] Option<Guard>,
);

/// Returns whether the tables of events, quarantined records and findings exist.
fn logs(location: &LakeLocation, folder: &Folder) -> Result<[bool; 3], LakeError> {
    let names = [&EVENTS, &QUARANTINE, &FINDINGS].map(|spec| spec.name);
    let found = folder.store().have_logs(&names);
    let found = found.map_err(LakeError::io("read", location.to_string()))?;
    Ok(std::array::from_fn(|index| found.get(index).copied().unwrap_or_default()))
}

/// Computes the digests of events from their columns.
fn event_ids(rows: &RecordBatch) -> Result<Vec<String>, ExportError> {
    let exporter = Exporter::new(rows)?;
    (0..rows.num_rows()).map(|row| exporter.event_id(row)).collect()
}

/// The tables `events` and `quarantine`, and `findings` once detections have run.
///
/// Several handles, in one process or many, may append and read at the same time. The log of a table is read when it is
/// first needed.
#[derive(Clone)]
pub struct Lake {
    location: LakeLocation,
    pub(crate) folder: Folder,
    events: Arc<Table>,
    quarantine: Arc<Table>,
    pub(crate) findings: Option<Arc<Table>>,
}

impl Lake {
    /// Opens the lake at a location. Of a lake in an object store one listing is read.
    ///
    /// # Errors
    /// [`LakeError::NoTable`] if there is no lake.
    pub fn open(location: impl Into<LakeLocation>) -> Result<Self, LakeError> {
        Self::open_at(location.into())
    }

    fn open_at(location: LakeLocation) -> Result<Self, LakeError> {
        let folder = location.open()?;
        let tables = logs(&location, &folder)?;
        Self::open_tables(location, folder, tables)
    }

    fn open_tables(
        location: LakeLocation,
        folder: Folder,
        [has_events, has_quarantine, has_findings]: [bool; 3],
    ) -> Result<Self, LakeError> {
        for (exists, spec) in [(has_events, &EVENTS), (has_quarantine, &QUARANTINE)] {
            if !exists {
                let (lake, table) = (location.to_string(), spec.name);
                return Err(LakeError::NoTable { lake, table });
            }
        }
        let table = |spec: &LazyLock<Arc<TableSpec>>| {
            Arc::new(Table::open(folder.folder(spec.name), (*spec).clone()))
        };
        Ok(Self {
            events: table(&EVENTS),
            quarantine: table(&QUARANTINE),
            findings: has_findings.then(|| table(&FINDINGS)),
            location,
            folder,
        })
    }

    /// Opens the lake at a location to record findings, and creates the table of findings if it is missing.
    ///
    /// # Errors
    /// [`LakeError::NoTable`] if there is no lake.
    pub async fn open_to_detect(location: impl Into<LakeLocation>) -> Result<Self, LakeError> {
        let mut lake = Self::open(location)?;
        if lake.findings.is_none() {
            let table = Table::create(lake.folder.folder(FINDINGS.name), FINDINGS.clone()).await?;
            lake.findings = Some(Arc::new(table));
        }
        Ok(lake)
    }

    /// Opens the lake at a location, and creates directory and tables that are missing.
    ///
    /// # Errors
    /// Returns an error if the location cannot be written, or contains tables that are not supported.
    pub async fn create(location: impl Into<LakeLocation>) -> Result<Self, LakeError> {
        let location = location.into();
        location.make().map_err(LakeError::io("create", location.to_string()))?;
        let folder = location.open()?;
        let [has_events, has_quarantine, has_findings] = logs(&location, &folder)?;
        // `events` is created last: if it exists, the others do too.
        for (exists, spec) in [(has_quarantine, &QUARANTINE), (has_events, &EVENTS)] {
            if !exists {
                Table::create(folder.folder(spec.name), (*spec).clone()).await?;
            }
        }
        Self::open_tables(location, folder, [true, true, has_findings])
    }

    /// Returns where the lake is.
    pub fn location(&self) -> &LakeLocation {
        &self.location
    }

    /// Takes the lock with this name, which others of this lake respect, unless another holds it.
    ///
    /// A store without locks, such as an object store, grants it to every caller.
    pub fn try_lock(&self, name: &str) -> Option<LakeLock> {
        match self.folder.lock(name, Lock::Exclusive) {
            Ok(Locked::Held(guard)) => Some(LakeLock(Some(guard))),
            Ok(Locked::Busy) => None,
            Ok(Locked::Unknown) | Err(_) => Some(LakeLock(None)),
        }
    }

    /// Appends events that the table does not have yet: batches of [`podtrail_event::schema`], in one commit.
    ///
    /// Events with equal `event_id` in the same partition are one event; the first one is kept. Equal events must have
    /// equal `time`. Memory: an estimated three times the size of the batches, plus 100 bytes per row. After an error,
    /// or if the future is dropped, the table is unchanged, unless the error states otherwise. Appending again is
    /// always safe.
    ///
    /// # Errors
    /// Returns an error if the batches have other columns, a null `time` or a malformed `event_id`, or if the table
    /// cannot be read or written.
    pub async fn append_events(&self, batches: Vec<RecordBatch>) -> Result<Appended, LakeError> {
        let marked =
            mark_superseded(&batches).map_err(|_| LakeError::other_columns(EVENTS.name))?;
        drop(batches);
        self.events.append(marked).await
    }

    /// Appends records that could not be parsed and that the table does not have yet, in one commit.
    ///
    /// # Errors
    /// As [`append_events`](Self::append_events).
    pub async fn append_quarantine(&self, batch: RecordBatch) -> Result<Appended, LakeError> {
        self.quarantine.append(vec![batch]).await
    }

    /// Reads the newest version of the `events` table.
    ///
    /// # Errors
    /// Returns an error if its log cannot be read, or the table was changed in an unsupported way.
    pub async fn events(&self) -> Result<Snapshot, LakeError> {
        self.events.snapshot().await
    }

    /// Reads the newest version of the `events` table, for snapshots of some of its files.
    ///
    /// # Errors
    /// Returns an error if its log cannot be read.
    pub async fn events_version(&self) -> Result<Version, LakeError> {
        self.events.version().await
    }

    /// Reads the `events` table at a version.
    ///
    /// # Errors
    /// Returns an error if the version does not exist, or its log cannot be read.
    pub async fn events_at(&self, version: i64) -> Result<Snapshot, LakeError> {
        self.events.snapshot_at(version).await
    }

    /// Returns figures of each table, and the effect of a compaction.
    ///
    /// # Errors
    /// Returns an error if a log cannot be read.
    pub async fn info(&self, options: &CompactOptions) -> Result<Vec<TableInfo>, LakeError> {
        let mut tables = Vec::new();
        for table in self.tables() {
            tables.push(TableInfo::of(&table.snapshot().await?, options)?);
        }
        Ok(tables)
    }

    /// Merges the small files of each partition into one or a few files with the same rows in order of time.
    ///
    /// Each partition is one commit, after which `done` is called. Other processes may read and append meanwhile; of
    /// two concurrent compactions, the second one plans again. Memory: an estimated 64 MiB of rows being merged and 64
    /// MiB of rows being written, regardless of the size of the table.
    ///
    /// # Errors
    /// Returns an error if a file or a log cannot be read or written. Partitions reported before are complete.
    pub async fn compact(
        &self,
        options: &CompactOptions,
        done: &mut (dyn FnMut(&Compacted) + Send),
    ) -> Result<(), LakeError> {
        for table in self.tables() {
            table.compact(options, done).await?;
        }
        Ok(())
    }

    /// Removes the events of days before `before`, of these activities or, if none are given, of all, in one commit.
    ///
    /// Older versions, and so their files, stay until a vacuum. The table is no longer marked as append-only
    /// (`delta.appendOnly`). With `dry_run` nothing is removed.
    ///
    /// # Errors
    /// Returns an error if the log cannot be read or written.
    pub async fn retain(
        &self,
        before: NaiveDate,
        activities: &[String],
        dry_run: bool,
    ) -> Result<Retained, LakeError> {
        self.events.retain(before, activities, dry_run).await
    }

    /// Writes a checkpoint of each table that has had `delta.checkpointInterval` commits (100 by default) since its
    /// last one, which spares readers these log entries. Call it after the commits of a run. Memory: several hundred
    /// megabytes.
    ///
    /// A checkpoint that cannot be written is logged as a warning: the tables are complete without it.
    pub async fn checkpoint(&self) {
        for table in self.tables() {
            table.checkpoint().await;
        }
    }

    /// Reads every active file, and checks it against the log and against itself.
    ///
    /// # Errors
    /// Returns an error if a log cannot be read at all. Problems of files are in the result.
    pub async fn verify(&self) -> Result<Vec<Verified>, LakeError> {
        let mut verified = Vec::new();
        for table in self.tables() {
            verified.push(table.verify().await?);
        }
        Ok(verified)
    }

    fn tables(&self) -> impl Iterator<Item = &Table> {
        [&self.events, &self.quarantine].into_iter().chain(&self.findings).map(|table| &**table)
    }

    /// Removes the files that the newest version of a table does not need: files that no version names, left behind by
    /// runs that were killed or lost their disk, and files that a compaction or retention has removed from the table.
    ///
    /// Files that have not been needed for less than `min_age` stay, because a running query may read an older version.
    /// A running append has files that are not named yet: while there may be one, unnamed files of the last day also
    /// stay. Versions before a compaction or retention cannot be read afterwards. Log entries older than
    /// `delta.logRetentionDuration` (30 days) and replaced by a checkpoint are removed. With `dry_run` nothing is
    /// removed, and log entries are not counted.
    ///
    /// # Errors
    /// Returns an error if a directory or a log cannot be read, or a log has gaps; nothing is then removed from that
    /// table.
    pub async fn vacuum(&self, min_age: Duration, dry_run: bool) -> Result<Vacuumed, LakeError> {
        let mut vacuumed = Vacuumed::default();
        for table in self.tables() {
            let more = table.vacuum(min_age, dry_run).await?;
            vacuumed.removed.extend(more.removed);
            vacuumed.young += more.young;
            vacuumed.uncommitted += more.uncommitted;
            vacuumed.log_entries += more.log_entries;
        }
        Ok(vacuumed)
    }

    /// Returns an empty table of findings, for a lake without one.
    pub(crate) fn no_findings(&self) -> Snapshot {
        Snapshot::empty(FINDINGS.clone(), self.folder.folder(FINDINGS.name))
    }

    /// Reads the newest version of the `quarantine` table.
    ///
    /// # Errors
    /// As [`events`](Self::events).
    pub async fn quarantine(&self) -> Result<Snapshot, LakeError> {
        self.quarantine.snapshot().await
    }
}
