//! Batches: the `EventList` that the API server's webhook backend posts, and plain JSON arrays.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer as JsonDeserializer;
use serde_json::value::RawValue;

use super::{Envelope, Facts, Inner, Opened, Record};
use crate::json;

/// `{"kind":"EventList","items":[…]}` and `[…]`.
pub(crate) struct Batch;

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

        // Lines of other formats begin with a bracket too.
        if value.bytes[0] == b'[' && result.is_err() && list.items.is_empty() {
            return None;
        }
        let mut rest = value;
        let mut values = Vec::with_capacity(list.items.len());
        for item in list.items {
            values.push(Inner::span(rest.take(item.get().as_bytes()), Facts::default()));
        }
        let damaged = result.err().map(|error| {
            let before =
                values.first().map_or(0, |first: &Inner<'_>| first.place.offset - value.offset);
            let head = value.part(0..usize::try_from(before).unwrap_or(0));
            let remnant = if rest.bytes.is_empty() { head } else { rest };
            (remnant, format!("a batch that is damaged after {} events: {error}", values.len()))
        });
        let name = if value.bytes[0] == b'[' { "array" } else { "EventList" };
        Some(Opened { name, values, damaged, skipped: 0 })
    }
}

/// The members of an `EventList`, as far as they were read.
#[derive(Default)]
struct List<'a> {
    kind: Option<&'a RawValue>,
    api_version: Option<&'a RawValue>,
    items: Vec<&'a RawValue>,
}

impl List<'_> {
    /// Kubernetes has an `EventList` of its own `Event` objects too.
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

/// Collects the items of an array, and keeps those before an error.
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

    // Go writes an empty list as null.
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
