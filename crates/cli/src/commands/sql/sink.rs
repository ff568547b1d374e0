//! Destinations of rows: a file, a pipe or a terminal.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use podtrail_report::TerminalWriter;
use tempfile::NamedTempFile;

use crate::args::SqlArgs;
use crate::output;
use crate::pager::Pager;

pub(super) enum Sink {
    Pipe(BufWriter<io::Stdout>),
    /// Text for reading, which is already escaped.
    Screen(Pager),
    /// Machine-readable text on a terminal.
    RawScreen(TerminalWriter<Pager>),
    File(BufWriter<NamedTempFile>, PathBuf),
}

impl Sink {
    /// Returns the sink that the arguments select.
    pub(super) fn of(arguments: &SqlArgs) -> anyhow::Result<Self> {
        match &arguments.output {
            Some(file) => Self::file(file),
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

    fn file(file: &Path) -> anyhow::Result<Self> {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            // Permissions of the umask; a temporary file would be private to its owner.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let temporary = builder.prefix(".podtrail-").tempfile_in(folder.unwrap_or(Path::new(".")));
        let temporary = temporary.with_context(|| format!("cannot write {}", file.display()))?;
        Ok(Self::File(BufWriter::new(temporary), file.to_owned()))
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::File(..))
    }

    /// Returns the path of the file that rows are written to until they are complete.
    pub(super) fn temporary(&self) -> Option<&Path> {
        match self {
            Self::File(out, _) => Some(out.get_ref().path()),
            _ => None,
        }
    }

    /// Prints buffered rows, or renames the file to its name.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Pipe(mut out) => Ok(out.flush()?),
            Self::Screen(pager) => Ok(pager.finish()?),
            Self::RawScreen(writer) => Ok(writer.into_inner().finish()?),
            Self::File(out, path) => {
                let cannot = || format!("cannot write {}", path.display());
                let file = out.into_inner().map_err(io::IntoInnerError::into_error);
                let file = file.with_context(cannot)?;
                file.as_file().sync_all().with_context(cannot)?;
                file.persist(&path).with_context(cannot)?;
                Ok(())
            }
        }
    }

    fn out(&mut self) -> &mut dyn Write {
        match self {
            Self::Pipe(out) => out,
            Self::Screen(out) => out,
            Self::RawScreen(out) => out,
            Self::File(out, _) => out,
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
