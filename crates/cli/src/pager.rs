//! A pager for output that is longer than the screen.

use std::io::{self, Write};
use std::process::{Child, Command, Stdio};

use crate::output;

/// Buffers output until it is known whether it fits on the screen; otherwise a pager (`$PAGER`, else less) shows it.
pub(crate) struct Pager {
    held: Vec<u8>,
    lines: usize,
    state: State,
}

enum State {
    Holding {
        height: usize,
    },
    Paging(Child),
    /// No pager is available, or standard output is not a terminal.
    Printing,
}

impl Pager {
    /// Returns a pager for standard output, if that is a terminal.
    pub(crate) fn new() -> Self {
        let height = output::is_terminal().then(output::height).flatten();
        let state = height.map_or(State::Printing, |height| State::Holding { height });
        Self { held: Vec::new(), lines: 0, state }
    }

    fn start(&mut self) -> io::Result<()> {
        let pager = std::env::var("PAGER").unwrap_or_default();
        let pager = if pager.trim().is_empty() { "less" } else { &pager };
        let mut command = Command::new("sh");
        command.args(["-c", pager]).stdin(Stdio::piped());
        if std::env::var_os("LESS").is_none() {
            // Long lines are cut instead of wrapped, and the output stays on the screen.
            command.env("LESS", "FSX");
        }
        self.state = match command.spawn() {
            Ok(child) => State::Paging(child),
            Err(_) => State::Printing,
        };
        let held = std::mem::take(&mut self.held);
        self.write_all(&held)
    }

    /// Prints the buffered output, and waits until the user has left the pager.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        match &mut self.state {
            State::Holding { .. } => {
                io::stdout().write_all(&self.held)?;
                io::stdout().flush()
            }
            State::Paging(child) => {
                drop(child.stdin.take());
                child.wait().map(|_| ())
            }
            State::Printing => io::stdout().flush(),
        }
    }
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.state {
            State::Holding { height } => {
                let height = *height;
                self.held.extend_from_slice(bytes);
                self.lines += memchr::memchr_iter(b'\n', bytes).count();
                if self.lines >= height {
                    self.start()?;
                }
                Ok(bytes.len())
            }
            State::Paging(child) => match &mut child.stdin {
                Some(stdin) => stdin.write(bytes),
                None => Err(io::ErrorKind::BrokenPipe.into()),
            },
            State::Printing => io::stdout().write(bytes),
        }
    }

    /// Buffered output stays buffered.
    fn flush(&mut self) -> io::Result<()> {
        match &mut self.state {
            State::Holding { .. } => Ok(()),
            State::Paging(child) => child.stdin.as_mut().map_or(Ok(()), Write::flush),
            State::Printing => io::stdout().flush(),
        }
    }
}
