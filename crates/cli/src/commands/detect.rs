//! `podtrail detect`: runs detections over the events added since the last run.

use std::time::Duration;

use anyhow::{Context, anyhow};
use podtrail_detect::{
    DetectOptions, Detected, Finding, HealthOptions, Pack, Printed, Severity, Turn, detect,
    incident_findings, incidents, mark_delivered, undelivered,
};
use podtrail_lake::Lake;
use podtrail_report::{thousands, write_findings, write_incidents, write_other_findings};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::args::{DetectArgs, FindingFormat, Unit};
use crate::clock;
use crate::commands::hunt::{self, Found};
use crate::commands::{exceptions, indicators};
use crate::engine::Engine;
use crate::exit::Exit;
use crate::output;
use crate::pack;
use crate::query_engine::Chosen;

/// How long a run waits until another has printed its findings. After that it prints its own.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn run(runtime: &Runtime, arguments: &DetectArgs) -> anyhow::Result<Exit> {
    let find = &arguments.find;
    find.unit()?;
    let pack = pack::selected(find)?;
    let checks = find.detection.iter().filter(|id| pack::health_check(id).is_some());
    let only: Vec<String> = checks.cloned().collect();
    let again = arguments.again()?;
    // Health checks describe the current state of the lake.
    let checks_health = again.is_none() && (find.detection.is_empty() || !only.is_empty());
    let queries = Chosen::of(&arguments.engine, false)?;
    let options = DetectOptions {
        lookback: arguments.lookback,
        impersonation_proxies: arguments.proxies.impersonation_proxy.clone(),
        only: pack::current_ids(&pack, &find.detection),
        again,
        health: checks_health.then_some(HealthOptions {
            silence: arguments.silence,
            every: arguments.every,
            only,
        }),
        limits: find.limits(),
        engine: queries.engine.clone(),
        indicators: indicators::given(find, &pack)?,
        jobs: find.jobs,
        now: clock::now(),
    };
    let lake = runtime.block_on(Lake::open_to_detect(&arguments.lake))?;
    let detected = {
        let (lake, pack, id) = (lake.clone(), pack.clone(), Uuid::now_v7().to_string());
        let run = Engine::new()?.run(hunt::memory(find), move |threads| {
            threads.block_on(Box::pin(detect(&lake, &pack, &options, &id)))
        });
        runtime.block_on(run)??
    };
    queries.report();
    for failure in &detected.failures {
        output::warn(&failure.to_string());
    }
    exceptions::warn_of_expired(&detected.expired);
    if detected.new_indicators > 0 {
        let count = thousands(detected.new_indicators as u64);
        output::note(&format!("searched the whole lake for new indicators: {count}"));
    }
    let printed = deliver(arguments, runtime, &lake, &pack, &detected)?;

    if !detected.failures.is_empty() {
        return Ok(Exit::Failed);
    }
    let alarm = find.fail_on;
    let alarms = |finding: &Finding| alarm.is_some_and(|level| finding.severity >= level);
    Ok(if printed.iter().any(alarms) { Exit::Findings } else { Exit::Ok })
}

/// Prints the findings that no run has printed, and marks them as printed once the output has accepted them.
fn deliver(
    arguments: &DetectArgs,
    runtime: &Runtime,
    lake: &Lake,
    pack: &Pack,
    detected: &Detected,
) -> anyhow::Result<Vec<Finding>> {
    let find = &arguments.find;
    let turn = Turn::take(lake, PATIENCE);
    let wanted = Printed {
        least: find.min_severity,
        detections: &pack::current_ids(pack, &find.detection),
        run: turn.is_none().then_some(detected.run.id.as_str()),
    };
    let (recorded, others) = runtime.block_on(undelivered(lake, &wanted))?;
    let findings: Vec<_> = recorded.iter().map(|recorded| recorded.finding.clone()).collect();
    let unit = find.unit()?;
    let incidents = match unit {
        Unit::Findings => Vec::new(),
        // Their stories contain the findings of earlier runs, too.
        Unit::Incidents => {
            let ids = findings.iter().filter_map(|finding| finding.incident_id.as_deref());
            let recorded = runtime.block_on(incident_findings(lake, ids.collect()))?;
            let mut found =
                incidents(recorded.iter().map(|recorded| &recorded.finding), &pack.combined());
            found.retain(|incident| incident.severity >= find.min_severity.max(Severity::Medium));
            found
        }
    };
    let names = pack.attack_names();
    let found = Found { findings: &findings, incidents: &incidents, names: &names };
    let written = hunt::print(find, &found, |out| match unit {
        Unit::Findings => Ok(write_findings(&findings, output::width(), out)?),
        Unit::Incidents => {
            write_incidents(&incidents, output::width(), out)?;
            Ok(write_other_findings(&findings, &incidents, output::width(), out)?)
        }
    });
    let written = written.and_then(|()| Ok(output::confirm_stdout()?));
    // The reader has not received the findings, so this is not a success.
    written.map_err(|error| {
        let count = thousands(findings.len() as u64);
        anyhow!("{count} findings not delivered; the next run prints them again: {error}")
    })?;
    runtime
        .block_on(mark_delivered(lake, &recorded, clock::now()))
        .context("findings printed but not marked as printed; the next run prints them again")?;
    drop(turn);
    if find.format == FindingFormat::Table {
        output::note(&summary(detected, findings.len(), others));
    }
    Ok(findings)
}

fn summary(detected: &Detected, printed: usize, others: u64) -> String {
    let others = match others {
        0 => String::new(),
        others => format!("; {} more recorded but not printed", thousands(others)),
    };
    format!(
        "findings: {} new, {} seen again, {} suppressed, in {} events up to version {}{others}",
        thousands(printed as u64),
        thousands(detected.seen_again as u64),
        thousands(detected.suppressed as u64),
        thousands(detected.events),
        detected.run.events_version,
    )
}
