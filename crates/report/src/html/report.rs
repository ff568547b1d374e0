//! What a report shows.

use chrono::{DateTime, Utc};
use podtrail_detect::{Hunt, Incident, Pack, Severity};

use super::context::Context;
use crate::summary::LogSummary;

/// The contents of a report.
#[derive(Debug)]
pub struct HtmlReport<'a> {
    /// The events that the hunt examined.
    pub log: &'a LogSummary,
    /// The incidents, most severe first.
    pub incidents: &'a [Incident],
    /// The findings of the pack, most severe first.
    pub hunt: &'a Hunt,
    /// The pack.
    pub pack: &'a Pack,
    /// The context of the findings in the log.
    pub context: &'a Context,
    /// The lowest severity shown.
    pub least: Severity,
    /// The number of findings below it.
    pub left_out: usize,
    /// The command line that created the report.
    pub command: String,
    /// The time of creation.
    pub time: DateTime<Utc>,
}
