//! The `podtrail` command: arguments in, libraries called, results out.

mod allocator;
mod args;
mod commands;
mod config;
mod engine;
mod exit;
mod listing;
mod output;
mod output_file;
mod pager;
mod progress;
mod stop;

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, FromArgMatches};
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;

use crate::args::{Cli, Command};
use crate::config::Config;
use crate::exit::Exit;

// Parsing and encoding allocate on all cores at once; measured against the system's allocator in benches/README.md.
#[global_allocator]
static ALLOCATOR: allocator::Counted = allocator::Counted;

fn main() -> ExitCode {
    log_as_asked();
    quiet_panics_of_queries();
    match run() {
        Ok(exit) => exit.into(),
        Err(error) if output::is_broken_pipe(&error) => Exit::Ok.into(),
        Err(error) => {
            let exit = Exit::of(&error);
            output::tell_error(&error);
            exit.into()
        }
    }
}

/// Logs what `RUST_LOG` asks for. Without it nothing is logged: errors reach the user as errors, once.
fn log_as_asked() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}

/// A query that panics is told as an error of that query. A task of the Delta kernel whose caller has given up on a log that
/// cannot be read panics because nobody takes its answer: the caller reports what is wrong with the log.
fn quiet_panics_of_queries() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_kernel =
            panic.location().is_some_and(|place| place.file().contains("kernel_engine"));
        if !allocator::is_work() && !is_kernel {
            tell(panic);
        }
    }));
}

fn run() -> anyhow::Result<Exit> {
    let config = Config::load(&Cli::command())?;
    let matches = config.apply(Cli::command()).get_matches();
    // The command line was checked against the very definition that it is read by.
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let runtime = Runtime::new().context("cannot start threads")?;
    match cli.command {
        Command::Hunt(arguments) => commands::hunt::run(&runtime, &arguments),
        Command::Ingest(arguments) => commands::ingest::run(&runtime, &arguments),
        Command::Detect(arguments) => commands::detect::run(&runtime, &arguments),
        Command::Findings(command) => commands::findings::run(&runtime, &command),
        Command::Status(arguments) => commands::status::run(&runtime, &arguments),
        Command::Sql(arguments) => commands::sql::run(&runtime, &arguments),
        Command::Export(arguments) => commands::export::run(&runtime, &arguments),
        Command::Quarantine(arguments) => commands::quarantine::run(&runtime, &arguments),
        Command::Lake(command) => commands::lake::run(&runtime, &command),
        Command::Config => commands::config::run(&config),
        Command::Schema(arguments) => commands::schema::run(&runtime, &arguments),
        Command::Detections(command) => commands::detections::run(&runtime, &command),
        Command::Exceptions(command) => commands::exceptions::run(&runtime, &command),
        Command::Completions { shell } => commands::shell::completions(shell),
        Command::Man => commands::shell::man(),
    }
}
