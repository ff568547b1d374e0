//! Measures the cost at ingest of the columns on workloads, roles and other written objects.
//!
//! `cargo run -p podtrail-benches --release --bin extraction -- FILES…`
//!
//! Ingests the logs into an empty lake, alternating between all columns and only those of the envelope (both store
//! bodies): redact, parse, gather, sort and write Parquet in commits of 96 MiB of log, on all cores. The logs are in
//! memory before the clock starts; format detection and file hashes are left out, so the share of the columns is at
//! most overstated.

#![allow(clippy::disallowed_methods, reason = "a measurement reads and writes whole files")]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use clap::Parser;
use cpu_time::ProcessTime;
use podtrail_event::{BatchBuilder, RedactionKey};
use podtrail_lake::Lake;
use rayon::prelude::*;

/// Measures ingest with all columns and with only those of the envelope
#[derive(Parser)]
struct Arguments {
    /// Audit logs, one event per line, plain or gzip
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Number of measurements of each variant
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// The allocator of the `podtrail` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The bytes of log that are parsed together.
const BLOCK: usize = 4 * 1024 * 1024;

/// The number of blocks per commit.
const COMMIT: usize = 24;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let logs: Vec<Vec<u8>> =
        arguments.files.par_iter().map(|path| read(path)).collect::<Result<_>>()?;
    let blocks: Vec<Buffer> = logs.into_iter().flat_map(|log| blocks(&log)).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut out = std::io::stdout().lock();
    let bytes: usize = blocks.iter().map(Buffer::len).sum();
    writeln!(out, "{bytes} bytes in {} blocks", blocks.len())?;
    writeln!(out, "| all columns, CPU s | envelope, CPU s | ratio | wall, s | wall, s | ratio |")?;
    writeln!(out, "|---|---|---|---|---|---|")?;
    let mut ratios = Vec::new();
    for _ in 0..arguments.rounds {
        let all = runtime.block_on(ingest(&blocks, false))?;
        let envelope = runtime.block_on(ingest(&blocks, true))?;
        let ratio = all.cpu / envelope.cpu;
        ratios.push(ratio);
        writeln!(
            out,
            "| {:.2} | {:.2} | {ratio:.3} | {:.2} | {:.2} | {:.3} |",
            all.cpu,
            envelope.cpu,
            all.wall,
            envelope.wall,
            all.wall / envelope.wall
        )?;
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ratios.len() / 2).copied().unwrap_or_default();
    writeln!(out, "\nmedian of the ratios of CPU time: {median:.3}")?;
    Ok(())
}

/// Durations in seconds.
struct Time {
    wall: f64,
    cpu: f64,
}

async fn ingest(blocks: &[Buffer], is_envelope_only: bool) -> Result<Time> {
    let dir = tempfile::tempdir()?;
    let (wall, cpu) = (Instant::now(), ProcessTime::now());
    let lake = Lake::create(dir.path()).await?;
    for commit in blocks.chunks(COMMIT) {
        let batches = commit.par_iter().map(|block| rows(block, is_envelope_only));
        lake.append_events(batches.collect::<Result<_>>()?).await?;
    }
    Ok(Time { wall: wall.elapsed().as_secs_f64(), cpu: cpu.elapsed().as_secs_f64() })
}

fn rows(block: &Buffer, is_envelope_only: bool) -> Result<RecordBatch> {
    let mut parser = podtrail_event::Parser::new(Some(RedactionKey::new([7; 32])));
    if is_envelope_only {
        parser = parser.envelope_only();
    }
    let mut builder = BatchBuilder::over(block);
    for line in block.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let mut event = parser.parse(line, None)?;
        event.cluster = Some("default".into());
        builder.append(&event);
    }
    Ok(builder.finish())
}

/// Splits a log into blocks of whole lines.
fn blocks(log: &[u8]) -> Vec<Buffer> {
    let mut blocks = Vec::new();
    let mut rest = log;
    while !rest.is_empty() {
        let end = rest.len().min(BLOCK);
        let end = match memchr::memchr(b'\n', &rest[end..]) {
            Some(more) => end + more + 1,
            None => rest.len(),
        };
        let (block, after) = rest.split_at(end);
        blocks.push(Buffer::from(block));
        rest = after;
    }
    blocks
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(&*bytes).read_to_end(&mut plain)?;
    Ok(plain)
}
