//! Times of events that cannot be right.
//!
//! Nobody but the API server sets them, so they say that a clock is wrong, or that somebody has written into the log. Either
//! way one such event must not fail a query, nor pass for the newest of its cluster.

use std::fmt::{self, Display};

use crate::tables::column::Micros;

/// What is wrong with the times of an event: column `time_problem`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeProblem {
    /// A timestamp is no instant between [`Micros::FIRST`] and [`Micros::LAST`].
    Absurd,
    /// The event says that it is of a later time than the one at which it was read, by more than [`CLOCK_SKEW`].
    Future,
}

/// How many microseconds the clock of an API server may be ahead of ours before the event is marked: two hours.
pub const CLOCK_SKEW: i64 = 2 * 3600 * 1_000_000;

impl TimeProblem {
    /// The value of the column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absurd => "absurd",
            Self::Future => "future",
        }
    }

    /// What is wrong with an event at `time` that is read at `now`, if anything is.
    pub fn of_reading(time: Micros, now: Micros) -> Option<Self> {
        (time.0 > now.0.saturating_add(CLOCK_SKEW)).then_some(Self::Future)
    }
}

impl Display for TimeProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
