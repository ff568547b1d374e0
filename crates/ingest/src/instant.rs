//! Parsing of the times that shippers and stores write.

use podtrail_event::{Micros, near_rfc3339};
use serde_json::value::RawValue;

use crate::json;

/// A time as written, in microseconds since the Unix epoch. It may be outside the range in which events are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant(i64);

impl Instant {
    /// Parses a time: a date and time, in UTC if it has no offset, or a number since the Unix epoch.
    pub(crate) fn of(text: &str) -> Option<Self> {
        micros_of(text).map(Self)
    }

    /// Returns the time if it is in the range in which events are stored.
    pub(crate) fn stored(self) -> Option<Micros> {
        Micros::checked(self.0)
    }
}

/// Parses the time in a string or number; `None` outside the range in which events are stored.
pub(crate) fn instant(value: &RawValue) -> Option<Micros> {
    let micros = match value.get().as_bytes().first()? {
        b'"' => micros_of(&json::text(value)?),
        b'0'..=b'9' => since_epoch(value.get()),
        _ => None,
    };
    Micros::checked(micros?)
}

/// Parses the time in a text; `None` outside the range in which events are stored.
pub(crate) fn instant_of(text: &str) -> Option<Micros> {
    Instant::of(text)?.stored()
}

fn micros_of(text: &str) -> Option<i64> {
    near_rfc3339(text).or_else(|| since_epoch(text))
}

/// Parses a number of seconds, milliseconds, microseconds or nanoseconds since the Unix epoch. Its magnitude determines
/// the unit, for any time from 1973 on.
fn since_epoch(text: &str) -> Option<i64> {
    const FIRST: u64 = 100_000_000;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = whole.parse().ok()?;
    let micros = match number {
        ..FIRST => return None,
        FIRST..100_000_000_000 => number * 1_000_000 + micros_of_fraction(fraction),
        100_000_000_000..100_000_000_000_000 => number * 1_000,
        100_000_000_000_000..100_000_000_000_000_000 => number,
        _ => number / 1_000,
    };
    i64::try_from(micros).ok()
}

/// Returns the first six digits of a fraction as microseconds.
fn micros_of_fraction(digits: &str) -> u64 {
    let digits = digits.bytes().chain(std::iter::repeat(b'0')).take(6);
    digits.fold(0, |micros, digit| micros * 10 + u64::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format() {
        const TIME: i64 = 1_795_471_200_374_797;
        for (json, micros) in [
            (r#""2026-11-23T22:00:00.374797Z""#, TIME),
            (r#""2026-11-23T22:00:00.374797999Z""#, TIME),
            (r#""2026-11-24T00:00:00.374797+02:00""#, TIME),
            (r#""2026-11-24T00:00:00.374797+0200""#, TIME),
            (r#""2026-11-23 22:00:00.374797 UTC""#, TIME),
            ("1795471200", 1_795_471_200_000_000),
            ("1795471200.374797", TIME),
            (r#""1795471200.3747979""#, TIME),
            ("1795471200.5", 1_795_471_200_500_000),
            ("1795471200374", 1_795_471_200_374_000),
            ("1795471200374797", TIME),
            (r#""1795471200374797001""#, TIME),
        ] {
            let value: &RawValue = serde_json::from_str(json).unwrap();
            assert_eq!(instant(value), Some(Micros(micros)), "{json}");
        }
        for json in [
            // Outside the range in which events are stored.
            r#""1600-01-01T00:00:00Z""#,
            r#""9999-12-31T23:59:59Z""#,
            "99999999999",
            "99999999999999999",
        ] {
            let value: &RawValue = serde_json::from_str(json).unwrap();
            assert_eq!(instant(value), None, "{json}");
            assert!(Instant::of(json.trim_matches('"')).is_some(), "{json}");
        }
        for json in ["true", "0", "-1795471200", r#""2026-11-23""#, r#""""#, "1e9", "{}"] {
            let value: &RawValue = serde_json::from_str(json).unwrap();
            assert_eq!(instant(value), None, "{json}");
        }
    }
}
