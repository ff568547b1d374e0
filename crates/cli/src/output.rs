//! Output: data goes to standard output, messages go to standard error.

use std::io::{self, ErrorKind, IsTerminal, Stdout, Write};

use anstyle::{AnsiColor, Style};
use podtrail_report::{TerminalWriter, escape};

/// Returns standard output; colours are stripped if it is not a terminal or `NO_COLOR` is set.
pub(crate) fn stdout() -> impl Write {
    io::BufWriter::new(anstream::stdout())
}

/// Returns standard output for data that must arrive byte for byte.
///
/// [`stdout`] is for text that podtrail composes: it removes terminal control sequences, which may be part of the
/// data.
pub(crate) fn raw_stdout() -> io::BufWriter<Stdout> {
    io::BufWriter::new(io::stdout())
}

/// Returns standard output for machine-readable data. On a terminal, control characters are escaped.
pub(crate) fn data_stdout() -> Box<dyn Write + Send> {
    let out = raw_stdout();
    if is_terminal() { Box::new(TerminalWriter::new(out)) } else { Box::new(out) }
}

/// Syncs standard output to disk if it is a file, so that a full disk is noticed. Data that a pipe has accepted is
/// its reader's responsibility.
pub(crate) fn confirm_stdout() -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;

        let out = std::fs::File::from(io::stdout().as_fd().try_clone_to_owned()?);
        if out.metadata()?.is_file() {
            out.sync_data()?;
        }
    }
    Ok(())
}

/// Returns whether standard output is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Returns the number of columns of the terminal, or 100 without one.
pub(crate) fn width() -> usize {
    terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0))
}

/// Returns whether standard error is a terminal.
pub(crate) fn is_heard() -> bool {
    io::stderr().is_terminal()
}

/// Returns the number of lines of the terminal, or `None` without one.
pub(crate) fn height() -> Option<usize> {
    terminal_size::terminal_size().map(|(_, height)| usize::from(height.0))
}

/// Prints a message to standard error.
pub(crate) fn note(message: &str) {
    say(Style::new(), "", message);
}

/// Prints a warning to standard error.
pub(crate) fn warn(message: &str) {
    say(AnsiColor::Yellow.on_default().bold(), "warning: ", message);
}

/// Prints the error that a command failed with, and its causes, to standard error.
pub(crate) fn report_error(error: &anyhow::Error) {
    let mut message = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Errors that name a file quote their cause; do not repeat it.
        if !message.contains(&cause) {
            message.push_str(": ");
            message.push_str(&cause);
        }
    }
    say(AnsiColor::Red.on_default().bold(), "error: ", &message);
}

fn say(style: Style, prefix: &str, message: &str) {
    let lines: Vec<_> = message.lines().map(escape).collect();
    // If standard error is closed, the message is lost.
    let _ = writeln!(anstream::stderr(), "{style}{prefix}{style:#}{}", lines.join("\n"));
}

/// Returns whether the reader closed standard output, as `head` does; this is not an error.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe)
            || matches!(
                cause
                    .downcast_ref::<serde_json::Error>()
                    .and_then(serde_json::Error::io_error_kind),
                Some(ErrorKind::BrokenPipe)
            )
    })
}
