//! The desk on a terminal.

use std::path::PathBuf;
use std::time::Instant;

use futures::FutureExt;
use podtrail_report::thousands;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};
use tokio::runtime::Runtime;

use super::desk::Desk;
use super::helper::DeskHelper;
use super::meta::{self, Next, Switches};
use super::sink::Sink;
use crate::exit::Exit;
use crate::output;

const PROMPT: &str = "podtrail> ";

/// How many statements are remembered.
const HISTORY: usize = 10_000;

/// Asks for statements and commands until Ctrl-D.
pub(super) fn run(runtime: &Runtime, mut desk: Desk) -> anyhow::Result<Exit> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .max_history_size(HISTORY)?
        .history_ignore_space(true)
        .build();
    let mut editor: Editor<DeskHelper, FileHistory> = Editor::with_config(config)?;
    editor.set_helper(Some(runtime.block_on(DeskHelper::of(desk.session()))));
    let history = history_file();
    if let Some(file) = &history {
        // The first time there is none.
        let _ = editor.load_history(file);
    }
    // From now on it cancels a query; before the first one it would end the process.
    let _ = runtime.block_on(async { tokio::signal::ctrl_c().now_or_never() });
    let rows = runtime.block_on(desk.version().size())?.rows;
    let rows = rows.map(|rows| format!("{} events, ", thousands(rows))).unwrap_or_default();
    output::tell(&format!("{rows}scope: {}. \\? for help, \\q to leave", desk.session().scope()));
    let mut switches = Switches::default();
    loop {
        match editor.readline(PROMPT) {
            Ok(text) => {
                if text.trim().is_empty() {
                    continue;
                }
                editor.add_history_entry(text.trim_end())?;
                if let Some(file) = &history {
                    // Without a history the desk is still of use.
                    let _ = editor.append_history(file);
                }
                match answer(runtime, &mut desk, &mut switches, &text) {
                    Ok(Next::Stay) => {}
                    Ok(Next::Quit) => return Ok(Exit::Ok),
                    // The reader left the pager.
                    Err(error) if output::is_broken_pipe(&error) => {}
                    Err(error) => output::tell_error(&error),
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
    desk: &mut Desk,
    switches: &mut Switches,
    text: &str,
) -> anyhow::Result<Next> {
    let started = Instant::now();
    let next = if text.trim_start().starts_with('\\') {
        meta::run(runtime, desk, switches, text)?
    } else {
        for statement in runtime.block_on(desk.parse(text.to_owned()))? {
            let sink = Sink::stdout(desk.format.is_for_people());
            let (sink, result) = runtime.block_on(desk.run_all(vec![statement], None, sink));
            // What was written before an error is shown.
            sink.map_or(Ok(()), Sink::finish)?;
            result?;
        }
        Next::Stay
    };
    if switches.timing {
        meta::tell_time(started.elapsed());
    }
    Ok(next)
}

/// Where statements are remembered: a file of the user's, readable by nobody else.
fn history_file() -> Option<PathBuf> {
    let folder = dirs::state_dir().or_else(dirs::data_local_dir)?.join("podtrail");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}
