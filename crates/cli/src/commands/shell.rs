//! `podtrail completions` and `podtrail man`: files that a package installs with the binary.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Cli;
use crate::exit::Exit;
use crate::output;

pub(crate) fn completions(shell: Shell) -> anyhow::Result<Exit> {
    let mut out = output::stdout();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "podtrail", &mut script);
    out.write_all(&script)?;
    out.flush()?;
    Ok(Exit::Ok)
}

pub(crate) fn man() -> anyhow::Result<Exit> {
    let mut out = output::stdout();
    clap_mangen::Man::new(Cli::command()).render(&mut out)?;
    out.flush()?;
    Ok(Exit::Ok)
}
