//! Texts of statements with backslash commands between them.

use podtrail_query::is_complete;
use tokio::runtime::Runtime;

use super::meta::{self, Next, Switches};
use super::sink::Sink;
use super::statement_runner::StatementRunner;

/// A part of a text.
pub(super) enum Part {
    /// Statements, separated by semicolons.
    Statements(String),
    /// A line that is a backslash command.
    Command(String),
}

/// Splits a text at the lines that begin with a backslash outside of statements.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut statements = String::new();
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with('\\') && is_complete(&statements) {
            let before = std::mem::take(&mut statements);
            parts.extend([Part::Statements(before), Part::Command(line.trim().to_owned())]);
        } else {
            statements.push_str(line);
        }
    }
    parts.push(Part::Statements(statements));
    parts.retain(|part| !matches!(part, Part::Statements(text) if text.trim().is_empty()));
    parts
}

/// Runs the parts up to the first that fails, or to `\q`.
pub(super) fn run(
    runtime: &Runtime,
    runner: &mut StatementRunner,
    parts: Vec<Part>,
) -> anyhow::Result<()> {
    let mut switches = Switches::default();
    for part in parts {
        match part {
            Part::Command(line) => {
                if matches!(meta::run(runtime, runner, &mut switches, &line)?, Next::Quit) {
                    return Ok(());
                }
            }
            Part::Statements(text) => {
                let statements = runtime.block_on(runner.parse(text))?;
                let sink = Sink::stdout(runner.format.is_for_people());
                let (sink, result) = runtime.block_on(runner.run_all(statements, None, sink));
                // Rows written before an error are shown.
                sink.map_or(Ok(()), Sink::finish)?;
                result?;
            }
        }
    }
    Ok(())
}
