//! The table `findings`: states of findings and, in the same commits, the progress of detections.

use arrow::array::RecordBatch;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::LakeError;
use crate::lake::Lake;
use crate::log::commit::Remarks;
use crate::log::entry::Transaction;
use crate::log::snapshot::Snapshot;

/// The application transaction whose number is the version of `events` that the detections have examined.
const WATERMARK: &str = "podtrail-detect";

/// The prefix of the application transactions of runs with a selection of detections: each selection has its own mark.
const WATERMARK_OF_SOME: &str = "podtrail-detect/";

/// The member of `commitInfo` that describes a run of the detections.
const RUN: &str = "podtrailDetect";

/// Number of log entries to search: commits of users, who acknowledge and close findings, are between those of runs.
const SEARCHED_ENTRIES: usize = 1000;

/// The table of findings at one version.
#[derive(Debug, Clone)]
pub struct Findings {
    /// States of findings.
    pub rows: Snapshot,
    /// The version of `events` up to which the detections have examined added events.
    pub watermark: Option<i64>,
}

/// The mark from which a run of the detections continues, and which it moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// The mark of all detections.
    All,
    /// The mark of a selection of detections, by a name for the selection. If all detections have progressed further,
    /// so have these.
    Some(String),
    /// No mark: the run examines a range again.
    Unmoved,
}

/// A run of the detections, as recorded in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DetectRun {
    /// UUID version 7.
    pub id: String,
    /// When the run began.
    pub started_at: DateTime<Utc>,
    /// When the run had computed what it commits.
    pub finished_at: DateTime<Utc>,
    /// The version of `events` that the run examined.
    pub events_version: i64,
    /// Whether the run examined everything new, so that the next run continues there.
    pub complete: bool,
}

impl Lake {
    /// Reads the newest version of the `findings` table; an empty one, of version -1, if no detections have run.
    ///
    /// # Errors
    ///
    /// As [`events`](Self::events).
    pub async fn findings(&self) -> Result<Findings, LakeError> {
        self.findings_at(&Mark::All).await
    }

    /// Reads the findings like [`findings`](Self::findings), with the watermark of these detections.
    ///
    /// # Errors
    /// As [`events`](Self::events).
    pub async fn findings_at(&self, mark: &Mark) -> Result<Findings, LakeError> {
        let Some(table) = &self.findings else {
            return Ok(Findings { rows: self.no_findings(), watermark: None });
        };
        let of_some = match mark {
            Mark::Some(name) => Some(format!("{WATERMARK_OF_SOME}{name}")),
            Mark::All | Mark::Unmoved => None,
        };
        let applications: Vec<_> =
            [Some(WATERMARK), of_some.as_deref()].into_iter().flatten().collect();
        let (rows, numbers) = table.snapshot_with(&applications).await?;
        Ok(Findings { rows, watermark: numbers.into_iter().flatten().max() })
    }

    /// Adds states of findings, in a batch of [`podtrail_event::finding_schema`] that may be empty, and a description
    /// of their run, in one commit based on `base`. The rows must have been computed from `base`.
    ///
    /// Returns the version with the rows; `None` if another writer committed first: nothing has changed, read again.
    ///
    /// # Errors
    /// As [`append_events`](Self::append_events); [`LakeError::NoTable`] if the lake was opened without such a table.
    pub async fn commit_findings(
        &self,
        base: &Findings,
        states: RecordBatch,
        run: Option<(&DetectRun, &Mark)>,
    ) -> Result<Option<i64>, LakeError> {
        let table = self.findings.as_ref();
        let table = table.ok_or_else(|| LakeError::NoTable {
            lake: self.location().to_string(),
            table: "findings",
        })?;
        let mut remarks = Remarks::default();
        if let Some((run, mark)) = run {
            let recorded = serde_json::to_value(run).map_err(|error| LakeError::Rows {
                table: "findings",
                detail: error.to_string(),
            })?;
            remarks.info.push((RUN.to_owned(), recorded));
            let application = match mark {
                Mark::All => Some(WATERMARK.to_owned()),
                Mark::Some(name) => Some(format!("{WATERMARK_OF_SOME}{name}")),
                Mark::Unmoved => None,
            };
            if let Some(application) = application.filter(|_| run.complete) {
                remarks.transactions.push(Transaction {
                    app_id: application,
                    version: run.events_version,
                    last_updated: Some(run.finished_at.timestamp_millis()),
                });
            }
        }
        table.append_to(base.rows.version(), states, &remarks).await
    }

    /// Returns the last run of the detections before or at this version of the findings, if the log still contains it.
    ///
    /// # Errors
    ///
    /// Returns an error if an entry of the log cannot be read.
    pub fn last_detect_run(&self, findings: &Findings) -> Result<Option<DetectRun>, LakeError> {
        let Some(table) = &self.findings else { return Ok(None) };
        let recorded = table.last_info(findings.rows.version(), SEARCHED_ENTRIES, RUN)?;
        Ok(recorded.and_then(|recorded| serde_json::from_value(recorded).ok()))
    }
}
