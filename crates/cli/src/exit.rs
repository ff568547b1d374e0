//! Exit codes, in one place.

use std::process::ExitCode;

use podtrail_detect::{ExceptionError, IndicatorError, PackError};

/// How a run ended. Of two that apply, findings win over bad input: they are what a caller acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing at or above the threshold.
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

/// The table of exit codes, for the help text.
pub(crate) const HELP: &str = "\
Exit codes:
  0  nothing at or above the threshold
  1  findings at or above the threshold (only with --fail-on)
  2  wrong usage
  3  part of the input was bad or missing, the rest was processed; or no event was in scope
  4  failed, or nothing could be examined";

/// An error that is the caller's.
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

impl Exit {
    /// The exit of a command that ended with `error`.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        // A malformed exception is a mistake of whoever wrote it, and what it was to hide must not be guessed.
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
