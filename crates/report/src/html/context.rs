//! The context of the findings in the log: each struct is one row of the query next to it.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use podtrail_detect::Finding;
use podtrail_query::{QueryError, Session};
use serde::Deserialize;

use super::time_steps::timeline_step;
use crate::summary::LogSummary;

/// The maximum number of events, and reasons, that the report shows of a finding.
pub(super) const MAX_EVENTS: usize = 50;

/// The context of the findings in the log.
#[derive(Debug, Default)]
pub struct Context {
    /// The events behind the findings, by event id.
    pub events: HashMap<String, EventFacts>,
    /// The origin of the workloads that they write, by event id.
    pub lineage: HashMap<String, Lineage>,
    /// The period that the timeline covers; `None` without events.
    pub charted: Option<Period>,
    /// Workload writes over time, in steps of the timeline.
    pub writes: Vec<WorkloadWrites>,
    /// The active identities, those with the most workload writes first.
    pub identities: Vec<IdentityFacts>,
    /// The namespaces with requests, those with the most workload writes first.
    pub namespaces: Vec<NamespaceFacts>,
    /// The images of written workloads, the newest first.
    pub images: Vec<ImageFacts>,
    /// What the log contains of each kind of request, those with the most missing bodies first.
    pub activity: Vec<Activity>,
    /// The files that the events came from.
    pub files: Vec<SourceFile>,
    /// The number of quarantined records.
    pub quarantined: u64,
}

impl Context {
    /// Reads the context of findings from the lake.
    ///
    /// # Errors
    /// If the lake cannot be read.
    pub async fn read(
        session: &Session,
        findings: &[Finding],
        log: &LogSummary,
    ) -> Result<Self, QueryError> {
        #[derive(Deserialize)]
        struct Quarantined {
            records: u64,
        }
        const QUARANTINED: &str =
            "SELECT count(*) AS records FROM quarantine WHERE released_at IS NULL";

        let ids = findings.iter().flat_map(|finding| finding.event_ids.iter().take(MAX_EVENTS));
        let ids: BTreeSet<_> = ids.map(String::as_str).collect();
        let session = session.with_strings("report_events", "event_id", ids)?;
        let charted = match log.first.zip(log.last) {
            None => None,
            Some((first, last)) => Some(Period::charted(&session, Period { first, last }).await?),
        };
        let writes = match &charted {
            None => Vec::new(),
            Some(charted) => {
                let sql = WorkloadWrites::sql(timeline_step(charted.first, charted.last));
                session.sql(&sql).await?.rows().await?
            }
        };
        let events: Vec<EventFacts> = session.sql(EventFacts::SQL).await?.rows().await?;
        let lineage: Vec<Lineage> = session.sql(Lineage::SQL).await?.rows().await?;
        let quarantined: Vec<Quarantined> = session.sql(QUARANTINED).await?.rows().await?;
        Ok(Self {
            events: events.into_iter().map(|event| (event.event_id.clone(), event)).collect(),
            lineage: lineage.into_iter().map(|origin| (origin.event_id.clone(), origin)).collect(),
            charted,
            writes,
            identities: session.sql(IdentityFacts::SQL).await?.rows().await?,
            namespaces: session.sql(NamespaceFacts::SQL).await?.rows().await?,
            images: session.sql(ImageFacts::SQL).await?.rows().await?,
            activity: session.sql(Activity::SQL).await?.rows().await?,
            files: session.sql(SourceFile::SQL).await?.rows().await?,
            quarantined: quarantined.iter().map(|count| count.records).sum(),
        })
    }
}

/// An event behind a finding.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct EventFacts {
    /// The event id.
    pub event_id: String,
    /// The audit id.
    pub audit_id: Option<String>,
    /// The time at which the request arrived.
    pub time: DateTime<Utc>,
    /// The verb.
    pub verb: Option<String>,
    /// The resource, with its subresource as in `pods/exec`.
    pub resource: Option<String>,
    /// The name of the object.
    pub name: Option<String>,
    /// The outcome.
    pub outcome: Option<String>,
    /// The HTTP status.
    pub status_code: Option<i64>,
}

impl EventFacts {
    const SQL: &str = "
        SELECT
          event_id, audit_id, time, verb, concat_ws('/', resource, subresource) AS resource, name, outcome, status_code
        FROM (SELECT * FROM stages UNION ALL SELECT * FROM stages_history) AS recorded
        WHERE event_id IN (SELECT event_id FROM report_events)";
}

/// The origin of a workload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Lineage {
    /// The event that writes the workload.
    pub event_id: String,
    /// The kind of the object at the root of its owners.
    pub root_kind: Option<String>,
    /// The name of that object.
    pub root_name: Option<String>,
    /// The identity that last wrote the spec of that object.
    pub author: Option<String>,
    /// How the author is known.
    pub author_known_by: Option<String>,
    /// The time at which the author wrote it.
    pub author_time: Option<DateTime<Utc>>,
}

impl Lineage {
    const SQL: &str = "
        SELECT event_id, root_kind, root_name, author, author_known_by, author_time
        FROM workload_tree
        WHERE event_id IN (SELECT event_id FROM report_events)";
}

/// A period, including its last moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Its first moment.
    pub first: DateTime<Utc>,
    /// Its last moment.
    pub last: DateTime<Utc>,
}

impl Period {
    /// Returns the part of the period of a log that a chart covers: without the first and last hundredth of the events
    /// if these would squeeze the others into a quarter of it.
    async fn charted(session: &Session, log: Self) -> Result<Self, QueryError> {
        #[derive(Deserialize)]
        struct Bounds {
            first: Option<f64>,
            last: Option<f64>,
        }
        const SQL: &str = "
            SELECT
              approx_percentile_cont(0.01) WITHIN GROUP (ORDER BY date_part('epoch', time)) AS first,
              approx_percentile_cont(0.99) WITHIN GROUP (ORDER BY date_part('epoch', time)) AS last
            FROM events";
        let bounds: Vec<Bounds> = session.sql(SQL).await?.rows().await?;
        let time = |seconds: Option<f64>| {
            #[expect(clippy::cast_possible_truncation, reason = "seconds of a timestamp")]
            let seconds = seconds? as i64;
            DateTime::from_timestamp(seconds, 0)
        };
        let bounds = bounds.first().and_then(|bounds| time(bounds.first).zip(time(bounds.last)));
        let Some((first, last)) = bounds else { return Ok(log) };
        let margin = (last - first) / 10;
        let most =
            Self { first: (first - margin).max(log.first), last: (last + margin).min(log.last) };
        let is_squeezed = log.last - log.first > (most.last - most.first) * 4;
        Ok(if is_squeezed && most.first < most.last { most } else { log })
    }
}

/// The number of workload writes in a step of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WorkloadWrites {
    /// The start of the step.
    pub start: DateTime<Utc>,
    /// The number of successful writes.
    pub writes: u64,
}

impl WorkloadWrites {
    /// Returns the query for steps of this length.
    fn sql(seconds: i64) -> String {
        format!(
            "SELECT
              date_bin(INTERVAL '{seconds} seconds', time, TIMESTAMP '1970-01-01T00:00:00Z') AS start,
              count(*) AS writes
            FROM workloads WHERE outcome = 'allowed' GROUP BY start ORDER BY start"
        )
    }
}

/// The activity of an identity.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct IdentityFacts {
    /// The user name.
    pub username: Option<String>,
    /// The kind: human, service_account, node, controller, anonymous, system.
    pub identity_kind: Option<String>,
    /// The time at which its first request arrived.
    pub first_seen: DateTime<Utc>,
    /// The time at which its last request arrived.
    pub last_seen: DateTime<Utc>,
    /// The number of requests.
    pub requests: u64,
    /// The number of denied requests.
    pub denied: u64,
    /// The number of successful workload writes.
    pub workload_writes: u64,
    /// The client addresses.
    pub client_ips: Option<Vec<String>>,
    /// The user agents, which the clients choose.
    pub user_agents: Option<Vec<String>>,
}

impl IdentityFacts {
    const SQL: &str = "
        SELECT
          username, identity_kind, min(first_seen) AS first_seen, max(last_seen) AS last_seen,
          sum(requests) AS requests, sum(denied) AS denied, sum(workload_writes) AS workload_writes,
          first_value(client_ips) AS client_ips, first_value(user_agents) AS user_agents
        FROM identities
        GROUP BY username, identity_kind
        ORDER BY workload_writes DESC, requests DESC, username";
}

/// The activity in a namespace.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct NamespaceFacts {
    /// The name.
    pub namespace: String,
    /// The number of requests.
    pub requests: u64,
    /// The number of identities.
    pub identities: u64,
    /// The number of successful workload writes.
    pub workload_writes: u64,
}

impl NamespaceFacts {
    const SQL: &str = "
        SELECT
          namespace, count(*) AS requests, count(DISTINCT username) AS identities,
          count(*) FILTER (WHERE workload IS NOT NULL AND outcome = 'allowed') AS workload_writes
        FROM events
        WHERE namespace IS NOT NULL
        GROUP BY namespace
        ORDER BY workload_writes DESC, requests DESC, namespace";
}

/// An image of written workloads.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ImageFacts {
    /// The image, as named by the workload.
    pub image: String,
    /// The number of containers written with it.
    pub containers: u64,
    /// The namespaces of those workloads.
    pub namespaces: Option<Vec<String>>,
    /// The time at which it was first written.
    pub first_seen: DateTime<Utc>,
}

impl ImageFacts {
    const SQL: &str = "
        SELECT
          image, count(*) AS containers, min(time) AS first_seen,
          array_agg(DISTINCT namespace ORDER BY namespace) FILTER (WHERE namespace IS NOT NULL) AS namespaces
        FROM containers
        WHERE image IS NOT NULL AND outcome = 'allowed'
        GROUP BY image
        ORDER BY first_seen DESC, image";
}

/// What the log contains of a kind of request.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Activity {
    /// The resource, with its subresource; null for other paths of the API.
    pub resource: Option<String>,
    /// The activity: workload, rbac, access, secret, write, read.
    pub activity: String,
    /// The number of requests.
    pub requests: u64,
    /// The number of successful writes that carry a body.
    pub writes: u64,
    /// The number of those whose body is not in the log.
    pub writes_without_body: u64,
    /// The number of truncated events.
    pub truncated: u64,
    /// The audit levels.
    pub levels: Option<Vec<String>>,
}

impl Activity {
    const SQL: &str = "
        SELECT
          concat_ws('/', resource, subresource) AS resource, activity,
          sum(requests) AS requests, sum(writes) AS writes, sum(writes_without_body) AS writes_without_body,
          sum(truncated) AS truncated,
          array_agg(DISTINCT level ORDER BY level) FILTER (WHERE level IS NOT NULL) AS levels
        FROM coverage
        GROUP BY resource, subresource, activity
        ORDER BY writes_without_body DESC, requests DESC, resource, activity";
}

/// A file that events came from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SourceFile {
    /// The path, as given.
    pub file: Option<String>,
    /// SHA-256 of its bytes.
    pub sha256: Option<String>,
    /// The number of events in scope.
    pub events: u64,
    /// The time of the first event.
    pub first: DateTime<Utc>,
    /// The time of the last event.
    pub last: DateTime<Utc>,
}

impl SourceFile {
    const SQL: &str = "
        SELECT
          source_file AS file, source_sha256 AS sha256, count(*) AS events, min(time) AS first, max(time) AS last
        FROM stages
        GROUP BY source_file, source_sha256
        ORDER BY source_file, source_sha256";
}
