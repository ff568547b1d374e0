//! Timestamps in the format of the API server.

use chrono::{DateTime, Datelike, Timelike};

/// Microseconds per second.
pub(crate) const SECOND: i64 = 1_000_000;

/// Appends `metav1.MicroTime`: six fraction digits, `Z`.
pub(crate) fn push_micros(micros: i64, out: &mut Vec<u8>) {
    push_civil(micros, out);
    out.push(b'.');
    push_digits(micros.rem_euclid(SECOND), 6, out);
    out.push(b'Z');
}

/// Appends `metav1.Time`: whole seconds, `Z`.
pub(crate) fn push_seconds(micros: i64, out: &mut Vec<u8>) {
    push_civil(micros, out);
    out.push(b'Z');
}

fn push_civil(micros: i64, out: &mut Vec<u8>) {
    let at = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    push_digits(i64::from(at.year()), 4, out);
    let parts = [
        (b'-', at.month()),
        (b'-', at.day()),
        (b'T', at.hour()),
        (b':', at.minute()),
        (b':', at.second()),
    ];
    for (separator, value) in parts {
        out.push(separator);
        push_digits(i64::from(value), 2, out);
    }
}

fn push_digits(value: i64, width: u32, out: &mut Vec<u8>) {
    for place in (0..width).rev() {
        let digit = value / 10_i64.pow(place) % 10;
        out.push(b'0' + u8::try_from(digit).unwrap_or(0));
    }
}
