//! Times of stores that deviate from RFC 3339: a blank instead of the `T`, no zone, a zone without a colon.

use chrono::{DateTime, NaiveDateTime};

/// Parses a time in RFC 3339 or close to it into microseconds since the Unix epoch. A time without a zone is UTC, as
/// the API server writes it.
///
/// ```
/// # use podtrail_event::near_rfc3339;
/// let time = near_rfc3339("2026-11-20T09:00:01.5Z");
/// assert!(time.is_some());
/// for text in ["2026-11-20 09:00:01.5", "2026-11-20T09:00:01,500", "2026-11-20 09:00:01.5 UTC", "2026-11-20T10:00:01.5+0100"] {
///     assert_eq!(near_rfc3339(text), time, "{text}");
/// }
/// assert_eq!(near_rfc3339("2026-11-20"), None);
/// ```
pub fn near_rfc3339(text: &str) -> Option<i64> {
    const LONGEST: usize = 64;
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_micros());
    }
    let text = text.trim();
    if text.len() > LONGEST || !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let utc = [" UTC", " GMT", "UTC", "Z", "z"].iter().find_map(|zone| text.strip_suffix(zone));
    let text = utc.unwrap_or(text).trim_end().replacen(' ', "T", 1).replacen(',', ".", 1);
    let zoned = ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%dT%H:%M:%S%.f %z"];
    let zoned = zoned.iter().find_map(|form| DateTime::parse_from_str(&text, form).ok());
    if let Some(time) = zoned.filter(|_| utc.is_none()) {
        return Some(time.timestamp_micros());
    }
    let time = NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
    Some(time.and_utc().timestamp_micros())
}
