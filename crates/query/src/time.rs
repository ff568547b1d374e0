//! Times in the formats that people write.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// Which end of a period a time denotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The start: a date denotes its first instant.
    From,
    /// The end: a date denotes the first instant after it.
    To,
}

/// A time that could not be parsed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a time; expected RFC 3339 (2026-11-24T10:05:00Z), a date (2026-11-24) or an age (24h, 7d)"
)]
pub struct TimeError(String);

/// Parses a time: RFC 3339, a date, a date and time without offset (UTC), or an age before `now`.
///
/// # Errors
/// If the text has none of these formats, or is outside the years that can be stored.
pub fn parse_bound(
    text: &str,
    bound: Bound,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, TimeError> {
    let error = || TimeError(text.to_owned());
    let trimmed = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(trimmed) {
        return Ok(time.to_utc());
    }
    if let Ok(date) = trimmed.parse::<NaiveDate>() {
        let date = match bound {
            Bound::From => date,
            Bound::To => date.checked_add_days(Days::new(1)).ok_or_else(error)?,
        };
        return Ok(date.and_time(NaiveTime::MIN).and_utc());
    }
    for format in
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
    {
        if let Ok(time) = NaiveDateTime::parse_from_str(trimmed, format) {
            return Ok(time.and_utc());
        }
    }
    let age = humantime::parse_duration(trimmed).map_err(|_| error())?;
    chrono::Duration::from_std(age)
        .ok()
        .and_then(|age| now.checked_sub_signed(age))
        .ok_or_else(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_dates_and_ages_are_read() {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        for (text, bound, expected) in [
            ("2026-11-24T10:05:57.915Z", Bound::From, "2026-11-24T10:05:57.915Z"),
            ("2026-11-24T10:00:00+02:00", Bound::From, "2026-11-24T08:00:00Z"),
            ("2026-11-24T10:00:00", Bound::To, "2026-11-24T10:00:00Z"),
            ("2026-11-24 10:00", Bound::To, "2026-11-24T10:00:00Z"),
            ("2026-11-24", Bound::From, "2026-11-24T00:00:00Z"),
            ("2026-11-24", Bound::To, "2026-11-25T00:00:00Z"),
            ("24h", Bound::From, "2026-11-23T12:00:00Z"),
            ("7d", Bound::From, "2026-11-17T12:00:00Z"),
            ("1h 30m", Bound::To, "2026-11-24T10:30:00Z"),
        ] {
            let expected: DateTime<Utc> = expected.parse().unwrap();
            assert_eq!(parse_bound(text, bound, now), Ok(expected), "{text}");
        }
        for text in ["", "yesterday", "2026-13-01", "24", "-3h", "900000000000d"] {
            assert!(parse_bound(text, Bound::From, now).is_err(), "{text}");
        }
    }
}
