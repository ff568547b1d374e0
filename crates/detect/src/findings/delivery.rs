//! Delivery: which findings no run has printed yet, and the mark that they were printed.
//!
//! A run first records and then prints. It marks printed findings in a separate commit, once the output has accepted
//! them. If a run is killed in between, or its output fails, its findings stay unmarked and the next run prints them
//! again. Each finding is therefore printed at least once; if it is printed twice, it has the same id.

use std::collections::{BTreeSet, HashMap};
use std::thread::sleep;
use std::time::{Duration, Instant};

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use chrono::{DateTime, Utc};
use podtrail_event::{FindingState, RecordedFinding, Severity};
use podtrail_lake::{Lake, LakeError, LakeLock};
use podtrail_query::Session;

use crate::error::RunError;
use crate::findings::continuity::RECORDER;
use crate::findings::stored::{read_recorded, state_rows};

/// The lock file in a lake that lets one run at a time print. It is empty.
const LOCK: &str = "detect.lock";

/// The interval at which a run checks whether another has finished printing.
const LOOK: Duration = Duration::from_millis(50);

/// The maximum number of commit attempts; each failed attempt means that another writer has succeeded.
const MAX_ATTEMPTS: usize = 100;

/// The findings that a run prints.
#[derive(Debug, Clone)]
pub struct Printed<'a> {
    /// The lowest severity.
    pub least: Severity,
    /// The ids of detections and checks; empty for all.
    pub detections: &'a [String],
    /// The id of the run that recorded the findings last; `None` for all runs.
    pub run: Option<&'a str>,
}

/// The lock for printing: while one run holds it, no other prints the findings that earlier runs have left. It is
/// released when the process ends.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "the lock is held while it exists")] LakeLock);

impl Turn {
    /// Waits for the lock, at most as long as `patience`; `None` if another run still holds it.
    ///
    /// In a store without locks, such as an object store, every run gets its turn, and concurrent runs may print the
    /// same findings.
    pub fn take(lake: &Lake, patience: Duration) -> Option<Self> {
        let started = Instant::now();
        loop {
            match lake.try_lock(LOCK) {
                Some(lock) => return Some(Self(lock)),
                None if started.elapsed() < patience => sleep(LOOK),
                None => return None,
            }
        }
    }
}

/// Returns the findings that no run is known to have printed, most severe first, then by time; and the number of
/// those that `printed` leaves out.
///
/// # Errors
/// If the findings cannot be read.
pub async fn undelivered(
    lake: &Lake,
    printed: &Printed<'_>,
) -> Result<(Vec<RecordedFinding>, u64), RunError> {
    const NEW: &str = "state = 'new'";
    let mut session = Session::over_findings(&lake.findings().await?.rows)?;
    let severities = Severity::ALL.iter().copied().filter(|severity| *severity >= printed.least);
    let severities: Vec<_> = severities.map(|severity| format!("'{severity}'")).collect();
    let mut wanted = format!("{NEW} AND severity IN ({})", severities.join(", "));
    if !printed.detections.is_empty() {
        let ids: BTreeSet<_> = printed.detections.iter().map(String::as_str).collect();
        session = session.with_strings("printed_detections", "detection", ids)?;
        wanted += " AND detection IN (SELECT detection FROM printed_detections)";
    }
    if let Some(run) = printed.run {
        session = session.with_strings("printed_runs", "run", [run])?;
        wanted += " AND detect_run IN (SELECT run FROM printed_runs)";
    }
    let mut found =
        read_recorded(&session, &format!("SELECT * FROM findings WHERE {wanted}")).await?;
    found.sort_by(|RecordedFinding { finding: a, .. }, RecordedFinding { finding: b, .. }| {
        (b.severity, a.first_seen, &a.finding_id).cmp(&(a.severity, b.first_seen, &b.finding_id))
    });
    let all = session.sql(&format!("SELECT count(*) FROM findings WHERE {NEW}")).await?;
    let all = all.collect().await?;
    let all = all.iter().filter_map(|batch| batch.column(0).as_primitive_opt::<Int64Type>());
    let all: i64 = all.flat_map(|counts| counts.values().iter()).sum();
    let others = u64::try_from(all).unwrap_or_default().saturating_sub(found.len() as u64);
    Ok((found, others))
}

/// Marks findings as printed, after the output has accepted them. A finding to which events were added meanwhile is
/// marked too, unless it has become more severe; states set by people are kept.
///
/// # Errors
/// If the mark cannot be recorded; the next run then prints the findings again.
pub async fn mark_delivered(
    lake: &Lake,
    printed: &[RecordedFinding],
    at: DateTime<Utc>,
) -> Result<(), RunError> {
    if printed.is_empty() {
        return Ok(());
    }
    let severities: HashMap<&str, Severity> = printed
        .iter()
        .map(|RecordedFinding { finding, .. }| (finding.finding_id.as_str(), finding.severity))
        .collect();
    for _ in 0..MAX_ATTEMPTS {
        let findings = lake.findings().await?;
        let session = Session::over_findings(&findings.rows)?;
        let session =
            session.with_strings("printed_ids", "finding_id", severities.keys().copied())?;
        let sql = "SELECT * FROM findings
            WHERE state = 'new' AND finding_id IN (SELECT finding_id FROM printed_ids)";
        let mut states = read_recorded(&session, sql).await?;
        states.retain(|RecordedFinding { finding, .. }| {
            severities.get(finding.finding_id.as_str()).is_some_and(|was| finding.severity <= *was)
        });
        for recorded in &mut states {
            recorded.sequence += 1;
            recorded.state = FindingState::Delivered;
            recorded.state_at = at;
            recorded.state_by = Some(RECORDER.to_owned());
        }
        if states.is_empty() {
            return Ok(());
        }
        let rows = state_rows(&states)?;
        if lake.commit_findings(&findings, rows, None).await?.is_some() {
            return Ok(());
        }
    }
    Err(LakeError::Contention { table: "findings", attempts: MAX_ATTEMPTS }.into())
}
