//! `podtrail ingest --explain`: what logs contain, and what cannot be detected in them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use chrono::DateTime;
use podtrail_ingest::{Explanation, Input, Options, Summary, ingest_into};
use podtrail_report::{escape, seconds, thousands};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::args::IngestArgs;
use crate::commands::ingest;
use crate::exit::Exit;
use crate::output;
use crate::progress::Bar;
use crate::stop;

pub(crate) fn run(runtime: &Runtime, arguments: &IngestArgs) -> anyhow::Result<Exit> {
    let inputs: Vec<_> = arguments.paths.iter().map(Input::parse).collect();
    let options = Options {
        cluster: arguments.cluster.clone(),
        stop: stop::on_signal(runtime.handle()),
        ..Options::default()
    };
    let options = ingest::limited(options, arguments);
    let bar = Bar::new();
    let mut explanation = Explanation::default();
    let summary = ingest_into(&mut explanation, Box::new(io::stdin()), &inputs, &options, &bar);
    bar.finish();
    let summary = summary?;
    ingest::report_problems(&summary);
    if arguments.json {
        let mut out = output::data_stdout();
        let mut object = json!(explanation);
        object["quarantined"] = summary.quarantined.into();
        object["skipped"] = summary.skipped.into();
        object["blind_spots"] = explanation.blind_spots().into();
        writeln!(out, "{object}")?;
        out.flush()?;
    } else {
        let mut out = output::stdout();
        print(&mut out, &explanation, &summary)?;
        out.flush()?;
    }
    Ok(ingest::exit(&summary))
}

fn print(out: &mut impl Write, log: &Explanation, summary: &Summary) -> io::Result<()> {
    let mut line = |label: &str, text: &str| writeln!(out, "{label:<11} {text}");
    let refused = match (summary.quarantined, summary.skipped) {
        (0, 0) => String::new(),
        (quarantined, skipped) => {
            format!(" ({} quarantined, {} skipped)", thousands(quarantined), thousands(skipped))
        }
    };
    line("events", &format!("{}{refused}", thousands(log.events)))?;
    if let (Some(first), Some(last)) = (log.first, log.last) {
        line("period", &format!("{} to {} UTC", time(first), time(last)))?;
    }
    line("shape", &counts(&log.envelopes, "bare"))?;
    line("versions", &counts(&log.api_versions, "none"))?;
    line("clusters", &counts(&log.clusters, "none"))?;
    if !log.providers.is_empty() {
        line("providers", &counts(&log.providers, "none"))?;
    }
    line("levels", &counts(&log.levels, "none"))?;
    line("stages", &counts(&log.stages, "none"))?;
    line("identities", &counts(&log.identities, "none"))?;
    let bodies = match log.workload_writes {
        0 => String::new(),
        writes => format!(", {} % with visible body", log.workload_bodies * 100 / writes),
    };
    line(
        "workloads",
        &format!("{} writes of any outcome{bodies}", thousands(log.workload_writes)),
    )?;
    for spot in log.blind_spots() {
        line("blind", &spot)?;
    }
    Ok(())
}

fn time(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).map_or_else(|| micros.to_string(), seconds)
}

/// Returns the most frequent values with their counts.
fn counts(counts: &BTreeMap<String, u64>, unnamed: &str) -> String {
    const SHOWN: usize = 6;
    let mut sorted: Vec<_> = counts.iter().collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let named = |(value, count): &(&String, &u64)| {
        let value = if value.is_empty() { unnamed.to_owned() } else { escape(value).to_string() };
        format!("{value} {}", thousands(**count))
    };
    let mut shown: Vec<_> = sorted.iter().take(SHOWN).map(named).collect();
    if sorted.len() > SHOWN {
        shown.push(format!("{} more", sorted.len() - SHOWN));
    }
    shown.join(", ")
}
