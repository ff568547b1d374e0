//! The rows of a table by cluster and day, from the log alone.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

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
    /// Returns its content by cluster and day, in this order.
    pub fn days(&self) -> Vec<Day> {
        let mut days: BTreeMap<_, (u64, Option<i64>)> = BTreeMap::new();
        for file in self.files() {
            let value = |column| self.partition_value(file, column).map(str::to_owned);
            let date: Option<NaiveDate> = value("date").and_then(|date| date.parse().ok());
            let (rows, last) = days.entry((value("cluster"), date)).or_default();
            *rows += file.stats.as_ref().and_then(|stats| stats.num_records).unwrap_or_default();
            *last = self.times(file).map(|(_, last)| last).max(*last);
        }
        let day = |((cluster, date), (rows, last)): (_, (u64, Option<i64>))| Day {
            cluster,
            date,
            rows,
            last: last.and_then(DateTime::from_timestamp_micros),
        };
        days.into_iter().map(day).collect()
    }
}
