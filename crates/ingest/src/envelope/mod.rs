//! Extraction of audit events from envelopes: one module for each family of envelopes.
//!
//! A record is opened by the first family that accepts it, and each value in it in turn, until an event is left.

mod any_member;
mod aws;
mod azure;
mod batch;
pub(crate) mod candidate;
pub(crate) mod chunks;
mod container_runtime;
pub(crate) mod contents;
mod csv_row;
mod elastic;
pub(crate) mod event_text;
mod family;
mod gcp;
pub(crate) mod labels;
mod legacy;
pub(crate) mod lifted;
mod listing;
mod member_path;
mod openshift;
mod otlp;
mod packed;
pub(crate) mod part;
mod prefixed_line;
mod request_path;
pub(crate) mod salvage;
mod shippers;
pub(crate) mod unpack_budget;

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use rayon::prelude::*;

use crate::envelope::candidate::{Candidate, Facts};
use crate::envelope::chunks::{CHUNK_BYTES, chunks};
pub(crate) use crate::envelope::contents::Contents;
use crate::envelope::contents::Damage;
use crate::envelope::event_text::mentions_events;
use crate::envelope::family::{Envelope, Opened, Record};
use crate::envelope::part::{Found, Part};
use crate::framing::long_list::Enclosing;
pub(crate) use crate::framing::span::Place;
use crate::framing::span::Span;
use crate::json::{self, Extent, Object};

/// Maximum nesting of envelopes. No pipeline nests deeper; deeper nesting is an attack.
const MAX_DEPTH: usize = 6;

/// The families in order of precedence. Those that accept unknown formats are last.
const FAMILIES: &[&dyn Envelope] = &[
    &aws::Aws,
    &azure::Azure,
    &gcp::Gcp,
    &openshift::OpenShift,
    &otlp::Otlp,
    &batch::Batch,
    &container_runtime::ContainerRuntime,
    &listing::Listing,
    &elastic::Elastic,
    &shippers::Shippers,
    &lifted::Lifted,
    &legacy::Legacy,
    &csv_row::CsvRow,
    &prefixed_line::Prefixed,
    &batch::BatchEnd,
    &any_member::AnyMember,
];

/// Returns whether to look for an envelope before parsing the record as an event: it lacks an audit ID among its own
/// members, or is longer than almost any event.
pub(crate) fn is_likely(record: &[u8]) -> bool {
    const HEAD: usize = 200;
    const LONG: usize = 1024 * 1024;
    static LIST: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("\"EventList\""));
    // In JSON inside a string, a backslash would precede the second quote.
    static ID: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("\"auditID\""));
    let head = &record[..record.len().min(HEAD)];
    head.first() != Some(&b'{')
        || record.len() > LONG
        || LIST.find(head).is_some()
        || ID.find(record).is_none_or(|id| json::depth(&record[..id]) != 1)
}

/// Unwraps a record: one or more values, with or without blanks between them, each an event or an envelope.
pub(crate) fn unwrap<'a>(record: Span<'a>, contents: &mut Contents<'a>) {
    contents.add_values(record, 0, &Facts::default());
}

/// Unwraps a record that was joined from parts, with what is known about it.
pub(crate) fn unwrap_joined<'a>(record: Span<'a>, facts: &Facts<'a>, contents: &mut Contents<'a>) {
    contents.add_values(record, 0, facts);
}

/// Unwraps an item of a list that exceeds the record limit, as if it were the only item.
pub(crate) fn unwrap_item<'a>(item: Span<'a>, enclosing: &Enclosing, contents: &mut Contents<'a>) {
    let found = enclosing.around(item).and_then(|(text, place)| {
        let opened = open(&Record::new(Span::at(place, &text), &contents.budget))?;
        let mut found = contents.nested(contents.budget.clone());
        found.add_opened(opened, 0, &Facts::default());
        // Labels next to the list do not belong to this item.
        let end = item.offset + item.bytes.len() as u64;
        let is_inside = |place: Place| (item.offset..end).contains(&place.offset);
        found.candidates.retain(|candidate| is_inside(candidate.place));
        found.damaged.retain(|damage| is_inside(damage.place));
        let is_empty = found.candidates.is_empty() && found.parts.is_empty();
        let is_other = is_empty && found.damaged.is_empty() && found.skipped == 0;
        (!is_other).then(|| found.into_owned(|place| place))
    });
    match found {
        Some(found) => contents.append(found),
        None => unwrap(item, contents),
    }
}

/// Splits a text into consecutive JSON values, and the rest if no further value follows.
fn values(text: Span<'_>) -> Vec<Span<'_>> {
    let mut values = Vec::with_capacity(1);
    let mut rest = text;
    while json::is_open(rest.bytes) {
        let Extent::Complete(length) = json::extent(rest.bytes) else { break };
        values.push(rest.part(0..length));
        rest = rest.after(length);
    }
    if !rest.bytes.is_empty() {
        values.push(rest);
    }
    values
}

fn open<'a>(record: &Record<'a>) -> Option<Opened<'a>> {
    if record.object.as_ref().is_some_and(lifted::is_bare_event) {
        return None;
    }
    FAMILIES.iter().find_map(|family| family.open(record))
}

impl<'a> Contents<'a> {
    fn record(&self, span: Span<'a>) -> Record<'a> {
        let is_first = self.starts_at == Some(span.offset);
        Record { is_first, ..Record::new(span, &self.budget) }
    }

    /// Adds one or more values, with or without blanks between them.
    fn add_values(&mut self, text: Span<'a>, depth: usize, facts: &Facts<'a>) {
        let text = text.part(0..text.bytes.len());
        let record = self.record(text);
        if record.object.is_some() {
            return self.add(&record, depth, facts.clone());
        }
        if depth == 0
            && let Some(opened) = container_runtime::open_docker_lines(&record)
        {
            return self.add_opened(opened, depth, facts);
        }
        for value in values(text) {
            let value = self.record(value);
            self.add(&value, depth, facts.clone());
        }
    }

    fn add(&mut self, value: &Record<'a>, depth: usize, facts: Facts<'a>) {
        if value.span.bytes.is_empty() {
            return;
        }
        if !self.is_joined
            && let Some(object) = &value.object
            && let Some(found) = Found::of(value.span, object, &facts)
        {
            let is_part = matches!(found, Found::Piece(_));
            self.parts.push(found);
            if is_part {
                return;
            }
        }
        if let Some(opened) = open(value) {
            let facts = facts.labelled(value.object.as_ref());
            return self.add_opened(opened, depth, &facts);
        }
        // A record without an event may be a component's log line in a store's envelope.
        let is_event = |object: &Object<'_>| object.get("auditID").is_some();
        let facts = match &value.object {
            Some(object) if !is_event(object) && !mentions_events(value.span.bytes) => {
                facts.labelled(Some(object))
            }
            _ => facts,
        };
        self.candidates.push(Candidate::verbatim(value.span, facts));
    }

    fn add_opened(&mut self, opened: Opened<'a>, depth: usize, outer: &Facts<'a>) {
        let Opened { name, values, damaged, skipped, parts } = opened;
        self.envelopes += u64::from(values.is_empty());
        self.skipped += skipped;
        if let Some((span, reason)) = damaged {
            let (bytes, place) = (span.bytes.to_vec(), span.place());
            self.damaged.push(Damage { bytes, place, reason });
        }
        for part in parts {
            if self.is_joined {
                let facts = Facts { shipped_at: part.mark.time, ..Facts::default() };
                let value = Candidate { json: part.text.into(), place: part.place, facts };
                self.add_value(value, name, depth, outer);
            } else {
                let facts = outer.clone().into_owned();
                self.parts.push(Found::Piece(Box::new(Part { facts, ..part })));
            }
        }
        let length = |value: &Candidate<'_>| value.json.len();
        // Deeper values share the budget of the value they were unpacked from.
        if depth > 0 || values.iter().map(length).sum::<usize>() <= CHUNK_BYTES {
            for value in values {
                self.add_value(value, name, depth, outer);
            }
            return;
        }
        let chunks = chunks(values, length);
        let budgets = self.budget.divide(chunks.len());
        let found = chunks.into_par_iter().zip(budgets).map(|(chunk, budget)| {
            let mut found = self.nested(budget);
            for value in chunk {
                found.add_value(value, name, depth, outer);
            }
            found
        });
        for found in found.collect::<Vec<_>>() {
            self.budget.give_back(&found.budget);
            self.append(found);
        }
    }

    /// Adds a value of an envelope with this name.
    fn add_value(
        &mut self,
        value: Candidate<'a>,
        name: &'static str,
        depth: usize,
        outer: &Facts<'a>,
    ) {
        let Candidate { json, place, facts } = value;
        if depth >= MAX_DEPTH {
            let reason = "envelopes nested too deeply".to_owned();
            self.damaged.push(Damage { bytes: json.into_owned(), place, reason });
            return;
        }
        let facts = facts.inside(outer, name);
        match json {
            Cow::Borrowed(bytes) => {
                let value = Record::new(Span::at(place, bytes), &self.budget);
                self.add(&value, depth + 1, facts);
            }
            // A decoded string, which may be several values.
            Cow::Owned(text) => {
                let mut nested = self.nested(self.budget.clone());
                nested.add_values(Span::at(place, &text), depth + 1, &facts);
                self.append(nested.into_owned(|_| place));
            }
        }
    }
}
