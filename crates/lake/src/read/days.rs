//! The rows of a table by cluster and day, from the log alone.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use crate::error::LakeError;
use crate::log::snapshot::Snapshot;

/// The events of one cluster on one UTC day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Name of the cluster.
    pub cluster: Option<String>,
    /// UTC day.
    pub date: Option<NaiveDate>,
    /// The number of rows, as far as the log has it.
    pub rows: u64,
    /// The time of the last row.
    pub last: Option<DateTime<Utc>>,
}

impl Snapshot {
    /// Returns the clusters and days of its partitions, in this order, without reading statistics.
    pub fn cluster_days(&self) -> Vec<(Option<String>, Option<NaiveDate>)> {
        let mut days: BTreeSet<(Option<&str>, Option<NaiveDate>)> = BTreeSet::new();
        for at in self.listed().one_of_each_partition(self.positions().iter().copied()) {
            let date = self.partition_value(at, "date").and_then(|date| date.parse().ok());
            days.insert((self.partition_value(at, "cluster"), date));
        }
        days.into_iter().map(|(cluster, date)| (cluster.map(str::to_owned), date)).collect()
    }

    /// Returns its content by cluster and day, in this order.
    ///
    /// # Errors
    /// As [`files`](Self::files).
    pub fn days(&self) -> Result<Vec<Day>, LakeError> {
        let mut days: BTreeMap<_, (u64, Option<i64>)> = BTreeMap::new();
        for (&file, summary) in self.positions().iter().zip(self.summaries()?) {
            let value = |column| self.partition_value(file, column);
            let date: Option<NaiveDate> = value("date").and_then(|date| date.parse().ok());
            let (rows, last) = days.entry((value("cluster"), date)).or_default();
            *rows += summary.rows.unwrap_or_default();
            *last = self.times(file, &summary).map(|(_, last)| last).max(*last);
        }
        let day = |((cluster, date), (rows, last)): ((Option<&str>, _), (u64, Option<i64>))| Day {
            cluster: cluster.map(str::to_owned),
            date,
            rows,
            last: last.and_then(DateTime::from_timestamp_micros),
        };
        Ok(days.into_iter().map(day).collect())
    }
}
