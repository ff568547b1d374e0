//! The rows that a run examines, and the time around them.

use chrono::{DateTime, TimeDelta, Utc};

/// The table of the rows that a run examines, in its sessions.
pub(crate) const ADDED: &str = "added_events";

/// Returns the time a span earlier, or the earliest there is.
pub(crate) fn before(time: DateTime<Utc>, span: TimeDelta) -> DateTime<Utc> {
    time.checked_sub_signed(span).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

/// Returns the time a span later, or the latest there is.
pub(crate) fn after(time: DateTime<Utc>, span: TimeDelta) -> DateTime<Utc> {
    time.checked_add_signed(span).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
