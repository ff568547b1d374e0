//! Taking audit events out of what they are wrapped in: one module for each family of envelopes.

mod batch;

use std::borrow::Cow;

use crate::json::{self, Extent};
use crate::span::Span;

/// Batches of batches are not written by anybody; deeper nesting is an attack.
const MAX_DEPTH: usize = 6;

/// The JSON text of what should be one audit event.
#[derive(Debug)]
pub(crate) struct Candidate<'a> {
    /// Borrowed from the log, or decoded from a string in it.
    pub(crate) json: Cow<'a, [u8]>,
    /// Where it stands; of what was decoded, where the string stands.
    pub(crate) offset: u64,
    pub(crate) line: u64,
}

/// What is in a record.
#[derive(Debug, Default)]
pub(crate) struct Contents<'a> {
    pub(crate) candidates: Vec<Candidate<'a>>,
    /// Parts that make no sense, with the reason.
    pub(crate) damaged: Vec<(Span<'a>, String)>,
    /// Envelopes seen, empty ones too.
    pub(crate) envelopes: u64,
}

/// A family of envelopes.
pub(crate) trait Envelope: Sync {
    /// The values inside `value`, or nothing if it is no envelope of this family.
    ///
    /// `value` is one JSON value, or what is left of one.
    fn open<'a>(&self, value: Span<'a>) -> Option<Opened<'a>>;
}

/// What an envelope holds.
pub(crate) struct Opened<'a> {
    /// JSON values in the envelope, each of which is an audit event or another envelope.
    pub(crate) values: Vec<Span<'a>>,
    /// What follows the last of them when the envelope is damaged there, with the reason.
    pub(crate) damaged: Option<(Span<'a>, String)>,
}

const FAMILIES: &[&dyn Envelope] = &[&batch::Batch];

/// Whether the record is worth a look at its envelope before it is tried as an event.
pub(crate) fn is_likely(record: &[u8]) -> bool {
    const HEAD: usize = 200;
    let head = &record[..record.len().min(HEAD)];
    head.first() == Some(&b'[') || memchr::memmem::find(head, b"\"EventList\"").is_some()
}

/// Takes a record apart: one or more values, with or without blanks between them, each an event or an envelope.
pub(crate) fn unwrap<'a>(record: Span<'a>, contents: &mut Contents<'a>) {
    let mut rest = record;
    while json::is_open(rest.bytes) {
        let Extent::Complete(length) = json::extent(rest.bytes) else { break };
        unwrap_value(rest.part(0..length), 0, contents);
        rest = rest.after(length);
    }
    if !rest.bytes.is_empty() {
        unwrap_value(rest, 0, contents);
    }
}

fn unwrap_value<'a>(value: Span<'a>, depth: usize, contents: &mut Contents<'a>) {
    let Some(opened) = FAMILIES.iter().find_map(|family| family.open(value)) else {
        let json = Cow::Borrowed(value.bytes);
        contents.candidates.push(Candidate { json, offset: value.offset, line: value.line });
        return;
    };
    contents.envelopes += 1;
    contents.damaged.extend(opened.damaged);
    for value in opened.values {
        if depth < MAX_DEPTH {
            unwrap_value(value, depth + 1, contents);
        } else {
            contents.damaged.push((value, "batches nested too deep".to_owned()));
        }
    }
}
