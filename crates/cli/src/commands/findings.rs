//! `podtrail findings`: lists, shows and changes recorded findings.

use std::io::Write;
use std::time::Duration;

use arrow::array::{RecordBatch, StringArray};
use chrono::TimeDelta;
use podtrail_detect::{
    ChangeError, Finding, Recorded, Severity, State, find_recorded, read_recorded, set_state,
};
use podtrail_event::{EXPORT_COLUMNS, Exporter};
use podtrail_lake::Lake;
use podtrail_query::{Limits, Scope, Session};
use podtrail_report::{RowFormat, escape, seconds, write_findings, write_rows};
use tokio::runtime::Runtime;

use crate::args::{FindingArgs, FindingsChangeArgs, FindingsCommand, FindingsListArgs};
use crate::clock;
use crate::commands::export;
use crate::exit::{Exit, UsageError};
use crate::output;

/// The maximum number of requests of the identity that are shown.
const TIMELINE: usize = 500;

/// The maximum number of raw events that are shown.
const RAW_EVENTS: usize = 20;

pub(crate) fn run(runtime: &Runtime, command: &FindingsCommand) -> anyhow::Result<Exit> {
    match command {
        FindingsCommand::List(arguments) => runtime.block_on(list(arguments)),
        FindingsCommand::Show { finding, around } => runtime.block_on(show(finding, *around)),
        FindingsCommand::Ack(arguments) => runtime.block_on(change(arguments, State::Acknowledged)),
        FindingsCommand::Close(arguments) => runtime.block_on(change(arguments, State::Closed)),
    }
}

async fn list(arguments: &FindingsListArgs) -> anyhow::Result<Exit> {
    const FOR_PEOPLE: &str = "
        left(finding_id, 12) AS id, state, severity, last_seen, count, title, identity,
        concat_ws(' ', resource, concat_ws('/', namespace, name)) AS object, cluster";
    let lake = Lake::open(&arguments.lake)?;
    let session = Session::over_findings(&lake.findings().await?.rows)?;
    let columns = if arguments.format == RowFormat::Table { FOR_PEOPLE } else { "*" };
    let least = Severity::from(arguments.min_severity);
    let severities = Severity::ALL.into_iter().filter(|severity| *severity >= least);
    let severities = quoted(severities.map(Severity::as_str));
    let states = quoted(if arguments.state.is_empty() {
        State::ALL.map(State::as_str).to_vec()
    } else {
        arguments.state.iter().map(|state| State::from(*state).as_str()).collect()
    });
    let order = quoted(Severity::ALL.iter().rev().map(|severity| severity.as_str()));
    let sql = format!(
        "SELECT {columns} FROM findings WHERE severity IN ({severities}) AND state IN ({states})
        ORDER BY array_position(make_array({order}), severity), last_seen DESC, finding_id"
    );
    let mut out = output::data_stdout();
    write_query(&session, &sql, arguments.format.for_spreadsheets(), &mut out).await?;
    out.flush()?;
    Ok(Exit::Ok)
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
) -> anyhow::Result<()> {
    let query = session.sql(sql).await?;
    let schema = query.schema();
    let batches = query.collect().await?;
    Ok(write_rows(&schema, &batches, format, out)?)
}

async fn change(arguments: &FindingsChangeArgs, state: State) -> anyhow::Result<Exit> {
    let FindingsChangeArgs { ids, lake, note, by } = arguments;
    let lake = Lake::open(lake)?;
    let changed = set_state(&lake, ids, state, by.as_deref(), note.as_deref(), clock::now()).await;
    let changed = changed.map_err(usage)?;
    let mut out = output::stdout();
    for Recorded { finding, state, .. } in &changed {
        writeln!(out, "{} {state}: {}", finding.finding_id, escape(&finding.title))?;
    }
    out.flush()?;
    Ok(Exit::Ok)
}

/// Turns a wrong id into a usage error.
fn usage(error: ChangeError) -> anyhow::Error {
    match error {
        ChangeError::Lake(_) | ChangeError::Query(_) => error.into(),
        wrong => UsageError(wrong.to_string()).into(),
    }
}

async fn show(arguments: &FindingArgs, around: Duration) -> anyhow::Result<Exit> {
    let lake = Lake::open(&arguments.lake)?;
    let recorded = Session::over_findings(&lake.findings().await?.rows)?;
    let Recorded { finding, .. } = find_recorded(&recorded, &arguments.id).await.map_err(usage)?;
    let mut out = output::stdout();
    write_findings(std::slice::from_ref(&finding), output::width(), &mut out)?;
    write_life(&recorded, &finding, &mut out).await?;
    if !finding.event_ids.is_empty() {
        let around = TimeDelta::from_std(around).unwrap_or(TimeDelta::MAX);
        let to = finding.last_seen.checked_add_signed(around);
        let scope = Scope {
            from: finding.first_seen.checked_sub_signed(around),
            to: to.and_then(|to| to.checked_add_signed(TimeDelta::microseconds(1))),
            ..Scope::default()
        };
        let session = Session::open(&lake, scope, Limits::default())?;
        let session = with_finding(&session, &finding)?;
        write_events(&session, &finding, &mut out).await?;
    }
    out.flush()?;
    Ok(Exit::Ok)
}

/// Writes every state that the finding has had.
async fn write_life(
    session: &Session,
    finding: &Finding,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    writeln!(out, "{}", finding.finding_id)?;
    let sql = format!(
        "SELECT * FROM findings_log WHERE finding_id = '{}' ORDER BY sequence",
        finding.finding_id
    );
    for Recorded { state, state_at, state_by, note, exception, finding, .. } in
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

/// Returns the session with tables that describe the finding, for queries to join: names from a log never become part of a statement.
fn with_finding(session: &Session, finding: &Finding) -> anyhow::Result<Session> {
    let texts = |values: Vec<Option<&str>>| std::sync::Arc::new(StringArray::from(values)) as _;
    let about = RecordBatch::try_from_iter_with_nullable([
        ("cluster", texts(vec![finding.cluster.as_deref()]), true),
        ("username", texts(vec![finding.identity.as_deref()]), true),
    ])?;
    let ids = finding.event_ids.iter().map(|id| Some(id.as_str())).collect();
    let ids = RecordBatch::try_from_iter_with_nullable([("event_id", texts(ids), true)])?;
    Ok(session.with_rows("finding", about)?.with_rows("finding_events", ids)?)
}

async fn write_events(
    session: &Session,
    finding: &Finding,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    const OF_CLUSTER: &str = "cluster IN (SELECT cluster FROM finding)";
    const IS_EVIDENCE: &str = "event_id IN (SELECT event_id FROM finding_events)";
    const OBJECT: &str = "concat_ws('/', resource, subresource) AS resource, namespace, name";

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
            export::escape(&mut line);
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
