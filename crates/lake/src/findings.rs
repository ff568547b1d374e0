//! The table `findings`: states of findings, and how far the detections got, in the same commits.

use arrow::array::RecordBatch;
use chrono::{DateTime, Utc};
use deltalake::kernel::Transaction;
use serde::{Deserialize, Serialize};

use crate::error::LakeError;
use crate::lake::Lake;
use crate::log::commit::Remarks;
use crate::log::snapshot::Snapshot;

/// The application transaction whose number is the version of `events` that the detections have looked at.
const WATERMARK: &str = "podtrail-detect";

/// Begins the application transactions of runs of some detections only: each choice of them has a mark of its own.
const WATERMARK_OF_SOME: &str = "podtrail-detect/";

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

/// Which mark a run of the detections goes on from, and moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// That of all detections.
    All,
    /// That of some detections, by a name for the choice; where all detections have got further, they have looked for
    /// these too.
    Some(String),
    /// None: the run looks at what was looked at before.
    Unmoved,
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
        self.findings_at(&Mark::All).await
    }

    /// As [`findings`](Self::findings), with the watermark of these detections.
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
        run: Option<(&DetectRun, &Mark)>,
    ) -> Result<Option<i64>, LakeError> {
        let table = self.findings.as_ref();
        let table = table
            .ok_or_else(|| LakeError::NoTable { dir: self.dir().to_owned(), table: "findings" })?;
        let mut remarks = Remarks::default();
        if let Some((run, mark)) = run {
            let told = serde_json::to_value(run).map_err(|error| LakeError::Rows {
                table: "findings",
                detail: error.to_string(),
            })?;
            remarks.info.push((RUN.to_owned(), told));
            let application = match mark {
                Mark::All => Some(WATERMARK.to_owned()),
                Mark::Some(name) => Some(format!("{WATERMARK_OF_SOME}{name}")),
                Mark::Unmoved => None,
            };
            if let Some(application) = application.filter(|_| run.complete) {
                let at = Some(run.finished_at.timestamp_millis());
                let watermark =
                    Transaction::new_with_last_update(application, run.events_version, at);
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
