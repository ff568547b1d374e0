//! Tests of whether a text can contain, begin or be an audit event.

use memchr::memmem;

use crate::json::{self, Extent};

/// Returns whether a text contains a word that occurs in every record of audit events.
pub(crate) fn mentions_events(text: &[u8]) -> bool {
    // From `auditID`, which Azure spells `AuditId` and `AuditID`; from Cloud Logging; from lists, which may be empty;
    // from the legacy text format.
    const WORDS: [&str; 4] = ["uditI", "protoPayload", "EventList", " AUDIT: id="];
    WORDS.iter().any(|word| memmem::find(text, word.as_bytes()).is_some())
}

/// Returns whether a text begins like an event or a list of events. A client can write such text into a body.
pub(crate) fn begins_event(text: &[u8]) -> bool {
    const HEAD: usize = 1024;
    const WORDS: [&str; 3] = ["auditID", "\"Event\"", "EventList"];
    let head = &text[..text.len().min(HEAD)];
    head.trim_ascii_start().starts_with(b"{")
        && WORDS.iter().any(|word| memmem::find(head, word.as_bytes()).is_some())
}

/// Returns whether a text is exactly one JSON value.
pub(crate) fn is_whole(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    json::extent(text) == Extent::Complete(text.len())
}
