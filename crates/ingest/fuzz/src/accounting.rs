//! Accounts for every byte of a log.

use serde::de::IgnoredAny;

use crate::run::Run;

/// Checks that every position is in the log, and that every record is a row, in the quarantine, or counted as skipped.
///
/// A record here is the JSON value that begins at a position, else the rest of the line. JSON without an event may be
/// an empty envelope. Lines of container logs are parts of each other, so some of them are not records.
pub fn check(log: &[u8], run: &Run) {
    let mut places = Vec::new();
    for row in &run.rows {
        check_place(log, row.offset, row.line);
        places.push(row.offset);
    }
    for damage in &run.damage {
        check_place(log, damage.offset, damage.line);
        assert!(damage.bytes.len() <= damage.length, "{damage:?}");
        places.push(damage.offset);
    }
    places.sort_unstable();

    let mut at = 0;
    let mut untouched = Vec::new();
    while at < log.len() {
        let rest = &log[at..];
        if let Some(length) = separator(rest) {
            at += length;
            continue;
        }
        if let Some(length) = quarantined(at, rest, run) {
            at += length;
            continue;
        }
        let value = value_length(rest);
        let end = at + value.unwrap_or_else(|| line_length(rest));
        let record = &log[at..end];
        let first = places.partition_point(|place| *place < at);
        // An item of a list continues after NUL bytes.
        let is_inside = run.damage.iter().any(|damage| damage.covers(at));
        let is_touched = is_inside || places.get(first).is_some_and(|place| *place < end);
        let may_be_empty = value.is_some() && !contains(record, b"uditI");
        let may_close = ends_batch(record) && !run.damage.is_empty();
        if !is_touched && !may_be_empty && !may_close && !is_container_line(record) {
            untouched.push(record.escape_ascii().to_string());
        }
        at = end;
    }
    let skipped = usize::try_from(run.summary.skipped).expect("few");
    assert!(untouched.len() <= skipped, "lost: {untouched:#?}\n{run:#?}");
}

/// Returns the row of a line that must have been read, wherever it is.
pub fn expect_row(log: &[u8], offset: usize, audit_id: &str, run: &Run) {
    let found = run.rows.iter().any(|row| row.offset == offset && row.audit_id == audit_id);
    assert!(found, "{audit_id} at {offset} of {:?}: {run:#?}", log.escape_ascii().to_string());
}

fn check_place(log: &[u8], offset: usize, line: usize) {
    assert!(offset < log.len(), "offset {offset} of {}", log.len());
    let lines = log[..offset].iter().filter(|byte| **byte == b'\n').count() + 1;
    assert_eq!(line, lines, "line of offset {offset}");
}

/// Returns the length of the quarantined record that begins here.
fn quarantined(at: usize, rest: &[u8], run: &Run) -> Option<usize> {
    let first = run.damage.partition_point(|damage| damage.offset < at);
    let here = run.damage[first..].iter().take_while(|damage| damage.offset == at);
    let stands = |bytes: &[u8], length: usize| rest.starts_with(bytes) && length <= rest.len();
    here.filter(|damage| stands(&damage.bytes, damage.length))
        .map(|damage| damage.length)
        .filter(|length| *length > 0)
        .max()
}

fn separator(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b' ' | b'\t' | b'\r' | b'\n' | b',', ..] => Some(1),
        [0xef, 0xbb, 0xbf, ..] => Some(3),
        _ => None,
    }
}

fn value_length(bytes: &[u8]) -> Option<usize> {
    if !matches!(bytes.first(), Some(b'{' | b'[')) {
        return None;
    }
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    Some(values.byte_offset())
}

/// A run of NUL bytes is a line too.
fn line_length(bytes: &[u8]) -> usize {
    let is_nul = bytes[0] == 0;
    let ends = |byte: &u8| if is_nul { *byte != 0 } else { matches!(byte, b'\n' | 0) };
    bytes.iter().position(ends).unwrap_or(bytes.len())
}

fn is_container_line(line: &[u8]) -> bool {
    match line.first() {
        Some(b'{') => contains(line, b"\"log\":\""),
        _ => contains(line, b" stdout ") || contains(line, b" stderr "),
    }
}

/// Returns whether a record is the end of a batch, which is distinguished from its items when it is damaged.
fn ends_batch(record: &[u8]) -> bool {
    let mut record = record.iter().filter(|byte| !byte.is_ascii_whitespace());
    record.all(|byte| matches!(byte, b']' | b'}'))
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}
