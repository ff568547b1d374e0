//! Reading a quarantined record again: a later version may know what an earlier one refused.

use arrow::array::RecordBatch;
use podtrail_event::QuarantineRecord;

use crate::framing::block::{Block, Kind, Record};
use crate::framing::frame::{Framer, Limits};
use crate::run::options::Options;
use crate::run::parse::{Origin, parse_safely};
use crate::run::pipeline::{now_micros, quarantine_record};
use crate::source::must_gather::node_of_path;

/// What a record holds after all.
#[derive(Debug)]
pub struct Retried {
    /// The events, each with the record's source, and its offset and line there.
    pub events: Vec<RecordBatch>,
    /// What is still refused of it: parts, or the record itself under its old place where there is nothing else in it.
    pub refused: Vec<QuarantineRecord>,
    /// The row that releases the record.
    pub release: QuarantineRecord,
}

/// Reads the bytes of a record as if they came from its source now. Nothing where it is refused as before, or where a
/// part of it is all that was kept.
///
/// The name of the cluster is that of `options`, else the one given when the record was refused.
pub fn retry(record: &QuarantineRecord, options: &Options) -> Option<Retried> {
    if record.is_cut() {
        return None;
    }
    let origin = Origin {
        cluster_field: options.cluster_field.clone(),
        cluster: options.cluster.clone().or_else(|| record.cluster.clone()),
        node: node_of_path(&record.source_file),
        file: record.source_file.clone(),
        starts_at: u64::MAX,
        sha256: record.source_sha256.clone(),
        redaction: options.redact.clone(),
    };
    // As the one record that it was, else as what would be cut into records now.
    read(record, &origin, [whole(record)]).or_else(|| {
        let limits = Limits { block: options.block_bytes, record: options.max_record_bytes };
        let mut framer = Framer::new(record.bytes.as_slice(), limits);
        read(record, &origin, std::iter::from_fn(|| framer.next_block()))
    })
}

/// A block of the record alone.
fn whole(record: &QuarantineRecord) -> Block {
    let length = record.bytes.len();
    let part = Record {
        kind: Kind::Text,
        start: 0,
        end: length,
        length: length as u64,
        line: 1,
        wrapper: None,
    };
    Block { offset: 0, bytes: record.bytes.clone().into(), records: vec![part] }
}

/// Parses blocks, whose places are counted from the beginning of the record. Nothing where they hold what was refused.
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
