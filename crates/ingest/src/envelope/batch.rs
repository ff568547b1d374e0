//! Batches: the `EventList` that the API server's webhook backend sends, and plain JSON arrays.
//!
//! Of a damaged batch, the items before the damage are kept, and those after it that can be located from its end. From
//! the end the nesting depth is known, so list elements in an event's body are never mistaken for items. A forward
//! search from the damage could mistake them. Batches that exceed the record limit are read item by item
//! (`framing::long_list`).

use std::fmt;
use std::ops::Range;

use memchr::memmem;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer as JsonDeserializer;
use serde_json::value::RawValue;

use crate::envelope::candidate::{Candidate, Facts};
use crate::envelope::family::{Envelope, Opened, Record};
use crate::framing::span::{Span, trim_blanks_end};
use crate::json::{self, Extent};

/// `{"kind":"EventList","items":[…]}` and `[…]`.
pub(super) struct Batch;

impl Envelope for Batch {
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>> {
        let value = record.span;
        let mut list = List::default();
        let mut deserializer = JsonDeserializer::from_slice(value.bytes);
        let result = match value.bytes.first()? {
            b'{' => deserializer.deserialize_map(&mut list),
            b'[' if json::is_open(value.bytes) => {
                deserializer.deserialize_seq(Items(&mut list.items))
            }
            _ => return None,
        };
        if value.bytes[0] == b'{' && !list.is_of_audit_events() {
            return None;
        }

        let mut rest = value;
        let mut values = Vec::with_capacity(list.items.len());
        for item in list.items {
            values.push(Candidate::verbatim(rest.take(item.get().as_bytes()), Facts::default()));
        }
        let damaged = match result {
            Ok(()) => None,
            Err(error) => {
                let before = values.len();
                let remnant = keep_items_at_end(value, rest, &mut values);
                // Lines of other formats also begin with a bracket.
                if value.bytes[0] == b'[' && values.is_empty() {
                    return None;
                }
                let reason = format!("batch damaged after {before} events: {error}");
                (!remnant.bytes.is_empty()).then_some((remnant, reason))
            }
        };
        let name = if value.bytes[0] == b'[' { "array" } else { "EventList" };
        Some(Opened { name, values, damaged, ..Opened::default() })
    }
}

/// The end of a batch whose beginning is missing.
pub(super) struct BatchEnd;

impl Envelope for BatchEnd {
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>> {
        // A complete object is not the end of a batch, regardless of its last characters.
        if record.object.is_some() {
            return None;
        }
        let text = record.span.bytes;
        let (name, opening) = match trim_blanks_end(text).last()? {
            b'}' => ("EventList", b'{'),
            _ => ("array", b'['),
        };
        let items = items_at_end(text, opening);
        let is_event = |item: &Range<usize>| memmem::find(&text[item.clone()], b"\"auditID\"");
        items.first().and_then(is_event)?;
        let mut values = Vec::with_capacity(items.len());
        let remnant = keep_items(items, record.span, record.span, &mut values);
        let reason = "batch whose beginning is missing".to_owned();
        let damaged = (!remnant.bytes.is_empty()).then_some((remnant, reason));
        Some(Opened { name, values, damaged, ..Opened::default() })
    }
}

/// Adds the items at the end of a damaged batch and returns the rest. `rest` follows the items that are already known.
fn keep_items_at_end<'a>(
    batch: Span<'a>,
    rest: Span<'a>,
    values: &mut Vec<Candidate<'a>>,
) -> Span<'a> {
    let items = items_at_end(rest.bytes, batch.bytes[0]);
    keep_items(items, batch, rest, values)
}

/// Adds items that were located from the end, the last one first.
fn keep_items<'a>(
    items: Vec<Range<usize>>,
    batch: Span<'a>,
    mut rest: Span<'a>,
    values: &mut Vec<Candidate<'a>>,
) -> Span<'a> {
    let remnant = match (items.last(), values.first()) {
        (Some(item), _) => rest.part(0..item.start),
        // Only the end of the batch is missing.
        (None, Some(first)) if rest.bytes.is_empty() => {
            let head = first.place.offset - batch.offset;
            batch.part(0..usize::try_from(head).unwrap_or(0))
        }
        (None, _) => rest,
    };
    let bytes = rest.bytes;
    for item in items.into_iter().rev() {
        values.push(Candidate::verbatim(rest.take(&bytes[item]), Facts::default()));
    }
    remnant
}

/// Locates the items at the end of a damaged batch, the last one first. `opening` is the bracket that begins the batch.
fn items_at_end(batch: &[u8], opening: u8) -> Vec<Range<usize>> {
    let mut items = Vec::new();
    let list = match opening {
        b'{' => trim_blanks_end(batch).strip_suffix(b"}"),
        _ => Some(batch),
    };
    let mut rest = list.and_then(|list| trim_blanks_end(list).strip_suffix(b"]"));
    while let Some(text) = rest.map(trim_blanks_end)
        && let Some(start) = json::object_at_end(text)
        && let before = trim_blanks_end(&text[..start])
        && matches!(before.last(), None | Some(b',' | b'['))
        && json::extent(&text[start..]) == Extent::Complete(text.len() - start)
    {
        items.push(start..text.len());
        rest = before.strip_suffix(b",");
    }
    items
}

/// The members of an `EventList` that were read: `json::Object` would lose those before an error.
#[derive(Default)]
struct List<'a> {
    kind: Option<&'a RawValue>,
    api_version: Option<&'a RawValue>,
    items: Vec<&'a RawValue>,
}

impl List<'_> {
    /// Returns whether this is a list of audit events: Kubernetes also has an `EventList` of its own `Event` objects.
    fn is_of_audit_events(&self) -> bool {
        let version = self.api_version.map_or("", RawValue::get);
        self.kind.is_some_and(|kind| kind.get() == r#""EventList""#)
            && (version.is_empty() || version.starts_with("\"audit.k8s.io/"))
    }
}

impl<'de> Visitor<'de> for &mut List<'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an EventList")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(key) = members.next_key::<&RawValue>()? {
            match key.get() {
                r#""kind""# => self.kind = Some(members.next_value()?),
                r#""apiVersion""# => self.api_version = Some(members.next_value()?),
                r#""items""# => members.next_value_seed(Items(&mut self.items))?,
                _ => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Collects the items of an array and keeps those before an error.
struct Items<'a, 'de>(&'a mut Vec<&'de RawValue>);

impl<'de> DeserializeSeed<'de> for Items<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of events")
    }

    // Go encodes a nil slice as null.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element()? {
            self.0.push(item);
        }
        Ok(())
    }
}
