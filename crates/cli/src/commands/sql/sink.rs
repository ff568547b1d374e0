//! Destinations of rows: a file, a pipe or a terminal.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use podtrail_report::TerminalWriter;

use crate::args::SqlArgs;
use crate::output;
use crate::output_file::OutputFile;
use crate::pager::Pager;

pub(super) enum Sink {
    Pipe(BufWriter<io::Stdout>),
    /// Text for reading, which is already escaped.
    Screen(Pager),
    /// Machine-readable text on a terminal.
    RawScreen(TerminalWriter<Pager>),
    File(OutputFile),
}

impl Sink {
    /// Returns the sink that the arguments select.
    pub(super) fn of(arguments: &SqlArgs) -> anyhow::Result<Self> {
        match &arguments.output {
            Some(file) => Ok(Self::File(OutputFile::create(file)?)),
            None => Ok(Self::stdout(arguments.format.is_for_people())),
        }
    }

    /// Returns standard output for a format for reading, or for a machine-readable one.
    pub(super) fn stdout(is_for_people: bool) -> Self {
        if !output::is_terminal() {
            Self::Pipe(output::raw_stdout())
        } else if is_for_people {
            Self::Screen(Pager::new())
        } else {
            Self::RawScreen(TerminalWriter::new(Pager::new()))
        }
    }

    /// Returns standard output for text that podtrail composes.
    pub(super) fn screen() -> Self {
        Self::stdout(true)
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// Returns the width of the terminal that shows tables.
    pub(super) fn width(&self) -> Option<usize> {
        matches!(self, Self::Screen(_)).then(output::width)
    }

    /// Returns the path of the file that rows are written to until they are complete.
    pub(super) fn temporary(&self) -> Option<&Path> {
        match self {
            Self::File(out) => Some(out.temporary_path()),
            _ => None,
        }
    }

    /// Prints buffered rows, or renames the file to its name.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Pipe(mut out) => Ok(out.flush()?),
            Self::Screen(pager) => Ok(pager.finish()?),
            Self::RawScreen(writer) => Ok(writer.into_inner().finish()?),
            Self::File(out) => out.finish(),
        }
    }

    fn out(&mut self) -> &mut dyn Write {
        match self {
            Self::Pipe(out) => out,
            Self::Screen(out) => out,
            Self::RawScreen(out) => out,
            Self::File(out) => out,
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out().flush()
    }
}
