//! Invalid times of events.
//!
//! Only the API server sets them, so an invalid time means a wrong clock or a forged log. Neither must make a query
//! fail, nor count as the newest event of its cluster.

use std::fmt::{self, Display};

use crate::column::Micros;

/// The problem with the times of an event: column `time_problem`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeProblem {
    /// A timestamp is not an instant between [`Micros::FIRST`] and [`Micros::LAST`].
    Absurd,
    /// The event is later than its ingest, by more than [`CLOCK_SKEW`].
    Future,
}

/// Microseconds that the clock of an API server may be ahead of the local one before the event is marked: two hours.
pub const CLOCK_SKEW: i64 = 2 * 3600 * 1_000_000;

impl TimeProblem {
    /// Returns the value of the column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absurd => "absurd",
            Self::Future => "future",
        }
    }

    /// Returns the problem of an event at `time` that is read at `now`, if any.
    pub fn of_reading(time: Micros, now: Micros) -> Option<Self> {
        (time.0 > now.0.saturating_add(CLOCK_SKEW)).then_some(Self::Future)
    }
}

impl Display for TimeProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
