//! `podtrail config`: the settings in force.

use std::io::Write;

use clap::CommandFactory;
use podtrail_report::escape;

use crate::args::Cli;
use crate::config::Config;
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(config: &Config) -> anyhow::Result<Exit> {
    let command = Cli::command();
    let rows = config.rows(&command);
    let width = rows.iter().map(|(_, value, _)| value.len()).max().unwrap_or(0);
    let mut out = output::stdout();
    for (name, value, origin) in rows {
        let origin = match origin {
            Some(origin) => origin.to_string(),
            None if value.is_empty() => "not set".to_owned(),
            None => "default".to_owned(),
        };
        writeln!(out, "{name:<12}  {:<width$}  {}", escape(&value), escape(&origin))?;
    }
    out.flush()?;
    Ok(Exit::Ok)
}
