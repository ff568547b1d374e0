//! The backslash commands of the interactive shell.

use std::io::{self, Write};
use std::time::Duration;

use podtrail_query::parse;
use podtrail_report::{RowFormat, escape};
use tokio::runtime::Runtime;

use super::saved;
use super::sink::Sink;
use super::statement_runner::StatementRunner;
use crate::args::parse_parameter;
use crate::clock;
use crate::exit::UsageError;
use crate::listing::list;
use crate::output;

/// The commands with their descriptions.
pub(super) const COMMANDS: &[(&str, &str)] = &[
    ("\\d", "lists the tables; \\d NAME lists the columns of a table"),
    (
        "\\df",
        "lists the functions of podtrail; \\df PATTERN lists all functions with matching names",
    ),
    ("\\saved", "lists the saved queries; \\saved NAME [PARAMETER=VALUE ...] runs one"),
    (
        "\\scope",
        "shows the scope; SET scope.since = '2h', SET scope.namespace = 'a,b', RESET scope change it",
    ),
    ("\\x", "toggles one line per column"),
    ("\\timing", "toggles the display of execution times"),
    ("\\?", "shows this list"),
    ("\\q", "quits, as Ctrl-D does; Ctrl-C cancels a query"),
];

/// The options that the user toggles.
#[derive(Default)]
pub(super) struct Switches {
    pub(super) timing: bool,
}

/// Whether the shell continues.
pub(super) enum Next {
    Stay,
    Quit,
}

/// Runs one command.
pub(super) fn run(
    runtime: &Runtime,
    runner: &mut StatementRunner,
    switches: &mut Switches,
    line: &str,
) -> anyhow::Result<Next> {
    let mut words = line.trim().trim_end_matches(';').split_whitespace();
    let command = words.next().unwrap_or_default();
    let arguments: Vec<_> = words.collect();
    let mut sink = Sink::screen();
    match (command, arguments.as_slice()) {
        ("\\q", []) => return Ok(Next::Quit),
        ("\\?", []) => list(COMMANDS.iter().map(|(name, text)| [*name, *text]), &mut sink)?,
        ("\\d", []) => tables(runner, &mut sink)?,
        ("\\d", [table]) => runtime.block_on(columns(runner, table, &mut sink))?,
        ("\\df", []) => functions(runner, None, &mut sink)?,
        ("\\df", [pattern]) => functions(runner, Some(pattern), &mut sink)?,
        ("\\scope", []) => writeln!(sink, "{}", escape(&runner.session().scope().to_string()))?,
        ("\\x", []) => {
            let vertical = runner.format != RowFormat::Vertical;
            runner.format = if vertical { RowFormat::Vertical } else { RowFormat::Table };
            output::note(if vertical { "one line per column" } else { "table" });
        }
        ("\\timing", []) => {
            switches.timing = !switches.timing;
            output::note(if switches.timing { "timing is on" } else { "timing is off" });
        }
        ("\\saved", []) => saved::list(&mut sink)?,
        ("\\saved", [name, parameters @ ..]) => {
            let query = saved::find(name)?;
            let given = parameters.iter().map(|parameter| parse_parameter(parameter));
            let given = given.collect::<Result<Vec<_>, _>>().map_err(UsageError)?;
            let values = query.values(&given, clock::now())?;
            let statements = parse(&query.sql)?;
            let rows = Sink::stdout(runner.format.is_for_people());
            let (rows, result) = runtime.block_on(runner.run_all(statements, Some(&values), rows));
            // Rows written before an error are shown.
            rows.map_or(Ok(()), Sink::finish)?;
            result?;
        }
        _ => {
            let message = format!("unknown command '{}'; \\? lists all", line.trim());
            return Err(UsageError(message).into());
        }
    }
    sink.finish()?;
    Ok(Next::Stay)
}

fn tables(runner: &StatementRunner, out: &mut dyn Write) -> anyhow::Result<()> {
    list(runner.session().tables().into_iter().map(|table| [table.name, table.description]), out)?;
    writeln!(
        out,
        "Each view has a variant with the suffix _history, which shows the period before the scope."
    )?;
    Ok(())
}

async fn columns(runner: &StatementRunner, table: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let columns = runner.session().columns(table).await?.into_iter();
    let lines =
        columns.map(|column| [format!("{}  {}", column.name, column.sql_type), column.description]);
    Ok(list(lines, out)?)
}

fn functions(
    runner: &StatementRunner,
    pattern: Option<&str>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let is_listed = |name: &str, is_ours: bool| match pattern {
        None => is_ours,
        Some(pattern) => match pattern.split_once('*') {
            Some((start, end)) => name.starts_with(start) && name.ends_with(end),
            None => name.contains(pattern),
        },
    };
    let functions = runner.session().functions().into_iter();
    let functions = functions.filter(|function| is_listed(&function.name, function.is_ours));
    list(functions.map(|function| [function.syntax, function.description]), out)
}

/// Prints an execution time for `\timing`.
pub(super) fn print_time(time: Duration) {
    output::note(&format!("time: {:.1} ms", time.as_secs_f64() * 1000.0));
}
