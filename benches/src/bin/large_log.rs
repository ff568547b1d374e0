//! Extends the log of a lake with synthetic files, for measurements of tables with very many files.
//!
//! `cargo run -p podtrail-benches --release --bin large_log -- --lake LAKE --files 100000 --checkpoint`
//!
//! LAKE is made by `podtrail ingest`. Its files stay the only ones that exist: the synthetic ones are of other clusters,
//! so a query for the cluster of LAKE reads existing files only. Their statistics are those of the files of LAKE, moved
//! to other days.

#![allow(clippy::disallowed_methods, reason = "a measurement reads and writes whole files")]

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use chrono::{Days, NaiveDate};
use clap::Parser;
use fastrand::Rng;
use podtrail_lake::Lake;
use serde_json::{Value, json};

/// The last synthetic day, so long before the samples that no look-back reaches it; the others precede it.
const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 6, 30).unwrap();

/// Extends the log of a lake with synthetic files; the same seed gives the same log
#[derive(Parser)]
struct Arguments {
    /// Lake made by `podtrail ingest`
    #[arg(long)]
    lake: PathBuf,
    /// Number of synthetic files
    #[arg(long, default_value_t = 100_000)]
    files: usize,
    /// Number of files that a commit adds
    #[arg(long, default_value_t = 100)]
    per_commit: usize,
    /// Number of clusters
    #[arg(long, default_value_t = 50)]
    clusters: usize,
    /// Number of days
    #[arg(long, default_value_t = 300)]
    days: u64,
    /// Seed of the file names
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write a checkpoint of the last version
    #[arg(long)]
    checkpoint: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    ensure!(arguments.clusters > 0 && arguments.days > 0, "no partitions to write to");
    let table = arguments.lake.join("events");
    let log = table.join("_delta_log");
    let (templates, mut version) = templates(&log)?;
    ensure!(!templates.is_empty(), "{} has no files", table.display());
    let mut rng = Rng::with_seed(arguments.seed);
    let mut file = 0;
    while file < arguments.files {
        version += 1;
        let mut entry = BufWriter::new(File::create(entry_path(&log, version))?);
        let info = json!({"commitInfo": {"operation": "WRITE", "timestamp": 1_795_478_400_000_i64 + version}});
        writeln!(entry, "{info}")?;
        let end = (file + arguments.per_commit.max(1)).min(arguments.files);
        for number in file..end {
            // As in ingested logs, a commit has neighbouring days and all activities of a cluster.
            let template = &templates[number % templates.len()];
            let group = (number / templates.len()) as u64;
            let cluster = group % arguments.clusters as u64;
            let age = group / arguments.clusters as u64 % arguments.days;
            let day = LAST_DAY.checked_sub_days(Days::new(age)).context("too many days")?;
            let add = template.moved(&format!("cluster-{cluster:03}"), day, &mut rng);
            writeln!(entry, "{add}")?;
        }
        let txn = json!({"txn": {"appId": "podtrail-ingest", "version": version}});
        writeln!(entry, "{txn}")?;
        entry.into_inner()?.sync_all()?;
        file = end;
    }
    if arguments.checkpoint {
        checkpoint(&arguments.lake)?;
    }
    writeln!(std::io::stderr(), "{file} files, version {version}")?;
    Ok(())
}

/// An `add` action of an existing file.
struct Template {
    add: Value,
    activity: String,
    date: String,
    stats: String,
}

impl Template {
    fn of(add: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let values = &add["partitionValues"];
        Some(Self {
            activity: text(&values["activity"])?,
            date: text(&values["date"])?,
            stats: text(&add["stats"])?,
            add: add.clone(),
        })
    }

    fn moved(&self, cluster: &str, day: NaiveDate, rng: &mut Rng) -> Value {
        let (date, activity, id) = (day.to_string(), &self.activity, rng.u128(..));
        let mut add = self.add.clone();
        let folder = format!("cluster={cluster}/date={date}/activity={activity}");
        add["path"] = format!("{folder}/part-{id:032x}.zstd.parquet").into();
        add["partitionValues"] = json!({"cluster": cluster, "date": date, "activity": activity});
        // As files of a compaction: `detect` does not look for new events in them.
        add["dataChange"] = false.into();
        add["stats"] = self.stats.replace(&self.date, &date).into();
        json!({ "add": add })
    }
}

/// Returns the files that the log adds, and its last version.
fn templates(log: &Path) -> Result<(Vec<Template>, i64)> {
    let mut templates = Vec::new();
    let mut version = 0;
    loop {
        let path = entry_path(log, version);
        if !path.exists() {
            return Ok((templates, version - 1));
        }
        let text = fs::read_to_string(&path)?;
        for line in text.lines() {
            let action: Value =
                serde_json::from_str(line).with_context(|| path.display().to_string())?;
            templates.extend(Template::of(&action["add"]));
        }
        version += 1;
    }
}

fn entry_path(log: &Path, version: i64) -> PathBuf {
    log.join(format!("{version:020}.json"))
}

/// Writes a checkpoint as podtrail does, if enough commits precede it.
fn checkpoint(lake: &Path) -> Result<()> {
    let lake = Lake::open(lake)?;
    tokio::runtime::Runtime::new()?.block_on(async {
        lake.events().await?;
        lake.checkpoint().await;
        Ok(())
    })
}
