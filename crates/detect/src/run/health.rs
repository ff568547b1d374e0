//! Health checks of the lake: they report missing or reduced logs, which detections over events cannot see.
//!
//! Their findings have no events. A finding represents one episode, and is not reported again while the episode lasts.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use podtrail_event::{CLOCK_SKEW, Confidence, Finding, Severity, Source, TimeProblem};
use podtrail_lake::{DetectRun, Lake, Period, Snapshot, Version};
use podtrail_query::{QueryError, Session, instant_sql};

use crate::error::RunError;
use crate::findings::continuity::Candidate;
use crate::findings::finding::digest;
use crate::run::examined::{ADDED, after, before};

/// The options of the health checks.
#[derive(Debug, Clone, Default)]
pub struct HealthOptions {
    /// How long a cluster may send no event before it is reported as silent; `None` disables the check.
    pub silence: Option<Duration>,
    /// The expected interval between runs; `None` disables the check for skipped runs.
    pub every: Option<Duration>,
    /// The ids of the checks to run; empty for all.
    pub only: Vec<String>,
}

/// A health check of the lake.
#[derive(Debug, Clone, Copy)]
pub struct HealthCheck {
    /// The id, which is unique among detections and checks.
    pub id: &'static str,
    /// A short title for lists.
    pub title: &'static str,
    /// The severity of its findings.
    pub severity: Severity,
    /// MITRE ATT&CK technique ids: what an adversary does to cause this.
    pub attack: &'static [&'static str],
    /// What it detects.
    pub description: &'static str,
}

const SILENT: HealthCheck = HealthCheck {
    id: "cluster-silent",
    title: "No audit events from a cluster",
    severity: Severity::High,
    attack: &["T1685"],
    description: "A cluster has sent no event for longer than --silence.",
};

const LEVEL: HealthCheck = HealthCheck {
    id: "audit-level-dropped",
    title: "Audit level dropped",
    severity: Severity::Medium,
    attack: &["T1685"],
    description: "No new request for a resource is logged at the level that at least nine of ten requests had in the look-back.",
};

const BODIES: HealthCheck = HealthCheck {
    id: "bodies-missing",
    title: "Request bodies missing",
    severity: Severity::Medium,
    attack: &["T1685"],
    description: "Almost no new write of workloads or RBAC objects has a body, although most had one in the look-back and the audit level includes it.",
};

const QUARANTINE: HealthCheck = HealthCheck {
    id: "quarantine-jump",
    title: "Sharp rise in quarantined records",
    severity: Severity::Medium,
    attack: &["T1685"],
    description: "Since the last run, at least ten records were quarantined, and ten times as many as in a period of this length in the look-back.",
};

const SKIPPED: HealthCheck = HealthCheck {
    id: "run-skipped",
    title: "Detection run skipped",
    severity: Severity::Low,
    attack: &[],
    description: "The interval between two detection runs was more than twice --every.",
};

/// All health checks.
pub static HEALTH_CHECKS: [HealthCheck; 5] = [SILENT, LEVEL, BODIES, QUARANTINE, SKIPPED];

/// The minimum number of requests for a baseline.
const LEAST_REQUESTS: i64 = 20;

/// The minimum number of quarantined records to report.
const LEAST_REFUSED: i64 = 10;

/// The factor above the baseline to report.
const JUMP: i64 = 10;

/// Counts new and earlier requests for a resource by verb. Levels are in the order of `audit.k8s.io` `Level`.
const LEVEL_SQL: &str = "
WITH requests AS (
  SELECT cluster, api_group, resource, verb, level, time, true AS added FROM {added}
  WHERE time >= {first} AND time <= {last}
  UNION ALL
  SELECT cluster, api_group, resource, verb, level, time, false AS added FROM stages
  WHERE time < {first}
),
ranked AS (
  SELECT *, CASE level WHEN 'RequestResponse' THEN 3 WHEN 'Request' THEN 2 WHEN 'Metadata' THEN 1 END AS rank
  FROM requests WHERE resource IS NOT NULL
),
verbs AS (
  SELECT
    cluster, api_group, resource, verb,
    count(*) FILTER (WHERE NOT added) AS before,
    count(*) FILTER (WHERE NOT added AND rank = 3) AS before_response,
    count(*) FILTER (WHERE NOT added AND rank >= 2) AS before_request,
    count(*) FILTER (WHERE added) AS after,
    max(rank) FILTER (WHERE added) AS best,
    min(time) FILTER (WHERE added) AS first,
    max(time) FILTER (WHERE added) AS last
  FROM ranked WHERE rank IS NOT NULL
  GROUP BY cluster, api_group, resource, verb
),
usual AS (
  SELECT *, CASE
    WHEN before_response * 10 >= before * 9 THEN 3
    WHEN before_request * 10 >= before * 9 THEN 2
    ELSE 1 END AS usual
  FROM verbs
  WHERE before >= {least} AND after >= {least}
)
SELECT
  cluster,
  CASE WHEN api_group IS NULL THEN resource ELSE resource || '.' || api_group END AS resource,
  'none of ' || CAST(sum(after) AS VARCHAR) || ' requests (' || CAST(string_agg(verb, ', ' ORDER BY verb) AS VARCHAR)
    || ') is logged above the level ' || CASE max(best) WHEN 1 THEN 'Metadata' ELSE 'Request' END
    || ', before that they were at ' || CASE max(usual) WHEN 3 THEN 'RequestResponse' ELSE 'Request' END AS reason,
  sum(after) AS count, min(first) AS first, max(last) AS last
FROM usual
WHERE best < usual
GROUP BY cluster, api_group, resource
ORDER BY cluster, resource";

/// Counts new and earlier writes whose bodies the detections examine.
const BODIES_SQL: &str = "
WITH rows AS (
  SELECT cluster, api_group, resource, level, outcome, activity, workload, rbac, time, true AS added FROM {added}
  WHERE time >= {first} AND time <= {last}
  UNION ALL
  SELECT cluster, api_group, resource, level, outcome, activity, workload, rbac, time, false AS added FROM stages
  WHERE time < {first}
),
writes AS (
  SELECT *, coalesce(workload['body_source'], rbac['body_source']) <> 'none' AS shown
  FROM rows
  WHERE activity IN ('workload', 'rbac') AND outcome = 'allowed' AND level IN ('Request', 'RequestResponse')
    AND (workload IS NOT NULL OR rbac IS NOT NULL)
),
resources AS (
  SELECT
    cluster, api_group, resource,
    count(*) FILTER (WHERE NOT added) AS before,
    count(*) FILTER (WHERE NOT added AND shown) AS before_shown,
    count(*) FILTER (WHERE added) AS after,
    count(*) FILTER (WHERE added AND shown) AS after_shown,
    min(time) FILTER (WHERE added) AS first,
    max(time) FILTER (WHERE added) AS last
  FROM writes
  GROUP BY cluster, api_group, resource
)
SELECT
  cluster,
  CASE WHEN api_group IS NULL THEN resource ELSE resource || '.' || api_group END AS resource,
  CAST(after_shown AS VARCHAR) || ' of ' || CAST(after AS VARCHAR) || ' writes show a body, before that '
    || CAST(before_shown AS VARCHAR) || ' of ' || CAST(before AS VARCHAR) || ' did' AS reason,
  after AS count, first, last
FROM resources
WHERE before >= {least} AND after >= {least} AND before_shown * 2 >= before AND after_shown * 10 <= after
ORDER BY cluster, resource";

/// Counts records that were quarantined since the last run, and before.
const QUARANTINE_SQL: &str = "
SELECT
  cluster, CAST(NULL AS VARCHAR) AS resource, CAST(NULL AS VARCHAR) AS reason,
  count(*) FILTER (WHERE quarantined_at >= {last}) AS count,
  count(*) FILTER (WHERE quarantined_at < {last}) AS before,
  min(quarantined_at) FILTER (WHERE quarantined_at >= {last}) AS first,
  max(quarantined_at) AS last
FROM quarantine_log
WHERE releases IS NULL AND quarantined_at >= {first}
GROUP BY cluster
ORDER BY cluster";

impl HealthOptions {
    fn runs(&self, check: &HealthCheck) -> bool {
        self.only.is_empty() || self.only.iter().any(|id| id == check.id)
    }
}

/// Checks the events added in a period against the look-back in the session.
pub(crate) async fn of_period(
    session: &Session,
    period: Period,
    options: &HealthOptions,
) -> Result<Vec<Candidate>, QueryError> {
    let mut found = Vec::new();
    for (check, sql) in [(&LEVEL, LEVEL_SQL), (&BODIES, BODIES_SQL)] {
        if !options.runs(check) {
            continue;
        }
        let sql = sql
            .replace("{added}", ADDED)
            .replace("{first}", &instant_sql(period.first))
            .replace("{last}", &instant_sql(period.last))
            .replace("{least}", &LEAST_REQUESTS.to_string());
        for batch in session.sql(&sql).await?.collect().await? {
            found.extend((0..batch.num_rows()).filter_map(|row| Lack::of_row(check, &batch, row)));
        }
    }
    Ok(found.into_iter().map(Lack::into_candidate).collect())
}

/// Checks the lake as a whole, and the interval between runs.
pub(crate) async fn of_lake(
    lake: &Lake,
    version: &Version,
    last_run: Option<&DetectRun>,
    now: DateTime<Utc>,
    lookback: Duration,
    options: &HealthOptions,
) -> Result<Vec<Candidate>, RunError> {
    let mut found = Vec::new();
    if let Some(silence) = options.silence.filter(|_| options.runs(&SILENT)) {
        let last = last_seen(&version.snapshot()?, now).await?;
        found.extend(silent_clusters(last, silence, now));
    }
    if let Some(last) = last_run {
        if let Some(every) = options.every.filter(|_| options.runs(&SKIPPED)) {
            found.extend(skipped(last, every, now));
        }
        if options.runs(&QUARANTINE) {
            found.extend(refused(lake, last, now, lookback).await?);
        }
    }
    Ok(found.into_iter().map(Lack::into_candidate).collect())
}

/// Returns the time of the last request of each cluster.
///
/// Events that were in the future when they were read do not count: an event dated 2099 would hide that no more
/// events arrive. A cluster with only such events is left out. To hide its silence, a cluster needs an event dated at
/// most [`CLOCK_SKEW`] after it is read, which hides the silence for that long only.
///
/// # Errors
/// If the events cannot be read.
pub async fn last_seen(
    events: &Snapshot,
    now: DateTime<Utc>,
) -> Result<BTreeMap<Option<String>, DateTime<Utc>>, QueryError> {
    let session = Session::empty()?.with_snapshot("all_events", events)?;
    let latest = after(now, TimeDelta::microseconds(CLOCK_SKEW));
    // The days of each cluster, the newest last. For most clusters, only the newest is read.
    let mut days: BTreeMap<Option<String>, Vec<NaiveDate>> = BTreeMap::new();
    for (cluster, date) in events.cluster_days() {
        let of_cluster = days.entry(cluster).or_default();
        of_cluster.extend(date.filter(|date| *date <= latest.date_naive()));
    }
    let mut last = BTreeMap::new();
    loop {
        days.retain(|cluster, days| !last.contains_key(cluster) && !days.is_empty());
        let next =
            days.iter_mut().filter_map(|(cluster, days)| Some((cluster.clone(), days.pop()?)));
        let next: BTreeMap<Option<String>, NaiveDate> = next.collect();
        if next.is_empty() {
            return Ok(last);
        }
        let dates: BTreeSet<String> =
            next.values().map(|date| format!("DATE '{}'", date.format("%Y-%m-%d"))).collect();
        let dates = dates.into_iter().collect::<Vec<_>>().join(", ");
        let sql = format!(
            "SELECT cluster, max(time) AS last FROM all_events
            WHERE date IN ({dates}) AND time <= {} AND time_problem IS DISTINCT FROM '{}'
            GROUP BY cluster, date",
            instant_sql(latest),
            TimeProblem::Future,
        );
        for batch in session.sql(&sql).await?.collect().await? {
            let clusters = batch.column(0).as_string_opt::<i32>();
            let times = batch.column(1).as_primitive_opt::<TimestampMicrosecondType>();
            let (Some(clusters), Some(times)) = (clusters, times) else { continue };
            for (cluster, time) in clusters.iter().zip(times) {
                let cluster = cluster.map(str::to_owned);
                let Some(time) = time.and_then(DateTime::from_timestamp_micros) else { continue };
                // The day may have been requested for another cluster.
                if next.get(&cluster) == Some(&time.date_naive()) {
                    last.insert(cluster, time);
                }
            }
        }
    }
}

fn silent_clusters(
    last: BTreeMap<Option<String>, DateTime<Utc>>,
    silence: Duration,
    now: DateTime<Utc>,
) -> Vec<Lack> {
    let silent = last.into_iter().filter(|(_, last)| elapsed(*last, now) > silence);
    let lack = |(cluster, last): (Option<String>, DateTime<Utc>)| Lack {
        check: &SILENT,
        reason: format!("no event since {} UTC", last.format("%Y-%m-%d %H:%M:%S")),
        // A later silence is a separate finding.
        episode: Some(last),
        cluster,
        resource: None,
        count: 0,
        first: last,
        last,
    };
    silent.map(lack).collect()
}

fn skipped(last: &DetectRun, every: Duration, now: DateTime<Utc>) -> Option<Lack> {
    let gap = elapsed(last.started_at, now);
    (gap > every.saturating_mul(2)).then(|| Lack {
        check: &SKIPPED,
        reason: format!(
            "no run for {}, expected every {}",
            humantime::format_duration(Duration::from_secs(gap.as_secs())),
            humantime::format_duration(every)
        ),
        episode: Some(last.started_at),
        cluster: None,
        resource: None,
        count: 0,
        first: last.started_at,
        last: now,
    })
}

async fn refused(
    lake: &Lake,
    last_run: &DetectRun,
    now: DateTime<Utc>,
    lookback: Duration,
) -> Result<Vec<Lack>, RunError> {
    let session = Session::over_findings(&lake.findings().await?.rows)?
        .with_snapshot("quarantine_log", &lake.quarantine().await?)?;
    let span = TimeDelta::from_std(lookback).unwrap_or(TimeDelta::MAX);
    let sql = QUARANTINE_SQL
        .replace("{first}", &instant_sql(before(last_run.started_at, span)))
        .replace("{last}", &instant_sql(last_run.started_at));
    let mut found = Vec::new();
    for batch in session.sql(&sql).await?.collect().await? {
        for row in 0..batch.num_rows() {
            let Some(lack) = Lack::of_row(&QUARANTINE, &batch, row) else { continue };
            let before = number(&batch, "before", row).unwrap_or_default();
            let usual = usual(before, elapsed(last_run.started_at, now), lookback);
            if lack.count >= LEAST_REFUSED && lack.count >= usual.saturating_mul(JUMP) {
                let reason = format!(
                    "{} records quarantined since the last run, {before} in the look-back before it",
                    lack.count
                );
                found.push(Lack { reason, ..lack });
            }
        }
    }
    Ok(found)
}

/// Scales a count over `whole` to a part of that time.
fn usual(count: i64, part: Duration, whole: Duration) -> i64 {
    let product = i128::from(count) * i128::from(part.as_secs());
    let usual = product / i128::from(whole.as_secs().max(1));
    i64::try_from(usual).unwrap_or(i64::MAX)
}

fn elapsed(since: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    now.signed_duration_since(since).to_std().unwrap_or_default()
}

/// A finding of a health check.
struct Lack {
    check: &'static HealthCheck,
    reason: String,
    /// Distinguishes episodes of the same check, cluster and resource.
    episode: Option<DateTime<Utc>>,
    cluster: Option<String>,
    resource: Option<String>,
    count: i64,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
}

impl Lack {
    /// Reads a row with the columns `cluster`, `resource`, `reason`, `count`, `first` and `last`.
    fn of_row(check: &'static HealthCheck, batch: &RecordBatch, row: usize) -> Option<Self> {
        let text = |name| {
            let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
            column.is_valid(row).then(|| column.value(row).to_owned())
        };
        let time = |name| {
            let column = batch.column_by_name(name)?;
            let column = column.as_primitive_opt::<TimestampMicrosecondType>()?;
            column.is_valid(row).then(|| DateTime::from_timestamp_micros(column.value(row)))?
        };
        Some(Self {
            check,
            reason: text("reason").unwrap_or_default(),
            episode: None,
            cluster: text("cluster"),
            resource: text("resource"),
            count: number(batch, "count", row)?,
            first: time("first")?,
            last: time("last")?,
        })
    }

    fn into_candidate(self) -> Candidate {
        let episode = self.episode.map(|time| time.timestamp_micros().to_string());
        let key = [self.cluster.as_deref(), self.resource.as_deref(), episode.as_deref()];
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let finding = Finding {
            finding_id: digest(self.check.id, 1, &key),
            detection: self.check.id.to_owned(),
            title: self.check.title.to_owned(),
            severity: self.check.severity,
            confidence: Confidence::Medium,
            risk: 0,
            attack: owned(self.check.attack),
            tactics: owned(if self.check.attack.is_empty() {
                &[]
            } else {
                &["Defense Impairment"]
            }),
            first_seen: self.first,
            last_seen: self.last,
            count: u64::try_from(self.count).unwrap_or_default(),
            event_ids: Vec::new(),
            audit_ids: Vec::new(),
            cluster: self.cluster,
            identity: None,
            impersonated_identity: None,
            verb: None,
            namespace: None,
            resource: self.resource,
            name: None,
            images: Vec::new(),
            reasons: vec![self.reason],
            outcome: None,
            client_ip: None,
            user_agent: None,
            source: Source::default(),
            sources: Vec::new(),
            lowered: None,
            incident_id: None,
            incident_reason: None,
        };
        Candidate { finding, exception: None, new_events: HashSet::new(), is_keyed: true }
    }
}

fn number(batch: &RecordBatch, name: &str, row: usize) -> Option<i64> {
    let column = batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
    column.is_valid(row).then(|| column.value(row))
}
