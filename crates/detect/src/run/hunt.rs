//! Runs a pack over a session.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use chrono::{DateTime, Utc};
use datafusion::common::runtime::SpawnedTask;
use futures::{StreamExt, stream};
use podtrail_event::{Finding, Severity};
use podtrail_query::{Optimized, QueryError, Session};

use crate::error::DetectError;
use crate::evidence::Evidence;
use crate::findings::finding::{self, Hit};
use crate::incidents::join::{Weight, join};
use crate::incidents::traces::Traces;
use crate::pack::Pack;
use crate::pack::detection::{Detection, Input};
use crate::pack::exceptions::{Effect, Exception};
use crate::pack::facts::{FACTS, facts};
use crate::run::evidence;

/// The result of running a pack.
#[derive(Debug, Default)]
pub struct Hunt {
    /// The findings, most severe first, then by time.
    pub findings: Vec<Finding>,
    /// The findings that exceptions hide.
    pub excepted: Vec<Excepted>,
    /// The exceptions that have expired and are not applied.
    pub expired: Vec<Exception>,
    /// The detections that failed; the others ran.
    pub failures: Vec<Failure>,
    /// The number of detections that ran.
    pub detections: usize,
    /// The ids of the findings that only their id identifies: other findings of their detection may have the same
    /// events.
    pub keyed: HashSet<String>,
}

/// A finding that an exception hides.
#[derive(Debug)]
pub struct Excepted {
    /// The id of the exception.
    pub exception: String,
    /// The hidden finding.
    pub finding: Finding,
}

/// A detection that failed.
#[derive(Debug)]
pub struct Failure {
    /// The detection's id.
    pub detection: String,
    /// The error.
    pub error: DetectError,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "detection {}: {}", self.detection, self.error)
    }
}

/// One row that a detection returned.
struct Match {
    event_ids: Vec<String>,
    reason: String,
    severity: Option<Severity>,
    /// The points, if they differ from those of the detection.
    risk: Option<i64>,
    /// The ATT&CK techniques; empty for those of the detection.
    attack: Vec<String>,
    /// Whether the query returned a list of events: they form one finding, regardless of their objects.
    is_episode: bool,
    /// Distinguishes episodes with the same events.
    key: Option<String>,
}

/// Runs every detection of `pack`, groups the matches into findings, and lowers or hides those that its exceptions
/// cover.
///
/// A detection that fails is reported next to the findings of the others. `jobs` queries run in parallel; `None`
/// means one per core. Ages in parameters, and the expiry of exceptions and indicators, are relative to `now`.
///
/// # Errors
/// If the events behind the matches cannot be read, or the shared tables and views cannot be set up.
pub async fn hunt(
    session: &Session,
    pack: &Pack,
    jobs: Option<NonZeroUsize>,
    now: DateTime<Utc>,
) -> Result<Hunt, QueryError> {
    let jobs = jobs.or_else(|| available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let today = now.date_naive();
    let (expired, exceptions): (Vec<_>, Vec<_>) =
        pack.exceptions().iter().partition(|exception| exception.is_expired(today));
    let mut hunt = Hunt {
        expired: expired.into_iter().cloned().collect(),
        detections: pack.detections().count(),
        ..Hunt::default()
    };
    let session = pack.prepare(session, now)?;
    let limits = pack.limits_of_exceptions();
    let mut events = HashMap::new();
    for input in [Input::Events, Input::Facts] {
        let facts =
            facts(&hunt.findings, |finding, id| event(&events, id, finding.cluster.as_deref()))
                .map_err(|error| QueryError::Sql(error.into()))?;
        let session = session.with_rows(FACTS, facts)?;
        let detections = pack.detections().filter(|detection| detection.head.input == input);
        let found = search(&session, detections, jobs, now, &mut events, &mut hunt).await?;
        for mut finding in found {
            let cluster = finding.cluster.as_deref();
            let ids = finding.event_ids.iter();
            let evidence: Vec<_> = ids.filter_map(|id| event(&events, id, cluster)).collect();
            let covering = exceptions
                .iter()
                .filter(|exception| exception.covers(&finding, &evidence, &limits));
            // If exceptions both hide and lower a finding, hiding takes precedence, because a user chose it.
            let covering = covering.max_by_key(|exception| exception.effect == Effect::Hide);
            match covering {
                Some(Exception { id, effect: Effect::Hide, .. }) => {
                    hunt.excepted.push(Excepted { exception: id.clone(), finding });
                }
                Some(Exception { id, reason, effect: Effect::Lower, .. }) => {
                    finding::lower(&mut finding, Severity::Low, id, reason);
                    finding.reasons.push(format!("exception {id}: {reason}"));
                    hunt.findings.push(finding);
                }
                None => hunt.findings.push(finding),
            }
        }
    }
    hunt.findings
        .sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.first_seen.cmp(&b.first_seen)));
    Ok(hunt)
}

/// Sets the incidents of the findings of a hunt, from the traces in their events.
///
/// # Errors
/// If the events cannot be read.
pub async fn find_incidents(
    session: &Session,
    pack: &Pack,
    hunt: &mut Hunt,
) -> Result<(), QueryError> {
    let combined = pack.combined();
    let strong = |finding: &&Finding| Weight::of(finding, &combined) == Weight::Strong;
    tracing::debug!(findings = hunt.findings.len(), "reading the traces");
    let traces = Traces::read(session, hunt.findings.iter().filter(strong)).await?;
    join(&mut hunt.findings, &traces, &combined);
    Ok(())
}

/// Events by id: the same event may be in the logs of several clusters.
type Events = HashMap<String, Vec<Evidence>>;

fn event<'a>(events: &'a Events, id: &str, cluster: Option<&str>) -> Option<&'a Evidence> {
    events.get(id)?.iter().find(|event| event.cluster.as_deref() == cluster)
}

/// Runs detections in parallel, and adds the events behind their matches to `events`.
async fn search<'a>(
    session: &Session,
    detections: impl Iterator<Item = &'a Detection>,
    jobs: NonZeroUsize,
    now: DateTime<Utc>,
    events: &mut Events,
    hunt: &mut Hunt,
) -> Result<Vec<Finding>, QueryError> {
    let detections: Vec<&Detection> = detections.collect();
    let has_routine = detections.iter().any(|detection| detection.head.routine.is_some());
    let time = session.time();
    let queries = side_by_side(
        jobs,
        time,
        detections.iter().copied().map(|detection| {
            let (session, detection) = (session.clone(), detection.clone());
            async move { query(&session, &detection, now).await }
        }),
    )
    .await;
    let routine = if has_routine { Some(evidence::routine(session).await?) } else { None };
    // Reading the evidence reads why events are routine, too.
    let shared = Optimized::share(queries.into_iter().chain(routine.map(Ok)).collect())?;
    let results = side_by_side(
        jobs,
        time,
        shared.into_iter().zip(&detections).map(|(query, detection)| {
            let id = detection.head.id.clone();
            async move {
                let started = Instant::now();
                let rows = query?.collect().await;
                tracing::debug!(detection = id, elapsed = ?started.elapsed(), "the query has run");
                matches(&rows?)
            }
        }),
    )
    .await;
    let results: Vec<_> = detections.into_iter().zip(results).collect();

    let ids: BTreeSet<String> = results
        .iter()
        .filter_map(|(_, result)| result.as_ref().ok())
        .flatten()
        .flat_map(|matched| &matched.event_ids)
        .filter(|id| !events.contains_key(*id))
        .cloned()
        .collect();
    tracing::debug!(events = ids.len(), "reading the evidence");
    for event in evidence::read(session, &ids, has_routine).await? {
        events.entry(event.event_id.clone()).or_default().push(event);
    }

    let mut found = Vec::new();
    for (detection, result) in results {
        match result {
            Ok(matches) => {
                let (episodes, single): (Vec<_>, Vec<_>) =
                    matches.iter().partition(|matched| matched.is_episode);
                let single: Vec<_> =
                    single.into_iter().flat_map(|matched| hits(matched, events)).collect();
                found.extend(finding::findings(&detection.head, &single));
                for episode in episodes {
                    let key = episode.key.as_deref();
                    let episodes = finding::episodes(&detection.head, hits(episode, events), key);
                    if key.is_some() {
                        hunt.keyed.extend(episodes.iter().map(|found| found.finding_id.clone()));
                    }
                    found.extend(episodes);
                }
            }
            Err(error) => {
                hunt.failures.push(Failure { detection: detection.head.id.clone(), error });
            }
        }
    }
    Ok(found)
}

/// Returns the events of a match.
fn hits<'a>(matched: &'a Match, events: &'a Events) -> Vec<Hit<'a>> {
    let events = matched.event_ids.iter().filter_map(|id| events.get(id)).flatten();
    let Match { reason, severity, risk, attack, .. } = matched;
    events.map(|event| Hit { event, reason, severity: *severity, risk: *risk, attack }).collect()
}

/// Runs tasks, at most `jobs` at a time, each on a core of its own and within the time limit `time`; returns their
/// results in the order of the tasks. A task that cannot be cancelled is abandoned.
async fn side_by_side<T: Send + 'static>(
    jobs: NonZeroUsize,
    time: Option<Duration>,
    tasks: impl Iterator<Item: Future<Output = Result<T, DetectError>> + Send + 'static>,
) -> Vec<Result<T, DetectError>> {
    let tasks = tasks.map(|task| async move {
        let task = SpawnedTask::spawn(task);
        let result = match time {
            None => task.await,
            Some(time) => match tokio::time::timeout(time, task).await {
                Ok(result) => result,
                Err(_) => return Err(DetectError::Time(time)),
            },
        };
        result.unwrap_or_else(|error| Err(DetectError::Task(error)))
    });
    stream::iter(tasks).buffered(jobs.get()).collect().await
}

async fn query(
    session: &Session,
    detection: &Detection,
    now: DateTime<Utc>,
) -> Result<Optimized, DetectError> {
    let query = session.sql(&detection.sql).await?;
    Ok(query.with_parameters(detection.parameters(now)?)?.optimize()?)
}

fn matches(batches: &[RecordBatch]) -> Result<Vec<Match>, DetectError> {
    let mut matches = Vec::new();
    for batch in batches {
        matches_of(batch, &mut matches)?;
    }
    Ok(matches)
}

fn matches_of(batch: &RecordBatch, matches: &mut Vec<Match>) -> Result<(), DetectError> {
    let column = |name| batch.column_by_name(name).ok_or(DetectError::Column(name));
    let reasons = strings(column("reason")?, "reason")?;
    let severities = batch.column_by_name("severity");
    let severities = severities.map(|severities| strings(severities, "severity")).transpose()?;
    let risks = batch.column_by_name("risk");
    let risks = risks.map(|risks| integers(risks, "risk")).transpose()?;
    let keys = batch.column_by_name("key");
    let keys = keys.map(|keys| strings(keys, "key")).transpose()?;
    let attack = batch.column_by_name("attack");
    let attack =
        attack.map(|column| column.as_list_opt::<i32>().ok_or(DetectError::Column("attack")));
    let attack = attack.transpose()?;
    let ids = column("event_id")?;
    let lists = ids.as_list_opt::<i32>();
    for row in 0..batch.num_rows() {
        let ids = lists.map_or_else(|| ids.slice(row, 1), |lists| lists.value(row));
        let ids = strings(&ids, "event_id")?;
        let event_ids = ids.iter().flatten().map(str::to_owned).collect();
        let reason = if reasons.is_valid(row) { reasons.value(row) } else { "" };
        let severity = match &severities {
            Some(severities) if severities.is_valid(row) => Some(severity(severities.value(row))?),
            _ => None,
        };
        let attack = match attack.filter(|attack| attack.is_valid(row)) {
            Some(attack) => {
                let techniques = strings(&attack.value(row), "attack")?;
                techniques.iter().flatten().map(str::to_owned).collect()
            }
            None => Vec::new(),
        };
        let risk = risks.as_ref().filter(|risks| risks.is_valid(row));
        let risk = risk.map(|risks| risks.value(row));
        let is_episode = lists.is_some();
        let key = keys.as_ref().filter(|keys| keys.is_valid(row));
        let key = key.map(|keys| keys.value(row).to_owned());
        let reason = reason.to_owned();
        matches.push(Match { event_ids, reason, severity, risk, attack, is_episode, key });
    }
    Ok(())
}

fn severity(name: &str) -> Result<Severity, DetectError> {
    name.parse().map_err(|_| DetectError::Severity(name.to_owned()))
}

/// Returns a column of any string type: which type a query returns depends on the functions that it uses.
fn strings(column: &ArrayRef, name: &'static str) -> Result<StringArray, DetectError> {
    let is_string =
        matches!(column.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let column = is_string.then(|| cast(column, &DataType::Utf8).ok()).flatten();
    column.and_then(|column| column.as_string_opt().cloned()).ok_or(DetectError::Column(name))
}

/// Returns a column of any integer type.
fn integers(column: &ArrayRef, name: &'static str) -> Result<Int64Array, DetectError> {
    let is_integer = column.data_type().is_integer();
    let column = is_integer.then(|| cast(column, &DataType::Int64).ok()).flatten();
    column.and_then(|column| column.as_primitive_opt().cloned()).ok_or(DetectError::Column(name))
}
