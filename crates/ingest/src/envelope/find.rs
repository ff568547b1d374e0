//! Member lookup in the spellings of shippers, and a test whether a member can contain an audit event.

use std::borrow::Cow;

use podtrail_event::Micros;
use serde_json::value::RawValue;

use super::{Facts, Inner};
use crate::framing::span::Span;
use crate::instant::instant;
use crate::json::{self, Object};
use crate::reject::component_line;

/// Returns the member at a path such as `host.name`: one key with dots, or nested objects. `None` for null.
pub(super) fn find<'a>(object: &Object<'a>, path: &str) -> Option<&'a RawValue> {
    let nested = || {
        let (head, rest) = path.split_once('.')?;
        find(&object.object(head)?, rest)
    };
    let value = object.get(path).or_else(nested)?;
    (value.get() != "null").then_some(value)
}

/// Returns the first non-empty string at one of the paths.
pub(super) fn find_text<'a>(object: &Object<'a>, paths: &[&str]) -> Option<Cow<'a, str>> {
    let text = |path| json::text(find(object, path)?).filter(|text| !text.is_empty());
    paths.iter().find_map(|path| text(path))
}

/// Returns the first time at one of the paths.
pub(super) fn find_time(object: &Object<'_>, paths: &[&str]) -> Option<Micros> {
    paths.iter().find_map(|path| instant(find(object, path)?))
}

/// Returns the value as content of an envelope, if it may contain audit events or is a component's log line.
pub(super) fn content<'a>(
    whole: Span<'a>,
    value: &'a RawValue,
    facts: Facts<'a>,
) -> Option<Inner<'a>> {
    let inner = Inner::of(whole, value, facts)?;
    let is_worthwhile = mentions_events(&inner.text) || component_line(&inner.text).is_some();
    is_worthwhile.then_some(inner)
}

/// Returns whether a text contains a word that occurs in every record of audit events.
pub(crate) fn mentions_events(text: &[u8]) -> bool {
    // From `auditID`, which Azure spells `AuditId` and `AuditID`; from Cloud Logging; from lists, which may be empty;
    // from the legacy text format.
    const WORDS: [&str; 4] = ["uditI", "protoPayload", "EventList", " AUDIT: id="];
    WORDS.iter().any(|word| memchr::memmem::find(text, word.as_bytes()).is_some())
}
