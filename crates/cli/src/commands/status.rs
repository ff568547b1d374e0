//! `podtrail status`: shows the state of a lake.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Context;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use chrono::{DateTime, Utc};
use podtrail_detect::{Severity, State, last_seen};
use podtrail_lake::{Day, Lake};
use podtrail_query::{QueryError, Session, instant_sql};
use podtrail_report::{ClusterStatus, DetectStatus, OpenFindings, Status};
use tokio::runtime::Runtime;

use crate::args::{StatusArgs, StatusFormat};
use crate::exit::Exit;
use crate::output;
use crate::output_file::OutputFile;

pub(crate) fn run(runtime: &Runtime, arguments: &StatusArgs) -> anyhow::Result<Exit> {
    let status = runtime.block_on(async {
        let lake = Lake::open(&arguments.lake)?;
        status(&lake, Utc::now()).await
    })?;
    let mut text = Vec::new();
    match arguments.format {
        StatusFormat::Table => status.write(&mut text)?,
        StatusFormat::Json => status.write_json(&mut text)?,
        StatusFormat::Openmetrics => status.write_openmetrics(&mut text)?,
    }
    if let Some(path) = &arguments.output {
        // Others read it meanwhile, such as node exporter.
        let mut file = OutputFile::create(path)?;
        file.write_all(&text).with_context(|| format!("cannot write {}", path.display()))?;
        file.finish()?;
    } else {
        let mut out = output::data_stdout();
        out.write_all(&text)?;
        out.flush()?;
    }
    Ok(Exit::Ok)
}

async fn status(lake: &Lake, at: DateTime<Utc>) -> anyhow::Result<Status> {
    let events = lake.events().await?;
    let findings = lake.findings().await?;
    let run = lake.last_detect_run(&findings)?;
    let watermark = findings.watermark.unwrap_or(-1);
    let session = Session::over_findings(&findings.rows)?;
    session.add_snapshot("quarantine_log", &lake.quarantine().await?)?;
    let quarantined = "SELECT count(*) FROM quarantine_log AS refused WHERE releases IS NULL
        AND NOT EXISTS (SELECT 1 FROM quarantine_log AS release WHERE release.releases = refused.quarantine_id)";
    let day_before = at.checked_sub_days(chrono::Days::new(1)).unwrap_or(at);
    let last_day = format!("{quarantined} AND quarantined_at >= {}", instant_sql(day_before));
    let mut open_findings = Vec::new();
    for severity in Severity::ALL.into_iter().rev().map(Severity::as_str) {
        let states = State::ALL.into_iter().filter(|state| state.is_open());
        let states: Vec<_> = states.map(|state| format!("'{state}'")).collect();
        let states = states.join(", ");
        let sql = format!(
            "SELECT count(*) FROM findings WHERE severity = '{severity}' AND state IN ({states})"
        );
        open_findings.push(OpenFindings { severity, count: count(&session, &sql).await? });
    }
    Ok(Status {
        at,
        events_version: events.version(),
        clusters: clusters(events.days(), &last_seen(&events, at).await?, at),
        quarantined: count(&session, quarantined).await?,
        quarantined_last_day: count(&session, &last_day).await?,
        detect: run.map(|run| DetectStatus {
            last_run: run.started_at,
            duration_seconds: run
                .finished_at
                .signed_duration_since(run.started_at)
                .to_std()
                .unwrap_or_default()
                .as_secs_f64(),
            complete: run.complete,
            versions_behind: events.version() - watermark,
        }),
        open_findings,
    })
}

async fn count(session: &Session, sql: &str) -> Result<u64, QueryError> {
    let batches = session.sql(sql).await?.collect().await?;
    let counts = batches.iter().filter_map(|batch| batch.column(0).as_primitive_opt::<Int64Type>());
    let count: i64 = counts.flat_map(|counts| counts.values().iter()).sum();
    Ok(u64::try_from(count).unwrap_or_default())
}

fn clusters(
    days: Vec<Day>,
    last_seen: &BTreeMap<Option<String>, DateTime<Utc>>,
    at: DateTime<Utc>,
) -> Vec<ClusterStatus> {
    const USUAL_DAYS: usize = 7;
    let mut clusters: BTreeMap<Option<String>, Vec<Day>> = BTreeMap::new();
    for day in days {
        clusters.entry(day.cluster.clone()).or_default().push(day);
    }
    let status = |(cluster, days): (Option<String>, Vec<Day>)| {
        let last_event = last_seen.get(&cluster).copied();
        // Days in the future, from clocks that run ahead, are not part of the average.
        let known = days.iter().filter(|day| day.date <= last_event.map(|last| last.date_naive()));
        let usual: Vec<u64> = known.rev().take(USUAL_DAYS).map(|day| day.rows).collect();
        let lag = last_event.map(|last| at.signed_duration_since(last).num_seconds());
        ClusterStatus {
            cluster: cluster.unwrap_or_default(),
            events: days.iter().map(|day| day.rows).sum(),
            events_per_day: usual.iter().sum::<u64>() / (usual.len() as u64).max(1),
            last_event,
            lag_seconds: lag.map(|lag| u64::try_from(lag).unwrap_or_default()),
        }
    };
    clusters.into_iter().map(status).collect()
}
