//! A version of a table whose list of files has not been read yet. A large table has tens of thousands of files, and
//! their statistics are expensive to read: queries for a few days, or for new rows, take a snapshot of these files
//! only.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::NaiveDate;
use deltalake::DeltaTable;
use deltalake::table::state::DeltaTableState;

use crate::error::LakeError;
use crate::log::snapshot::{Snapshot, partition_values};
use crate::log::stats::FileStats;
use crate::log::{Added, read_entry};
use crate::partition::PartitionValues;
use crate::spec::TableSpec;
use crate::store::Folder;

/// A pinned version of a table.
#[derive(Debug, Clone)]
pub struct Version {
    spec: Arc<TableSpec>,
    root: Folder,
    delta: DeltaTable,
}

impl Version {
    pub(crate) fn new(spec: Arc<TableSpec>, root: Folder, delta: DeltaTable) -> Self {
        Self { spec, root, delta }
    }

    fn state(&self) -> Result<&DeltaTableState, LakeError> {
        self.delta.snapshot().map_err(LakeError::log(self.spec.name))
    }

    /// Returns the version of the table, from 0.
    pub fn number(&self) -> i64 {
        self.delta.version().and_then(|version| i64::try_from(version).ok()).unwrap_or_default()
    }

    /// Reads all active files.
    ///
    /// # Errors
    ///
    /// Returns an error if the log contains something unsupported.
    pub fn snapshot(&self) -> Result<Snapshot, LakeError> {
        self.choose(|_, _| true)
    }

    /// Reads the active files of the days from `first` to `last`, both included, and those without a day.
    ///
    /// # Errors
    /// As [`snapshot`](Self::snapshot).
    pub fn between(&self, first: NaiveDate, last: NaiveDate) -> Result<Snapshot, LakeError> {
        let day = self.day();
        self.choose(|_, values| match day(values) {
            Some(day) => (first..=last).contains(&day),
            None => true,
        })
    }

    /// Reads the active files of the last day of each cluster.
    ///
    /// # Errors
    /// As [`snapshot`](Self::snapshot).
    pub fn last_days(&self) -> Result<Snapshot, LakeError> {
        let day = self.day();
        let cluster = self.spec.partition_columns.iter().position(|&column| column == "cluster");
        let cluster = |values: &PartitionValues| values.get(cluster?).cloned().flatten();
        let mut last: HashMap<Option<String>, Option<NaiveDate>> = HashMap::new();
        for file in self.state()?.log_data().iter() {
            let values = partition_values(&self.spec, &file);
            let of_cluster = last.entry(cluster(&values)).or_default();
            *of_cluster = day(&values).max(*of_cluster);
        }
        self.choose(|_, values| last.get(&cluster(values)) == Some(&day(values)))
    }

    /// Reads the files whose rows were added after version `older`; all files if the log no longer goes back that far.
    ///
    /// For a file that was compacted since, these are the files that may now contain its rows.
    ///
    /// # Errors
    ///
    /// Returns an error if an entry of the log cannot be read.
    pub fn added_after(&self, older: i64) -> Result<Snapshot, LakeError> {
        let mut added: HashMap<String, Added> = HashMap::new();
        for version in older.saturating_add(1)..=self.number() {
            let Some(entry) = read_entry(&self.spec, &self.root, version)? else {
                return self.snapshot();
            };
            let new = entry.adds.into_iter().filter(|add| add.data_change);
            added.extend(new.map(|add| (add.path.clone(), add)));
        }
        let active: HashSet<String> = self
            .state()?
            .log_data()
            .iter()
            .map(|file| file.path().into_owned())
            .filter(|path| added.contains_key(path))
            .collect();
        let compacted: Vec<Compacted> = added
            .values()
            .filter(|add| !active.contains(&add.path))
            .map(|add| Compacted::new(&self.spec, add))
            .collect();
        let snapshot = self.choose(|path, values| {
            active.contains(path) || compacted.iter().any(|file| file.partition == *values)
        })?;
        Ok(snapshot.filtered(|file| {
            let times = times(&self.spec, file.stats.as_ref());
            active.contains(&file.path)
                || compacted.iter().any(|other| other.may_be_in(&file.partition_values, times))
        }))
    }

    /// Creates a snapshot of the files for which `keep` returns true, given path and partition values.
    fn choose(&self, keep: impl Fn(&str, &PartitionValues) -> bool) -> Result<Snapshot, LakeError> {
        Snapshot::of(self.spec.clone(), self.root.clone(), self.state()?, keep)
    }

    /// Returns a function that reads the day from partition values.
    fn day(&self) -> impl Fn(&PartitionValues) -> Option<NaiveDate> + use<> {
        let index = self.spec.partition_columns.iter().position(|&column| column == "date");
        move |values| values.get(index?)?.as_deref()?.parse().ok()
    }
}

/// A file that is no longer active, whose rows are in other files of its partition.
struct Compacted {
    partition: PartitionValues,
    times: Option<(i64, i64)>,
}

impl Compacted {
    fn new(spec: &TableSpec, add: &Added) -> Self {
        let value = |column: &&str| add.partition_values.get(*column).cloned().flatten();
        let partition = spec.partition_columns.iter().map(value);
        Self {
            partition: partition.map(|value| value.filter(|text| !text.is_empty())).collect(),
            times: times(spec, add.stats().as_ref()),
        }
    }

    /// Returns whether its rows may be in a file with this partition and range of times.
    fn may_be_in(&self, partition: &PartitionValues, times: Option<(i64, i64)>) -> bool {
        let overlap = match (self.times, times) {
            (Some((first, last)), Some((from, to))) => first <= to && from <= last,
            _ => true,
        };
        overlap && self.partition == *partition
    }
}

/// Returns the first and last time in a file, if they are known.
fn times(spec: &TableSpec, stats: Option<&FileStats>) -> Option<(i64, i64)> {
    stats?.time_range(spec.time_column?)
}
