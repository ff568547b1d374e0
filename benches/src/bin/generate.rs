//! Writes audit logs of a given size, rotated as the API server rotates them.
//!
//! `cargo run -p podtrail-benches --release --bin generate -- --bytes 1GiB --seed 1 --out DIR`

#![allow(clippy::disallowed_methods, reason = "a measurement reads and writes whole files")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use bytesize::ByteSize;
use chrono::DateTime;
use clap::Parser;
use flate2::Compression;
use flate2::write::GzEncoder;
use podtrail_benches::Generator;

/// Writes audit logs as JSON lines; the same seed gives the same log
#[derive(Parser)]
struct Arguments {
    /// Size of the log, in bytes before compression
    #[arg(long, default_value = "1GiB")]
    bytes: ByteSize,
    /// Seed; another seed gives another log of the same shape
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder to write to; created if missing
    #[arg(long)]
    out: PathBuf,
    /// Size at which a file is rotated (`--audit-log-maxsize`)
    #[arg(long, default_value = "100MB")]
    rotate: ByteSize,
    /// Compress the files (`--audit-log-compress`)
    #[arg(long)]
    gzip: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    std::fs::create_dir_all(&arguments.out)
        .with_context(|| format!("cannot create {}", arguments.out.display()))?;
    let mut generator = Generator::new(arguments.seed)?;
    let (mut left, mut lines) = (arguments.bytes.as_u64(), 0_u64);
    let mut line = Vec::new();
    while left > 0 {
        let (mut file_left, mut last) = (left.min(arguments.rotate.as_u64()), 0);
        let mut file = Output::create(&arguments)?;
        while file_left > 0 {
            line.clear();
            last = generator.write_line(&mut line);
            file.write_all(&line)?;
            let length = line.len() as u64;
            file_left = file_left.saturating_sub(length);
            left = left.saturating_sub(length);
            lines += 1;
        }
        file.finish()?;
        if left > 0 {
            rotate(&arguments, last)?;
        }
    }
    writeln!(std::io::stderr(), "{lines} lines, {}", arguments.bytes)?;
    Ok(())
}

/// The file that is being written.
enum Output {
    Plain(BufWriter<File>),
    Gzip(Box<GzEncoder<BufWriter<File>>>),
}

impl Output {
    fn create(arguments: &Arguments) -> Result<Self> {
        let path = path(arguments, "audit");
        let file =
            File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        let file = BufWriter::with_capacity(1 << 20, file);
        Ok(if arguments.gzip {
            Self::Gzip(Box::new(GzEncoder::new(file, Compression::default())))
        } else {
            Self::Plain(file)
        })
    }

    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Plain(file) => file.write_all(bytes),
            Self::Gzip(file) => file.write_all(bytes),
        }
    }

    fn finish(self) -> std::io::Result<()> {
        match self {
            Self::Plain(mut file) => file.flush(),
            Self::Gzip(file) => file.finish()?.flush(),
        }
    }
}

/// Renames the file as the API server's rotation does.
fn rotate(arguments: &Arguments, at: i64) -> Result<()> {
    let at = DateTime::from_timestamp_micros(at).unwrap_or_default();
    let name = format!("audit-{}", at.format("%Y-%m-%dT%H-%M-%S%.3f"));
    std::fs::rename(path(arguments, "audit"), path(arguments, &name))
        .context("cannot rotate the log")
}

fn path(arguments: &Arguments, name: &str) -> PathBuf {
    let suffix = if arguments.gzip { ".log.gz" } else { ".log" };
    arguments.out.join(format!("{name}{suffix}"))
}
