//! Incremental detection: each run examines the events added since the last one, and records each finding once,
//! together with its progress.

use std::collections::{BTreeSet, HashSet};
use std::mem;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use podtrail_event::{Finding, FindingState, RecordedFinding};
use podtrail_lake::{DetectRun, Findings, Lake, LakeError, Mark, Period, Snapshot, Version};
use podtrail_query::{Limits, QueryEngine, QueryError, Scope, Session};

use crate::error::RunError;
use crate::findings::continuity::{Candidate, Memory};
use crate::findings::stored::state_rows;
use crate::incidents::join::{REACH, Weight, join};
use crate::incidents::traces::Traces;
use crate::indicators::{INDICATOR_DETECTION, Indicators};
use crate::pack::Pack;
use crate::pack::exceptions::Exception;
use crate::run::event_ids::event_ids;
use crate::run::examined::{ADDED, after, before};
use crate::run::health::{self, HealthOptions};
use crate::run::hunt::{Failure, Hunt, hunt};

/// The maximum number of periods that are examined one by one; back-filled logs are separate periods.
const MAX_PERIODS: usize = 8;

/// The maximum number of commit attempts; each failed attempt means that another writer has succeeded.
const MAX_ATTEMPTS: usize = 100;

/// The options of a run.
#[derive(Debug, Clone)]
pub struct DetectOptions {
    /// The context of new events that detections read before and after them, and the length of the look-back before
    /// that.
    pub lookback: Duration,
    /// The ids of the detections in the pack, if it is not complete: they have a mark of their own.
    pub only: Vec<String>,
    /// Events to examine again, even if runs have checked them; no mark moves.
    pub again: Option<Again>,
    /// The health checks to run; `None` for none.
    pub health: Option<HealthOptions>,
    /// The limits of the queries.
    pub limits: Limits,
    /// Runs the queries over events.
    pub engine: Arc<dyn QueryEngine>,
    /// The indicators to search for in this and later runs; `None` for those stored in the lake.
    pub indicators: Option<Indicators>,
    /// The number of detections that run in parallel; `None` for one per core.
    pub jobs: Option<NonZeroUsize>,
    /// Accounts that act for others by design, as in [`Scope::impersonation_proxies`].
    pub impersonation_proxies: Vec<String>,
    /// The start of the run.
    pub now: DateTime<Utc>,
}

/// A period of events to examine again.
#[derive(Debug, Clone, Copy, Default)]
pub struct Again {
    /// The first instant, inclusive; `None` for the start of the lake.
    pub from: Option<DateTime<Utc>>,
    /// The end, exclusive; `None` for the end of the lake.
    pub to: Option<DateTime<Utc>>,
}

impl Again {
    /// Returns the condition on a row of `events`, as SQL.
    fn condition(&self) -> String {
        let bound = |sign, time: Option<DateTime<Utc>>| {
            time.map(|time| format!(" AND time {sign} TIMESTAMP '{}'", time.to_rfc3339()))
        };
        bound(">=", self.from).unwrap_or_default() + &bound("<", self.to).unwrap_or_default()
    }
}

impl DetectOptions {
    fn mark(&self) -> Mark {
        if self.again.is_some() {
            return Mark::Unmoved;
        }
        if self.only.is_empty() {
            return Mark::All;
        }
        let ids: BTreeSet<_> = self.only.iter().collect();
        let mut hasher = blake3::Hasher::new();
        for id in ids {
            hasher.update(id.as_bytes()).update(b"\n");
        }
        Mark::Some(hasher.finalize().to_hex().to_string())
    }
}

/// The result of a run. Its findings are recorded, and [`undelivered`](crate::undelivered) until they are confirmed
/// as printed.
#[derive(Debug)]
pub struct Detected {
    /// The run, as recorded in the log of the lake.
    pub run: DetectRun,
    /// The number of findings that were seen again.
    pub seen_again: usize,
    /// The number of findings that exceptions suppress.
    pub suppressed: usize,
    /// The number of events examined.
    pub events: u64,
    /// The number of indicators that were new to the lake, and therefore searched for in all of it.
    pub new_indicators: usize,
    /// The exceptions that have expired and are not applied.
    pub expired: Vec<Exception>,
    /// The detections that failed. The next run examines the same events again.
    pub failures: Vec<Failure>,
}

/// The indicators of a run.
#[derive(Default)]
struct Applied {
    /// The list that the lake stores after the run has searched for all of it.
    remember: Option<Indicators>,
    /// Indicators that no run has searched for yet: they are searched for in the whole lake.
    new: Indicators,
}

impl Applied {
    /// Gives `pack` the indicators to search for.
    ///
    /// A run without the indicator detection, or one that examines a period again, does not change the stored list.
    fn of(lake: &Lake, pack: &mut Pack, options: &DetectOptions) -> Result<Self, RunError> {
        if pack.get(INDICATOR_DETECTION).is_none() {
            return Ok(Self::default());
        }
        let known = remembered_indicators(lake)?.unwrap_or_default();
        let Some(given) = &options.indicators else {
            pack.set_indicators(known);
            return Ok(Self::default());
        };
        pack.set_indicators(given.clone());
        if options.again.is_some() || *given == known {
            return Ok(Self::default());
        }
        let new = given.added_to(&known, options.now);
        Ok(Self { remember: Some(given.clone()), new })
    }
}

/// Returns the indicators stored in the lake: those given to the last run of [`detect`] with a list.
///
/// # Errors
/// If they cannot be read.
pub fn remembered_indicators(lake: &Lake) -> Result<Option<Indicators>, RunError> {
    let lines = lake.indicators()?;
    Ok(lines.map(|lines| Indicators::from_lines(&lines)).transpose()?)
}

/// The findings in the events added since a watermark.
struct Seen {
    version: Version,
    watermark: Option<i64>,
    run: DetectRun,
    candidates: Vec<Candidate>,
    health: Vec<Candidate>,
    events: u64,
    expired: Vec<Exception>,
    failures: Vec<Failure>,
}

/// Runs `pack` over the events added to `lake` since the last complete run, and records the findings.
///
/// Findings and watermark are one commit: after a crash, the next run starts at the last commit and prints the findings
/// that were not printed. Of two concurrent runs, the slower one repeats its examination from the watermark of the
/// faster one.
///
/// # Errors
/// If the lake cannot be read or written, or was opened without a table of findings. Nothing is recorded then.
pub async fn detect(
    lake: &Lake,
    pack: &Pack,
    options: &DetectOptions,
    run_id: &str,
) -> Result<Detected, RunError> {
    let started = Instant::now();
    let mark = options.mark();
    let mut pack = pack.clone();
    let applied = Applied::of(lake, &mut pack, options)?;
    let mut seen: Option<Seen> = None;
    for _ in 0..MAX_ATTEMPTS {
        let findings = lake.findings_at(&mark).await?;
        let mut looked = match seen.take().filter(|seen| seen.watermark == findings.watermark) {
            Some(seen) => seen,
            None => Box::pin(look(lake, &pack, options, &applied, &findings, run_id)).await?,
        };
        looked.run.finished_at = options.now + started.elapsed();
        let changes = changes(lake, &pack, &findings.rows, &looked, options).await?;
        let rows = state_rows(&changes)?;
        if lake.commit_findings(&findings, rows, Some((&looked.run, &mark))).await?.is_some() {
            // Only after the findings are recorded: if the run is killed here, the next one searches again and finds
            // the same.
            if let Some(indicators) = applied.remember.filter(|_| looked.run.complete) {
                lake.remember_indicators(&indicators.to_lines()?)?;
            }
            return Ok(detected(looked, applied.new.len(), &changes));
        }
        seen = Some(looked);
    }
    Err(LakeError::Contention { table: "findings", attempts: MAX_ATTEMPTS }.into())
}

fn detected(seen: Seen, new_indicators: usize, changes: &[RecordedFinding]) -> Detected {
    let count = |state| changes.iter().filter(|recorded| recorded.state == state).count();
    let (seen_again, suppressed) =
        (count(FindingState::SeenAgain), count(FindingState::Suppressed));
    Detected {
        run: seen.run,
        seen_again,
        suppressed,
        events: seen.events,
        new_indicators,
        expired: seen.expired,
        failures: seen.failures,
    }
}

/// Returns the states that the findings add to those recorded.
async fn changes(
    lake: &Lake,
    pack: &Pack,
    recorded: &Snapshot,
    seen: &Seen,
    options: &DetectOptions,
) -> Result<Vec<RecordedFinding>, RunError> {
    let all = seen.candidates.iter().chain(&seen.health).map(|candidate| &candidate.finding);
    let mut memory = Memory::read(recorded, all).await?;
    for candidate in &seen.candidates {
        memory.observe(candidate, &seen.run);
    }
    for candidate in &seen.health {
        memory.observe_health(candidate, &seen.run, options.lookback);
    }
    join_incidents(lake, pack, recorded, &mut memory, seen, options).await?;
    Ok(memory.into_changes(&seen.run))
}

/// Sets the incidents of the findings that a run changes: those of recorded findings from about the same time, if they
/// belong together. An incident that turns out to be part of an older one is merged into it.
async fn join_incidents(
    lake: &Lake,
    pack: &Pack,
    recorded: &Snapshot,
    memory: &mut Memory,
    seen: &Seen,
    options: &DetectOptions,
) -> Result<(), RunError> {
    let Some((first, last)) = memory.changed_period() else { return Ok(()) };
    let (from, to) = (before(first, REACH), after(last, REACH));
    memory.read_incidents(recorded, from, to).await?;
    let combined = pack.combined();
    let mut findings = memory.shown();
    let strong = |finding: &&Finding| Weight::of(finding, &combined) == Weight::Strong;
    let traces = if findings.iter().any(|finding| strong(&finding)) {
        let events = seen.version.between(from.date_naive(), to.date_naive())?;
        let scope = Scope {
            from: Some(from),
            to: Some(to),
            impersonation_proxies: options.impersonation_proxies.clone(),
            ..Scope::default()
        };
        let session = Session::open_at(lake, &events, scope, options.limits)?;
        Traces::read(&session, findings.iter().filter(strong)).await?
    } else {
        Traces::default()
    };
    join(&mut findings, &traces, &combined);
    memory.set_incidents(findings);
    Ok(())
}

/// Examines the events added since the watermark.
async fn look(
    lake: &Lake,
    pack: &Pack,
    options: &DetectOptions,
    applied: &Applied,
    findings: &Findings,
    run_id: &str,
) -> Result<Seen, RunError> {
    let started_at = options.now;
    let version = lake.events_version().await?;
    let added = match (options.again, findings.watermark) {
        (Some(again), _) => {
            let day = |time: Option<DateTime<Utc>>| time.map(|time| time.date_naive());
            let (first, last) = (day(again.from), day(again.to));
            version.between(first.unwrap_or(NaiveDate::MIN), last.unwrap_or(NaiveDate::MAX))?
        }
        (None, Some(watermark)) if watermark <= version.number() => {
            version.added_after(watermark)?
        }
        _ => version.snapshot()?,
    };
    let mut seen = Seen {
        version: version.clone(),
        watermark: findings.watermark,
        run: DetectRun {
            id: run_id.to_owned(),
            started_at,
            finished_at: started_at,
            events_version: version.number(),
            complete: true,
        },
        candidates: Vec::new(),
        health: Vec::new(),
        events: added.num_rows()?.unwrap_or_default(),
        expired: Vec::new(),
        failures: Vec::new(),
    };
    for period in added.periods(options.lookback, MAX_PERIODS)? {
        let session = open(lake, &version, &added, period, options)?;
        let mut found = hunt(&session, pack, options.jobs, options.now).await?;
        seen.expired = mem::take(&mut found.expired);
        let known = seen.failures.iter().map(|failure| failure.detection.clone());
        let known: HashSet<_> = known.collect();
        let failures = found.failures.drain(..);
        seen.failures.extend(failures.filter(|f| !known.contains(&f.detection)));
        let mut candidates = candidates(found);
        let again = options.again.as_ref().map(Again::condition).unwrap_or_default();
        keep_new(&session, &mut candidates, &again).await?;
        seen.candidates.extend(candidates);
        if let Some(health) = &options.health {
            seen.health.extend(health::of_period(&session, period, health).await?);
        }
    }
    // A first run has already examined the whole lake.
    if !applied.new.is_empty() && findings.watermark.is_some() {
        look_back(lake, pack, options, applied, &version, &mut seen).await?;
    }
    if let Some(health) = &options.health {
        let last = lake.last_detect_run(findings)?;
        let last = last.as_ref();
        let lookback = options.lookback;
        let found = health::of_lake(lake, &version, last, started_at, lookback, health).await?;
        seen.health.extend(found);
    }
    // First seen first, independent of the order of periods and detections.
    seen.candidates.sort_by(|a, b| {
        let key = |candidate: &Candidate| {
            (candidate.finding.first_seen, candidate.finding.finding_id.clone())
        };
        key(a).cmp(&key(b))
    });
    seen.run.complete = seen.failures.is_empty();
    Ok(seen)
}

/// Searches the whole lake for new indicators.
async fn look_back(
    lake: &Lake,
    pack: &Pack,
    options: &DetectOptions,
    applied: &Applied,
    version: &Version,
    seen: &mut Seen,
) -> Result<(), RunError> {
    let mut pack = pack.clone();
    pack.keep(|detection| detection.head.id == INDICATOR_DETECTION);
    pack.set_indicators(applied.new.clone());
    let all = version.snapshot()?;
    for period in all.periods(options.lookback, MAX_PERIODS)? {
        let session = open(lake, version, &all, period, options)?;
        let mut found = hunt(&session, &pack, options.jobs, options.now).await?;
        seen.failures.append(&mut found.failures);
        let mut candidates = candidates(found);
        keep_new(&session, &mut candidates, "").await?;
        seen.candidates.extend(candidates);
    }
    Ok(())
}

/// Opens a session over a period with new events and its surroundings.
fn open(
    lake: &Lake,
    version: &Version,
    added: &Snapshot,
    period: Period,
    options: &DetectOptions,
) -> Result<Session, RunError> {
    let lookback = TimeDelta::from_std(options.lookback).unwrap_or(TimeDelta::MAX);
    let from = before(period.first, lookback);
    let known_from = before(from, lookback);
    // Known events may continue after new ones: a late log may be the beginning of an episode.
    let to = after(period.last, lookback).max(after(period.last, TimeDelta::microseconds(1)));
    let events = version.between(known_from.date_naive(), to.date_naive())?;
    let scope = Scope {
        from: Some(from),
        to: Some(to),
        history: Some(options.lookback),
        impersonation_proxies: options.impersonation_proxies.clone(),
        ..Scope::default()
    };
    let session = Session::open_at(lake, &events, scope, options.limits)?;
    Ok(session.with_engine(options.engine.clone()).with_snapshot(ADDED, added)?)
}

fn candidates(hunt: Hunt) -> Vec<Candidate> {
    let Hunt { findings, excepted, keyed, .. } = hunt;
    let excepted =
        excepted.into_iter().map(|excepted| (excepted.finding, Some(excepted.exception)));
    let all = findings.into_iter().map(|finding| (finding, None)).chain(excepted);
    all.map(|(finding, exception)| {
        let is_keyed = keyed.contains(&finding.finding_id);
        Candidate { finding, exception, new_events: HashSet::new(), is_keyed }
    })
    .collect()
}

/// Keeps the candidates whose evidence has an added row for which a condition holds.
///
/// Reads only the ids of these rows, and keeps only those in the evidence.
async fn keep_new(
    session: &Session,
    candidates: &mut Vec<Candidate>,
    condition: &str,
) -> Result<(), QueryError> {
    let ids: BTreeSet<&str> = candidates
        .iter()
        .flat_map(|candidate| &candidate.finding.event_ids)
        .map(String::as_str)
        .collect();
    if ids.is_empty() {
        return Ok(());
    }
    let session = session.with_strings("candidate_events", "event_id", ids)?;
    let sql = format!(
        "SELECT cluster, event_id FROM {ADDED}
        WHERE event_id IN (SELECT event_id FROM candidate_events){condition}"
    );
    let added = event_ids(&session, &sql).await?;
    for candidate in &mut *candidates {
        let Some(added) = added.get(&candidate.finding.cluster) else { continue };
        let events = candidate.finding.event_ids.iter();
        candidate.new_events = events.filter(|id| added.contains(*id)).cloned().collect();
    }
    candidates.retain(|candidate| !candidate.new_events.is_empty());
    Ok(())
}
