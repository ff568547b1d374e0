//! Retention: removes whole partitions by the day of their events and by activity.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;

use crate::error::LakeError;
use crate::log::snapshot::{DataFile, Snapshot};
use crate::partition::{PartitionValues, directory};
use crate::spec::TableSpec;

/// The partitions removed from a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retained {
    /// The version without them; the current version if nothing was removed.
    pub version: i64,
    /// The partitions, in order.
    pub partitions: Vec<RetainedPartition>,
}

/// A partition that was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetainedPartition {
    /// Its directory inside the table.
    pub partition: String,
    /// The number of its files.
    pub files: usize,
    /// The number of its rows, if the statistics have it.
    pub rows: Option<u64>,
    /// The size of its files in bytes.
    pub bytes: u64,
}

impl Retained {
    pub(crate) fn of(spec: &TableSpec, version: i64, files: &[Arc<DataFile>]) -> Self {
        let mut partitions: BTreeMap<&PartitionValues, Vec<&DataFile>> = BTreeMap::new();
        for file in files {
            partitions.entry(&file.partition_values).or_default().push(file);
        }
        let partitions = partitions.into_iter().map(|(values, files)| RetainedPartition {
            partition: directory(spec.partition_columns, values),
            files: files.len(),
            rows: files.iter().map(|file| file.stats.as_ref()?.num_records).sum(),
            bytes: files.iter().map(|file| file.size).sum(),
        });
        Self { version, partitions: partitions.collect() }
    }
}

/// Selects the files of days before `before`, of these activities or, if none are given, of all.
///
/// Files without a day stay.
pub(crate) fn expired(
    snapshot: &Snapshot,
    before: NaiveDate,
    activities: &[String],
) -> Result<Vec<Arc<DataFile>>, LakeError> {
    let expired = snapshot.clone().filtered(|_, file| {
        let day = snapshot.partition_value(file, "date");
        let day = day.and_then(|day| day.parse::<NaiveDate>().ok());
        let activity = snapshot.partition_value(file, "activity");
        day.is_some_and(|day| day < before)
            && (activities.is_empty()
                || activity.is_some_and(|it| activities.iter().any(|name| name == it)))
    });
    Ok(expired.files()?.to_vec())
}

/// Returns the predicate of [`expired`] as SQL, for the history of the table.
pub(crate) fn predicate(before: NaiveDate, activities: &[String]) -> String {
    let days = format!("date < '{before}'");
    if activities.is_empty() {
        return days;
    }
    let names: Vec<_> =
        activities.iter().map(|name| format!("'{}'", name.replace('\'', "''"))).collect();
    format!("{days} AND activity IN ({})", names.join(", "))
}
