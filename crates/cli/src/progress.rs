//! A progress bar on a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use podtrail_ingest::Progress;

/// Shows bytes read, rate and time left.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// Returns a bar on standard error; indicatif hides it if that is not a terminal.
    pub(crate) fn new() -> Self {
        Self(ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()))
    }

    /// Hides the bar while something else is printed.
    pub(crate) fn suspend(&self, print: impl FnOnce()) {
        self.0.suspend(print);
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn started(&self, _files: usize, bytes_total: u64) {
        let known = "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left  {msg}";
        let unknown = "{spinner} {bytes}, {bytes_per_sec}  {msg}";
        let template = if bytes_total > 0 { known } else { unknown };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.0.set_style(style);
        }
        if bytes_total > 0 {
            self.0.set_length(bytes_total);
        }
    }

    fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}
