//! `podtrail findings`: lists, shows and changes recorded findings.

use std::io::Write;
use std::time::Duration;

use chrono::TimeDelta;
use podtrail_detect::{ChangeError, FindingState, RecordedFinding, find_recorded, set_state};
use podtrail_lake::Lake;
use podtrail_query::{Limits, Scope, Session};
use podtrail_report::{
    FindingFilter, escape, write_finding_evidence, write_finding_history, write_findings,
    write_recorded_findings,
};
use tokio::runtime::Runtime;

use crate::args::{FindingArgs, FindingsChangeArgs, FindingsCommand, FindingsListArgs};
use crate::clock;
use crate::exit::{Exit, UsageError};
use crate::output;

pub(crate) fn run(runtime: &Runtime, command: &FindingsCommand) -> anyhow::Result<Exit> {
    match command {
        FindingsCommand::List(arguments) => runtime.block_on(list(arguments)),
        FindingsCommand::Show { finding, around } => runtime.block_on(show(finding, *around)),
        FindingsCommand::Ack(arguments) => {
            runtime.block_on(change(arguments, FindingState::Acknowledged))
        }
        FindingsCommand::Close(arguments) => {
            runtime.block_on(change(arguments, FindingState::Closed))
        }
    }
}

async fn list(arguments: &FindingsListArgs) -> anyhow::Result<Exit> {
    let FindingsListArgs { lake, state, detection, scope, min_severity, format } = arguments;
    let filter = FindingFilter {
        least: *min_severity,
        states: if state.is_empty() { FindingState::ALL.to_vec() } else { state.clone() },
        detections: detection.clone(),
        scope: scope.scope()?,
    };
    let findings = Lake::open(lake)?.findings().await?.rows;
    let session = Session::over_findings(&findings)?;
    let mut out = output::data_stdout();
    let width = output::is_terminal().then(output::width);
    let listed = write_recorded_findings(&session, &filter, *format, width, &mut out).await?;
    out.flush()?;
    if listed == 0 {
        #[derive(serde::Deserialize)]
        struct Count {
            count: i64,
        }
        let all = "SELECT count(*) AS count FROM findings";
        let all: Vec<Count> = session.sql(all).await?.rows().await?;
        match all.first().map_or(0, |all| all.count) {
            0 => output::note(
                "hint: no findings are recorded in this lake; podtrail detect records them, hunt does not",
            ),
            count => output::note(&format!("hint: none of {count} recorded findings matches")),
        }
    }
    Ok(Exit::Ok)
}

async fn change(arguments: &FindingsChangeArgs, state: FindingState) -> anyhow::Result<Exit> {
    let FindingsChangeArgs { ids, lake, note, by } = arguments;
    let lake = Lake::open(lake)?;
    let changed = set_state(&lake, ids, state, by.as_deref(), note.as_deref(), clock::now()).await;
    let changed = changed.map_err(usage)?;
    let mut out = output::stdout();
    for RecordedFinding { finding, state, .. } in &changed {
        writeln!(out, "{} {state}: {}", finding.finding_id, escape(&finding.title))?;
    }
    out.flush()?;
    Ok(Exit::Ok)
}

/// Turns a wrong id into a usage error.
pub(crate) fn usage(error: ChangeError) -> anyhow::Error {
    match error {
        ChangeError::Lake(_) | ChangeError::Query(_) => error.into(),
        wrong => UsageError(wrong.to_string()).into(),
    }
}

async fn show(arguments: &FindingArgs, around: Duration) -> anyhow::Result<Exit> {
    let lake = Lake::open(&arguments.lake)?;
    let recorded = Session::over_findings(&lake.findings().await?.rows)?;
    let RecordedFinding { finding, .. } =
        find_recorded(&recorded, &arguments.id).await.map_err(usage)?;
    let mut out = output::stdout();
    write_findings(std::slice::from_ref(&finding), output::width(), &mut out)?;
    write_finding_history(&recorded, &finding, &mut out).await?;
    if !finding.event_ids.is_empty() {
        let around = TimeDelta::from_std(around).unwrap_or(TimeDelta::MAX);
        let to = finding.last_seen.checked_add_signed(around);
        let scope = Scope {
            from: finding.first_seen.checked_sub_signed(around),
            to: to.and_then(|to| to.checked_add_signed(TimeDelta::microseconds(1))),
            ..Scope::default()
        };
        let session = Session::open(&lake, scope, Limits::default())?;
        write_finding_evidence(&session, &finding, &mut out).await?;
    }
    out.flush()?;
    Ok(Exit::Ok)
}
