//! The interactive shell.

use std::path::PathBuf;
use std::time::Instant;

use futures::FutureExt;
use podtrail_report::thousands;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};
use tokio::runtime::Runtime;

use super::helper::EditorHelper;
use super::meta::{self, Next, Switches};
use super::sink::Sink;
use super::statement_runner::StatementRunner;
use crate::exit::Exit;
use crate::output;

const PROMPT: &str = "podtrail> ";

/// The maximum number of statements in the history.
const HISTORY: usize = 10_000;

/// Reads and runs statements and commands until Ctrl-D.
pub(super) fn run(runtime: &Runtime, mut runner: StatementRunner) -> anyhow::Result<Exit> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .max_history_size(HISTORY)?
        .history_ignore_space(true)
        .build();
    let mut editor: Editor<EditorHelper, FileHistory> = Editor::with_config(config)?;
    editor.set_helper(Some(runtime.block_on(EditorHelper::of(runner.session()))));
    let history = history_file();
    if let Some(file) = &history {
        // The file does not exist before the first session.
        let _ = editor.load_history(file);
    }
    // From now on Ctrl-C cancels a query; before this call it would end the process.
    let _ = runtime.block_on(async { tokio::signal::ctrl_c().now_or_never() });
    let rows = runtime.block_on(runner.version().size())?.rows;
    let rows = rows.map(|rows| format!("{} events, ", thousands(rows))).unwrap_or_default();
    output::note(&format!("{rows}scope: {}. \\? for help, \\q to quit", runner.session().scope()));
    let mut switches = Switches::default();
    loop {
        match editor.readline(PROMPT) {
            Ok(text) => {
                if text.trim().is_empty() {
                    continue;
                }
                editor.add_history_entry(text.trim_end())?;
                if let Some(file) = &history {
                    // The shell is usable without a history file.
                    let _ = editor.append_history(file);
                }
                match answer(runtime, &mut runner, &mut switches, &text) {
                    Ok(Next::Stay) => {}
                    Ok(Next::Quit) => return Ok(Exit::Ok),
                    // The user quit the pager.
                    Err(error) if output::is_broken_pipe(&error) => {}
                    Err(error) => output::report_error(&error),
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => return Ok(Exit::Ok),
            Err(error) => return Err(error.into()),
        }
    }
}

fn answer(
    runtime: &Runtime,
    runner: &mut StatementRunner,
    switches: &mut Switches,
    text: &str,
) -> anyhow::Result<Next> {
    let started = Instant::now();
    let next = if text.trim_start().starts_with('\\') {
        meta::run(runtime, runner, switches, text)?
    } else {
        for statement in runtime.block_on(runner.parse(text.to_owned()))? {
            let sink = Sink::stdout(runner.format.is_for_people());
            let (sink, result) = runtime.block_on(runner.run_all(vec![statement], None, sink));
            // Rows written before an error are shown.
            sink.map_or(Ok(()), Sink::finish)?;
            result?;
        }
        Next::Stay
    };
    if switches.timing {
        meta::print_time(started.elapsed());
    }
    Ok(next)
}

/// Returns the history file of the user, which no other user can read.
fn history_file() -> Option<PathBuf> {
    let folder = dirs::state_dir().or_else(dirs::data_local_dir)?.join("podtrail");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}
