//! `podtrail lake`: inspects and maintains the tables.

use std::io::Write;

use podtrail_lake::{CompactOptions, Compacted, Lake, TableInfo};
use podtrail_report::{escape, seconds, thousands};
use tokio::runtime::Runtime;

use crate::args::{
    CompactArgs, InfoFormat, LakeCommand, LakeInfoArgs, RetainArgs, VacuumArgs, VerifyArgs,
};
use crate::clock;
use crate::exit::{Exit, UsageError};
use crate::output;

pub(crate) fn run(runtime: &Runtime, command: &LakeCommand) -> anyhow::Result<Exit> {
    match command {
        LakeCommand::Info(arguments) => info(runtime, arguments),
        LakeCommand::Compact(arguments) => compact(runtime, arguments),
        LakeCommand::Vacuum(arguments) => vacuum(runtime, arguments),
        LakeCommand::Retain(arguments) => retain(runtime, arguments),
        LakeCommand::Verify(arguments) => verify(runtime, arguments),
    }
}

fn info(runtime: &Runtime, arguments: &LakeInfoArgs) -> anyhow::Result<Exit> {
    let options = CompactOptions {
        target_size: arguments.target_size as u64,
        min_age: std::time::Duration::ZERO,
        dry_run: true,
    };
    let tables = runtime.block_on(async {
        let lake = Lake::open(&arguments.lake)?;
        lake.info(&options).await
    })?;
    let mut out = output::stdout();
    match arguments.format {
        InfoFormat::Json => {
            serde_json::to_writer_pretty(&mut out, &tables)?;
            writeln!(out)?;
        }
        InfoFormat::Table => {
            for table in &tables {
                write_info(table, &mut out)?;
            }
        }
    }
    out.flush()?;
    Ok(Exit::Ok)
}

fn write_info(table: &TableInfo, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "{}, version {}", table.table, table.version)?;
    writeln!(out, "  rows        {}", table.rows.map_or("unknown".to_owned(), thousands))?;
    if let Some((first, last)) = table.first.zip(table.last) {
        writeln!(out, "  period      {} to {} UTC", seconds(first), seconds(last))?;
    }
    writeln!(out, "  partitions  {}", thousands(table.partitions as u64))?;
    writeln!(out, "  files       {}", thousands(table.files as u64))?;
    writeln!(out, "  bytes       {}", thousands(table.bytes))?;
    if let (Some(smallest), Some(median), Some(largest)) =
        (table.smallest_file, table.median_file, table.largest_file)
    {
        let [smallest, median, largest] = [smallest, median, largest].map(thousands);
        writeln!(
            out,
            "  file size   minimum {smallest} bytes, median {median}, maximum {largest}"
        )?;
    }
    if table.small_files > 0 {
        let (small, joined) = (table.small_files as u64, table.joined_files as u64);
        writeln!(out, "  to compact  {} files into {}", thousands(small), thousands(joined))?;
    }
    Ok(())
}

fn compact(runtime: &Runtime, arguments: &CompactArgs) -> anyhow::Result<Exit> {
    let options = CompactOptions {
        target_size: arguments.target_size as u64,
        min_age: arguments.older_than,
        dry_run: arguments.dry_run,
    };
    let (mut old, mut new) = (0, 0);
    let mut failed = None;
    runtime.block_on(async {
        let lake = Lake::open(&arguments.lake)?;
        let done = &mut |compacted: &Compacted| {
            old += compacted.files;
            new += compacted.new_files;
            // The compaction is committed even if the reader of standard output has gone.
            failed = failed.take().or(write_compacted(compacted).err());
        };
        lake.compact(&options, done).await
    })?;
    failed.map_or(Ok(()), Err)?;
    let mut out = output::stdout();
    let done = if arguments.dry_run { "would become" } else { "became" };
    writeln!(out, "{} {done} {}", files(old), thousands(new as u64))?;
    out.flush()?;
    Ok(Exit::Ok)
}

fn write_compacted(compacted: &Compacted) -> anyhow::Result<()> {
    let Compacted { table, partition, .. } = compacted;
    let place =
        if partition.is_empty() { (*table).to_owned() } else { format!("{table}/{partition}") };
    let bytes = compacted.new_bytes.map(|bytes| format!(" ({} bytes)", thousands(bytes)));
    let mut out = output::stdout();
    writeln!(
        out,
        "{}: {} ({} bytes) into {}{}",
        escape(&place),
        files(compacted.files),
        thousands(compacted.bytes),
        thousands(compacted.new_files as u64),
        bytes.unwrap_or_default(),
    )?;
    out.flush()?;
    Ok(())
}

fn vacuum(runtime: &Runtime, arguments: &VacuumArgs) -> anyhow::Result<Exit> {
    let vacuumed = runtime.block_on(async {
        let lake = Lake::open(&arguments.lake)?;
        lake.vacuum(arguments.older_than, arguments.dry_run).await
    })?;
    let mut out = output::stdout();
    for orphan in &vacuumed.removed {
        writeln!(out, "{}", escape(&orphan.path))?;
    }
    let bytes = vacuumed.removed.iter().map(|orphan| orphan.size).sum();
    let done = removed(arguments.dry_run);
    writeln!(out, "{} ({} bytes) {done}", files(vacuumed.removed.len()), thousands(bytes))?;
    if vacuumed.young > 0 {
        let age = humantime::format_duration(arguments.older_than);
        writeln!(out, "{} kept: younger than {age}", files(vacuumed.young))?;
    }
    if vacuumed.uncommitted > 0 {
        writeln!(
            out,
            "{} kept although unreferenced: written in the last 24 hours while an ingest or compaction is running",
            files(vacuumed.uncommitted)
        )?;
    }
    if vacuumed.log_entries > 0 {
        let entries = thousands(vacuumed.log_entries as u64);
        writeln!(out, "{entries} old log entries removed, which checkpoints replace")?;
    }
    out.flush()?;
    Ok(Exit::Ok)
}

fn retain(runtime: &Runtime, arguments: &RetainArgs) -> anyhow::Result<Exit> {
    let age = arguments.older_than;
    let too_old =
        || UsageError(format!("--older-than {} is out of range", humantime::format_duration(age)));
    let since =
        chrono::Duration::from_std(age).ok().and_then(|age| clock::now().checked_sub_signed(age));
    let before = since.ok_or_else(too_old)?.date_naive();
    let retained = runtime.block_on(async {
        let lake = Lake::open(&arguments.lake)?;
        lake.retain(before, &arguments.activity, arguments.dry_run).await
    })?;
    let mut out = output::stdout();
    let (mut count, mut rows, mut bytes) = (0, 0, 0);
    for partition in &retained.partitions {
        count += partition.files;
        rows += partition.rows.unwrap_or_default();
        bytes += partition.bytes;
        writeln!(
            out,
            "events/{}: {}, {} events",
            escape(&partition.partition),
            files(partition.files),
            partition.rows.map_or("unknown".to_owned(), thousands),
        )?;
    }
    writeln!(
        out,
        "{} ({} events, {} bytes) of days before {before} {}",
        files(count),
        thousands(rows),
        thousands(bytes),
        removed(arguments.dry_run),
    )?;
    out.flush()?;
    Ok(Exit::Ok)
}

fn verify(runtime: &Runtime, arguments: &VerifyArgs) -> anyhow::Result<Exit> {
    let verified = runtime.block_on(async {
        let lake = Lake::open(&arguments.lake)?;
        lake.verify().await
    })?;
    let mut out = output::stdout();
    for table in &verified {
        for problem in &table.problems {
            let path = format!("{}/{}", table.table, problem.path);
            writeln!(out, "{}: {}", escape(&path), escape(&problem.detail))?;
        }
        for orphan in &table.orphans {
            writeln!(out, "{}: unreferenced; `lake vacuum` removes it", escape(&orphan.path))?;
        }
        for removal in &table.removals {
            let rows = removal.rows.map_or("an unknown number of".to_owned(), thousands);
            let choice = removal.predicate.as_deref().unwrap_or("no predicate");
            writeln!(
                out,
                "{}: version {} removed {} with {rows} rows: {}",
                table.table,
                removal.version,
                files(removal.files),
                escape(choice),
            )?;
        }
        if table.version < 0 {
            let problems = thousands(table.problems.len() as u64);
            writeln!(out, "{}: no readable version, {problems} problems", table.table)?;
            continue;
        }
        let checked = if table.digests { "digests compared" } else { "no digests stored" };
        writeln!(
            out,
            "{}, version {}: {}, {} rows, {checked}, {} problems",
            table.table,
            table.version,
            files(table.files),
            thousands(table.rows),
            thousands(table.problems.len() as u64),
        )?;
    }
    out.flush()?;
    let is_whole = verified.iter().all(|table| table.problems.is_empty());
    Ok(if is_whole { Exit::Ok } else { Exit::PartlyBad })
}

fn removed(dry_run: bool) -> &'static str {
    if dry_run { "would be removed" } else { "removed" }
}

fn files(count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} file{plural}", thousands(count as u64))
}
