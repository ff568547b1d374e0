//! Recorded findings: their list, and the history and evidence of one.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use podtrail_detect::{Finding, FindingState, RecordedFinding, Severity, read_recorded};
use podtrail_event::{EXPORT_COLUMNS, Exporter};
use podtrail_query::{Scope, Session, instant_sql};

use crate::escape::{escape, escape_json};
use crate::rows::{ReportError, RowFormat, write_fitted_rows, write_rows};
use crate::summary::seconds;

/// The maximum number of requests of the identity that are shown.
const TIMELINE: usize = 500;

/// The maximum number of raw events that are shown.
const RAW_EVENTS: usize = 20;

/// Which recorded findings are listed.
#[derive(Debug, Clone)]
pub struct FindingFilter {
    /// The lowest severity.
    pub least: Severity,
    /// The states.
    pub states: Vec<FindingState>,
    /// The ids of detections; empty for all.
    pub detections: Vec<String>,
    /// The period that the evidence overlaps, and identity, client address of the first event, namespace and cluster.
    pub scope: Scope,
}

impl FindingFilter {
    /// Returns the condition on the view `findings`.
    fn sql(&self) -> String {
        let severities = Severity::ALL.iter().filter(|severity| **severity >= self.least);
        let severities = quoted(severities.map(|severity| severity.as_str()));
        let states = quoted(self.states.iter().map(|state| state.as_str()));
        let Scope { from, to, identities, client_ips, namespaces, clusters, .. } = &self.scope;
        let conditions = [
            Some(format!("severity IN ({severities})")),
            Some(format!("state IN ({states})")),
            from.map(|from| format!("last_seen >= {}", instant_sql(from))),
            to.map(|to| format!("first_seen < {}", instant_sql(to))),
            one_of(&["detection"], &self.detections),
            one_of(&["identity", "impersonated_identity"], identities),
            one_of(&["client_ip"], client_ips),
            one_of(&["namespace"], namespaces),
            one_of(&["cluster"], clusters),
        ];
        conditions.into_iter().flatten().collect::<Vec<_>>().join(" AND ")
    }
}

/// Returns the condition that one of the columns matches one of the patterns; `None` without patterns.
fn one_of(columns: &[&str], patterns: &[String]) -> Option<String> {
    let conditions = patterns.iter().flat_map(|pattern| {
        columns.iter().map(move |column| {
            let text = quoted([pattern.as_str()]);
            match *column {
                "client_ip" if pattern.contains('/') => format!("cidr_contains({text}, {column})"),
                _ if pattern.contains('*') => format!("glob({column}, {text})"),
                _ => format!("{column} = {text}"),
            }
        })
    });
    let conditions: Vec<_> = conditions.collect();
    (!conditions.is_empty()).then(|| format!("({})", conditions.join(" OR ")))
}

/// Writes findings, most severe first, then last seen first; the session is over the findings. A table for reading
/// contains the columns that identify a finding, other formats contain all. Returns the number of findings.
///
/// # Errors
/// If the findings cannot be read, or `out` fails.
pub async fn write_recorded_findings(
    session: &Session,
    filter: &FindingFilter,
    format: RowFormat,
    width: Option<usize>,
    out: &mut (dyn Write + Send),
) -> Result<usize, ReportError> {
    const FOR_PEOPLE: &str = "
        left(finding_id, 12) AS id, state, severity, last_seen, count, title, identity,
        concat_ws(' ', resource, concat_ws('/', namespace, name)) AS object, cluster";
    let columns = if format == RowFormat::Table { FOR_PEOPLE } else { "*" };
    let order = quoted(Severity::ALL.iter().rev().map(|severity| severity.as_str()));
    let sql = format!(
        "SELECT {columns} FROM findings WHERE {}
        ORDER BY array_position(make_array({order}), severity), last_seen DESC, finding_id",
        filter.sql()
    );
    let query = session.sql(&sql).await?;
    let schema = query.schema();
    let batches = query.collect().await?;
    write_fitted_rows(&schema, &batches, format.for_spreadsheets(), width, out)?;
    Ok(batches.iter().map(RecordBatch::num_rows).sum())
}

/// Writes every state that a recorded finding has had; the session is over the findings.
///
/// # Errors
/// If the findings cannot be read, or `out` fails.
pub async fn write_finding_history(
    session: &Session,
    finding: &Finding,
    out: &mut (dyn Write + Send),
) -> Result<(), ReportError> {
    writeln!(out, "{}", finding.finding_id)?;
    let sql = format!(
        "SELECT * FROM findings_log WHERE finding_id = '{}' ORDER BY sequence",
        finding.finding_id
    );
    for RecordedFinding { state, state_at, state_by, note, exception, finding, .. } in
        read_recorded(session, &sql).await?
    {
        write!(out, "  {} UTC  {state:<12}  {} events", seconds(state_at), finding.count)?;
        for (label, text) in [("by", state_by), ("exception", exception), ("note", note)] {
            if let Some(text) = text {
                write!(out, "  {label} {}", escape(&text))?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Writes the events behind a finding, their source, the other requests of its identity in the scope of the session, and
/// the owners of the written objects.
///
/// # Errors
/// If the events cannot be read, or `out` fails.
pub async fn write_finding_evidence(
    session: &Session,
    finding: &Finding,
    out: &mut (dyn Write + Send),
) -> Result<(), ReportError> {
    const OF_CLUSTER: &str = "cluster IN (SELECT cluster FROM finding)";
    const IS_EVIDENCE: &str = "event_id IN (SELECT event_id FROM finding_events)";
    const OBJECT: &str = "concat_ws('/', resource, subresource) AS resource, namespace, name";
    let session = &with_finding(session, finding)?;

    writeln!(out, "\nEvidence")?;
    let evidence = format!(
        "SELECT time, username, verb, {OBJECT}, outcome, client_ip, event_id
        FROM stages WHERE {OF_CLUSTER} AND {IS_EVIDENCE} ORDER BY time, event_id"
    );
    write_query(session, &evidence, RowFormat::Table, out).await?;

    writeln!(out, "\nSource")?;
    let source = format!(
        "SELECT event_id, source_file AS file, source_line AS line, source_offset AS offset, source_sha256 AS sha256
        FROM stages WHERE {OF_CLUSTER} AND {IS_EVIDENCE} ORDER BY time, event_id"
    );
    write_query(session, &source, RowFormat::Table, out).await?;

    let identity = finding.identity.as_deref().map_or("an unknown identity".into(), escape);
    let (from, to) = (from(session), to(session));
    writeln!(out, "\nRequests of {identity} from {from} to {to} UTC, at most {TIMELINE}")?;
    let timeline = format!(
        "SELECT time, CASE WHEN evidence_id IS NULL THEN '' ELSE '*' END AS evidence, verb, {OBJECT}, outcome,
          client_ip, user_agent
        FROM events
        LEFT JOIN (SELECT event_id AS evidence_id FROM finding_events) AS evidence ON evidence_id = event_id
        WHERE {OF_CLUSTER} AND username IS NOT DISTINCT FROM (SELECT username FROM finding)
        ORDER BY time, event_id LIMIT {TIMELINE}"
    );
    write_query(session, &timeline, RowFormat::Table, out).await?;

    writeln!(out, "\nOwners of the written objects")?;
    let owners = format!(
        "SELECT time, object, root_kind, root_name, author, author_time, author_known_by
        FROM workload_tree WHERE {OF_CLUSTER} AND {IS_EVIDENCE} ORDER BY time, event_id"
    );
    write_query(session, &owners, RowFormat::Table, out).await?;

    writeln!(out, "\nRaw events")?;
    let columns = EXPORT_COLUMNS.join(", ");
    let raw = format!(
        "SELECT {columns} FROM stages WHERE {OF_CLUSTER} AND {IS_EVIDENCE}
        ORDER BY time, event_id LIMIT {RAW_EVENTS}"
    );
    let batches = session.sql(&raw).await?.collect().await?;
    for batch in &batches {
        let exporter = Exporter::new(batch)?;
        for row in 0..batch.num_rows() {
            let mut line = Vec::new();
            exporter.write(row, &mut line)?;
            escape_json(&mut line);
            line.push(b'\n');
            out.write_all(&line)?;
        }
    }
    if finding.event_ids.len() > RAW_EVENTS {
        writeln!(out, "and {} more", finding.event_ids.len() - RAW_EVENTS)?;
    }
    Ok(())
}

fn from(session: &Session) -> String {
    session.scope().from.map_or_else(|| "the beginning".to_owned(), seconds)
}

fn to(session: &Session) -> String {
    session.scope().to.map_or_else(|| "the end".to_owned(), seconds)
}

/// Returns the session with tables that describe the finding, for queries to join: names from a log never become part
/// of a statement.
fn with_finding(session: &Session, finding: &Finding) -> Result<Session, ReportError> {
    let text = |value: &Option<String>| Arc::new(StringArray::from(vec![value.as_deref()])) as _;
    let about = RecordBatch::try_from_iter_with_nullable([
        ("cluster", text(&finding.cluster), true),
        ("username", text(&finding.identity), true),
    ])?;
    let ids = finding.event_ids.iter().map(String::as_str);
    Ok(session.with_rows("finding", about)?.with_strings("finding_events", "event_id", ids)?)
}

/// Returns podtrail's own names as a list of SQL strings.
fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("'{name}'")).collect();
    names.join(", ")
}

async fn write_query(
    session: &Session,
    sql: &str,
    format: RowFormat,
    out: &mut (dyn Write + Send),
) -> Result<(), ReportError> {
    let query = session.sql(sql).await?;
    let schema = query.schema();
    let batches = query.collect().await?;
    write_rows(&schema, &batches, format, out)
}
