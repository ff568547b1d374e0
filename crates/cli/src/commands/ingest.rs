//! `podtrail ingest`: ingests log files into a lake.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use podtrail_event::{QuarantineRecord, quarantine_records};
use podtrail_ingest::{Input, LakeSink, Options, PIECE, Summary};
use podtrail_lake::Lake;
use podtrail_query::{Limits, Scope, Session};
use podtrail_report::thousands;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::args::IngestArgs;
use crate::exit::{Exit, UsageError};
use crate::output;
use crate::progress::Bar;
use crate::stop;

pub(crate) fn run(runtime: &Runtime, arguments: &IngestArgs) -> anyhow::Result<Exit> {
    let Some(location) = &arguments.lake else {
        return Err(UsageError("no lake given; use --lake LAKE".to_owned()).into());
    };
    let lake = runtime.block_on(Lake::create(location))?;
    let cluster = arguments.cluster.as_deref();
    let options = options(runtime, &lake, cluster, arguments.no_redact)?;
    let options = Options { pieces: pieces(runtime, &lake)?, ..limited(options, arguments) };
    let summary = if arguments.follow {
        follow(runtime, &lake, &arguments.paths, &options, arguments.every)?
    } else {
        let summary = read(runtime, &lake, &arguments.paths, &options)?;
        report_problems(&summary);
        summary
    };
    let mut out = output::stdout();
    if arguments.json {
        let object = json!({
            "files": summary.files,
            "records": summary.records,
            "events_added": summary.events_added,
            "duplicates": summary.duplicates,
            "quarantined": summary.quarantined,
            "skipped": summary.skipped,
            "warnings": summary.warnings,
            "bytes_read": summary.bytes_read,
            "seconds": summary.seconds,
        });
        writeln!(out, "{object}")?;
    } else {
        writeln!(
            out,
            "{} events added to {} from {} files ({} duplicates, {} quarantined) in {:.1} s",
            thousands(summary.events_added),
            podtrail_report::escape(&location.to_string()),
            thousands(summary.files),
            thousands(summary.duplicates),
            thousands(summary.quarantined),
            summary.seconds,
        )?;
    }
    out.flush()?;
    check_read(&summary)?;
    Ok(exit(&summary))
}

/// Returns the parts of split records that an earlier run has left in the quarantine.
fn pieces(runtime: &Runtime, lake: &Lake) -> anyhow::Result<Vec<QuarantineRecord>> {
    const MOST: usize = 256;
    let sql = format!(
        "SELECT *, CAST(NULL AS VARCHAR) AS releases FROM quarantine \
         WHERE released_at IS NULL AND reason LIKE '{PIECE}%' ORDER BY quarantined_at DESC LIMIT {MOST}"
    );
    let session = Session::open(lake, Scope::default(), Limits::default())?;
    let batches = runtime.block_on(async {
        let records = session.sql(&sql).await?;
        records.collect().await
    })?;
    let records: Result<Vec<_>, _> = batches.iter().map(quarantine_records).collect();
    Ok(records?.into_iter().flatten().collect())
}

/// Returns the options for ingesting logs and quarantined records into `lake`.
pub(crate) fn options(
    runtime: &Runtime,
    lake: &Lake,
    cluster: Option<&str>,
    no_redact: bool,
) -> anyhow::Result<Options> {
    Ok(Options {
        cluster: cluster.map(str::to_owned),
        redact: if no_redact { None } else { Some(lake.redaction_key()?) },
        exclude: vec![PathBuf::from(lake.location().to_string())],
        stop: stop::on_signal(runtime.handle()),
        ..Options::default()
    })
}

/// Returns the options with the limits of the command line.
pub(crate) fn limited(options: Options, arguments: &IngestArgs) -> Options {
    let options = match arguments.memory {
        Some(memory) => options.with_memory(memory),
        None => options,
    };
    let cluster_field = arguments.cluster_field.clone();
    let max_expanded_bytes =
        arguments.max_expanded.map_or(options.max_expanded_bytes, |size| size as u64);
    Options { max_expanded_bytes, cluster_field, shard: arguments.shard, ..options }
}

/// Ingests log files into `lake`, with a progress bar.
pub(crate) fn read(
    runtime: &Runtime,
    lake: &Lake,
    paths: &[PathBuf],
    options: &Options,
) -> anyhow::Result<Summary> {
    let inputs: Vec<_> = paths.iter().map(Input::parse).collect();
    let bar = Bar::new();
    let summary = podtrail_ingest::ingest(lake, runtime.handle(), &inputs, options, &bar);
    bar.finish();
    Ok(summary?)
}

/// Ingests log files into `lake` as they grow, until Ctrl-C.
fn follow(
    runtime: &Runtime,
    lake: &Lake,
    paths: &[PathBuf],
    options: &Options,
    every: Duration,
) -> anyhow::Result<Summary> {
    let inputs: Vec<_> = paths.iter().map(Input::parse).collect();
    if inputs.iter().any(|input| matches!(input, Input::Stdin)) {
        return Err(
            UsageError("--follow requires files or folders, not standard input".into()).into()
        );
    }
    let bar = Bar::new();
    let mut sink = LakeSink::new(lake, runtime.handle());
    let summary =
        podtrail_ingest::follow(&mut sink, &inputs, options, every, &bar, &mut |summary| {
            bar.suspend(|| report_problems(summary));
        });
    bar.finish();
    Ok(summary?)
}

/// Prints the problems of the input; problems of one file are printed together.
pub(crate) fn report_problems(summary: &Summary) {
    const SHOWN: usize = 20;
    for problem in summary.problems.iter().take(SHOWN) {
        output::warn(&problem.to_string());
    }
    if summary.problems.len() > SHOWN {
        output::warn(&format!("and {} more problems", summary.problems.len() - SHOWN));
    }
    for warning in &summary.warnings {
        output::warn(warning);
    }
    for note in &summary.notes {
        output::note(&note.to_string());
    }
    if summary.interrupted {
        output::warn(
            "stopped before the end; run the same command again to continue (events are not added twice)",
        );
    }
}

/// Checks that at least one input was read.
pub(crate) fn check_read(summary: &Summary) -> anyhow::Result<()> {
    let is_unread = summary.files == 0 && !summary.problems.is_empty() && !summary.interrupted;
    ensure!(!is_unread, "no input could be read, nothing was examined");
    Ok(())
}

/// Returns the exit code for the state of the input.
pub(crate) fn exit(summary: &Summary) -> Exit {
    let whole = summary.problems.is_empty() && summary.quarantined == 0 && !summary.interrupted;
    if whole { Exit::Ok } else { Exit::PartlyBad }
}
