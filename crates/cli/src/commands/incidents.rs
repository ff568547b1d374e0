//! `podtrail incidents`: lists, shows and changes recorded incidents.

use std::io::Write;

use podtrail_detect::{
    FindingState, IncidentState, Pack, RecordedIncident, Severity, find_incident,
    recorded_incidents, set_state,
};
use podtrail_lake::Lake;
use podtrail_query::Session;
use podtrail_report::{
    escape, write_findings, write_incidents, write_incidents_csv, write_incidents_jsonl,
    write_incidents_ocsf, write_recorded_incidents,
};
use tokio::runtime::Runtime;

use crate::args::{
    FindingsChangeArgs, IncidentFormat, IncidentsCommand, IncidentsListArgs, IncidentsShowArgs,
};
use crate::clock;
use crate::commands::findings::usage;
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(runtime: &Runtime, command: &IncidentsCommand) -> anyhow::Result<Exit> {
    let pack = Pack::built_in()?;
    match command {
        IncidentsCommand::List(arguments) => runtime.block_on(list(arguments, &pack)),
        IncidentsCommand::Show(arguments) => runtime.block_on(show(arguments, &pack)),
        IncidentsCommand::Ack(arguments) => {
            runtime.block_on(change(arguments, &pack, FindingState::Acknowledged))
        }
        IncidentsCommand::Close(arguments) => {
            runtime.block_on(change(arguments, &pack, FindingState::Closed))
        }
    }
}

async fn list(arguments: &IncidentsListArgs, pack: &Pack) -> anyhow::Result<Exit> {
    let session = Session::over_findings(&Lake::open(&arguments.lake)?.findings().await?.rows)?;
    let states = if arguments.state.is_empty() { IncidentState::ALL } else { &arguments.state };
    let mut found = recorded_incidents(&session, &pack.combined()).await?;
    found.retain(|recorded| {
        recorded.incident.severity >= arguments.min_severity && states.contains(&recorded.state)
    });
    let mut out: Box<dyn Write> = match arguments.format {
        IncidentFormat::Table => Box::new(output::stdout()),
        _ => output::data_stdout(),
    };
    write(arguments.format, &found, pack, &mut out)?;
    out.flush()?;
    Ok(Exit::Ok)
}

fn write(
    format: IncidentFormat,
    found: &[RecordedIncident],
    pack: &Pack,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let incidents: Vec<_> = found.iter().map(|recorded| recorded.incident.clone()).collect();
    match format {
        IncidentFormat::Table => write_recorded_incidents(found, output::width(), out)?,
        IncidentFormat::Jsonl => write_incidents_jsonl(found, out)?,
        IncidentFormat::Csv => write_incidents_csv(&incidents, out)?,
        IncidentFormat::Ocsf => {
            write_incidents_ocsf(&incidents, &pack.attack_names(), clock::now(), out)?;
        }
    }
    Ok(())
}

async fn show(arguments: &IncidentsShowArgs, pack: &Pack) -> anyhow::Result<Exit> {
    let session = Session::over_findings(&Lake::open(&arguments.lake)?.findings().await?.rows)?;
    let found = find_incident(&session, &arguments.id, &pack.combined()).await.map_err(usage)?;
    if arguments.format != IncidentFormat::Table {
        let mut out = output::data_stdout();
        write(arguments.format, &[found], pack, &mut out)?;
        out.flush()?;
        return Ok(Exit::Ok);
    }
    let mut out = output::stdout();
    write_incidents(std::slice::from_ref(&found.incident), output::width(), &mut out)?;
    write!(out, "{} {}", found.incident.incident_id, found.state)?;
    for (label, text) in [("by", &found.state_by), ("note", &found.note)] {
        if let Some(text) = text {
            write!(out, "  {label} {}", escape(text))?;
        }
    }
    writeln!(out, "\n")?;
    let findings = found.findings.iter().map(|recorded| recorded.finding.clone());
    let mut findings: Vec<_> =
        findings.filter(|finding| finding.severity >= Severity::Medium).collect();
    if findings.is_empty() {
        findings = found.findings.iter().map(|recorded| recorded.finding.clone()).collect();
    }
    write_findings(&findings, output::width(), &mut out)?;
    out.flush()?;
    Ok(Exit::Ok)
}

/// Changes the state of all findings of incidents, in one commit.
async fn change(
    arguments: &FindingsChangeArgs,
    pack: &Pack,
    state: FindingState,
) -> anyhow::Result<Exit> {
    let FindingsChangeArgs { ids, lake, note, by } = arguments;
    let lake = Lake::open(lake)?;
    let session = Session::over_findings(&lake.findings().await?.rows)?;
    let mut incidents = Vec::new();
    for id in ids {
        incidents.push(find_incident(&session, id, &pack.combined()).await.map_err(usage)?);
    }
    let findings = incidents.iter().flat_map(|recorded| &recorded.incident.finding_ids);
    let findings: Vec<String> = findings.cloned().collect();
    let changed =
        set_state(&lake, &findings, state, by.as_deref(), note.as_deref(), clock::now()).await;
    let changed = changed.map_err(usage)?;
    let mut out = output::stdout();
    for RecordedIncident { incident, .. } in &incidents {
        let id = &incident.incident_id;
        let count = changed
            .iter()
            .filter(|recorded| recorded.finding.incident_id.as_ref() == Some(id))
            .count();
        writeln!(out, "{id} {state}, {count} findings changed: {}", escape(&incident.title))?;
    }
    out.flush()?;
    Ok(Exit::Ok)
}
