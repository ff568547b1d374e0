//! Entry points for fuzz targets, which call them thousands of times a second: no threads, no files, panics are not
//! caught.

use podtrail_event::RedactionKey;

use crate::envelope::{Contents, Place, unwrap};
use crate::framing::block::{Block, Kind};
use crate::framing::frame::{Framer, Limits};
use crate::framing::long_list;
use crate::framing::span::{Span, separator_length};
use crate::json::Extent;
use crate::run::parse::{Origin, parse_block};

/// A record of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Offset in bytes at which it begins.
    pub offset: usize,
    /// Line at which it begins, from 1.
    pub line: u64,
    /// Its full length in bytes.
    pub length: usize,
    /// The bytes that are kept of it.
    pub bytes: Vec<u8>,
    /// Whether it is text, rather than NUL bytes or a record that exceeds the limit.
    pub is_text: bool,
}

fn blocks(log: &[u8], block_bytes: usize, record_bytes: usize) -> impl Iterator<Item = Block> {
    let limits = Limits { block: block_bytes, record: record_bytes };
    let mut framer = Framer::new(log, limits);
    std::iter::from_fn(move || framer.next_block())
}

/// Returns the records of a log, in order.
pub fn frames(log: &[u8], block_bytes: usize, record_bytes: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    for block in blocks(log, block_bytes, record_bytes) {
        let start = usize::try_from(block.offset).unwrap_or(usize::MAX);
        frames.extend(block.records.iter().map(|record| Frame {
            offset: start + record.start,
            line: record.line,
            length: usize::try_from(record.length).unwrap_or(usize::MAX),
            bytes: block.bytes[record.start..record.end].to_vec(),
            is_text: record.kind == Kind::Text,
        }));
    }
    frames.sort_by_key(|frame| frame.offset);
    frames
}

/// Returns the first part of a log that belongs to no record, to no separator and to no list around items.
pub fn lost<'l>(log: &'l [u8], frames: &[Frame]) -> Option<&'l [u8]> {
    let mut at = 0;
    let ends = frames.iter().map(|frame| (frame.offset, frame.offset + frame.length));
    for (start, end) in ends.chain([(log.len(), log.len())]) {
        let between = log.get(at..start).unwrap_or_default();
        if !is_passed_over(between) {
            return Some(between);
        }
        at = at.max(end);
    }
    None
}

fn is_passed_over(text: &[u8]) -> bool {
    let mut rest = text;
    loop {
        while separator_length(rest) > 0 {
            rest = &rest[separator_length(rest)..];
        }
        match rest.first() {
            None => return true,
            Some(b']') => {
                let closings = (0..=4).filter_map(|objects| {
                    match long_list::closing(rest, objects, long_list::MAX_MARGIN) {
                        Extent::Complete(length) => Some(length),
                        _ => None,
                    }
                });
                match closings.max() {
                    Some(length) => rest = &rest[length..],
                    None => return false,
                }
            }
            Some(_) => {
                return long_list::opening(rest)
                    .is_some_and(|opening| opening.length <= rest.len());
            }
        }
    }
}

/// The result of reading a log.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Number of events in it.
    pub events: u64,
    /// Offset, line, bytes and reason of each quarantined record.
    pub damage: Vec<(u64, u64, Vec<u8>, String)>,
    /// Number of skipped records.
    pub skipped: u64,
    /// Number of empty envelopes.
    pub envelopes: u64,
}

/// Reads a log as a run does.
pub fn read(
    log: &[u8],
    block_bytes: usize,
    record_bytes: usize,
    redaction: Option<RedactionKey>,
) -> Read {
    let origin = Origin {
        cluster: None,
        cluster_field: None,
        node: None,
        file: "-".to_owned(),
        starts_at: 0,
        sha256: None,
        redaction,
    };
    let mut read = Read::default();
    for block in blocks(log, block_bytes, record_bytes) {
        let parsed = parse_block(&block, &origin);
        read.events += parsed.events;
        read.skipped += parsed.skipped;
        read.envelopes += parsed.envelopes;
        read.damage.extend(
            parsed
                .damaged
                .into_iter()
                .map(|damage| (damage.offset, damage.line, damage.bytes, damage.reason)),
        );
    }
    read.damage.sort();
    read
}

/// A value that was taken out of its envelopes.
#[derive(Debug, PartialEq, Eq)]
pub struct Unwrapped {
    /// Its offset, or that of the string that contained it.
    pub offset: u64,
    /// The line of that offset, from 1.
    pub line: u64,
    /// Its text.
    pub bytes: Vec<u8>,
    /// Whether the record contains it verbatim.
    pub is_borrowed: bool,
    /// The names of the envelopes around it.
    pub envelopes: Vec<&'static str>,
}

/// Returns the values of a record, and offset and line of its damaged parts.
pub fn unwrapped(record: &[u8]) -> (Vec<Unwrapped>, Vec<(u64, u64)>) {
    let mut contents = Contents::default();
    unwrap(Span::at(Place::START, record), &mut contents);
    let found = contents.candidates.into_iter().map(|candidate| Unwrapped {
        offset: candidate.place.offset,
        line: candidate.place.line,
        is_borrowed: matches!(candidate.json, std::borrow::Cow::Borrowed(_)),
        bytes: candidate.json.into_owned(),
        envelopes: candidate.facts.envelopes,
    });
    let damaged = contents.damaged.iter().map(|damage| (damage.place.offset, damage.place.line));
    (found.collect(), damaged.collect())
}
