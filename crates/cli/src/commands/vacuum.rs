//! `podtrail lake vacuum`: files that killed runs left behind.

use std::io::Write;

use anyhow::Context;
use podtrail_lake::Lake;
use podtrail_report::{escape, thousands};
use tokio::runtime::Runtime;

use crate::args::VacuumArgs;
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(arguments: &VacuumArgs) -> anyhow::Result<Exit> {
    let runtime = Runtime::new().context("cannot start threads")?;
    let vacuumed = runtime.block_on(async {
        let lake = Lake::open(&arguments.lake).await?;
        lake.vacuum(arguments.older_than, arguments.dry_run).await
    })?;
    let mut out = output::stdout();
    for orphan in &vacuumed.removed {
        writeln!(out, "{}", escape(&orphan.path.display().to_string()))?;
    }
    let bytes = vacuumed.removed.iter().map(|orphan| orphan.size).sum();
    let done = if arguments.dry_run { "would be removed" } else { "removed" };
    writeln!(out, "{} ({} bytes) {done}", files(vacuumed.removed.len()), thousands(bytes))?;
    if vacuumed.young > 0 {
        let age = humantime::format_duration(arguments.older_than);
        writeln!(out, "{} left: younger than {age}", files(vacuumed.young))?;
    }
    out.flush()?;
    Ok(Exit::Ok)
}

fn files(count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} file{plural}", thousands(count as u64))
}
