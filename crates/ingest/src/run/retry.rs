//! Reads quarantined records again: a later version may support what an earlier one rejected.

use arrow::array::RecordBatch;
use podtrail_event::QuarantineRecord;

use crate::framing::block::{Block, Kind, Record};
use crate::framing::frame::{Framer, Limits};
use crate::run::clock::now_micros;
use crate::run::options::Options;
use crate::run::parse::{Origin, parse_safely};
use crate::run::quarantine::quarantine_record;

/// The result of reading a record again.
#[derive(Debug)]
pub struct Retried {
    /// The events, each with the record's source, and its offset and line there.
    pub events: Vec<RecordBatch>,
    /// What is still rejected: parts, or the whole record at its old position if nothing else is in it.
    pub refused: Vec<QuarantineRecord>,
    /// The row that releases the record.
    pub release: QuarantineRecord,
}

/// Reads the bytes of a record as if they came from its source now. Returns `None` if it is rejected as before, or if
/// only a part of it was kept.
///
/// The name of the cluster is that of `options`, else the one given when the record was quarantined.
pub fn retry(record: &QuarantineRecord, options: &Options) -> Option<Retried> {
    if record.is_cut() {
        return None;
    }
    let origin = Origin::of_quarantined(record, options);
    // First as the original record, otherwise framed again.
    read(record, &origin, [whole(record)]).or_else(|| {
        let limits = Limits { block: options.block_bytes, record: options.max_record_bytes };
        let mut framer = Framer::new(record.bytes.as_slice(), limits);
        read(record, &origin, std::iter::from_fn(|| framer.next_block()))
    })
}

/// Returns a block with this record only.
fn whole(record: &QuarantineRecord) -> Block {
    let length = record.bytes.len();
    let part = Record {
        kind: Kind::Text,
        start: 0,
        end: length,
        length: length as u64,
        line: 1,
        enclosing: None,
    };
    Block { offset: 0, bytes: record.bytes.clone().into(), records: vec![part] }
}

/// Parses blocks whose positions are relative to the start of the record. Returns `None` if they contain what was
/// rejected before.
fn read(
    record: &QuarantineRecord,
    origin: &Origin,
    blocks: impl IntoIterator<Item = Block>,
) -> Option<Retried> {
    let now = now_micros();
    let lines_before = record.source_line.map_or(0, |line| line.saturating_sub(1));
    let mut count = 0;
    let mut events = Vec::new();
    let mut refused = Vec::new();
    for mut block in blocks {
        block.offset += u64::try_from(record.source_offset).unwrap_or_default();
        for part in &mut block.records {
            part.line += u64::try_from(lines_before).unwrap_or_default();
        }
        let parsed = parse_safely(&block, origin);
        count += parsed.events;
        events.extend(parsed.batches);
        let damaged = parsed.damaged.into_iter();
        refused.extend(damaged.map(|damaged| quarantine_record(origin, damaged, now)));
    }
    let is_as_before = matches!(&refused[..], [only] if only.id() == record.id());
    if is_as_before && events.is_empty() {
        return None;
    }
    let release = record.release(format!("released: {count} events"), now);
    Some(Retried { events, refused, release })
}
