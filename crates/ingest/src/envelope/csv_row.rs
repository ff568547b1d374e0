//! Rows of CSV exports with a column of events as JSON text, from log services, Splunk and Kibana.
//!
//! The column is found by its content, so the header is not needed.

use std::borrow::Cow;

use csv::ReaderBuilder;

use crate::envelope::candidate::{Candidate, Facts};
use crate::envelope::event_text::mentions_events;
use crate::envelope::family::{Envelope, Opened, Record};
use crate::json;

/// `2026-11-23T22:00:00Z,"{""kind"":""Event"",…}"`.
pub(super) struct CsvRow;

impl Envelope for CsvRow {
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>> {
        let line = record.span.bytes;
        if json::is_open(line) || !mentions_events(line) {
            return None;
        }
        // JSON contains commas and quotes, so a CSV writer quotes it and doubles its quotes.
        let at = memchr::memmem::find(line, br#""{"""#)?;
        let delimiter = match line[..at].last() {
            Some(&delimiter @ (b';' | b'\t')) => delimiter,
            Some(b',') | None => b',',
            Some(_) => return None,
        };
        let reader = ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(line);
        let row = reader.into_byte_records().next()?.ok()?;
        let values: Vec<_> = row
            .iter()
            .filter(|field| field.starts_with(b"{") && mentions_events(field))
            .map(|field| Candidate {
                json: Cow::Owned(field.to_vec()),
                place: record.span.place(),
                facts: Facts::default(),
            })
            .collect();
        (!values.is_empty()).then(|| Opened::with("csv", values))
    }
}
