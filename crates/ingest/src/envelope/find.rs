//! Looking for a member as shippers write it, and judging whether it can hold an audit event.

use std::borrow::Cow;

use podtrail_event::Micros;
use serde_json::value::RawValue;

use super::{Facts, Inner};
use crate::framing::span::Span;
use crate::instant::instant;
use crate::json::{self, Object};
use crate::reject::component_line;

/// The member at a path such as `host.name`: one key with dots in it, or objects in one another. Null is nothing.
pub(super) fn find<'a>(object: &Object<'a>, path: &str) -> Option<&'a RawValue> {
    let nested = || {
        let (head, rest) = path.split_once('.')?;
        find(&object.object(head)?, rest)
    };
    let value = object.get(path).or_else(nested)?;
    (value.get() != "null").then_some(value)
}

/// The text of the first of the paths that leads to a string which is not empty.
pub(super) fn find_text<'a>(object: &Object<'a>, paths: &[&str]) -> Option<Cow<'a, str>> {
    let text = |path| json::text(find(object, path)?).filter(|text| !text.is_empty());
    paths.iter().find_map(|path| text(path))
}

/// The time at the first of the paths that leads to one.
pub(super) fn find_time(object: &Object<'_>, paths: &[&str]) -> Option<Micros> {
    paths.iter().find_map(|path| instant(find(object, path)?))
}

/// The value as the content of an envelope, if it may hold audit events or is a line that stands among them.
pub(super) fn content<'a>(
    whole: Span<'a>,
    value: &'a RawValue,
    facts: Facts<'a>,
) -> Option<Inner<'a>> {
    let inner = Inner::of(whole, value, facts)?;
    let is_worthwhile = mentions_events(&inner.text) || component_line(&inner.text).is_some();
    is_worthwhile.then_some(inner)
}

/// Whether a text has a word that stands in every record of audit events.
pub(crate) fn mentions_events(text: &[u8]) -> bool {
    // Of `auditID`, which Azure writes `AuditId` and `AuditID`; of Cloud Logging; of lists, which may be empty; of the
    // legacy text format.
    const WORDS: [&str; 4] = ["uditI", "protoPayload", "EventList", " AUDIT: id="];
    WORDS.iter().any(|word| memchr::memmem::find(text, word.as_bytes()).is_some())
}
