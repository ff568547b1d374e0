//! `podtrail sql`: runs SQL statements and saved queries, or an interactive shell.

mod empty_result;
mod helper;
mod meta;
mod repl;
mod saved;
mod script;
mod sink;
mod statement_runner;

use std::io::{IsTerminal, Read};

use anyhow::Context;
use podtrail_detect::read_text;
use podtrail_query::{Parameters, Statement, parse};
use podtrail_report::RowFormat;
use tokio::runtime::Runtime;

use self::script::Part;
use self::sink::Sink;
use self::statement_runner::StatementRunner;
use crate::args::SqlArgs;
use crate::clock;
use crate::exit::{Exit, UsageError};
use crate::output;

/// The maximum length of statements that is read, in bytes; the parser rejects longer ones.
const MAX_STATEMENTS: u64 = 1 << 20;

pub(crate) fn run(runtime: &Runtime, arguments: &SqlArgs) -> anyhow::Result<Exit> {
    if arguments.saved.as_deref() == Some("list") {
        let mut sink = Sink::screen();
        saved::list(&mut sink)?;
        sink.finish()?;
        return Ok(Exit::Ok);
    }
    let Some(lake) = &arguments.lake else {
        return Err(UsageError("no lake given; use --lake LAKE".to_owned()).into());
    };
    if arguments.format == RowFormat::Parquet && arguments.output.is_none() && output::is_terminal()
    {
        let message = "refusing to write Parquet to a terminal; use --output FILE or a pipe";
        return Err(UsageError(message.to_owned()).into());
    }
    let scope = arguments.scope.scope()?;
    let open = || StatementRunner::open(lake, scope, arguments);

    if let Some(name) = &arguments.saved {
        let query = saved::find(name)?;
        let values = query.values(&arguments.param, clock::now());
        let values = values.map_err(|error| UsageError(format!("{name}: {error}")))?;
        let statements = parse(&query.sql)?;
        let sink = Sink::of(arguments)?;
        return answer(runtime, open()?, statements, Some(&values), sink);
    }
    let text = if let Some(text) = &arguments.command {
        text.clone()
    } else if let Some(file) = &arguments.file {
        read_text(file, MAX_STATEMENTS).with_context(|| file.display().to_string())?
    } else if std::io::stdin().is_terminal() {
        if arguments.output.is_some() {
            return Err(UsageError("--output requires -c, -f or --saved".to_owned()).into());
        }
        return repl::run(runtime, open()?);
    } else {
        let mut text = String::new();
        // One byte more than the maximum makes the parser report the length.
        let mut input = std::io::stdin().take(MAX_STATEMENTS + 1);
        input.read_to_string(&mut text).context("cannot read standard input")?;
        text
    };
    let parts = script::parts(&text);
    let mut runner = open()?;
    if parts.iter().any(|part| matches!(part, Part::Command(_))) {
        if arguments.output.is_some() || arguments.format == RowFormat::Parquet {
            let message = "backslash commands print to standard output; use no --output and no --format parquet";
            return Err(UsageError(message.to_owned()).into());
        }
        script::run(runtime, &mut runner, parts)?;
        return Ok(Exit::Ok);
    }
    // No statement runs if a later one does not parse.
    let statements = runtime.block_on(runner.parse(text))?;
    if statements.len() > 1 && arguments.format == RowFormat::Parquet {
        let message = "a Parquet file can contain the rows of one statement only";
        return Err(UsageError(message.to_owned()).into());
    }
    let sink = Sink::of(arguments)?;
    answer(runtime, runner, statements, None, sink)
}

/// Runs statements up to the first that fails; an output file gets its name only if all succeed.
fn answer(
    runtime: &Runtime,
    mut runner: StatementRunner,
    statements: Vec<Statement>,
    values: Option<&Parameters>,
    sink: Sink,
) -> anyhow::Result<Exit> {
    let (sink, answered) = runtime.block_on(runner.run_all(statements, values, sink));
    if let Some(sink) = sink
        && (answered.is_ok() || !sink.is_file())
    {
        sink.finish()?;
    }
    answered.map(|()| Exit::Ok)
}
