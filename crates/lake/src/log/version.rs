//! A version of a table, from which snapshots of some of its files are taken: those of a few days, or those with new
//! rows.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::NaiveDate;

use crate::error::LakeError;
use crate::log::snapshot::Snapshot;
use crate::log::state::LogState;
use crate::log::{Added, read_entry};
use crate::partition::PartitionValues;
use crate::spec::TableSpec;
use crate::store::Folder;

/// A pinned version of a table.
#[derive(Debug, Clone)]
pub struct Version {
    spec: Arc<TableSpec>,
    root: Folder,
    state: Arc<LogState>,
}

impl Version {
    pub(crate) fn new(spec: Arc<TableSpec>, root: Folder, state: Arc<LogState>) -> Self {
        Self { spec, root, state }
    }

    /// Returns the version of the table, from 0.
    pub fn number(&self) -> i64 {
        i64::try_from(self.state.version).unwrap_or(i64::MAX)
    }

    /// Reads all active files.
    ///
    /// # Errors
    ///
    /// Returns an error if the log contains something unsupported.
    pub fn snapshot(&self) -> Result<Snapshot, LakeError> {
        self.choose(|_| true)
    }

    /// Reads the active files of the days from `first` to `last`, both included, and those without a day.
    ///
    /// # Errors
    /// As [`snapshot`](Self::snapshot).
    pub fn between(&self, first: NaiveDate, last: NaiveDate) -> Result<Snapshot, LakeError> {
        let day = self.day();
        self.choose(|values| match day(values) {
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
        let files = &self.state.files;
        for file in files.one_of_each_partition(files.positions()) {
            let values = files.values(file);
            let of_cluster = last.entry(cluster(values)).or_default();
            *of_cluster = day(values).max(*of_cluster);
        }
        self.choose(|values| last.get(&cluster(values)) == Some(&day(values)))
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
        let files = &self.state.files;
        let active: HashSet<&str> = files
            .positions()
            .map(|at| files.path(at))
            .filter(|path| added.contains_key(*path))
            .collect();
        let compacted: Vec<Compacted> = added
            .values()
            .filter(|add| !active.contains(add.path.as_str()))
            .map(|add| Compacted::new(&self.spec, add))
            .collect();
        let of_compacted: HashSet<&PartitionValues> =
            compacted.iter().map(|file| &file.partition).collect();
        let snapshot = self.snapshot()?.filtered(|_, at| {
            active.contains(files.path(at)) || of_compacted.contains(files.values(at))
        });
        if compacted.is_empty() {
            return Ok(snapshot);
        }
        let summaries = snapshot.summaries()?;
        Ok(snapshot.filtered(|index, at| {
            let times = summaries[index].times;
            active.contains(files.path(at))
                || compacted.iter().any(|other| other.may_be_in(files.values(at), times))
        }))
    }

    /// Creates a snapshot of the files in the partitions for which `keep` returns true.
    fn choose(&self, keep: impl Fn(&PartitionValues) -> bool) -> Result<Snapshot, LakeError> {
        Snapshot::of(self.spec.clone(), self.root.clone(), &self.state, keep)
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
            times: add.stats().and_then(|stats| stats.time_range(spec.time_column?)),
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
