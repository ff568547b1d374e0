//! Where words go: data to standard output, talk to standard error.

use std::io::{self, ErrorKind, IsTerminal, Stdout, Write};

use anstyle::{AnsiColor, Style};
use podtrail_report::{TerminalWriter, escape};

/// Standard output; colours are stripped where it is no terminal or `NO_COLOR` is set.
pub(crate) fn stdout() -> impl Write {
    io::BufWriter::new(anstream::stdout())
}

/// Standard output for what must arrive byte for byte.
///
/// [`stdout`] is for what podtrail itself words: it takes away what a terminal would obey, which may be part of the data.
pub(crate) fn raw_stdout() -> io::BufWriter<Stdout> {
    io::BufWriter::new(io::stdout())
}

/// Standard output for machines. Where people look at it, what a terminal would obey is spelled out.
pub(crate) fn data_stdout() -> Box<dyn Write + Send> {
    let out = raw_stdout();
    if is_terminal() { Box::new(TerminalWriter::new(out)) } else { Box::new(out) }
}

/// Makes sure that what was written to standard output, and flushed, is kept, where that is a file: it may be on a disk that is
/// full. What a pipe has taken is its reader's.
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

/// Whether people look at standard output.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// How many columns the terminal has; 100 where there is none.
pub(crate) fn width() -> usize {
    terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0))
}

/// Whether people look at standard error.
pub(crate) fn is_heard() -> bool {
    io::stderr().is_terminal()
}

/// How many lines the terminal has; `None` where there is none.
pub(crate) fn height() -> Option<usize> {
    terminal_size::terminal_size().map(|(_, height)| usize::from(height.0))
}

/// Tells something on standard error.
pub(crate) fn tell(message: &str) {
    say(Style::new(), "", message);
}

/// Tells a warning on standard error.
pub(crate) fn warn(message: &str) {
    say(AnsiColor::Yellow.on_default().bold(), "warning: ", message);
}

/// Tells what a command failed with, and why, on standard error.
pub(crate) fn tell_error(error: &anyhow::Error) {
    let mut message = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Errors that name a file quote their cause; it is told once.
        if !message.contains(&cause) {
            message.push_str(": ");
            message.push_str(&cause);
        }
    }
    say(AnsiColor::Red.on_default().bold(), "error: ", &message);
}

fn say(style: Style, prefix: &str, message: &str) {
    let lines: Vec<_> = message.lines().map(escape).collect();
    // When standard error is gone, there is nobody to tell.
    let _ = writeln!(anstream::stderr(), "{style}{prefix}{style:#}{}", lines.join("\n"));
}

/// Whether the reader of standard output went away, as `head` does: no error.
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
