//! Times as the API server writes them.

use chrono::{DateTime, SecondsFormat};
use podtrail_event::Micros;

/// `metav1.MicroTime`: six digits of a second, `Z`. An event put together from another form equals the original then.
pub(super) fn micro_time(time: Micros) -> Option<String> {
    let time = DateTime::from_timestamp_micros(time.0)?;
    Some(time.to_rfc3339_opts(SecondsFormat::Micros, true))
}
