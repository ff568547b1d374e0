//! `podtrail hunt --report`: collects the context of the findings, and writes the report.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context as _;
use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use podtrail_detect::Finding;
use podtrail_query::{QueryError, Session};
use podtrail_report::{
    Context, EventFacts, HtmlReport, Lineage, LogSummary, MOST_EVENTS, RowFormat, timeline_step,
    write_html, write_rows,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::output;
use crate::output_file::OutputFile;

/// The table of events that a report shows.
const REPORT_EVENTS: &str = "report_events";

const EVENTS: &str = "
    SELECT
      event_id, audit_id, time, verb, concat_ws('/', resource, subresource) AS resource, name, outcome, status_code
    FROM (SELECT * FROM stages UNION ALL SELECT * FROM stages_history) AS recorded
    WHERE event_id IN (SELECT event_id FROM report_events)";

const LINEAGE: &str = "
    SELECT event_id, root_kind, root_name, author, author_known_by, author_time
    FROM workload_tree
    WHERE event_id IN (SELECT event_id FROM report_events)";

const IDENTITIES: &str = "
    SELECT
      username, identity_kind, min(first_seen) AS first_seen, max(last_seen) AS last_seen,
      sum(requests) AS requests, sum(denied) AS denied, sum(workload_writes) AS workload_writes,
      first_value(client_ips) AS client_ips, first_value(user_agents) AS user_agents
    FROM identities
    GROUP BY username, identity_kind
    ORDER BY workload_writes DESC, requests DESC, username";

const NAMESPACES: &str = "
    SELECT
      namespace, count(*) AS requests, count(DISTINCT username) AS identities,
      count(*) FILTER (WHERE workload IS NOT NULL AND outcome = 'allowed') AS workload_writes
    FROM events
    WHERE namespace IS NOT NULL
    GROUP BY namespace
    ORDER BY workload_writes DESC, requests DESC, namespace";

const IMAGES: &str = "
    SELECT
      image, count(*) AS containers, min(time) AS first_seen,
      array_agg(DISTINCT namespace ORDER BY namespace) FILTER (WHERE namespace IS NOT NULL) AS namespaces
    FROM containers
    WHERE image IS NOT NULL AND outcome = 'allowed'
    GROUP BY image
    ORDER BY first_seen DESC, image";

const ACTIVITY: &str = "
    SELECT
      concat_ws('/', resource, subresource) AS resource, activity,
      sum(requests) AS requests, sum(writes) AS writes, sum(writes_without_body) AS writes_without_body,
      sum(truncated) AS truncated,
      array_agg(DISTINCT level ORDER BY level) FILTER (WHERE level IS NOT NULL) AS levels
    FROM coverage
    GROUP BY resource, subresource, activity
    ORDER BY writes_without_body DESC, requests DESC, resource, activity";

const FILES: &str = "
    SELECT
      source_file AS file, source_sha256 AS sha256, count(*) AS events, min(time) AS first, max(time) AS last
    FROM stages
    GROUP BY source_file, source_sha256
    ORDER BY source_file, source_sha256";

const QUARANTINED: &str = "SELECT count(*) AS records FROM quarantine WHERE released_at IS NULL";

/// Writes the report and gives the file its name.
pub(crate) fn write(report: &HtmlReport<'_>, mut file: OutputFile) -> anyhow::Result<()> {
    let path = file.path().to_owned();
    write_html(report, &mut file).with_context(|| format!("cannot write {}", path.display()))?;
    file.finish()?;
    output::note(&format!("wrote report {}", path.display()));
    Ok(())
}

/// Reads the context of the findings from the lake.
pub(crate) async fn context(
    session: &Session,
    findings: &[Finding],
    log: &LogSummary,
) -> anyhow::Result<Context> {
    #[derive(Deserialize)]
    struct Quarantined {
        records: u64,
    }

    session.add_table(REPORT_EVENTS, event_ids(findings)?)?;
    let writes = match log.first.zip(log.last) {
        None => Vec::new(),
        Some((first, last)) => rows(session, &writes(timeline_step(first, last))).await?,
    };
    let events: Vec<EventFacts> = rows(session, EVENTS).await?;
    let lineage: Vec<Lineage> = rows(session, LINEAGE).await?;
    let quarantined: Vec<Quarantined> = rows(session, QUARANTINED).await?;
    Ok(Context {
        events: events.into_iter().map(|event| (event.event_id.clone(), event)).collect(),
        lineage: lineage.into_iter().map(|origin| (origin.event_id.clone(), origin)).collect(),
        writes,
        identities: rows(session, IDENTITIES).await?,
        namespaces: rows(session, NAMESPACES).await?,
        images: rows(session, IMAGES).await?,
        activity: rows(session, ACTIVITY).await?,
        files: rows(session, FILES).await?,
        quarantined: quarantined.iter().map(|count| count.records).sum(),
    })
}

/// Returns the query for the number of workload writes in each interval of `seconds`.
fn writes(seconds: i64) -> String {
    format!(
        "SELECT date_bin(INTERVAL '{seconds} seconds', time, TIMESTAMP '1970-01-01T00:00:00Z') AS start, count(*) AS writes
        FROM workloads WHERE outcome = 'allowed' GROUP BY start ORDER BY start"
    )
}

fn event_ids(findings: &[Finding]) -> Result<RecordBatch, QueryError> {
    let ids = findings.iter().flat_map(|finding| finding.event_ids.iter().take(MOST_EVENTS));
    let ids: BTreeSet<_> = ids.collect();
    let schema = Schema::new(vec![Field::new("event_id", DataType::Utf8, false)]);
    let column = Arc::new(StringArray::from_iter_values(ids));
    RecordBatch::try_new(Arc::new(schema), vec![column])
        .map_err(|error| QueryError::Sql(error.into()))
}

/// Returns the rows of a query, each as a struct whose fields are named as the columns.
async fn rows<T: DeserializeOwned>(session: &Session, sql: &str) -> anyhow::Result<Vec<T>> {
    let query = session.sql(sql).await?;
    let schema = query.schema().inner().clone();
    let batches = query.collect().await.map_err(QueryError::from)?;
    let mut json = Vec::new();
    write_rows(&schema, &batches, RowFormat::Json, &mut json)?;
    Ok(serde_json::from_slice(&json)?)
}
