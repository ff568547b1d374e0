//! Events that a shipper truncated: AKS exports at 16 KiB, `AzureDiagnostics` at 32,766 bytes, CloudWatch at 256 KiB,
//! where it adds a mark. The members before the cut show identity, verb and object.
//!
//! The complete members of a truncated event are kept. A truncated member is dropped, except for a few objects whose
//! members are meaningful on their own. A truncated body is dropped, because a missing field would look like one that
//! was never set. A truncated list of addresses is dropped, because only its last entry is trustworthy.
//!
//! `json::Object` reads complete objects only; this reader keeps the members before the cut, and the key of the member in
//! it.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Deserializer as JsonDeserializer;
use serde_json::value::RawValue;

/// The suffix that CloudWatch Logs appends to a truncated message.
const CLOUDWATCH_MARK: &[u8] = b"[Truncated...]";

/// Objects that are useful in part.
const DIVISIBLE: &[&str] = &["user", "impersonatedUser", "responseStatus", "annotations"];

/// Returns whether a text is marked as truncated.
pub(crate) fn has_mark(text: &[u8]) -> bool {
    text.trim_ascii_end().ends_with(CLOUDWATCH_MARK)
}

/// Builds a JSON object from the complete members of `text`; `None` if `text` is not the beginning of an object.
pub(crate) fn complete(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    let text = text.strip_suffix(CLOUDWATCH_MARK).unwrap_or(text).trim_ascii_end();
    let beginning = Beginning::read(text)?;
    let mut event = String::from("{");
    for (key, value) in &beginning.members {
        add_member(&mut event, key.get(), value.get());
    }
    if let Some(key) = beginning.cut
        && DIVISIBLE.iter().any(|name| key.get().trim_matches('"') == *name)
        && let Some(part) = Beginning::read(value_after(text, key))
    {
        let mut object = String::from("{");
        for (key, value) in &part.members {
            add_member(&mut object, key.get(), value.get());
        }
        object.push('}');
        add_member(&mut event, key.get(), &object);
    }
    event.push('}');
    Some(event.into_bytes())
}

fn add_member(object: &mut String, key: &str, value: &str) {
    if object.len() > 1 {
        object.push(',');
    }
    object.push_str(key);
    object.push(':');
    object.push_str(value);
}

/// Returns the text after a key of `text` and the colon.
fn value_after<'a>(text: &'a [u8], key: &RawValue) -> &'a [u8] {
    let start = key.get().as_ptr().addr().saturating_sub(text.as_ptr().addr());
    let rest = text.get(start + key.get().len()..).unwrap_or_default().trim_ascii_start();
    rest.strip_prefix(b":").unwrap_or(rest).trim_ascii_start()
}

/// The beginning of an object.
#[derive(Default)]
struct Beginning<'a> {
    members: Vec<(&'a RawValue, &'a RawValue)>,
    /// The key of the member that the cut went through, if any.
    cut: Option<&'a RawValue>,
}

impl<'a> Beginning<'a> {
    /// Parses a truncated object; `None` if `text` is complete, or invalid for another reason.
    fn read(text: &'a [u8]) -> Option<Self> {
        let mut beginning = Self::default();
        let mut deserializer = JsonDeserializer::from_slice(text);
        let error = deserializer.deserialize_map(&mut beginning).err()?;
        if text.first() != Some(&b'{') || !error.is_eof() {
            return None;
        }
        // A number at the end of the text may have lost digits.
        if let Some((_, value)) = beginning.members.last()
            && value.get().ends_with(|last: char| last.is_ascii_digit())
            && text.as_ptr_range().end == value.get().as_bytes().as_ptr_range().end
        {
            beginning.members.pop();
        }
        Some(beginning)
    }
}

impl<'de> Visitor<'de> for &mut Beginning<'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(key) = members.next_key::<&RawValue>()? {
            self.cut = Some(key);
            let value = members.next_value::<&RawValue>()?;
            self.members.push((key, value));
            self.cut = None;
        }
        Ok(())
    }
}
