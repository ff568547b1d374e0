//! The properties of a table that affect its log: "Table Properties" of the Delta Lake protocol.

use std::time::Duration;

use crate::log::state::LogState;

/// The number of commits between two checkpoints by default.
const CHECKPOINT_INTERVAL: u64 = 100;

/// How long entries stay after a checkpoint has replaced them, by default.
const LOG_RETENTION: Duration = Duration::from_hours(30 * 24);

/// How long the log records that a file was removed, by default: a vacuum of another engine keeps it until then.
const DELETED_FILE_RETENTION: Duration = Duration::from_hours(7 * 24);

/// Returns the number of commits between two checkpoints, which is not 0.
pub(crate) fn checkpoint_interval(state: &LogState) -> u64 {
    let value = state.metadata.configuration.get("delta.checkpointInterval");
    let value = value.and_then(|text| text.parse().ok());
    value.filter(|interval| *interval > 0).unwrap_or(CHECKPOINT_INTERVAL)
}

/// Returns how long entries stay after a checkpoint has replaced them.
pub(crate) fn log_retention(state: &LogState) -> Duration {
    interval(state, "delta.logRetentionDuration").unwrap_or(LOG_RETENTION)
}

/// Returns how long the log records that a file was removed.
pub(crate) fn deleted_file_retention(state: &LogState) -> Duration {
    interval(state, "delta.deletedFileRetentionDuration").unwrap_or(DELETED_FILE_RETENTION)
}

/// Returns a property such as `interval 30 days`.
fn interval(state: &LogState, property: &str) -> Option<Duration> {
    let text = state.metadata.configuration.get(property)?;
    let text = text.strip_prefix("interval").unwrap_or(text);
    humantime::parse_duration(text.trim()).ok()
}
