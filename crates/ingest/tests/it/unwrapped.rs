//! Cases of envelopes: a log, and the expected output.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use podtrail_ingest::{Options, Summary};

use crate::support::{Memory, run_stream};

/// When the events of the cases were shipped, by their envelopes.
pub(crate) const SHIPPED: &str = "2026-11-23T21:55:02.500Z";
pub(crate) const SHIPPED_MILLIS: i64 = 1_795_470_902_500;

/// The expected facts of an event in an envelope.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Known<'a> {
    pub(crate) envelopes: &'a str,
    pub(crate) provider: &'a str,
    pub(crate) cluster: &'a str,
    pub(crate) node: &'a str,
    /// In milliseconds.
    pub(crate) shipped_at: Option<i64>,
}

/// Checks that `log` contains exactly the event `raw`, with the expected facts.
pub(crate) fn check(name: &str, log: impl Into<Vec<u8>>, raw: &str, known: &Known<'_>) {
    let (bare, _) = run_stream(raw, &Options::default());
    let (memory, summary) = run_stream(log, &Options::default());
    assert_eq!(summary.quarantined, 0, "{name}: {:?}", summary.problems);
    assert_eq!(summary.events_added, 1, "{name}");
    assert_eq!(column(&memory, "event_id"), column(&bare, "event_id"), "{name}");
    assert_eq!(column(&memory, "level"), column(&bare, "level"), "{name}");
    assert_eq!(column(&memory, "extra"), column(&bare, "extra"), "{name}");
    assert_eq!(column(&memory, "truncated"), ["false"], "{name}");
    check_known(name, &memory, known);
}

pub(crate) fn check_known(name: &str, memory: &Memory, known: &Known<'_>) {
    let one = |name: &str| column(memory, name).swap_remove(0);
    let envelopes = one("envelopes");
    let shipped_at = one("shipped_at");
    let found = Known {
        envelopes: &envelopes,
        provider: &one("provider"),
        cluster: &one("cluster"),
        node: &one("node"),
        shipped_at: shipped_at.parse().ok().map(|micros: i64| micros / 1000),
    };
    assert_eq!(&found, known, "{name}");
}

/// Returns the values of a column as text, empty for null.
pub(crate) fn column(memory: &Memory, name: &str) -> Vec<String> {
    let columns = memory.batches.iter().map(|batch| batch.column_by_name(name).expect("a column"));
    columns.flat_map(|column| (0..column.len()).map(|row| value(column, row))).collect()
}

fn value(column: &ArrayRef, row: usize) -> String {
    match column.data_type() {
        _ if column.is_null(row) => String::new(),
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        DataType::Int32 => {
            column.as_primitive::<arrow::datatypes::Int32Type>().value(row).to_string()
        }
        DataType::Timestamp(..) => {
            column.as_primitive::<TimestampMicrosecondType>().value(row).to_string()
        }
        DataType::List(_) => {
            let list = column.as_list::<i32>().value(row);
            let values: Vec<String> = (0..list.len()).map(|row| value(&list, row)).collect();
            values.join(" ")
        }
        other => panic!("{other}"),
    }
}

/// Checks the result for a log with only records of other components.
pub(crate) fn check_skipped(name: &str, log: impl Into<Vec<u8>>, count: u64) {
    let (_, summary): (_, Summary) = run_stream(log, &Options::default());
    assert_eq!(summary.skipped, count, "{name}");
    assert_eq!((summary.records, summary.files), (0, 1), "{name}");
    assert!(summary.problems.is_empty(), "{name}: {summary:?}");
}

/// Returns a text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(bytes)
}
