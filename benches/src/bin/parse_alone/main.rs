//! Measures the limits of a machine: only parsing, only hashing, only compression, only decompression.
//!
//! `cargo run -p podtrail-benches --release --bin parse_alone -- FILES…`
//!
//! All data is in memory before the clock starts, and every contender uses all cores. They run in turn, so that other
//! load affects all of them.

#![allow(clippy::disallowed_methods, reason = "a measurement reads and writes whole files")]

mod compression;
mod envelope;
mod hashes;
mod parsers;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;
use cpu_time::ProcessTime;
use rayon::prelude::*;

/// Measures parsing, hashing, zstd and gzip decoding, each separately
#[derive(Parser)]
struct Arguments {
    /// Audit logs, one event per line, plain or gzip
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Number of measurements of each contender
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// A log, as read and as stored on a server after rotation.
struct Log {
    plain: Vec<u8>,
    gzip: Vec<u8>,
}

/// The work of a contender: equal work gives an equal tally.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Tally {
    lines: usize,
    envelope_bytes: usize,
    body_bytes: usize,
    output_bytes: usize,
}

impl std::ops::Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            lines: self.lines + other.lines,
            envelope_bytes: self.envelope_bytes + other.envelope_bytes,
            body_bytes: self.body_bytes + other.body_bytes,
            output_bytes: self.output_bytes + other.output_bytes,
        }
    }
}

type Contender = (&'static str, fn(&[Log]) -> Result<Tally>);

const CONTENDERS: [Contender; 8] = [
    ("parse, serde_json", parsers::serde_json),
    ("parse, sonic-rs", parsers::sonic_rs),
    ("parse, simd-json", parsers::simd_json),
    ("hash, SHA-256", |logs| Ok(hashes::sha256(logs))),
    ("hash, BLAKE3", |logs| Ok(hashes::blake3(logs))),
    ("compress, zstd 1", compression::zstd),
    ("gunzip, zlib-rs", compression::zlib_rs),
    ("gunzip, libdeflate", compression::libdeflate),
];

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let logs: Vec<Log> =
        arguments.files.par_iter().map(|path| Log::read(path)).collect::<Result<_>>()?;
    let bytes: usize = logs.iter().map(|log| log.plain.len()).sum();
    let mut rates = vec![Vec::new(); CONTENDERS.len()];
    let mut tallies = vec![Tally::default(); CONTENDERS.len()];
    for _ in 0..arguments.rounds {
        for (index, (name, run)) in CONTENDERS.iter().enumerate() {
            let (wall, cpu) = (Instant::now(), ProcessTime::now());
            tallies[index] = run(&logs).with_context(|| (*name).to_owned())?;
            rates[index].push((rate(bytes, wall.elapsed()), rate(bytes, cpu.elapsed())));
        }
    }
    let mut out = std::io::stdout().lock();
    let threads = rayon::current_num_threads();
    writeln!(out, "{bytes} bytes in {} files, {threads} threads", logs.len())?;
    writeln!(out, "MB/s of plain log, median of {} rounds (lowest, highest)\n", arguments.rounds)?;
    for (index, (name, _)) in CONTENDERS.iter().enumerate() {
        let (low, median, high) = spread(rates[index].iter().map(|(wall, _)| *wall));
        let (_, per_core, _) = spread(rates[index].iter().map(|(_, cpu)| *cpu));
        writeln!(
            out,
            "{name:<20} {median:6.0} ({low:.0}, {high:.0})   {per_core:6.0} per CPU second   {:?}",
            tallies[index]
        )?;
    }
    Ok(())
}

impl Log {
    fn read(path: &Path) -> Result<Self> {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        if bytes.starts_with(&[0x1f, 0x8b]) {
            let mut plain = Vec::new();
            flate2::read::MultiGzDecoder::new(&*bytes).read_to_end(&mut plain)?;
            Ok(Self { plain, gzip: bytes })
        } else {
            Ok(Self { gzip: compression::gzip(&bytes)?, plain: bytes })
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes of logs are far below 2^52")]
fn rate(bytes: usize, time: std::time::Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64()
}

/// Returns the lowest, the median and the highest value.
fn spread(values: impl Iterator<Item = f64>) -> (f64, f64, f64) {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or_default();
    (at(0), at(values.len() / 2), at(values.len().saturating_sub(1)))
}
