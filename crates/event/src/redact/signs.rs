//! Which texts are worth parsing for secrets.

use std::sync::LazyLock;

use aho_corasick::packed;
use memchr::{memchr2, memmem};
use serde_json::value::RawValue;

use super::key::RedactionKey;
use super::query::redact_query;
use crate::json::tokens::decode;

/// Strings of which every text to redact contains one, if it has an object reference. Most texts contain none, and are
/// not examined further.
const SIGNS: [&str; 18] = [
    // A resource, the kind of an object, or one in JSON in a string.
    "\"secrets\"",
    "\"Secret\"",
    "\"SecretList\"",
    "Secret\\",
    "SecretList\\",
    "\"TokenRequest\"",
    "\"TokenReview\"",
    "TokenRequest\\",
    "TokenReview\\",
    "\"tokenreviews\"",
    "subresource\":\"token\"",
    "subresource\": \"token\"",
    "oauthaccesstokens",
    "oauthauthorizetokens",
    // ASCII letters that no writer needs to escape.
    "\\u004",
    "\\u005",
    "\\u006",
    "\\u007",
];

/// Searches for all of them at once; `None` on a processor without the required instructions.
static SIGN: LazyLock<Option<packed::Searcher>> =
    LazyLock::new(|| packed::Searcher::new(SIGNS.iter()));

/// Returns whether a text is worth parsing for secrets.
pub(super) fn has_sign(text: &[u8]) -> bool {
    static REFERENCE: LazyLock<memmem::Finder<'_>> =
        LazyLock::new(|| memmem::Finder::new("\"objectRef\""));
    SIGN.as_ref().is_none_or(|sign| sign.find(text).is_some())
        || (REFERENCE.find(text).is_none()
            && ["secrets", "tokenreviews"]
                .iter()
                .any(|name| memmem::find(text, name.as_bytes()).is_some()))
        || has_credential_in_uri(text)
}

/// Returns whether the request URI of an event needs redaction. A name with escapes is itself a sign.
pub(super) fn has_credential_in_uri(text: &[u8]) -> bool {
    static MEMBER: LazyLock<memmem::Finder<'_>> =
        LazyLock::new(|| memmem::Finder::new("requestURI\""));
    MEMBER.find_iter(text).any(|start| {
        let rest = text[start + "requestURI\"".len()..].trim_ascii_start();
        let Some(value) = rest.strip_prefix(b":").map(<[u8]>::trim_ascii_start) else {
            return false;
        };
        let Some(inner) = value.strip_prefix(b"\"") else { return false };
        let mut end = 0;
        while let Some(found) = inner.get(end..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
            end += found;
            if inner[end] == b'"' {
                break;
            }
            end += 2;
        }
        // A string that does not end is not valid JSON, and is not examined further.
        let literal = value.get(..end + 2).and_then(|literal| str::from_utf8(literal).ok());
        let uri = literal.and_then(decode);
        // What needs redaction does not depend on the key.
        uri.is_none_or(|uri| redact_query(&uri, &RedactionKey::new([0; 32])).is_some())
    })
}

/// Returns the text if it is valid JSON.
pub(super) fn valid(json: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(json).ok()?;
    serde_json::from_str::<&RawValue>(text).ok().map(|_| text)
}
