//! A summary of the events in a log.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use podtrail_query::{QueryError, Session};
use serde::Deserialize;

use crate::escape::escape;

/// Formats a time to the second, in UTC but without naming it.
pub fn seconds(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// The events that a hunt examined.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LogSummary {
    /// The number of audit events.
    pub events: u64,
    /// The number of requests, each with one or more events.
    pub requests: u64,
    /// The time at which the first request arrived.
    pub first: Option<DateTime<Utc>>,
    /// The time at which the last request arrived.
    pub last: Option<DateTime<Utc>>,
    /// The clusters, ordered by name.
    pub clusters: Vec<String>,
    /// The number of distinct user names.
    pub identities: u64,
    /// The number of successful workload writes.
    pub workload_writes: u64,
    /// The number of those whose body is in the log.
    pub visible_writes: u64,
    /// The number of workload and RBAC writes without a body, by resource, the most frequent first.
    pub blind_writes: Vec<(String, u64)>,
}

#[derive(Deserialize)]
struct Events {
    events: u64,
    first: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
    identities: u64,
}

impl Events {
    const SQL: &str = "
        SELECT count(*) AS events, min(time) AS first, max(time) AS last, count(DISTINCT username) AS identities
        FROM stages";
}

#[derive(Deserialize)]
struct Requests {
    requests: u64,
}

impl Requests {
    const SQL: &str = "SELECT count(*) AS requests FROM events";
}

#[derive(Deserialize)]
struct Writes {
    writes: u64,
    visible: u64,
}

impl Writes {
    const SQL: &str = "
        SELECT count(*) AS writes, count(*) FILTER (WHERE body_source <> 'none') AS visible
        FROM workloads WHERE outcome = 'allowed'";
}

/// The resources whose bodies the detections examine.
#[derive(Deserialize)]
struct Blind {
    resource: Option<String>,
    writes: u64,
}

impl Blind {
    const SQL: &str = "
        SELECT resource, sum(writes_without_body) AS writes
        FROM coverage
        WHERE activity IN ('workload', 'rbac') AND (subresource IS NULL OR subresource = 'ephemeralcontainers')
        GROUP BY resource
        HAVING sum(writes_without_body) > 0
        ORDER BY writes DESC, resource";
}

#[derive(Deserialize)]
struct Cluster {
    cluster: Option<String>,
}

impl Cluster {
    const SQL: &str = "SELECT DISTINCT cluster FROM stages ORDER BY cluster";
}

impl LogSummary {
    /// Summarizes the events of a session.
    ///
    /// # Errors
    /// If the lake cannot be read.
    pub async fn read(session: &Session) -> Result<Self, QueryError> {
        let events: Vec<Events> = session.sql(Events::SQL).await?.rows().await?;
        let requests: Vec<Requests> = session.sql(Requests::SQL).await?.rows().await?;
        let writes: Vec<Writes> = session.sql(Writes::SQL).await?.rows().await?;
        let clusters: Vec<Cluster> = session.sql(Cluster::SQL).await?.rows().await?;
        let blind: Vec<Blind> = session.sql(Blind::SQL).await?.rows().await?;
        Ok(Self {
            events: events.iter().map(|row| row.events).sum(),
            requests: requests.iter().map(|row| row.requests).sum(),
            first: events.iter().find_map(|row| row.first),
            last: events.iter().find_map(|row| row.last),
            clusters: clusters.into_iter().filter_map(|row| row.cluster).collect(),
            identities: events.iter().map(|row| row.identities).sum(),
            workload_writes: writes.iter().map(|row| row.writes).sum(),
            visible_writes: writes.iter().map(|row| row.visible).sum(),
            blind_writes: blind
                .into_iter()
                .map(|row| (row.resource.unwrap_or_default(), row.writes))
                .collect(),
        })
    }

    /// Writes the summary, one item per line.
    ///
    /// # Errors
    /// If `out` fails.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "events      {} ({} requests)",
            thousands(self.events),
            thousands(self.requests)
        )?;
        if let (Some(first), Some(last)) = (self.first, self.last) {
            writeln!(out, "period      {} to {} UTC", seconds(first), seconds(last))?;
        }
        let clusters: Vec<_> = self.clusters.iter().map(|name| escape(name)).collect();
        writeln!(out, "clusters    {}", clusters.join(", "))?;
        writeln!(out, "identities  {}", thousands(self.identities))?;
        writeln!(
            out,
            "workloads   {} allowed writes, {} with their body in the log",
            thousands(self.workload_writes),
            thousands(self.visible_writes)
        )?;
        if !self.blind_writes.is_empty() {
            writeln!(
                out,
                "blind       {} writes without a body, whose content detections cannot see: {}",
                thousands(self.blind_writes.iter().map(|(_, count)| count).sum()),
                self.blind_resources()
            )?;
        }
        Ok(())
    }

    /// Returns the resources with the most writes without a body.
    fn blind_resources(&self) -> String {
        const SHOWN: usize = 6;
        let named = |(resource, count): &(String, u64)| {
            format!("{} {}", escape(resource), thousands(*count))
        };
        let mut shown: Vec<_> = self.blind_writes.iter().take(SHOWN).map(named).collect();
        if self.blind_writes.len() > SHOWN {
            shown.push(format!("{} more", self.blind_writes.len() - SHOWN));
        }
        shown.join(", ")
    }
}

/// Formats a count with thousands separators.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Formats a count with its noun: `1 finding`, `2,000 findings`.
pub(crate) fn plural(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", thousands(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        for (count, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(count), text);
        }
    }
}
