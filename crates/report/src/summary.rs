//! What a log holds, at a glance.

use std::io::{self, Write};

use chrono::{DateTime, Utc};

use crate::escape::escape;

/// A time to the second, as people read it. It does not say that it is UTC.
pub fn seconds(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// The events that a hunt looked at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LogSummary {
    /// Audit events.
    pub events: u64,
    /// Requests: one or more events each.
    pub requests: u64,
    /// When the first request arrived.
    pub first: Option<DateTime<Utc>>,
    /// When the last request arrived.
    pub last: Option<DateTime<Utc>>,
    /// The clusters, by name.
    pub clusters: Vec<String>,
    /// Distinct user names.
    pub identities: u64,
    /// Writes of workloads that were carried out.
    pub workload_writes: u64,
    /// Those of them whose body the log shows.
    pub visible_writes: u64,
    /// How many writes of workloads and of RBAC show no body, by resource, the most first.
    pub blind_writes: Vec<(String, u64)>,
}

impl LogSummary {
    /// Writes the summary, a line each.
    ///
    /// # Errors
    /// When `out` fails.
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
            "workloads   {} writes, the body of {} is in the log",
            thousands(self.workload_writes),
            thousands(self.visible_writes)
        )?;
        if !self.blind_writes.is_empty() {
            writeln!(
                out,
                "blind       {} writes show no body, detections cannot tell what they do: {}",
                thousands(self.blind_writes.iter().map(|(_, count)| count).sum()),
                self.blind_resources()
            )?;
        }
        Ok(())
    }

    /// The resources of which most writes show no body.
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

/// A count with its digits in groups of three.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups_of_three() {
        for (count, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(count), text);
        }
    }
}
