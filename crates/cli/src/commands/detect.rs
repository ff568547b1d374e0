//! `podtrail detect`: the detections over what was added to a lake since the last run.

use anyhow::Context;
use podtrail_detect::{DetectOptions, Detected, Finding, HealthOptions, Severity, detect};
use podtrail_lake::Lake;
use podtrail_query::Limits;
use podtrail_report::{thousands, write_findings};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::args::{DetectArgs, FindingFormat};
use crate::commands::{detections, exceptions, hunt};
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(arguments: &DetectArgs) -> anyhow::Result<Exit> {
    let find = &arguments.find;
    let pack = detections::chosen(find)?;
    let checks = find.detection.iter().filter(|id| detections::health_check(id).is_some());
    let only: Vec<String> = checks.cloned().collect();
    let options = DetectOptions {
        lookback: arguments.lookback,
        min_severity: find.min_severity.into(),
        health: (find.detection.is_empty() || !only.is_empty()).then_some(HealthOptions {
            silence: arguments.silence,
            every: arguments.every,
            only,
        }),
        limits: Limits::for_hunt(find.memory),
        jobs: find.jobs,
    };
    let runtime = Runtime::new().context("cannot start threads")?;
    let detected = runtime.block_on(async {
        let lake = Lake::open_to_detect(&arguments.lake).await?;
        anyhow::Ok(detect(&lake, &pack, &options, &Uuid::now_v7().to_string()).await?)
    })?;
    for failure in &detected.failures {
        output::warn(&failure.to_string());
    }
    exceptions::tell_expired(&detected.expired);
    hunt::print(find.format, &detected.new, &pack.attack_names(), |out| {
        write_findings(&detected.new, output::width(), out)
    })?;
    if find.format == FindingFormat::Table {
        output::tell(&summary(&detected));
    }

    if !detected.failures.is_empty() {
        return Ok(Exit::Failed);
    }
    let alarm = find.fail_on.map(Severity::from);
    let alarms = |finding: &Finding| alarm.is_some_and(|level| finding.severity >= level);
    Ok(if detected.new.iter().any(alarms) { Exit::Findings } else { Exit::Ok })
}

fn summary(detected: &Detected) -> String {
    format!(
        "{} new findings, {} seen again, {} suppressed, in {} events up to version {}",
        thousands(detected.new.len() as u64),
        thousands(detected.seen_again as u64),
        thousands(detected.suppressed as u64),
        thousands(detected.events),
        detected.run.events_version,
    )
}
