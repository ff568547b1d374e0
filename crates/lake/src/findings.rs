//! The table `findings`: states of findings, and how far the detections got, in the same commits.

use arrow::array::RecordBatch;
use chrono::{DateTime, Utc};
use deltalake::kernel::Transaction;
use serde::{Deserialize, Serialize};

use crate::commit::Remarks;
use crate::error::LakeError;
use crate::lake::Lake;
use crate::snapshot::Snapshot;

/// The application transaction whose number is the version of `events` that the detections have looked at.
const WATERMARK: &str = "podtrail-detect";

/// The member of `commitInfo` that tells of a run of the detections.
const RUN: &str = "podtrailDetect";

/// Commits of people, who acknowledge and close findings, lie between those of runs.
const SEARCHED_ENTRIES: usize = 1000;

/// The table of findings as it is at one version.
#[derive(Debug, Clone)]
pub struct Findings {
    /// Its rows: states of findings.
    pub rows: Snapshot,
    /// The version of `events` up to which the detections have looked at what was added.
    pub watermark: Option<i64>,
}

/// A run of the detections, as the log tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DetectRun {
    /// UUID version 7.
    pub id: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it had found what it commits.
    pub finished_at: DateTime<Utc>,
    /// The version of `events` that it looked at.
    pub events_version: i64,
    /// Whether it looked at all that was new: the next run goes on from there.
    pub complete: bool,
}

impl Lake {
    /// The newest version of the `findings` table; an empty one, of version -1, where no detections ran yet.
    ///
    /// # Errors
    /// As [`events`](Self::events).
    pub async fn findings(&self) -> Result<Findings, LakeError> {
        let Some(table) = &self.findings else {
            return Ok(Findings { rows: self.no_findings(), watermark: None });
        };
        let (rows, watermark) = table.snapshot_with(WATERMARK).await?;
        Ok(Findings { rows, watermark })
    }

    /// Adds states of findings, in a batch of [`podtrail_event::finding_schema`] that may be empty, and what the run that
    /// found them looked at, in one commit upon `base`. Whoever makes the rows has to have read `base`.
    ///
    /// Returns the version that has them; `None` if another writer was first: nothing has changed, read again.
    ///
    /// # Errors
    /// As [`append_events`](Self::append_events); [`LakeError::NoTable`] if the lake was opened without such a table.
    pub async fn commit_findings(
        &self,
        base: &Findings,
        states: RecordBatch,
        run: Option<&DetectRun>,
    ) -> Result<Option<i64>, LakeError> {
        let table = self.findings.as_ref();
        let table = table
            .ok_or_else(|| LakeError::NoTable { dir: self.dir().to_owned(), table: "findings" })?;
        let mut remarks = Remarks::default();
        if let Some(run) = run {
            let told = serde_json::to_value(run).map_err(|error| LakeError::Rows {
                table: "findings",
                detail: error.to_string(),
            })?;
            remarks.info.push((RUN.to_owned(), told));
            if run.complete {
                let at = Some(run.finished_at.timestamp_millis());
                let watermark =
                    Transaction::new_with_last_update(WATERMARK, run.events_version, at);
                remarks.transactions.push(watermark);
            }
        }
        table.append_to(base.rows.version(), states, &remarks).await
    }

    /// The last run of the detections before or at this version of the findings, if the log still tells of it.
    ///
    /// # Errors
    /// If an entry of the log cannot be read.
    pub fn last_detect_run(&self, findings: &Findings) -> Result<Option<DetectRun>, LakeError> {
        let Some(table) = &self.findings else { return Ok(None) };
        let told = table.last_info(findings.rows.version(), SEARCHED_ENTRIES, RUN)?;
        Ok(told.and_then(|told| serde_json::from_value(told).ok()))
    }
}
