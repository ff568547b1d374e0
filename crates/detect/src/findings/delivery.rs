//! Delivery: which findings nobody has printed yet, and the mark that they were.
//!
//! A run records first and prints then. What it printed is marked in a commit of its own, once the output has taken it: a run
//! that is killed between, or whose output fails, leaves its findings as they were, and the next run prints them again. So
//! each finding is printed at least once, and known by its id where it is printed twice.

use std::collections::{BTreeSet, HashMap};
use std::fs::{File, OpenOptions, TryLockError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use chrono::Utc;
use podtrail_lake::{Lake, LakeError};
use podtrail_query::{QueryError, Session};

use crate::findings::continuity::RECORDER;
use crate::findings::stored::{Recorded, State, add_strings, read_recorded, state_rows};
use crate::pack::severity::Severity;
use crate::run::incremental::RunError;

/// The file in a lake by whose lock one run at a time delivers. It is empty.
const LOCK: &str = "detect.lock";

/// How often a run that waits for another looks again.
const LOOK: Duration = Duration::from_millis(50);

/// Each failed attempt means that another writer has succeeded.
const MAX_ATTEMPTS: usize = 100;

/// Which findings a run prints.
#[derive(Debug, Clone)]
pub struct Printed<'a> {
    /// Those of this severity or above.
    pub least: Severity,
    /// Those of these detections and checks; of all where there are none.
    pub detections: &'a [String],
    /// Those that this run recorded last; of all runs without it.
    pub run: Option<&'a str>,
}

/// The turn to deliver: while one run has it, no other prints what earlier runs have left. The end of the process, however it
/// ends, gives it back.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "it is locked as long as it is open")] Option<File>);

impl Turn {
    /// Waits for the turn, at most as long as `patience`; `None` if another run has it still.
    ///
    /// Where the file system has no locks each run has its turn, and two at once may print the same.
    pub fn take(lake: &Lake, patience: Duration) -> Option<Self> {
        let path = lake.dir().join(LOCK);
        let Ok(file) = OpenOptions::new().create(true).truncate(false).write(true).open(path)
        else {
            return Some(Self(None));
        };
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Some(Self(Some(file))),
                Err(TryLockError::WouldBlock) if started.elapsed() < patience => sleep(LOOK),
                Err(TryLockError::WouldBlock) => return None,
                Err(TryLockError::Error(_)) => return Some(Self(None)),
            }
        }
    }
}

/// The findings that no run is known to have printed, most severe first, then in order of time; and how many there are that
/// are not of `printed`.
///
/// # Errors
/// When the findings cannot be read.
pub async fn undelivered(
    lake: &Lake,
    printed: &Printed<'_>,
) -> Result<(Vec<Recorded>, u64), RunError> {
    const NEW: &str = "state = 'new'";
    let session = Session::over_findings(&lake.findings().await?.rows)?;
    let severities = Severity::ALL.into_iter().filter(|severity| *severity >= printed.least);
    let severities: Vec<_> = severities.map(|severity| format!("'{severity}'")).collect();
    let mut wanted = format!("{NEW} AND severity IN ({})", severities.join(", "));
    if !printed.detections.is_empty() {
        let ids: BTreeSet<_> = printed.detections.iter().map(String::as_str).collect();
        add_strings(&session, "printed_detections", "detection", &ids)?;
        wanted += " AND detection IN (SELECT detection FROM printed_detections)";
    }
    if let Some(run) = printed.run {
        add_strings(&session, "printed_runs", "run", &BTreeSet::from([run]))?;
        wanted += " AND detect_run IN (SELECT run FROM printed_runs)";
    }
    let mut found =
        read_recorded(&session, &format!("SELECT * FROM findings WHERE {wanted}")).await?;
    found.sort_by(|Recorded { finding: a, .. }, Recorded { finding: b, .. }| {
        (b.severity, a.first_seen, &a.finding_id).cmp(&(a.severity, b.first_seen, &b.finding_id))
    });
    let all = session.sql(&format!("SELECT count(*) FROM findings WHERE {NEW}")).await?;
    let all = all.collect().await.map_err(QueryError::from)?;
    let all = all.iter().filter_map(|batch| batch.column(0).as_primitive_opt::<Int64Type>());
    let all: i64 = all.flat_map(|counts| counts.values().iter()).sum();
    let others = u64::try_from(all).unwrap_or_default().saturating_sub(found.len() as u64);
    Ok((found, others))
}

/// Marks findings as printed: the output has taken them. One of which more was recorded meanwhile was printed too, unless it
/// has become more severe; what people have said of one stays.
///
/// # Errors
/// When that cannot be recorded: the next run prints them again.
pub async fn mark_delivered(lake: &Lake, printed: &[Recorded]) -> Result<(), RunError> {
    if printed.is_empty() {
        return Ok(());
    }
    let severities: HashMap<&str, Severity> = printed
        .iter()
        .map(|Recorded { finding, .. }| (finding.finding_id.as_str(), finding.severity))
        .collect();
    let ids = severities.keys().copied().collect();
    for _ in 0..MAX_ATTEMPTS {
        let findings = lake.findings().await?;
        let session = Session::over_findings(&findings.rows)?;
        add_strings(&session, "printed_ids", "finding_id", &ids)?;
        let sql = "SELECT * FROM findings
            WHERE state = 'new' AND finding_id IN (SELECT finding_id FROM printed_ids)";
        let mut states = read_recorded(&session, sql).await?;
        states.retain(|Recorded { finding, .. }| {
            severities.get(finding.finding_id.as_str()).is_some_and(|was| finding.severity <= *was)
        });
        for recorded in &mut states {
            recorded.sequence += 1;
            recorded.state = State::Delivered;
            recorded.state_at = Utc::now();
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
