//! The `podtrail` command: parses arguments, calls the libraries and prints the results.

mod allocator;
mod args;
mod clock;
mod commands;
mod config;
mod engine;
mod exit;
mod listing;
mod output;
mod output_file;
mod pack;
mod pager;
mod progress;
mod query_engine;
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

// Parsing and encoding allocate on all cores in parallel; benches/README.md compares it with the system's allocator.
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
            output::report_error(&error);
            exit.into()
        }
    }
}

/// Enables logging as `RUST_LOG` configures it. By default nothing is logged: errors reach the user once, as errors.
fn log_as_asked() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}

/// Silences panics that are reported elsewhere. A panic in a query is reported as an error of that query. A task of
/// the Delta kernel panics if its caller has stopped waiting, after a log that cannot be read: the caller reports the
/// problem with the log.
fn quiet_panics_of_queries() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_kernel =
            panic.location().is_some_and(|place| place.file().contains("kernel_engine"));
        if !allocator::is_work() && !is_kernel {
            report(panic);
        }
    }));
}

fn run() -> anyhow::Result<Exit> {
    let config = Config::load(&Cli::command())?;
    let matches = config.apply(Cli::command()).get_matches();
    // Cannot fail: `get_matches` has already checked the command line against this definition.
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let runtime = Runtime::new().context("cannot start threads")?;
    match cli.command {
        Command::Hunt(arguments) => commands::hunt::run(&runtime, &arguments),
        Command::Ingest(arguments) if arguments.explain => {
            commands::explain::run(&runtime, &arguments)
        }
        Command::Ingest(arguments) => commands::ingest::run(&runtime, &arguments),
        Command::Detect(arguments) => commands::detect::run(&runtime, &arguments),
        Command::Findings(command) => commands::findings::run(&runtime, &command),
        Command::Incidents(command) => commands::incidents::run(&runtime, &command),
        Command::Status(arguments) => commands::status::run(&runtime, &arguments),
        Command::Sql(arguments) => commands::sql::run(&runtime, &arguments),
        Command::Export(arguments) => commands::export::run(&runtime, &arguments),
        Command::Quarantine(arguments) => commands::quarantine::run(&runtime, &arguments),
        Command::Lake(command) => commands::lake::run(&runtime, &command),
        Command::Config => commands::config::run(&config),
        Command::Schema(arguments) => commands::schema::run(&runtime, &arguments),
        Command::Detections(command) => commands::detections::run(&runtime, &command),
        Command::Exceptions(command) => commands::exceptions::run(&runtime, &command),
        #[cfg(feature = "cluster")]
        Command::Worker(arguments) => commands::worker::run(&arguments),
        Command::Completions { shell } => commands::shell::completions(shell),
        Command::Man => commands::shell::man(),
    }
}
