//! The exit codes.

use std::process::ExitCode;

use podtrail_detect::{ExceptionError, IndicatorError, PackError};

/// How a run ended. If two values apply, findings take precedence over bad input, because callers act on findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// No finding at or above the threshold.
    Ok,
    /// Findings at or above the threshold of `--fail-on`.
    Findings,
    /// Wrong usage.
    Usage,
    /// Part of the input was bad or missing, and the rest was processed; or no event was in scope.
    PartlyBad,
    /// The command failed.
    Failed,
}

/// The table of exit codes for the help text.
pub(crate) const HELP: &str = "\
Exit codes:
  0  no findings at or above the threshold
  1  findings at or above the threshold (only with --fail-on)
  2  wrong usage
  3  part of the input was bad or missing, the rest was processed; or no event was in scope
  4  command failed, or nothing could be examined";

/// An error that the caller made.
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

impl Exit {
    /// Returns the exit code for a command that failed with `error`.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        // A malformed exception is the author's mistake; which findings it should hide must not be guessed.
        let is_exception = |error: &ExceptionError| matches!(error, ExceptionError::Yaml { .. });
        let of_pack = match error.downcast_ref::<PackError>() {
            Some(PackError::Exceptions(error)) => is_exception(error),
            _ => false,
        };
        let of_indicators = |error| matches!(error, &IndicatorError::Content { .. });
        let is_usage = error.is::<UsageError>()
            || error.downcast_ref().is_some_and(of_indicators)
            || of_pack
            || error.downcast_ref::<ExceptionError>().is_some_and(is_exception);
        if is_usage { Self::Usage } else { Self::Failed }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Ok => 0,
            Exit::Findings => 1,
            Exit::Usage => 2,
            Exit::PartlyBad => 3,
            Exit::Failed => 4,
        })
    }
}
