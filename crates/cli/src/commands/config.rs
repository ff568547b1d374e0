//! `podtrail config`: the effective settings.

use std::io::Write;

use clap::CommandFactory;
use podtrail_report::escape;

use crate::args::Cli;
use crate::config::Config;
use crate::exit::Exit;
use crate::output;

/// The maximum width of a column: a value may be as long as its file, and a width has 16 bits.
const MAX_WIDTH: usize = 60;

pub(crate) fn run(config: &Config) -> anyhow::Result<Exit> {
    let command = Cli::command();
    let rows = config.rows(&command);
    let rows =
        rows.into_iter().map(|(name, value, origin)| (name, escape(&value).into_owned(), origin));
    let rows: Vec<_> = rows.collect();
    let names = rows.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
    let longest = rows.iter().map(|(_, value, _)| value.chars().count()).max().unwrap_or(0);
    let width = longest.min(MAX_WIDTH);
    let mut out = output::stdout();
    for (name, value, origin) in rows {
        let origin = match origin {
            Some(origin) => origin.to_string(),
            None if value.is_empty() => "not set".to_owned(),
            None => podtrail_event::DEFAULT_CLUSTER.to_owned(),
        };
        writeln!(out, "{name:<names$}  {value:<width$}  {}", escape(&origin))?;
    }
    out.flush()?;
    Ok(Exit::Ok)
}
