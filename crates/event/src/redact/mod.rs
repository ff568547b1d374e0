//! Redaction: replaces secrets with digests before an event is processed, so that no column, not even the digest of the
//! event, depends on a plain secret.
//!
//! Treated as secrets:
//!
//! - values of `data` and `stringData` of Secrets, in requests, patches, responses, lists and tables, and of objects in
//!   other bodies whose kind is Secret (templates, bundles, `List`);
//! - the same in copies: JSON in a string, such as `kubectl.kubernetes.io/last-applied-configuration` and the patches of
//!   mutating webhooks, and error messages that quote the object;
//! - tokens in TokenRequests and TokenReviews;
//! - bodies of OpenShift's OAuth tokens, and their names if these are the token;
//! - credentials in a request URI: in parameters of its query, fragment and path, before a host, and in URIs in these;
//! - text in a damaged record that may be any of these.
//!
//! Names of keys stay, as does every other byte of the text. A value that should contain a secret and cannot be parsed
//! is treated as one. ConfigMaps, environment variables and commands of containers, certificate requests, and custom
//! resources are not secret: a user who puts a secret there has published it in the cluster.

mod damaged;
mod key;
mod marks;
mod names;
mod query;
mod subject;
mod tokens;
mod walk;

use std::sync::LazyLock;

use aho_corasick::packed;
use memchr::{memchr2, memmem};
use serde_json::value::RawValue;

pub use damaged::redact_damaged;
pub use key::RedactionKey;

use subject::Subject;
use walk::Walk;

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

/// Returns the JSON text of an event with digests for its secrets; `None` if it has none, or is not JSON.
///
/// Redaction is idempotent.
pub fn redact(event: &[u8], key: &RedactionKey) -> Option<Vec<u8>> {
    if !has_sign(event) {
        return None;
    }
    let event = valid(event)?;
    let Subject { scope, name } = Subject::of(event);
    let walk = Walk { key, secret: name.as_deref() };
    walk.event(event, scope).map(String::into_bytes)
}

/// Redacts the record from which an event was rebuilt, which may be truncated.
pub fn redact_record(
    record: &[u8],
    event: &[u8],
    is_cut: bool,
    key: &RedactionKey,
) -> Option<Vec<u8>> {
    if !has_sign(record) && !has_sign(event) {
        return None;
    }
    let Subject { scope, name } = valid(event).map_or_else(Subject::unknown, Subject::of);
    let walk = Walk { key, secret: name.as_deref() };
    match valid(record) {
        Some(record) => walk.record(record, scope).map(String::into_bytes),
        // The truncated part may be what identifies the rest as a secret.
        None if is_cut => Some(key.digest(record).into_bytes()),
        // Other text around the event, for example a line of text: if the event contains a secret, so does the record.
        None => redact(event, key).map(|_| key.digest(record).into_bytes()),
    }
}

/// Returns whether a text is worth parsing for secrets.
fn has_sign(text: &[u8]) -> bool {
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
fn has_credential_in_uri(text: &[u8]) -> bool {
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
        let uri = literal.and_then(tokens::decode);
        // What needs redaction does not depend on the key.
        uri.is_none_or(|uri| query::redact_query(&uri, &RedactionKey::new([0; 32])).is_some())
    })
}

/// Returns the text if it is valid JSON.
fn valid(json: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(json).ok()?;
    serde_json::from_str::<&RawValue>(text).ok().map(|_| text)
}
